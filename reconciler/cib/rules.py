"""Rules of the CIB as values: text (:func:`parse`, :func:`format`) and XML (:func:`from_element`, :func:`to_element`).

    >>> from reconciler.cib import rules
    >>> rules.format(rules.parse("not_defined pingd OR pingd LTE 0"))
    'not_defined pingd or pingd lte 0'

Equal expressions mean the same to Pacemaker; :mod:`reconciler.cib.rule_expressions` says how far the reverse holds.
"""

from reconciler.cib.rule_expressions import (
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
    references,
)
from reconciler.cib.rule_grammar import format, parse  # noqa: A004  rules.format says what it does
from reconciler.cib.rule_xml import fill, from_element, to_element

__all__ = [
    "Combination",
    "Comparison",
    "DateBound",
    "DateRange",
    "DateSpec",
    "Defined",
    "Expression",
    "OperationMatch",
    "ResourceMatch",
    "RuleError",
    "RuleReference",
    "combine",
    "doubts",
    "fill",
    "format",
    "from_element",
    "parse",
    "references",
    "to_element",
]
