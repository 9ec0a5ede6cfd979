"""What the cluster is doing now, read from one CIB: nodes, resources, failures, ping scores, flags. Pure.

`status` tells of a `<cib>` element what `crm_mon` would, without starting it: the configuration says what there is, the
`<status>` section what became of it. Times are Unix seconds unless said otherwise.
"""

from datetime import datetime
from xml.etree.ElementTree import Element

from reconciler.cib.cluster import CliConstraint, ClusterStatus, NodeStatus, Update
from reconciler.cib.folding import fold
from reconciler.cib.inventory import Configuration, elements, inventory
from reconciler.cib.membership import Node, nodes
from reconciler.cib.ping import ping_attributes
from reconciler.cib.placement import place

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLI_KINDS = ("ban", "prefer")


def status(cib: Element, *, now: float | None = None) -> ClusterStatus:
    """Read a `<cib>` element.

    Args:
        cib: the root as `cibadmin --query` prints it; sections may be missing.
        now: the time against which failure timeouts are judged; None lets no failure expire.
    """
    configuration = Configuration(cib)
    properties = configuration.properties
    resources = inventory(configuration)
    members = nodes(configuration, resources, now)
    instances = place(configuration, resources, members, now)
    dc = next((node.name for node in members.values() if node.is_dc), "")
    return ClusterStatus(
        admin_epoch=_whole(cib.get("admin_epoch")),
        epoch=_whole(cib.get("epoch")),
        num_updates=_whole(cib.get("num_updates")),
        feature_set=cib.get("crm_feature_set", ""),
        cluster_name=properties.get("cluster-name", ""),
        pacemaker_version=properties.get("dc-version", ""),
        stack=properties.get("cluster-infrastructure", ""),
        updated=Update(
            cib.get("update-origin", ""),
            cib.get("update-client", ""),
            cib.get("update-user", ""),
            written(cib.get("cib-last-written", "")),
        ),
        quorate=configuration.quorate,
        dc=dc,
        maintenance_mode=configuration.flag("maintenance-mode"),
        fencing_enabled=configuration.fencing,
        nodes={node.name: _public(node) for node in sorted(members.values(), key=lambda item: item.name)},
        resources=fold(configuration, resources, members, instances, now),
        pings=ping_attributes(configuration, resources, members),
        cli_constraints=tuple(_cli_constraints(configuration)),
        properties=properties,
    )


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0


def written(text: str) -> datetime | None:
    """Read `cib-last-written`: ctime ('Thu Jun 22 17:00:31 2023') or ISO, with a zone only in the latter."""
    words = text.split()
    try:
        if len(words) >= 5 and words[1] in _MONTHS:  # noqa: PLR2004 - weekday month day time year
            hour, minute, second = (int(part) for part in words[3].split(":"))
            month = _MONTHS.index(words[1]) + 1
            return datetime(int(words[4]), month, int(words[2]), hour, minute, second)  # noqa: DTZ001 - see Update
        return datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-"))
    except ValueError:
        return None


def _public(node: Node) -> NodeStatus:
    return NodeStatus(
        name=node.name,
        id=node.id,
        kind=node.kind,
        online=node.online,
        standby=node.standby,
        standby_onfail=node.standby_onfail,
        maintenance=node.maintenance,
        pending=node.pending,
        unclean=node.unclean,
        shutdown=node.shutdown,
        expected_up=node.expected_up,
        is_dc=node.is_dc,
        seen=node.state is not None,
        joined=node.joined,
        permanent=node.permanent,
        transient=node.transient,
    )


def _cli_constraints(configuration: Configuration) -> list[CliConstraint]:
    found = []
    for item in elements(configuration.section("constraints"), "rsc_location"):
        name = item.get("id", "")
        kind = next((kind for kind in _CLI_KINDS if name.startswith(f"cli-{kind}-")), "")
        if kind:
            rule = item.find("rule")
            named = rule.find("expression[@attribute='#uname']") if rule is not None else None
            until = rule.find("date_expression") if rule is not None else None
            node = item.get("node") or (named.get("value") if named is not None else None) or ""
            end = until.get("end", "") if until is not None else ""
            found.append(CliConstraint(name, item.get("rsc", ""), node, kind, end))
    return found
