"""What belongs to the cluster: every way in which a CIB can say that an address or a route is its own."""

from ipaddress import ip_address, ip_network
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.network.owned import Owned, OwnedRoute, cluster_owned
from reconciler.network.steps import conflicts
from tests.network.test_node_network import network
from tests.programs import absent_corpus, corpus_cibs


def cib(resources: str, nodes: int = 2, more: str = "") -> ET.Element:
    listed = "".join(f'<node id="{number}" uname="n{number}"/>' for number in range(1, nodes + 1))
    return ET.fromstring(
        f"<cib><!-- a comment --><configuration><crm_config/><nodes><!-- two -->{listed}</nodes>"
        f"<resources><!-- here -->{resources}</resources>{more}</configuration><status/></cib>"
    )


def params(identity: str, **values: str) -> str:
    pairs = "".join(f'<nvpair id="{identity}-{name}" name="{name}" value="{v}"/>' for name, v in values.items())
    return f'<instance_attributes id="{identity}-ia"><!-- why -->{pairs}</instance_attributes>'


def primitive(identity: str, type_: str = "IPaddr2", inside: str = "", **values: str) -> str:
    given = params(identity, **values) if values else ""
    return f'<primitive id="{identity}" class="ocf" provider="heartbeat" type="{type_}">{inside}{given}</primitive>'


def ips(owned: Owned) -> set[str]:
    return {str(address.ip) for address in owned.addresses}


def test_the_reference_case() -> None:
    owned = cluster_owned(
        cib(
            primitive("vip", ip="192.168.1.60", cidr_netmask="24", nic="bond1")
            + primitive("httpd", "apache", configfile="/etc/apache2/apache2.conf")
            + primitive("ping-gateway", "ping", host_list="192.168.1.1")
        ),
        rings=["10.20.13.1", "10.20.13.2", "192.168.1.61", "192.168.1.62"],
    )
    (vip,) = owned.addresses
    assert (str(vip.ip), vip.nics, vip.by) == ("192.168.1.60", frozenset({"bond1"}), "IPaddr2 vip")
    assert owned.on("bond1") == "IPaddr2 vip"
    assert owned.on("bond0") is None
    assert len(owned.rings) == 4
    assert owned.unclear == ()


@pytest.mark.parametrize(
    ("type_", "values", "expected"),
    [
        ("IPaddr", {"ip": "10.0.0.5"}, {"10.0.0.5"}),
        ("ipADDR2", {"IP": " 10.0.0.5 "}, {"10.0.0.5"}),
        ("IPaddr2-custom", {"ip": "10.0.0.5"}, {"10.0.0.5"}),
        ("IPv6addr", {"ipv6addr": "FD00::0:5", "cidr_netmask": "64"}, {"fd00::5"}),
        ("IPv6addr", {"ipv6addr": "fd00::5/64"}, {"fd00::5"}),
        ("IPaddr2", {"ip": "fe80::5", "nic": "d0"}, {"fe80::5"}),
        ("VIPArip", {"ip": "10.0.0.5"}, {"10.0.0.5"}),
        ("aws-vpc-move-ip", {"ip": "10.0.0.5", "interface": "eth0"}, {"10.0.0.5"}),
        ("gcp-vpc-move-vip", {"ip": "10.0.0.5"}, {"10.0.0.5"}),
        ("openstack-virtual-ip", {"ip": "10.0.0.5"}, {"10.0.0.5"}),
        ("awsvip", {"secondary_private_ip": "10.0.0.5"}, {"10.0.0.5"}),
        ("IPaddr2", {"ip": "10.0.0.5", "broadcast": "10.0.0.255", "cidr_netmask": "24"}, {"10.0.0.5"}),
        ("ping", {"host_list": "10.0.0.5"}, set()),
        ("apache", {"ip": "10.0.0.5"}, set()),
    ],
)
def test_agents_and_their_parameters(type_: str, values: dict[str, str], expected: set[str]) -> None:
    owned = cluster_owned(cib(primitive("x", type_, **values)))
    assert ips(owned) == expected
    assert owned.unclear == ()
    assert ips(cluster_owned(cib(""), primitives=[(f"ocf:heartbeat:{type_}", values)])) == expected


