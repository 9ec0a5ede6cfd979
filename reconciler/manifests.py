"""The texts of the desired directory -> the objects that they say, or everything that is wrong with them. Pure.

All faults are found in one go. One fault makes the whole set unusable: half a set would mean deleting the other half.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import tomli
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.cib import register
from reconciler.cib.document import LOST
from reconciler.cib.ownership import TAG, UNTAGGED
from reconciler.crossref import check
from reconciler.frozen import frozen
from reconciler.kinds import KINDS
from reconciler.kinds.base import OBSERVED, ClusterKind, Kind, toml_type
from reconciler.plan import flatten
from reconciler.state import API_VERSION, Desired, Ref, Rejected, Spec, State, lean

_ENVELOPE = ("apiVersion", "kind", "metadata", "spec")
_METADATA = ("name", "labels", "annotations")
_TEXT_TABLES = ("labels", "annotations")

VERBATIM = "ha.reconciler.io/verbatim"
"""The annotation of an object that is taken word for word, as the cluster holds it: with values that Pacemaker reads in
its own way, and that are not accepted otherwise because a person who writes one means something else."""

ORDER = "ha.reconciler.io/order"
"""The annotation of a List with the names of objects, in the order in which those are made that do not exist yet. Where
two resources are alike to Pacemaker it places the one first that stands first in the CIB."""


@frozen
class Said:
    """One valid object, and the file that says it."""

    ref: Ref
    spec: Spec
    file: str


@frozen
class Spoiled:
    """What is wrong with a file or one object in it, and which object that is, if it can be told."""

    faults: tuple[Rejected, ...]
    ref: Ref | None = None


@frozen
class Sequence:
    """The names of objects in the order in which a List wants them to be made."""

    names: tuple[str, ...]


def load(
    texts: Mapping[str, str], revision: str, rejected: Iterable[Rejected] = (), like: State = MappingProxyType({})
) -> Desired:
    """Read all manifests. `rejected` are files that could not even be read; they count as faults of the set.

    The order of files and of objects within them does not matter; what the annotation `ORDER` of a List says does. An
    object that is as in `like` is that very object, so that what is as it should be is held once.
    """
    return load_each(sorted(texts.items()), revision, rejected, like)


def load_each(
    texts: Iterable[tuple[str, str]],
    revision: str,
    rejected: Iterable[Rejected] = (),
    like: State = MappingProxyType({}),
) -> Desired:
    """Read as `load` does, holding one text at a time: `texts` are files with their texts, sorted by file."""
    known = {ref: ref for ref in like}
    found = [_held_once(item, like, known) for file, text in texts for item in _objects(file, text)]
    said = [item for item in found if isinstance(item, Said)]
    spoiled = [item for item in found if isinstance(item, Spoiled)]
    faults = [*rejected, *(fault for item in spoiled for fault in item.faults), *_twice(said)]
    unread = bool(list(rejected)) or any(item.ref is None for item in spoiled)
    state = {item.ref: item.spec for item in sorted(said, key=lambda item: item.ref)}
    files = {item.ref: item.file for item in reversed(said)}
    order = tuple(name for item in found if isinstance(item, Sequence) for name in item.names)
    lost = None if unread else frozenset(item.ref for item in spoiled if item.ref)
    del found, said, known  # of thousands of objects they are as large as what is made of them
    faults += check(state, files, lost)
    return Desired(state, revision, files, tuple(sorted(set(faults))), order=order)


def _held_once(item: "Said | Spoiled | Sequence", like: State, known: Mapping[Ref, Ref]) -> "Said | Spoiled | Sequence":
    if isinstance(item, Said) and like.get(item.ref) == item.spec:
        return Said(known[item.ref], like[item.ref], item.file)
    return item


def _objects(file: str, text: str) -> Iterator[Said | Spoiled | Sequence]:
    try:
        document = tomli.loads(text)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else error
        yield Spoiled((Rejected(file, "", "", f"not TOML: {why}"),))
        return
    version = document.get("apiVersion")
    if version != API_VERSION:
        said = f"is {_shown(version)}" if "apiVersion" in document else "is missing"
        yield Spoiled((Rejected(file, "", "apiVersion", f"{said}, expected {API_VERSION!r}"),))
        return
    if document.get("kind") != "List":
        yield read_object(file, document)
        return
    items = document.get("items", [])
    faults = list(_unknown_keys(file, "List", "", document, ("apiVersion", "kind", "metadata", "items")))
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        faults.append(Rejected(file, "List", "items", "expected tables: write each object as [[items]]"))
        items = []
    metadata = document.get("metadata", {})
    order = _annotations(metadata).get(ORDER, "")
    if isinstance(order, str):
        yield Sequence(tuple(order.split()))
    else:
        faults.append(Rejected(file, "List", f"metadata.annotations.{ORDER}", _expected("a text", order)))
    if faults:
        yield Spoiled(tuple(faults))
    items.reverse()
    for index in range(len(items)):
        # What has been read is not needed any more: a large file would be in memory twice.
        yield read_object(file, items.pop(), f"items[{index}]")


def read_object(file: str, document: Mapping[str, Any], where: str = "") -> Said | Spoiled:
    """Read one object, or find all that is wrong with it in itself; `where` names one that does not say its name."""
    kind, metadata, spec = document.get("kind"), document.get("metadata", {}), document.get("spec")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    known = KINDS.get(kind) if isinstance(kind, str) else None
    label = f"{kind}/{name}" if isinstance(kind, str) and isinstance(name, str) else where

    def wrong(field: str, message: str) -> Rejected:
        return Rejected(file, label, field, message)

    faults = list(_unknown_keys(file, label, "", document, _ENVELOPE))
    if known is None:
        faults.append(wrong("kind", _no_kind(kind)))
    faults += [wrong(*problem) for problem in _metadata_problems(metadata, file, label, known)]
    if document.get("apiVersion", API_VERSION) != API_VERSION:
        faults.append(wrong("apiVersion", f"is {_shown(document['apiVersion'])}, expected {API_VERSION!r}"))
    found: Spec | list[Rejected] = []
    if not isinstance(spec, dict):
        faults.append(wrong("spec", "is missing" if spec is None else f"expected a table, not {toml_type(spec)}"))
    elif known is not None:
        found = _spec(file, label, known, spec, verbatim=_is_verbatim(metadata))
        faults += found if isinstance(found, list) else []
    if known is not None and isinstance(found, Spec) and not faults:
        problem = known.name_problem(str(name), found) if isinstance(known, ClusterKind) else ""
        if not problem:
            return Said(Ref(known.name, str(name)), found, file)
        faults.append(wrong("metadata.name", problem))
    return Spoiled(tuple(faults), Ref(str(kind), name) if isinstance(name, str) else None)


def _no_kind(kind: Any) -> str:
    if kind is None:
        return "is missing"
    return f"{kind!r} is no kind{nearest(kind, KINDS)}" if isinstance(kind, str) else _expected("a text", kind)


def _metadata_problems(metadata: Any, file: str, label: str, kind: Kind | None) -> Iterator[tuple[str, str]]:
    if not isinstance(metadata, dict):
        yield "metadata", _expected("a table", metadata)
        return
    for fault in _unknown_keys(file, label, "metadata", metadata, _METADATA):
        yield fault.field, fault.message
    problem = name_problem(metadata.get("name"), kind, verbatim=_is_verbatim(metadata))
    if problem:
        yield "metadata.name", problem
    for part in _TEXT_TABLES:
        table = metadata.get(part, {})
        if not isinstance(table, dict):
            yield f"metadata.{part}", _expected("a table", table)
            continue
        for key, value in table.items():
            if not isinstance(value, str):
                yield f"metadata.{part}.{key}", _expected("a text", value)


def _annotations(metadata: Any) -> Mapping[str, Any]:
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations if isinstance(annotations, dict) else {}


def _is_verbatim(metadata: Any) -> bool:
    return _annotations(metadata).get(VERBATIM) == "true"


def _spec(file: str, label: str, kind: Kind, given: Mapping[str, Any], *, verbatim: bool) -> Spec | list[Rejected]:
    try:
        spec = lean(kind.spec.model_validate(given, context=OBSERVED if verbatim else None))
    except ValidationError as error:
        return [
            Rejected(file, label, _path(given, details["loc"]), _message(details, kind.spec))
            for details in error.errors(include_url=False)
            if not _is_uncounted(details)
        ]
    if isinstance(kind, ClusterKind) and not verbatim and _has_lost(given):
        lost = [path for path, text in flatten(spec) if LOST.search(text) or LOST.search(path)]
        message = "has a line break, tab or control character, which Pacemaker does not keep"
        return [Rejected(file, label, f"spec.{LOST.sub('?', path)}", message) for path in lost] or spec
    return spec


def _has_lost(given: Any) -> bool:
    match given:
        case str():
            return LOST.search(given) is not None
        case dict():
            return any(map(_has_lost, given.values()))
        case list():
            return any(map(_has_lost, given))
    return False


def _unknown_keys(
    file: str, label: str, path: str, table: Mapping[str, Any], known: Iterable[str]
) -> Iterator[Rejected]:
    for key in table:
        if key not in known:
            yield Rejected(file, label, f"{path}.{key}" if path else key, f"unknown key{nearest(key, known)}")


_LETTER = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff"
ID = re.compile(f"[{_LETTER}_][{_LETTER}0-9_.-]*")
"""A part of what the schemas take for an XML id."""

WORD = re.compile(r"\S+")
"""What nodes and users are called: any word."""


def name_problem(name: Any, kind: Kind | None, *, verbatim: bool = False) -> str:
    """Say why no object of a kind can be called so, whatever it says; empty if one can."""
    if name is None:
        return "is missing"
    if not isinstance(name, str):
        return _expected("a text", name)
    if not name:
        return "is empty"
    if verbatim:
        return ""
    if isinstance(kind, ClusterKind) and kind.named_apart:
        return (
            "" if WORD.fullmatch(name) else f"{name!r} cannot be the name of a {kind.name}: it has a blank or is empty"
        )
    if not ID.fullmatch(name):
        return f"{name!r} cannot be an id: letters, digits, '_', '-' and '.', beginning with a letter or '_'"
    return f"{name!r} is what the agent calls its own record" if name in (TAG, UNTAGGED, register.SET) else ""


def _twice(said: Iterable[Said]) -> Iterator[Rejected]:
    """Find two objects of one identity, and two of the CIB that would share an id."""
    seen: dict[str, Said] = {}
    several: dict[str, list[Said]] = {}
    for item in said:
        kind = KINDS[item.ref.kind]
        key = kind.key(item.ref.name) if isinstance(kind, ClusterKind) else str(item.ref)
        if seen.setdefault(key, item) is not item:
            several.setdefault(key, [seen[key]]).append(item)
    for items in several.values():
        first, *others = sorted(items, key=lambda item: (item.ref, item.file))
        for item in others:
            what = "is said twice" if first.ref == item.ref else f"has the same id as {first.ref}"
            yield Rejected(item.file, str(item.ref), "metadata.name", f"{what}, first in {first.file}")


def _path(given: Any, loc: Iterable[str | int]) -> str:
    """Return the path as it was written: a table that stands for a list of one is no list in it."""
    text = "spec"
    parts = list(loc)
    for index, part in enumerate(parts):
        if isinstance(part, int) and isinstance(given, dict):
            parts[index + 1 : index + 2] = [""]
        elif part != "":
            text += f"[{part}]" if isinstance(part, int) else f".{part}"
            given = _inside(given, part)
    return text


def _inside(given: Any, part: str | int) -> Any:
    if isinstance(given, dict):
        return given.get(part)
    return given[part] if isinstance(given, list) and isinstance(part, int) and part < len(given) else None


_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "an array",
    "list_type": "an array",
    "dict_type": "a table",
}


def _is_uncounted(details: ErrorDetails) -> bool:
    """True if an array is too short only because pydantic does not count what is wrong in it, which it says as well."""
    given = details.get("input")
    return details["type"] == "too_short" and isinstance(given, list) and len(given) >= details["ctx"]["min_length"]


def _message(details: ErrorDetails, model: type[Spec]) -> str:
    given, sort = details.get("input"), details["type"]
    if sort in _EXPECTED:
        return _expected(_EXPECTED[sort], given)
    match sort:
        case "model_type" | "model_attributes_type":
            return _expected(f"a table{_such_as(_model_at(model, details['loc']))}", given)
        case "greater_than_equal":
            return f"{_shown(given)}: expected {details['ctx']['ge']} or more"
        case "extra_forbidden":
            key = str(details["loc"][-1])
            return f"unknown key{nearest(key, _keys(model, details['loc'][:-1]))}"
        case "missing":
            return "is missing"
        case "too_short":
            return f"needs at least {details['ctx']['min_length']}, not {details['ctx']['actual_length']}"
        case "value_error":
            return details["msg"].removeprefix("Value error, ")
        case "literal_error":
            return f"{_shown(given)}: expected {details['ctx']['expected']}"
        case _:
            return details["msg"][0].lower() + details["msg"][1:]


def _expected(what: str, given: Any) -> str:
    return f"expected {what}, not {toml_type(given)}"


def _shown(given: Any) -> str:
    return repr(given) if isinstance(given, str | int | float) else toml_type(given)


def _keys(model: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    """Return the keys that a model knows at a place inside it."""
    inner = _model_at(model, loc)
    return [field.alias or name for name, field in inner.model_fields.items()] if inner else []


def _model_at(model: type[BaseModel], loc: Iterable[str | int]) -> type[BaseModel] | None:
    for part in loc:
        if isinstance(part, str):
            field = next((field for field in model.model_fields.values() if field.alias == part), None)
            inner = _model_in(field.annotation) if field else None
            if inner is None:
                return None
            model = inner
    return model


def _such_as(model: type[BaseModel] | None) -> str:
    """Show a table by the keys that it cannot do without."""
    if model is None:
        return ""
    extra = model.model_config.get("json_schema_extra")
    alternatives: Any = extra.get("anyOf") if isinstance(extra, dict) else None
    required = [field.alias or name for name, field in model.model_fields.items() if field.is_required()]
    keys = required or (alternatives[0]["required"] if alternatives else [])
    return f" such as {{ {', '.join(f'{key} = …' for key in keys)} }}" if keys else ""


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(inner) for inner in getattr(annotation, "__args__", ()))
    return next((model for model in found if model), None)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return what was meant by a word that is not known, as the end of a message."""
    names = list(known)
    lower = {name.lower(): name for name in names}
    folded = word.lower().replace("_", "-")
    close = get_close_matches(folded, lower, n=1, cutoff=0.5)
    known_here = f"expected one of {', '.join(names)}" if names else ""
    if not close:
        return f"; {known_here}" if known_here else ""
    meant = f"; did you mean {lower[close[0]]!r}?"
    return meant if get_close_matches(folded, close, cutoff=_SURE) else f"{meant} Otherwise {known_here}"


_SURE = 0.7
"""How alike by `difflib` a word is to the one that was meant: `node` is no slip for `index`, and they are 0.67."""
