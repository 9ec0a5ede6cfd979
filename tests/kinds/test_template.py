"""Templates, and primitives made from them."""

from xml.etree import ElementTree as ET

from reconciler import manifests
from reconciler.cib.document import parse
from reconciler.kinds.observe import observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from tests.kinds.words import both_ways, refuses

HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n'
TEMPLATE = """[[items]]
kind = "Template"
metadata.name = "address"
spec.agent = "ocf:heartbeat:IPaddr2"
spec.params = { nic = "bond1", cidr_netmask = 24 }
spec.operations = [{ name = "monitor", interval = "10s" }]
"""
VIP = """[[items]]
kind = "Primitive"
metadata.name = "vip"
spec.template = "address"
spec.params = { ip = "192.0.2.60" }
"""
NETWORK = """[[items]]
kind = "NodeNetwork"
metadata.name = "n1"
spec.node = "n1"
[[items.spec.links]]
name = "bond1"
addresses = ["192.0.2.60/24"]
"""


def test_a_template_is_said_as_a_primitive() -> None:
    both_ways(
        "Template",
        'agent = "ocf:heartbeat:IPaddr2"\nparams = { nic = "bond1" }\nutilization = { links = 1 }\n'
        'operations = [{ name = "monitor", interval = "10s" }]',
        """<template id="a" class="ocf" provider="heartbeat" type="IPaddr2">
        <instance_attributes id="a-instance_attributes">
        <nvpair id="a-instance_attributes-nic" name="nic" value="bond1"/>
        </instance_attributes><utilization id="a-utilization"><nvpair id="a-utilization-links" name="links" value="1"/>
        </utilization><operations><op id="a-monitor-10s" name="monitor" interval="10s"/></operations></template>""",
    )


def test_a_primitive_says_what_is_different() -> None:
    both_ways(
        "Primitive",
        'template = "address"\nparams = { ip = "192.0.2.60" }',
        """<primitive id="vip" template="address"><instance_attributes id="vip-instance_attributes">
        <nvpair id="vip-instance_attributes-ip" name="ip" value="192.0.2.60"/></instance_attributes></primitive>""",
    )


def test_an_agent_or_a_template() -> None:
    refuses("Primitive", "", "needs either")
    refuses("Primitive", 'agent = "lsb:x"\ntemplate = "y"', "needs either")


def faults(*texts: str) -> list[str]:
    return [str(fault) for fault in manifests.load({"a.toml": HEAD + "".join(texts)}, "r").rejected]


def test_a_template_must_be_there() -> None:
    assert faults(TEMPLATE, VIP) == []
    assert faults(VIP) == ["a.toml: Primitive/vip: spec.template: there is no Template 'address'"]


def test_the_address_of_a_template_s_primitive_belongs_to_the_cluster() -> None:
    (fault,) = faults(TEMPLATE, VIP, NETWORK)
    assert "192.0.2.60" in fault


CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0">
<configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>"""


def test_what_is_made_is_what_is_wanted() -> None:
    desired = manifests.load({"a.toml": HEAD + TEMPLATE + VIP}, "r")
    first = plan(desired, observe(parse(CIB)), frozenset(), Policy())
    resources = first.configuration.find("resources")
    assert resources is not None
    assert [found.tag for found in resources] == ["template", "primitive"]
    text = CIB.replace("<resources/>", ET.tostring(resources, "unicode"))
    assert plan(desired, observe(parse(text)), frozenset(), Policy()).plan.changes == ()
