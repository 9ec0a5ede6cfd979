"""CIBs as nobody wants them: other people's with a few things changed, doubled, lost or new at random."""

import copy
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

from reconciler.cib.document import serialize
from tests.configurations import unrecord
from tests.programs import corpus_cibs

ODD_TEXTS = (
    *("", "inf", "-inf", "maybe", "10 s", "-5", "abc", "1.5", "#default", "default", "Master", "slave", "INFINITY"),
    *("+INFINITY", "0", "PT5M", "P1D", "1000000", "a\tb", "true", "no", "Stopped", "Started", "x y", "10min", "1:2"),
    *("99999999999", "red", "$x", "ä", '"q"', "0s", "ignore", "2024-01-01"),
)
META = (
    *("target-role", "is-managed", "maintenance", "resource-stickiness", "priority", "allow-migrate", "clone-max"),
    *("promotable", "master-max", "interleave", "multiple-active", "requires", "migration-threshold", "restart-type"),
)
PROPERTIES = (
    *("stonith-enabled", "no-quorum-policy", "symmetric-cluster", "maintenance-mode", "batch-limit", "cluster-delay"),
    *("is-managed-default", "default-resource-stickiness", "placement-strategy", "stop-orphan-resources"),
)
SCHEMAS = ("none", "", "pacemaker-1.0", "pacemaker-1.2", "pacemaker-3.9", "pacemaker-4.2")
TAGS = ("primitive", "group", "nvpair", "rule", "rsc_location", "resource_set", "odd")
_LARGEST = 100_000


def originals() -> list[Path]:
    """The CIBs of the golden cases, and those of the corpus where it is there."""
    cases = sorted(Path(__file__).parents[1].glob("*cases/*/cib.xml"))
    return [file for file in (*cases, *corpus_cibs()) if file.stat().st_size < _LARGEST]


def damaged(random: Random, faults: int) -> str:
    """Take one of them and do something to it."""
    root = ET.fromstring(unrecorded(random.choice(originals()).read_text()))
    for _ in range(faults):
        _damage(root, random)
    return serialize(root)


def unrecorded(text: str) -> str:
    """Take out the record of what is ours: of a damaged object that is ours a plan says that somebody changed it."""
    root = ET.fromstring(text)
    for configuration in root.iterfind("configuration"):
        unrecord(configuration)
    return serialize(root)


def _damage(root: ET.Element, random: Random) -> None:
    configuration = root.find("configuration")
    assert configuration is not None
    places = [(parent, child) for parent in configuration.iter() for child in parent if isinstance(child.tag, str)]
    if not places:
        return
    parent, child = random.choice(places)
    match random.randrange(9):
        case 0 | 1 if child.attrib:
            child.set(random.choice(list(child.keys())), random.choice(ODD_TEXTS))
        case 2 if child.attrib:
            del child.attrib[random.choice(list(child.keys()))]
        case 3:
            parent.remove(child)
        case 4:
            parent.insert(random.randrange(len(parent) + 1), copy.deepcopy(child))
        case 5:
            parent[:] = random.sample(list(parent), len(parent))
        case 6:
            _set(configuration, random)
        case 7:
            child.tag = random.choice(TAGS)
        case _:
            root.set("validate-with", random.choice(SCHEMAS))


def _set(configuration: ET.Element, random: Random) -> None:
    sort, names = random.choice((("meta_attributes", META), ("cluster_property_set", PROPERTIES)))
    for found in random.sample(list(configuration.iter(sort)), k=min(1, len(list(configuration.iter(sort))))):
        pair = {"id": f"odd-{random.randrange(10**9)}", "name": random.choice(names), "value": random.choice(ODD_TEXTS)}
        found.append(ET.Element("nvpair", pair))
