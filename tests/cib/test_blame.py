"""The search for what breaks a schema, against a schema of a few words that is asked in place of crm_verify."""

from collections.abc import Callable, Iterable, Sequence
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from reconciler.cib.blame import MARKER, Answer, Culprit, Search, Suspect, allowing, document, search, stripped
from tests.examples import often

ROOT = {"validate-with": "small", "epoch": "1"}
NEEDED = {"primitive": {"type"}, "rule": {"expression"}, "rsc_location": {"rsc|rule"}}
"""Attributes, children, or one of two, without which an element is wrong."""
BAD = ("demote", "new")
"""Values and elements that this schema has never heard of."""


def schema(text: str) -> Answer:
    root = ET.fromstring(text)
    assert root.find(f".//*[@first='{MARKER}-first']") is not None
    for element in root.iter():
        if element.tag in BAD or set(element.attrib.values()) & set(BAD):
            return "wrong"
        has = {*element.keys(), *(str(child.tag) for child in element)}
        if not all(set(need.split("|")) & has for need in NEEDED.get(element.tag, set())):
            return "something is missing"
    return ""


def answered(found: Search[tuple[Culprit, ...]], oracle: Callable[[str], Answer] = schema) -> tuple[Culprit, ...]:
    documents = next(found)
    while True:
        try:
            documents = found.send([oracle(text) for text in documents])
        except StopIteration as done:
            result: tuple[Culprit, ...] = done.value
            return result


def suspects(*texts: str, section: str = "resources") -> list[Suspect]:
    return [Suspect(section, stripped(ET.fromstring(text))) for text in texts]


def said(culprits: Iterable[Culprit]) -> list[tuple[int, str, tuple[str, ...]]]:
    return [
        (culprit.suspect, str(culprit.place.tag) if culprit.place is not None else "", culprit.attributes)
        for culprit in culprits
    ]


FINE = '<primitive id="fine" type="t"><op id="a" on-fail="stop"/></primitive>'


def test_the_attribute_that_is_wrong_is_found_and_nobody_else() -> None:
    wrong = (
        '<primitive id="p" type="t"><operations><op id="a" name="x"/><op id="b" k="demote"/></operations></primitive>'
    )
    [culprit] = found = answered(search(ROOT, suspects(FINE, wrong, FINE)))
    assert said(found) == [(1, "op", ("k",))]
    assert culprit.without is not None
    assert schema(document(ROOT, [Suspect("resources", culprit.without)])) == ""


def test_several_faults_of_one_object_are_all_found() -> None:
    wrong = (
        '<primitive id="p" type="t" k="demote"><op id="a" k="demote"/><op id="b"/><op id="c" l="demote"/></primitive>'
    )
    found = answered(search(ROOT, suspects(wrong)))
    assert said(found) == [(0, "primitive", ("k",)), (0, "op", ("k",)), (0, "op", ("l",))]


def test_an_element_that_nobody_knows_is_named_itself() -> None:
    assert said(answered(search(ROOT, suspects('<primitive type="t"><new/></primitive>')))) == [(0, "new", ())]
    assert said(answered(search(ROOT, suspects("<new/>")))) == [(0, "new", ())]


def test_an_attribute_inside_what_may_not_be_left_out_is_found() -> None:
    wrong = '<rsc_location id="l"><rule id="r"><expression id="e" source="new" operation="eq"/></rule></rsc_location>'
    found = answered(search(ROOT, suspects(wrong, section="constraints")))
    assert said(found) == [(0, "expression", ("source",))]


def test_a_later_alternative_to_what_is_needed_is_found() -> None:
    wrong = '<rsc_location id="l" rsc-pattern="new" score="1"/>'
    assert said(answered(search(ROOT, suspects(wrong, section="constraints")))) == [
        (0, "rsc_location", ("rsc-pattern",))
    ]


def test_a_section_that_the_schema_lacks_is_wrong_as_a_whole() -> None:
    found = answered(search(ROOT, [*suspects(FINE), *suspects('<alert id="a"/>', section="new")]))
    assert said(found) == [(1, "", ())]


def test_what_needs_something_that_is_missing_is_named_as_a_whole() -> None:
    assert said(answered(search(ROOT, suspects('<primitive id="p" class="c"/>')))) == [(0, "primitive", ())]


def test_where_nobody_answers_nobody_is_accused() -> None:
    assert answered(search(ROOT, suspects("<new/>", FINE)), lambda _: None) == ()


def test_resources_inside_are_not_the_container_s_business() -> None:
    group = ET.fromstring('<group id="g"><primitive id="p" type="new"><new/></primitive></group>')
    assert answered(search(ROOT, [Suspect("resources", stripped(group))])) == ()


@often(30)
@given(st.sets(st.integers(0, 299), max_size=6), st.integers(1, 300))
def test_of_many_exactly_the_guilty_are_found_with_few_questions(guilty: set[int], count: int) -> None:
    wrong, asked = '<primitive id="w" type="t" k="demote"/>', []

    def oracle(text: str) -> Answer:
        asked.append(text)
        return schema(text)

    found = answered(search(ROOT, suspects(*(wrong if n in guilty else FINE for n in range(count)))), oracle)
    assert [culprit.suspect for culprit in found] == sorted(n for n in guilty if n < count)
    assert len(asked) <= 200


def test_the_first_schema_that_allows_it_is_found() -> None:
    def told(answers: Sequence[Answer]) -> str | None:
        found = allowing(ROOT, suspects(FINE), ["a", "b", "c"])
        assert ["validate-with=" + name in text.replace('"', "") for name, text in zip("abc", next(found), strict=True)]
        try:
            found.send(answers)
        except StopIteration as done:
            result: str | None = done.value
            return result
        raise AssertionError

    assert told(["no", None, ""]) == "c"
    assert told(["no", None, None]) is None
