"""What a person should look at in a configuration that is taken over, in one sentence each. Pure."""

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from functools import cache, cached_property
from xml.etree import ElementTree as ET

from reconciler.cautions import heeded, lacks_device, remedy
from reconciler.cib import references
from reconciler.cib.dialect import KNOWN, OUTDATED, forgotten, is_too_new, schema, why_outdated
from reconciler.cib.document import CONTAINERS, RESOURCES, children
from reconciler.cib.fencing import FENCING, STONITH, fencing
from reconciler.frozen import frozen
from reconciler.importer.overrides import BY_HAND, overrides
from reconciler.importer.selection import Item
from reconciler.kinds.clone import Clone
from reconciler.kinds.cluster_properties import PACEMAKERS, ClusterProperties
from reconciler.kinds.colocation import Colocation
from reconciler.kinds.group import Group
from reconciler.kinds.identity import located
from reconciler.kinds.node import Node
from reconciler.kinds.nvset import AttributeSet
from reconciler.kinds.observe import Observed, each
from reconciler.kinds.operation import Operation, duplicates, why_duplicate
from reconciler.kinds.order import Order
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.resource_defaults import ResourceDefaults
from reconciler.kinds.template import Template
from reconciler.leftovers import is_neutral
from reconciler.secret import looks_secret
from reconciler.state import Ref, Spec, State


class Topic(StrEnum):
    """What a remark is about, in words that a count can stand before."""

    FENCING = "fencing switched off"
    NO_DEVICE = "fencing without a device"
    STANDSTILL = "stopping everything or leaving it alone"
    QUORUM = "quorum ignored"
    OVERRIDE = "set by hand"
    MOVED = "left by a move or ban"
    NOTED = "written by resource agents"
    SECRET = "secrets in plain text"  # noqa: S105  the word for them, not one
    MONITOR = "without a monitor"
    DUPLICATE = "with operations twice"
    AGENT = "of a class that is gone or going"
    LEGACY = "in words of older releases"
    ATTRIBUTE = "rules on attributes that nothing sets"
    ALONE = "without what they were in"
    SCHEMA = "of a schema that is newer than what is known"
    ODD = "with values that Pacemaker reads in its own way"


@frozen
class Remark:
    """A sentence about an object."""

    topic: Topic
    text: str


_OFF = "false"
_TAKEN_OVER = "named here, the agent enforces it whatever people do: delete it when it is over"
_AGENTS = {
    "heartbeat": "Pacemaker knows no Heartbeat 1 agents any more: take the ocf: agent of this name",
    "lsb": "an init script: what its monitor says is often wrong; take the systemd: unit if there is one",
    "upstart": "Pacemaker 3 knows no upstart jobs any more: take a systemd: unit",
    "nagios": "Pacemaker 3 knows no Nagios plugins any more",
}
_UNMANAGED = "Pacemaker neither starts nor stops a resource that does not say otherwise"
_OLD_ROLES = frozenset({"master", "slave"})
_OLD_NAMES = frozenset({"master-max", "master-node-max", "masters"})
_WORTH_A_LOOK = re.compile("<expression|master|slave", re.IGNORECASE)
_ROLES = ("role", "rsc-role", "with-rsc-role")
_BY_CIBSECRET = "lrm://"
"""Stands in the CIB instead of a value that cibsecret(8) keeps in a file of each node."""
_DEFAULT = "Pacemaker then uses its default"
_REFERENCES_TO_FILES = re.compile(r"(script|file|path|_fd)$", re.IGNORECASE)
_SUBMATCH = re.compile("%[1-9]")
"""In a rule of a constraint on a pattern: a part of the resource's name."""
_FORGOTTEN = (
    "it has no effect, so it is not here: Pacemaker forgets it as long as the section of defaults that it belongs to "
    "has no set without a rule. With one it would count: `crm_attribute --delete --name {}` takes it away."
)
_BUILT_IN = re.compile(r"#|master-|promoted-|fail-count-|last-failure-|probe_complete$|shutdown$|site-name$")


