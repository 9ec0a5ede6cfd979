"""Whole configurations at random from Pacemaker's RELAX NG schemas: many features that meet in one document.

What the schema says is walked; what it does not say (names that Pacemaker knows, who refers to what, agents, node
names) is filled in afterwards. So nothing here knows of our kinds. A few documents in a hundred are not valid.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from random import Random
from xml.etree import ElementTree as ET

from tests.cib import relaxng_pools as pools
from tests.cib.relaxng import ID, REFERENCE, Grammar, Pattern, inner_of, kind_of, name_of, values_of

_RESOURCES = ("primitive", "group", "clone", "master", "bundle")
_CONSTRAINTS = ("rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket")
_ODD_IDS = ("{}.x", "_{}", "{}-1", "ü{}", "{}.2-b_c", "Größe-{}", "X{}")
_TIMES = {
    "resources": 3.5,
    "constraints": 3.0,
    "nodes": 1.5,
    "group": 1.0,
    "crm_config": 0.8,
    "utilization": 1.2,
    **dict.fromkeys(("instance_attributes", "meta_attributes", "cluster_property_set"), 1.2),
}
_SELDOM = 0.12
_NOT_SHARED = ("dc-version", "cluster-infrastructure", "maintenance-mode", "master-max", "master-node-max")
"""A value that is Pacemaker's or a person's, or has two names, an import may leave out: who refers to it too."""
_DEFAULTS = ("rsc_defaults", "op_defaults")
"""Of two references in these to one set an import leaves one out: both would have the same name."""


def configuration(random: Random, grammar: Grammar) -> ET.Element:
    """Draw a `<configuration>` of 5 to 200 elements, with the nodes n1 and n2."""
    drawn = _Walk(random).configuration(Pattern(grammar, grammar.definitions[""], ()))
    _name_nodes(random, drawn)
    for owner in drawn.iter():
        _fill(random, owner, [str(found.get("id")) for found in drawn.iter("template")])
    _switch_off_fencing(random, drawn)
    _refer(random, drawn)
    while sum(_prune(parent) for parent in drawn.iter()):
        pass
    if random.random() < 2 * _SELDOM:
        _comment(random, drawn)
    return drawn


class _Walk:
    """A way through a schema."""

    def __init__(self, random: Random) -> None:
        self._random, self._numbers, self._depth = random, count(1), 0

    def configuration(self, pattern: Pattern) -> ET.Element:
        for part in pattern.parts():
            if kind_of(part.row[0]) == "element" and name_of(part.row[0]) == "configuration":
                return self._element(part)
        return self.configuration(inner_of(next(p for p in pattern.parts() if kind_of(p.row[0]) == "element")))

    def _element(self, part: Pattern) -> ET.Element:
        made = ET.Element(name_of(part.row[0]))
        self._depth += 1
        made.extend(self._row(inner_of(part), made))
        self._depth -= 1
        return made

    def _row(self, pattern: Pattern, owner: ET.Element, *, mixed: bool = False) -> Iterator[ET.Element]:
        rows = [list(self._one(part, owner)) for part in pattern.parts()]
        while rows := [row for row in rows if row]:
            yield (self._random.choice(rows) if mixed else rows[0]).pop(0)

    def _one(self, part: Pattern, owner: ET.Element) -> Iterator[ET.Element]:
        match kind_of(part.row[0]):
            case "optional":
                if self._random.random() < self._chance(part):
                    yield from self._row(inner_of(part), owner)
            case "zeroOrMore":
                yield from self._several(part, owner, 0)
            case "oneOrMore":
                yield from self._several(part, owner, 1)
            case "choice":
                yield from self._one(self._choice(part), owner)
            case "group" | "interleave" as kind:
                yield from self._row(inner_of(part), owner, mixed=kind == "interleave")
            case "attribute":
                owner.set(name_of(part.row[0]), self._value(part, owner))
            case "element":
                yield self._element(part)
            case "ref" | "parentRef" | "externalRef" | "grammar":
                resolved = part.resolved()
                yield from self._row(resolved, owner) if resolved is not None else ()

    def _chance(self, part: Pattern) -> float:
        inner = part.row[0][0]
        if kind_of(inner) == "attribute":
            return 0.97 if name_of(inner) == "value" else 0.3
        return 0.6 if self._depth <= 2 else 0.25

    def _several(self, part: Pattern, owner: ET.Element, least: int) -> Iterator[ET.Element]:
        mean, times = _TIMES.get(owner.tag, 0.45), least
        while times < 9 and self._random.random() < mean / (mean + 1):
            times += 1
        for _ in range(times):
            yield from self._row(inner_of(part), owner)

    def _choice(self, part: Pattern) -> Pattern:
        choices = list(inner_of(part).parts())
        own = [choice for choice in choices if not _refers(choice)]
        return self._random.choice(own if own and self._random.random() > _SELDOM else choices)

    def _value(self, part: Pattern, owner: ET.Element) -> str:
        name, allowed = name_of(part.row[0]), list(values_of(inner_of(part)))
        if ID in allowed or (owner.tag, name) == ("acl_target", "id"):
            short = "r" if owner.tag in _RESOURCES else f"{owner.tag[0]}{owner.tag[-1]}-"
            odd = self._random.choice(_ODD_IDS) if self._random.random() < _SELDOM else "{}"
            return odd.format(f"{short}{next(self._numbers)}")
        pool = pools.ATTRIBUTES.get(f"{owner.tag}@{name}") or pools.ATTRIBUTES.get(name)
        if pool and REFERENCE not in allowed and (name == "score" or set(allowed) <= {"1", "x"}):
            return self._random.choice(pool)
        return self._random.choice(allowed)


def _refers(choice: Pattern) -> bool:
    """Whether it is the reference to what another element says: an attribute alone, or with a name beside it."""
    parts = [part for part in choice.row[0].iter() if kind_of(part) in {"attribute", "element", "ref", "externalRef"}]
    return any(part.get("name") == "id-ref" for part in parts) and all(kind_of(part) == "attribute" for part in parts)


def _name_nodes(random: Random, drawn: ET.Element) -> None:
    section = drawn.find("nodes")
    assert section is not None
    section.extend(ET.Element("node") for _ in range(2 - len(section)))
    for number, node in enumerate(section, 1):
        node.attrib.update(id=str(number), uname=f"n{number}")
        if number <= 2:
            node.attrib.pop("type", None)
            node.attrib.update({"type": "member"} if random.random() < 0.5 else {})


def _fill(random: Random, owner: ET.Element, templates: list[str]) -> None:
    """Say which agent a resource has, and what the pairs of its sets are."""
    if owner.tag in {"primitive", "template"}:
        if "template" in owner.attrib and templates:
            owner.set("template", random.choice(templates))
        else:
            for name in ("template", "class", "provider", "type"):
                owner.attrib.pop(name, None)
            agent = random.choice(pools.AGENTS[:2] if random.random() < 0.5 else pools.AGENTS)
            found = zip(("class", "provider", "type"), agent, strict=True)
            owner.attrib.update({name: text for name, text in found if text})
    for group in owner:
        pool = pools.META if group.tag == "meta_attributes" else pools.PARAMETERS
        pool = {"crm_config": pools.PROPERTIES, "node": pools.NODES}.get(owner.tag, pool)
        pool = pools.UTILIZATION if group.tag == "utilization" else pool
        names = random.sample(sorted(pool), len(pool))
        for pair in group.findall("nvpair"):
            if "name" in pair.attrib and not names:
                group.remove(pair)
            elif "name" in pair.attrib:
                pair.set("name", names.pop())
            if "value" in pair.attrib and pair.get("name") in pool:
                pair.set("value", random.choice(pool[pair.get("name", "")]))


def _switch_off_fencing(random: Random, drawn: ET.Element) -> None:
    """Mostly: nothing starts in a cluster that is to fence and has no device."""
    sets = [found for found in drawn.iterfind("crm_config/cluster_property_set") if "id" in found.attrib]
    for found in sets[: random.random() > _SELDOM]:
        found[:] = [child for child in found if child.tag != "rule"]
        ET.SubElement(found, "nvpair", {"id": "off", "name": "stonith-enabled", "value": "false"})


def _refer(random: Random, drawn: ET.Element) -> None:
    """Let references name something that fits; take out those for which there is nothing."""
    ids: dict[str, list[str]] = {}
    for part in drawn.iter():
        if "id" in part.attrib and part.get("id") != REFERENCE:
            ids.setdefault(part.tag, []).append(part.get("id", ""))
    parents = {child: parent for parent in drawn.iter() for child in parent}
    resources = [name for tag in _RESOURCES for name in ids.get(tag, ())]
    devices = [name for name in ids.get("primitive", ()) if name.isascii()]
    for element in [*parents]:
        taken = {other.get("id") for other in parents[element]}
        for name, value in list(element.items()):
            if value != REFERENCE and name != "devices" and element.tag != "obj_ref":
                continue
            if name == "id-ref":
                fitting = list(_shareable(drawn, element, parents))
            elif element.tag in {"role", "role_ref"}:
                fitting = [found for found in ids.get("acl_role", ()) if found not in taken]
            elif name == "devices":
                fitting = [",".join(random.sample(devices, min(len(devices), 2)))]
            else:
                others = resources + (ids.get("tag", []) if random.random() < _SELDOM else [])
                fitting = [found for found in others if found not in taken | {element.get("first")}]
            if any(fitting):
                element.set(name, random.choice(fitting))
            else:
                parents[element].remove(element)
                break


def _shareable(drawn: ET.Element, user: ET.Element, parents: Mapping[ET.Element, ET.Element]) -> Iterator[str]:
    """Yield the ids of what an element may refer to: what is not around it and refers to nothing itself."""
    around, here = set(), user
    referred = {other.get("id-ref") for section in _DEFAULTS for other in drawn.iterfind(f"{section}/*")}
    while here in parents:
        here = parents[here]
        around.add(here)
    for found in drawn.iter(user.tag):
        inside = parents[found]
        if "id" not in found.attrib or found in around or found.find(".//*[@id-ref]") is not None:
            continue
        if found.tag == "nvpair" and ("value" not in found.attrib or found.get("name") in _NOT_SHARED):
            continue
        # The score of a rule in a set of attributes counts only for a location that refers to it: no manifest says it.
        if found.tag == "rule" and inside.tag != "rsc_location" and any(one.tag == "rsc_location" for one in around):
            continue
        if parents[user].tag in _DEFAULTS and found.get("id") in referred:
            continue
        if found.tag == "rule" == inside.tag or (found.tag == "resource_set" and inside in around):
            continue
        yield found.get("id", "")


def _prune(parent: ET.Element) -> bool:
    """Take out the children that lost what they must have; tell whether there were any."""
    lost = [child for child in parent if child.tag in _CONSTRAINTS and not _is_whole(child)]
    empty = (child for child in parent if child.tag in {"resource_set", "tag", "rule", "lifetime"} and not len(child))
    lost += [child for child in empty if "id-ref" not in child.attrib]
    for child in lost:
        parent.remove(child)
    return bool(lost)


def _is_whole(constraint: ET.Element) -> bool:
    who = constraint.find("resource_set") is not None or not {"rsc", "rsc-pattern", "first"}.isdisjoint(
        constraint.attrib
    )
    where = constraint.tag != "rsc_location" or "node" in constraint.attrib or constraint.find("rule") is not None
    return who and where


def _comment(random: Random, drawn: ET.Element) -> None:
    for element in list(drawn.iter()):
        if len(element) and random.random() < _SELDOM:
            element.insert(random.randrange(len(element) + 1), ET.Comment(random.choice((" why ", "a <b/>\n c"))))
