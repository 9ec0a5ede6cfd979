"""A ``rule`` element of the CIB, to and from an expression.

The element's own score, score-attribute and role are the caller's; what is read and written here is ``boolean-op`` and
the children. Attributes that the schema allows and Pacemaker does not look at (the score and role of a nested rule, the
value of ``defined``) are not read, and written only where the schema wants them.
"""

from collections.abc import Collection, Iterator
from copy import deepcopy
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from reconciler.cib.document import children
from reconciler.cib.rule_expressions import (
    PERIODS,
    Combination,
    Comparison,
    Connective,
    DateBound,
    DateRange,
    DateSpec,
    Defined,
    Expression,
    OperationMatch,
    Period,
    ResourceMatch,
    RuleError,
    RuleReference,
    combine,
)

_DEEPEST = 50
# Schemas before 3.9 want a score in every rule; Pacemaker looks at that of the outermost only.
_NESTED_SCORE: Final = "0"


def from_element(rule: Element) -> Expression:
    """Read what a ``rule`` element says; one with ``id-ref`` says a :class:`RuleReference`.

    Raises:
        RuleError: the element has no expression in it, one that no schema knows, or one that lacks what it needs.
    """
    return _rule(rule, 0)


def _rule(rule: Element, depth: int) -> Expression:
    reference = rule.get("id-ref")
    if reference is not None:
        return RuleReference(reference)
    if depth > _DEEPEST:
        raise RuleError(f"rules are nested more than {_DEEPEST} deep")
    return combine(_connective(rule), (_expression(child, depth) for child in children(rule)))


def _connective(rule: Element) -> Connective:
    return "or" if rule.get("boolean-op", "").lower() == "or" else "and"


def _expression(element: Element, depth: int) -> Expression:
    match element.tag:
        case "rule":
            return _rule(element, depth + 1)
        case "expression":
            return _attribute_expression(element)
        case "date_expression":
            return _date_expression(element)
        case "rsc_expression":
            return ResourceMatch(element.get("class"), element.get("provider"), element.get("type"))
        case "op_expression":
            return OperationMatch(_needed(element, "name"), element.get("interval"))
        case _:
            raise RuleError(f"<{element.tag}> has no place in a rule")


def _attribute_expression(element: Element) -> Expression:
    attribute = _needed(element, "attribute")
    operation = _needed(element, "operation").lower()
    if operation in ("defined", "not_defined"):
        return Defined(attribute, negated=operation == "not_defined")
    type_, source = element.get("type", "").lower(), element.get("value-source", "").lower()
    return Comparison(attribute, operation, element.get("value"), type_ or None, source or None)


def _date_expression(element: Element) -> Expression:
    operation = element.get("operation", "in_range").lower()
    match operation:
        case "gt":
            return DateBound("gt", _needed(element, "start"))
        case "lt":
            return DateBound("lt", _needed(element, "end"))
        case "in_range":
            duration = element.find("duration")
            return DateRange(element.get("start"), element.get("end"), None if duration is None else _periods(duration))
        case "date_spec":
            spec = element.find("date_spec")
            if spec is None:
                raise RuleError("<date_expression operation='date_spec'> has no <date_spec>")
            return DateSpec(_periods(spec))
        case _:
            raise RuleError(f"<date_expression> has the unknown operation {operation!r}")


def _periods(element: Element) -> tuple[Period, ...]:
    return tuple((name, value) for name in PERIODS if (value := element.get(name)) is not None)


