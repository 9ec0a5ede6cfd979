"""Every element and attribute that Pacemaker's schemas allow in a configuration can be said in a manifest.

The schemas themselves are walked (`tests/cib/relaxng.py`): for each element, attribute and enumerated value that one
allows there is a small CIB that holds it. Every object in it must be understood, must need no change when it is wanted
as it is, must be written back as it was; and what is written of the manifests alone must hold every element and
attribute again, but for those of which `SAID_OTHERWISE` gives the reason.
"""

import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler import rendered
from reconciler.cib.document import RESOURCES, Cib, serialize
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.observe import Observed, observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.state import Desired
from tests.cib import relaxng
from tests.cib.pacemaker_patches import PatchOracle
from tests.programs import absent

DIRECTORY = Path("/usr/share/pacemaker")
NEWEST = "3.9"
VERSIONS = (
    *("1.0", "1.2", "1.3", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10"),
    *("3.0", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.8", NEWEST),
)

SAID_OTHERWISE = {
    r"/master(/|@|$)": "the old word for a clone with promotable = true",
    r"/(docker|rkt|podman)@masters$": "the old word for promoted-max",
    r"rsc_order@score$": "the old word for kind",
    r"/operations@id$": "written only where something refers to it",
    r"/port-mapping@internal-port$": "the sample's is the port itself, which is the default",
    r"(attributes|utilization|cluster_property_set|lifetime)/rule@(role|score-attribute)$": (
        "Pacemaker looks at neither outside the rules of a location"
    ),
    r"/acls/acl_(role|user)/(read|write|deny)(@|$)": "since schema 2.0 an <acl_permission>",
    r"/acls/acl_user(@|/role_ref|$)": "since schema 2.0 an <acl_target>",
}


def schema(version: str) -> Path:
    path = DIRECTORY / f"pacemaker-{version}.rng"
    if not path.exists():
        absent(f"{path} is not there: what the schemas allow is NOT compared with what manifests can say")
    return path


def documents(version: str) -> Iterator[Cib]:
    for sample in relaxng.samples(relaxng.load(schema(version))):
        root = sample.element(f"i{number}" for number in itertools.count())
        resources = root.find("configuration/resources")
        if resources is not None:
            root.set("validate-with", f"pacemaker-{version}")
            resources.append(ET.Element("primitive", {"id": relaxng.REFERENCE, "class": "lsb", "type": "x"}))
            yield Cib("", root)


def said(place: str) -> str:
    """A rule inside a rule that says one thing is that rule."""
    return re.sub(r"(/rule)+", "/rule", place)


def otherwise(place: str) -> bool:
    return any(re.search(pattern, place) for pattern in SAID_OTHERWISE)


def unchanged(observed: Observed) -> bool:
    for ref, element in observed.elements.items():
        own = ET.Element(element.tag, element.attrib)
        own.extend(child for child in element if child.tag not in RESOURCES)
        if serialize(CLUSTER_KINDS[ref.kind].write(ref.name, observed.state[ref], element)) != serialize(own):
            return False
    return True


def check(cib: Cib) -> set[str]:
    """Check one document; return what of it is written of the manifests alone."""
    observed = observe(cib)
    where = serialize(cib.root)
    assert (dict(observed.unsupported), observed.unknown) == ({}, ()), where
    assert plan(Desired(observed.state, "r"), observed, frozenset(), Policy()).plan.changes == (), where
    assert unchanged(observed), where
    return {said(place) for place in relaxng.places(rendered.configuration(observed.state))}


def test_what_the_newest_schema_allows() -> None:
    allowed: set[str] = set()
    written: set[str] = set()
    for cib in documents(NEWEST):
        allowed |= {said(place) for place in relaxng.places(cib.configuration)}
        written |= check(cib)
    assert len(allowed) > 4000
    assert [place for place in sorted(allowed - written) if not otherwise(place)] == []
    stale = [pattern for pattern in SAID_OTHERWISE if not any(re.search(pattern, place) for place in allowed)]
    assert set(stale) <= {pattern for pattern in SAID_OTHERWISE if "/acls/" in pattern}


@cache
def of_the_newest() -> frozenset[str]:
    return frozenset(said(place) for cib in documents(NEWEST) for place in relaxng.places(cib.configuration))


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_what_only_older_schemas_allow(version: str) -> None:
    newest = of_the_newest()
    allowed: set[str] = set()
    written: set[str] = set()
    for cib in documents(version):
        places = {said(place) for place in relaxng.places(cib.configuration)} - newest
        if places:
            allowed |= places
            written |= check(cib)
    assert [place for place in sorted(allowed - written) if not otherwise(place)] == []


def test_the_samples_fit_their_schema() -> None:
    pacemaker = PatchOracle()
    for cib in itertools.islice(documents(NEWEST), 0, None, 20):
        assert pacemaker.valid(serialize(cib.root)), serialize(cib.root)


def test_what_no_kind_knows_would_be_found() -> None:
    cib = next(documents(NEWEST))
    ET.SubElement(cib.configuration, "something").append(ET.Element("new", {"id": "x"}))
    with pytest.raises(AssertionError):
        check(cib)
