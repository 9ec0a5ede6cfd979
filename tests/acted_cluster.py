"""The reference case in a CIB file with the agent of its DC, while Pacemaker's simulator acts what the cluster does."""

import time
from pathlib import Path

from reconciler.cib.document import Cib, parse
from reconciler.host.observer import Observer
from reconciler.host.shell import PATH, Shell
from reconciler.host.wanted import WantedSource
from reconciler.kinds.observe import observe
from reconciler.reconciliation import Reconciliation
from reconciler.settings import Guards, Settings
from reconciler.settling import CALM, Settling
from reconciler.state import Ref
from reconciler.turn import Memory, Turner
from tests.aftermaths import WEB, acted_out

HTTPD = Ref("Primitive", "httpd")
MANIFEST = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "Primitive"
metadata.name = "httpd"
spec.agent = "ocf:heartbeat:apache"
spec.params = {{ configfile = "/etc/{config}.conf" }}
spec.operations = [{{ name = "monitor", interval = "10s", timeout = "20s" }}]
"""
NEW = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "Primitive"
metadata.name = "new"
spec.agent = "ocf:heartbeat:Dummy"
"""
BREAKS = "--op-fail=httpd_start_0@vm-node1=1"


class ActedCluster:
    """The cluster's file, the agent of its DC, and time that passes as a test likes."""

    def __init__(self, place: Path, *, revert: bool) -> None:
        self.place = place
        self.file = place / "cib.xml"
        self.file.write_text(WEB.read_text())
        (place / "desired").mkdir(mode=0o755)
        self.memory = Memory()
        (place / "bin").mkdir()
        shell = Shell(f"{place}/bin:{PATH}", {"CIB_file": str(self.file), "CIB_file_skip": "1"})
        settings = Settings(
            desired=place / "desired",
            state_dir=place / "state",
            node="vm-node1",
            settle=0.01,
            guards=Guards(settle_timeout=60.0, revert=revert),
        )
        source = WantedSource(settings.desired, settings.state_dir, settings.settle)
        self._turner = Turner(settings, shell, Observer(shell, None, 10), source)
        self.want("apache2/apache2")
        self.turn()
        assert "httpd" in observe(self.cib).owned, "it was adopted as it is"

    @property
    def cib(self) -> Cib:
        return parse(self.file.read_text())

    @property
    def config(self) -> str:
        found = self.cib.by_id["httpd-params-configfile"].get("value", "")
        return found.removeprefix("/etc/").removesuffix(".conf")

    @property
    def settling(self) -> Settling:
        assert self.memory.settling
        return self.memory.settling

    def want(self, config: str, *others: str) -> None:
        for name, text in {"httpd": MANIFEST.format(config=config), **dict.fromkeys(others, NEW)}.items():
            (self.place / "desired" / f"{name}.toml").write_text(text)

    def drift(self, config: str, other: str) -> None:
        """Change the configuration behind the agent's back, which counts the epoch up."""
        epoch = self.cib.version.epoch
        text = self.file.read_text().replace(f"/etc/{config}.conf", f"/etc/{other}.conf")
        self.file.write_text(text.replace(f'epoch="{epoch}"', f'epoch="{epoch + 1}"', 1))

    def wrap(self, script: str) -> None:
        """Put a script in cibadmin's place, for patches."""
        program = self.place / "bin" / "cibadmin"
        program.write_text(f'#!/bin/sh\ncase "$*" in *--patch*) {script} ;; esac\nexec /usr/sbin/cibadmin "$@"\n')
        program.chmod(0o755)

    def turn(self) -> Reconciliation:
        return self._turner.turn(self.memory)

    def act(self, *faults: str) -> None:
        """Let the cluster do what it would."""
        text = acted_out(self.file.read_text(), *faults)
        assert text
        self.file.write_text(text)

    def settle(self) -> Reconciliation:
        """Make passes until the patch has settled; gives the one in which it has."""
        before = self.settling
        self.turn()
        time.sleep(CALM)
        done = self.turn()
        assert [one.applied for one in done.settled] == [before.applied]
        return done
