from xml.etree import ElementTree as ET

import pytest

from reconciler.cib.document import parse, serialize
from reconciler.cib.draft import Edits, draft, rename_taken
from reconciler.cib.references import ids, named, users

CIB = parse(
    """<cib><configuration><crm_config/><resources>
    <!-- about a --><primitive id="a"/>
    <group id="g"><!-- about b --><primitive id="b"/><primitive id="c"/><!-- the end --></group>
    <clone id="k"><group id="h"><primitive id="d"/></group></clone>
    </resources><constraints><rsc_order id="o"/></constraints></configuration></cib>"""
)


def tree(edits: Edits) -> str:
    """The resources as names, with what is inside in brackets and comments as such."""
    resources = draft(CIB, edits).find("resources")
    assert resources is not None
    return " ".join(map(name, resources))


def name(element: ET.Element) -> str:
    if not isinstance(element.tag, str):
        return f"<{(element.text or '').strip()}>"
    inner = " ".join(map(name, element))
    mark = "!" if element.get("new") else ""
    return f"{element.get('id')}{mark}" + (f"({inner})" if inner else "")


def live(name: str) -> ET.Element:
    return CIB.by_id[name]


def new(tag: str, name: str) -> ET.Element:
    return ET.Element(tag, {"id": name, "new": "1"})


def group(name: str) -> ET.Element:
    """The group's own element, written anew: with its comments, without its members."""
    element = new("group", name)
    element.extend(child for child in live(name) if not isinstance(child.tag, str))
    return element


AS_IT_IS = "<about a> a g(<about b> b c <the end>) k(h(d))"


def test_nothing_to_do_is_the_same_configuration() -> None:
    drafted = draft(CIB, Edits())
    assert all(new is old for new, old in zip(drafted, CIB.configuration, strict=True))


@pytest.mark.parametrize(
    ("edits", "result"),
    [
        (Edits(), AS_IT_IS),
        (Edits(changed={live("a"): new("primitive", "a")}), AS_IT_IS.replace("> a ", "> a! ")),
        (Edits(changed={live("d"): new("primitive", "d")}), AS_IT_IS.replace("d)", "d!)")),
        (Edits(dropped=frozenset({live("b")})), "<about a> a g(<about b> <the end> c) k(h(d))"),
        (Edits(dropped=frozenset({live("k")})), "<about a> a g(<about b> b c <the end>) h(d)"),
        (Edits(dropped=frozenset({live("k"), live("h")})), "<about a> a g(<about b> b c <the end>) d"),
        (Edits(dropped=frozenset({live("g")})), "<about a> a k(h(d)) b c"),
        (Edits(members={"g": ("c", "b")}), "<about a> a g(<the end> c <about b> b) k(h(d))"),
        (Edits(members={"g": ("b",)}), "<about a> a g(<the end> <about b> b) k(h(d)) c"),
        (Edits(members={"g": ("b", "a", "c")}), "<about a> g(<the end> <about b> b a c) k(h(d))"),
        (Edits(members={"g": ("b",), "h": ("d", "c")}), "<about a> a g(<the end> <about b> b) k(h(d c))"),
        (Edits(members={"k": ("g",)}), "<about a> a k(g(<about b> b c <the end>)) h(d)"),
        (Edits(changed={live("g"): group("g")}), "<about a> a g!(<the end> <about b> b c) k(h(d))"),
        (Edits(created=[("resources", new("primitive", "n"))]), AS_IT_IS + " n!"),
        (
            Edits(
                created=[("resources", new("primitive", "n")), ("resources", new("clone", "m"))], members={"m": ("n",)}
            ),
            AS_IT_IS + " m!(n!)",
        ),
        (
            Edits(created=[("resources", new("clone", "m"))], members={"m": ("g",)}),
            "<about a> a k(h(d)) m!(g(<about b> b c <the end>))",
        ),
        (
            Edits(created=[("resources", new("primitive", "n"))], dropped=frozenset({live("g")})),
            "<about a> a k(h(d)) b c n!",
        ),
    ],
)
def test_resources_move_with_what_is_theirs(edits: Edits, result: str) -> None:
    assert tree(edits) == result


def test_what_stands_around_the_members_stays_there() -> None:
    """As pcs writes it: the sets of a group behind its members."""
    text = '<group id="g"><primitive id="a"/><!-- why --><meta_attributes id="m"/></group>'
    cib = parse(f"<cib><configuration><resources>{text}</resources></configuration></cib>")
    edited = draft(cib, Edits({cib.by_id["a"]: new("primitive", "a")}))
    assert serialize(edited[0][0]) == serialize(ET.fromstring(text.replace('"a"', '"a" new="1"'), _parser()))


def _parser() -> ET.XMLParser:
    return ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))


def test_the_live_configuration_is_left_alone() -> None:
    before = serialize(CIB.root)
    draft(CIB, Edits(dropped=frozenset({live("g")}), members={"k": ("a",)}))
    assert serialize(CIB.root) == before


def test_other_sections_are_edited_made_and_emptied() -> None:
    tag = new("tag", "t")
    edits = Edits(dropped=frozenset({live("o")}), created=[("tags", tag), ("crm_config", new("x", "y"))])
    drafted = draft(CIB, edits)
    assert [section.tag for section in drafted] == ["crm_config", "resources", "constraints", "tags"]
    assert list(drafted[2]) == []
    assert list(drafted[3]) == [tag]
    assert drafted[1] is CIB.configuration[1]


def test_new_ids_make_way_for_those_that_are_taken() -> None:
    written = ET.fromstring('<x id="x"><y id="x-y"/><y id="kept"/><z id="free"><y id="x-y"/></z></x>')
    taken = {"x", "x-y", "x-y-1", "kept"}
    made = rename_taken(written, ET.fromstring('<x id="x"><y id="kept"/></x>'), taken)
    assert [part.get("id") for part in made.iter()] == ["x", "x-y-2", "kept", "free", "x-y-3"]
    assert taken == {"x", "x-y", "x-y-1", "x-y-2", "x-y-3", "kept", "free"}


def test_what_is_live_keeps_its_id_itself() -> None:
    there = ET.fromstring('<x id="x"><y id="a"/></x>')
    written = ET.Element("x", {"id": "x"})
    written.extend([ET.Element("y", {"id": "a"}), there[0]])
    made = rename_taken(written, there, {"x", "a"}, frozenset({"a"}))
    assert [part.get("id") for part in made.iter()] == ["x", "a", "a-1"]
    assert there[0].get("id") == "a"


def test_who_names_what() -> None:
    element = ET.fromstring(
        '<rsc_order id="o" first="a" then="b"><resource_set id="s"><resource_ref id="c"/></resource_set></rsc_order>'
    )
    assert ids(element) == frozenset({"o", "s"})
    assert named(element) == frozenset({"a", "b", "c"})
    assert ids(live("k")) == frozenset({"k"})
    assert named(live("k")) == frozenset({"h"})
    tagged = parse(
        '<cib><configuration><resources><primitive id="a"/></resources><tags><tag id="t"><obj_ref id="a"/></tag>'
        '<tag id="reconciler-owned"><obj_ref id="a"/></tag></tags></configuration></cib>'
    )
    assert {key: [user.get("id") for user in found] for key, found in users(tagged, loose_tags=False).items()} == {
        "a": ["t"]
    }
    assert users(tagged, loose_tags=True) == {}