def test_heartbeats_positional_parameters() -> None:
    xml = '<primitive id="x" class="heartbeat" type="IPaddr"><instance_attributes id="a">'
    xml += '<nvpair id="a-1" name="1" value="10.0.0.5/24/eth0"/></instance_attributes></primitive>'
    assert ips(cluster_owned(cib(xml))) == {"10.0.0.5"}


def test_a_fence_device_is_no_address_of_ours() -> None:
    xml = '<primitive id="x" class="stonith" type="fence_vip">' + params("x", ip="10.0.0.5") + "</primitive>"
    assert ips(cluster_owned(cib(xml))) == set()
    assert ips(cluster_owned(cib(""), primitives=[("stonith:fence_vip", {"ip": "10.0.0.5"})])) == set()


def test_several_sets_and_rules_count_all() -> None:
    first = '<instance_attributes id="s1" score="2"><rule id="r" score="INFINITY"><expression id="e" '
    first += 'attribute="#uname" operation="eq" value="n1"/></rule><nvpair id="p1" name="ip" value="10.0.0.5"/>'
    first += '<nvpair id="p2" name="nic" value="eth0:1"/></instance_attributes>'
    (one, two) = cluster_owned(cib(primitive("x", inside=first, ip="10.0.0.6", nic="eth1"))).addresses
    assert (str(one.ip), str(two.ip)) == ("10.0.0.5", "10.0.0.6")
    assert one.nics == two.nics == {"eth0", "eth1"}


def test_a_template_gives_agent_and_parameters() -> None:
    template = '<template id="t" class="ocf" provider="heartbeat" type="IPaddr2">' + params("t", ip="10.0.0.5")
    xml = template + '</template><primitive id="x" template="t">' + params("x", nic="eth0") + "</primitive>"
    (owned,) = cluster_owned(cib(xml)).addresses
    assert (str(owned.ip), owned.nics, owned.by) == ("10.0.0.5", frozenset({"eth0"}), "IPaddr2 x")


def test_references_to_sets_and_pairs_are_followed() -> None:
    by_set = '<primitive id="b" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id-ref="a-ia"/>'
    by_pair = '<primitive id="c" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="c-ia">'
    by_pair += '<nvpair id-ref="a-address" name="ip"/></instance_attributes></primitive>'
    owned = cluster_owned(
        cib(primitive("a", "Dummy", ip="10.0.0.5", address="10.0.0.6") + by_set + "</primitive>" + by_pair)
    )
    assert ips(owned) == {"10.0.0.5", "10.0.0.6"}
    missing = '<primitive id="b" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id-ref="no"/>'
    assert ips(cluster_owned(cib(missing + "</primitive>"))) == set()


@pytest.mark.parametrize(
    ("meta", "nodes", "expected"),
    [
        ("", 3, ["10.0.0.5", "10.0.0.6", "10.0.0.7"]),
        ('<meta_attributes id="m"><nvpair id="n" name="clone-max" value="4"/></meta_attributes>', 2, 4),
        ('<meta_attributes id="m"><nvpair id="n" name="clone_max" value="1"/></meta_attributes>', 2, 2),
    ],
)
def test_a_unique_clone_address_is_a_range(meta: str, nodes: int, expected: list[str] | int) -> None:
    inside = primitive("x", ip="10.0.0.5", unique_clone_address="true")
    for xml in (inside, f'<group id="g">{inside}</group>'):
        found = ips(cluster_owned(cib(f'<clone id="c">{meta}{xml}</clone>', nodes)))
        assert sorted(found) == expected if isinstance(expected, list) else len(found) == expected
    plain = cib(f'<clone id="c">{primitive("x", ip="10.0.0.5", unique_clone_address="no")}</clone>', nodes)
    assert ips(cluster_owned(plain)) == {"10.0.0.5"}


def test_a_bundle_has_an_address_for_each_replica() -> None:
    xml = '<bundle id="b"><podman image="i" replicas="3"/><network ip-range-start="10.0.0.5" host-interface="eth0"/>'
    owned = cluster_owned(cib(xml + primitive("inner", "Dummy") + "</bundle>"))
    assert ips(owned) == {"10.0.0.5", "10.0.0.6", "10.0.0.7"}
    assert owned.on("eth0") == "bundle b"
    assert ips(cluster_owned(cib('<bundle id="b"><docker image="i"/><network/></bundle>'))) == set()