class Attention:
    """Looks at the objects of one configuration."""

    def __init__(self, observed: Observed, left_out: Collection[Ref] = ()) -> None:
        """Prepare for the objects of a configuration; what its text does not hold at all is not looked for."""
        self._observed = observed
        self._left_by = _members(observed, left_out) if left_out else {}
        self._legacy: dict[Ref, str] = {}
        self._rules: dict[Ref, frozenset[str]] = {}
        if observed.cib.may_say(_WORTH_A_LOOK):
            for ref, element in each(observed.cib):
                if words := _legacy(element):
                    self._legacy.setdefault(ref, words)
                if names := frozenset(part.get("attribute", "") for part in element.iter("expression")) - {""}:
                    self._rules.setdefault(ref, names)

    def of_the_whole(self) -> Iterator[Remark]:
        """Yield what there is to say of no object but of all of them together."""
        state, cib = self._observed.state, self._observed.cib
        if is_too_new(schema(cib)):
            later = f"What came after pacemaker-{KNOWN[0]}.{KNOWN[1]} is not known here: it is named and not imported."
            yield Remark(Topic.SCHEMA, f"the schema is {cib.attributes['validate-with']}. {later}")
        found = fencing(heeded(state), cib.feature_set)
        if found.enabled and lacks_device(state, self._observed):
            text = f"{found.name} is true, and nothing here fences: Pacemaker starts nothing; {remedy(found)}."
            yield Remark(Topic.NO_DEVICE, text)
        for name in sorted(forgotten(cib) & heeded(state).keys()):
            yield Remark(Topic.LEGACY, f"{name}: {_FORGOTTEN.format(name)}")

    def remarks(self, item: Item) -> Iterator[Remark]:
        """Yield what there is to say of an object as it is imported."""
        ref, spec = item.ref, item.spec
        yield from self._taken_over(item)
        if isinstance(spec, ClusterProperties):
            yield from _properties(spec, self._observed.cib.feature_set)
        if isinstance(spec, ClusterProperties | ResourceDefaults):
            yield from _standstill(spec)
        for name, value in overrides(ref, spec).items():
            if not is_neutral(name, value):
                yield Remark(Topic.OVERRIDE, f"{name} = {value} is what somebody set by hand; {_TAKEN_OVER}.")
        if ref.name.startswith(BY_HAND):
            yield Remark(Topic.MOVED, f"left by `crm resource move` or `ban`; {_TAKEN_OVER}.")
        yield from _noted(spec)
        yield from _secrets(spec)
        if isinstance(spec, Primitive):
            yield from self._primitive(spec)
        if isinstance(spec, Primitive | Template):
            for first, second in duplicates(spec.operations):
                yield Remark(Topic.DUPLICATE, f"{why_duplicate(first, second)}.")
        if ref in self._legacy:
            text = f"the CIB says this in words of older releases ({self._legacy[ref]}); here it is in today's."
            yield Remark(Topic.LEGACY, text)
        yield from self._attributes(self._rules.get(ref, frozenset()))

    def _taken_over(self, item: Item) -> Iterator[Remark]:
        """Yield what of an object is not here as it is in the CIB."""
        if container := self._left_by.get(item.ref.name):
            text = f"it was in {container}, which is not imported: elsewhere it would run by itself."
            yield Remark(Topic.ALONE, text)
        if item.odd:
            text = f"taken word for word: {_made_of(item)}. Say what is meant, then delete the annotation."
            yield Remark(Topic.ODD, text)
        for name, value in item.taken.items():
            text = f"{name} = {value} is what somebody set by hand; not named here, it stays theirs."
            yield Remark(Topic.OVERRIDE, text)

    def _primitive(self, spec: Primitive) -> Iterator[Remark]:
        template = self._observed.state.get(Ref("Template", spec.template)) if spec.template else None
        agent = spec.agent or (template.agent if isinstance(template, Template) else None) or ""
        advice = _AGENTS.get(agent.partition(":")[0])
        if advice:
            yield Remark(Topic.AGENT, f"{agent}: {advice}.")
        operations = [*spec.operations, *(template.operations if isinstance(template, Template) else ())]
        referred = spec.operations_id_ref or (isinstance(template, Template) and template.operations_id_ref)
        if not referred and not any(_watches(operation) for operation in operations):
            yield Remark(Topic.MONITOR, "no recurring monitor: Pacemaker does not notice when it fails.")

    def _attributes(self, named: frozenset[str]) -> Iterator[Remark]:
        for name in sorted(named):
            if name not in self._set and not _BUILT_IN.match(name) and not _SUBMATCH.search(name):
                # Agents of databases call their attributes after themselves.
                if any(known and known in name for known in self._resources):
                    continue
                yield Remark(
                    Topic.ATTRIBUTE,
                    f"nothing here sets the node attribute {name}: no node has it, no agent is told to.",
                )

    @cached_property
    def _set(self) -> frozenset[str]:
        """The node attributes that nodes have, or that an agent is told to set or sets by default, of those named."""
        names: set[str] = set()
        for inside, part in self._observed.cib.parts("nvpair", "primitive", "template"):
            if part.tag != "nvpair":
                names.update(_DEFAULTS.get(part.get("type", ""), ()))
            elif "nodes" in inside or "status" in inside:
                names.add(part.get("name", ""))
            elif "resources" in inside and inside[-1] == "instance_attributes":
                names.add(part.get("value", ""))
        return frozenset(names) & frozenset[str]().union(*self._rules.values())

    @cached_property
    def _resources(self) -> frozenset[str]:
        return frozenset(part.get("id", "") for _, part in self._observed.cib.parts("primitive"))


