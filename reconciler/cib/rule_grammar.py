"""A rule's text, in crmsh's spelling, to and from an expression.

::

    rule       = both { "or" both }
    both       = operand { "and" operand }
    operand    = "(" rule ")" | simple
    simple     = ( "defined" | "not_defined" ) ATTRIBUTE
               | ATTRIBUTE [ TYPE ":" ] ( "lt" | "lte" | "gt" | "gte" | "eq" | "ne" ) value
               | "date" ( "gt" | "lt" ) DATE
               | "date" "in" [ "start=" DATE ] [ "end=" DATE ] { PERIOD "=" NUMBER }
               | "date" "spec" PERIOD "=" RANGE { PERIOD "=" RANGE }
               | "rsc" [ "class=" CLASS ] [ "provider=" PROVIDER ] [ "type=" TYPE ]
               | "op" "name=" NAME [ "interval=" INTERVAL ]
               | "$id-ref=" RULE
    value      = VALUE | ( "param" | "meta" ) "{" NAME "}" | "{}"

``and`` binds tighter than ``or``. Words are separated by blanks; quotes, single or double, keep blanks and all other
special characters, and make a keyword an ordinary word. Inside them a backslash takes the next character as it is.
``{}`` is no value at all, which an empty one (``""``) is not. crmsh has neither parentheses, nor ``rsc``, ``op``,
``$id-ref`` or ``{}``; the rest is what its ``location`` and ``rule`` take and print.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches

from reconciler.cib.rule_expressions import (
    COMPARISONS,
    PERIODS,
    SOURCES,
    TYPES,
    Combination,
    Comparison,
    Connective,
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
)
from reconciler.cib.rule_tokens import Token, quote, tokenize

_DEEPEST = 50
_REFERENCE = "$id-ref"
_RSC_EXAMPLE = "rsc class=ocf provider=heartbeat type=IPaddr2"
_RANGE_EXAMPLE = "date in start=2024-05-01 end=2024-06-01, or date in start=2024-05-01 months=1"
_SPEC_EXAMPLE = "a period such as hours=9-17"
_CRM_FIELDS = frozenset({"start", "end", *PERIODS} - {"days", "yeardays", "minutes", "seconds"})
_NO_WORDS_OF_CRM = frozenset({"rsc", "op", "(", ")"})
_UNARY = ("defined", "not_defined")
_CONNECTIVES = frozenset({"and", "or"})
_RESERVED = _CONNECTIVES | {"date", "rsc", "op", *_UNARY, *COMPARISONS}
_DATE_OPERATIONS = {"gt": "gt", "lt": "lt", "in": "in", "in_range": "in", "spec": "spec", "date_spec": "spec"}
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]", re.ASCII)
_INSTEAD = {
    "&&": "did you mean 'and'?",
    "||": "did you mean 'or'?",
    "to": f"it is written {_RANGE_EXAMPLE}",
    "duration": f"it is written {_RANGE_EXAMPLE}",
}
"""What other languages and pcs say, and how it is said here."""

_MEANT = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "=": "eq", "==": "eq", "!=": "ne", "le": "lte", "ge": "gte"}


def parse(text: str) -> Expression:
    """Read a rule's text.

    Raises:
        RuleError: with the column at which the text stops making sense, and what was expected there.
    """
    parser = _Parser(tokenize(text), len(text) + 1)
    expression = parser.any_of(0)
    token = parser.peek()
    if token is not None:
        if token.keyword() == ")":
            raise RuleError("')' closes nothing", token.column)
        raise RuleError(f"expected 'and' or 'or' before {_show(token)}{parser.advice(token)}", token.column)
    return expression


def parse_beginning(tokens: Sequence[Token]) -> tuple[Expression, int]:
    """Read the rule that a statement of crm's goes on with, where other words may follow it.

    There `rsc` and `op` are names of attributes, `date in` and `date spec` end at the first word that crm knows no
    period by, and a duration beside an end is passed over, as Pacemaker does.

    Returns:
        What the rule says, and how many tokens it takes.

    Raises:
        RuleError: the tokens do not begin with a rule.
    """
    parser = _Beginning(tokens)
    return parser.any_of(0), parser.used


class _Parser:
    """Recursive descent over the tokens; each method reads one rule of the grammar."""

    def __init__(self, tokens: Sequence[Token], end: int) -> None:
        self._tokens = tokens
        self._next = 0
        self._end = end

    def peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def advice(self, token: Token) -> str:
        """Say what is written in place of a word that cannot stand here, as the end of a message; empty if unknown."""
        before = self._tokens[self._next - 1].keyword() if self._next else ""
        if before == "rsc":
            return f"; it is written {_RSC_EXAMPLE}"
        if _CLOCK.match(token.text):
            return "; put quotes around a date with a time in it"
        return f"; {_INSTEAD[token.keyword()]}" if token.keyword() in _INSTEAD else ""

    def _keyword(self) -> str:
        token = self.peek()
        return "" if token is None else token.keyword()

    def _take(self, expected: str) -> Token:
        token = self.peek()
        if token is None:
            raise RuleError(f"expected {expected}", self._end)
        if token.keyword() in {"(", ")"} | _CONNECTIVES:
            raise RuleError(f"expected {expected} instead of {_show(token)}", token.column)
        self._next += 1
        return token

    def any_of(self, depth: int) -> Expression:
        return self._joined("or", lambda: self._all_of(depth))

    def _all_of(self, depth: int) -> Expression:
        return self._joined("and", lambda: self._operand(depth))

    def _joined(self, connective: Connective, operand: Callable[[], Expression]) -> Expression:
        operands = [operand()]
        while self._keyword() == connective:
            self._next += 1
            operands.append(operand())
        return combine(connective, operands)

    def _operand(self, depth: int) -> Expression:
        if self._keyword() != "(":
            return self._simple()
        opening = self._tokens[self._next]
        if depth == _DEEPEST:
            raise RuleError(f"parentheses are nested more than {_DEEPEST} deep", opening.column)
        self._next += 1
        inside = self.any_of(depth + 1)
        token = self.peek()
        if token is None:
            raise RuleError("'(' is not closed", opening.column)
        if token.keyword() != ")":
            raise RuleError(f"expected 'and', 'or' or ')' before {_show(token)}", token.column)
        self._next += 1
        return inside

    def _simple(self) -> Expression:
        token = self._take("an expression")
        keyword = token.keyword()
        if keyword in _UNARY:
            return Defined(self._take(f"an attribute after '{keyword}'").text, negated=keyword == "not_defined")
        if keyword == "date":
            return self._date()
        if keyword == "rsc":
            fields = self._fields(("class", "provider", "type"))
            return ResourceMatch(fields.get("class"), fields.get("provider"), fields.get("type"))
        if keyword == "op":
            return self._operation(token)
        if token.mask.startswith(f"{_REFERENCE}="):
            return RuleReference(token.text.removeprefix(f"{_REFERENCE}="))
        return self._comparison(token)

    def _comparison(self, attribute: Token) -> Expression:
        if attribute.keyword() in COMPARISONS:
            raise RuleError(f"expected an attribute before {_show(attribute)}", attribute.column)
        token = self._take(f"an operator after {_show(attribute)}")
        type_, _, operation = token.keyword().rpartition(":")
        if operation in _UNARY:
            hint = "not_defined" if attribute.keyword() == "not" else operation
            raise RuleError(f"'{hint}' stands before the attribute", attribute.column)
        if type_ and type_ not in TYPES:
            raise _unknown("type", type_, TYPES, token.column)
        if operation not in COMPARISONS:
            raise _unknown("operator", operation or token.text, COMPARISONS, token.column + len(type_) + bool(type_))
        value, source = _value(self._take(f"a value after '{operation}'"))
        return Comparison(attribute.text, operation, value, type_ or None, source)

    def _date(self) -> Expression:
        token = self._take("gt, lt, in or spec after 'date'")
        operation = _DATE_OPERATIONS.get(token.keyword())
        if operation is None:
            raise _unknown("date operator", token.text, ("gt", "lt", "in", "spec"), token.column)
        if operation == "in":
            return self._range(token)
        if operation == "spec":
            periods = self._fields(PERIODS)
            if not periods:
                self._take(_SPEC_EXAMPLE)
                raise RuleError(f"expected {_SPEC_EXAMPLE}", self._tokens[self._next - 1].column)
            return DateSpec(tuple(periods.items()))
        date = self._take(f"a date after 'date {operation}'")
        if "=" in date.mask:
            raise RuleError(f"expected a date without {date.text.partition('=')[0]}=", date.column)
        return DateBound(operation, date.text)

    def _range(self, token: Token) -> Expression:
        fields = self._fields(("start", "end", *PERIODS))
        start, end = fields.pop("start", None), fields.pop("end", None)
        if start is None and end is None:
            raise RuleError(f"'date in' needs start= or end=: {_RANGE_EXAMPLE}", token.column)
        if end is not None and fields:
            self._both(token)
        return DateRange(start, end, tuple(fields.items()) or None)

    def _both(self, token: Token) -> None:
        raise RuleError("'date in' takes end= or a duration, not both", token.column)

    def _operation(self, token: Token) -> Expression:
        fields = self._fields(("name", "interval"))
        if "name" not in fields:
            raise RuleError("'op' needs name=: op name=monitor interval=10s", token.column)
        return OperationMatch(fields["name"], fields.get("interval"))

    def _fields(self, names: tuple[str, ...]) -> dict[str, str]:
        fields: dict[str, str] = {}
        while (token := self.peek()) is not None and self._is_field(token):
            split = token.mask.index("=")
            name = token.part(0, split).keyword()
            if name not in names:
                raise _unknown("name", token.text[:split], names, token.column)
            if name in fields:
                raise RuleError(f"{name}= is given twice", token.column)
            fields[name] = token.text[split + 1 :]
            self._next += 1
        return fields

    def _is_field(self, token: Token) -> bool:
        return "=" in token.mask


class _Beginning(_Parser):
    """Reads a rule in crm's own words, and stops where it ends."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        names = [replace(token, quoted=True) if token.keyword() in _NO_WORDS_OF_CRM else token for token in tokens]
        super().__init__(names, 1)

    @property
    def used(self) -> int:
        return self._next

    def _both(self, token: Token) -> None:
        pass

    def _is_field(self, token: Token) -> bool:
        return super()._is_field(token) and token.text.partition("=")[0] in _CRM_FIELDS


