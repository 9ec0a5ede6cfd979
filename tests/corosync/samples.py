"""Texts in the shapes that corosync's tools print, release by release, made up here."""

from collections.abc import Mapping

NAMES = ("red", "green", "blue")


def cmap(
    names: tuple[str, ...] = NAMES[:2],
    rings: int = 2,
    local: int = 0,
    transport: str = "knet",
    extra: Mapping[str, object] | None = None,
) -> str:
    """The default map of Corosync 3: node N has id N+1 and the address 10.R.0.N+1 on ring R."""
    lines = [
        "config.reload_in_progress (u8) = 0",
        f"nodelist.local_node_pos (u32) = {local}",
        f"runtime.votequorum.this_node_id (u32) = {local + 1}",
        "totem.cluster_name (str) = paint",
        f"totem.transport (str) = {transport}",
    ]
    for position, name in enumerate(names):
        lines.append(f"nodelist.node.{position}.name (str) = {name}")
        lines.append(f"nodelist.node.{position}.nodeid (u32) = {position + 1}")
        lines += [
            f"nodelist.node.{position}.ring{ring}_addr (str) = 10.{ring}.0.{position + 1}" for ring in range(rings)
        ]
        lines.append(f"runtime.members.{position + 1}.status (str) = joined")
    lines += [f"{key} (str) = {value}" for key, value in (extra or {}).items()]
    return "\n".join(sorted(lines)) + "\n"


def stats(links: Mapping[tuple[int, int], Mapping[str, int]]) -> str:
    """The statistics map: counters per (node id, link)."""
    lines = ["stats.knet.node1.link0.connected (u8) = 1", "stats.knet.node1.link0.latency_min (u32) = 4294967295"]
    for (node, link), counters in links.items():
        said = {"enabled": 1, "connected": 1, "mtu": 1397, "down_count": 0, "latency_samples": 0} | dict(counters)
        lines += [f"stats.knet.node{node}.link{link}.{key} (u32) = {value}" for key, value in said.items()]
    lines += [
        "stats.srp.operational_entered (u64) = 4",
        "stats.srp.operational_token_lost (u64) = 2",
        "stats.srp.gather_token_lost (u64) = 1",
        "stats.srp.mcast_retx (u64) = 7",
        "stats.srp.consensus_timeouts (u64) = 3",
        "stats.srp.firewall_enabled_or_nic_failure (u8) = 1",
    ]
    return "\n".join(lines) + "\n"


CMAP_2 = """\
nodelist.local_node_pos (u32) = 1
nodelist.node.0.nodeid (u32) = 10
nodelist.node.0.ring0_addr (str) = 10.0.0.1
nodelist.node.0.ring1_addr (str) = 10.1.0.1
nodelist.node.1.nodeid (u32) = 20
nodelist.node.1.ring0_addr (str) = 10.0.0.2
nodelist.node.1.ring1_addr (str) = 10.1.0.2
runtime.totem.pg.mrp.rrp.0.faulty (u8) = 0
runtime.totem.pg.mrp.rrp.1.faulty (u8) = 1
runtime.totem.pg.mrp.srp.firewall_enabled_or_nic_failure (u8) = 0
runtime.totem.pg.mrp.srp.mcast_retx (u64) = 9
runtime.totem.pg.mrp.srp.members.10.ip (str) = r(0) ip(10.0.0.1) r(1) ip(10.1.0.1)
runtime.totem.pg.mrp.srp.members.10.status (str) = joined
runtime.totem.pg.mrp.srp.members.20.ip (str) = r(0) ip(10.0.0.2) r(1) ip(10.1.0.2)
runtime.totem.pg.mrp.srp.members.20.status (str) = joined
runtime.totem.pg.mrp.srp.operational_entered (u64) = 5
totem.rrp_mode (str) = passive
totem.transport (str) = udpu
"""

CFGTOOL_2 = """\
Printing ring status.
Local node ID 20
RING ID 0
\tid\t= 10.0.0.2
\tstatus\t= ring 0 active with no faults
RING ID 1
\tid\t= 10.1.0.2
\tstatus\t= Marking ringid 1 interface 10.1.0.2 FAULTY
"""

# Local node red (1) of three on two links; link 1 towards blue (3) is cut, in all shapes
CFGTOOL_300 = """\
Printing link status.
Local node ID 1
LINK ID 0
\taddr\t= 10.0.0.1
\tstatus:
\t\tnode 0:\tlink enabled:1\tlink connected:1
\t\tnode 1:\tlink enabled:0\tlink connected:1
\t\tnode 2:\tlink enabled:1\tlink connected:1
LINK ID 1
\taddr\t= 10.1.0.1
\tstatus:
\t\tnode 0:\tlink enabled:0\tlink connected:1
\t\tnode 1:\tlink enabled:1\tlink connected:1
\t\tnode 2:\tlink enabled:1\tlink connected:0
"""

CFGTOOL_304 = """\
Printing link status.
Local node ID 1
LINK ID 0
\taddr\t= 10.0.0.1
\tstatus:
\t\tnodeid  1:\tlocalhost
\t\tnodeid  2:\tconnected
\t\tnodeid  3:\tconnected
LINK ID 1
\taddr\t= 10.1.0.1
\tstatus:
\t\tnodeid  1:\tlocalhost
\t\tnodeid  2:\tconnected
\t\tnodeid  3:\tdisconnected (not enabled)
"""

CFGTOOL_311 = """\
Local node ID 1, transport knet
LINK ID 0 udp
\taddr\t= 10.0.0.1
\tstatus:
\t\tnodeid:          1:\tlocalhost
\t\tnodeid:          2:\tconnected
\t\tnodeid:          3:\tconnected
LINK ID 1 sctp
**SCTP is deprecated and will be removed
\taddr\t= 10.1.0.1
\tstatus:
\t\tnodeid:          1:\tlocalhost
\t\tnodeid:          2:\tconnected
\t\tnodeid:          3:\tdisconnected
"""

CFGTOOL_BRIEF = """\
Local node ID 1, transport knet
LINK ID 0 udp
\taddr\t= 10.0.0.1
\tstatus\t= n33
LINK ID 1 udp
\taddr\t= 10.1.0.1
\tstatus\t= n71
"""

CFGTOOL_UDPU = """\
Printing link status.
Local node ID 1
LINK ID 0\x20
\taddr\t= 10.0.0.1
\tstatus\t= OK
"""


def quorumtool(members: str, *, quorate: str = "Yes", nodes: int = 2, flags: str = "Quorate", quorum: str = "2") -> str:
    """`corosync-quorumtool -p` around a table of members."""
    return (
        "Quorum information\n------------------\nDate:             Sun Nov 22 22:29:50 2026\n"
        f"Quorum provider:  corosync_votequorum\nNodes:            {nodes}\nNode ID:          1\n"
        "Ring ID:          1.16d\n"
        f"Quorate:          {quorate}\n\nVotequorum information\n----------------------\nExpected votes:   3\n"
        f"Highest expected: 3\nTotal votes:      2\nQuorum:           {quorum}\nFlags:            {flags} \n\n"
        f"Membership information\n----------------------\n{members}"
    )
