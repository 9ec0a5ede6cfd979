"""Arbitrary rules: as expressions, and as ``rule`` elements that say them in roundabout ways."""

from itertools import count
from xml.etree.ElementTree import Comment, Element

from hypothesis import strategies as st

from reconciler.cib import rules
from reconciler.cib.rule_expressions import COMPARISONS, PERIODS, SOURCES, TYPES

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=6)
words = st.sampled_from(["pingd", "#uname", "a b", "", "and", "OR", "date", "rsc", "op", "lt", "not", "5", "1.5"])
numbers = st.sampled_from(["0", "7", "007", "+5", "-3", "1.0", "10.5", "1e3"])
names = words | texts
values = (
    numbers | words | texts | st.sampled_from(["{}", "param{x}", "a=b", "$id-ref=x", 'say "hi"', "back\\slash", "'"])
)
moments = st.sampled_from(["2024-05-01", "2024-05-01 08:00", "2024-05-01 08:00 +02:00", "soon", ""])
ranges = st.sampled_from(["0", "9-17", "09-017", "5-5", "9-", "-5", "x", ""])
periods = st.dictionaries(st.sampled_from(PERIODS), ranges, max_size=3).map(lambda pairs: tuple(pairs.items()))

simple = st.one_of(
    st.builds(rules.Defined, names, st.booleans()),
    st.builds(
        rules.Comparison,
        names,
        st.sampled_from(COMPARISONS),
        st.none() | values,
        st.none() | st.sampled_from(TYPES),
        st.none() | st.sampled_from(SOURCES),
    ),
    st.builds(rules.DateBound, st.sampled_from(["gt", "lt"]), moments),
    st.builds(rules.DateRange, moments, st.none() | moments, st.none() | periods),
    st.builds(rules.DateRange, st.none(), moments),
    st.builds(rules.DateSpec, periods),
    st.builds(rules.ResourceMatch, *[st.none() | values] * 3),
    st.builds(rules.OperationMatch, values, st.none() | st.sampled_from(["10s", "10", "PT10S", "often", ""])),
    st.builds(rules.RuleReference, values),
)
expressions: st.SearchStrategy[rules.Expression] = st.recursive(
    simple,
    lambda inner: st.builds(rules.combine, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)


@st.composite
def rule_elements(draw: st.DrawFn, leaves: st.SearchStrategy[Element]) -> Element:
    """A rule element with ids of its own, needless nesting and comments."""

    def rule(depth: int) -> Element:
        element = Element("rule", {"score": draw(st.sampled_from(["0", "INFINITY"]))})
        connective = draw(st.sampled_from([None, "and", "or"]))
        if connective is not None:
            element.set("boolean-op", connective)
        if draw(st.booleans()):
            element.append(Comment("why"))
        for _ in range(draw(st.integers(1, 3))):
            nested = depth < 3 and draw(st.integers(0, 3)) == 0
            element.append(rule(depth + 1) if nested else draw(leaves))
        return element

    top = rule(0)
    number = count()
    for element in top.iter():
        if isinstance(element.tag, str):
            element.set("id", f"id-{next(number)}")
    return top


def attribute_elements(
    attributes: st.SearchStrategy[str], values: st.SearchStrategy[str | None]
) -> st.SearchStrategy[Element]:
    """``expression`` elements as people and tools leave them in a CIB."""
    return st.builds(
        lambda attribute, operation, value, type_, source: Element(
            "expression",
            {
                key: text
                for key, text in {
                    "attribute": attribute,
                    "operation": operation,
                    "value": value,
                    "type": type_,
                    "value-source": source,
                }.items()
                if text is not None
            },
        ),
        attributes,
        st.sampled_from([*COMPARISONS, "defined", "not_defined"]),
        values,
        st.none() | st.sampled_from(TYPES),
        st.none() | st.sampled_from(SOURCES),
    )


def date_elements() -> st.SearchStrategy[Element]:
    """``date_expression`` elements around 15 May 2024, noon."""
    moment = st.sampled_from(
        ["2024-05-15", "2024-05-16", "2024-05-15 12:00 Z", "2024-05-15 14:00:00 +02:00", "20240515T11Z"]
    )

    def element(attributes: dict[str, str], tag: str, periods: dict[str, str] | None) -> Element:
        expression = Element("date_expression", attributes)
        if periods is not None:
            expression.append(Element(tag, periods))
        return expression

    length = st.dictionaries(st.sampled_from(["hours", "days", "weeks", "months"]), st.sampled_from(["0", "1", "02"]))
    spec = st.dictionaries(
        st.sampled_from(["hours", "weekdays", "months", "minutes"]), st.sampled_from(["0", "9-17", "3", "03-5", "-20"])
    )
    return st.one_of(
        st.builds(lambda start: element({"operation": "gt", "start": start}, "", None), moment),
        st.builds(lambda end: element({"operation": "lt", "end": end}, "", None), moment),
        st.builds(
            lambda start, end: element({"operation": "in_range", "start": start, "end": end}, "", None), moment, moment
        ),
        st.builds(
            lambda start, periods: element({"operation": "in_range", "start": start}, "duration", periods),
            moment,
            st.none() | length,
        ),
        st.builds(lambda periods: element({"operation": "date_spec"}, "date_spec", periods), spec),
    )


def match_elements() -> st.SearchStrategy[Element]:
    """``rsc_expression`` and ``op_expression`` elements."""
    agent = {"class": st.just("ocf"), "provider": st.sampled_from(["pacemaker", "x"]), "type": st.just("ping")}
    operation = {"interval": st.sampled_from(["10", "10s", "10000ms", "PT10S", "1min"])}
    return st.builds(lambda fields: Element("rsc_expression", fields), st.fixed_dictionaries({}, optional=agent)) | (
        st.builds(
            lambda fields: Element("op_expression", fields),
            st.fixed_dictionaries({"name": st.sampled_from(["monitor", "start"])}, optional=operation),
        )
    )
