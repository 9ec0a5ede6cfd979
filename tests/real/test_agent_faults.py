"""What breaks under the agent: its commands, its start, its end. It says so, does nothing, and recovers by itself."""

import contextlib
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, until
from tests.real.operator import (
    PATIENCE,
    UNFENCED,
    Agent,
    Cib,
    agents_on,
    condition,
    descendants,
    descriptors,
    dummy,
    in_sync,
    instead,
)

pytestmark = [pytest.mark.lab, pytest.mark.slow]

CIBADMIN = "/usr/sbin/cibadmin"


@pytest.fixture
def agent(lab: Lab) -> Iterator[Agent]:
    """The agent on the DC, with one resource; it gives up on a command after 2 s and looks every 3 s."""
    dc = lab.view().dc
    assert dc
    with agents_on(lab, [dc]) as [agent]:
        agent.want("cluster.toml", UNFENCED)
        agent.want("one.toml", dummy("one"))
        agent.start('command_timeout = "2s"', 'resync = "3s"')
        agent.until_synced()
        yield agent


FAULTS = {
    "missing": ("", "cibadmin is not installed"),
    "hanging": ("#!/bin/sh\nsleep 1000 &\nsleep 1000\n", "cibadmin took longer than 2 s and was killed"),
    "failing": (
        "#!/bin/sh\necho 'cannot connect' >&2\nexit 102\n",
        "cibadmin failed with exit code 102: cannot connect",
    ),
    "printing rubbish": ("#!/bin/sh\necho '<cib'; exit 0\n", "not well-formed XML"),
    "printing something else": ("#!/bin/sh\necho '<pacemaker-result/>'\n", "the document is a <pacemaker-result>"),
    "printing nothing": ("#!/bin/sh\n", "not well-formed XML"),
    "printing binary": ("#!/bin/sh\nhead -c 100000 /dev/urandom\n", "not well-formed XML"),
    "printing without end": ("#!/bin/sh\nexec yes '<cib>'\n", "cibadmin printed more than 64 MB and was killed"),
}


def test_a_cibadmin_that_is(agent: Agent) -> None:
    for fault, (script, said) in FAULTS.items():
        epoch = Cib(agent.node).epoch
        with instead(agent.node, CIBADMIN, script):
            agent.signal(signal.SIGHUP)
            document = agent.until(lambda seen: bool(seen["agent"]["blind"]), f"to be blind: {fault}")
            assert said in document["agent"]["blind"]["cluster"], fault
            for item in document["objects"]:
                for type_ in ("Synced", "Healthy"):
                    assert condition(item, type_)["status"] == "Unknown", fault
                assert said in condition(item, "Synced")["message"], fault
            agent.until_logged(f"cannot see cib: .*{said}")
            status = agent.run("status")
            assert status.returncode == 2
            assert said in status.stdout
            agent.want("one.toml", dummy("one", fake=fault.replace(" ", "-")))
        agent.until(in_sync, f"to see again: {fault}")
        assert Cib(agent.node).value("one", "fake") == fault.replace(" ", "-")
        assert Cib(agent.node).epoch == epoch + 1
    until(lambda: not descendants(agent.pid), "the last command to end", 5, 0.01)
    assert "sleep 1000" not in agent.node.run(["ps", "-e", "-o", "args"], check=True).stdout


PATCHES = """#!/bin/sh
case "$*" in
*--patch*) {patch} ;;
*) exec /run/home/real "$@" ;;
esac
"""


def test_a_patch_that_fails_is_tried_again_ever_later_and_at_once_with_a_new_revision(agent: Agent) -> None:
    agent.node.run(["cp", CIBADMIN, "/run/home/real"], check=True)
    refuse = PATCHES.format(patch="cat >/dev/null; echo 'the cluster is not in the mood' >&2; exit 1")
    with instead(agent.node, CIBADMIN, refuse):
        agent.want("one.toml", dummy("one", fake="1"))
        until(
            lambda: agent.log().count("error: not applied: cibadmin failed with exit code 1") >= 3, "3 tries", 40, 0.02
        )
        document = agent.document()
        assert document["agent"]["held"]["cluster"]["reason"] == "BackingOff"
        assert "not in the mood" in document["agent"]["held"]["cluster"]["message"]
        one = next(item for item in document["objects"] if item["name"] == "one")
        assert (condition(one, "Synced")["status"], condition(one, "Synced")["reason"]) == ("False", "Failed")
        assert "not in the mood" in agent.run("get", "Primitive", "one").stdout
        assert "updated Primitive/one" not in agent.log()
        tries = agent.log().count("not applied")
        agent.want("one.toml", dummy("one", fake="2"))
        began = time.monotonic()
        until(lambda: agent.log().count("not applied") > tries, "the new revision to be tried", 3, 0.02)
        assert time.monotonic() - began < 1.5
    agent.until(in_sync, "it to be applied")
    assert Cib(agent.node).value("one", "fake") == "2"
    # A patch of which cibadmin says that it went well, and that changed nothing.
    with instead(agent.node, CIBADMIN, PATCHES.format(patch="cat >/dev/null")):
        agent.want("one.toml", dummy("one", fake="3"))
        agent.until(lambda seen: "cluster" in seen["agent"]["held"], "the back-off")
        assert "nothing has changed" in agent.document()["agent"]["held"]["cluster"]["message"]
        agent.until_logged("error: not applied: .*nothing has changed")
    agent.until(in_sync, "it to be applied")


