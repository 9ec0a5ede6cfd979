"""A CIB read piece by piece says what its tree says."""

import re
from pathlib import Path
from typing import Any
from weakref import ref
from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.cib import patch
from reconciler.cib.document import Cib, CibError, children, parse, serialize
from reconciler.cib.draft import Edits, draft, recording
from reconciler.cib.ownership import TAGS as TAGS_SECTION
from reconciler.cib.ownership import are_tagged
from reconciler.cib.source import Source
from reconciler.kinds.observe import each, observe
from reconciler.planner import CONFIGURATION
from reconciler.state import Ref
from tests.configurations import Live, lives
from tests.programs import each_of_the_corpus

WHOLE = frozenset({"fencing-topology"})
COMMENTED = """<?xml version="1.0"?>
<!-- before --><cib validate-with="pacemaker-3.9" epoch="7">
  <!-- a > <b> -->
  <configuration>
    <!-- one -->
    <crm_config/>
    <!-- two -->
    <nodes><node id="1" uname="n1"/></nodes>
    <resources> <!-- three > --> <group id="g"><primitive id="p" class="ocf" provider="x" type="a&gt; &lt;b"/></group>
    </resources>
    <constraints/>{tags}
  </configuration>
  <status><node_state id="1"/></status>
</cib>
"""
TAGS = ("", "<tags/>", "<!-- x --><tags><!-- y --><tag id='t'><obj_ref id='p'/></tag></tags>")


def tree(text: str) -> Cib:
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    return Cib(text, ET.fromstring(text, parser))


def shape(element: ET.Element) -> object:
    return element.tag, element.attrib, [shape(child) for child in children(element)]


def pieces(cib: Cib) -> list[tuple[str, object]]:
    return [(section, element if element is None else shape(element)) for section, element in cib.pieces(WHOLE)]


def says_the_same(text: str) -> None:
    lean, full = parse(text), tree(text)
    assert pieces(lean) == pieces(full)
    one, other = observe(lean), observe(full)
    assert list(one.state.items()) == list(other.state.items())
    assert (one.unsupported, one.unknown, one.owned) == (other.unsupported, other.unknown, other.owned)
    assert (one.shared_ids, one.sections) == (other.shared_ids, other.sections)
    assert [ref for ref, _ in each(lean)] == [ref for ref, _ in each(full)]
    assert [node.attrib for node in lean.peek("nodes")] == [node.attrib for node in full.objects("nodes")]
    # What asks for the tree gets one that says the same as if the blanks had been kept.
    assert serialize(lean.root) == serialize(full.root)
    assert one.elements.keys() == other.elements.keys()


@settings(max_examples=40)
@given(live=lives())
def test_piece_by_piece_a_random_cluster_says_what_its_tree_says(live: Live) -> None:
    says_the_same(live.text)


@each_of_the_corpus("reading piece by piece is NOT tested on other people's clusters")
def test_piece_by_piece_a_cib_says_what_its_tree_says(file: Path) -> None:
    cib = parse(file.read_text())
    observe(cib)
    assert not cib.has_tree, "nobody needs one to read all objects"
    says_the_same(file.read_text())


@pytest.mark.parametrize(
    "tags", ["", "<tags/>", "<!-- x --><tags><!-- y --><tag id='t'><obj_ref id='p'/></tag></tags>"]
)
def test_comments_are_kept_and_nobody_stumbles_over_them(tags: str) -> None:
    says_the_same(COMMENTED.format(tags=tags))


def records_the_same(text: str, owned: frozenset[str]) -> None:
    """What only records is the same patch, made from the tags alone as made from everything."""
    made = []
    for cib in (parse(text).outline(TAGS_SECTION), tree(text)):
        after = draft(cib, recording(cib, owned, Edits()))
        operations = patch.diff(cib.configuration, after, CONFIGURATION)
        made.append(patch.render(operations, parse(text).version, all_fields=True))
    assert made[0] == made[1]


@settings(max_examples=40)
@given(live=lives(), data=st.data())
def test_recording_needs_no_more_than_the_tags(live: Live, data: st.DataObject) -> None:
    seen = observe(parse(live.text))
    owned = data.draw(st.sets(st.sampled_from([ref.name for ref in seen.all])).map(frozenset))
    assume(are_tagged(seen.cib, owned))
    records_the_same(live.text, owned)


