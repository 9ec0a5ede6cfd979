"""What manifests may say that does nothing, or something else than it seems to: agents, fencing levels, rules. Pure."""

import re
from collections import Counter
from collections.abc import Iterator

from reconciler.cib import rules
from reconciler.kinds.clone import Clone
from reconciler.kinds.colocation import Colocation
from reconciler.kinds.fencing_topology import FencingTopology
from reconciler.kinds.identity import located
from reconciler.kinds.node import Node
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.rule import Rule
from reconciler.kinds.tag import Tag
from reconciler.kinds.template import Template
from reconciler.spelling import alike
from reconciler.state import Doubt, Ref, Spec, State

CLASSES = ("ocf", "systemd", "stonith", "service", "lsb", "upstart", "nagios", "heartbeat")
"""The classes of agents that `resources-3.9.rng` and the schemas before it allow."""

_WATCHDOG = "watchdog"
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)


def ineffective(state: State, around: State) -> Iterator[Doubt]:
    """Yield what has no effect in `state`; `around` is that and what else there is in the cluster."""
    for ref, spec in state.items():
        match spec:
            case Primitive() | Template():
                yield from _strange_class(ref, spec)
                yield from _uncounted(ref, spec)
            case Node():
                yield from _uncounted(ref, spec)
            case FencingTopology():
                yield from _levels(ref, spec, around)
            case Colocation(resource=str(name)) if name == spec.with_:
                yield Doubt(ref, "spec.with", f"{name!r} with itself has no effect")
            case _:
                pass


def offline(state: State) -> Iterator[Doubt]:
    """Yield what only the manifests themselves can tell of, while there is no cluster that says more."""
    names = {ref.name for ref in state}
    for ref, spec in state.items():
        for place, rule in located(spec, Rule):
            if rule.expression is not None:
                for doubt in rules.doubts(rules.parse(rule.expression)):
                    yield Doubt(ref, f"spec.{place}.expression", doubt)
        for field, name in _loose(spec):
            if name not in names and (meant := alike(name, names)):
                yield Doubt(ref, f"spec.{field}", f"no manifest has {name!r}; did you mean {meant!r}?")
            elif name not in names and isinstance(spec, FencingTopology):
                message = f"no manifest has {name!r}: unless the cluster has it, the level can fence nobody"
                yield Doubt(ref, f"spec.{field}", message)


def _loose(spec: Spec) -> Iterator[tuple[str, str]]:
    """Yield the names that may be of what is not there, each with its field."""
    if isinstance(spec, Tag):
        yield from ((f"objects[{index}]", name) for index, name in enumerate(spec.objects))
    elif isinstance(spec, FencingTopology):
        for level in spec.levels:
            yield from ((f"levels[{level.at}].devices", name) for name in level.devices if name != _WATCHDOG)


def _strange_class(ref: Ref, spec: Primitive | Template) -> Iterator[Doubt]:
    standard = (spec.agent or "ocf").partition(":")[0]
    if standard not in CLASSES:
        expected = f"expected one of {', '.join(CLASSES)}"
        yield Doubt(ref, "spec.agent", f"{standard!r} is no class of agents that Pacemaker knows; {expected}")


def _uncounted(ref: Ref, spec: Primitive | Template | Node) -> Iterator[Doubt]:
    for item in spec.utilization:
        for name, value in item.values.items():
            if _INTEGER.fullmatch(value.strip()) is None:
                message = f"{value!r} is not a whole number, and Pacemaker counts in whole numbers"
                yield Doubt(ref, f"spec.utilization.{name}", message)


def _levels(ref: Ref, spec: FencingTopology, around: State) -> Iterator[Doubt]:
    for at, count in Counter(level.at for level in spec.levels).items():
        if count > 1:
            message = f"is there {count} times: Pacemaker takes them for one level, and wants all their devices"
            yield Doubt(ref, f"spec.levels[{at}]", message)
    for name in sorted({name for level in spec.levels for name in level.devices}):
        agent = _agent(name, around)
        if agent is not None and not agent.startswith("stonith:"):
            yield Doubt(ref, "spec.levels", f"{name!r} cannot fence: its agent is {agent}, and no stonith:…")


def _agent(name: str, around: State) -> str | None:
    """Return the agent of a resource; None if it is not known."""
    clone = around.get(Ref("Clone", name))
    spec = around.get(Ref("Primitive", clone.resource if isinstance(clone, Clone) else name))
    if isinstance(spec, Primitive) and spec.template is not None:
        spec = around.get(Ref("Template", spec.template))
    return spec.agent if isinstance(spec, Primitive | Template) else None
