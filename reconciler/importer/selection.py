"""What of a configuration manifests can say, and what has to be left out. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from types import MappingProxyType

from pydantic import ValidationError

from reconciler.cib.dialect import forgotten
from reconciler.crossref import check
from reconciler.frozen import frozen
from reconciler.importer.layout import body
from reconciler.importer.overrides import BY_HAND, Freed, Hands
from reconciler.importer.toml import Branch
from reconciler.importer.words import table
from reconciler.kinds import CLUSTER_KINDS, key
from reconciler.kinds.cluster_properties import PACEMAKERS, ClusterProperties
from reconciler.kinds.node import Node
from reconciler.kinds.observe import Observed
from reconciler.kinds.options import Options
from reconciler.leftovers import is_neutral
from reconciler.manifests import VERBATIM, Said, Spoiled, name_problem, read_object
from reconciler.plan import flatten
from reconciler.state import Ref, Rejected, Spec

_NOTHING: Mapping[str, str] = MappingProxyType({})


@frozen
class Item:
    """An object that is imported.

    Attributes:
        ref: what it is called.
        spec: what it is.
        text: the lines of a manifest that say it.
        odd: what of it no manifest may say without further ado; empty for most.
        taken: what people set by hand and is left to them, by its name.
    """

    ref: Ref
    spec: Spec
    text: str
    odd: tuple[str, ...] = ()
    taken: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@frozen
class LeftOut:
    """An object that is not imported, and why; `chosen` if that is what whoever imports has asked for."""

    ref: Ref
    why: str
    chosen: bool = False


@frozen
class Selection:
    """The objects that are imported, in the order of the CIB, and those that are not."""

    items: tuple[Item, ...]
    left_out: tuple[LeftOut, ...]


def select(observed: Observed, *, overrides: bool = True) -> Selection:
    """Choose what is imported: all that makes a valid set of manifests.

    Args:
        observed: the configuration.
        overrides: take over what people set by hand for a while.
    """
    left_out = [LeftOut(ref, why) for ref, why in observed.unsupported.items()]
    left_out += [LeftOut(ref, _TWICE if ref.kind in _TAGS else _UNKNOWN) for ref in observed.unknown]
    plain = not observed.cib.may_say(_MAY_BE_LOST)
    items: dict[Ref, Item] = {}
    for found in _found(observed, overrides=overrides, plain=plain):
        if isinstance(found, Item):
            items[found.ref] = found
        else:
            left_out.append(found)
    left_out += _misfits(items, {key(item.ref): item.ref for item in left_out})
    if not items:
        nodes = (_item(ref, Node(), plain=plain) for ref in observed.state if ref.kind == "Node")
        items = {item.ref: item for item in nodes if isinstance(item, Item)}
    return Selection(tuple(items.values()), tuple(dict.fromkeys(left_out)))


def _found(observed: Observed, *, overrides: bool, plain: bool) -> Iterator[Item | LeftOut]:
    owners: dict[str, Ref] = {}
    hands, referred = Hands(observed, all_of_them=not overrides), _referred(observed)
    without_effect = forgotten(observed.cib)
    for ref, whole in observed.state.items():
        spec = _without(without_effect, whole) if without_effect else whole
        if (owner := owners.setdefault(key(ref), ref)) != ref:
            yield LeftOut(ref, f"{owner} has the same id")
        elif found := _without_hands(ref, spec, hands, plain=plain, needed=_is_needed(ref, spec, referred)):
            yield found


def _referred(observed: Observed) -> frozenset[str]:
    """Return the ids of sets and rules that others refer to: these are said even where they say nothing."""
    if not observed.cib.may_say(_REFERENCES):
        return frozenset()
    parts = observed.cib.parts("cluster_property_set", "meta_attributes", "rule")
    return frozenset(part.get("id-ref", "") for _, part in parts)


def _is_needed(ref: Ref, spec: Spec, referred: frozenset[str]) -> bool:
    return ref.name in referred or (isinstance(spec, Options) and spec.rule is not None and spec.rule.id in referred)


_REFERENCES = re.compile(r"\bid-ref=")


_TAGS = {tag for kind in CLUSTER_KINDS.values() for tag in kind.tags}
_TWICE = "it has the name of one of its kind that stands before it"
_UNKNOWN = "no kind of manifest is for such an element"

_MAY_BE_LOST = re.compile("&#|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""In the text of a CIB: how characters get into values that no manifest may hold. Bare line breaks become blanks there
(XML 1.0, 3.3.3)."""


