"""What `validate` refuses the JSON schemas refuse too, but for what a schema cannot say; and nothing else."""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tomli
from hypothesis import given
from jsonschema import Draft202012Validator

from reconciler.forms import SCHEMAS
from reconciler.kinds import KINDS
from reconciler.manifests import VERBATIM, Said, Spoiled, read_object
from reconciler.schema import documents
from reconciler.state import API_VERSION
from tests.configurations import objects
from tests.examples import often
from tests.strategies.resources import Objects

EXAMPLES = sorted((Path(__file__).parent.parent / "crds" / "examples").rglob("*.toml"))

BEYOND_A_SCHEMA = {
    "the grammar of rules": r"column \d+: ",
    "which of several fields go together": r"needs |says nothing|a rule needs a `score`|has `select-attributes`",
    "two that are the same": r"two operations ",
    "which time zones there are": r".* is no time zone",
    "the arithmetic of addresses": r".* is not (a destination|an address)|to: default without via",
}
"""All that is valid by a schema and not to `validate`."""

WHERE = ("Location", "Location", "Primitive", "SyncPolicy", "NodeNetwork")
"""A kind for each."""

SPELT = (
    *("", "\n", "x y", " 5", "5 ", "-5", "abc", "0x", "yes", "OFF", "started", "Slave", "inf", "+INFINITY", "red"),
    *("1s", "1.5s", "90 min", "PT5M", "/etc/x", "a:b", "ocf::a:b", "ocf:a", "80%", "00:30"),
)
OTHERS: tuple[Any, ...] = (3, -3, 0, True, 1.5, [], {}, ["a", "a"], ["x y"], {"a": 1})
GONE = object()


def examples(kind: str) -> Iterator[dict[str, Any]]:
    for path in EXAMPLES:
        document = tomli.loads(path.read_text())
        for item in document["items"] if document["kind"] == "List" else [document]:
            if item["kind"] == kind:
                yield {"apiVersion": API_VERSION, **item}


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from paths(part, (*path, key))


def changed(manifest: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    other: Any = copy.deepcopy(manifest)
    inside = other
    for key in path[:-1]:
        inside = inside[key]
    if value is GONE:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return dict(other)


def mutations(kind: str) -> Iterator[dict[str, Any]]:
    """Every example with every one of its values taken away, or made something else."""
    seen = set()
    for manifest in examples(kind):
        for path in paths(manifest):
            if path[0] in ("apiVersion", "kind") or path[:2] == ("metadata", "annotations"):
                continue
            for value in (*SPELT, *OTHERS, GONE):
                other = changed(manifest, path, value)
                text = json.dumps(other, sort_keys=True)
                if text not in seen:
                    seen.add(text)
                    yield other


@cache
def schema(kind: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(documents()[f"{kind.lower()}.schema.json"]))


def refused(manifest: dict[str, Any]) -> list[str]:
    found = read_object("m.toml", manifest)
    return [fault.message for fault in found.faults] if isinstance(found, Spoiled) else []


@pytest.mark.parametrize("kind", KINDS)
def test_schema_and_loader_refuse_the_same(kind: str) -> None:
    lenient, strict = [], []
    for manifest in mutations(kind):
        faults, valid = refused(manifest), schema(kind).is_valid(manifest)
        if valid and not all(re.match("|".join(BEYOND_A_SCHEMA.values()), fault) for fault in faults):
            lenient.append((manifest["spec"], faults))
        if not valid and not faults:
            strict.append(manifest)
    assert lenient == []
    assert strict == []


@pytest.mark.parametrize(("why", "kind"), [*zip(BEYOND_A_SCHEMA, WHERE, strict=True)])
def test_each_exception_is_one(why: str, kind: str) -> None:
    """What a schema has learnt to say is taken off the list."""
    assert any(
        schema(kind).is_valid(manifest)
        for manifest in mutations(kind)
        if any(re.match(BEYOND_A_SCHEMA[why], fault) for fault in refused(manifest))
    )


@often(50)
@given(objects())
def test_what_fits_together_is_valid(said: Objects) -> None:
    wrong = {
        (kind, name): [error.message for error in schema(kind).iter_errors(manifest)]
        for (kind, name), spec in said.items()
        for manifest in [{"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}]
        if not refused(manifest)
    }
    assert {ref: errors for ref, errors in wrong.items() if errors} == {}


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_a_person_may_write_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(dict(SCHEMAS[name]))


def test_what_is_taken_word_for_word_may_be_anything_that_the_loader_takes() -> None:
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "Location",
        "metadata": {"name": "1 odd name", "annotations": {VERBATIM: "true"}},
        "spec": {"resource": "a", "node": "n", "score": "often", "role": "boss"},
    }
    assert isinstance(read_object("m.toml", manifest), Said)
    whole = Draft202012Validator(json.loads(documents()["manifest.schema.json"]))
    listed = {"apiVersion": API_VERSION, "kind": "List", "items": [manifest]}
    assert [schema("Location").is_valid(manifest), whole.is_valid(manifest), whole.is_valid(listed)] == [True] * 3
    manifest["metadata"] = {"name": "odd"}
    assert [schema("Location").is_valid(manifest), whole.is_valid(manifest), whole.is_valid(listed)] == [False] * 3
