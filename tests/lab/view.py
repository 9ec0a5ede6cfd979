"""What crm_mon says about a cluster, as a value. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

_RUNNING = {"Started", "Promoted", "Unpromoted", "Master", "Slave"}


@dataclass(frozen=True, slots=True)
class View:
    """A cluster as one node sees it.

    Attributes:
        dc: The node that is DC, None if there is none.
        quorate: Whether the DC's partition has quorum.
        online: Nodes that take part in the cluster.
        resources: Every resource that crm_mon lists, with the nodes on which it runs and did not fail.
        failures: Failed actions, as "resource action on node: result".
    """

    dc: str | None
    quorate: bool
    online: frozenset[str]
    resources: Mapping[str, frozenset[str]]
    failures: tuple[str, ...]


UNSEEN = View(dc=None, quorate=False, online=frozenset(), resources={}, failures=())
"""What a cluster looks like that nobody can see."""


def parse(text: str) -> View:
    """Read what `crm_mon --output-as=xml --inactive -1` prints (schema crm_mon-2.x.rng)."""
    root = ET.fromstring(text)
    dc = root.find("summary/current_dc")
    resources: dict[str, frozenset[str]] = {}
    for resource in root.iter("resource"):
        name = resource.get("id", "").partition(":")[0]
        runs = resource.get("role") in _RUNNING and resource.get("failed") == "false"
        starting = resource.get("pending") in ("Starting", "Stopping")
        nodes = {node.get("name", "") for node in resource.iter("node")} if runs and not starting else set()
        resources[name] = resources.get(name, frozenset()) | nodes
    return View(
        dc=dc.get("name") if dc is not None else None,
        quorate=dc is not None and dc.get("with_quorum") == "true",
        online=frozenset(
            node.get("name", "")
            for node in root.iterfind("nodes/node")
            if node.get("online") == "true" and node.get("pending") == "false"
        ),
        resources=resources,
        failures=tuple(
            f"{failure.get('op_key')} on {failure.get('node')}: {failure.get('exitstatus')}"
            for failure in root.iterfind("failures/failure")
        ),
    )
