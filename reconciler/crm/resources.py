"""Resources in crm's words: primitive, rsc_template, group, clone, ms, bundle, monitor. Pure."""

import re
from typing import Final
from xml.etree import ElementTree as ET

from reconciler.cib.values import role, split_agent
from reconciler.crm.sets import SECTIONS, identifier, take_description, take_pairs, take_set, take_sets
from reconciler.crm.words import Words
from reconciler.reading import StatementError

REFERENCE = "crmsh-ref"
"""The element that stands for a resource inside another until all statements are read; crm calls it so too."""

_SETS: Final = {"params": "instance_attributes", "meta": "meta_attributes"}
_PRIMITIVE_SETS = {**_SETS, "utilization": "utilization"}
_OPERATION_SETS: Final = {"op_params": "instance_attributes", "op_meta": "meta_attributes"}
_OPERATION = frozenset(
    {
        "id", "name", "interval", "description", "start-delay", "interval-origin", "timeout", "enabled",
        "record-pending", "role", "on-fail",
    }
)  # fmt: skip
"""The attributes of an `<op>` in Pacemaker's schemas from 2.0 on; crm takes all else as the agent's parameters."""

_PACEMAKERS = frozenset(
    {
        "attribute", "controld", "HealthCPU", "HealthIOWait", "HealthSMART", "ifspeed", "o2cb", "ping", "remote",
        "SystemHealth",
    }
)  # fmt: skip
"""Agents that Pacemaker has and resource-agents never had."""


def primitive(words: Words) -> ET.Element:
    """Read what follows `primitive`."""
    return _with_agent(words, ET.Element("primitive", {"id": identifier(words, "a primitive")}))


def template(words: Words) -> ET.Element:
    """Read what follows `rsc_template`."""
    return _with_agent(words, ET.Element("template", {"id": identifier(words, "a template")}))


def _with_agent(words: Words, resource: ET.Element) -> ET.Element:
    name = words.take("an agent")
    if name.startswith("@") and resource.tag == "primitive":
        resource.set("template", name[1:])
    else:
        _set_agent(words, resource, name)
    take_description(words, resource)
    take_sets(words, resource, _PRIMITIVE_SETS, "params")
    while words.keyword in ("op", "operations"):
        _take_operations(words, resource)
        take_sets(words, resource, _PRIMITIVE_SETS)
    return resource


def _set_agent(words: Words, resource: ET.Element, name: str) -> None:
    standard, _, rest = name.partition(":")
    if not rest or (standard == "ocf" and ":" not in rest):
        type_ = rest or standard
        provider = "pacemaker" if type_ in _PACEMAKERS else "heartbeat"
        if provider != "heartbeat" or type_ == "drbd":
            words.remarks.append(f"{type_} has no provider here: it is taken as ocf:{provider}:{type_}.")
        resource.attrib.update({"class": "ocf", "provider": provider, "type": type_})
        return
    try:
        agent = split_agent(name)
    except ValueError as error:
        raise StatementError(str(error)) from error
    resource.set("class", agent.standard)
    if agent.provider is not None:
        resource.set("provider", agent.provider)
    resource.set("type", agent.type)


def _take_operations(words: Words, resource: ET.Element) -> None:
    operations = resource.find("operations")
    if operations is None:
        operations = ET.SubElement(resource, "operations")
    if words.take_keyword("operations"):
        for name in ("id", "id-ref"):
            value = words.option(f"${name}")
            if value is not None:
                operations.set(name, value)
    while words.take_keyword("op"):
        operations.append(_operation(words))


def _operation(words: Words) -> ET.Element:
    operation = ET.Element("op", {"name": identifier(words, "an operation")})
    own = ET.Element("instance_attributes")
    for pair in take_pairs(words):
        name, value = pair.get("name", ""), pair.get("value")
        if name in _OPERATION and value is not None:
            operation.set(name, value)
        else:
            own.append(pair)
    operation.attrib.setdefault("interval", "0")
    if len(own):
        operation.append(own)
    take_sets(words, operation, _OPERATION_SETS)
    return operation


def monitor(words: Words) -> ET.Element:
    """Read what follows `monitor`: an operation, with the resource that it is for as its attribute `rsc`."""
    resource, _, state = words.take("the id of a resource").partition(":")
    interval, _, timeout = words.take("an interval").partition(":")
    operation = ET.Element("op", {"name": "monitor", "rsc": resource, "interval": interval})
    if timeout:
        operation.set("timeout", timeout)
    if state:
        operation.set("role", known_role(state))
    return operation


def known_role(text: str) -> str:
    """Return the role that a word means, in either spelling.

    Raises:
        StatementError: it is none.
    """
    try:
        return role(text)
    except ValueError as error:
        raise StatementError(str(error)) from error


def group(words: Words) -> ET.Element:
    """Read what follows `group`."""
    found = ET.Element("group", {"id": identifier(words, "a group")})
    members: list[str] = []
    while (name := words.peek()) is not None and "=" not in name and words.keyword not in _SETS:
        members.append(words.take("a resource"))
    _describe(words, found)
    twice = sorted({name for name in members if members.count(name) > 1})
    if twice:
        raise StatementError(f"names {twice[0]} twice")
    found.extend(ET.Element(REFERENCE, {"id": name}) for name in members)
    return found


def clone(words: Words) -> ET.Element:
    """Read what follows `clone`."""
    return _around_one(words, "clone")


def master(words: Words) -> ET.Element:
    """Read what follows `ms` or `master`."""
    return _around_one(words, "master")


def _around_one(words: Words, tag: str) -> ET.Element:
    found = ET.Element(tag, {"id": identifier(words, "a clone")})
    inner = ET.Element(REFERENCE, {"id": identifier(words, "the resource that is cloned")})
    _describe(words, found)
    found.append(inner)
    return found


def _describe(words: Words, container: ET.Element) -> None:
    take_description(words, container)
    take_sets(words, container, _SETS, "params")


_CONTAINERS = ("docker", "podman", "rkt")
_PARTS = (*_CONTAINERS, "network", "storage", "primitive", "meta", "params")
_ATTRIBUTE = re.compile(r"[a-z][a-z-]*")
_MAPPINGS = {"network": "port-mapping", "storage": "storage-mapping"}


def bundle(words: Words) -> ET.Element:
    """Read what follows `bundle`."""
    found = ET.Element("bundle", {"id": identifier(words, "a bundle")})
    take_description(words, found)
    while word := words.take_keyword(*_PARTS):
        if word in _SETS:
            found.append(take_set(words, _SETS[word], SECTIONS | set(_PARTS)))
        elif word == "primitive":
            found.append(ET.Element(REFERENCE, {"id": identifier(words, "the primitive inside")}))
        else:
            _take_part(words, found, word)
    return found


def _take_part(words: Words, found: ET.Element, tag: str) -> None:
    part = found.find(tag)
    if part is None:
        part = ET.SubElement(found, tag)
    mapping = _MAPPINGS.get(tag, "")
    place = part
    while words.left and words.keyword not in _PARTS:
        if mapping and words.take_keyword(mapping):
            place = ET.SubElement(part, mapping)
            continue
        name, sign, value = words.take(f"what the {tag} says").partition("=")
        if not sign or not _ATTRIBUTE.fullmatch(name):
            raise StatementError(f"{name!r} stands where {tag} takes name=value")
        place.set(name, value)
