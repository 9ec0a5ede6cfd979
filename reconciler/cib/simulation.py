"""What Pacemaker's scheduler would do with a CIB, as crm_simulate(8) says it. Pure: `host.simulator` runs the tool.

It is the scheduler that the cluster runs. It looks one transition ahead, as it does there. What only running agents can
tell is not in it: that a probe finds a new resource active already, or the promotion scores of a new promotable clone.

Sources: `rsc_action` and `node_action` in Pacemaker's api/crm_simulate-2.24.rng; which attributes go with which action
in lib/pacemaker/pcmk_output.c, rsc_action_item_xml() and rsc_action_default() (2.1.5).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import field
from enum import StrEnum
from xml.etree import ElementTree as ET

from reconciler.cib.document import Cib, serialize
from reconciler.frozen import frozen

SIMULATE = ("crm_simulate", "--run", "--output-as=xml")
"""With `--xml-file FILE`: says what the cluster would do with that CIB; runs without a cluster, executes nothing."""


class SimulationError(ValueError):
    """The text is not what crm_simulate prints for a transition."""


class Act(StrEnum):
    """What happens to a resource; the words of crm_simulate's transition summary."""

    START = "start"
    STOP = "stop"
    MOVE = "move"
    MIGRATE = "migrate"
    PROMOTE = "promote"
    DEMOTE = "demote"
    RE_PROMOTE = "re-promote"
    RESTART = "restart"
    RECOVER = "recover"
    RELOAD = "reload"


_INTERRUPTS = frozenset({Act.STOP, Act.MOVE, Act.DEMOTE, Act.RE_PROMOTE, Act.RESTART, Act.RECOVER})
"""A live migration and a reload are made not to interrupt."""


@frozen
class Effect:
    """Something that happens to a resource, on a node or from one node to another.

    Attributes:
        verb: what happens.
        resource: the id in the CIB: instances of a clone are named by their resource, a bundle's containers,
            addresses and connections by the bundle.
        source: the node on which it is before; empty if on none.
        target: the node on which it is after; empty if on none.
        role: the role before, and
        next_role: the one after; both empty where Pacemaker does not say, that is outside promotable clones.
        blocked: Pacemaker wants it and cannot do it (no quorum, an unclean node); then it does not happen.
        reason: Pacemaker's words, may be empty. Not part of what makes two effects equal.
    """

    verb: Act
    resource: str
    source: str = ""
    target: str = ""
    role: str = ""
    next_role: str = ""
    blocked: bool = False
    reason: str = field(default="", compare=False)

    @property
    def node(self) -> str:
        """The node on which it ends, or on which it ended."""
        return self.target or self.source

    @property
    def interrupts(self) -> bool:
        """True if the service is away meanwhile, or for good."""
        return self.verb in _INTERRUPTS and not self.blocked


@frozen
class Fencing:
    """A node that is fenced, how (`reboot`, `off`), and in Pacemaker's words why. Equal by node."""

    node: str
    action: str = field(default="", compare=False)
    reason: str = field(default="", compare=False)


@frozen
class Simulation:
    """What happens in one transition, in Pacemaker's order. Monitors, probes and notifications are not in it.

    An effect that several instances of a clone have on one node is in it several times.
    """

    effects: tuple[Effect, ...] = ()
    fencing: tuple[Fencing, ...] = ()


def parse(text: str) -> Simulation:
    """Read what `SIMULATE` printed.

    Raises:
        SimulationError: not such a text, or it says that the simulation failed, or holds an action nobody knows.
    """
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise SimulationError(f"not well-formed XML: {error}") from error
    if root.tag != "pacemaker-result":
        raise SimulationError(f"the document is a <{root.tag}>, not a <pacemaker-result>")
    status = root.find("status")
    if status is None:
        raise SimulationError("it says nothing about how the simulation ended")
    if status.get("code") != "0":
        said = [error.text or "" for error in status.iter("error")] or [status.get("message", "it failed")]
        raise SimulationError("; ".join(said))
    actions = root.find("actions")
    if actions is None:
        raise SimulationError("it says nothing about actions")
    bundles = tuple(_bundles(root.find("cluster_status")))
    return Simulation(
        tuple(_effect(action, bundles) for action in actions.iter("rsc_action")),
        tuple(_fencing(actions.iter("node_action"))),
    )


