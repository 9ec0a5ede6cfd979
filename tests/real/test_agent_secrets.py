"""A secret goes from a root's file into the cluster, and nobody else ever sees it: every place is searched for it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from reconciler.host.simulator import SCRATCH
from tests.lab import Lab, Node, until
from tests.real.operator import (
    DESIRED,
    UNFENCED,
    Agent,
    Cib,
    agents_on,
    condition,
    descendants,
    dummy,
    find,
    in_sync,
    instead,
)

pytestmark = [pytest.mark.lab, pytest.mark.slow]

CANARY = "Canary7Zq"
SECRET = "/etc/reconciler/secrets/one"
CIBADMIN = "/usr/sbin/cibadmin"
HIDING = f"""
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "List"

[[items]]
kind = "Primitive"
metadata.name = "one"
spec.agent = "ocf:pacemaker:Dummy"
spec.params.fake = {{ file = "{SECRET}" }}
spec.operations = [{{ name = "monitor", interval = "60s", params = {{ word = {{ file = "{SECRET}" }} }} }}]

[[items]]
kind = "Alert"
metadata.name = "page"
spec.path = "/bin/true"
spec.recipients = [{{ value = "a@example.org", params = {{ account = {{ file = "{SECRET}" }} }} }}]
"""
PLACES = ("/var/lib/reconciler", "/run/reconciler", DESIRED)
"""What is the agent's. Pacemaker's directories hold the CIB, its log every change, corosync's buffers the messages."""

PAGES = ("", "metrics", "healthz", "readyz")
FAILING = """#!/bin/sh
case "$*" in
*--patch*) cat >&2; exit 1 ;;
*) exec /run/home/real "$@" ;;
esac
"""


def hide(node: Node, value: str, mode: int = 0o600) -> None:
    """Put a secret into its file on a node, in one step."""
    file = node.path(SECRET)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = file.with_name(".new")
    fresh.write_text(f"{value}\n", encoding="utf-8")
    fresh.chmod(mode)
    fresh.rename(file)


def value(node: Node, name: str = "fake") -> str | None:
    return Cib(node).value("one", name)


