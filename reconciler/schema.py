"""The models -> JSON Schemas for editors and CustomResourceDefinitions for Kubernetes. Pure.

Everything follows from the table of kinds and the descriptions in their models. A schema never refuses what the loader
takes in its usual spelling; what a schema cannot say (a rule's grammar, references), the loader checks alone.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from reconciler import crd
from reconciler.kinds import KINDS
from reconciler.kinds.base import Kind, text_of
from reconciler.state import API_VERSION

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS = ("boolean", "integer", "number", "string")

_OPEN = {"additionalProperties": True}
"""Said where it is understood anyway: tombi takes a schema that only names some keys for one that refuses others."""

_METADATA = {
    "type": "object",
    "description": "Which object this is.",
    "properties": {
        "name": {
            "type": "string",
            "description": "The object's name; in the cluster its id, of a node its uname. With the kind its identity.",
            "pattern": r"^\S+$",
        },
        "labels": {
            "type": "object",
            "description": "Words to sort objects by, for people and tools.",
            "additionalProperties": {"type": "string"},
        },
        "annotations": {
            "type": "object",
            "description": "Remarks for people and tools.",
            "additionalProperties": {"type": "string"},
        },
    },
    "required": ["name"],
    "additionalProperties": False,
}


def documents(kinds: Iterable[Kind] = tuple(KINDS.values())) -> Mapping[str, str]:
    """Return the files of `crds/` as name -> text; the same kinds always give the same texts.

    Per kind `<kind>.schema.json` (JSON Schema 2020-12 of a manifest of that kind) and `<plural>.<group>.yaml` (its
    CustomResourceDefinition), and `manifest.schema.json` for any manifest, lists included.
    """
    given = tuple(kinds)
    texts = {"manifest.schema.json": _json(_manifest(given))}
    for kind in given:
        references, definitions = _specs([kind])
        spec = {"$ref": references[kind.name]}
        texts[f"{kind.name.lower()}.schema.json"] = _json(_document(kind, spec, definitions))
        texts[crd.file_name(kind.name)] = crd.yaml(crd.definition(kind, spec, definitions))
    return texts


class _Generator(GenerateJsonSchema):
    """What TOML may say: there is no null, and a text may also be written as a number or a boolean where that is so."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        declared = schema.get("json_schema_input_schema")
        if schema["function"]["function"] is text_of and declared is None:
            return {"type": list(_SCALARS)}
        return super().function_before_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") in (None, ()):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def _specs(kinds: Iterable[Kind]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the reference to each kind's spec, and what the references refer to."""
    models = {kind.name: kind.spec for kind in kinds}
    by_model, found = models_json_schema(
        [(model, "validation") for model in models.values()], schema_generator=_Generator
    )
    definitions = found["$defs"]
    for definition in definitions.values():
        definition.pop("title", None)
    return {name: by_model[model, "validation"]["$ref"] for name, model in models.items()}, definitions


def _document(kind: Kind, spec: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "$schema": _DIALECT,
        "title": kind.name,
        "description": kind.summary,
        "type": "object",
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": kind.name, "description": kind.summary},
            "metadata": _METADATA,
            "spec": spec,
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _manifest(kinds: tuple[Kind, ...]) -> dict[str, Any]:
    """Say what any manifest is.

    Which keys `spec` has follows from `kind` by if, then and else, for editors report a failed oneOf of whole objects
    without saying what is wrong in it. The open anyOf refuses nothing: taplo's completion reads anyOf but not then.
    """
    references, definitions = _specs(kinds)
    one = {
        "apiVersion": {"const": API_VERSION, "description": "The version of the language of manifests."},
        "kind": _one_of({kind.name: kind.summary for kind in kinds}),
        "metadata": {"$ref": "#/$defs/Metadata"},
        "spec": {
            "description": "What is wanted of the object; its keys follow from the kind.",
            "anyOf": [*({"$ref": reference} for reference in references.values()), {"type": "object", **_OPEN}],
        },
    }
    top = {
        **one,
        "kind": _one_of({kind.name: kind.summary for kind in kinds} | {"List": "Many objects in one file."}),
        "items": {"type": "array", "description": "The objects of a List.", "items": {"$ref": "#/$defs/Item"}},
    }
    specs = {kind: {"spec": {"$ref": reference}} for kind, reference in references.items()}
    ours = {"Metadata": _METADATA, "Item": {**_object(one, ["kind", "metadata", "spec"]), **_by_kind(specs)}}
    at_top = {kind: {**spec, "items": False} for kind, spec in specs.items()} | {"List": {"spec": False}}
    return {
        "$schema": _DIALECT,
        "title": "Manifest",
        "description": "The desired state of one object, or of many in a List.",
        **_object(top, ["apiVersion", "kind"]),
        **_by_kind(at_top),
        "$defs": {**definitions, **ours},
    }


def _object(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _by_kind(cases: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return if, then and else that say what the properties of each kind are."""
    chain: dict[str, Any] = {}
    for kind, properties in reversed(cases.items()):
        chain = {
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"], **_OPEN},
            "then": {
                "properties": properties,
                "required": [] if kind == "List" else ["metadata", "spec"],
                **_OPEN,
            },
            **({"else": {**chain, **_OPEN}} if chain else {}),
        }
    return chain


def _one_of(summaries: Mapping[str, str]) -> dict[str, Any]:
    docs = {"docs": {"enumValues": list(summaries.values())}}
    return {"description": "What sort of object this is.", "enum": list(summaries), "x-taplo": docs}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
