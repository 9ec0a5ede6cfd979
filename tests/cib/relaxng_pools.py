"""What random documents say where the schema takes any text: by the names that Pacemaker knows, good and odd."""

from collections.abc import Mapping, Sequence

Pool = Mapping[str, Sequence[str]]

_SCORES = ("INFINITY", "-INFINITY", "+INFINITY", "100", "0", "1000000", "-1", "+5", "007", "50")
_DURATIONS = ("10", "10s", "0", "60000ms", "1min", "2m", "1h", "PT1M", "P1D", "500us", " 20s", "5 s", "INFINITY", "")
_BOOLEANS = ("true", "false", "yes", "no", "on", "off", "1", "0", "True", "y", "", "maybe")
_DATES = (
    "2024-01-01",
    "2030-12-31 10:00:00",
    "2030-12-31T23:59:59Z",
    "20250101T000000+01:00",
    "2024-W05-3",
    "2024-060",
)
_ROLES = ("Started", "Stopped", "Promoted", "Unpromoted", "Master", "Slave", "started", "x")
_SPANS = ("1", "1-5", "5-", "-5", "9-17", "x", "", "2024", "2020-2040", "1,3")
_NUMBERS = ("0", "1", "2", "03", "-1", "x")
TEXTS = ("x", "a b", "", "ü€", "x'y\"z", "<&>", "$x", "a\\b", "10s", "true", " x ", "#default", "{}", "1")

AGENTS = (
    *(("ocf", "pacemaker", "Dummy"), ("ocf", "pacemaker", "Stateful"), ("ocf", "heartbeat", "IPaddr2")),
    *(("ocf", "pacemaker", "ping"), ("ocf", "pacemaker", "remote"), ("lsb", "", "x"), ("systemd", "", "a@b:c.service")),
    *(("stonith", "", "fence_ipmilan"), ("stonith", "", "external/ssh"), ("service", "", "x"), ("nagios", "", "x")),
)
META: Pool = {
    **dict.fromkeys(("is-managed", "maintenance", "allow-migrate", "promotable", "globally-unique"), _BOOLEANS),
    **dict.fromkeys(("ordered", "interleave", "notify", "critical", "container-attribute-target"), _BOOLEANS),
    **dict.fromkeys(("clone-max", "clone-node-max", "promoted-max", "master-max", "master-node-max"), _NUMBERS[:3]),
    **dict.fromkeys(("resource-stickiness", "migration-threshold", "priority", "clone-min"), (*_SCORES, "inf", "x")),
    **dict.fromkeys(("failure-timeout", "remote-connect-timeout", "timeout", "interval"), _DURATIONS),
    "target-role": _ROLES,
    "multiple-active": ("stop_start", "stop_only", "block", "stop_unexpected", "x"),
    "requires": ("nothing", "quorum", "fencing", "unfencing", "x"),
    "restart-type": ("ignore", "restart"),
    "remote-node": ("guest1", "n2"),
    "on-fail": ("block", "ignore", "stop"),
    "x": TEXTS,
}
PROPERTIES: Pool = {
    **dict.fromkeys(("symmetric-cluster", "maintenance-mode", "stop-all-resources", "startup-fencing"), _BOOLEANS),
    **dict.fromkeys(("stop-orphan-resources", "start-failure-is-fatal", "enable-startup-probes"), _BOOLEANS),
    **dict.fromkeys(("cluster-delay", "dc-deadtime", "stonith-timeout", "cluster-recheck-interval"), _DURATIONS),
    "no-quorum-policy": ("stop", "ignore", "freeze", "demote", "suicide", "x"),
    "batch-limit": _NUMBERS,
    "placement-strategy": ("default", "utilization", "minimal", "balanced", "x"),
    "node-health-strategy": ("none", "migrate-on-red", "only-green", "progressive", "custom", "x"),
    "dc-version": ("2.1.5",),
    "cluster-infrastructure": ("corosync",),
    "site:x": TEXTS,
    "stonith_action": ("reboot", "off"),
}
"""Without those that became defaults: Pacemaker's own upgrade loses them where `<rsc_defaults/>` stands empty."""

NODES: Pool = {
    **dict.fromkeys(("standby", "maintenance"), _BOOLEANS),
    **dict.fromkeys(("site", "rack", "pingd", "#health-x"), ("a", "1", "red", "green", "yellow", "100", "")),
}
PARAMETERS: Pool = {
    **dict.fromkeys(("ip", "name", "config", "password", "x y", "host_list", "a.b", "CRM_meta_timeout"), TEXTS),
    "OCF_CHECK_LEVEL": ("10",),
    "pcmk_host_list": ("n1", "n1 n2"),
    "pcmk_delay_max": _DURATIONS,
}
UTILIZATION: Pool = dict.fromkeys(("cpu", "memory"), ("1", "2", "100", "x", ""))
ATTRIBUTES: Pool = {
    **dict.fromkeys(("interval", "timeout", "start-delay"), _DURATIONS),
    **dict.fromkeys(("start", "end", "interval-origin"), _DATES),
    **dict.fromkeys(("hours", "minutes", "seconds", "months", "monthdays", "weekdays", "years", "weeks"), _SPANS),
    **dict.fromkeys(("days", "yeardays", "yearsdays", "weekyears", "moon"), _SPANS),
    **dict.fromkeys(("attribute", "score-attribute", "target-attribute"), ("#uname", "site", "#kind", "rack", "x y")),
    **dict.fromkeys(("description", "run-command", "options", "image", "network"), TEXTS),
    **dict.fromkeys(("replicas", "replicas-per-host", "masters", "promoted-max", "control-port"), _NUMBERS[:5]),
    **dict.fromkeys(("port", "internal-port", "host-netmask"), ("80", "443", "0", "080")),
    **dict.fromkeys(("path", "source-dir", "source-dir-root", "target-dir"), ("/x", "/a b", "x", "")),
    **dict.fromkeys(("node", "target"), ("n1", "n2", "n1", "n2", "N1", "n3")),
    "op@name": ("monitor", "start", "stop", "promote", "demote", "migrate_to", "notify", "x"),
    "op_expression@name": ("monitor", "start"),
    "expression@value": ("n1", "n2", "1", "100", "a", "", "ip", "2.0"),
    "rule@role": _ROLES,
    "role": _ROLES,
    "score": _SCORES,
    "range": ("1-9", "80"),
    "rsc-pattern": ("^r", ".*", "[", "r([0-9])"),
    "target-pattern": ("n.*", "[", "^n1$"),
    "index": ("1", "2", "9", "01", "10"),
    "influence": _BOOLEANS,
    "xpath": ("/cib", "//nvpair[@name='x']"),
    "provider": ("pacemaker", "heartbeat"),
    "class": ("ocf", "stonith", "lsb"),
}
"""Attributes by `element@attribute`, or by their names alone."""