def _without_hands(ref: Ref, spec: Spec, hands: Hands, *, plain: bool, needed: bool) -> Item | LeftOut | None:
    if hands.all_of_them and ref.name.startswith(BY_HAND):
        return LeftOut(ref, "`crm resource move` or `ban` left it; it stays a person's", chosen=True)
    # Who refers to it takes over all that it says.
    freed = Freed(spec, {}) if needed else hands.free(ref, spec)
    own = _own(freed.spec) if freed.spec else None
    theirs = {name: value for name, value in freed.taken.items() if not is_neutral(name, value)}
    if own is not None and (needed or _says_something(own)):
        found = _item(ref, own, plain=plain)
        return replace(found, taken=theirs) if theirs and isinstance(found, Item) else found
    if theirs:
        said = ", ".join(f"{name} = {value}" for name, value in theirs.items())
        return LeftOut(ref, f"{said} is what somebody set by hand; it stays a person's", chosen=True)
    return None


def _without(names: frozenset[str], spec: Spec) -> Spec:
    """Leave out properties without effect: in a cluster made anew they would have one."""
    if not isinstance(spec, ClusterProperties) or spec.rule is not None or names.isdisjoint(spec.values):
        return spec
    return spec.model_copy(update={"values": {name: value for name, value in spec.values.items() if name not in names}})


def _own(spec: Spec) -> Spec:
    """Leave out what is Pacemaker's own."""
    match spec:
        case ClusterProperties():
            rest = {name: value for name, value in spec.values.items() if name not in PACEMAKERS}
            return spec.model_copy(update={"values": rest})
        case Node():
            return spec.model_copy(update={"id": None})
    return spec


def _says_something(spec: Spec) -> bool:
    match spec:
        case Options():
            return bool(spec.values or spec.nvpairs or spec.id_ref)
        case Node():
            return bool(spec.attributes or spec.utilization or spec.description or spec.score)
    return True


def _item(ref: Ref, spec: Spec, *, plain: bool) -> Item | LeftOut:
    """Say an object as a manifest may say it: word for word only where it has to be, and not at all if that fails."""
    said = table(spec)
    if plain and _reads_the_same(ref, spec, said):
        return Item(ref, spec, body(ref, said, verbatim=False))
    found = _read(ref, said)
    if isinstance(found, Said) and found.spec == spec:
        return Item(ref, spec, body(ref, said, verbatim=False))
    odd = _faults(found) or tuple(_differences(spec, found.spec if isinstance(found, Said) else None))
    found = _read(ref, said, verbatim=True)
    if isinstance(found, Said) and found.spec == spec:
        return Item(ref, spec, body(ref, said, verbatim=True), odd)
    return LeftOut(ref, "; ".join(_faults(found) or odd))


def _reads_the_same(ref: Ref, spec: Spec, said: Branch) -> bool:
    """Find out in the quickest way for what nearly every object is: one that any person might have written."""
    kind = CLUSTER_KINDS[ref.kind]
    if name_problem(ref.name, kind) or kind.name_problem(ref.name, spec):
        return False
    try:
        return kind.spec.model_validate(said) == spec
    except ValidationError:
        return False


def _read(ref: Ref, said: Branch, *, verbatim: bool = False) -> Said | Spoiled:
    annotations = {VERBATIM: "true"} if verbatim else {}
    document = {"kind": ref.kind, "metadata": {"name": ref.name, "annotations": annotations}, "spec": said}
    return read_object("", document)


def _differences(spec: Spec, other: Spec | None) -> Iterator[str]:
    """Say what would mean something else if a person wrote it."""
    meant = dict(flatten(other)) if other else {}
    for path, text in flatten(spec):
        if meant.get(path) != text:
            yield f"{path}: whoever writes {text!r} means {meant.get(path)!r}, and Pacemaker does not read it so"


def _faults(found: Said | Spoiled) -> tuple[str, ...]:
    if isinstance(found, Said):
        return ()
    return tuple(f"{fault.field.removeprefix('spec.')}: {fault.message}" for fault in found.faults)


def _misfits(items: dict[Ref, Item], gone: dict[str, Ref]) -> Iterator[LeftOut]:
    """Take out what does not fit in with the rest, until all fits; `gone` is what is left out already, by its id."""
    while True:
        state = {ref: item.spec for ref, item in items.items()}
        faults = check(state, defaultdict(str))
        if not faults:
            return
        names = {str(ref): ref for ref in state}
        for name in dict.fromkeys(fault.object for fault in faults):
            ref = names[name]
            said = [_misfit(fault, items[ref], gone) for fault in faults if fault.object == name]
            yield LeftOut(ref, "; ".join(dict.fromkeys(said)))
        for name in {fault.object for fault in faults}:
            del items[names[name]]
            gone.setdefault(key(names[name]), names[name])


def _misfit(fault: Rejected, item: Item, gone: Mapping[str, Ref]) -> str:
    """Say what is the matter; of what names something that is left out, that this is why."""
    if fault.message.startswith("there is no "):
        for reference in CLUSTER_KINDS[item.ref.kind].references(item.spec):
            meant = gone.get(reference.name)
            if meant and fault.field == f"spec.{reference.field}" and f" {reference.name!r}" in fault.message:
                return f"{fault.field}: {meant} was not imported"
    return f"{fault.field}: {fault.message}"