_DEFAULTS = {
    "ping": ("pingd",),
    "pingd": ("pingd",),
    "ifspeed": ("ifspeed",),
    "SysInfo": ("arch", "os", "cpu_info", "cpu_speed", "cpu_cores", "cpu_load", "ram_total", "ram_free", "free_swap"),
    "HealthCPU": ("#health-cpu",),
    "mysql": ("readable",),
    "sfex": (),
}
"""The attributes that agents set if they are not told another name (resource-agents, pacemaker's extra/resources)."""


def _members(observed: Observed, containers: Collection[Ref]) -> dict[str, Ref]:
    """Return which of the containers each resource is in, by its id."""
    found = ((ref, element) for ref, element in each(observed.cib) if ref in containers and element.tag in CONTAINERS)
    return {part.get("id", ""): ref for ref, element in found for part in children(element) if part.tag in RESOURCES}


def _properties(spec: ClusterProperties, feature_set: tuple[int, ...]) -> Iterator[Remark]:
    found = fencing(spec.values, feature_set)
    if not found.enabled:
        text = "what runs on a node that hangs may be started on another one too, and destroy its data."
        yield Remark(Topic.FENCING, f"fencing is off ({found.name}): {text}")
    if FENCING in spec.values and found.name != FENCING:
        text = f"{FENCING} has no effect: before 3.0.2 Pacemaker heeds {STONITH} only, and fences if that is not said."
        yield Remark(Topic.ODD, text)
    for name in spec.values:
        if name in OUTDATED:
            yield Remark(Topic.LEGACY, f"{name}: {why_outdated(name)}.")
    if spec.values.get("no-quorum-policy") == "ignore":
        text = "no-quorum-policy = ignore: a node that is cut off goes on as if it were alone, and so does the other."
        yield Remark(Topic.QUORUM, text)


_STANDSTILLS = {
    ("ClusterProperties", "stop-all-resources", "true"): "Pacemaker stops everything and starts nothing",
    ("ClusterProperties", "maintenance-mode", "true"): "Pacemaker starts, stops and monitors nothing",
    ("ClusterProperties", "is-managed-default", "false"): _UNMANAGED,
    ("ResourceDefaults", "is-managed", "false"): _UNMANAGED,
    ("ResourceDefaults", "target-role", "Stopped"): "every resource that does not say otherwise is stopped",
}
"""What brings the whole cluster to a standstill, by kind, name and value."""


def _standstill(spec: ClusterProperties | ResourceDefaults) -> Iterator[Remark]:
    where = " where its rule holds" if spec.rule else ""
    for name, value in spec.values.items():
        effect = _STANDSTILLS.get((type(spec).__name__, name, value))
        if effect:
            yield Remark(Topic.STANDSTILL, f"{name} = {value}: {effect}{where}. Take it out when that is over.")


