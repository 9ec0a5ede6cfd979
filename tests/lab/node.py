"""One node: power, programs, files, logs, Apache."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.namespaces import Namespaces, Process
from tests.lab.registry import recorded_process
from tests.lab.switch import Switch
from tests.lab.waiting import until

_INSIDE_LAB = ("-m", "-u", "-i", "-n", "-p")
_NEW_NAMESPACES = ("--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child")
_BOOT = ("unshare", *_NEW_NAMESPACES, "bash", str(Path(__file__).with_name("node.sh")))
_APACHE = "/usr/sbin/apache2"


class PoweredOffError(Exception):
    """Something was asked of a node that is off."""


@dataclass(slots=True, eq=False)
class Node:
    """A node of a lab; the host name of its UTS namespace is its node name.

    Attributes:
        name: The node name.
        directory: The lab's directory.
        switch: The networks it is on.
    """

    name: str
    directory: Path
    switch: Switch
    _boots: list[Process] = field(default_factory=list)
    _started: list[Process] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Its first process, as the outside sees it.

        Raises:
            PoweredOffError: The node is off.
        """
        if pid := recorded_process(self._seed / "pid"):
            return pid
        raise PoweredOffError(f"{self.name} is off")

    @property
    def is_on(self) -> bool:
        """Whether it is on; it may still be booting."""
        return recorded_process(self._seed / "pid") is not None

    @property
    def namespaces(self) -> Namespaces:
        """Where its programs run."""
        return Namespaces(self.pid, _INSIDE_LAB)

    def power_on(self) -> None:
        """Switch it on; comes back when its network cards are there. Corosync and Pacemaker start by themselves."""
        if self.is_on:
            return
        for mark in ("pid", "mounted"):
            (self._seed / mark).unlink(missing_ok=True)
        self.switch.disconnect(self.name)
        lab = recorded_process(self.directory / "lab.pid")
        if lab is None:
            raise PoweredOffError(f"the lab in {self.directory} is down")
        boot = Namespaces(lab, _INSIDE_LAB).start(
            [*_BOOT, str(self.directory), self.name],
            self._seed / "boot.log",
        )
        self._boots.append(boot)
        until(lambda: self.is_on, f"{self.name} to boot (see {self._seed}/boot.log)", timeout=10, every=0.01)
        # Before that its /etc and /var are still the machine's, and `path` leads there.
        mounted = self._seed / "mounted"
        until(mounted.exists, f"{self.name} to mount its disk (see {self._seed}/boot.log)", timeout=10, every=0.01)
        self.switch.connect(self.name, self.pid)

    def power_off(self) -> None:
        """Cut the power: everything on it is gone at once; its disk stays."""
        with contextlib.suppress(PoweredOffError, ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        until(lambda: not self.is_on, f"{self.name} to be off", timeout=10, every=0.01)
        self.switch.disconnect(self.name)
        self.bury()

    def bury(self) -> None:
        """Wait for everything that this process started on the node, which is off."""
        for processes in (self._boots, self._started):
            for process in processes:
                process.wait()
            processes.clear()

    def wipe(self) -> None:
        """Forget everything on the disk of a node that is off: the next boot is its first."""
        lab = recorded_process(self.directory / "lab.pid")
        shutil.rmtree(Path(f"/proc/{lab}/root{self.directory}/disks/{self.name}"), ignore_errors=True)

    def run(  # noqa: PLR0913 - the words of subprocess.run
        self,
        argv: Sequence[str],
        *,
        timeout: float = 60,
        input: str | None = None,  # noqa: A002 - the same
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the node to its end, as `Namespaces.run` says.

        The node sees the files of this machine, but has /etc, /var, /run, /dev/shm, /proc and /sys of its own.
        """
        return self.namespaces.run(argv, timeout=timeout, input=input, env=env, cwd=cwd, check=check)

    def start(
        self,
        argv: Sequence[str],
        *,
        log: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
    ) -> Process:
        """Start a program that goes on until it ends, is stopped, or the node loses its power.

        Args:
            argv: Program and arguments.
            log: Name of the file in the node's /var/log that gets what it prints; the program's name if None.
            env: Variables beside PATH, HOME, LANG, and TERM.
            cwd: Working directory on the node.
        """
        name = log or f"{Path(argv[0]).name}.log"
        process = self.namespaces.start(argv, self.log_directory / name, env=env, cwd=cwd)
        self._started.append(process)
        return process

    def stop_started(self) -> None:
        """Kill everything that `start` started and that still runs."""
        for process in self._started:
            process.signal(signal.SIGKILL)
            process.wait()
        self._started.clear()

    def path(self, inside: str) -> Path:
        """The path by which this machine reaches a file of the node, while the node is on."""
        return Path(f"/proc/{self.pid}/root{inside}")

    @property
    def log_directory(self) -> Path:
        """The node's /var/log, readable while it is off too."""
        return self._seed / "log"

    def logs(self) -> list[Path]:
        """All log files of the node that are not empty, and what its boot printed."""
        found = [self._seed / "boot.log", *sorted(self.log_directory.rglob("*"))]
        return [path for path in found if path.is_file() and path.stat().st_size]

    def pull(self, ring: str | int) -> None:
        """Pull its cable of a ring, given by number or device."""
        self.switch.pull(self.name, ring)

    def plug(self, ring: str | int) -> None:
        """Put its cable of a ring back."""
        self.switch.plug(self.name, ring)

    def network(self) -> set[str]:
        """Its links, global addresses and routes (those of the kernel aside), and whether there is a packet filter."""
        found = set()
        for link in json.loads(self.run(["ip", "-json", "address", "show"], check=True).stdout):
            name, state = link["ifname"], "up" if "UP" in link["flags"] else "down"
            found.add(f"{name} mtu {link['mtu']} {state}")
            addresses = [address for address in link["addr_info"] if address["scope"] == "global"]
            found |= {f"{name} {address['local']}/{address['prefixlen']}" for address in addresses}
        for route in json.loads(self.run(["ip", "-json", "route", "show"], check=True).stdout):
            if route.get("protocol") != "kernel":
                found.add(f"{route['dst']} via {route.get('gateway')} dev {route.get('dev')}")
        if self.run(["nft", "list", "ruleset"]).stdout:
            found.add("packet filter")
        return found

    def forget_reconciler(self) -> None:
        """Delete everything under the reconciler's directories."""
        own = ["/etc/reconciler", "/var/lib/reconciler", "/run/reconciler"]
        self.run(["find", *own, "-mindepth", "1", "-delete"], check=True)

    def stop_cluster(self) -> None:
        """Stop Pacemaker in good order, then Corosync."""
        for daemon in ("pacemakerd", "corosync"):
            self.run(["pkill", "-TERM", "-x", daemon])
            until(lambda d=daemon: not self.is_running(d), f"{daemon} to stop on {self.name}", 60)  # type: ignore[misc]

    def start_cluster(self) -> None:
        """Start Corosync and Pacemaker again."""
        self.run(["bash", str(Path(__file__).with_name("start-cluster.sh"))], check=True)

    def is_running(self, program: str) -> bool:
        """Whether a program of this name runs on the node."""
        return self.run(["pgrep", "-x", program]).returncode == 0

    def crash_apache(self, *, for_good: bool = False) -> None:
        """Kill Apache; `for_good`: and take its program away, so that no start on this node can succeed.

        The resource agent then answers "not installed", and Pacemaker moves the service at once. A broken
        configuration would not do: the agent answers "not configured", which Pacemaker takes for an error of the
        resource everywhere, and starts it nowhere.
        """
        script = f"pkill -KILL -x {Path(_APACHE).name}"
        if for_good:
            self._apache_mark.touch()
            script = f"mountpoint -q {_APACHE} || mount --bind /dev/null {_APACHE}; {script}"
        self.run(["sh", "-c", script])

    def mend_apache(self) -> None:
        """Bring the program back; the cluster remembers the failure until somebody cleans it up."""
        self._apache_mark.unlink(missing_ok=True)
        if self.is_on:
            self.run(["umount", "-q", _APACHE])

    @property
    def _seed(self) -> Path:
        return self.directory / "nodes" / self.name

    @property
    def _apache_mark(self) -> Path:
        return self._seed / "apache-gone"
