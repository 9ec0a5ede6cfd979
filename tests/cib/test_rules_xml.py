from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cib.rule_expressions import PERIODS
from reconciler.cib.rules import (
    Combination,
    Comparison,
    Expression,
    RuleError,
    RuleReference,
    combine,
    fill,
    format,  # noqa: A004
    from_element,
    parse,
    to_element,
)
from tests.cib.rule_strategies import attribute_elements, expressions, rule_elements, values
from tests.programs import absent, absent_corpus, corpus_cibs

SCHEMAS = Path("/usr/share/pacemaker")
TO_EXPRESSION = """
<rule id="r" score="-INFINITY" boolean-op="or">
  <!-- a comment -->
  <expression id="r-1" attribute="pingd" operation="not_defined" value="ignored"/>
  <rule id="r-2" score="INFINITY">
    <expression id="r-3" attribute="pingd" operation="LTE" value="00" value-source="literal"/>
    <rule id="r-4" score="0" role="Promoted" boolean-op="or">
      <date_expression id="r-5" operation="in_range" start="2024-05-01">
        <duration id="r-6" weeks="02"/>
      </date_expression>
    </rule>
  </rule>
</rule>
"""


def rule(text: str) -> Element:
    return ET.fromstring(text)


def ids(element: Element) -> list[str]:
    return [found for child in element.iter() if (found := child.get("id"))]


def test_reading() -> None:
    assert format(from_element(rule(TO_EXPRESSION))) == (
        "not_defined pingd or (pingd lte 0 and date in start=2024-05-01 weeks=2)"
    )


def test_writing() -> None:
    expression = parse("not_defined pingd or pingd number:lte 0 and (date spec hours=9-17 or $id-ref=other)")
    assert ET.tostring(to_element(expression, "r"), encoding="unicode") == (
        '<rule id="r" boolean-op="or">'
        '<expression id="r-expression" attribute="pingd" operation="not_defined" />'
        '<rule id="r-rule" score="0">'
        '<expression id="r-rule-expression" attribute="pingd" operation="lte" value="0" type="number" />'
        '<rule id="r-rule-rule" score="0" boolean-op="or">'
        '<date_expression id="r-rule-rule-expression" operation="date_spec">'
        '<date_spec id="r-rule-rule-expression-date_spec" hours="9-17" />'
        "</date_expression>"
        '<rule id-ref="other" />'
        "</rule></rule></rule>"
    )


def test_ids_are_numbered_and_avoid_those_taken() -> None:
    expression = parse("defined a and defined b and defined c")
    assert ids(to_element(expression, "r"))[1:] == ["r-expression", "r-expression-0", "r-expression-1"]
    taken = {"r-expression", "r-expression-1"}
    assert ids(to_element(expression, "r", taken=taken))[1:] == ["r-expression-0", "r-expression-2", "r-expression-3"]


def test_a_live_rule_that_says_the_same_is_kept_as_it_is() -> None:
    live = rule(TO_EXPRESSION)
    written = to_element(from_element(live), "other", live)
    assert written.get("boolean-op") == "or"
    assert [ET.tostring(child) for child in written] == [ET.tostring(child) for child in live]


def test_ids_of_live_expressions_are_kept_where_they_say_the_same_and_passed_on_where_not() -> None:
    live = rule(
        '<rule id="r" score="0"><expression id="mine" attribute="a" operation="defined"/>'
        '<expression id="yours" attribute="b" operation="defined"/>'
        '<date_expression id="when" operation="date_spec"><date_spec id="hours" hours="9"/></date_expression></rule>'
    )
    written = to_element(parse("defined b and defined c and date spec hours=10 and defined d"), "r", live)
    assert ids(written) == ["r", "yours", "mine", "when", "hours", "r-expression"]
    assert from_element(written) == parse("defined b and defined c and date spec hours=10 and defined d")


def test_a_live_nested_rule_keeps_its_attributes() -> None:
    live = rule(
        '<rule id="r" score="0"><expression id="x" attribute="a" operation="defined"/><rule id="n" boolean-op="or" '
        'score="INFINITY"><expression id="n1" attribute="b" operation="defined"/>'
        '<expression id="n2" attribute="c" operation="defined"/></rule></rule>'
    )
    nested = to_element(parse("defined a and (defined b or defined d)"), "r", live).find("rule")
    assert nested is not None
    assert nested.attrib == {"id": "n", "score": "INFINITY", "boolean-op": "or"}
    assert ids(nested) == ["n", "n1", "n2"]