class Search:
    """Looks for the canary in the arguments and the environment of every process of the machine, all the time."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._search)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _search(self) -> None:
        while not self._over.wait(0.01):
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    self._look(process)

    def _look(self, process: Path) -> None:
        for name in ("cmdline", "environ"):
            try:
                said = (process / name).read_bytes().decode(errors="replace")
            except OSError:
                continue
            # Pacemaker gives an agent its parameters in the environment: that is what they are for.
            if CANARY in said and (name == "cmdline" or "PCMK_service=pacemaker-execd" not in said):
                self.found.add(f"{process.name} {name}: {said[:200]}")
            if name == "cmdline":
                self.seen.add(said.partition("\0")[0].rpartition("/")[2])


@contextmanager
def nothing_said_on_the_way() -> Iterator[Search]:
    with Search() as search:
        yield search
    assert not search.found


def nobody_knows(agent: Agent, *said: str) -> None:
    """Search everything that an agent has written, shows, or says when asked; and what else was said."""
    node = agent.node
    # The word to be found must not be among the arguments of who looks for it: those are searched too.
    node.path("/run/home/canary").write_text(f"{CANARY}\n", encoding="utf-8")
    assert node.run(["sh", "-c", f"grep -rlasf /run/home/canary {' '.join(PLACES)} /tmp/{SCRATCH}*"]).stdout == ""
    words = [("status",), ("status", "--format", "json"), ("get",), ("get", "--format", "json")]
    words += [("describe", kind, name) for kind, name in (("Primitive", "one"), ("Alert", "page"))]
    told = [*said, agent.log(), *(output(agent, *verb) for verb in words)] if agent.runs else list(said)
    if agent.runs:
        told += [node.run(["curl", "-s", f"http://127.0.0.1:9977/{page}"], check=True).stdout for page in PAGES]
        assert all(told)
    assert not [text for text in told if CANARY in text]


def output(agent: Agent, *words: str) -> str:
    done = agent.run(*words)
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def agent(lab: Lab) -> Iterator[Agent]:
    """An agent on the DC, not started yet, with its manifests and the secret."""
    dc = lab.view().dc
    assert dc
    with agents_on(lab, [dc]) as [agent]:
        agent.node.path(DESIRED).joinpath("one.toml").unlink(missing_ok=True)
        agent.want("cluster.toml", UNFENCED)
        agent.want("hiding.toml", HIDING)
        hide(agent.node, f"{CANARY} <1>")
        yield agent
        agent.unwant("hiding.toml")


def plans(agent: Agent) -> list[str]:
    return [output(agent, "plan", "--format", name) for name in ("text", "json", "xml", "crm")]


def test_nobody_but_the_cluster_sees_a_secret(agent: Agent) -> None:
    node = agent.node
    with nothing_said_on_the_way() as search:
        first = plans(agent)
        applied = output(agent, "apply")
        assert value(node) == value(node, "word") == f"{CANARY} <1>"
        assert Cib(node).value("page", "account") == f"{CANARY} <1>"
        hide(node, f"{CANARY} <2>")
        second = plans(agent)
        assert "params.fake: (secret " in second[0]
        nobody_knows(agent, applied, *first, *second)
        agent.start('resync = "1s"')
        until(lambda: value(node) == f"{CANARY} <2>", "the second secret", 10, 0.1, agent.log)
        agent.until_synced()
        began = time.monotonic()
        hide(node, f"{CANARY} <3>")
        until(lambda: value(node) == f"{CANARY} <3>", "the third secret", 10, 0.02, agent.log)
        print(f"\nsecret changed -> in the CIB: {time.monotonic() - began:.2f} s with a resync of 1 s")
        agent.until_synced()
        agent.until_logged(r"updated Primitive/one \(.*fake: \(secret [0-9a-f]{8}\) -> \(secret [0-9a-f]{8}\)")
        nobody_knows(agent)
    assert {"cibadmin", "crm_simulate"} <= search.seen


def test_what_fails_says_no_secret(agent: Agent) -> None:
    node = agent.node
    agent.start('resync = "1s"')
    agent.until_synced()
    node.run(["cp", CIBADMIN, "/run/home/real"], check=True)
    with nothing_said_on_the_way():
        with instead(node, CIBADMIN, FAILING):
            hide(node, f"{CANARY} <4>")
            agent.until_logged("error: not applied: cibadmin failed with exit code 1: <diff")
            nobody_knows(agent, output(agent, "apply"), *plans(agent))
        # Its scheduler, schema and checks complain about what they are given; so does the cluster of a patch too late.
        agent.want("hiding.toml", HIDING.replace('interval = "60s"', 'interval = "60s", role = "Nobody"'))
        agent.until(lambda seen: bool(seen["desired"]["problem"]), "the fault")
        nobody_knows(agent)
        agent.want("hiding.toml", HIDING)
        node.run(["crm_attribute", "-n", "batch-limit", "-v", "7"], check=True)
        agent.until(in_sync, "it to be applied")
    assert value(node) == f"{CANARY} <4>"


@pytest.mark.parametrize("mode", [0o644, None])
def test_a_secret_that_cannot_be_read_changes_nothing_and_the_rest_goes_on(agent: Agent, mode: int | None) -> None:
    node = agent.node
    agent.start('resync = "1s"')
    agent.until_synced()
    before = value(node)
    if mode is None:
        node.path(SECRET).unlink()
    else:
        hide(node, f"{CANARY} <5>", mode)
    agent.want("other.toml", dummy("other"))
    try:
        until(lambda: Cib(node).get("other") is not None, "the other resource", 10, 0.1, agent.log)
        document = agent.until(lambda seen: bool(seen["plan"]["holds"]), "the hold")
        for kind, name in (("Primitive", "one"), ("Alert", "page")):
            entry = condition(find(document, kind, name), "Synced")
            assert (entry["status"], entry["reason"]) == ("False", "SecretUnavailable")
            assert f"file {SECRET}" in entry["message"]
        assert value(node) == before
        assert "SecretUnavailable" in output(agent, "status")
        nobody_knows(agent)
    finally:
        agent.unwant("other.toml")
    hide(node, f"{CANARY} <6>")
    until(lambda: value(node) == f"{CANARY} <6>", "the secret that can be read again", 10, 0.1, agent.log)
    agent.until_synced()


def test_what_is_taken_out_of_the_manifests_goes_in_silence(agent: Agent) -> None:
    agent.start('resync = "1s"')
    agent.until_synced()
    agent.stop()
    shown = HIDING.replace(f'spec.params.fake = {{ file = "{SECRET}" }}', "")
    agent.want("hiding.toml", shown)
    planned = plans(agent)
    assert "params.fake: (secret " in planned[0]
    assert "-> (absent)" in planned[0]
    agent.want("hiding.toml", shown.partition('[[items]]\nkind = "Alert"')[0])
    nobody_knows(agent, *planned, *plans(agent))
    agent.start('resync = "1s"')
    until(lambda: Cib(agent.node).get("page") is None, "the alert to be deleted", 10, 0.1, agent.log)
    agent.until_synced()
    nobody_knows(agent)
    agent.want("hiding.toml", HIDING)
    assert not descendants(agent.pid) or agent.runs
