from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cib.rules import (
    Combination,
    Comparison,
    DateBound,
    DateRange,
    DateSpec,
    Defined,
    Expression,
    OperationMatch,
    ResourceMatch,
    RuleError,
    RuleReference,
    combine,
    doubts,
    format,  # noqa: A004
    parse,
)
from tests.cib.rule_strategies import expressions

A, B, C = (Defined(name) for name in "abc")


def test_the_reference_case() -> None:
    assert parse("not_defined pingd or pingd lte 0") == Combination(
        "or", (Defined("pingd", negated=True), Comparison("pingd", "lte", "0"))
    )


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("defined a", A),
        ("#uname eq node1", Comparison("#uname", "eq", "node1")),
        ("a number:lt 1.5", Comparison("a", "lt", "1.5", "number")),
        ("a version:gte 2.1", Comparison("a", "gte", "2.1", "version")),
        ("a eq param{ip}", Comparison("a", "eq", "ip", source="param")),
        ("a eq meta{site}", Comparison("a", "eq", "site", source="meta")),
        ('a eq "param{ip}"', Comparison("a", "eq", "param{ip}")),
        ('a eq "x y"', Comparison("a", "eq", "x y")),
        ("a ne 'it is \"so\"'", Comparison("a", "ne", 'it is "so"')),
        ('a eq ""', Comparison("a", "eq", "")),
        ("a eq {}", Comparison("a", "eq", None)),
        ('"date" eq 5', Comparison("date", "eq", "5")),
        ("date gt 2024-05-01", DateBound("gt", "2024-05-01")),
        ('date lt "2024-05-01 08:00 +02:00"', DateBound("lt", "2024-05-01T06:00:00Z")),
        ("date in start=2024-05-01 end=2024-06-01", DateRange("2024-05-01", "2024-06-01")),
        ("date in_range end=2024-06-01", DateRange(end="2024-06-01")),
        ("date in start=2024-05-01 hours=04", DateRange("2024-05-01", duration=(("hours", "4"),))),
        ("date spec weekdays=1-5 hours='9-17'", DateSpec((("weekdays", "1-5"), ("hours", "9-17")))),
        ("date date_spec hours=9-17", DateSpec((("hours", "9-17"),))),
        ("rsc class=ocf provider=pacemaker type=ping", ResourceMatch("ocf", "pacemaker", "ping")),
        ("rsc", ResourceMatch()),
        ("op name=monitor interval=10", OperationMatch("monitor", "10s")),
        ("$id-ref=other", RuleReference("other")),
        ("defined a and defined b or defined c", combine("or", [combine("and", [A, B]), C])),
        ("defined a and (defined b or defined c)", combine("and", [A, combine("or", [B, C])])),
        ("((defined a) and (defined b and defined c))", Combination("and", (A, B, C))),
        ("DEFINED a OR a LTE 5", combine("or", [A, Comparison("a", "lte", "5")])),
        ("rsc or rsc type=x", combine("or", [ResourceMatch(), ResourceMatch(type="x")])),
    ],
)
def test_text(text: str, expression: Expression) -> None:
    assert parse(text) == expression
    assert parse(format(expression)) == expression


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a string:eq 5", "a eq 5"),
        ("a string:lt 5", "a string:lt 5"),
        ("a LTE +05", "a lte 5"),
        ("a eq 05", "a eq 05"),
        ("a integer:eq 05", "a integer:eq 5"),
        ("a eq literal{x}", "a eq x"),
        ("a eq 'x y'", 'a eq "x y"'),
        ("'a' eq 'and'", 'a eq "and"'),
        ('a eq param{"x y"}', 'a eq param{"x y"}'),
        ("date in start=2024-05-01", "date in start=2024-05-01"),
        ("date spec hours=09-17 years=2024", "date spec years=2024 hours=9-17"),
        ("defined a or defined b and defined c", "defined a or (defined b and defined c)"),
        ("op name=monitor interval=PT1M", "op name=monitor interval=60s"),
        ("a eq back\\slash", 'a eq "back\\\\slash"'),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert format(parse(text)) == canonical


