"""Samples of what Corosync says: rings, links, votes, the protocol's counters. Pure."""

from collections.abc import Iterator

from reconciler.corosync.quorumtool import Quorum
from reconciler.corosync.rings import Ring, RingStatus
from reconciler.metrics.samples import Sample, known, sample
from reconciler.metrics.snapshot import MetricsSnapshot


def samples(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """Yield what there is; nothing about what could not be seen."""
    if snapshot.rings is not None:
        yield from _rings(snapshot.rings)
    if snapshot.quorum is not None:
        yield from _quorum(snapshot.quorum)


def _rings(status: RingStatus) -> Iterator[Sample]:
    yield sample("corosync_rings_configured", len(status.rings))
    yield sample("corosync_rings_faulty", status.faulty)
    for ring in status.rings:
        yield from _ring(ring)
    totem = status.totem
    yield from known("corosync_membership_changes_total", totem.membership_changes)
    yield from known("corosync_token_losses_total", totem.token_losses)
    yield from known("corosync_retransmits_total", totem.retransmits)
    yield from known("corosync_consensus_timeouts_total", totem.consensus_timeouts)
    yield from known("corosync_network_blocked", totem.network_blocked)


def _ring(ring: Ring) -> Iterator[Sample]:
    number = str(ring.number)
    yield sample("corosync_ring_up", ring.up, ring=number)
    yield sample("corosync_ring_info", 1, ring=number, address=ring.address, transport=ring.transport)
    for link in ring.links:
        where = {"ring": number, "peer": link.peer}
        yield sample("corosync_link_connected", link.connected, **where)
        yield from known("corosync_link_enabled", link.enabled, **where)
        yield from known("corosync_link_mtu_bytes", link.mtu, **where)
        yield from known("corosync_link_downs_total", link.downs, **where)
        yield from known("corosync_link_latency_seconds", link.latency, **where)
        yield from known("corosync_link_latency_max_seconds", link.latency_max, **where)


def _quorum(quorum: Quorum) -> Iterator[Sample]:
    yield sample("corosync_quorate", quorum.quorate)
    yield from known("corosync_expected_votes", quorum.expected_votes)
    yield from known("corosync_total_votes", quorum.total_votes)
    yield from known("corosync_quorum_votes", quorum.quorum_votes)
    for node, votes in {member.name: member.votes for member in quorum.members}.items():
        yield sample("corosync_member_votes", votes, node=node)
    if quorum.qdevice is not None:
        yield sample("corosync_qdevice_registered", quorum.qdevice.registered)
        yield sample("corosync_qdevice_alive", quorum.qdevice.alive)
        yield sample("corosync_qdevice_voting", quorum.qdevice.voting)
