from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cib.document import Version, parse, serialize
from reconciler.cib.patch import AmbiguousChildrenError, Operation, diff, render
from tests.cib.pacemaker_patches import PatchOracle
from tests.programs import need, run

VERSION = Version(0, 7, 3)
NAMES = "ABCDEFGH"


def cib(configuration: str, version: Version = VERSION) -> str:
    return (
        f'<cib validate-with="pacemaker-3.9" admin_epoch="{version.admin_epoch}" epoch="{version.epoch}"'
        f' num_updates="{version.num_updates}"><configuration>{configuration}</configuration><status/></cib>'
    )


def shape(element: ET.Element) -> object:
    """An element without its comments, in a form that compares."""
    inner = [shape(child) for child in element if isinstance(child.tag, str)]
    return element.tag, sorted(element.items()), inner


def operations(before: str, after: str) -> list[Operation]:
    return diff(parse(before).configuration, parse(after).configuration, "/cib/configuration")


@pytest.fixture(scope="module")
def pacemaker() -> PatchOracle:
    return PatchOracle()


@st.composite
def trees(draw: st.DrawFn) -> str:
    """Groups of primitives with comments between them, and a section of children without ids."""
    names = draw(st.permutations(NAMES))
    groups = draw(st.permutations([("g", names[:5]), ("h", names[5:])]))
    text = ""
    for group, members in groups:
        inner = [
            f'<primitive id="{name}" type="{draw(st.sampled_from("xy"))}"/>'
            for name in members[: draw(st.integers(0, len(members)))]
        ]
        for _ in range(draw(st.integers(0, 2))):
            inner.insert(draw(st.integers(0, len(inner))), "<!--why-->")
        text += f'<group id="{group}">{"".join(inner)}</group>'
    nameless = "".join(f'<role score="{draw(st.integers(0, 1))}"/>' for _ in range(draw(st.integers(0, 2))))
    return cib(f'<resources>{text}</resources><acls><acl_target id="t">{nameless}</acl_target></acls>')


@given(before=trees(), after=trees())
def test_pacemaker_makes_of_the_patch_what_was_drafted(pacemaker: PatchOracle, before: str, after: str) -> None:
    code, result = pacemaker.patched(before, render(operations(before, after), VERSION))
    assert code == 0
    assert shape(parse(result).configuration) == shape(parse(after).configuration)


@given(before=trees())
def test_nothing_changes_nothing(before: str) -> None:
    assert operations(before, before) == []


def group(*members: str) -> str:
    inner = "".join(name if name.startswith("<") else f'<primitive id="{name}"/>' for name in members)
    return cib(f'<resources><group id="g">{inner}</group></resources>')


def said(before: str, after: str) -> list[tuple[str, str, int | None]]:
    step = "/cib/configuration/resources/group[@id='g']"
    return [(o.operation, o.path.removeprefix(step), o.position) for o in operations(before, after)]


def test_one_that_moves_moves_alone() -> None:
    assert said(group(*"ABCDE"), group(*"BCDEA")) == [("move", "/primitive[@id='A']", 4)]
    assert said(group(*"ABCDE"), group(*"EABCD")) == [("move", "/primitive[@id='E']", 0)]


def test_positions_count_comments() -> None:
    before = group("A", "<!--why-->", "B")
    assert said(before, group("A", "C", "B")) == [("create", "", 1)]
    assert said(before, group("A", "B", "C")) == [("create", "", 3)]


def test_a_removed_attribute_is_unset() -> None:
    before, after = (
        cib('<resources><x id="A" a="1" b="2"/></resources>'),
        cib('<resources><x id="A" b="3"/></resources>'),
    )
    assert render(operations(before, after), VERSION) == (
        '<diff format="2">\n'
        "  <version>\n"
        '    <source admin_epoch="0" epoch="7"/>\n'
        '    <target admin_epoch="0" epoch="8"/>\n'
        "  </version>\n"
        '  <change operation="modify" path="/cib/configuration/resources/x[@id=\'A\']">\n'
        "    <change-list>\n"
        '      <change-attr name="b" operation="set" value="3"/>\n'
        '      <change-attr name="a" operation="unset"/>\n'
        "    </change-list>\n"
        "    <change-result>\n"
        '      <x id="A" b="3"/>\n'
        "    </change-result>\n"
        "  </change>\n"
        "</diff>\n"
    )


def test_siblings_without_ids_are_replaced_with_their_parent() -> None:
    before = cib('<acls><t id="t"><role score="1"/><role score="2"/></t></acls>')
    after = cib('<acls><t id="t"><role score="1"/></t></acls>')
    assert [(o.operation, o.path) for o in operations(before, after)] == [
        ("delete", "/cib/configuration/acls/t[@id='t']"),
        ("create", "/cib/configuration/acls"),
    ]


def test_a_sibling_without_id_is_not_named_by_its_tag_alone(pacemaker: PatchOracle) -> None:
    before = cib('<acls><t id="t"><rule id="a"/><rule id-ref="b"/></t></acls>')
    after = cib('<acls><t id="t"><rule id="a"/></t></acls>')
    code, result = pacemaker.patched(before, render(operations(before, after), VERSION))
    assert (code, shape(parse(result).configuration)) == (0, shape(parse(after).configuration))


@pytest.mark.parametrize("odd", ["", "it's", "a/b", "a[b", "a]", "a b"])
def test_an_id_that_a_path_cannot_say_is_none(pacemaker: PatchOracle, odd: str) -> None:
    before = cib(f'<tags><tag id="t"><obj_ref id="a"/><obj_ref id="{odd}"/></tag></tags>')
    after = cib('<tags><tag id="t"><obj_ref id="a"/><obj_ref id="b"/></tag></tags>')
    code, result = pacemaker.patched(before, render(operations(before, after), VERSION))
    assert (code, shape(parse(result).configuration)) == (0, shape(parse(after).configuration))


def test_the_configuration_itself_cannot_be_replaced() -> None:
    with pytest.raises(AmbiguousChildrenError):
        operations(cib("<x/><x/>"), cib("<x/>"))


@pytest.mark.parametrize(
    ("moved", "all_fields", "code"),
    [
        (VERSION, False, 0),
        (VERSION, True, 0),
        (Version(0, 7, 9), False, 0),
        (Version(0, 7, 9), True, 103),
        (Version(0, 8, 0), False, 103),
        (Version(1, 7, 3), False, 103),
    ],
)
def test_only_the_configuration_that_was_read_is_patched(
    tmp_path: Path, moved: Version, all_fields: bool, code: int
) -> None:
    need("cibadmin")
    dummy = '<primitive id="A" class="ocf" provider="pacemaker" type="Dummy"/>'
    sections = "<crm_config/><nodes/><resources>{}</resources><constraints/>"
    patch = render(operations(cib(sections.format("")), cib(sections.format(dummy))), VERSION, all_fields=all_fields)
    live = tmp_path / "cib.xml"
    live.write_text(cib(sections.format(""), moved))
    assert run(live, "cibadmin", "--patch", "--xml-pipe", stdin=patch).returncode == code
    assert ("Dummy" in live.read_text()) == (code == 0)


def test_what_was_not_touched_is_written_as_it_was() -> None:
    text = serialize(parse(cib('<a/><b x="&lt;&quot;&amp;\'&gt;"><!--why--><c>text</c></b>')).root)
    assert text.splitlines()[2:8] == [
        "    <a/>",
        '    <b x="&lt;&quot;&amp;\'&gt;">',
        "      <!--why-->",
        "      <c>text</c>",
        "    </b>",
        "  </configuration>",
    ]
    assert serialize(parse(text).root) == text