def _bundles(status: ET.Element | None) -> Iterator[tuple[re.Pattern[str], str]]:
    """Yield the bundles with what Pacemaker calls the resources that it makes for them (lib/pengine/bundle.c)."""
    for bundle in () if status is None else status.iter("bundle"):
        name = bundle.get("id", "")
        yield re.compile(rf"{re.escape(name)}-(?:(?:docker|podman|rkt)-\d+|ip-.+|\d+)"), name


def _effect(action: ET.Element, bundles: Iterable[tuple[re.Pattern[str], str]]) -> Effect:
    word = action.get("action", "")
    try:
        verb = Act(word)
    except ValueError:
        raise SimulationError(f"an action that is not known: {word!r}") from None
    # An id in the CIB has no colon (XML's NCName), so this is the number of an instance.
    resource = action.get("resource", "").partition(":")[0]
    source, target = _nodes(verb, action)
    return Effect(
        verb,
        next((name for pattern, name in bundles if pattern.fullmatch(resource)), resource),
        source,
        target,
        action.get("role", ""),
        action.get("next-role", ""),
        blocked=action.get("blocked") in {"true", "1"},
        reason=action.get("reason", ""),
    )


def _nodes(verb: Act, action: ET.Element) -> tuple[str, str]:
    """Return where it is before and after; crm_simulate leaves out the one that says nothing new."""
    node, source, target = (action.get(name, "") for name in ("node", "source", "dest"))
    match verb:
        case Act.START:
            return "", target or node
        case Act.STOP:
            return source or node, ""
        case Act.PROMOTE if target and not source:
            return "", target
    return source or node, target or source or node


_FENCE = re.compile(r"Fence \((?P<action>[^)]*)\)")
_GUEST = re.compile(r" \(resource: .*\)$")


def _fencing(actions: Iterable[ET.Element]) -> Iterator[Fencing]:
    """Yield the fencings among what happens to nodes; shutdowns are asked for by no configuration."""
    for action in actions:
        task = action.get("task", "")
        if found := _FENCE.fullmatch(task):
            yield Fencing(_GUEST.sub("", action.get("node", "")), found["action"], action.get("reason", ""))
        elif task != "Shutdown":
            raise SimulationError(f"something that happens to a node is not known: {task!r}")


def candidate(cib: Cib, configuration: ET.Element) -> str:
    """Return the live CIB's text with another configuration: same counters, same status."""
    root = ET.Element(cib.root.tag, cib.root.attrib)
    root.extend(configuration if part is cib.configuration else part for part in cib.root)
    return serialize(root)


def unused(cib: Cib, configuration: ET.Element) -> str:
    """Return the text, one tag a line, of a CIB with this configuration, all nodes switched off, nothing ever run.

    In it only the configuration can be wrong. With the live status crm_verify would also call errors what the scheduler
    copes with: a clone that is deleted while it runs "might be active on 2 nodes". And there is nothing to schedule,
    which takes most of its time.
    """
    root = ET.Element(cib.root.tag, {**cib.root.attrib, "have-quorum": "1"})
    status = ET.Element("status")
    for node in configuration.iterfind("nodes/node"):
        if node.get("type", "member") == "member":
            name = {"id": node.get("id", ""), "uname": node.get("uname", "")}
            ET.SubElement(status, "node_state", {**name, **_OFF})
    root.extend((configuration, status))
    # Serialized, a `>` stands for itself only at a tag's end.
    return serialize(root).replace("><", ">\n<")


_OFF = {"in_ccm": "false", "crmd": "offline", "join": "down", "expected": "down"}
"""Cleanly left, so that nobody wants to fence it."""
