"""The stage: a lab with an agent on both nodes, git beside it, and a client who watches the page."""

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from tests.demo.gitops import Repository
from tests.demo.metrics import Scrapes, parse
from tests.lab import Lab, Node, Process, until

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "crds" / "examples" / "web"
PAGE = "http://192.168.1.60/"
DESIRED = "/etc/reconciler/desired.d"
SETTINGS = "/etc/reconciler/reconciler.toml"
GUARDS = "guards.disruption_budget = 0\n"
PROGRAM = (sys.executable, "-m", "reconciler")
LOG = "reconciler.log"
_STATUS = "/run/reconciler/status.json"
_METRICS = "http://127.0.0.1:9977/metrics"
_LOOK = 0.03


class Stage:
    """What the scenes act on and look at.

    Attributes:
        lab: The cluster.
        repository: The manifests in git.
        watch: The client who asks for the page 20 times a second.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.repository = Repository(lab.directory, MANIFESTS)
        for node in lab.nodes.values():
            self.repository.clone_to(node, DESIRED)
            node.path(SETTINGS).write_text("# The service is interrupted only with an approval.\n" + GUARDS, "utf-8")
        self.watch = lab.client.watch(PAGE)
        self._agents: dict[str, Process] = {}

    def node(self, name: str) -> Node:
        """A node by name."""
        return self.lab.nodes[name]

    def start_agent(self, node: str) -> None:
        """Start the agent of a node, as systemd does on every boot."""
        self._agents[node] = self.node(node).start([*PROGRAM, "run"], log=LOG, cwd=str(ROOT))

    def agent_troubles(self) -> list[str]:
        """The agents that have ended though their node is on, and those that logged a traceback."""
        found = []
        for name, agent in self._agents.items():
            if self.node(name).is_on and agent.returncode is not None:
                found.append(f"the agent on {name} has ended with status {agent.returncode}")
            if "Traceback" in agent.log.read_text(encoding="utf-8", errors="replace"):
                found.append(f"the agent on {name} has logged a traceback")
        return found

    def agent_logs(self) -> list[str]:
        """What the agents have logged so far."""
        return [
            f"{name}: {line}"
            for name, agent in self._agents.items()
            for line in agent.log.read_text(encoding="utf-8", errors="replace").splitlines()
        ]

    def reconciler(self, node: str, *argv: str) -> str:
        """What a verb of the command line prints on a node."""
        done = self.node(node).run([*PROGRAM, *argv], cwd=str(ROOT))
        return done.stdout + done.stderr

    def status(self, node: str) -> Any:
        """What the agent of a node last said about itself (`reconciler status --format json`), None before that."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self.node(node).path(_STATUS).read_text(encoding="utf-8"))
        return None

    def rejected(self, node: str) -> list[str]:
        """The faults in manifests that the agent of a node names."""
        status = self.status(node)
        return status["desired"]["rejected"] if status else []

    def held(self) -> tuple[str, list[str]]:
        """The digest of the plan that waits for an approval, and what is said of it; empty if there is none."""
        for node in self.lab.nodes:
            plan = (self.status(node) or {}).get("plan", {})
            held = [f"{hold['reason']}: {hold['message']}" for hold in plan.get("holds", ()) if hold["kind"] is None]
            if plan.get("digest") and held:
                return plan["digest"], [*held, *plan["forecast"]["lines"]]
        return "", []

    def approve(self, node: str) -> float:
        """Approve the plan that waits. Gives the moment before (monotonic clock)."""
        digest, _ = self.held()
        moment = time.monotonic()
        self.reconciler(node, "approve", digest)
        return moment

    def scrape(self) -> Scrapes:
        """The metrics of all agents that answer."""
        found = {}
        for name, node in self.lab.nodes.items():
            if node.is_on:
                done = node.run(["curl", "-sf", "-m", "2", _METRICS])
                if done.returncode == 0:
                    found[name] = parse(done.stdout)
        return found

    def cib(self) -> ET.Element:
        """The CIB as the first node that is on has it."""
        node = next(node for node in self.lab.nodes.values() if node.is_on)
        return ET.fromstring(node.run(["cibadmin", "--query"], check=True).stdout)

    def has(self, id_: str) -> bool:
        """Whether the CIB's configuration has an element of this id."""
        return self.cib().find(f"configuration//*[@id='{id_}']") is not None

    def param(self, primitive: str, name: str) -> str:
        """A parameter of a primitive in the live CIB; empty if it is not there."""
        pair = self.cib().find(f".//primitive[@id='{primitive}']/instance_attributes/nvpair[@name='{name}']")
        return "" if pair is None else pair.get("value", "")

    def monitor_interval(self, primitive: str) -> str:
        """How often Pacemaker is to look after a resource."""
        operation = self.cib().find(f".//primitive[@id='{primitive}']/operations/op[@name='monitor']")
        return operation.get("interval", "") if operation is not None else ""

    def is_served_by(self, node: str) -> bool:
        """Whether address and web server run on this node, on no other, and the client's last page came from it."""
        samples = self.watch.samples()
        if not samples or samples[-1].answer != node:
            return False
        resources = self.lab.view().resources
        return all(resources.get(name) == frozenset([node]) for name in ("vip", "httpd"))

    def delete_by_hand(self, id_: str) -> float:
        """Delete an object with crm, and wait until the CIB has changed; gives the moment (monotonic clock)."""
        epoch = _epoch(self.cib())
        crm = self.node("vm-node1").start(["crm", "configure", "delete", id_], log="crm.log")
        until(lambda: _epoch(self.cib()) != epoch, f"crm to delete {id_}", timeout=20, every=_LOOK)
        moment = time.monotonic()
        crm.wait()
        return moment

    def commit(self, file: str, old: str, new: str, message: str) -> float:
        """Change one file in git; the nodes pull at once. Gives the moment before the commit (monotonic clock)."""
        moment = time.monotonic()
        self.repository.change(file, old, new, message)
        self._pull()
        return moment

    def revert(self) -> float:
        """Take the last commit back; the nodes pull at once. Gives the moment before (monotonic clock)."""
        moment = time.monotonic()
        self.repository.revert()
        self._pull()
        return moment

    def _pull(self) -> None:
        for node in self.lab.nodes.values():
            self.repository.pull_on(node, DESIRED)


def _epoch(cib: ET.Element) -> str | None:
    return cib.get("epoch")
