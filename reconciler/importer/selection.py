"""What of a configuration manifests can say, and what has to be left out. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.crossref import check
from reconciler.importer.overrides import BY_HAND, Hands, is_neutral
from reconciler.importer.toml import Branch
from reconciler.importer.words import table
from reconciler.kinds.cluster_properties import PACEMAKERS, ClusterProperties
from reconciler.kinds.node import Node
from reconciler.kinds.observe import Observed
from reconciler.manifests import VERBATIM, Said, Spoiled, read_object
from reconciler.state import Ref, Spec


@dataclass(frozen=True, slots=True)
class Item:
    """An object that is imported.

    Attributes:
        ref: what it is called.
        spec: what it is.
        table: the same in the words of a manifest.
        odd: what of it no manifest may say without further ado; empty for most.
        taken: what people set by hand and is left to them, by its name.
    """

    ref: Ref
    spec: Spec
    table: Branch
    odd: tuple[str, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An object that is not imported, and why."""

    ref: Ref
    why: str


@dataclass(frozen=True, slots=True)
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
    left_out += [LeftOut(ref, "no kind of manifest is for such an element") for ref in observed.unknown]
    items: dict[Ref, Item] = {}
    hands = Hands(observed)
    for ref, spec in observed.state.items():
        found = _without_hands(ref, spec, hands, overrides=overrides)
        if isinstance(found, LeftOut):
            left_out.append(found)
        elif found:
            items[ref] = found
    left_out += _misfits(items)
    if not items:
        items = {ref: Item(ref, Node(), Branch()) for ref in observed.state if ref.kind == "Node"}
    return Selection(tuple(items.values()), tuple(left_out))


def _without_hands(ref: Ref, spec: Spec, hands: Hands, *, overrides: bool) -> Item | LeftOut | None:
    if not overrides and ref.name.startswith(BY_HAND):
        return LeftOut(ref, "`crm resource move` or `ban` left it; it stays a person's")
    freed = hands.free(ref, spec, all_of_them=not overrides)
    own = _own(freed.spec) if freed.spec else None
    theirs = {name: value for name, value in freed.taken.items() if not is_neutral(name, value)}
    if own is not None:
        found = _item(ref, own)
        return replace(found, taken=theirs) if isinstance(found, Item) else found
    if theirs:
        said = ", ".join(f"{name} = {value}" for name, value in theirs.items())
        return LeftOut(ref, f"{said} is what somebody set by hand; it stays a person's")
    return None


def _own(spec: Spec) -> Spec | None:
    """Leave out what is Pacemaker's own, and objects of which nothing is left."""
    match spec:
        case ClusterProperties():
            rest = {name: value for name, value in spec.values.items() if name not in PACEMAKERS}
            says = bool(rest or spec.nvpairs or spec.id_ref)
            return spec.model_copy(update={"values": rest}) if says else None
        case Node():
            says = bool(spec.attributes or spec.utilization or spec.description or spec.score)
            return spec.model_copy(update={"id": None}) if says else None
    return spec


def _item(ref: Ref, spec: Spec) -> Item | LeftOut:
    """Say an object as a manifest may say it: word for word only where it has to be, and not at all if that fails."""
    said = table(spec)
    found = _read(ref, said)
    if isinstance(found, Said) and found.spec == spec:
        return Item(ref, spec, said)
    odd = _faults(found) or ("it would not be read as what it is",)
    found = _read(ref, said, verbatim=True)
    if isinstance(found, Said) and found.spec == spec:
        return Item(ref, spec, said, odd)
    return LeftOut(ref, "; ".join(_faults(found) or odd))


def _read(ref: Ref, said: Branch, *, verbatim: bool = False) -> Said | Spoiled:
    annotations = {VERBATIM: "true"} if verbatim else {}
    document = {"kind": ref.kind, "metadata": {"name": ref.name, "annotations": annotations}, "spec": said}
    return read_object("", document)


def _faults(found: Said | Spoiled) -> tuple[str, ...]:
    if isinstance(found, Said):
        return ()
    return tuple(f"{fault.field.removeprefix('spec.')}: {fault.message}" for fault in found.faults)


def _misfits(items: dict[Ref, Item]) -> Iterator[LeftOut]:
    """Take out what does not fit in with the rest, until all fits."""
    while True:
        state = {ref: item.spec for ref, item in items.items()}
        faults = check(state, dict.fromkeys(state, ""))
        if not faults:
            return
        names = {str(ref): ref for ref in state}
        for name in dict.fromkeys(fault.object for fault in faults):
            ref = names[name]
            del items[ref]
            yield LeftOut(ref, "; ".join(f"{fault.field}: {fault.message}" for fault in faults if fault.object == name))
