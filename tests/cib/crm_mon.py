"""What crm_mon says of a CIB file, in the words of ClusterStatus, so that the two can be compared."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from reconciler.cib.cluster import ClusterStatus, ResourceStatus
from reconciler.cib.inventory import ResourceKind

PRECISE = frozenset({"Stopped", "Started", "Unpromoted", "Promoted"})
NODE_FLAGS = (
    "online",
    "standby",
    "standby_onfail",
    "maintenance",
    "pending",
    "unclean",
    "shutdown",
    "expected_up",
    "is_dc",
)


@dataclass(frozen=True)
class Reported:
    nodes: dict[str, dict[str, bool]]
    active: dict[str, dict[str, str]]
    resource_flags: dict[str, dict[str, bool]]
    attributes: dict[str, dict[str, str]]
    fail_counts: dict[tuple[str, str], int]
    thresholds: dict[str, int]
    ping_expected: dict[str, int]
    dc: str
    quorate: bool | None
    fencing: bool
    maintenance: bool
    bans: dict[str, tuple[str, str]]


def crm_mon(cib: Path) -> Reported:
    """Ask the installed crm_mon."""
    environment = {**os.environ, "CIB_file": str(cib), "TZ": "UTC", "LC_ALL": "C"}
    done = subprocess.run(
        ["crm_mon", "--output-as=xml", "-1"], env=environment, capture_output=True, text=True, check=True, timeout=30
    )
    return _reported(ET.fromstring(done.stdout))


def _reported(root: Element) -> Reported:
    summary = root.find("summary")
    assert summary is not None
    dc = summary.find("current_dc")
    options = summary.find("cluster_options")
    assert dc is not None
    assert options is not None
    histories = [(node.get("name", ""), item) for node in root.iter("node") for item in node.iter("resource_history")]
    unclean = {node.get("name") for node in root.findall("nodes/node") if node.get("unclean") == "true"}
    active, flags = _resources(root.find("resources"), unclean)
    return Reported(
        nodes={
            node.get("name", ""): {flag: node.get(flag) == "true" for flag in NODE_FLAGS}
            for node in root.findall("nodes/node")
        },
        active=active,
        resource_flags=flags,
        attributes={
            node.get("name", ""): {item.get("name", ""): item.get("value", "") for item in node}
            for node in root.findall("node_attributes/node")
        },
        fail_counts={(item.get("id", ""), node): int(item.get("fail-count", "0")) for node, item in histories},
        thresholds={
            base(item.get("id", "")): int(item.get("migration-threshold", "0"))
            for _, item in histories
            if item.get("migration-threshold") is not None
        },
        ping_expected={
            item.get("name", ""): int(item.get("expected", "0"))
            for item in root.iter("attribute")
            if item.get("expected") is not None
        },
        dc=dc.get("name", ""),
        quorate=dc.get("with_quorum") == "true" if dc.get("present") == "true" else None,
        fencing=options.get("stonith-enabled") == "true",
        maintenance=options.get("maintenance-mode") == "true",
        bans={
            item.get("id", ""): (item.get("resource", ""), item.get("node", "")) for item in root.findall("bans/ban")
        },
    )


def base(name: str) -> str:
    return name.partition(":")[0]


def _resources(
    section: Element | None, unclean: set[str | None]
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, bool]]]:
    """Return per resource the role on each node where it is active, and its flags; instances are folded."""
    active: dict[str, dict[str, str]] = {}
    flags: dict[str, dict[str, bool]] = {}
    for item in section.iter("resource") if section is not None else ():
        name = base(item.get("id", ""))
        known = flags.setdefault(name, {"failed": False, "failure_ignored": False, "blocked": False, "managed": True})
        for flag in ("failed", "failure_ignored", "blocked"):
            known[flag] |= item.get(flag) == "true"
        # Instances that run nowhere tell nothing of what was found out about the resource
        known["managed"] &= item.get("managed") == "true"
        roles = active.setdefault(name, {})
        if item.get("active") == "true":
            several = len(item.findall("node")) > 1
            for node in item.findall("node"):
                # cached says whether the node is online, in 2.1.5 the wrong way round
                if node.get("cached") == "true" or item.get("managed") != "true" or node.get("name") in unclean:
                    roles[node.get("name", "")] = "some" if several else item.get("role", "")
    return active, flags


def differences(reported: Reported, ours: ClusterStatus) -> list[str]:
    """Say where the two disagree: one line each, crm_mon's word first.

    Not compared is what crm_mon does not tell: the role per node of an instance that is active on several (it has one
    role for all), the state behind Starting and the like, fail counts of resources without a history, stopped orphans,
    clones with unmanaged members (crm_mon leaves out their instances on nodes that are down).
    """
    found: list[str] = []

    def compare(what: str, theirs: object, mine: object) -> None:
        if theirs != mine:
            found.append(f"{what}: {theirs} != {mine}")

    compare("nodes", set(reported.nodes), set(ours.nodes))
    for name in reported.nodes.keys() & ours.nodes.keys():
        node = ours.nodes[name]
        for flag, value in reported.nodes[name].items():
            compare(f"{name} {flag}", value, getattr(node, flag))
        seen = {**node.permanent, **node.transient}
        for attribute, text in reported.attributes.get(name, {}).items():
            compare(f"{name} {attribute}", text, seen.get(attribute))
    primitives = {item.id for item in ours.resources.values() if item.kind is ResourceKind.PRIMITIVE}
    silent = {name for name in primitives if ours.resources[name].orphan and not ours.resources[name].active_on}
    silent |= {name for name in primitives if ours.resources[name].parent} - set(reported.active)
    compare("resources", set(reported.active) | silent, primitives)
    for name in reported.active.keys() & primitives:
        resource = ours.resources[name]
        roles = {node: there.role.name.title() for node, there in resource.placements.items() if there.active}
        theirs = reported.active[name]
        vague = {node: roles.get(node, role) for node, role in theirs.items() if role not in PRECISE}
        if any(not ours.resources[item].managed for item in siblings(ours, resource)):
            continue
        compare(name, {**theirs, **vague}, roles)
        for flag, value in reported.resource_flags[name].items():
            compare(f"{name} {flag}", value, getattr(resource, flag))
    _compare_failures(reported, ours, compare)
    for ping in ours.pings:
        compare(f"{ping.name} expected", reported.ping_expected.get(ping.name, ping.expected), ping.expected)
    compare("dc", reported.dc, ours.dc)
    compare("quorum", ours.quorate if reported.quorate is None else reported.quorate, ours.quorate)
    compare("fencing", reported.fencing, ours.fencing_enabled)
    compare("maintenance", reported.maintenance, ours.maintenance_mode)
    bans = {item.id: (item.resource, item.node) for item in ours.cli_constraints if item.kind == "ban"}
    compare("bans", {name: ban for name, ban in reported.bans.items() if name.startswith("cli-ban-")}, bans)
    return found


def siblings(ours: ClusterStatus, resource: ResourceStatus) -> list[str]:
    """Return the ids of what shares a clone with the resource."""
    if not resource.cloned:
        return []
    top = resource
    while top.parent:
        top = ours.resources[top.parent]
    found, todo = [], [top.id]
    while todo:
        found.append(todo.pop())
        todo += ours.resources[found[-1]].members
    return found


def _compare_failures(reported: Reported, ours: ClusterStatus, compare: Callable[[str, object, object], None]) -> None:
    folded: dict[tuple[str, str], int] = {}
    for (name, node), count in reported.fail_counts.items():
        folded[base(name), node] = max(count, folded.get((base(name), node), 0))
    for (name, node), count in folded.items():
        resource = ours.resources.get(name)
        failures = resource.failures.get(node) if resource is not None else None
        if resource is not None and resource.unique and count == 0:
            continue
        compare(f"{name} fail count on {node}", count, failures.count if failures is not None else 0)
    for name, threshold in reported.thresholds.items():
        if name in ours.resources:
            compare(f"{name} migration threshold", threshold, ours.resources[name].threshold)
