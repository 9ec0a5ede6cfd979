"""The state of every ring, peer by peer, put together from cmap, its statistics and `corosync-cfgtool`. Pure.

What is configured comes from the nodelist; what is configured but not reported is down. That no source says anything
about the links is a failure, never a cluster without rings.
"""

from collections.abc import Mapping
from enum import StrEnum

from reconciler.corosync import cfgtool, cmap
from reconciler.corosync.cmap import ConfiguredNode, ParseFailure
from reconciler.frozen import frozen

CMAP, STATS = "cmap", "stats"
_MICROSECONDS = 1_000_000


class Origin(StrEnum):
    """Where the state of the links comes from.

    stats: knet's statistics, per link and peer. rrp: Corosync 2's redundant rings, per ring. cfgtool: as printed.
    membership: transports with one ring and no link state (udp, udpu): a peer in the membership is connected.
    """

    STATS = "stats"
    RRP = "rrp"
    CFGTOOL = "cfgtool"
    MEMBERSHIP = "membership"


@frozen
class Link:
    """One ring towards one peer. What the transport does not count is None; latencies are seconds."""

    peer: str
    connected: bool
    enabled: bool | None = None
    downs: int | None = None
    latency: float | None = None
    latency_max: float | None = None
    mtu: int | None = None


@frozen
class Ring:
    """One ring: up when it has no fault and every peer that has an address on it is connected."""

    number: int
    address: str
    transport: str
    up: bool
    links: tuple[Link, ...]


@frozen
class Totem:
    """Counters of the membership protocol since corosync started; None where this release does not have them."""

    membership_changes: int | None
    token_losses: int | None
    retransmits: int | None
    consensus_timeouts: int | None
    network_blocked: bool | None


@frozen
class RingStatus:
    """All rings as the local node sees them; peers are named as in the nodelist, the local node is not among them."""

    local_node: str
    cluster_name: str
    transport: str
    origin: Origin
    rings: tuple[Ring, ...]
    totem: Totem

    @property
    def faulty(self) -> int:
        """How many of the configured rings are not up."""
        return sum(not ring.up for ring in self.rings)


def rings(cmap_text: str, cmap_stats_text: str | None, cfgtool_text: str | None) -> RingStatus | ParseFailure:
    """Put the state of the rings together.

    Args:
        cmap_text: what `corosync-cmapctl` prints.
        cmap_stats_text: what `corosync-cmapctl -m stats` prints; None in Corosync 2 or if it cannot be had.
        cfgtool_text: what `corosync-cfgtool -s` prints, asked where the statistics cannot be had.
    """
    values = cmap.entries(cmap_text)
    nodes = cmap.nodes(values)
    local = cmap.local_node(values, nodes)
    if local is None or not local.addresses:
        reason = "no nodelist" if not nodes else "no local node with a ring address"
        return ParseFailure(CMAP, f"{reason} in {len(values)} keys")
    stats = cmap.entries(cmap_stats_text or "")
    peers = tuple(node for node in nodes if node != local)
    found = _links(values, stats, cfgtool_text, local, peers)
    if isinstance(found, ParseFailure):
        return found
    origin, links = found
    transports = {number: values.get(f"totem.interface.{number}.knet_transport", "udp") for number in local.addresses}
    transport = _transport(values)
    return RingStatus(
        local_node=local.name,
        cluster_name=values.get("totem.cluster_name", ""),
        transport=transport,
        origin=origin,
        rings=tuple(
            Ring(
                number,
                local.addresses[number],
                transports[number] if transport == "knet" else transport,
                up=all(link.connected for link in links[number]),
                links=links[number],
            )
            for number in sorted(local.addresses)
        ),
        totem=_totem({**values, **stats}),
    )


_Links = Mapping[int, tuple[Link, ...]]


def _links(
    values: Mapping[str, str],
    stats: Mapping[str, str],
    cfgtool_text: str | None,
    local: ConfiguredNode,
    peers: tuple[ConfiguredNode, ...],
) -> tuple[Origin, _Links] | ParseFailure:
    """Take the links from the best source that says anything about them."""
    on_ring = {number: [peer for peer in peers if number in peer.addresses] for number in local.addresses}
    if any(key.startswith("stats.knet.") for key in stats):
        return Origin.STATS, {n: tuple(_counted(peer, n, stats) for peer in on_ring[n]) for n in on_ring}
    joined = cmap.joined(values)
    faults = {number: cmap.whole(values, f"runtime.totem.pg.mrp.rrp.{number}.faulty") for number in local.addresses}
    if any(fault is not None for fault in faults.values()):
        return Origin.RRP, {
            n: tuple(Link(peer.name, faults[n] == 0 and peer.id in joined) for peer in on_ring[n]) for n in on_ring
        }
    if cfgtool_text is not None:
        printed = cfgtool.parse(cfgtool_text)
        if isinstance(printed, ParseFailure):
            return printed
        return Origin.CFGTOOL, {
            n: tuple(Link(peer.name, _printed(printed.links.get(n), peer, joined)) for peer in on_ring[n])
            for n in on_ring
        }
    if _transport(values) == "knet":
        return ParseFailure(STATS, f"no stats.knet among {len(stats)} keys")
    return Origin.MEMBERSHIP, {n: tuple(Link(peer.name, peer.id in joined) for peer in on_ring[n]) for n in on_ring}


def _counted(peer: ConfiguredNode, ring: int, stats: Mapping[str, str]) -> Link:
    prefix = f"stats.knet.node{peer.id}.link{ring}."

    def number(name: str) -> int | None:
        return cmap.whole(stats, prefix + name)

    sampled = bool(number("latency_samples"))
    return Link(
        peer=peer.name,
        connected=number("connected") == 1,
        enabled=number("enabled") == 1,
        downs=number("down_count"),
        latency=_seconds(number("latency_ave")) if sampled else None,
        latency_max=_seconds(number("latency_max")) if sampled else None,
        mtu=number("mtu"),
    )


def _seconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / _MICROSECONDS


def _printed(link: cfgtool.Link | None, peer: ConfiguredNode, joined: frozenset[int]) -> bool:
    if link is None:
        return False
    if link.whole is not None:
        # The verdict of Corosync 2 and of udp(u) is on the ring; whether a peer is there only the membership knows
        return link.whole and (not joined or peer.id in joined)
    return link.by_id.get(peer.id, link.by_position.get(peer.position, False))


def _transport(values: Mapping[str, str]) -> str:
    """Return the transport; where it is not configured, knet is Corosync 3's default and udp Corosync 2's."""
    knet = any(key.startswith("runtime.config.totem.knet_") for key in values)
    return values.get("totem.transport", "knet" if knet else "udp")


def _totem(values: Mapping[str, str]) -> Totem:
    # Corosync 3 has these in the statistics map, Corosync 2 in the runtime map
    prefix = "stats.srp." if "stats.srp.operational_entered" in values else "runtime.totem.pg.mrp.srp."

    def number(name: str) -> int | None:
        return cmap.whole(values, prefix + name)

    states = ("operational", "gather", "commit", "recovery")
    losses = [lost for state in states if (lost := number(f"{state}_token_lost")) is not None]
    blocked = number("firewall_enabled_or_nic_failure")
    return Totem(
        membership_changes=number("operational_entered"),
        token_losses=sum(losses) if losses else None,
        retransmits=number("mcast_retx"),
        consensus_timeouts=number("consensus_timeouts"),
        network_blocked=None if blocked is None else blocked == 1,
    )
