"""Pacemaker's own tools on a CIB file: no daemons needed.

A test that lacks a tool is skipped, or fails where CI=true. Every skip of a test is here, so that none is silent.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

PACKAGES = {
    "cibadmin": "pacemaker-cli-utils",
    "crm_verify": "pacemaker-cli-utils",
    "crm_resource": "pacemaker-cli-utils",
    "crm_simulate": "pacemaker-cli-utils",
    "crm": "crmsh",
    "pcs": "pcs",
    "crm_mon": "pacemaker-cli-utils",
    "promtool": "prometheus",
}
CORPUS = Path(os.environ.get("RECONCILER_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))


def absent(reason: str) -> NoReturn:
    """Skip the test, loudly; fail it where CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def absent_corpus(untested: str) -> NoReturn:
    """Skip the test, loudly, where CI=true too: the corpus is other people's and not in this repository."""
    pytest.skip(_without_corpus(untested))


def unfit(file: Path, why: str) -> NoReturn:
    """Skip the test for one CIB of the corpus, loudly, where CI=true too: nothing can be said of it."""
    pytest.skip(f"NOT tested on {file.stem}: {why}")


def each_of_the_corpus(untested: str, largest: int | None = None) -> pytest.MarkDecorator:
    """Run a test for each CIB of the corpus of up to `largest` bytes, as its `file`; skipped as by `absent_corpus`."""
    files = [file for file in corpus_cibs() if largest is None or file.stat().st_size <= largest]
    nothing = pytest.param(None, marks=pytest.mark.skip(reason=_without_corpus(untested)))
    return pytest.mark.parametrize("file", files or [nothing], ids=lambda file: file.stem if file else "no corpus")


def _without_corpus(untested: str) -> str:
    return f"the corpus of CIBs is not here (RECONCILER_CORPUS): {untested}"


def need_root(why: str) -> None:
    if os.geteuid() != 0:
        absent(f"needs root: {why}")


def need(*programs: str) -> None:
    lacking = [program for program in programs if not shutil.which(program)]
    if lacking:
        named = ", ".join(f"{name} (package {PACKAGES.get(name, name)})" for name in lacking)
        absent(f"NOT checked against {named}: not installed")


def run(cib: Path, *argv: str, stdin: str | None = None, limit: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a tool on a CIB file, for no more than so many seconds."""
    return subprocess.run(
        argv,
        input=stdin,
        text=True,
        capture_output=True,
        timeout=limit,
        check=False,
        env={**os.environ, "CIB_file": str(cib), "LC_ALL": "C"},
    )


def corpus_cibs() -> list[Path]:
    """The CIBs of other people's tests and clusters, none where they are not there."""
    return sorted((CORPUS / "cib").glob("*.xml"))