RANGE = "date in start=2024-05-01 end=2024-06-01, or date in start=2024-05-01 months=1"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "expected an expression"),
        ("   ", 4, "expected an expression"),
        ("not_defined pingd or pingd lte", 31, "expected a value after 'lte'"),
        ("pingd lte and defined a", 11, "expected a value after 'lte' instead of 'and'"),
        ("pingd", 6, "expected an operator after 'pingd'"),
        ("pingd <= 5", 7, "unknown operator '<='; did you mean 'lte'?"),
        ("pingd le 5", 7, "unknown operator 'le'; did you mean 'lte'?"),
        ("pingd resembles 5", 7, "unknown operator 'resembles'; expected one of lt, lte, gt, gte, eq, ne"),
        ("pingd num:xx 5", 7, "unknown type 'num'; did you mean 'number'?"),
        ("pingd number:leq 5", 14, "unknown operator 'leq'; did you mean 'eq'?"),
        ("pingd number: 5", 14, "unknown operator 'number:'; expected one of lt, lte, gt, gte, eq, ne"),
        ("lte 5", 1, "expected an attribute before 'lte'"),
        ("not defined pingd", 1, "'not_defined' stands before the attribute"),
        ("pingd defined", 1, "'defined' stands before the attribute"),
        ("defined", 8, "expected an attribute after 'defined'"),
        ("defined a defined b", 11, "expected 'and' or 'or' before 'defined'"),
        ("defined a and", 14, "expected an expression"),
        ("or defined a", 1, "expected an expression instead of 'or'"),
        ("(defined a and (defined b)", 1, "'(' is not closed"),
        ("(defined a b", 12, "expected 'and', 'or' or ')' before 'b'"),
        ("defined a) or defined b", 10, "')' closes nothing"),
        ("()", 2, "expected an expression instead of ')'"),
        ('a eq "x', 6, 'the quote " is not closed'),
        ("a eq parm{x}", 6, "expected param{...} or meta{...}; put quotes around 'parm{x}'"),
        ("date", 5, "expected gt, lt, in or spec after 'date'"),
        ("date after 2024", 6, "unknown date operator 'after'; expected one of gt, lt, in, spec"),
        ("date gt", 8, "expected a date after 'date gt'"),
        ("date gt start=2024-01-01", 9, "expected a date without start="),
        ("date in hours=5", 6, f"'date in' needs start= or end=: {RANGE}"),
        ("date in_range 2024-05-01 to 2024-06-01", 6, f"'date in' needs start= or end=: {RANGE}"),
        (
            "date in start=2024-05-01 to duration months=1",
            26,
            f"expected 'and' or 'or' before 'to'; it is written {RANGE}",
        ),
        (
            "date in start=2024-05-01 duration months=1",
            26,
            f"expected 'and' or 'or' before 'duration'; it is written {RANGE}",
        ),
        (
            "date gt 2024-05-01 12:00",
            20,
            "expected 'and' or 'or' before '12:00'; put quotes around a date with a time in it",
        ),
        ("defined a && defined b", 11, "expected 'and' or 'or' before '&&'; did you mean 'and'?"),
        ("defined a || defined b", 11, "expected 'and' or 'or' before '||'; did you mean 'or'?"),
        (
            "rsc ocf:heartbeat:IPaddr2",
            5,
            (
                "expected 'and' or 'or' before 'ocf:heartbeat:IPaddr2';"
                " it is written rsc class=ocf provider=heartbeat type=IPaddr2"
            ),
        ),
        ("date in start=1 end=2 hours=3", 6, "'date in' takes end= or a duration, not both"),
        ("date in strat=1", 9, "unknown name 'strat'; did you mean 'start'?"),
        ("date spec", 10, "expected a period such as hours=9-17"),
        ("date spec 9-17", 11, "expected a period such as hours=9-17"),
        ("date spec hour=9", 11, "unknown name 'hour'; did you mean 'hours'?"),
        ("date spec hours=9 hours=10", 19, "hours= is given twice"),
        ("op interval=10s", 1, "'op' needs name=: op name=monitor interval=10s"),
        ("(" * 60 + "defined a" + ")" * 60, 51, "parentheses are nested more than 50 deep"),
    ],
)
def test_errors_point_at_the_column(text: str, column: int, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert (caught.value.column, caught.value.message) == (column, message)
    assert str(caught.value) == f"column {column}: {message}"


@given(expressions)
def test_text_and_back(expression: Expression) -> None:
    assert parse(format(expression)) == expression


@given(expressions, expressions)
def test_equal_texts_mean_equal_expressions(one: Expression, other: Expression) -> None:
    assert (format(one) == format(other)) == (one == other)


def column_of_error(text: str) -> int | None:
    try:
        expression = parse(text)
    except RuleError as error:
        return error.column
    assert parse(format(expression)) == expression
    return 1


@given(st.text("defin a()\"'\\{}=$-<lt:5orand\n", max_size=30) | st.text(max_size=10))
def test_any_text_is_a_rule_or_has_a_column_where_it_is_not(text: str) -> None:
    assert column_of_error(text) in range(1, len(text) + 2)


@pytest.mark.parametrize(
    "build",
    [
        partial(Comparison, "a", "like", "x"),
        partial(Comparison, "a", "eq", "x", "text"),
        partial(Comparison, "a", "eq", "x", source="node"),
        partial(DateBound, "eq", "2024-05-01"),
        partial(DateRange),
        partial(DateSpec, (("hour", "9"),)),
        partial(Combination, "and", (A,)),
        partial(combine, "or", []),
    ],
)
def test_expressions_cannot_be_built_wrong(build: Callable[[], object]) -> None:
    with pytest.raises(RuleError):
        build()


def test_what_means_the_same_is_equal() -> None:
    assert DateRange("2024-05-01", duration=()) == DateRange("2024-05-01", duration=(("hours", "0"),))
    assert DateRange("2024-05-01", "2024-05-02", (("hours", "1"),)) == DateRange("2024-05-01", "2024-05-02")
    assert DateSpec(()) == DateSpec((("hours", "0-23"),))
    assert Comparison("a", "eq", "", source="param") == Comparison("a", "eq", None, source="param")
    assert combine("and", [A]) == A
    assert combine("and", [A, combine("and", [B, C])]) == Combination("and", (A, B, C))
    assert combine("or", [A, combine("and", [B, C])]) != Combination("or", (A, B, C))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("date spec hours=17-9", ("hours=17-9 never holds, as a range does not wrap around"
         ": date spec hours=17-23 or date spec hours=0-9")),
        ("date spec years=2027-2026", "years=2027-2026 never holds, as a range does not wrap around"),
        ("date spec hours=25", "hours=25 never holds: hours are 0 to 23"),
        ("date spec weekdays=0", "weekdays=0 never holds: weekdays are 1 to 7"),
        ("date spec weekdays=mon-fri",
         "weekdays=mon-fri is neither a number nor a range such as 1-5: Pacemaker passes it over"),
        ("date spec hours=-", "hours=- is neither a number nor a range such as 1-5: Pacemaker passes it over"),
        ("date in start=2027-01-01 end=2026-01-01", "it never holds, as 2027-01-01 is after 2026-01-01"),
        ("date in start=2026-01-01 months=two", "months=two is not a whole number"),
        ("date in start=2026-01-01 months=1-2", "months=1-2 is not a whole number"),
    ],
)  # fmt: skip
def test_what_never_holds_or_cannot_be_read_is_doubted(text: str, said: str) -> None:
    assert doubts(parse(text)) == [said]