def test_references() -> None:
    live = rule('<rule id-ref="other"/>')
    assert from_element(live) == RuleReference("other")
    assert ids(to_element(parse("defined a and defined b"), "r", live)) == ["r", "r-expression", "r-expression-0"]
    assert from_element(to_element(RuleReference("other"), "r", live)) == RuleReference("other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<rule/>", "at least one expression"),
        ("<rule><!-- nothing --></rule>", "at least one expression"),
        ("<rule><rule/></rule>", "at least one expression"),
        ('<rule><nvpair name="a"/></rule>', "<nvpair> has no place"),
        ('<rule><expression operation="eq"/></rule>', "<expression> has no attribute"),
        ('<rule><expression attribute="a"/></rule>', "<expression> has no operation"),
        ('<rule><expression attribute="a" operation="like"/></rule>', "'like' is not one of"),
        ('<rule><date_expression operation="gt" end="x"/></rule>', "<date_expression> has no start"),
        ('<rule><date_expression operation="in_range"/></rule>', "a start or an end"),
        ('<rule><date_expression operation="date_spec"/></rule>', "has no <date_spec>"),
        ('<rule><date_expression operation="never"/></rule>', "unknown operation 'never'"),
        ('<rule><op_expression interval="10s"/></rule>', "<op_expression> has no name"),
        ("<rule>" * 60 + "</rule>" * 60, "nested more than 50 deep"),
    ],
)
def test_what_is_no_rule_is_named(text: str, message: str) -> None:
    with pytest.raises(RuleError, match=message) as caught:
        from_element(rule(text))
    assert caught.value.column is None


@given(expressions)
def test_xml_and_back(expression: Expression) -> None:
    written = to_element(expression, "r")
    assert from_element(written) == expression
    assert len(set(ids(written))) == len(ids(written))


@given(expressions, rule_elements(attribute_elements(values, values)), st.booleans())
def test_xml_and_back_over_a_live_rule(expression: Expression, live: Element, related: bool) -> None:
    if related:
        said = from_element(live)
        expression = combine("and", [*(said.operands[1:] if isinstance(said, Combination) else [said]), expression])
    written = to_element(expression, "r", live)
    assert from_element(written) == expression
    assert len(set(ids(written))) == len(ids(written))


@given(rule_elements(attribute_elements(values, values)))
def test_a_roundabout_element_says_what_its_canonical_text_says(live: Element) -> None:
    expression = from_element(live)
    assert parse(format(expression)) == expression
    assert from_element(to_element(expression, "r")) == expression


def test_fill_keeps_what_the_caller_set() -> None:
    element = Element("rule", {"id": "r", "score": "100", "role": "Promoted", "boolean-op": "or"})
    fill(element, Comparison("a", "eq", "1"))
    assert element.attrib == {"id": "r", "score": "100", "role": "Promoted"}
    assert len(element) == 1


def corpus_rules() -> Iterator[Element]:
    for path in corpus_cibs():
        for element in ET.parse(path).iter("rule"):
            if element.get("id-ref") is None:
                yield element


def test_every_rule_of_the_corpus_survives_the_round_trip() -> None:
    found = list(corpus_rules())
    if not found:
        absent_corpus("rules of real clusters are NOT tested")
    for element in found:
        expression = from_element(element)
        assert from_element(to_element(parse(format(expression)), "r")) == expression
        kept = to_element(parse(format(expression)), element.get("id", ""), element)
        assert [ET.tostring(child) for child in kept] == [ET.tostring(child) for child in element]


def test_no_element_or_attribute_of_the_schemas_is_unknown() -> None:
    files = sorted(SCHEMAS.glob("rule*.rng"))
    if not files:
        absent(f"no schemas in {SCHEMAS}: coverage of the schemas is NOT tested")
    of_the_caller = {"id", "id-ref", "score", "score-attribute", "role", "boolean-op"}
    known = {
        "rule": of_the_caller,
        "expression": {"id", "attribute", "operation", "value", "type", "value-source"},
        "date_expression": {"id", "operation", "start", "end"},
        "duration": {"id", *PERIODS},
        "date_spec": {"id", *PERIODS},
        "rsc_expression": {"id", "class", "provider", "type"},
        "op_expression": {"id", "name", "interval"},
    }
    for path in files:
        for name, attributes in schema_elements(ET.parse(path).getroot()):
            assert name in known, f"{path}: {name}"
            assert attributes <= known[name], f"{path}: {name}"


def schema_elements(grammar: Element) -> Iterator[tuple[str, set[str]]]:
    rng = "{http://relaxng.org/ns/structure/1.0}"
    defines = {define.get("name"): define for define in grammar.iter(f"{rng}define")}

    def attributes(nodes: Iterable[Element]) -> Iterator[str]:
        for node in nodes:
            if node.tag == f"{rng}attribute":
                yield node.get("name", "")
            elif node.tag == f"{rng}ref":
                yield from attributes(defines[node.get("name")])
            elif node.tag == f"{rng}externalRef":
                yield from ("score",)
            elif node.tag != f"{rng}element":
                yield from attributes(node)

    for element in grammar.iter(f"{rng}element"):
        yield element.get("name", ""), set(attributes(element))
