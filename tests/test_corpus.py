"""What holds for the CIBs that other people's clusters and tools left behind."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from reconciler.cib import patch
from reconciler.cib.document import RESOURCES, children, parse, serialize
from reconciler.cib.ownership import UNTAGGED
from reconciler.cib.references import referred_by
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.observe import Observed, observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.state import Desired, Ref
from tests.cib.pacemaker_patches import PatchOracle
from tests.programs import each_of_the_corpus

ALWAYS_FIRST = Ref("ClusterProperties", "cib-bootstrap-options")

pytestmark = each_of_the_corpus("reading and planning are NOT tested on other people's clusters")


def own(element: ET.Element) -> ET.Element:
    copy = ET.Element(element.tag, element.attrib)
    copy.extend(child for child in element if child.tag not in RESOURCES)
    return copy


def only_records(found: patch.Operation) -> bool:
    """Whether it says what is ours, in a tag or, where the schema has none, in a property set, never the first one."""
    made = found.after
    if "/tags" in found.path or made is None:
        return "/tags" in found.path
    return made.tag == "tags" or made.get("id") == UNTAGGED or (made.tag == "cluster_property_set" and not len(made))


def objects(seen: Observed) -> Iterator[tuple[Ref, ET.Element]]:
    for ref in seen.state:
        yield ref, seen.elements[ref]


def test_everything_is_understood(file: Path) -> None:
    seen = observe(parse(file.read_text()))
    left = {str(ref): reason for ref, reason in seen.unsupported.items()} | {str(ref): "?" for ref in seen.unknown}
    assert left == {}


def test_what_is_there_and_wanted_needs_no_change(file: Path) -> None:
    seen = observe(parse(file.read_text()))
    planned = plan(Desired(seen.state, "r"), seen, frozenset(), Policy())
    assert [str(change.ref) for change in planned.plan.changes] == []
    assert [found for found in planned.operations if not only_records(found)] == []


def test_what_was_read_is_written_as_it_was(file: Path) -> None:
    seen = observe(parse(file.read_text()))
    for ref, element in objects(seen):
        written = CLUSTER_KINDS[ref.kind].write(ref.name, seen.state[ref], element)
        assert patch.diff(own(element), written, "") == [], str(ref)


def test_what_was_read_says_the_same_written_anew(file: Path) -> None:
    cib = parse(file.read_text())
    seen = observe(cib)
    standing = (element for section in children(cib.configuration) for element in children(section))
    named = frozenset[str]().union(*map(referred_by, standing))
    for ref, element in objects(seen):
        kind = CLUSTER_KINDS[ref.kind]
        written = kind.write(ref.name, seen.state[ref], None)
        written.extend(child for child in element if child.tag in RESOURCES)
        assert kind.label(written) == ref.name
        assert kind.read(written, named) == seen.state[ref], str(ref)


def test_an_empty_cluster_gets_the_same_configuration(file: Path) -> None:
    cib = parse(file.read_text())
    seen = observe(cib)
    root = ET.Element("cib", cib.root.attrib)
    configuration = ET.SubElement(root, "configuration")
    for section in ("crm_config", "nodes", "resources", "constraints"):
        ET.SubElement(configuration, section).extend(cib.objects(section) if section == "nodes" else ())
    planned = plan(Desired(seen.state, "r"), observe(parse(serialize(root))), frozenset(), Policy())
    assert planned.plan.holds == ()
    root[0] = planned.configuration
    made = parse(serialize(root))
    found = dict(observe(made).state)
    if ALWAYS_FIRST not in seen.state:
        found.pop(ALWAYS_FIRST, None)
    assert found == dict(seen.state)
    assert PatchOracle().valid(made.text) or not PatchOracle().valid(cib.text)
