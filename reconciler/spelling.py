"""Names that are almost those that Pacemaker reads: it takes any name, and ignores what it does not know. Pure.

Only what looks like a slip is doubted: people, agents and newer releases have names of their own.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache

from reconciler.cib import values
from reconciler.cib.dialect import OUTDATED
from reconciler.frozen import frozen
from reconciler.kinds.alert import Alert
from reconciler.kinds.bundle import Bundle
from reconciler.kinds.clone import Clone
from reconciler.kinds.cluster_properties import PACEMAKERS, ClusterProperties
from reconciler.kinds.group import Group
from reconciler.kinds.node import Node
from reconciler.kinds.nvset import AttributeSet
from reconciler.kinds.operation import Operation
from reconciler.kinds.operation_defaults import OperationDefaults
from reconciler.kinds.options import Options
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.template import Template
from reconciler.state import Doubt, Spec, State

_ALIKE = 0.85
"""How alike by `difflib` two names are that a slip of the keyboard tells apart: `standy` and `standby` are 0.92,
`restart` and `start` 0.83."""


@frozen
class Words:
    """The names that are read in one place: `meant` are those that people write, `taken` others that mean something."""

    what: str
    meant: frozenset[str]
    taken: frozenset[str] = frozenset()


def _words(what: str, meant: Iterable[str], taken: str = "") -> Words:
    return Words(what, frozenset(meant), frozenset(taken.split()))


PROPERTIES = _words(
    "cluster property",
    values.PROPERTIES,
    " ".join((*PACEMAKERS, *OUTDATED, "no-quorum-panic", "stonith-default-action")),
)
"""The metadata of pacemaker-based, -controld and -schedulerd 2.1.5, and what releases before and after it have."""

META = _words(
    "meta attribute",
    {*values.META_ATTRIBUTES, "container-attribute-target", "remote-addr", "remote-node", "resource-discovery-enabled"},
    "container description isolation isolation-instance isolation-wrapper master-max master-node-max provides"
    " resource-failure-stickiness",
)
"""`include/crm/msg_xml.h` of 2.1.5 (`XML_RSC_ATTR_…`) and Pacemaker Explained; of 1.1 `isolation`."""

ALERT = _words("meta attribute of alerts", ("enabled", "timeout", "timestamp-format"), "description")
"""`lib/pengine/rules_alerts.c`."""

OPERATION = _words(
    "operation attribute", {*values.OPERATION_ATTRIBUTES, "requires"}, "description id name OCF_CHECK_LEVEL"
)
"""The schema's attributes of an `<op>`, which may be said in its meta attributes and in op_defaults too."""

ACTIONS = _words(
    "operation",
    {
        *("demote", "migrate_from", "migrate_to", "monitor", "promote", "start", "stop"),
        *("meta-data", "notify", "reload", "reload-agent", "status", "validate-all"),
    },
    "list metadata off on probe reboot",
)
"""OCF 1.1, and what fence agents do. What an agent has beside these Pacemaker runs where an interval is said."""

NODE = _words("node attribute", (*values.NODE_ATTRIBUTES, "resource-discovery-enabled"), "shutdown terminate")
"""`lib/pengine/unpack.c`: of all the attributes of a node Pacemaker itself reads these."""

_FENCING = "pcmk_"
FENCING = _words(
    "parameter of fencing devices",
    (
        *("action_limit", "delay_base", "delay_max", "host_argument", "host_check", "host_list", "host_map"),
        *(
            f"{action}_{option}"
            for action in ("list", "metadata", "monitor", "off", "on", "reboot", "status", "validate_all")
            for option in ("action", "retries", "timeout")
        ),
    ),
)
"""The metadata of pacemaker-fenced 2.1.5, without `pcmk_`."""


def slips(state: State) -> Iterator[Doubt]:
    """Yield names of values and operations that Pacemaker does not know and that are almost ones that it does."""
    for ref, spec in state.items():
        for field, name, meant, words in _slips(spec):
            message = f"{name!r} is no {words.what} that Pacemaker knows; did you mean {meant!r}?"
            yield Doubt(ref, f"spec.{field}", message)


def _slips(spec: Spec) -> Iterator[tuple[str, str, str, Words]]:
    match spec:
        case Options():
            words = _OPTIONS.get(type(spec), META)
            field = str(type(spec).model_fields["values"].alias)
            yield from _wrong(f"{field}.", spec.values, words)
        case Node():
            for item in spec.attributes:
                yield from _wrong("attributes.", item.values, NODE)
        case Alert():
            yield from _in_alert(spec)
        case Primitive() | Template():
            yield from _in_agent(spec)
        case Group() | Clone() | Bundle():
            yield from _in_meta(spec.meta)


def _in_alert(alert: Alert) -> Iterator[tuple[str, str, str, Words]]:
    for item in alert.meta:
        yield from _wrong("meta.", item.values, ALERT)
    for recipient in alert.recipients:
        for item in recipient.meta:
            yield from _wrong(f"recipients[{recipient.value}].meta.", item.values, ALERT)


def _in_agent(spec: Primitive | Template) -> Iterator[tuple[str, str, str, Words]]:
    yield from _in_meta(spec.meta)
    for operation in spec.operations:
        if operation.meta or operation.name not in ACTIONS.meant:
            yield from _in_operation(operation)
    if spec.agent is None or spec.agent.startswith("stonith:"):
        yield from _in_device(spec.params)


def _in_meta(sets: Iterable[AttributeSet]) -> Iterator[tuple[str, str, str, Words]]:
    for item in sets:
        yield from _wrong("meta.", item.values, META)


_OPTIONS: Mapping[type[Spec], Words] = {ClusterProperties: PROPERTIES, OperationDefaults: OPERATION}


def _in_operation(operation: Operation) -> Iterator[tuple[str, str, str, Words]]:
    path = f"operations[{' '.join(operation.key).removesuffix(' ').removesuffix(' 0s')}]."
    yield from _wrong(path, (operation.name,), ACTIONS, "name")
    for item in operation.meta:
        yield from _wrong(f"{path}meta.", item.values, OPERATION)


def _in_device(sets: Iterable[AttributeSet]) -> Iterator[tuple[str, str, str, Words]]:
    for item in sets:
        theirs = [name.removeprefix(_FENCING) for name in item.values if name.startswith(_FENCING)]
        for _, name, meant, words in _wrong("", theirs, FENCING):
            yield f"params.{_FENCING}{name}", f"{_FENCING}{name}", f"{_FENCING}{meant}", words


def _wrong(path: str, names: Iterable[str], words: Words, field: str = "") -> Iterator[tuple[str, str, str, Words]]:
    for name in names:
        if name not in words.meant and (meant := slip(name, words)):
            yield path + (field or name), name, meant, words


@lru_cache(maxsize=200)
def slip(name: str, words: Words) -> str:
    """Return the name that was meant by one that is not known, empty if none is close to it."""
    # People number names, and nobody means a name without a number then.
    return "" if name in words.taken or any(map(str.isdigit, name)) else alike(name, words.meant)


def alike(name: str, names: Iterable[str]) -> str:
    """Return the one of some names that another is most like, empty if none is so much like it as a slip is."""
    folded = {_folded(other): other for other in sorted(names)}
    said = _folded(name)
    swapped = (other for other in folded if said == other or sorted(said) == sorted(other))
    close = next(swapped, None) or next(iter(get_close_matches(said, folded, n=1, cutoff=_ALIKE)), None)
    return folded[close] if close else ""


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")
