"""What the lab works out without a machine: layouts, outages, crm_mon's words."""

import pytest

from tests.lab.client import Outage, Sample, outages
from tests.lab.layout import Layout, Ring, boot_commands, corosync_conf
from tests.lab.view import parse


def test_the_reference_case_has_the_addresses_of_the_reference_case() -> None:
    layout = Layout.reference()
    assert [layout.address(node, ring) for node in layout.nodes for ring in ("bond0", 1)] == [
        "10.20.13.1",
        "192.168.1.61",
        "10.20.13.2",
        "192.168.1.62",
    ]


def test_a_network_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.20\.13\.0/30 has no room for node 3"):
        Ring("bond0", "10.20.13.0/30", 1).address(2)


def test_an_unknown_ring_is_refused() -> None:
    with pytest.raises(KeyError, match="no ring 'bond7'"):
        Layout.reference().ring_index("bond7")


def test_a_layout_survives_its_record() -> None:
    layout = Layout.reference(3)
    assert Layout.from_record(layout.record()) == layout


def test_only_two_nodes_are_two_nodes_for_corosync() -> None:
    assert "two_node: 1" in corosync_conf(Layout.reference(2))
    assert "two_node" not in corosync_conf(Layout.reference(3))


def test_a_node_routes_through_the_gateway_of_the_last_ring() -> None:
    assert boot_commands(Layout.reference(), "vm-node2").splitlines()[-1] == (
        "route add default via 192.168.1.1 dev bond1"
    )


def test_outages_are_what_lies_between_the_first_silence_and_the_next_answer() -> None:
    samples = [Sample(1.0, "a"), Sample(3.0, "a"), Sample(2.0, None), Sample(2.5, None)]
    samples += [Sample(4.0, None), Sample(4.5, None)]
    assert outages(samples) == [Outage(2.0, 1.0, over=True), Outage(4.0, 0.5, over=False)]


def test_no_samples_are_no_outage() -> None:
    assert outages([]) == []


def test_a_view_knows_what_runs_where() -> None:
    view = parse(
        """<pacemaker-result><summary><current_dc present="true" name="b" with_quorum="true"/></summary>
        <nodes><node name="a" online="true" pending="false"/><node name="b" online="true" pending="true"/></nodes>
        <resources>
          <resource id="vip" role="Started" failed="false"><node name="a"/></resource>
          <resource id="web" role="Started" failed="true"><node name="a"/></resource>
          <resource id="db" role="Starting" failed="false" pending="Starting"><node name="a"/></resource>
          <clone id="pings">
            <resource id="ping:0" role="Started" failed="false"><node name="a"/></resource>
            <resource id="ping:1" role="Started" failed="false"><node name="b"/></resource>
          </clone>
        </resources>
        <failures><failure op_key="web_start_0" node="a" exitstatus="not installed"/></failures>
        </pacemaker-result>"""
    )
    assert view.dc == "b"
    assert view.online == {"a"}
    assert view.resources == {
        "vip": frozenset("a"),
        "web": frozenset(),
        "db": frozenset(),
        "ping": frozenset("ab"),
    }
    assert view.failures == ("web_start_0 on a: not installed",)