def _needed(element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise RuleError(f"<{element.tag}> has no {name}")
    return value


def to_element(
    expression: Expression, rule_id: str, live: Element | None = None, taken: Collection[str] = ()
) -> Element:
    """Make a ``rule`` element that says the expression; for its arguments see :func:`fill`."""
    rule = Element("rule", {"id": rule_id})
    fill(rule, expression, live, taken)
    return rule


def fill(rule: Element, expression: Expression, live: Element | None = None, taken: Collection[str] = ()) -> None:
    """Give a ``rule`` element that has an id its ``boolean-op`` and children.

    Where the live rule says the same already, its ``boolean-op`` and children are copied as they are. Else the children
    that say the same are copied, a child that says something else passes its id on to what takes its place, and what
    remains gets ids as crmsh makes them: ``ID-expression``, then ``ID-expression-0``; ``ID-rule`` for a nested rule.

    Args:
        rule: the element to fill, without children. A reference as the whole expression becomes its only child.
        expression: what the rule is to say.
        live: the ``rule`` element in the CIB that this one is to take the place of.
        taken: ids that generated ones must not repeat; those under ``live`` need not be named.
    """
    _Writer(live, taken).fill(rule, expression, live)


class _Writer:
    """Knows which ids are taken while one rule is written."""

    def __init__(self, live: Element | None, taken: Collection[str]) -> None:
        self._given = (
            {live_id for element in live.iter() if (live_id := element.get("id"))} if live is not None else set()
        )
        self._taken = taken

    def fill(self, rule: Element, expression: Expression, live: Element | None) -> None:
        if live is not None and live.get("id-ref") is not None:
            live = None
        if live is not None and _says(live) == expression:
            _set_connective(rule, live.get("boolean-op"))
            rule.extend(deepcopy(list(live)))
            return
        operands: tuple[Expression, ...] = (expression,)
        if isinstance(expression, Combination):
            operands = expression.operands
            _set_connective(rule, "or" if expression.connective == "or" else None)
        else:
            _set_connective(rule, None)
        for operand, (same, predecessor) in zip(operands, _pair(operands, live), strict=True):
            if same is not None:
                rule.append(deepcopy(same))
            else:
                self._append(rule, operand, predecessor)

    def _append(self, rule: Element, operand: Expression, live: Element | None) -> None:
        tag = _tag(operand)
        if isinstance(operand, RuleReference):
            SubElement(rule, tag, {"id-ref": operand.id})
            return
        suffix = "rule" if tag == "rule" else "expression"
        element = SubElement(rule, tag, {"id": self._id(live, f"{rule.get('id')}-{suffix}")})
        match operand:
            case Combination():
                _set(element, _nested_score(live))
                self.fill(element, operand, live)
            case DateRange(duration=periods) if periods is not None:
                _set(element, _attributes(operand))
                self._append_periods(element, "duration", periods, live)
            case DateSpec(periods):
                _set(element, _attributes(operand))
                self._append_periods(element, "date_spec", periods, live)
            case _:
                _set(element, _attributes(operand))

    def _append_periods(self, element: Element, tag: str, periods: tuple[Period, ...], live: Element | None) -> None:
        predecessor = None if live is None else live.find(tag)
        SubElement(element, tag, {"id": self._id(predecessor, f"{element.get('id')}-{tag}"), **dict(periods)})

    def _id(self, live: Element | None, wanted: str) -> str:
        if live is not None and (live_id := live.get("id")):
            return live_id
        chosen = next(name for name in _names(wanted) if name not in self._given and name not in self._taken)
        self._given.add(chosen)
        return chosen


def _names(wanted: str) -> Iterator[str]:
    yield wanted
    number = 0
    while True:
        yield f"{wanted}-{number}"
        number += 1


def _pair(operands: tuple[Expression, ...], live: Element | None) -> list[tuple[Element | None, Element | None]]:
    """For each operand the live child that says the same, or else the one of its kind whose place it takes."""
    unused = list(children(live))
    said = [_says_child(child) for child in unused]
    pairs: list[tuple[Element | None, Element | None]] = [(None, None)] * len(operands)
    for position, operand in enumerate(operands):
        if operand in said:
            index = said.index(operand)
            pairs[position] = unused.pop(index), None
            del said[index]
    for position, operand in enumerate(operands):
        index = next((i for i, child in enumerate(unused) if child.tag == _tag(operand)), -1)
        if pairs[position][0] is None and index >= 0:
            pairs[position] = None, unused.pop(index)
    return pairs


def _says(rule: Element) -> Expression | None:
    try:
        return from_element(rule)
    except RuleError:
        return None


def _says_child(element: Element) -> Expression | None:
    try:
        return _expression(element, 0)
    except RuleError:
        return None


def _nested_score(live: Element | None) -> dict[str, str | None]:
    if live is None or live.get("id-ref") is not None:
        return {"score": _NESTED_SCORE}
    return {name: live.get(name) for name in ("score", "score-attribute", "role")}


def _set_connective(rule: Element, connective: str | None) -> None:
    if connective is not None:
        rule.set("boolean-op", connective)
    else:
        rule.attrib.pop("boolean-op", None)


def _tag(expression: Expression) -> str:
    match expression:
        case Combination() | RuleReference():
            return "rule"
        case Defined() | Comparison():
            return "expression"
        case DateBound() | DateRange() | DateSpec():
            return "date_expression"
        case ResourceMatch():
            return "rsc_expression"
        case OperationMatch():
            return "op_expression"


def _attributes(expression: Expression) -> dict[str, str | None]:
    match expression:
        case Defined(attribute, negated):
            return {"attribute": attribute, "operation": "not_defined" if negated else "defined"}
        case Comparison(attribute, operation, value, type_, source):
            return {
                "attribute": attribute,
                "operation": operation,
                "value": value,
                "type": type_,
                "value-source": source,
            }
        case DateBound(operation, moment):
            return {"operation": operation, "start" if operation == "gt" else "end": moment}
        case DateRange(start, end):
            return {"operation": "in_range", "start": start, "end": end}
        case DateSpec():
            return {"operation": "date_spec"}
        case ResourceMatch(standard, provider, type_):
            return {"class": standard, "provider": provider, "type": type_}
        case OperationMatch(name, interval):
            return {"name": name, "interval": interval}
        case Combination() | RuleReference():
            return {}


def _set(element: Element, attributes: dict[str, str | None]) -> None:
    for name, value in attributes.items():
        if value is not None:
            element.set(name, value)