def test_routes_of_the_cluster() -> None:
    owned = cluster_owned(
        cib(
            primitive("r1", "Route", destination="10.7.0.0/16", gateway="10.0.0.9")
            + primitive("r2", "Route", destination="default", device="d0", table="100")
            + primitive("r3", "Route", destination="default", gateway="fd00::9", table="vpn")
        )
    )
    assert owned.routes == (
        OwnedRoute(ip_network("10.7.0.0/16"), 254, "Route r1"),
        OwnedRoute(ip_network("0.0.0.0/0"), 100, "Route r2"),
        OwnedRoute(ip_network("::/0"), None, "Route r3"),
    )
    assert owned.owner_of_route(ip_network("::/0"), 7) == "Route r3"
    assert owned.owner_of_route(ip_network("0.0.0.0/0"), 254) is None


def test_a_source_that_the_cluster_writes_is_known_and_is_no_address_of_its_own() -> None:
    owned = cluster_owned(cib(primitive("s", "IPsrcaddr", ipaddress="10.0.0.5", cidr_netmask="24")))
    assert owned.sources == {ip_address("10.0.0.5")}
    assert owned.addresses == ()


def test_all_configurations_count_together() -> None:
    live, last, wanted = (cib(primitive("x", ip=f"10.0.0.{number}")) for number in (5, 6, 7))
    owned = cluster_owned(live, [last, wanted], [("ocf:heartbeat:IPaddr2", {"ip": "10.0.0.8"})])
    assert ips(owned) == {"10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8"}


def test_what_cannot_be_read_is_said() -> None:
    assert cluster_owned(None, [cib(primitive("x", ip="10.0.0.5"))]).unclear == ("the live CIB cannot be read",)
    assert cluster_owned(ET.fromstring("<cib/>")).unclear == ("<cib> has no <configuration>",)
    odd = cluster_owned(cib(primitive("x", ip="10.0.0.256") + primitive("r", "Route", destination="x/y")))
    assert odd.unclear == (
        "IPaddr2 x: its address '10.0.0.256' is not one",
        "Route r: its destination 'x/y' is not a network",
    )
    assert cluster_owned(cib(""), rings=None).unclear == ("corosync's nodelist cannot be read",)
    named = cluster_owned(cib(""), rings=["10.0.0.1", "n1.example"])
    assert named.rings == {ip_address("10.0.0.1")}
    assert named.unclear == ("corosync's nodelist names a ring by 'n1.example', not by its address",)


def test_a_manifest_that_names_what_the_cluster_owns_is_in_conflict() -> None:
    owned = cluster_owned(
        cib(
            primitive("vip", ip="192.168.1.60", cidr_netmask="24")
            + primitive("r", "Route", destination="10.7.0.0/16", gateway="192.168.1.1")
        )
    )
    wanted = network(
        [{"name": "bond1", "addresses": ["192.168.1.60/32", "192.168.1.61/24"]}],
        [
            {"to": "10.7.0.0/16", "via": "192.168.1.1", "dev": "bond1"},
            {"to": "10.8.0.0/16", "via": "192.168.1.1", "dev": "bond1", "src": "192.168.1.60"},
        ],
    )
    assert conflicts(wanted, owned) == (
        ("links[bond1].addresses", "192.168.1.60/32 belongs to IPaddr2 vip: the cluster puts it there"),
        ("routes", "10.7.0.0/16 belongs to Route r: the cluster makes it"),
        ("routes", "10.8.0.0/16 has the source 192.168.1.60 of IPaddr2 vip, which is not always here"),
    )


def test_every_address_of_an_address_agent_in_the_corpus_is_found() -> None:
    cibs = corpus_cibs()
    if not cibs:
        absent_corpus("addresses in it are NOT looked for")
    assert sum(check_addresses(path) for path in cibs) > 20


def check_addresses(path: Path) -> int:
    root = ET.parse(path).getroot()
    expected = {
        pair.get("value", "")
        for element in root.iterfind("configuration/resources//primitive")
        if element.get("type") in {"IPaddr", "IPaddr2"}
        for pair in element.iterfind("instance_attributes/nvpair")
        if pair.get("name") == "ip"
    }
    owned = cluster_owned(root)
    assert ips(owned) >= expected, path
    assert owned.unclear == (), path
    return len(expected)
