"""Kinds -> CustomResourceDefinitions, for those who hand manifests to a node through Kubernetes. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kinds.base import Kind
from reconciler.state import API_VERSION
from reconciler.status import HEALTHY, SYNCED

GROUP, _, VERSION = API_VERSION.partition("/")

_STATUS = {
    "type": "object",
    "description": "What the agent saw when it last looked.",
    "properties": {
        "revision": {"type": "string", "description": "The revision of the manifests that the conditions speak of."},
        "conditions": {
            "type": "array",
            "description": f"{SYNCED}: it is as wanted. {HEALTHY}: it works.",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "description": f"{SYNCED} or {HEALTHY}."},
                    "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                    "reason": {"type": "string", "description": "Why, in one word for programs."},
                    "message": {"type": "string", "description": "Why, for people."},
                    "lastTransitionTime": {
                        "type": "string",
                        "format": "date-time",
                        "description": "When the status last changed.",
                    },
                },
                "required": ["type", "status", "reason", "message", "lastTransitionTime"],
            },
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    },
}

_KEPT = (
    "description",
    "type",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
)


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Keys that YAML 1.1 takes for something else than a text."""


def plural(kind: str) -> str:
    """Return the plural by which Kubernetes files a kind: `primitives`, `clusterproperties`, `fencingtopologies`."""
    name = kind.lower()
    if name.endswith("s"):
        return name
    return re.sub(r"(?<=[^aeiou])y$", "ie", name) + "s"


def file_name(kind: str) -> str:
    """Return the name of the file that holds a kind's definition: `primitives.ha.reconciler.io.yaml`."""
    return f"{plural(kind)}.{GROUP}.yaml"


def definition(kind: Kind, spec: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the CustomResourceDefinition (apiextensions.k8s.io/v1) of a kind.

    `spec` is the JSON Schema of its spec, and `definitions` what the references in it (`#/$defs/…`) refer to.
    """
    names = {"kind": kind.name, "listKind": f"{kind.name}List", "plural": plural(kind.name)}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural(kind.name)}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {**names, "singular": kind.name.lower(), "categories": ["reconciler"]},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "description": kind.summary,
                            "properties": {
                                "apiVersion": {"type": "string"},
                                "kind": {"type": "string"},
                                "metadata": {"type": "object"},
                                "spec": structural(spec, definitions),
                                "status": _STATUS,
                            },
                            "required": ["spec"],
                        }
                    },
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        *(_condition_column(condition) for condition in (SYNCED, HEALTHY)),
                        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                    ],
                }
            ],
        },
    }


def _condition_column(condition: str) -> dict[str, str]:
    return {
        "name": condition,
        "type": "string",
        "jsonPath": f".status.conditions[?(@.type=='{condition}')].status",
    }


def structural(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the structural form of a JSON Schema, as Kubernetes wants it: references resolved, one type everywhere.

    Where several types are allowed Kubernetes keeps whatever is there; what it cannot check, the agent does. Defaults
    are left out, for Kubernetes would write them into what people wrote.

    Raises:
        ValueError: the schema closes itself (a model that contains itself), which Kubernetes cannot have.
    """
    return _structural(schema, definitions, ())


def _structural(schema: Mapping[str, Any], definitions: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference in inside:
        raise ValueError(f"{reference} contains itself")
    if reference:
        named = {**definitions[reference.removeprefix("#/$defs/")], **schema}
        del named["$ref"]
        return _structural(named, definitions, (*inside, reference))
    kept = {keyword: schema[keyword] for keyword in _KEPT if keyword in schema}
    if "const" in schema:
        kept["enum"] = [schema["const"]]
    types = _types(schema)
    if types == {"integer", "string"}:
        kept.pop("type", None)
        return {**kept, "x-kubernetes-int-or-string": True}
    if not isinstance(schema.get("type"), str):
        kept.pop("type", None)
        return {**kept, "x-kubernetes-preserve-unknown-fields": True}
    if "items" in schema:
        kept["items"] = _structural(schema["items"], definitions, inside)
    if "properties" in schema:
        properties = schema["properties"].items()
        kept["properties"] = {name: _structural(value, definitions, inside) for name, value in properties}
        kept |= {"required": schema["required"]} if "required" in schema else {}
    elif isinstance(schema.get("additionalProperties"), Mapping):
        kept["additionalProperties"] = _structural(schema["additionalProperties"], definitions, inside)
    return kept


def _types(schema: Mapping[str, Any]) -> set[str]:
    """Return the types that a schema names, or those of its alternatives."""
    given = schema.get("type", [inner.get("type", "") for inner in schema.get("anyOf", ())])
    return {given} if isinstance(given, str) else set(map(str, given))


def yaml(value: Mapping[str, Any]) -> str:
    """Write a table of JSON values as YAML in block style; texts are quoted as in JSON, so nothing is misread.

    Numbers are written as Python does, so those that need an exponent are not for here.
    """
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            name = key if _PLAIN.fullmatch(key) and key.lower() not in _WORDS else _scalar(key)
            first, *rest = _lines(inner)
            if not isinstance(inner, Mapping | list) or not inner:
                yield f"{name}: {first}"
            else:
                yield f"{name}:"
                yield from (f"  {line}" for line in (first, *rest))
    elif isinstance(value, list) and value:
        for inner in value:
            first, *rest = _lines(inner)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(value)


def _scalar(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in text)
