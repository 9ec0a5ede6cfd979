"""The lines of `haresources` -> a CIB. Pure.

What a line means to Heartbeat: its resources run on one node, are started from left to right and stopped from right to
left, on the preferred node if that is there. So it becomes a group with a preference for that node. DRBD is the
exception: it runs on both nodes, so it stands beside the group, which goes where it is promoted.
"""

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

from reconciler import rendered
from reconciler.haresources.agents import Resource, resource
from reconciler.haresources.lines import Line, lines
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.base import fresh_id, identifier
from reconciler.reading import (
    Fault,
    Reading,
    Remark,
    StatementError,
    check_characters,
    configuration,
    document,
    fault,
)
from reconciler.state import Ref, Spec

_SCORE = 100
_NOTES = (
    "Heartbeat watched nodes, not resources: each resource here has a monitor operation that Heartbeat did not have.",
    "What ha.cf said is not here: nodes and links belong into corosync.conf, ping nodes become a cloned ping resource.",
    "The names of nodes must be those that `crm_node -n` prints on them.",
)
_REPEATED = ("MailTo", "Delay", "WinPopup")
"""Scripts that may do the same for several lines."""

_FAILBACK = (
    "With auto_failback on, which was Heartbeat's default, a line went back to its node when that came back: with this "
    "score it does. For auto_failback off, set resource-stickiness above {score} in ResourceDefaults."
)
_DRBD_META = {"promotable": True, "promoted-max": 1, "promoted-node-max": 1, "clone-node-max": 1, "notify": True}


def read(text: str) -> Reading:
    """Read Heartbeat's `haresources`.

    The CIB has the nodes that the text names, and for each line a group, or a single primitive, that prefers its node.
    A word that means nothing today is a fault and left out. Remarks say what was decided. Never raises.
    """
    builder = _Builder()
    for line in lines(text):
        try:
            check_characters(line.text)
            builder.take(line)
        except StatementError as error:
            builder.fault(line, str(error))
    return builder.finish()


class _Builder:
    """The objects read so far, and what was found wrong or remarkable."""

    def __init__(self) -> None:
        self._state: dict[Ref, Spec] = {}
        self._used: set[str | None] = set()
        self._nodes: dict[str, None] = {}
        self._words: dict[str, int] = {}
        self._faults: list[Fault] = []
        self._remarks = [Remark("", note) for note in _NOTES]

    def fault(self, line: Line, message: str) -> None:
        self._faults.append(fault(line.number, line.text, message))

    def take(self, line: Line) -> None:
        if not line.words:
            raise StatementError("names no resource after the node")
        found = [made for word in line.words if (made := self._resource(line, word)) is not None]
        if not found:
            return
        self._nodes[line.node] = None
        members = {self._add_primitive(made): made for made in found if not made.promotable}
        replicated = [self._add_replicated(made) for made in found if made.promotable]
        top = self._add_group(members)
        if replicated and found[0].promotable is False:
            self._remark(top, "What stood before drbddisk is started after it here: the group waits for DRBD.")
        for clone in replicated:
            self._bind(top, clone)
        whole = {"resource": top} if top else {"resource": replicated[0], "role": "Promoted"}
        location = self._name(f"{whole['resource']}-prefers-{identifier(line.node)}")
        self._add("Location", location, {**whole, "node": line.node, "score": _SCORE})
        self._remark(location, _FAILBACK.format(score=_SCORE))

    def _resource(self, line: Line, word: str) -> Resource | None:
        try:
            made = resource(word)
        except StatementError as error:
            self.fault(line, f"{word} is left out: {error}")
            return None
        other = self._words.setdefault(word, line.number)
        if other == line.number or word.startswith(_REPEATED):
            return made
        remark = f"{word} is on line {other} too: where both lines run on one node, they get into each other's way."
        return replace(made, remarks=(*made.remarks, remark))

    def _name(self, wanted: str) -> str:
        return fresh_id(wanted, self._used)

    def _add(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        self._state[Ref(kind, name)] = CLUSTER_KINDS[kind].spec.model_validate(spec)

    def _remark(self, name: str, text: str) -> None:
        self._remarks.append(Remark(name, text))

    def _add_primitive(self, made: Resource) -> str:
        name = self._name(made.name)
        self._add("Primitive", name, made.spec)
        for text in made.remarks:
            self._remark(name, text)
        return name

    def _add_replicated(self, made: Resource) -> str:
        primitive = self._add_primitive(made)
        clone = self._name(f"{primitive}-clone")
        self._add("Clone", clone, {"resource": primitive, "meta": _DRBD_META})
        return clone

    def _add_group(self, members: dict[str, Resource]) -> str:
        """Return what the members are together: a group, the only one of them, or nothing."""
        if len(members) < 2:  # noqa: PLR2004  one alone needs no group
            return next(iter(members), "")
        leading = next((name for name, made in members.items() if made.service), next(iter(members)))
        group = self._name(f"group-{leading}")
        self._add("Group", group, {"resources": [*members]})
        return group

    def _bind(self, top: str, clone: str) -> None:
        if not top:
            return
        with_ = {"resource": top, "with": clone, "with-role": "Promoted", "score": "INFINITY"}
        self._add("Colocation", self._name(f"{top}-with-{clone}"), with_)
        after = {"first": clone, "then": top, "first-action": "promote", "then-action": "start"}
        self._add("Order", self._name(f"{clone}-before-{top}"), after)

    def finish(self) -> Reading:
        nodes = [ET.Element("node", {"id": name, "uname": name}) for name in self._nodes]
        sections = {str(section.tag): [*section] for section in rendered.configuration(self._state, nodes)}
        order = {ref.name: place for place, ref in enumerate(self._state)}
        sections.get("resources", []).sort(key=lambda element: order[element.get("id", "")])
        return Reading(document(configuration(sections)), tuple(self._faults), tuple(self._remarks))