@pytest.mark.parametrize(
    "text",
    [
        "date spec hours=9-30 weekdays=1 moon=0-7 years=2027",
        "date spec hours=12- weeks=-12 months=12",
        "date in start=2026-01-01 end=2026-01-01",
        "date in start=2026-01-01 months=2 days=-1",
    ],
)
def test_what_holds_at_some_time_is_not_doubted(text: str) -> None:
    assert doubts(parse(text)) == []


def test_doubts() -> None:
    assert doubts(parse("defined a or date gt 2024-05-01")) == []
    assert doubts(parse("date gt tomorrow and date in start=2024-05-01T08:00:00+02:00")) == [
        "'tomorrow' is not a date such as 2024-05-01, 2024-05-01T08:00:00 or '2024-05-01 08:00 +02:00'",
        "Pacemaker overlooks the offset in '2024-05-01T08:00:00+02:00'; put a blank before it",
    ]
    assert doubts(parse("date spec yearsdays=1 hours=9")) == ["Pacemaker does not look at yearsdays in a date_spec"]
    assert doubts(parse("date in start=2024-05-01 moon=4")) == ["Pacemaker does not look at moon in a duration"]
    assert doubts(parse("rsc class=systemd or rsc class=ocf provider=heartbeat")) == []
    assert doubts(parse("rsc class=ocf")) == [
        "Pacemaker 2.1.5 finds that no ocf agent matches an rsc without provider="
    ]
    assert doubts(parse("a version:gt 2.1rc1 and b version:gt 2.1")) == [
        "Pacemaker 2.1.5 can hang when it compares versions such as '2.1rc1': keep to digits and dots"
    ]
    assert doubts(parse("op name=monitor interval=often")) == [
        "'often' is not a duration: expected a number and one of ms, s, min, h"
    ]
