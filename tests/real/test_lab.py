"""The lab keeps its promises: a real cluster, real faults, the reference case, nothing left behind."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab import registry
from tests.lab.cluster import Lab
from tests.lab.layout import Layout, Ring
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
PAGE = "http://192.168.1.60/"
# Monitors every 2 s, one ping and a short dampening, so that the faults below are noticed fast.
REFERENCE_CASE = """
property stonith-enabled=false no-quorum-policy=ignore
primitive vip ocf:heartbeat:IPaddr2 params ip=192.168.1.60 cidr_netmask=24 nic=bond1 op monitor interval=10s
primitive httpd ocf:heartbeat:apache \\
    params configfile=/etc/apache2/apache2.conf statusurl=http://localhost/server-status \\
    op start timeout=60s op stop timeout=60s op monitor interval=2s timeout=20s
primitive ping-gateway ocf:pacemaker:ping \\
    params host_list=192.168.1.1 multiplier=1000 attempts=1 timeout=1s dampen=1s op monitor interval=2s
clone cloned-ping-gateway ping-gateway
colocation httpd-with-vip inf: httpd vip
location preferred-node vip 100: vm-node1
location vip-needs-gateway vip rule -inf: not_defined pingd or pingd lte 0
"""


def links(lab: Lab, node: str) -> list[str]:
    """What corosync-cfgtool says about the other node, by ring."""
    text = lab.nodes[node].run(["corosync-cfgtool", "-s"], check=True).stdout
    return re.findall(r"nodeid:\s+\d+:\s+(connected|disconnected)", text)


def test_a_new_cluster_is_whole_and_empty(lab: Lab) -> None:
    view = lab.view("vm-node2")
    assert view.online == {"vm-node1", "vm-node2"}
    assert view.quorate
    assert not view.resources
    until(lambda: links(lab, "vm-node1") == ["connected", "connected"], "both rings", 10)
    cib = lab.nodes["vm-node1"].run(["cibadmin", "--query"], check=True).stdout
    assert "<resources/>" in cib
    assert "dc-deadtime" not in cib


def test_a_pulled_cable_is_a_lost_ring(lab: Lab) -> None:
    node = lab.nodes["vm-node1"]
    node.pull(0)
    until(lambda: links(lab, "vm-node2") == ["disconnected", "connected"], "ring 0 to fail", 15)
    assert "NO-CARRIER" in node.run(["ip", "link", "show", "bond0"]).stdout
    assert lab.view().online == {"vm-node1", "vm-node2"}
    node.plug("bond0")
    until(lambda: links(lab, "vm-node2") == ["connected", "connected"], "ring 0 to come back", 15)


def test_a_power_cut_ends_everything_but_the_disk(lab: Lab) -> None:
    node = lab.nodes["vm-node2"]
    sleeper = node.start(["sleep", "1000"])
    node.run(["sh", "-c", "echo kept >/var/lib/reconciler/kept; echo lost >/run/lost"], check=True)
    node.power_off()
    assert not node.is_on
    assert sleeper.returncode == -signal.SIGKILL
    lab.until(lambda view: view.online == {"vm-node1"}, "vm-node2 to be missed", 20)
    assert any(log.name == "pacemaker.log" for log in node.logs())
    node.power_on()
    lab.wait_ready()
    assert node.run(["cat", "/var/lib/reconciler/kept"]).stdout == "kept\n"
    assert node.run(["cat", "/run/lost"]).returncode == 1
    node.run(["rm", "/var/lib/reconciler/kept"], check=True)
    assert not Path("/var/lib/reconciler/kept").exists()


def test_programs_on_a_node_are_its_own(lab: Lab) -> None:
    node = lab.nodes["vm-node1"]
    assert node.run(["hostname"]).stdout == "vm-node1\n"
    assert node.run(["cat"], input="through").stdout == "through"
    with pytest.raises(subprocess.TimeoutExpired):
        node.run(["sh", "-c", "sleep 1000.5 & wait"], timeout=0.3)
    until(lambda: node.run(["pgrep", "-f", "1000[.]5"]).returncode == 1, "the child to be killed too", 2)
    process = node.start(["sh", "-c", "echo hello; exec sleep 1000"], log="own.log")
    until(lambda: "hello" in process.log.read_text(), "its words", 5)
    assert process.log in node.logs()
    process.signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_a_reset_makes_a_used_lab_new(lab: Lab) -> None:
    node = lab.nodes["vm-node1"]
    agent = node.start(["sleep", "1000"])
    node.run(["ip", "address", "add", "192.168.1.77/24", "dev", "bond1"], check=True)
    node.run(["touch", "/var/lib/reconciler/state", "/etc/reconciler/settings"], check=True)
    node.run(["crm_attribute", "-t", "crm_config", "-n", "no-quorum-policy", "-v", "ignore"], check=True)
    lab.nodes["vm-node2"].pull(1)
    lab.reset()
    assert agent.returncode == -signal.SIGKILL
    assert "192.168.1.77" not in node.run(["ip", "address"], check=True).stdout
    assert not list(node.path("/var/lib/reconciler").iterdir())
    assert not list(node.path("/etc/reconciler").iterdir())
    assert "no-quorum-policy" not in node.run(["cibadmin", "--query"], check=True).stdout
    assert lab.switch.is_plugged("vm-node2", "bond1")


def test_pacemaker_can_be_stopped_and_started(lab: Lab) -> None:
    node = lab.nodes["vm-node2"]
    node.stop_cluster()
    assert lab.view("vm-node2").dc is None
    lab.until(lambda view: view.online == {"vm-node1"}, "vm-node2 to leave")
    node.start_cluster()
    lab.wait_ready()


@pytest.fixture(scope="class")
def service(shared_lab: Lab) -> Iterator[Lab]:
    shared_lab.reset()
    shared_lab.nodes["vm-node1"].run(["crm", "configure", "load", "update", "-"], input=REFERENCE_CASE, check=True)
    shared_lab.wait_resource("httpd", "vm-node1")
    yield shared_lab
    shared_lab.reset()
    assert not shared_lab.view().resources


class TestReferenceCase:
    """One service, through all its faults; each test leaves it at home on vm-node1."""

    def test_the_page_answers_through_the_address(self, service: Lab) -> None:
        assert service.client.get(PAGE) == "vm-node1"
        assert service.view().resources["ping-gateway"] == {"vm-node1", "vm-node2"}

    def test_a_lost_gateway_moves_it(self, service: Lab) -> None:
        service.switch.gateway_off("vm-node1")
        assert service.switch.gateway_is_on("vm-node2")
        assert not service.switch.gateway_is_on("vm-node1")
        service.wait_resource("httpd", "vm-node2")
        assert service.client.get(PAGE) == "vm-node2"
        service.switch.gateway_on()
        service.wait_resource("httpd", "vm-node1")

    def test_apache_crashed_for_good_moves_it_and_a_cleanup_brings_it_back(self, service: Lab) -> None:
        node = service.nodes["vm-node1"]
        with service.client.watch(PAGE) as watch:
            watch.settle()
            crashed = time.monotonic()
            node.crash_apache(for_good=True)
            service.wait_resource("httpd", "vm-node2")
            watch.settle()
        samples = watch.samples()
        assert samples[0].answer == "vm-node1"
        assert samples[-1].answer == "vm-node2"
        outage = watch.outages(crashed)[0]
        assert outage.over
        assert 0.1 < outage.duration < 20
        assert abs(outage.start - crashed) < 1
        node.mend_apache()
        node.run(["crm", "resource", "cleanup", "httpd"], check=True)
        service.wait_resource("httpd", "vm-node1")

    def test_a_crashed_apache_is_started_again(self, service: Lab) -> None:
        node = service.nodes["vm-node1"]
        crashed = node.run(["pgrep", "-o", "-x", "apache2"], check=True).stdout
        node.crash_apache()
        until(lambda: service.client.get(PAGE) == "vm-node1", "Apache to be started again", 30)
        assert node.run(["pgrep", "-o", "-x", "apache2"], check=True).stdout != crashed


def namespaces_of(pid: int | str) -> set[str]:
    """The namespaces of a process that are not those of this one; none if it is no more."""
    found = set()
    for kind in ("net", "mnt", "pid", "uts", "ipc"):
        with contextlib.suppress(OSError):
            found.add(str(Path(f"/proc/{pid}/ns/{kind}").readlink()))
            found.discard(str(Path(f"/proc/self/ns/{kind}").readlink()))
    return found


def namespaces_in_use() -> set[str]:
    """The namespaces of all processes of the machine, without those of this one."""
    return set().union(
        *(namespaces_of(pid) for pid in (entry.name for entry in Path("/proc").iterdir()) if pid.isdigit())
    )


def is_alive(pid: int) -> bool:
    """Whether the process is there, and not only its unread exit status."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


