"""A lab: a switch, a client and nodes that form a real Corosync and Pacemaker cluster."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab import registry
from tests.lab.client import Client
from tests.lab.layout import Layout, boot_commands, booted_network, corosync_conf, first_cib, hosts, unfenced
from tests.lab.namespaces import Namespaces
from tests.lab.node import Node, PoweredOffError
from tests.lab.switch import Switch
from tests.lab.view import UNSEEN, View, parse
from tests.lab.waiting import until

_ROOT = Path(__file__).parents[2]
_CRM_MON = ("crm_mon", "--output-as=xml", "--inactive", "-1")


class Lab:
    """A running lab. `Lab.up` makes one, `Lab.attach` finds one that another process made.

    A context manager that takes the lab down.

    Attributes:
        name: Its name; two labs of different names do not disturb each other.
        directory: Its directory, with the logs of all nodes.
        layout: Names and addresses.
        switch: Cables and the gateway.
        client: A machine beside the cluster.
        nodes: The nodes by name.
    """

    def __init__(self, name: str, supervising: "subprocess.Popen[bytes] | None" = None) -> None:
        self.name = name
        self.directory = registry.directory(name)
        self.layout = Layout.from_record(json.loads((self.directory / "layout.json").read_text(encoding="utf-8")))
        self._supervisor = supervising
        lab, client = (registry.recorded_process(self.directory / f"{who}.pid") for who in ("lab", "client"))
        if lab is None or client is None:
            raise PoweredOffError(f"the lab {name} is down")
        self.switch = Switch(self.layout, self.directory, Namespaces(lab, ("-n",)))
        self.client = Client(client, self.directory)
        self.nodes = {node: Node(node, self.directory, self.switch) for node in self.layout.nodes}

    @classmethod
    def up(cls, layout: Layout | None = None, *, name: str | None = None, owned: bool = True) -> Self:
        """Switch a lab on and wait until its nodes form a cluster with a DC and an empty configuration.

        Args:
            layout: Names and addresses; the reference case if None.
            name: The lab's name; made up if None.
            owned: Whether the lab ends when this process does, in whatever way.

        Raises:
            FileExistsError: There is a lab of this name.
            TooLateError: The cluster did not come up.
        """
        layout = layout or Layout.reference()
        name = name or secrets.token_hex(4)
        directory, lock = registry.create(name)
        try:
            _furnish(directory, layout)
        except BaseException:
            os.close(lock)
            registry.reap()
            raise
        process = _supervise(directory, lock, os.getpid() if owned else 0)
        lab = None
        try:
            awaited = [directory / "lab.pid", directory / "client.pid"]
            until(lambda: all(map(registry.recorded_process, awaited)), f"the lab in {directory}", 10, 0.01)
            lab = cls(name, process)
            lab.switch.build(lab.client.namespaces)
            lab.boot_first()
        except BaseException as error:
            error.add_note(_report(directory))
            process.send_signal(signal.SIGTERM)
            process.wait(20)
            if lab:
                lab._bury()
            registry.reap()
            raise
        return lab

    @classmethod
    def attach(cls, name: str) -> Self:
        """Get hold of a lab that is up.

        Raises:
            PoweredOffError: There is no such lab.
        """
        if name not in registry.living():
            raise PoweredOffError(f"no lab is called {name}; up: {', '.join(registry.living()) or 'none'}")
        return cls(name)

    def down(self) -> None:
        """End everything and leave nothing behind."""
        if process := registry.recorded_process(self.directory / "supervisor.pid"):
            os.kill(process, signal.SIGTERM)
        until(lambda: not self.directory.exists(), f"the lab {self.name} to go down", 20, 0.02)
        self._bury()
        if self._supervisor:
            self._supervisor.wait(10)

    def _bury(self) -> None:
        for node in self.nodes.values():
            node.bury()
        self.client.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def boot_first(self) -> None:
        """Boot all nodes from empty disks, and keep their empty configuration in mind for `erase`."""
        for node in self.nodes.values():
            node.power_on()
        self.wait_ready()
        some = self._some_node()
        some.run(["crm_attribute", "-t", "crm_config", "-n", "dc-deadtime", "-D"], check=True)
        empty = some.run(["cibadmin", "--query", "--scope", "configuration"], check=True).stdout
        self._empty.write_text(empty, encoding="utf-8")

    def view(self, node: str | None = None) -> View:
        """The cluster as this node sees it, or the first that sees one; `UNSEEN` if none does."""
        for candidate in self.nodes.values() if node is None else [self.nodes[node]]:
            if candidate.is_on and (done := candidate.run(_CRM_MON)).returncode == 0:
                return parse(done.stdout)
        return UNSEEN

    def until(self, condition: Callable[[View], bool], what: str, timeout: float = 30) -> View:
        """Wait until the cluster looks like this; gives the view that does.

        Raises:
            TooLateError: It did not in time; the message has the last view.
        """
        last = UNSEEN

        def look() -> bool:
            nonlocal last
            last = self.view()
            return condition(last)

        until(look, what, timeout, seen=lambda: last)
        return last

    def wait_ready(self, timeout: float = 60) -> None:
        """Wait until all nodes that are on see each other in one quorate partition whose DC has nothing to do."""
        powered = {name for name, node in self.nodes.items() if node.is_on}
        seen: dict[str, View] = {}

        def all_agree() -> bool:
            # Everybody is asked: for a while the others do not know that one has just lost its power.
            seen.update({name: self.view(name) for name in powered})
            dcs = {view.dc for view in seen.values()}
            whole = all(view.quorate and view.online == powered for view in seen.values())
            return whole and len(dcs) == 1 and self._is_idle(dcs.pop())

        until(all_agree, f"a quorate cluster of {', '.join(sorted(powered))}", timeout, seen=lambda: seen)

    def wait_resource(self, resource: str, *nodes: str, timeout: float = 60) -> View:
        """Wait until a resource (or an instance of a clone of it) runs on exactly these nodes; none: nowhere."""
        return self.until(
            lambda view: view.resources.get(resource, frozenset()) == frozenset(nodes),
            f"{resource} on {' and '.join(nodes) or 'no node'}",
            timeout,
        )

    def erase(self, timeout: float = 60) -> None:
        """Stop and delete all resources and put the empty configuration of the first boot back.

        Failures, resource history and node attributes go too; epochs go on counting.
        """
        some = self._some_node()
        empty = self._empty.read_text(encoding="utf-8")
        replace = ["cibadmin", "--replace", "--scope", "configuration", "--xml-pipe"]
        if self.view().resources:
            # With fencing on and no device for it, as in an empty configuration, Pacemaker would not stop anything.
            some.run(replace, input=unfenced(empty), check=True)
            self.until(lambda view: not view.resources and self._is_idle(view.dc), "all resources to be gone", timeout)
        some.run(replace, input=empty, check=True)
        self.wait_ready(timeout)

    def reset(self, timeout: float = 60) -> None:
        """Make the lab as good as new, between two tests.

        The hardware is whole, what `Node.start` started has ended, the cluster is `erase`d, the reconciler's own
        directories are empty, and the network of every node is as it boots (it is power cycled if need be). Other
        files that somebody wrote on the nodes stay.
        """
        self.client.stop()
        self.switch.gateway_on()
        for node in self.nodes.values():
            for ring in range(len(self.layout.rings)):
                node.plug(ring)
            node.mend_apache()
            node.power_on()
            node.stop_started()
            node.forget_reconciler()
        self.wait_ready(timeout)
        self.erase(timeout)
        for name, node in self.nodes.items():
            if node.network() != booted_network(self.layout, name):
                node.power_off()
                node.power_on()
                self.wait_ready(timeout)

    def reinstall(self) -> None:
        """Make the lab new: all nodes boot from empty disks, with a new cluster."""
        self.client.stop()
        self.switch.gateway_on()
        for node in self.nodes.values():
            node.power_off()
            for ring in range(len(self.layout.rings)):
                node.plug(ring)
            node.mend_apache()
            node.wipe()
        self.boot_first()

    def report(self, lines: int = 30) -> str:
        """The ends of all logs of all nodes, for whoever looks into a failure."""
        return _report(self.directory, lines)

    @property
    def _empty(self) -> Path:
        return self.directory / "empty.xml"

    def _some_node(self) -> Node:
        for node in self.nodes.values():
            if node.is_on:
                return node
        raise PoweredOffError(f"all nodes of {self.name} are off")

    def _is_idle(self, dc: str | None) -> bool:
        return dc is not None and "S_IDLE" in self.nodes[dc].run(["crmadmin", "--status", dc]).stdout


def _furnish(directory: Path, layout: Layout) -> None:
    """Write everything that the lab and the first boots of its nodes need."""
    (directory / "disks").mkdir()
    for node in layout.nodes:
        (directory / "nodes" / node / "log").mkdir(parents=True)
        (directory / "nodes" / node / "boot.batch").write_text(boot_commands(layout, node), encoding="ascii")
    empty = subprocess.run(["cibadmin", "--empty"], check=True, capture_output=True, text=True).stdout
    (directory / "cib.xml").write_text(first_cib(empty), encoding="utf-8")
    (directory / "layout.json").write_text(json.dumps(layout.record()), encoding="utf-8")
    (directory / "corosync.conf").write_text(corosync_conf(layout), encoding="ascii")
    (directory / "hosts").write_text(hosts(layout), encoding="ascii")
    (directory / "authkey").write_bytes(os.urandom(256))


def _report(directory: Path, lines: int = 30) -> str:
    logs = [*directory.glob("*.log"), *directory.glob("nodes/*/boot.log"), *directory.glob("nodes/*/log/**/*")]
    texts = {log: log.read_text(encoding="utf-8", errors="replace") for log in sorted(logs) if log.is_file()}
    return "\n".join(
        "\n".join([f"--- the last {lines} lines of {log}", *text.splitlines()[-lines:]])
        for log, text in texts.items()
        if text
    )


def _supervise(directory: Path, lock: int, owner: int) -> "subprocess.Popen[bytes]":
    """Start the supervisor in a session of its own and hand the lock over to it."""
    with (directory / "supervisor.log").open("ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.supervisor", str(directory), str(owner)],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
        )
    os.close(lock)
    return supervisor