@pytest.mark.parametrize(
    "tags", ["", "<tags/>", "<!-- x --><tags><!-- y --><tag id='t'><obj_ref id='p'/></tag></tags>"]
)
def test_recording_counts_the_comments_before_its_place(tags: str) -> None:
    records_the_same(COMMENTED.format(tags=tags), frozenset({"p"}))


def test_every_part_is_told_with_what_it_is_in() -> None:
    cib = parse(COMMENTED.format(tags=""))
    assert [(inside, part.get("type")) for inside, part in cib.parts("primitive")] == [
        (["cib", "configuration", "resources", "group"], "a> <b")
    ]
    assert [inside for inside, _ in cib.parts("node_state")] == [["cib", "status"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not well-formed XML: no element found: line 1, column 0"),
        ("<cib><configuration/></cib", "not well-formed XML: unclosed token: line 1, column 21"),
        ("<cib><configuration></cib>", "not well-formed XML: mismatched tag: line 1, column 22"),
        ("<cib><status><configuration/></status></cib>", "the CIB has no <configuration>"),
        ("<html><configuration/></html>", "the document is a <html>, not a <cib>"),
    ],
)
def test_what_is_no_cib_is_refused_before_anybody_reads_it(text: str, message: str) -> None:
    with pytest.raises(CibError, match=f"^{re.escape(message)}"):
        parse(text)


WORDS = st.text(st.sampled_from("ab&#é€\n"), max_size=12)


@settings(max_examples=60)
@given(parts=st.lists(WORDS, min_size=1), times=st.sampled_from([1, 3000, 40_000]), word=WORDS.filter(bool))
def test_a_large_text_is_kept_as_it_is(parts: list[str], times: int, word: str) -> None:
    text = "".join(parts) * times
    source = Source(text)
    assert source.text == "".join(source.chunks()) == text
    assert bool(source) == bool(text)
    assert source.has(re.compile(re.escape(word))) == (word in text)
    assert source.count("reconciler-owned") == 0
    overlapping = len(word) > 1 and word in f"{word}{word}"[1:-1]
    assert overlapping or source.count(word) == text.count(word)


def test_a_cib_that_shares_its_configuration_keeps_only_the_first_one_alive() -> None:
    texts = [COMMENTED.format(tags="").replace('epoch="7"', f'epoch="7" num_updates="{number}"') for number in range(3)]
    first, second, third = (parse(text) for text in texts)
    second = second.sharing(first)
    third = third.sharing(second)
    assert third.configuration is second.configuration is first.configuration
    assert third.root.find("configuration") is first.configuration
    assert (second.version.num_updates, third.version.num_updates) == (1, 2)
    gone = ref(second)
    del second
    assert gone() is None


@pytest.mark.parametrize("length", [10, 20_000, 40_000, 60_000, 200_000])
def test_a_long_value_hides_nothing(length: int) -> None:
    """Newer parsers keep back what may be half of a value, to the end of the text if they are not told of it."""
    others = "".join(f'<primitive id="p{number}" class="ocf" provider="x" type="y"/>' for number in range(40))
    long = f'<nvpair id="v" name="v" value="{"x" * length}"/>'
    properties = f'<crm_config><cluster_property_set id="s">{long}</cluster_property_set></crm_config>'
    text = COMMENTED.format(tags="").replace("<crm_config/>", properties)
    text = text.replace("<resources>", f"<resources>{others}")
    found = [section for section, element in parse(text).pieces() if element is not None]
    assert found.count("resources") == 41
    says_the_same(text)


def test_what_has_the_name_of_the_record_is_read_as_what_it_is() -> None:
    pair = '<instance_attributes id="i"><nvpair id="n" name="a" value="b"/></instance_attributes>'
    named = f'<primitive id="reconciler-owned" class="ocf" provider="x" type="y">{pair}</primitive>'
    text = COMMENTED.format(tags="").replace("<resources>", f"<resources>{named}")
    says_the_same(text)
    spec: Any = observe(parse(text)).state[Ref("Primitive", "reconciler-owned")]
    assert spec.params[0].values == {"a": "b"}


def test_what_is_recorded_is_read_without_an_element_for_each() -> None:
    text = COMMENTED.format(tags='<tags><tag id="reconciler-owned"><obj_ref id="g"/><obj_ref id="p"/></tag></tags>')
    says_the_same(text)
    assert observe(parse(text)).owned == {"g", "p"}
