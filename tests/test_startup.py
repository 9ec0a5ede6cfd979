"""What verbs of files bring along: nothing that only an agent, a live cluster or a change needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import large

SELDOM = {
    "asyncio",
    "logging",
    "prometheus_client",
    "sh",
    "subprocess",
    "watchfiles",
    "reconciler.crm",
    "reconciler.guards",
    "reconciler.host.observer",
    "reconciler.host.simulator",
    "reconciler.network.kernel",
    "reconciler.records",
    "reconciler.turn",
}


def brought(*words: str) -> set[str]:
    """Run a verb, which has to do what it does without a fault, and return the modules that it imported."""
    command = [sys.executable, "-X", "importtime", "-m", "reconciler", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.fixture
def cib(tmp_path: Path) -> str:
    """Return the file of an empty cluster."""
    file = tmp_path / "cib.xml"
    file.write_text(large.empty_cib(), encoding="utf-8")
    return str(file)


def test_import_of_a_file(cib: str) -> None:
    found = brought("import", "--cib", cib)
    assert "reconciler.importer.importer" in found
    assert not found & {*SELDOM, "reconciler.planner", "reconciler.observation", "reconciler.host.shell"}


def test_plan_of_a_file_in_sync(cib: str, tmp_path: Path) -> None:
    desired = tmp_path / "desired"
    desired.mkdir()
    (desired / "vip.toml").write_text(
        'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "Primitive"\nmetadata.name = "vip"\n'
        'spec.agent = "ocf:heartbeat:IPaddr2"\nspec.params.ip = "192.0.2.1"\n',
        encoding="utf-8",
    )
    brought("apply", "--cib", cib, "--desired", str(desired))
    found = brought("plan", "--cib", cib, "--desired", str(desired))
    assert "reconciler.planner" in found
    assert not found & SELDOM