def _value(token: Token) -> tuple[str | None, str | None]:
    opening = token.mask.find("{")
    if opening < 0 or not token.mask.endswith("}"):
        return token.text, None
    source = token.part(0, opening).keyword()
    inside = token.text[opening + 1 : -1]
    if source in SOURCES:
        return inside, source
    if token.text == "{}":
        return None, None
    raise RuleError(f"expected param{{...}} or meta{{...}}; put quotes around {_show(token)}", token.column)


def _unknown(what: str, word: str, known: tuple[str, ...], column: int) -> RuleError:
    meant = [_MEANT[word]] if _MEANT.get(word) in known else get_close_matches(word.lower(), known, 1)
    advice = f"did you mean '{meant[0]}'?" if meant else f"expected one of {', '.join(known)}"
    return RuleError(f"unknown {what} '{word}'; {advice}", column)


def _show(token: Token) -> str:
    return f"'{token.text}'"


def format(expression: Expression) -> str:  # noqa: A001  named as what it does, beside parse; used as rules.format
    """Write an expression as text that :func:`parse` reads back as an equal one; equal expressions, equal texts."""
    match expression:
        case Defined(attribute, negated):
            return f"{_UNARY[negated]} {quote(attribute, _RESERVED)}"
        case Comparison():
            return _format_comparison(expression)
        case DateBound(operation, moment):
            return f"date {operation} {quote(moment, _CONNECTIVES)}"
        case DateRange(start, end, duration):
            return _fields("date in", [("start", start), ("end", end), *(duration or ())])
        case DateSpec(periods):
            return _fields("date spec", periods)
        case ResourceMatch(standard, provider, type_):
            return _fields("rsc", [("class", standard), ("provider", provider), ("type", type_)])
        case OperationMatch(name, interval):
            return _fields("op", [("name", name), ("interval", interval)])
        case RuleReference(id_):
            return f"{_REFERENCE}={quote(id_)}"
        case Combination(connective, operands):
            return f" {connective} ".join(
                f"({format(operand)})" if isinstance(operand, Combination) else format(operand) for operand in operands
            )


def _format_comparison(comparison: Comparison) -> str:
    type_ = "" if comparison.type is None else f"{comparison.type}:"
    if comparison.source is not None:
        value = f"{comparison.source}{{{quote(comparison.value) if comparison.value else ''}}}"
    else:
        value = "{}" if comparison.value is None else quote(comparison.value, _CONNECTIVES)
    return f"{quote(comparison.attribute, _RESERVED)} {type_}{comparison.operation} {value}"


def _fields(keyword: str, fields: Iterable[tuple[str, str | None]]) -> str:
    return " ".join([keyword, *(f"{name}={quote(value)}" for name, value in fields if value is not None)])
