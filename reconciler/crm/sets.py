"""Attribute sets and rules in crm's words: `params $id=x 10: rule #uname eq n1 ip=192.0.2.1`. Pure."""

import re
from collections.abc import Collection, Mapping
from xml.etree import ElementTree as ET

from reconciler.cib import rules
from reconciler.crm.words import Words
from reconciler.reading import StatementError

SECTIONS = frozenset(
    {"params", "meta", "utilization", "operations", "op", "op_params", "op_meta", "rule", "attributes"}
)
"""Words that end a list of values."""

_SCORE = re.compile(r"([^:]+):")
_NUMBER = re.compile(r"([+-]?)(inf(?:inity)?|[0-9]+)", re.IGNORECASE)
_NAMED = {"advisory": "0", "mandatory": "INFINITY"}
_REFERENCE = re.compile(r"@([^:]+)(?::(.+))?", re.DOTALL)
_WITH_ID = re.compile(r"\$([^:=]+)(?::([^=]+))?=(.*)", re.DOTALL)
_PAIR = re.compile(r"([^=@$][^=]*)=(.*)", re.DOTALL)
_NAME = re.compile(r"[^:=@$]+")
_HIDDEN = re.compile(r"\*{6}")


def score(text: str) -> str | None:
    """Return a score as Pacemaker knows it, None for what is none: `inf` is INFINITY, `advisory` is 0."""
    if (known := _NAMED.get(text.lower())) is not None:
        return known
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    sign, number = match.groups()
    return sign + (number if number.isdigit() else "INFINITY")


def take_score(words: Words) -> str | None:
    """Take a word that ends with a colon, without it."""
    match = words.take_match(_SCORE)
    return match[1] if match else None


def scored(text: str) -> dict[str, str]:
    """Return the attributes that say a rule's or colocation's score: what is no number names a node attribute."""
    number = score(text)
    return {"score-attribute": text} if number is None else {"score": number}


def take_rules(words: Words) -> list[ET.Element]:
    """Take `rule …` as often as it stands there."""
    found = []
    while words.take_keyword("rule"):
        found.append(_rule(words))
    return found


def _rule(words: Words) -> ET.Element:
    reference = words.option("$id-ref")
    if reference is not None:
        return ET.Element("rule", {"id-ref": reference})
    rule = ET.Element("rule")
    name = words.option("$id")
    if name is not None:
        rule.set("id", name)
    role = words.option("$role", "role")
    if role is not None:
        rule.set("role", role)
    said = take_score(words)
    rule.attrib.update(scored(said) if said is not None else {"score": "INFINITY"})
    rules.fill(rule, words.expression())
    for part in rule.iter():
        if part is not rule:
            part.attrib.pop("id", None)
    return rule


def take_set(words: Words, tag: str, stops: Collection[str] = SECTIONS) -> ET.Element:
    """Take what follows `params` or the like, up to one of the words that end it."""
    reference = words.option("$id-ref")
    if reference is not None:
        return ET.Element(tag, {"id-ref": reference})
    found = ET.Element(tag)
    name = words.option("$id")
    if name is not None:
        found.set("id", name)
    said = take_score(words)
    if said is not None:
        found.set("score", score(said) or said)
    found.extend(take_rules(words))
    found.extend(take_pairs(words, stops))
    return found


def take_pairs(words: Words, stops: Collection[str] = SECTIONS) -> list[ET.Element]:
    """Take name=value words as pairs; a name alone is a pair without a value, as in crm, and remarked on."""
    pairs = []
    while words.left and words.keyword not in stops:
        if match := words.take_match(_REFERENCE):
            pairs.append(_pair({"id-ref": match[1], "name": match[2]}))
        elif match := words.take_match(_WITH_ID):
            pairs.append(_pair({"id": match[1], "name": match[2] or match[1], "value": match[3]}))
        elif match := words.take_match(_PAIR):
            pairs.append(_pair({"name": match[1], "value": match[2]}))
            if _HIDDEN.fullmatch(match[2]):
                words.remarks.append(f"The value of {match[1]} is hidden by `crm configure show`, not by `save`.")
        elif match := words.take_match(_NAME):
            pairs.append(_pair({"name": match[0]}))
            words.remarks.append(f"{match[0]!r} has no value: crm takes it as a name with none, which says nothing.")
        else:
            break
    return pairs


def _pair(attributes: Mapping[str, str | None]) -> ET.Element:
    return ET.Element("nvpair", {name: value for name, value in attributes.items() if value is not None})


def take_sets(
    words: Words, owner: ET.Element, tags: Mapping[str, str], first: str = "", ends: Collection[str] = ()
) -> None:
    """Take sets, each after its word, and put them into an element.

    Args:
        words: the statement.
        owner: gets the sets.
        tags: the elements by the words that begin them.
        first: the word that is meant where values stand there without one.
        ends: further words that end a list of values.
    """
    stops = SECTIONS | set(tags) | set(ends)
    if first and words.keyword not in stops:
        found = take_set(words, tags[first], stops)
        if found.attrib or len(found):
            owner.append(found)
    while word := words.take_keyword(*tags):
        owner.append(take_set(words, tags[word], stops))


def take_description(words: Words, owner: ET.Element) -> None:
    """Take `description=…`."""
    text = words.option("description")
    if text is not None:
        owner.set("description", text)


def identifier(words: Words, what: str) -> str:
    """Take the id of an object.

    Raises:
        StatementError: the next word is none.
    """
    name = words.take(f"the id of {what}")
    if not name or "=" in name:
        raise StatementError(f"{name!r} is not an id of {what}")
    return name
