"""Rings and links in every shape that corosync's tools have had."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.corosync.cmap import ParseFailure
from reconciler.corosync.rings import Origin, RingStatus, rings
from tests.corosync import samples


def read(cmap: str, stats: str | None = None, cfgtool: str | None = None) -> RingStatus:
    found = rings(cmap, stats, cfgtool)
    assert isinstance(found, RingStatus), found
    return found


def connected(status: RingStatus) -> dict[int, dict[str, bool]]:
    return {ring.number: {link.peer: link.connected for link in ring.links} for ring in status.rings}


def test_knet_statistics_tell_every_link() -> None:
    counters = {
        (2, 0): {"down_count": 2, "latency_samples": 9, "latency_ave": 250, "latency_max": 1500},
        (2, 1): {"connected": 0, "down_count": 5},
    }
    status = read(samples.cmap(), samples.stats(counters))
    assert (status.local_node, status.cluster_name, status.transport) == ("red", "paint", "knet")
    assert status.origin is Origin.STATS
    assert [(ring.number, ring.address, ring.up) for ring in status.rings] == [
        (0, "10.0.0.1", True),
        (1, "10.1.0.1", False),
    ]
    good, bad = (ring.links[0] for ring in status.rings)
    assert (good.peer, good.downs, good.latency, good.latency_max, good.mtu) == ("green", 2, 0.00025, 0.0015, 1397)
    assert (bad.connected, bad.enabled, bad.downs, bad.latency, bad.latency_max) == (False, True, 5, None, None)
    assert status.faulty == 1


def test_a_configured_link_that_is_not_reported_is_down() -> None:
    status = read(samples.cmap(samples.NAMES), samples.stats({(2, 0): {}, (2, 1): {}, (3, 0): {}}))
    assert connected(status) == {0: {"green": True, "blue": True}, 1: {"green": True, "blue": False}}
    assert [ring.up for ring in status.rings] == [True, False]


def test_the_local_node_is_the_one_at_its_position() -> None:
    status = read(samples.cmap(samples.NAMES, local=2), samples.stats({(1, 0): {}, (2, 0): {}}))
    assert status.local_node == "blue"
    assert connected(status)[0] == {"red": True, "green": True}


def test_a_peer_without_an_address_on_a_ring_is_not_expected_there() -> None:
    text = samples.cmap(samples.NAMES).replace("nodelist.node.2.ring1_addr (str) = 10.1.0.3\n", "")
    status = read(text, samples.stats({(2, 0): {}, (2, 1): {}, (3, 0): {}}))
    assert connected(status)[1] == {"green": True}
    assert status.faulty == 0


def test_counters_of_the_membership_protocol() -> None:
    totem = read(samples.cmap(), samples.stats({})).totem
    assert (totem.membership_changes, totem.token_losses, totem.retransmits) == (4, 3, 7)
    assert (totem.consensus_timeouts, totem.network_blocked) == (3, True)


def test_corosync_2_tells_faults_per_ring() -> None:
    status = read(samples.CMAP_2)
    assert (status.local_node, status.origin, status.transport) == ("10.0.0.2", Origin.RRP, "udpu")
    assert connected(status) == {0: {"10.0.0.1": True}, 1: {"10.0.0.1": False}}
    assert (status.totem.membership_changes, status.totem.retransmits, status.totem.token_losses) == (5, 9, None)


def test_corosync_2_peer_that_left_is_down_on_every_ring() -> None:
    text = samples.CMAP_2.replace("members.10.status (str) = joined", "members.10.status (str) = left")
    assert connected(read(text)) == {0: {"10.0.0.1": False}, 1: {"10.0.0.1": False}}


def test_corosync_2_without_node_ids_takes_them_from_the_members() -> None:
    text = "\n".join(line for line in samples.CMAP_2.splitlines() if ".nodeid " not in line) + "\n"
    assert connected(read(text)) == connected(read(samples.CMAP_2))


@pytest.mark.parametrize(
    "text", [samples.CFGTOOL_300, samples.CFGTOOL_304, samples.CFGTOOL_311, samples.CFGTOOL_BRIEF], ids=str.__len__
)
def test_cfgtool_where_there_are_no_statistics(text: str) -> None:
    status = read(samples.cmap(samples.NAMES), None, text)
    assert status.origin is Origin.CFGTOOL
    assert connected(status) == {0: {"green": True, "blue": True}, 1: {"green": True, "blue": False}}
    assert status.rings[0].links[0].latency is None


def test_cfgtool_of_corosync_2() -> None:
    text = "\n".join(line for line in samples.CMAP_2.splitlines() if ".rrp." not in line) + "\n"
    assert connected(read(text, None, samples.CFGTOOL_2)) == {0: {"10.0.0.1": True}, 1: {"10.0.0.1": False}}


def test_a_link_that_cfgtool_leaves_out_is_down() -> None:
    text = samples.CFGTOOL_311.partition("LINK ID 1")[0]
    assert connected(read(samples.cmap(samples.NAMES), None, text))[1] == {"green": False, "blue": False}


def test_udpu_has_no_link_state_but_membership() -> None:
    text = samples.cmap(samples.NAMES, rings=1, transport="udpu").replace(
        "members.3.status (str) = joined", "members.3.status (str) = left"
    )
    expected = {0: {"green": True, "blue": False}}
    status = read(text, "stats.srp.operational_entered (u64) = 1\n")
    assert (status.origin, connected(status), status.rings[0].transport) == (Origin.MEMBERSHIP, expected, "udpu")
    assert connected(read(text, None, samples.CFGTOOL_UDPU)) == expected


def test_a_single_node_has_rings_that_are_up() -> None:
    status = read(samples.cmap(("red",)), samples.stats({}))
    assert [(ring.up, ring.links) for ring in status.rings] == [(True, ()), (True, ())]


@pytest.mark.parametrize(
    ("cmap", "stats", "cfgtool", "source"),
    [
        ("", None, None, "cmap"),
        ("Failed to initialize the cmap API. Error CS_ERR_LIBRARY\n", "", None, "cmap"),
        (samples.cmap().replace("local_node_pos (u32) = 0", "local_node_pos (u32) = 7"), None, None, "cmap"),
        (samples.cmap(rings=0), samples.stats({}), None, "cmap"),
        (samples.cmap(), None, None, "stats"),
        (samples.cmap(), "stats.srp.mcast_retx (u64) = 1\n", None, "stats"),
        (samples.cmap(), None, "Could not initialize corosync configuration API error 2\n", "cfgtool"),
        (samples.cmap(), None, "Local node ID 1, transport knet\n", "cfgtool"),
        (samples.cmap(), None, "Local node ID 1\nLINK ID 0\n\taddr\t= 10.0.0.1\n\tstatus\t= who knows\n", "cfgtool"),
    ],
)
def test_what_cannot_be_read_is_a_failure_and_never_healthy(
    cmap: str, stats: str | None, cfgtool: str | None, source: str
) -> None:
    found = rings(cmap, stats, cfgtool)
    assert isinstance(found, ParseFailure)
    assert found.source == source


TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [samples.cmap(), samples.stats({(2, 0): {}}), samples.CFGTOOL_2, samples.CFGTOOL_311, samples.CMAP_2]
    ).flatmap(lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut])),
)


@given(TEXTS, st.none() | TEXTS, st.none() | TEXTS)
def test_no_text_raises_and_no_text_without_links_is_healthy(cmap: str, stats: str | None, cfgtool: str | None) -> None:
    found = rings(cmap, stats, cfgtool)
    assert isinstance(found, ParseFailure) or found.rings