OWNER = """
import json, sys, time
from tests.lab.cluster import Lab
from tests.lab.layout import Layout
lab = Lab.up(Layout.from_record(json.loads(sys.argv[1])))
print(lab.name, flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("victim", ["owner", "supervisor"])
def test_a_lab_leaves_nothing_when_it_is_killed_and_others_alone(shared_lab: Lab, victim: str) -> None:
    shared_lab.wait_ready()
    before = shared_lab.view()
    rings = (Ring("eth0", "10.20.13.0/29", 1), Ring("eth1", "192.168.1.0/24", 61))
    layout = replace(Layout.reference(3), nodes=("alpha", "beta", "gamma"), rings=rings, cluster="other")
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, json.dumps(layout.record())], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as owner:
        try:
            assert owner.stdout
            name = owner.stdout.readline().strip()
            lab = Lab.attach(name)
            assert lab.view().online == {"alpha", "beta", "gamma"}
            assert lab.client.run(["ping", "-c1", "-W1", "192.168.1.63"]).returncode == 0
            members = [node.pid for node in lab.nodes.values()]
            members += [p for p in map(registry.recorded_process, lab.directory.glob("*.pid")) if p]
            used = set().union(*map(namespaces_of, members))
            assert len(used) > 5 * len(lab.nodes)
            assert used <= namespaces_in_use()
            supervisor = registry.recorded_process(lab.directory / "supervisor.pid")
            assert supervisor
            os.kill(owner.pid if victim == "owner" else supervisor, signal.SIGKILL)
            until(lambda: not used & namespaces_in_use(), "the namespaces to be gone", 10)
            if victim == "supervisor":
                # A lab that comes up beside this one reaps too.
                until(lambda: name in registry.reap() or not lab.directory.exists(), "it to be reaped", 10)
            until(lambda: not lab.directory.exists(), "the directory to be gone", 10)
        finally:
            owner.kill()
    assert not used & namespaces_in_use()
    assert name not in Path("/proc/self/mountinfo").read_text()
    assert not any(map(is_alive, members))
    assert shared_lab.view() == before


def test_a_person_can_use_it(shared_lab: Lab) -> None:
    def lab(*argv: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "tests.lab", "--lab", shared_lab.name, *argv],
            check=False,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert lab("run", "vm-node2", "sh", "-c", "hostname; exit 7").stdout == "vm-node2\n"
    assert lab("run", "vm-node2", "sh", "-c", "exit 7").returncode == 7
    assert lab("pull", "vm-node2", "bond1").returncode == 0
    assert "bond1 192.168.1.62 (pulled)" in lab("status").stdout
    assert lab("plug", "vm-node2", "1").returncode == 0
    assert lab("gateway", "off").returncode == 0
    assert "gateway 192.168.1.1: off" in lab("status").stdout
    assert lab("gateway", "on").returncode == 0
    assert shared_lab.switch.gateway_is_on()
    refused = lab("power", "vm-node9", "off")
    assert refused.returncode == 1
    assert refused.stderr == "lab: no node is called vm-node9; there are vm-node1, vm-node2\n"


def test_going_down_leaves_nothing() -> None:
    lab = Lab.up(name=f"test{os.getpid()}")
    used = set().union(*(namespaces_of(node.pid) for node in lab.nodes.values()))
    with pytest.raises(FileExistsError, match=f"a lab called {lab.name} is up already"):
        Lab.up(name=lab.name)
    lab.down()
    assert not used & namespaces_in_use()
    assert not lab.directory.exists()
    assert lab.name not in registry.living()
