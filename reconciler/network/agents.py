"""The resource agents in a CIB that may put something on a node's network, with all that they could be told. Pure.

Where a value depends on a rule, a node or the order of attribute sets, every possible value is kept.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from xml.etree import ElementTree as ET

from reconciler.frozen import frozen

ADDRESS = re.compile(r"ip(v[46])?[-_]?addr|vip|(virtual|move|floating)[-_]?v?ip$")
"""Agents that add addresses: IPaddr, IPaddr2, IPv6addr, VIPArip, those of the clouds, and copies under other names."""

SOURCE = re.compile(r"ipsrcaddr")
ROUTE = re.compile(r"^route$")
BUNDLE = "bundle"

_OF_AGENTS = frozenset({"ocf", "heartbeat"})
_CLONES = frozenset({"clone", "master"})
_OFF = frozenset({"", "0", "false", "off", "no", "n"})
_MOST_INSTANCES = 256
"""IPaddr2 counts instances up in the last octet: there are no more."""


@frozen
class Agent:
    """A resource, the lower-case name of its agent, every value of every parameter, and its most instances."""

    resource: str
    type: str
    params: Mapping[str, frozenset[str]]
    instances: int = 1

    def values(self, *names: str) -> list[str]:
        """Return all values of these parameters."""
        return sorted(value for name in names for value in self.params.get(name, ()))

    def is_on(self, name: str) -> bool:
        """True if the parameter may be true."""
        return any(value.strip().lower() not in _OFF for value in self.params.get(name, ()))


def declared(agent: str, params: Mapping[str, str], instances: int) -> Agent | None:
    """Return a primitive as manifests say it, or None if it has nothing to do with the network.

    Args:
        agent: for example `ocf:heartbeat:IPaddr2`.
        params: its parameters.
        instances: how many there may be if it is cloned.
    """
    class_, _, type_ = agent.rpartition(":")
    if class_.split(":", 1)[0] not in _OF_AGENTS or not _concerns(type_.lower()):
        return None
    every = {name.lower(): frozenset({value}) for name, value in params.items()}
    return Agent(f"the {type_} {params.get('ip', '')}".rstrip(), type_.lower(), every, instances)


def configured(configuration: ET.Element) -> Iterator[Agent]:
    """Yield the agents in a CIB's `<configuration>` that may put something on a node's network."""
    for section in configuration.findall("resources"):
        yield from _inside(section, configuration, 1)


def nodes(configuration: ET.Element) -> int:
    """Return how many nodes a CIB names, at least 1."""
    return max(1, len(configuration.findall("nodes/node")))


def _inside(parent: ET.Element, configuration: ET.Element, instances: int) -> Iterator[Agent]:
    for child in parent:
        if child.tag == "primitive":
            agent = _primitive(child, configuration, instances)
            if agent is not None:
                yield agent
        elif child.tag == BUNDLE:
            yield from _bundle(child)
            yield from _inside(child, configuration, _replicas(child))
        elif child.tag in _CLONES:
            yield from _inside(child, configuration, _clone_max(child, configuration))
        elif child.tag == "group":
            yield from _inside(child, configuration, instances)


def _concerns(type_: str) -> bool:
    return any(pattern.search(type_) for pattern in (ADDRESS, SOURCE, ROUTE))


def _primitive(primitive: ET.Element, configuration: ET.Element, instances: int) -> Agent | None:
    template = _by_id(configuration, primitive.get("template"))
    described = primitive if template is None else template
    type_ = str(described.get("type", "")).lower()
    if described.get("class") not in _OF_AGENTS or not _concerns(type_):
        return None
    params: dict[str, set[str]] = {}
    for element in (primitive, *([] if template is None else [template])):
        for name, value in _pairs(element, configuration):
            params.setdefault(name.lower(), set()).add(value)
    name = f"{described.get('type')} {primitive.get('id')}"
    return Agent(name, type_, {key: frozenset(values) for key, values in params.items()}, instances)


def _pairs(element: ET.Element, configuration: ET.Element) -> Iterator[tuple[str, str]]:
    for found in element.iter("instance_attributes"):
        given = _by_id(configuration, found.get("id-ref")) if found.get("id-ref") else found
        for pair in () if given is None else given.iter("nvpair"):
            target = _by_id(configuration, pair.get("id-ref")) if pair.get("id-ref") else pair
            if target is not None:
                yield pair.get("name", target.get("name", "")), target.get("value", "")


def _by_id(configuration: ET.Element, wanted: str | None) -> ET.Element | None:
    if wanted is None:
        return None
    return next((element for element in configuration.iter() if element.get("id") == wanted), None)


def _clone_max(clone: ET.Element, configuration: ET.Element) -> int:
    said = (pair.get("value", "") for pair in clone.iter("nvpair") if pair.get("name") in {"clone-max", "clone_max"})
    return most_instances([*said, str(nodes(configuration))])


def most_instances(said: Iterable[str]) -> int:
    """Return the largest of these numbers, between 1 and what an octet holds; other texts are passed over."""
    return min(_MOST_INSTANCES, max([1, *(int(text) for text in said if text.isascii() and text.isdigit())]))


def _replicas(bundle: ET.Element) -> int:
    names = ("replicas", "promoted-max", "masters")
    return most_instances(container.get(name, "") for container in bundle for name in names)


def _bundle(bundle: ET.Element) -> Iterator[Agent]:
    """A bundle's network means one implicit IPaddr2 a replica (Pacemaker Explained, Bundle Network Properties)."""
    for network in bundle.findall("network"):
        start, nic = network.get("ip-range-start"), network.get("host-interface")
        if start:
            params = {"ip": frozenset({start}), "nic": frozenset({nic} if nic else ())}
            yield Agent(f"bundle {bundle.get('id')}", BUNDLE, params, _replicas(bundle))