_NOTES = re.compile(
    r"""[\w.-]+_REPL_INFO$         # mysql, redis: who was master, and where in its log
    | rmq-node-attr-              # rabbitmq-cluster
    | [\w.-]+-data-status$        # pgsql
    | (hana|lpa)_[a-z0-9]{3}_     # SAPHana, SAPHanaTopology and SAPHanaSR's successors
    | master-                     # crm_master, for good rather than until the node leaves
    """,
    re.VERBOSE | re.ASCII,
)
"""What agents write into the configuration, as they have to find it again when all nodes were down."""


def _noted(spec: Spec) -> Iterator[Remark]:
    match spec:
        case ClusterProperties():
            names = list(spec.values)
        case Node():
            names = [name for item in spec.attributes for name in item.values]
        case _:
            return
    if notes := ", ".join(dict.fromkeys(filter(_NOTES.match, names))):
        text = "resource agents write this as they run; named here, it is set back whenever they do: delete it"
        yield Remark(Topic.NOTED, f"{notes}: {text}.")


def _watches(operation: Operation) -> bool:
    return operation.name == "monitor" and operation.interval not in ("0s", "0") and operation.enabled != _OFF


def _secrets(spec: Spec) -> Iterator[Remark]:
    for _, part in located(spec, AttributeSet):
        for name, value in part.values.items():
            if _hides(name) and value != _BY_CIBSECRET:
                text = (
                    f"{name} looks like a secret, and a secret does not belong in git: put it in a file that only "
                    f'root may read, and write {name} = {{ file = "/that/file" }}.'
                )
                yield Remark(Topic.SECRET, text)


@cache
def _hides(name: str) -> bool:
    return looks_secret(name) and not _REFERENCES_TO_FILES.search(name)


def _legacy(element: ET.Element) -> str:
    words: list[str] = ["<master>"] if element.tag == "master" else []
    for part in references.own(element):
        words += [value for name in _ROLES if (value := part.get(name, "")).lower() in _OLD_ROLES]
        words += [name for name in (part.get("name", ""), *part.keys()) if name in _OLD_NAMES]
    return ", ".join(dict.fromkeys(words))


def explanations(item: Item, observed: Observed) -> Iterator[str]:
    """Yield what else explains an object, and needs nobody's attention."""
    if isinstance(item.spec, ClusterProperties):
        groups = (group for group in observed.cib.peek("crm_config") if group.get("id") == item.ref.name)
        pairs = (pair for group in groups for pair in group.iter("nvpair"))
        theirs = sorted({name for pair in pairs if (name := pair.get("name", "")) in PACEMAKERS})
        if theirs:
            yield f"Not here, because Pacemaker and its tools write them themselves: {', '.join(theirs)}."
    kept = sorted({name for _, part in located(item.spec, AttributeSet) for name in _kept(part)})
    owners = _run(item.ref.name, item.spec, observed.state) if kept else ()
    for name in kept:
        files = (f"/var/lib/pacemaker/lrm/secrets/{primitive}/{name}" for primitive in owners)
        yield (
            f"{name}: the value is kept by cibsecret, in a file that every node must have, {', '.join(files)}: "
            "`cibsecret sync` copies it."
        )


def _run(name: str, spec: Spec | None, state: State) -> tuple[str, ...]:
    """Name the primitives that get an object's parameters: under their names pacemaker-execd looks for secrets."""
    match spec:
        case Clone(resource=inner):
            return _run(inner, state.get(Ref("Group", inner)), state)
        case Group(resources=members):
            return members
        case Template():
            users = (ref.name for ref, user in state.items() if isinstance(user, Primitive) and user.template == name)
            return tuple(users)
    return (name,)


def _kept(part: AttributeSet) -> list[str]:
    return [name for name, value in part.values.items() if value == _BY_CIBSECRET]


def _made_of(item: Item) -> str:
    """Say what is odd, and what Pacemaker makes of it."""
    if isinstance(item.spec, ClusterProperties):
        return "; ".join([*item.odd, _DEFAULT])
    return "; ".join(f"{odd}; {_taken(item, odd)}" if "is not a boolean" in odd else odd for odd in item.odd)


def _taken(item: Item, odd: str) -> str:
    """Say what Pacemaker takes for an answer where it asks yes or no, and the word is neither."""
    field = odd.partition(":")[0].rpartition(".")[2]
    if isinstance(item.spec, Colocation) or (isinstance(item.spec, Order) and field != "sequential"):
        return _DEFAULT
    return "Pacemaker takes it for false"
