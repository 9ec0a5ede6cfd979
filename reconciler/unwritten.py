"""Location rules on what ping resources find out, under a name that none writes: then a ban holds everywhere. Pure.

A rule may look at any node attribute, and anything may write one. Doubted is only what can hardly be meant otherwise:
`pingd`, the name under which the agents write by default, the name of a ping resource itself, and what is almost a name
that one writes.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from reconciler.cib import rules
from reconciler.cib.ping import AGENTS, DEFAULT_NAME
from reconciler.kinds.location import Location
from reconciler.kinds.node import Node
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.template import Template
from reconciler.secret import Secret
from reconciler.spelling import alike
from reconciler.state import Doubt, State

_OTHERS = frozenset({"ocf:pacemaker:attribute", "ocf:heartbeat:attribute"})
"""Agents that write the attribute that their parameter `name` says."""


class _Written(NamedTuple):
    pings: dict[str, str]
    """What each ping resource writes."""
    others: frozenset[str]
    """The attributes that something else sets for good."""
    known: bool
    """False if a name is not to be known: a secret, or a value that another set says."""


def unwritten(state: State, around: State) -> Iterator[Doubt]:
    """Yield the rules in `state` on an attribute that no ping resource of `around`, all that there will be, writes."""
    asked = [
        (ref, f"spec.rules[{index}].expression", name)
        for ref, spec in state.items()
        if isinstance(spec, Location)
        for index, rule in enumerate(spec.rules)
        if rule.expression
        for name in _attributes(rule.expression)
    ]
    written = _written(around) if asked else None
    if written is None or not written.known:
        return
    for ref, field, name in asked:
        if message := _missing(name, written):
            yield Doubt(ref, field, message)


def _missing(name: str, written: _Written) -> str:
    writes = set(written.pings.values())
    if name in writes or name in written.others:
        return ""
    if name != DEFAULT_NAME and name not in written.pings and not alike(name, writes):
        return ""
    which = ", ".join(f"{ping} writes {attribute!r}" for ping, attribute in sorted(written.pings.items()))
    known = f": by its parameter `name` {which}" if which else ""
    return f"no ping resource writes the node attribute {name!r}{known}; unless something else does, no node has it"


@lru_cache(maxsize=1000)
def _attributes(expression: str) -> tuple[str, ...]:
    return tuple(sorted(set(_asked(rules.parse(expression)))))


def _asked(expression: rules.Expression) -> Iterator[str]:
    match expression:
        case rules.Combination(operands=operands):
            for operand in operands:
                yield from _asked(operand)
        case rules.Defined() | rules.Comparison():
            yield expression.attribute


def _written(around: State) -> _Written:
    templates = {ref.name: spec for ref, spec in around.items() if isinstance(spec, Template)}
    pings: dict[str, str] = {}
    others: set[str] = set()
    known = True
    for ref, spec in around.items():
        if isinstance(spec, Node):
            others.update(name for item in spec.attributes for name in item.values)
        if not isinstance(spec, Primitive):
            continue
        template = templates.get(spec.template or "")
        agent = spec.agent or (template.agent if template else "")
        if agent not in AGENTS and agent not in _OTHERS:
            continue
        sets = (*spec.params, *(template.params if template else ()))
        said = [item.values["name"] for item in sets if "name" in item.values]
        known &= not any(item.id_ref or item.nvpairs for item in sets) and not any(isinstance(x, Secret) for x in said)
        others.update(said)
        if agent in AGENTS:
            pings[ref.name] = said[0] if said else DEFAULT_NAME
    return _Written(pings, frozenset(others), known)
