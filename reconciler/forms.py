"""What a person may write where Pacemaker has its own words and numbers, as JSON Schema says it. Pure.

The same as the functions of :mod:`reconciler.cib.values` take. It does not hold for what is taken word for word: so it
stands beside a field's plain type (`kinds.written`), and only the schemas of whole manifests make it a demand.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.cib import values

WHOLE: Mapping[str, Any] = {"not": {"pattern": "[\u0000-\u001f\u007f\ufffe\uffff]"}}
"""Without what Pacemaker does not keep, see `cib.document.LOST`."""

_NUMERIC = ["integer", "number", "string"]
_WHOLE = ["integer", "string"]
_INTEGER = r"\s*[+-]?[0-9]+\s*"
_INFINITE = "[+-]?([Ii][Nn][Ff]|[Ii][Nn][Ff][Ii][Nn][Ii][Tt][Yy])"
_LENGTH = r"\s*[0-9]+[0-9.]*\s*(([Mm]|[Uu])?[Ss].*|[Mm].*|[Hh].*)?"
_ISO = "P[0-9TYMWDHS]+"
_COLONS = "[^o:][^:]*|o([^c:][^:]*)?|oc([^f:][^:]*)?|ocf[^:]+"
"""Any class but ocf, which has a provider; without looking ahead, which not every editor can."""


def _text(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})$"}


def _words(shown: Iterable[str], *also: str) -> dict[str, Any]:
    """Offer some words, and take them and others in any case."""
    said = [*shown]
    each = "|".join(map(_any_case, (*said, *also)))
    return {"anyOf": [{"enum": said}, _text(each)]}


def _any_case(word: str) -> str:
    return "".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else re.escape(c) for c in word)


SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "Agent": _text(f"ocf::?[^:]+:.+|({_COLONS}):.+"),
    "Boolean": {
        "anyOf": [
            {"type": "boolean"},
            {"type": "integer", "enum": [0, 1]},
            _words(["true", "false"], "on", "off", "yes", "no", "y", "n", "1", "0")["anyOf"][1],
        ]
    },
    "Duration": {"type": _NUMERIC, "minimum": 0, "pattern": f"^({_LENGTH}|{_ISO})$"},
    "Timeout": {"type": _NUMERIC, "minimum": 0, "exclusiveMaximum": 2147484, "pattern": f"^{_LENGTH}$"},
    "Integer": {"type": _WHOLE, "pattern": f"^{_INTEGER}$"},
    "Number": {"type": _WHOLE, "pattern": f"^({_INTEGER}|[+-]?INFINITY)$"},
    "Positive": {"type": _WHOLE, "minimum": 1, "pattern": r"^\s*[+]?0*[1-9][0-9]*\s*$"},
    "Score": {"type": _WHOLE, "pattern": f"^({_INTEGER}|{_INFINITE})$"},
    "HealthScore": {
        "type": _WHOLE,
        "pattern": f"^({_INTEGER}|{_INFINITE}|{'|'.join(map(_any_case, ('red', 'yellow', 'green')))})$",
    },
    "Percentage": _text("[ \t]*[+]?[0-9]+%"),
    "OnFail": _words([*values.ON_FAIL.split()], "nothing"),
    "OrderKind": _words(["Mandatory", "Optional", "Serialize"]),
    "Role": _words(["Started", "Stopped", "Promoted", "Unpromoted"], "Master", "Slave"),
    "TargetRole": _words(["Started", "Stopped", "Promoted", "Unpromoted"], "Master", "Slave", "default"),
    "Name": {"type": "string", "minLength": 1, **WHOLE},
    "Expression": {"type": "string", "pattern": r"\S", **WHOLE},
}
"""What there is to be written, by name."""

_BY_FUNCTION: Mapping[Callable[[str], str], str] = {
    values.boolean: "Boolean",
    values.duration: "Duration",
    values.timeout: "Timeout",
    values.stored_score: "HealthScore",
    values.stored_integer: "Integer",
    values.stored_number: "Number",
    values.percentage: "Percentage",
    values.role: "Role",
    values.target_role: "TargetRole",
}


def _said(function: Callable[[str], str]) -> Mapping[str, Any]:
    if isinstance(function, values.Choice):
        return (
            {"enum": [*function.words, *dict(function.same)]}
            if function.cased
            else _words(function.words, *dict(function.same))
        )
    name = _BY_FUNCTION.get(function)
    return {"$ref": f"#/$defs/{name}"} if name else {}


def _vocabulary(table: Mapping[str, Callable[[str], str]], old: Mapping[str, str]) -> Mapping[str, Any]:
    """Say what is known of a table of values, or of the tables in a list of sets."""
    known = {name: said for name, function in sorted(table.items()) if (said := _said(function))}
    known |= {name: known[now] for name, now in old.items() if now in known}
    table_of = {"properties": known, "additionalProperties": True}
    inside = {"properties": {"values": table_of}, "additionalProperties": True}
    return {**table_of, "items": inside}


VOCABULARIES = {
    "MetaAttributes": _vocabulary(values.META_ATTRIBUTES, values.META_NAMES),
    "OperationAttributes": _vocabulary(values.OPERATION_ATTRIBUTES, {}),
    "Properties": _vocabulary(values.PROPERTIES, {}),
    "NodeAttributes": _vocabulary(values.NODE_ATTRIBUTES, {}),
}
"""The same for sets of values of which Pacemaker knows some."""
