"""The agent as the service that packaging/ says, under a real systemd: what its sandbox allows, and how it lives."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.programs import absent

pytestmark = [pytest.mark.lab, pytest.mark.slow]

BOOT = Path(__file__).with_name("service_boot.sh")
CGROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")


class Story:
    """What the story told: texts and exit codes by name."""

    def __init__(self, told: Path) -> None:
        self._told = told

    def text(self, name: str) -> str:
        return (self._told / name).read_text(encoding="utf-8")

    def code(self, name: str) -> int:
        return int(self.text(f"{name}.code"))

    def state(self, name: str) -> Mapping[str, str]:
        return dict(line.split("=", 1) for line in self.text(name).splitlines())


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    if not shutil.which("systemd-nspawn"):
        absent("the service is NOT tried under systemd: needs systemd-nspawn, of the package systemd-container")
    share = tmp_path_factory.mktemp("reconciler-service")
    (share / "told").mkdir()
    groups = [Path(top, f"reconciler-service-{os.getpid()}") for top in CGROUPS if Path(top, "cgroup.procs").exists()]
    enter = "".join(f"mkdir {group} && echo $$ >{group}/cgroup.procs\n" for group in groups)
    boot = [str(BOOT), str(share), os.path.realpath(sys.executable), sysconfig.get_path("purelib")]
    try:
        ended = subprocess.run(
            # Everything ends with its parent, this process included.
            [
                "sh",
                "-ec",
                f'{enter}exec setpriv --pdeathsig KILL unshare --mount --mount-proc --pid --fork --kill-child "$@"',
                "sh",
                *boot,
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    finally:
        for group in groups:
            _remove(group)
    if not (share / "told" / "log.code").exists():
        absent(f"the service is NOT tried: no systemd boots here: {ended.stdout[-500:]}{ended.stderr[-500:]}")
    return Story(share / "told")


def _remove(group: Path) -> None:
    for directory, _, _ in os.walk(group, topdown=False):
        with suppress(OSError):
            Path(directory).rmdir()


def test_it_reconciles_the_cluster_and_the_network(story: Story) -> None:
    assert story.code("in-cluster") == 0, story.text("log")
    (link,) = json.loads(story.text("link"))
    assert link["mtu"] == 1400
    assert "192.168.1.61" in [address["local"] for address in link["addr_info"]]
    assert json.loads(story.text("route"))[0]["gateway"] == "192.168.1.1"
    assert story.code("reload") == 0


NEEDED = 13


def test_its_sandbox_allows_what_it_needs(story: Story) -> None:
    assert len(story.text("can").splitlines()) == NEEDED, story.text("can") + story.text("cannot")


@pytest.mark.parametrize(
    "deed",
    [
        "touch /etc/reconciler/desired.d/probe.toml",
        "touch /etc/probe",
        "touch /usr/probe",
        "touch /var/lib/pacemaker/cib/probe",
        "ip_forward",
        "unshare --net",
        "mount -t tmpfs",
        "chrt --rr 2",
        "chown nobody",
    ],
)
def test_its_sandbox_refuses_the_rest(story: Story, deed: str) -> None:
    assert deed in story.text("cannot")


def test_only_root_may_ask_it_for_it_shows_the_configuration(story: Story) -> None:
    assert "Permission denied" in story.text("as-nobody"), story.text("as-nobody")
    assert "Primitive" in story.text("get"), story.text("get")


def test_it_lives_and_starts_without_the_cluster_and_does_not_start_it(story: Story) -> None:
    assert story.state("without-cluster")["ActiveState"] == "active"
    assert story.code("restart-without-cluster") == 0
    assert story.state("corosync-after-restart")["ActiveState"] == "inactive"


def test_it_feeds_its_watchdog(story: Story) -> None:
    assert story.state("fed") == {"ActiveState": "active", "SubState": "running", "NRestarts": "0"}


def test_it_comes_back_when_killed_and_stays_away_when_stopped(story: Story) -> None:
    assert story.state("killed") == {"ActiveState": "active", "SubState": "running", "NRestarts": "1"}
    assert story.code("stop") == 0
    assert story.state("stopped")["ActiveState"] == "inactive"
