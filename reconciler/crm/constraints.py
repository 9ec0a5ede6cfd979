"""Constraints in crm's words: location, colocation, order, rsc_ticket. Pure."""

import re
from xml.etree import ElementTree as ET

from reconciler.cib.values import boolean
from reconciler.crm.members import PLACEHOLDER, action, resource_sets, split_brackets
from reconciler.crm.resources import known_role
from reconciler.crm.sets import identifier, score, scored, take_rules, take_score
from reconciler.crm.words import Words
from reconciler.reading import StatementError

_PATTERN = re.compile(r"/(.+)/", re.DOTALL)
_KINDS = {"mandatory": "Mandatory", "optional": "Optional", "serialize": "Serialize"}
_POLICIES = ("stop", "demote", "fence", "freeze")


def location(words: Words) -> ET.Element:
    """Read what follows `location`."""
    found = ET.Element("rsc_location", {"id": identifier(words, "a location")})
    if match := words.take_match(_PATTERN):
        found.set("rsc-pattern", match[1])
    elif words.take_keyword("{"):
        found.extend(resource_sets(words.until("}"), "role"))
    else:
        found.set("rsc", identifier(words, "the resource"))
    _take_options(words, found)
    said = take_score(words)
    if said is None:
        found.extend(take_rules(words))
        if found.find("rule") is None:
            raise StatementError("says neither `SCORE: NODE` nor `rule …`")
        return found
    number = score(said)
    if number is None:
        raise StatementError(f"{said!r} is not a score: expected a number, inf or -inf")
    found.set("score", number)
    found.set("node", identifier(words, "the node"))
    _take_options(words, found)
    return found


def _take_options(words: Words, found: ET.Element) -> None:
    while (word := words.peek()) is not None and "=" in word:
        state = words.option("role", "$role")
        discovery = words.option("resource-discovery", "$resource-discovery") if state is None else None
        if state is not None:
            found.set("role", known_role(state))
        elif discovery is not None:
            found.set("resource-discovery", discovery)
        else:
            raise StatementError(f"{word!r} is not expected there: a location takes role= and resource-discovery=")


def colocation(words: Words) -> ET.Element:
    """Read what follows `colocation` or `collocation`."""
    found = ET.Element("rsc_colocation", {"id": identifier(words, "a colocation")})
    said = take_score(words)
    if said is None:
        raise StatementError("says no score, such as `inf:`, after its id")
    found.attrib.update(scored(said))
    found.attrib.update(words.later_options({"node-attribute"}))
    members = words.rest()
    if len(members) == 2 and PLACEHOLDER not in members:  # noqa: PLR2004  two names are a pair
        for attribute, text in zip(("rsc", "with-rsc"), members, strict=True):
            _set_side(found, attribute, text)
    else:
        found.extend(_sets(members, "role"))
    return found


def order(words: Words) -> ET.Element:
    """Read what follows `order`."""
    found = ET.Element("rsc_order", {"id": identifier(words, "an order")})
    said = take_score(words)
    if said is not None:
        kind = _KINDS.get(said.lower())
        number = None if kind else score(said)
        if kind is None and number is None:
            raise StatementError(f"{said!r} is not a kind: expected Mandatory, Optional or Serialize")
        found.set("kind", kind or ("Optional" if number == "0" else "Mandatory"))
    for text in words.later_options({"symmetrical"}).values():
        found.set("symmetrical", _boolean(text))
    members = words.rest()
    if len(members) == 2 and PLACEHOLDER not in members:  # noqa: PLR2004  two names are a pair
        for attribute, text in zip(("first", "then"), members, strict=True):
            _set_action(found, attribute, text)
    else:
        found.extend(_sets(members, "action"))
    return found


def ticket(words: Words) -> ET.Element:
    """Read what follows `rsc_ticket`."""
    found = ET.Element("rsc_ticket", {"id": identifier(words, "a ticket constraint")})
    said = take_score(words)
    if said is None:
        raise StatementError("says no `TICKET:` after its id")
    found.set("ticket", said)
    for text in words.later_options({"loss-policy"}).values():
        if text not in _POLICIES:
            raise StatementError(f"{text!r} is not one of {', '.join(_POLICIES)}")
        found.set("loss-policy", text)
    members = words.rest()
    if len(members) == 1 and PLACEHOLDER not in members:
        _set_side(found, "rsc", members[0])
    else:
        found.extend(_sets(members, "role"))
    return found


def _sets(members: list[str], qualifier: str) -> list[ET.Element]:
    found = resource_sets(members, qualifier)
    if not found:
        raise StatementError("names no resources")
    return found


def _set_side(found: ET.Element, attribute: str, text: str) -> None:
    name, qualifier = _name_and(text)
    found.set(attribute, name)
    if qualifier.isdigit():
        found.set(f"{attribute}-instance", qualifier)
    elif qualifier:
        found.set(f"{attribute}-role", known_role(qualifier))


def _set_action(found: ET.Element, attribute: str, text: str) -> None:
    name, qualifier = _name_and(text)
    found.set(attribute, name)
    if qualifier.isdigit():
        found.set(f"{attribute}-instance", qualifier)
    elif qualifier:
        found.set(f"{attribute}-action", action(qualifier))


def _name_and(text: str) -> tuple[str, str]:
    if len(split_brackets([text])) > 1 or not text:
        raise StatementError(f"{text!r} is not a resource")
    name, _, qualifier = text.partition(":")
    return name, qualifier


def _boolean(text: str) -> str:
    try:
        return boolean(text)
    except ValueError as error:
        raise StatementError(str(error)) from error