LATE = "cat >/run/home/patch; setsid sh -c 'sleep 2.5; /run/home/real --patch --xml-pipe </run/home/patch' & sleep 1000"


def test_a_patch_that_takes_effect_after_its_command_was_killed_counts(agent: Agent) -> None:
    agent.node.run(["cp", CIBADMIN, "/run/home/real"], check=True)
    epoch = Cib(agent.node).epoch
    with instead(agent.node, CIBADMIN, PATCHES.format(patch=LATE)):
        agent.want("one.toml", dummy("one", fake="late"))
        agent.until_logged("not applied: cibadmin took longer than 2 s and was killed")
        agent.until_logged("updated Primitive/one")
    agent.until_logged("has settled as forecast")
    agent.until(in_sync, "it to be in sync")
    assert (Cib(agent.node).value("one", "fake"), Cib(agent.node).epoch) == ("late", epoch + 1)
    assert "out of band" not in agent.log(), "it is the agent's own doing"


REAL_OR_NOT = """#!/bin/sh
[ -e /run/home/bad ] && exit 1
exec /run/home/real "$@"
"""


PASSES = 80
KILOBYTES = 25
"""That a pass may leave behind: an agent that makes one every 30 s would need a day for as much as it has at first."""


def test_many_passes_leave_nothing_behind(agent: Agent) -> None:
    agent.node.run(["cp", CIBADMIN, "/run/home/real"], check=True)
    bad = agent.node.path("/run/home/bad")
    with instead(agent.node, CIBADMIN, REAL_OR_NOT):
        for number in range(-20, PASSES):
            if number == 0:
                before = descriptors(agent.pid), resident(agent.pid)
            if number % 10 == 3:
                bad.touch()
            else:
                bad.unlink(missing_ok=True)
            another_pass(agent)
        until(lambda: not descendants(agent.pid), "the last command to end", 5, 0.01)
        after = descriptors(agent.pid), resident(agent.pid)
    print(f"\n{PASSES} passes: descriptors {before[0]} -> {after[0]}, resident {before[1]:.1f} -> {after[1]:.1f} MB")
    assert after[0] <= before[0]
    assert after[1] < before[1] + PASSES * KILOBYTES / 1000


def another_pass(agent: Agent) -> None:
    last = agent.document()["agent"]["lastPass"]
    agent.signal(signal.SIGHUP)
    until(lambda: agent.document()["agent"]["lastPass"] != last, "the next pass", PATIENCE, 0.005)


def resident(pid: int) -> float:
    """Memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def hangs(pid: int) -> bool:
    """Tell whether the sleep of the false cibadmin is among the descendants; a pass with the real one may end first."""
    for child in descendants(pid):
        with contextlib.suppress(OSError):
            if b"1000" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return True
    return False


def test_sigterm_ends_it_soon_whatever_it_is_doing(agent: Agent) -> None:
    assert agent.stop() < 2
    agent.start()
    with instead(agent.node, CIBADMIN, "#!/bin/sh\nsleep 1000 &\nsleep 1000\n"):
        agent.signal(signal.SIGHUP)
        until(lambda: hangs(agent.pid), "the hanging cibadmin", PATIENCE, 0.01)
        before = agent.document()
        children = descendants(agent.pid)
        seconds = agent.stop()
        print(f"\nstopped within {seconds:.2f} s while a command was hanging")
        assert seconds < 2
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
        assert agent.document() == before, "what was cut short is no news"
    assert "error" not in agent.log()
    assert agent.log().splitlines()[-1].endswith("info: stopped")
    assert agent.run("status").returncode == 1
    assert "no agent runs on this node" in agent.run("status").stderr


def test_a_second_agent_on_a_node_is_refused(agent: Agent) -> None:
    before = agent.node.path("/run/reconciler/agent.lock").read_text()
    agent.node.path("/run/home/other.toml").write_text('http.listen = ""\n')
    for words in (("--config", "/run/home/other.toml", "run"), ("run",)):
        refused = agent.run(*words)
        assert refused.returncode == 1
        assert "another agent holds /run/reconciler/agent.lock" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert agent.node.path("/run/reconciler/agent.lock").read_text() == before
    assert agent.runs
    another_pass(agent)


def test_where_it_cannot_write_it_says_so_and_goes_on(agent: Agent) -> None:
    state = "/var/lib/reconciler"
    agent.node.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", state], check=True)
    try:
        agent.want("one.toml", dummy("one", fake="1"))
        agent.until_logged("error: /var/lib/reconciler/status.json: cannot be written: Read-only file system")
        document = agent.until(lambda seen: bool(seen["desired"]["problem"]), "the problem")
        assert "last-good.json: cannot be written: Read-only file system" in document["desired"]["problem"]
        until(lambda: Cib(agent.node).value("one", "fake") == "1", "the change", 10, 0.05)
    finally:
        agent.node.run(["umount", state], check=True)
    agent.until(in_sync, "the problem to be gone")
