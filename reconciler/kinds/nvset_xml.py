"""Attribute sets -> elements, keeping what is live wherever it means the same. Pure."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from reconciler.kinds.base import fresh_id, identifier
from reconciler.kinds.nvset import UNCONDITIONAL, VERBATIM, AttributeSet, Vocabulary, means, read_set
from reconciler.kinds.rule import write_condition
from reconciler.secret import reveal


def write_sets(  # noqa: PLR0913
    tag: str,
    owner: str,
    sets: tuple[AttributeSet, ...],
    live: Sequence[ET.Element],
    words: Vocabulary = VERBATIM,
    *,
    fresh: str = "",
) -> list[ET.Element]:
    """Return the elements that say `sets`, keeping live elements, ids and spellings wherever they mean the same.

    New sets get the ids that crm and pcs give: `<owner>-<tag>` (or `fresh`), their pairs `<owner>-<tag>-<name>`.
    """
    said = frozenset(item.id for item in sets if item.id)
    rules = {item.rule.id for item in sets if item.rule and item.rule.id}
    remaining = [
        element
        for element in live
        if element.get("id") in said or not _is_empty(element) or not rules.isdisjoint(_rules(element))
    ]
    written: list[ET.Element] = []
    used = {*said, *(element.get("id") for element in live)}
    for item in sets:
        matches = _matching(item, remaining, said)
        remaining = [element for element in remaining if element not in matches]
        if item.id_ref is not None:
            written.append(matches[0] if matches else ET.Element(tag, {"id-ref": item.id_ref}))
        elif matches:
            written += _edited(item, matches, words)
        else:
            written.append(_new_set(tag, item.id or fresh_id(fresh or identifier(owner, tag), used), item))
    kept = {element.get("id") for element in written}
    for place, element in reversed([*enumerate(live)]):
        if _is_empty(element) and element.get("id") not in kept:
            behind = {(other.get("id"), other.get("id-ref")) for other in live[place + 1 :]}
            keys = [(other.get("id"), other.get("id-ref")) in behind for other in written]
            written.insert(keys.index(True) if True in keys else len(keys), element)
    return written


def write_set(tag: str, name: str, item: AttributeSet, live: ET.Element | None, words: Vocabulary) -> ET.Element:
    """Return the one set of this id that says `item`."""
    if item.id_ref is not None:
        same = live is not None and live.get("id-ref") == item.id_ref
        return live if live is not None and same else ET.Element(tag, {"id-ref": item.id_ref})
    if live is None or live.get("id-ref") is not None:
        return _new_set(tag, name, item)
    edited = _edited(item, [live], words)
    return _with_condition(edited[0] if edited else _emptied(live), item)


def _emptied(live: ET.Element) -> ET.Element:
    """Return the set without its pairs: the set itself if it has none."""
    if live.find("nvpair") is None:
        return live
    emptied = ET.Element(live.tag, live.attrib)
    emptied.extend(child for child in live if child.tag != "nvpair")
    return emptied


def _with_condition(element: ET.Element, item: AttributeSet) -> ET.Element:
    """Return the set with the rule and the score of `item`: the set itself if it has them."""
    if read_set(element).condition == item.condition:
        return element
    rest = {name: value for name, value in element.items() if name != "score"}
    written = ET.Element(element.tag, rest | ({"score": item.score} if item.score else {}))
    if item.rule:
        written.append(write_condition(f"{element.get('id')}-rule", item.rule, element.find("rule")))
    written.extend(child for child in element if child.tag != "rule")
    return written


def _is_empty(element: ET.Element) -> bool:
    return not read_set(element).is_said


def _rules(element: ET.Element) -> set[str | None]:
    return {rule.get("id") for rule in element.iterfind("rule")}


def _matching(item: AttributeSet, live: Sequence[ET.Element], said: frozenset[str]) -> list[ET.Element]:
    """Find the live sets that an item is to take the place of.

    That is the one of its id; else, among those whose ids no other item has, the one of the same condition, or all
    neighbours for an unconditional item.
    """
    own = [element for element in live if item.id is not None and element.get("id") == item.id]
    if own:
        return own if read_set(own[0]).condition == item.condition else []
    found: list[ET.Element] = []
    for element in live:
        same = read_set(element).condition == item.condition and element.get("id", "") not in said
        if same and item.condition != UNCONDITIONAL:
            return [element]
        if same:
            found.append(element)
        elif found:
            break
    return found


def _new_set(tag: str, name: str, item: AttributeSet) -> ET.Element:
    element = ET.Element(tag, {"id": name} | ({"score": item.score} if item.score else {}))
    if item.rule:
        element.append(write_condition(f"{name}-rule", item.rule, None))
    element.extend(_pair(element, key, item) for key in item.values)
    element.extend(_references(item))
    return element


def _pair(container: ET.Element, name: str, item: AttributeSet) -> ET.Element:
    own = item.ids.get(name) or identifier(container.get("id", ""), name)
    return ET.Element("nvpair", {"id": own, "name": name, "value": reveal(item.values[name])})


def _references(item: AttributeSet) -> list[ET.Element]:
    return [
        ET.Element("nvpair", {"id-ref": pair.id_ref} | ({"name": pair.name} if pair.name is not None else {}))
        for pair in item.nvpairs
    ]


def _edited(item: AttributeSet, live: Sequence[ET.Element], words: Vocabulary) -> list[ET.Element]:
    """Edit live sets pair by pair; a set that needs no edit is returned as the same object, an emptied one is not.

    Of several pairs of one name only one counts for Pacemaker; the others stay as they are, and so do pairs without
    a value.
    """
    counts = _counting(live, words)
    missing = [name for name in item.values if name not in counts]
    references = {_key(pair): pair for pair in _references(item)}
    missing_references = references.keys() - {_key(pair) for element in live for pair in element.iter("nvpair")}
    result: list[ET.Element] = []
    for element in live:
        copy = ET.Element(element.tag, element.attrib)
        for child in element:
            if child.tag == "rule" and item.rule:
                copy.append(write_condition("", item.rule, child))
            elif child.tag != "nvpair" or _is_mute(child):
                copy.append(child)
            elif child.get("id-ref") is not None:
                copy.extend([child] if _key(child) in references else [])
            elif (name := words.name(child.get("name", ""))) in item.values:
                copy.append(_edited_pair(child, element, name, item, words) if child is counts[name] else child)
        if not result and (copy.find("nvpair") is not None or element is live[-1]):
            copy.extend(_pair(element, name, item) for name in missing)
            copy.extend(pair for key, pair in references.items() if key in missing_references)
            if item.id is not None:
                copy.set("id", item.id)
        unchanged = copy.attrib == element.attrib and len(copy) == len(element)
        unchanged = unchanged and all(new is old for new, old in zip(copy, element, strict=True))
        if copy.find("nvpair") is not None or item.id is not None or (item.rule and item.rule.id):
            result.append(element if unchanged else copy)
    return result


def _is_mute(pair: ET.Element) -> bool:
    return pair.get("id-ref") is None and pair.get("value") is None


def _key(reference: ET.Element) -> tuple[str | None, str | None]:
    return reference.get("id-ref"), reference.get("name")


def _counting(live: Sequence[ET.Element], words: Vocabulary) -> Mapping[str, ET.Element]:
    """Find the pair that counts for each name: the first in the last set, of the current name, else of the old one."""
    found: dict[str, ET.Element] = {}
    for element in reversed(live):
        for pair in element.iter("nvpair"):
            if pair.get("id-ref") is None and not _is_mute(pair):
                found.setdefault(pair.get("name", ""), pair)
    return {words.name(name): found.get(words.name(name), pair) for name, pair in found.items()}


def _edited_pair(
    pair: ET.Element, container: ET.Element, name: str, item: AttributeSet, words: Vocabulary
) -> ET.Element:
    edited = dict(pair.items())
    if means(words, name, pair.get("value", ""), observed=True) != item.values[name]:
        edited["value"] = reveal(item.values[name])
    if name in item.ids:
        edited["id"] = item.ids[name]
    elif pair.get("id") in item.ids.values():  # the manifest gives it to another one
        edited["id"] = identifier(container.get("id", ""), name)
    return pair if edited == dict(pair.items()) else ET.Element("nvpair", edited)
