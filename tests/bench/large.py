"""A large configuration: a CIB, and manifests that say the same."""

from pathlib import Path
from xml.etree import ElementTree as ET

from reconciler.cib.document import parse, serialize

_HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n'
_NODES = ("vm-node1", "vm-node2")
_DUMMY = {"class": "ocf", "provider": "pacemaker", "type": "Dummy"}


def empty_cib() -> str:
    """Return the CIB of two nodes with nothing configured, with a feature set that crm and cibadmin of 2.1 take."""
    root = ET.Element(
        "cib",
        {
            "crm_feature_set": "3.15.0",
            "validate-with": "pacemaker-3.9",
            "admin_epoch": "0",
            "epoch": "1",
            "num_updates": "0",
            "have-quorum": "1",
            "dc-uuid": "1",
        },
    )
    configuration = ET.SubElement(root, "configuration")
    options = ET.SubElement(
        ET.SubElement(configuration, "crm_config"), "cluster_property_set", {"id": "cib-bootstrap-options"}
    )
    ET.SubElement(
        options, "nvpair", {"id": "cib-bootstrap-options-stonith-enabled", "name": "stonith-enabled", "value": "false"}
    )
    nodes = ET.SubElement(configuration, "nodes")
    for number, name in enumerate(_NODES, 1):
        ET.SubElement(nodes, "node", {"id": str(number), "uname": name})
    ET.SubElement(configuration, "resources")
    ET.SubElement(configuration, "constraints")
    ET.SubElement(root, "status")
    return serialize(root)


def configured_cib(count: int) -> str:
    """Return a CIB of `count` primitives, of which three in five are named by a constraint each."""
    root = ET.fromstring(empty_cib())
    resources, constraints = (root.find(f"configuration/{name}") for name in ("resources", "constraints"))
    assert resources is not None
    assert constraints is not None
    for number in range(count):
        name, before = f"r{number:05}", f"r{number - 1:05}"
        primitive = ET.SubElement(resources, "primitive", {"id": name, **_DUMMY})
        values = ET.SubElement(primitive, "instance_attributes", {"id": f"{name}-params"})
        ET.SubElement(values, "nvpair", {"id": f"{name}-fake", "name": "fake", "value": f"value {number}"})
        operations = ET.SubElement(primitive, "operations")
        monitor = {"id": f"{name}-monitor", "name": "monitor", "interval": "10s", "timeout": "20s"}
        ET.SubElement(operations, "op", monitor)
        match number % 5:
            case 0:
                where = {"rsc": name, "node": _NODES[number % 2], "score": "100"}
                ET.SubElement(constraints, "rsc_location", {"id": f"l{number:05}", **where})
            case 1:
                both = {"rsc": name, "with-rsc": before, "score": "INFINITY"}
                ET.SubElement(constraints, "rsc_colocation", {"id": f"c{number:05}", **both})
            case 2:
                ET.SubElement(constraints, "rsc_order", {"id": f"o{number:05}", "first": before, "then": name})
    return serialize(root)


def manifests(count: int) -> str:
    """Return a List of `count` primitives and as many location constraints."""
    return _HEAD + "".join(
        f'[[items]]\nkind = "Primitive"\nmetadata.name = "r{number:05}"\nspec.agent = "ocf:pacemaker:Dummy"\n'
        f'spec.params = {{ fake = "value {number}" }}\n'
        'spec.operations = [{ name = "monitor", interval = "10s", timeout = "20s" }]\n'
        f'[[items]]\nkind = "Location"\nmetadata.name = "l{number:05}"\n'
        f'spec = {{ resource = "r{number:05}", node = "{_NODES[number % 2]}", score = 100 }}\n'
        for number in range(count)
    )


def crm_text(count: int) -> str:
    """Return the same in crm's language."""
    return "".join(
        f'primitive r{number:05} ocf:pacemaker:Dummy params fake="value {number}" op monitor interval=10s timeout=20s\n'
        f"location l{number:05} r{number:05} 100: {_NODES[number % 2]}\n"
        for number in range(count)
    )


def write(directory: Path, count: int) -> tuple[Path, Path]:
    """Write the manifests and an empty CIB; return both places."""
    desired = directory / "desired"
    desired.mkdir()
    (desired / "all.toml").write_text(manifests(count), encoding="utf-8")
    cib = directory / "cib.xml"
    cib.write_text(empty_cib(), encoding="utf-8")
    parse(cib.read_text(encoding="utf-8"))
    return desired, cib
