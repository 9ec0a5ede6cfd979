"""Secrets on their way: what manifests name, the values put in, live ones closed, and patches without them. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

from reconciler.cib.document import serialize
from reconciler.kinds.observe import Observed
from reconciler.kinds.parameters import parameters, with_parameters
from reconciler.secret import HIDDEN, Seal, Secret, Source, looks_secret
from reconciler.state import Desired, Ref, Spec, State

Given = tuple[Ref, str]
"""An object, and the name of a parameter of which a manifest says where the value lies."""


def sources(state: State) -> Mapping[Ref, frozenset[tuple[str, Source]]]:
    """Return the objects that have secrets, with the parameters and where the values lie."""
    found: dict[Ref, set[tuple[str, Source]]] = {}
    for ref, spec in state.items():
        for _, name, value in parameters(spec):
            if isinstance(value, Secret) and value.source:
                found.setdefault(ref, set()).add((name, value.source))
    return {ref: frozenset(items) for ref, items in found.items()}


def resolve(desired: Desired, refs: Iterable[Ref], found: Mapping[Source, Secret]) -> Desired:
    """Put what was found into these objects.

    A secret without a value stays one that says why; `unavailable` finds it, and its object is not to be touched.
    """

    def fill(_: str, value: str) -> str:
        return found.get(value.source, value) if isinstance(value, Secret) and value.source else value

    filled = {ref: with_parameters(desired.state[ref], fill) for ref in refs}
    return replace(desired, state={**desired.state, **filled}, secrets=secrets_in(*filled.values()))


def unavailable(spec: Spec) -> str:
    """Say which values of an object are not known, and why; empty if there is none such."""
    unknown = {
        path: value.problem for path, _, value in parameters(spec) if isinstance(value, Secret) and not value.known
    }
    return "; ".join(f"{path}: {problem}" for path, problem in unknown.items())


def conceal(observed: Observed, given: Iterable[Given], seal: Seal) -> Observed:
    """Close the live values of parameters that are, or were, given as secrets: what has its name from nobody else."""
    names: dict[Ref, set[str]] = {}
    for ref, name in sorted(given):
        names.setdefault(ref, set()).add(name)
    closed: dict[Ref, Any] = {}
    for ref, hidden in names.items():
        if ref in observed.state:
            closed[ref] = _closed(observed.state[ref], hidden, seal)
    secrets = secrets_in(*closed.values())
    if secrets == observed.secrets and all(observed.state[ref] is spec for ref, spec in closed.items()):
        return observed
    return replace(observed, state={**observed.state, **closed}, secrets=secrets)


def _closed(spec: Spec, hidden: Collection[str], seal: Seal) -> Any:
    def close(name: str, value: str) -> str:
        return seal.close(value) if name in hidden and not isinstance(value, Secret) else value

    return with_parameters(spec, close)


def still_there(given: Iterable[Given], observed: Observed) -> frozenset[Given]:
    """Return those of the parameters that are live: as long as they are, their values are not to be shown."""
    return frozenset(
        (ref, name)
        for ref, name in given
        if ref in observed.unsupported
        or (ref in observed.state and any(name == other for _, other, _ in parameters(observed.state[ref])))
    )


def secrets_in(*specs: Spec) -> tuple[Secret, ...]:
    """Return the secrets in objects that are known, each once."""
    values = (value for spec in specs for _, _, value in parameters(spec))
    return tuple(dict.fromkeys(value for value in values if isinstance(value, Secret) and value.known))


def hushed(spec: Spec) -> tuple[Spec, bool]:
    """Return an object without the values that have the names of secrets, and whether there is any to hide."""
    hidden = any(isinstance(value, Secret) or looks_secret(name) for _, name, value in parameters(spec))

    def hush(name: str, value: str) -> str:
        return HIDDEN if looks_secret(name) and not isinstance(value, Secret) else value

    return with_parameters(spec, hush), hidden


def without_values(element: ET.Element, secrets: Iterable[Secret]) -> ET.Element:
    """Return an element in which no pair says a secret, known or by its name."""
    shown = {secret.reveal(): str(secret) for secret in secrets if secret.known}
    return _without_values(element, shown)


def _without_values(element: ET.Element, shown: Mapping[str, str]) -> ET.Element:
    copy = ET.Element(element.tag, element.attrib)
    copy.text = element.text
    copy.extend(_without_values(child, shown) for child in element)
    value = copy.get("value")
    if copy.tag == "nvpair" and value is not None:
        copy.set("value", shown.get(value) or (HIDDEN if looks_secret(copy.get("name", "")) else value))
    result = copy.find("change-result/nvpair")
    if copy.tag == "change" and result is not None:
        for attribute in copy.iterfind("change-list/change-attr[@name='value']"):
            attribute.set("value", result.get("value", ""))
    return copy


def shown_patch(patch: str, secrets: Iterable[Secret]) -> str:
    """Return a patch as it may be shown. One with hidden values says so, and has a format that Pacemaker refuses."""
    root = ET.fromstring(patch)
    hidden = without_values(root, secrets)
    if serialize(hidden) == serialize(root):
        return patch
    hidden.set("format", "hidden")
    return f"<!-- {_NOTE}: it is not for cibadmin, which refuses its format -->\n{serialize(hidden)}"


_NOTE = "Values of secrets are left out of this patch"
