"""What is in crds/ follows from the models, and says the same as the loader."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import Field, create_model

from reconciler import crd, manifests
from reconciler.forms import VOCABULARIES
from reconciler.kinds import KINDS
from reconciler.kinds.base import Kind
from reconciler.schema import documents
from reconciler.state import API_VERSION, Part, Scope, Spec

CRDS = Path(__file__).parent.parent / "crds"
DOCUMENTS = documents()
MANIFEST = Draft202012Validator(json.loads(DOCUMENTS["manifest.schema.json"]))
DEFINITIONS = {
    definition["spec"]["names"]["kind"]: definition
    for definition in (yaml.safe_load(text) for name, text in DOCUMENTS.items() if name.endswith(".yaml"))
}
HEAD = f'apiVersion = "{API_VERSION}"\n'


def refused(text: str) -> list[str]:
    return [error.message for error in MANIFEST.iter_errors(tomli.loads(text))]


def objects(document: Mapping[str, Any]) -> list[Any]:
    return document["items"] if document["kind"] == "List" else [document]


def test_the_files_in_crds_are_what_the_models_say() -> None:
    found = {path.name: path.read_text() for path in CRDS.iterdir() if path.is_file()}
    stale = sorted(name for name in {*found, *DOCUMENTS} if found.get(name) != DOCUMENTS.get(name))
    assert not stale, f"run `make schema` (and delete what belongs to no kind any more): {', '.join(stale)}"


def test_the_same_kinds_give_the_same_texts() -> None:
    assert documents() == DOCUMENTS


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.endswith(".json")])
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(DOCUMENTS[name]))


EXAMPLES = sorted(CRDS.glob("examples/**/*.toml"))


def test_there_are_examples() -> None:
    assert EXAMPLES


def test_there_is_an_example_of_every_kind() -> None:
    said = {item["kind"] for path in EXAMPLES for item in objects(tomli.loads(path.read_text()))}
    assert set(KINDS) - said == set()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(CRDS / "examples")))
def test_examples_name_the_schema_and_are_valid(path: Path) -> None:
    text = path.read_text()
    first = text.partition("\n")[0]
    assert first.startswith("#:schema "), "the first line tells editors where the schema is"
    assert (path.parent / first.removeprefix("#:schema ")).resolve() == CRDS / "manifest.schema.json"
    assert refused(text) == []


@pytest.mark.parametrize("directory", sorted({path.parent for path in EXAMPLES}), ids=lambda path: path.name)
def test_examples_load(directory: Path) -> None:
    texts = {str(path): path.read_text() for path in directory.glob("**/*.toml")}
    assert manifests.load(texts, "").rejected == ()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(CRDS / "examples")))
def test_examples_are_valid_alone_and_as_custom_resources(path: Path) -> None:
    for item in objects(tomli.loads(path.read_text())):
        alone = Draft202012Validator(json.loads(DOCUMENTS[f"{item['kind'].lower()}.schema.json"]))
        assert list(alone.iter_errors({"apiVersion": API_VERSION, **item})) == []
        version = DEFINITIONS[item["kind"]]["spec"]["versions"][0]
        resource = Draft202012Validator(version["schema"]["openAPIV3Schema"])
        assert list(resource.iter_errors(item)) == []


PRIMITIVE = 'kind = "Primitive"\nmetadata.name = "vip"\nspec.agent = "ocf:heartbeat:IPaddr2"\n'
RARE = {
    "numbers and booleans for texts": PRIMITIVE
    + 'spec.operations = [{ name = "monitor", interval = 10, timeout = 20.5, enabled = false }]\n',
    "attribute sets with rules": PRIMITIVE
    + 'spec.params = [{ values = { ip = "192.0.2.1" }, rule = { score = 5, expression = "#uname eq node1" } }, '
    "{ values = { ip = 7, nic = true } }]\n",
    "a score that is a number": 'kind = "Location"\nmetadata.name = "here"\n'
    'spec = { resource = "vip", node = "node1", score = 100 }\n[[items]]\n' + PRIMITIVE,
    "labels, annotations and a version in an item": f'apiVersion = "{API_VERSION}"\n{PRIMITIVE}'
    'metadata.labels = { tier = "web" }\nmetadata.annotations = { "why.not" = "because" }\n',
    "names with dots and letters of any script": PRIMITIVE.replace('"vip"', '"_vip.größe-1"'),
}


@pytest.mark.parametrize("name", RARE)
def test_what_the_loader_takes_the_schema_takes(name: str) -> None:
    text = f'{HEAD}kind = "List"\n[[items]]\n{RARE[name]}'
    assert manifests.load({"a.toml": text}, "").rejected == ()
    assert refused(text) == []


WRONG = {
    "no version": PRIMITIVE,
    "another version": 'apiVersion = "v1"\n' + PRIMITIVE,
    "no kind": HEAD + 'metadata.name = "vip"\nspec.agent = "ocf:heartbeat:IPaddr2"\n',
    "unknown kind": HEAD + PRIMITIVE.replace("Primitive", "Primitiv"),
    "unknown key": HEAD + PRIMITIVE + 'status = "good"\n',
    "unknown key in metadata": HEAD + PRIMITIVE + 'metadata.namespace = "x"\n',
    "unknown key in spec": HEAD + PRIMITIVE + "spec.parms = {}\n",
    "unknown key in an operation": HEAD + PRIMITIVE + 'spec.operations = [{ name = "stop", timout = "1s" }]\n',
    "unknown key in an attribute set": HEAD + PRIMITIVE + "spec.params = [{ value = {} }]\n",
    "underscores for dashes": HEAD + PRIMITIVE + 'spec.operations = [{ name = "stop", on_fail = "block" }]\n',
    "no name": HEAD + 'kind = "Primitive"\nspec.agent = "ocf:heartbeat:IPaddr2"\n',
    "a name that is no id": HEAD + PRIMITIVE.replace('"vip"', '"1 vip"'),
    "no spec": HEAD + 'kind = "Primitive"\nmetadata.name = "vip"\n',
    "no agent": HEAD + 'kind = "Primitive"\nmetadata.name = "vip"\nspec = {}\n',
    "a number for an agent": HEAD + PRIMITIVE.replace('"ocf:heartbeat:IPaddr2"', "7"),
    "a table for a value": HEAD + PRIMITIVE + "spec.params = { ip = { address = 1 } }\n",
    "an array for a text": HEAD + PRIMITIVE + 'spec.operations = [{ name = "stop", timeout = ["1s"] }]\n',
    "a table for an array": HEAD + PRIMITIVE + 'spec.operations = { name = "stop" }\n',
    "a group of none": HEAD + 'kind = "Group"\nmetadata.name = "web"\nspec.resources = []\n',
    "no such action": HEAD
    + 'kind = "Order"\nmetadata.name = "o"\nspec = { first = "a", then = "b", first-action = "begin" }\n',
    "items of an object": HEAD + PRIMITIVE + "items = []\n",
    "spec of a list": HEAD + 'kind = "List"\nspec.items = []\n',
    "items that are no tables": HEAD + 'kind = "List"\nitems = ["vip"]\n',
    "a wrong item": HEAD
    + 'kind = "List"\n[[items]]\n'
    + PRIMITIVE
    + "[[items]]\n"
    + PRIMITIVE.replace("agent", "agnt"),
    "a list in a list": HEAD + 'kind = "List"\n[[items]]\nkind = "List"\nmetadata.name = "a"\nspec = {}\n',
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused_by_both(name: str) -> None:
    assert manifests.load({"a.toml": WRONG[name]}, "").rejected
    assert refused(WRONG[name])


def test_a_fault_is_reported_where_it_is() -> None:
    text = f'{HEAD}kind = "List"\n[[items]]\n{PRIMITIVE}[[items]]\n{PRIMITIVE}spec.parms = {{}}\n'
    (error,) = MANIFEST.iter_errors(tomli.loads(text))
    assert list(error.absolute_path) == ["items", 1, "spec"]
    assert "'parms'" in error.message


def described(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, bool]]:
    """Every place where a person may write something, and whether it says what."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}", bool(inner.get("description"))
        yield from described(inner, f"{path}.{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), Mapping):
            yield from described(schema[keyword], path)


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_every_field_has_a_description(kind: str) -> None:
    schema = DEFINITIONS[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert [path for path, said in described(schema, "spec") if not said] == []
    parts = json.loads(DOCUMENTS[f"{kind.lower()}.schema.json"])["$defs"]
    ours = {name: part for name, part in parts.items() if name not in VOCABULARIES}  # Pacemaker describes its own
    assert [path for name, part in ours.items() for path, said in described(part, name) if not said] == []


# Kubernetes: "Extend the Kubernetes API with CustomResourceDefinitions", Specifying a structural schema, and
# k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go.
KEYWORDS = {
    *("type", "description", "enum", "pattern", "format", "properties", "required", "additionalProperties", "items"),
    *("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"),
    *("x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"),
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys"),
}
TYPES = {"object", "array", "string", "integer", "number", "boolean"}


def unstructural(schema: Any, path: str = "") -> Iterator[str]:
    """What keeps a schema from being structural."""
    yield from (f"{path}: {keyword}" for keyword in schema if keyword not in KEYWORDS)
    any_type = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-int-or-string")
    if "type" in schema and (schema["type"] not in TYPES or schema.get("x-kubernetes-int-or-string")):
        yield f"{path}: type {schema['type']}"
    if "type" not in schema and not any_type:
        yield f"{path}: no type"
    if "properties" in schema and "additionalProperties" in schema:
        yield f"{path}: properties and additionalProperties"
    if "additionalProperties" in schema and not isinstance(schema["additionalProperties"], dict):
        yield f"{path}: additionalProperties is no schema"
    if schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
        yield f"{path}: an array without items"
    yield from (
        f"{path}: {name} required but unknown"
        for name in schema.get("required", ())
        if name not in schema.get("properties", {})
    )
    for keys in schema.get("x-kubernetes-list-map-keys", ()):
        if keys not in schema["items"]["required"]:
            yield f"{path}: list key {keys} not required"
    for name, inner in schema.get("properties", {}).items():
        yield from unstructural(inner, f"{path}.{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from unstructural(schema[keyword], f"{path}.{keyword}")


@pytest.mark.parametrize("name", KINDS)
def test_definitions_are_structural_and_complete(name: str) -> None:
    definition = DEFINITIONS[name]
    names, version = definition["spec"]["names"], definition["spec"]["versions"][0]
    assert definition["metadata"]["name"] == f"{names['plural']}.{definition['spec']['group']}"
    assert f"{definition['spec']['group']}/{version['name']}" == API_VERSION
    assert (version["served"], version["storage"], version["subresources"]) == (True, True, {"status": {}})
    schema = version["schema"]["openAPIV3Schema"]
    assert list(unstructural(schema)) == []
    assert schema["properties"]["metadata"] == {"type": "object"}
    assert set(schema["properties"]["status"]["properties"]["conditions"]["items"]["required"]) == {
        *("type", "status", "reason", "message", "lastTransitionTime")
    }
    said = {field.alias for field in KINDS[name].spec.model_fields.values()}
    assert set(schema["properties"]["spec"]["properties"]) == said


def test_the_structural_rules_are_checked() -> None:
    wrong = {"type": "object", "properties": {"a": {}, "b": {"anyOf": []}}, "additionalProperties": {"type": "array"}}
    assert len(list(unstructural(wrong))) == 5


def described_field(type_: Any) -> Any:
    return (type_, Field(description="x"))


def test_types_become_what_kubernetes_has_for_them() -> None:
    inner = create_model("Inner", __base__=Part, deep=described_field(int))
    model = create_model(
        "Sample",
        __base__=Spec,
        either=described_field(int | str),
        any=described_field(int | tuple[str, ...]),
        inner=described_field(inner | None),
        inners=described_field(dict[str, inner]),  # type: ignore[valid-type]
    )
    texts = documents([Kind("Policy", Scope.NODE, model, "A sample.")])
    schema = yaml.safe_load(texts["policies.ha.reconciler.io.yaml"])["spec"]["versions"][0]["schema"]
    spec = schema["openAPIV3Schema"]["properties"]["spec"]
    assert list(unstructural(spec)) == []
    assert spec["properties"]["either"] == {"description": "x", "x-kubernetes-int-or-string": True}
    assert spec["properties"]["any"] == {"description": "x", "x-kubernetes-preserve-unknown-fields": True}
    assert spec["properties"]["inner"]["properties"]["deep"] == {"description": "x", "type": "integer"}
    assert spec["properties"]["inners"]["additionalProperties"]["required"] == ["deep"]


def test_a_model_within_itself_is_refused() -> None:
    nested = {"$ref": "#/$defs/A"}
    with pytest.raises(ValueError, match="contains itself"):
        crd.structural(nested, {"A": {"type": "object", "properties": {"a": nested}}})


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("Primitive", "primitives"),
        ("ClusterProperties", "clusterproperties"),
        ("FencingTopology", "fencingtopologies"),
        ("Key", "keys"),
    ],
)
def test_plurals(kind: str, plural: str) -> None:
    assert crd.plural(kind) == plural


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(0.001, 1000) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text() | st.sampled_from(["on", "No", "null", "1", "a-b"]), values))
def test_yaml_reads_back_as_it_was(value: dict[str, Any]) -> None:
    assert yaml.safe_load(crd.yaml(value)) == value
