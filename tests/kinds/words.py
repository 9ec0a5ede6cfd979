"""What a manifest says and the element that says the same, to be compared in both directions."""

import re
from xml.etree import ElementTree as ET

import pytest
import tomli

from reconciler.cib import patch
from reconciler.cib.document import RESOURCES
from reconciler.kinds import CLUSTER_KINDS
from reconciler.state import Spec


def spec(kind: str, toml: str) -> Spec:
    return CLUSTER_KINDS[kind].spec.model_validate(tomli.loads(toml))


def element(text: str) -> ET.Element:
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    return ET.fromstring(re.sub(r">\s+<", "><", text), parser)


def own(found: ET.Element) -> ET.Element:
    """The element without the resources inside it: what a kind writes."""
    copy = ET.Element(found.tag, found.attrib)
    copy.extend(child for child in found if child.tag not in RESOURCES)
    return copy


def both_ways(kind: str, toml: str, text: str, *named: str) -> None:
    """The manifest is written as the element, which is read as the manifest and kept as it is; `named` are in use."""
    wanted, live = spec(kind, toml), element(text)
    found = CLUSTER_KINDS[kind]
    name = found.label(live)
    assert found.read(live, frozenset(named)) == wanted
    assert found.name_problem(name, wanted) == ""
    assert ET.tostring(found.write(name, wanted, None), "unicode") == ET.tostring(own(live), "unicode")
    assert patch.diff(own(live), found.write(name, wanted, live), "") == []
    dumped = wanted.model_dump(by_alias=True, exclude_none=True, mode="json")
    assert found.spec.model_validate(dumped) == wanted, "what is shown can be written in a manifest"


def reads(kind: str, text: str, toml: str, *named: str) -> None:
    """The element means the same as the manifest, and is kept as it is."""
    wanted, live = spec(kind, toml), element(text)
    found = CLUSTER_KINDS[kind]
    assert found.read(live, frozenset(named)) == wanted
    assert patch.diff(own(live), found.write(found.label(live), wanted, live), "") == []


def refuses(kind: str, toml: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec(kind, toml)


def rewritten(kind: str, text: str, toml: str) -> str:
    """The element that takes the place of a live one for this manifest."""
    live = element(text)
    found = CLUSTER_KINDS[kind]
    return ET.tostring(found.write(found.label(live), spec(kind, toml), live), "unicode")
