"""The texts of the desired directory -> the objects that they say, or everything that is wrong with them. Pure.

All faults are found in one go. One fault makes the whole set unusable: half a set would mean deleting the other half.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import tomli
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.crossref import check
from reconciler.kinds import KINDS
from reconciler.kinds.base import ClusterKind, Kind
from reconciler.state import API_VERSION, Desired, Ref, Rejected, Spec

_ENVELOPE = ("apiVersion", "kind", "metadata", "spec")
_METADATA = ("name", "labels", "annotations")


@dataclass(frozen=True, slots=True)
class Said:
    """One valid object, and the file that says it."""

    ref: Ref
    spec: Spec
    file: str


def load(texts: Mapping[str, str], revision: str, rejected: Iterable[Rejected] = ()) -> Desired:
    """Read all manifests. `rejected` are files that could not even be read; they count as faults of the set.

    The order of files and of objects within them does not matter.
    """
    faults = list(rejected)
    said: list[Said] = []
    for file, text in sorted(texts.items()):
        for item in _objects(file, text):
            (faults if isinstance(item, Rejected) else said).append(item)  # type: ignore[arg-type]
    faults += _twice(said)
    if not faults:
        faults += check({item.ref: item.spec for item in said}, {item.ref: item.file for item in said})
    state = {item.ref: item.spec for item in sorted(said, key=lambda item: item.ref)}
    return Desired(state, revision, {item.ref: item.file for item in said}, tuple(sorted(set(faults))))


def _objects(file: str, text: str) -> Iterator[Said | Rejected]:
    try:
        document = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        yield Rejected(file, "", "", f"not TOML: {error}")
        return
    except RecursionError:
        yield Rejected(file, "", "", "not TOML: nested too deeply")
        return
    version = document.get("apiVersion")
    if version != API_VERSION:
        message = f"is {version!r}, expected {API_VERSION!r}" if version else f"is missing, expected {API_VERSION!r}"
        yield Rejected(file, "", "apiVersion", message)
        return
    if document.get("kind") != "List":
        yield from _object(file, document, "")
        return
    yield from _unknown_keys(file, "List", "", document, ("apiVersion", "kind", "metadata", "items"))
    items = document.get("items", [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        yield Rejected(file, "List", "items", "expected tables: write each object as [[items]]")
        return
    for index, item in enumerate(items):
        yield from _object(file, item, f"items[{index}]")


def _object(file: str, document: Mapping[str, Any], where: str) -> Iterator[Said | Rejected]:
    kind, metadata = document.get("kind"), document.get("metadata", {})
    name = metadata.get("name") if isinstance(metadata, dict) else None
    label = f"{kind}/{name}" if isinstance(kind, str) and isinstance(name, str) else where
    faults = list(_unknown_keys(file, label, "", document, _ENVELOPE))
    if not isinstance(kind, str) or kind not in KINDS:
        message = "is missing" if kind is None else f"{kind!r} is no kind{_nearest(str(kind), KINDS)}"
        faults.append(Rejected(file, label, "kind", message))
    if isinstance(metadata, dict):
        faults += _unknown_keys(file, label, "metadata", metadata, _METADATA)
    problem = _name_problem(name)
    if problem:
        faults.append(Rejected(file, label, "metadata.name", problem))
    if document.get("apiVersion", API_VERSION) != API_VERSION:
        faults.append(Rejected(file, label, "apiVersion", f"expected {API_VERSION!r}"))
    if not isinstance(document.get("spec"), dict):
        faults.append(Rejected(file, label, "spec", "is missing" if "spec" not in document else "expected a table"))
    if isinstance(kind, str) and kind in KINDS and isinstance(document.get("spec"), dict):
        found = _spec(file, label, KINDS[kind].spec, document["spec"])
        if isinstance(found, list):
            faults += found
        elif not faults:
            problem = _called_wrong(KINDS[kind], str(name), found)
            if problem:
                faults.append(Rejected(file, label, "metadata.name", problem))
            else:
                yield Said(Ref(kind, str(name)), found, file)
    yield from faults


def _spec(file: str, label: str, model: type[Spec], given: Mapping[str, Any]) -> Spec | list[Rejected]:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        return [
            Rejected(file, label, _path(("spec", *details["loc"])), _message(details, model))
            for details in error.errors(include_url=False)
        ]


def _unknown_keys(
    file: str, label: str, path: str, table: Mapping[str, Any], known: Iterable[str]
) -> Iterator[Rejected]:
    for key in table:
        if key not in known:
            yield Rejected(file, label, f"{path}.{key}" if path else key, f"unknown key{_nearest(key, known)}")


def _name_problem(name: Any) -> str:
    if name is None:
        return "is missing"
    if not isinstance(name, str) or not name:
        return "expected a text"
    bad = next((char for char in name if not (char.isalnum() or char in "_.-")), "")
    if bad or not (name[0].isalpha() or name[0] == "_"):
        return f"{name!r} cannot be an id: letters, digits, '_', '-' and '.', beginning with a letter or '_'"
    return ""


def _called_wrong(kind: Kind, name: str, spec: Spec) -> str:
    return kind.name_problem(name, spec) if isinstance(kind, ClusterKind) else ""


def _twice(said: Iterable[Said]) -> Iterator[Rejected]:
    """Find two objects of one identity, and two of the CIB that would share an id."""
    seen: dict[str, Said] = {}
    for item in sorted(said, key=lambda item: (item.ref, item.file)):
        kind = KINDS[item.ref.kind]
        key = kind.key(item.ref.name) if isinstance(kind, ClusterKind) else str(item.ref)
        if first := seen.get(key):
            what = "is said twice" if first.ref == item.ref else f"has the same id as {first.ref}"
            yield Rejected(item.file, str(item.ref), "metadata.name", f"{what}, first in {first.file}")
        seen.setdefault(key, item)


def _path(parts: Iterable[str | int]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _message(details: ErrorDetails, model: type[Spec]) -> str:
    given = details.get("input")
    match details["type"]:
        case "extra_forbidden":
            key = str(details["loc"][-1])
            return f"unknown key{_nearest(key, _keys(model, details['loc'][:-1]))}"
        case "missing":
            return "is missing"
        case "string_type":
            return f"expected a text, not {_toml_type(given)}"
        case "value_error":
            return details["msg"].removeprefix("Value error, ")
        case "literal_error":
            return f"{given!r}: expected {details['ctx']['expected']}"
        case _:
            return details["msg"][0].lower() + details["msg"][1:]


def _toml_type(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", list: "an array", dict: "a table"}
    return names.get(type(value), type(value).__name__)


def _keys(model: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    """Return the keys that a model knows at a place inside it."""
    for part in loc:
        if isinstance(part, str):
            field = next((field for field in model.model_fields.values() if field.alias == part), None)
            inner = _model_in(field.annotation) if field else None
            if inner is None:
                return []
            model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(inner) for inner in getattr(annotation, "__args__", ()))
    return next((model for model in found if model), None)


def _nearest(word: str, known: Iterable[str]) -> str:
    names = list(known)
    lower = {name.lower(): name for name in names}
    close = get_close_matches(word.lower().replace("_", "-"), lower, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {lower[close[0]]!r}?"
    return f"; expected one of {', '.join(names)}" if names else ""
