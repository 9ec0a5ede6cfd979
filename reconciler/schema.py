"""The models -> JSON Schemas for editors and CustomResourceDefinitions for Kubernetes. Pure.

Everything follows from the table of kinds and the descriptions in their models. A schema never refuses what the loader
takes in its usual spelling; what a schema cannot say (a rule's grammar, references), the loader checks alone. What is
taken word for word (`manifests.VERBATIM`) may say more than a person may write: of that only the outline is checked.
The definitions for Kubernetes, which has no way to tell the two apart, check no more than that of either.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from reconciler import crd
from reconciler.forms import SCHEMAS, VOCABULARIES, WHOLE
from reconciler.kinds import KINDS
from reconciler.kinds.base import ClusterKind, Kind, text_of
from reconciler.kinds.written import KEYWORD
from reconciler.manifests import ID, VERBATIM, WORD
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
            "minLength": 1,
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
        texts[f"{kind.name.lower()}.schema.json"] = _json(_document(kind, spec, _demanded(definitions, [kind])))
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


_PLAIN = {"Text": {"type": "string", **WHOLE}, "Scalar": {"type": [*_SCALARS], **WHOLE}}


def _demanded(definitions: Mapping[str, Any], kinds: Iterable[Kind]) -> dict[str, Any]:
    """Return the definitions with what a person may write as a demand, and what that refers to."""
    clusters = {name for kind in kinds if isinstance(kind, ClusterKind) for name in _specs([kind])[1]}
    said = {name: _demand(schema, plain=name in clusters) for name, schema in definitions.items()}
    known = {**SCHEMAS, **VOCABULARIES, **_PLAIN}
    while missing := _referred(said) - said.keys():
        said |= {name: known[name] for name in sorted(missing)}
    return said


def _demand(schema: Any, *, plain: bool) -> Any:
    if isinstance(schema, list):
        return [_demand(item, plain=plain) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    written = str(schema.get(KEYWORD, ""))
    inner = {key: _demand(value, plain=plain) for key, value in schema.items() if key != KEYWORD}
    if written in SCHEMAS:
        inner.pop("type", None)
        return {**inner, "$ref": _reference(written)}
    if written:
        return {**inner, "allOf": [{"$ref": _reference(written)}]}
    name = {("string",): "Text", _SCALARS: "Scalar"}.get(_types(inner)) if plain else None
    if name is None or inner.keys() & {"enum", "pattern", "const"}:
        return inner
    inner.pop("type")
    return {**inner, "$ref": _reference(name)}


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    given = schema.get("type")
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else ()


def _reference(name: str) -> str:
    return f"#/$defs/{name}"


def _referred(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_referred, schema))
    if not isinstance(schema, Mapping):
        return set()
    own = {str(schema["$ref"]).removeprefix("#/$defs/")} if isinstance(schema.get("$ref"), str) else set[str]()
    return own.union(*map(_referred, schema.values()))


_WORD_FOR_WORD = {
    "properties": {
        "metadata": {
            "properties": {
                "annotations": {"properties": {VERBATIM: {"const": "true"}}, "required": [VERBATIM], **_OPEN}
            },
            "required": ["annotations"],
            **_OPEN,
        }
    },
    "required": ["metadata"],
    **_OPEN,
}


def _named(kind: Kind) -> dict[str, Any]:
    """Say what an object of a kind may be called."""
    if isinstance(kind, ClusterKind) and not kind.tags:
        name: dict[str, Any] = {"const": kind.section}
    else:
        form = WORD if isinstance(kind, ClusterKind) and kind.named_apart else ID
        name = {"pattern": f"^{form.pattern}$"}
    return {"properties": {"name": name}, **_OPEN}


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
            "spec": _open_spec([spec]),
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "if": _WORD_FOR_WORD,
        "else": {"properties": {"metadata": _named(kind), "spec": spec}, **_OPEN},
        "$defs": definitions,
    }


def _manifest(kinds: tuple[Kind, ...]) -> dict[str, Any]:
    """Say what any manifest is.

    Which keys `spec` has follows from `kind` by if, then and else, for editors report a failed oneOf of whole objects
    without saying what is wrong in it. The open anyOf refuses nothing: taplo's completion reads anyOf but not then.
    """
    references, definitions = _specs(kinds)
    definitions = _demanded(definitions, kinds)
    one = {
        "apiVersion": {"const": API_VERSION, "description": "The version of the language of manifests."},
        "kind": _one_of({kind.name: kind.summary for kind in kinds}),
        "metadata": {"$ref": "#/$defs/Metadata"},
        "spec": _open_spec({"$ref": reference} for reference in references.values()),
    }
    top = {
        **one,
        "kind": _one_of({kind.name: kind.summary for kind in kinds} | {"List": "Many objects in one file."}),
        "items": {"type": "array", "description": "The objects of a List.", "items": {"$ref": "#/$defs/Item"}},
    }
    cases = {kind.name: {"spec": {"$ref": references[kind.name]}, "metadata": _named(kind)} for kind in kinds}
    strict = {"if": _WORD_FOR_WORD, "else": {**_by_kind(cases), **_OPEN}}
    of_a_list = {
        "if": _of_kind("List"),
        "then": {"properties": {"spec": False}, **_OPEN},
        "else": {"properties": {"items": False}, "required": ["metadata", "spec"], **strict, **_OPEN},
    }
    ours = {"Metadata": _METADATA, "Item": {**_object(one, ["kind", "metadata", "spec"]), **strict}}
    return {
        "$schema": _DIALECT,
        "title": "Manifest",
        "description": "The desired state of one object, or of many in a List.",
        **_object(top, ["apiVersion", "kind"]),
        **of_a_list,
        "$defs": {**definitions, **ours},
    }


def _open_spec(specs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Offer the keys of some specs, and refuse none."""
    return {
        "description": "What is wanted of the object; its keys follow from the kind.",
        "anyOf": [*specs, {"type": "object", **_OPEN}],
    }


def _object(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _by_kind(cases: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return if, then and else that say what the properties of each kind are."""
    chain: dict[str, Any] = {}
    for kind, properties in reversed(cases.items()):
        otherwise = {"else": {**chain, **_OPEN}} if chain else {}
        chain = {"if": _of_kind(kind), "then": {"properties": properties, **_OPEN}, **otherwise}
    return chain


def _of_kind(kind: str) -> dict[str, Any]:
    return {"properties": {"kind": {"const": kind}}, "required": ["kind"], **_OPEN}


def _one_of(summaries: Mapping[str, str]) -> dict[str, Any]:
    docs = {"docs": {"enumValues": list(summaries.values())}}
    return {"description": "What sort of object this is.", "enum": list(summaries), "x-taplo": docs}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
