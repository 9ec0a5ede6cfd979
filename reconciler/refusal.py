"""What the cluster's schema refuses of a plan, by object and field, and the way out. Pure; `host.schema` asks."""

import re
from collections.abc import Mapping
from dataclasses import replace
from xml.etree import ElementTree as ET

from reconciler.cib import dialect
from reconciler.cib.blame import Culprit, Search, Suspect, allowing, search, stripped
from reconciler.cib.document import Cib
from reconciler.cib.verdict import Invalid, Verdict
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.observe import observe
from reconciler.plan import Change
from reconciler.planner import ClusterPlan
from reconciler.secret import HIDDEN, looks_secret
from reconciler.state import Ref

_LATER = ("pacemaker-3.7", "pacemaker-3.8", "pacemaker-3.9", "pacemaker-3.10", "pacemaker-4.0", "pacemaker-4.1")
"""What `cibadmin --upgrade` may lead to: the latest schemas of Pacemaker 2.1 and later."""

_LONGEST = 200


def explained(live: Cib, planned: ClusterPlan, verdict: Verdict) -> Search[Verdict]:
    """Say which of a plan's objects break the schema of the live CIB, in which field, instead of libxml2's words.

    The verdict is returned as it was where no object is found that is wrong by itself. `remedy` is set where a later
    schema allows the objects.
    """
    suspects = _suspects(planned)
    root, schema = dict(live.attributes), live.attributes.get("validate-with", "")
    found = yield from search(root, list(suspects.values()))
    if not found:
        return verdict
    refs = list(suspects)
    said = (Invalid(f"{refs[culprit.suspect]}: {_words(refs[culprit.suspect], culprit, schema)}") for culprit in found)
    later = [name for name in _LATER if dialect.version(name) > dialect.schema(live)]
    guilty = [suspects[refs[index]] for index in dict.fromkeys(culprit.suspect for culprit in found)]
    allowed = yield from allowing(root, guilty, later)
    remedy = (
        f"the CIB says validate-with={schema}; `cibadmin --upgrade --force` brings it up to date" if allowed else ""
    )
    return replace(verdict, invalid=tuple(dict.fromkeys(said)), remedy=remedy)


def _suspects(planned: ClusterPlan) -> Mapping[Ref, Suspect]:
    """Return the objects that are created or updated, as they are to be."""
    root = ET.Element("cib")
    root.append(planned.configuration)
    elements = observe(Cib("", root)).elements
    return {
        change.ref: Suspect(CLUSTER_KINDS[change.ref.kind].home, stripped(elements[change.ref]))
        for change in planned.plan.changes
        if change.after is not None and change.ref in elements
    }


def _words(ref: Ref, culprit: Culprit, schema: str) -> str:
    """Say what is wrong in an object, first with the name of the manifest's field, then in the CIB's words."""
    kind, place = CLUSTER_KINDS[ref.kind], culprit.place
    if place is None:
        return f"{schema} knows no <{kind.section}>"
    if culprit.without is None:
        if _UNKNOWN.fullmatch(culprit.said):
            return f"{schema} knows no <{place.tag}>"
        said, _, _ = culprit.said.partition("\n")
        return f"{schema} allows no such <{place.tag}>: {said[:_LONGEST]}"
    said = " or ".join(f'{name}="{_shown(place, name)}"' for name in culprit.attributes)
    return ": ".join(filter(None, (_field(ref, culprit), said or _named(place))))


_UNKNOWN = re.compile(
    r"(?:(?:element \S+: )?(?:Did not expect element \S+ there|Element \S+ has extra content: \S+)\n?)+"
)
"""All that libxml2 says of an element that it has never heard of; of any other it also says what is wrong inside."""


def _shown(place: ET.Element, name: str) -> str:
    """Return an attribute's value, but no parameter's: it may be a secret."""
    hidden = (place.tag == "nvpair" and name == "value") or looks_secret(name)
    return HIDDEN if hidden else place.get(name, "")


def _named(place: ET.Element) -> str:
    name = place.get("name") or place.get("id")
    return f"<{place.tag}> {name}" if name else f"<{place.tag}>"


def _field(ref: Ref, culprit: Culprit) -> str:
    """Return the path of the manifest's field that says what is wrong, empty if reading it back does not tell."""
    if culprit.whole is None or culprit.without is None:
        return ""
    read = CLUSTER_KINDS[ref.kind].read
    try:
        change = Change(ref, read(culprit.without, frozenset()), read(culprit.whole, frozenset()))
    except ValueError:
        return ""
    return next((field.path for field in change.fields()), "")
