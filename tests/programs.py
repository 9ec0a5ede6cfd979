"""Pacemaker's own tools on a CIB file: no daemons needed. A test that lacks one is skipped, or fails where CI=true."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = {
    "cibadmin": "pacemaker-cli-utils",
    "crm_verify": "pacemaker-cli-utils",
    "crm_simulate": "pacemaker-cli-utils",
    "crm": "crmsh",
    "pcs": "pcs",
}
CORPUS = Path(os.environ.get("RECONCILER_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))


def absent(reason: str) -> None:
    """Skip the test, loudly; fail it where CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def need(*programs: str) -> None:
    lacking = [program for program in programs if not shutil.which(program)]
    if lacking:
        absent(
            f"NOT checked against {', '.join(f'{name} (package {PACKAGES[name]})' for name in lacking)}: not installed"
        )


def run(cib: Path, *argv: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a tool on a CIB file."""
    return subprocess.run(
        argv,
        input=stdin,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "CIB_file": str(cib), "LC_ALL": "C"},
    )


def corpus_cibs() -> list[Path]:
    """The CIBs of other people's tests and clusters, none where they are not there."""
    return sorted((CORPUS / "cib").glob("*.xml"))
