"""Agents on the nodes of a lab, for the tests beside this file."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from tests.lab import Lab, Node, Process, until

ROOT = Path(__file__).parents[2]
WEB = ROOT / "crds" / "examples" / "web"
DESIRED = "/etc/reconciler/desired.d"
STATUS = "/run/reconciler/status.json"
SETTINGS = "/etc/reconciler/reconciler.toml"
PATIENCE = 25.0
"""Seconds after which a wait is in vain: less than the resync, which would find what a hint has missed."""
_WORDS = (sys.executable, "-m", "reconciler")
_ENVIRONMENT = {"PYTHONPATH": str(ROOT)}

Document = Mapping[str, Any]


class Agent:
    """The agent of one node, with its manifests and settings; started and stopped as a service manager would.

    Attributes:
        node: The node.
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        self._process: Process | None = None
        self._seen = 0
        node.path(DESIRED).mkdir(parents=True, exist_ok=True)

    @property
    def pid(self) -> int:
        """Its process id as the outside sees it."""
        assert self._process
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    def start(self, *settings: str, ready: bool = True) -> None:
        """Start it, with these lines as its settings file, and wait for its first pass."""
        self.node.path(SETTINGS).write_text("\n".join([*settings, ""]), encoding="utf-8")
        self._seen = len(self._log())
        self.node.path(STATUS).unlink(missing_ok=True)
        self._process = self.node.start([*_WORDS, "run"], env=_ENVIRONMENT, log="agent.log")
        if ready:
            until(
                lambda: self.document() is not None,
                f"the agent on {self.node.name} to be ready",
                PATIENCE,
                0.02,
                self.log,
            )

    def stop(self) -> float:
        """Stop it in good order; gives the seconds that took."""
        assert self._process
        began = time.monotonic()
        assert self._process.stop(5) == 0, self.log()
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill it, as a crash would."""
        assert self._process
        self._process.signal(signal.SIGKILL)
        self._process.wait()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process
        self._process.signal(number)

    def wait(self) -> int:
        """Wait for its end; gives the exit status."""
        assert self._process
        return self._process.wait()

    def log(self) -> str:
        """What it has logged since it was started."""
        return self._log()[self._seen :]

    def _log(self) -> str:
        file = self.node.log_directory / "agent.log"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run another verb of the command line on the node."""
        return self.node.run([*_WORDS, *words], env=_ENVIRONMENT)

    def want(self, name: str, text: str) -> None:
        """Write a manifest, in one step."""
        place = self.node.path(DESIRED)
        (place / f".{name}").write_text(text, encoding="utf-8")
        (place / f".{name}").rename(place / name)

    def unwant(self, name: str) -> None:
        """Remove a manifest."""
        (self.node.path(DESIRED) / name).unlink()

    def document(self) -> Any:
        """What it knows, None before its first pass."""
        try:
            return json.loads(self.node.path(STATUS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def until(self, condition: Callable[[Any], bool], what: str, timeout: float = PATIENCE) -> Any:
        """Wait until what it knows looks like this."""

        def look() -> Any:
            document = self.document()
            return document if document and condition(document) else None

        return until(look, f"{what} in the eyes of {self.node.name}", timeout, 0.05, self._story)

    def until_synced(self, timeout: float = PATIENCE) -> Any:
        """Wait until everything is as wanted, whether it works or not."""
        return self.until(in_sync, "everything to be in sync", timeout)

    def until_logged(self, pattern: str, timeout: float = PATIENCE) -> str:
        """Wait until it has logged something since its start; gives what matched."""
        found = until(lambda: re.search(pattern, self.log()), f"a log line {pattern!r}", timeout, 0.02, self.log)
        assert found
        return found[0]

    def _story(self) -> str:
        return f"{json.dumps(self.document(), indent=1)}\n{self.log()}"


def in_sync(document: Document) -> bool:
    """Whether everything is as wanted and nothing hinders the agent."""
    conditions = [synced(item) for item in document["objects"]]
    return (
        bool(conditions) and all(conditions) and not document["desired"]["problem"] and not document["agent"]["blind"]
    )


def synced(item: Document) -> bool:
    """Whether an object of a document is as wanted."""
    return bool(condition(item, "Synced")["status"] == "True")


def condition(item: Document, type_: str) -> Document:
    """A condition of an object of a document."""
    found: Document = next(entry for entry in item["conditions"] if entry["type"] == type_)
    return found


def find(document: Document, kind: str, name: str) -> Any:
    """An object of a document; None if it is not there."""
    return next((item for item in document["objects"] if (item["kind"], item["name"]) == (kind, name)), None)


class Cib:
    """The live CIB at one moment, as a node sees it."""

    def __init__(self, node: Node) -> None:
        self.root = ET.fromstring(node.run(["cibadmin", "--query"], check=True).stdout)

    @property
    def epoch(self) -> int:
        return int(self.root.get("epoch", ""))

    @property
    def origin(self) -> str:
        """The node from which the last change came."""
        return self.root.get("update-origin", "")

    def get(self, id_: str) -> ET.Element | None:
        """The element of the configuration with this id."""
        return self.root.find(f"./configuration//*[@id='{id_}']")

    def value(self, id_: str, name: str) -> str | None:
        """The value of a name-value pair inside an element."""
        pair = self.root.find(f"./configuration//*[@id='{id_}']//nvpair[@name='{name}']")
        return None if pair is None else pair.get("value")


def dummy(name: str, **params: str) -> str:
    """A manifest of a resource that does nothing and so starts and stops at once."""
    lines = "\n".join(f'spec.params.{key} = "{value}"' for key, value in params.items())
    return f"""
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "Primitive"
metadata.name = "{name}"
spec.agent = "ocf:pacemaker:Dummy"
{lines}
"""


UNFENCED = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "ClusterProperties"
metadata.name = "cib-bootstrap-options"
spec.properties = { stonith-enabled = false }
"""


def location(name: str, resource: str, node: str, score: int | str = 100) -> str:
    """A manifest of a preference."""
    return f"""
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "Location"
metadata.name = "{name}"
spec = {{ resource = "{resource}", node = "{node}", score = "{score}" }}
"""


@contextmanager
def agents_on(lab: Lab, names: Sequence[str] = ()) -> Iterator[list[Agent]]:
    """Agents for the nodes of a lab, or some of them; those that still run at the end are killed."""
    made = [Agent(lab.nodes[name]) for name in names or lab.nodes]
    try:
        yield made
    finally:
        for agent in made:
            if agent.runs:
                agent.kill()


def descendants(pid: int) -> list[int]:
    """All living processes below one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _parent(entry.name) == pid:
            found += [int(entry.name), *descendants(int(entry.name))]
    return found


def _parent(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])
    except OSError:
        return -1


def descriptors(pid: int) -> int:
    """How many files a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@contextmanager
def instead(node: Node, program: str, script: str) -> Iterator[None]:
    """Put a script in a program's place on one node; an empty one takes the right to run it away."""
    fake = "/run/home/fake"
    node.path(fake).write_text(script, encoding="utf-8")
    node.path(fake).chmod(0o755 if script else 0o644)
    node.run(["mount", "--bind", fake, program], check=True)
    try:
        yield
    finally:
        # A command of the agent's may be using it at this moment.
        node.run(["umount", "--lazy", program], check=True)
