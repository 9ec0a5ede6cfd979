"""What the schema that a CIB names can say. Pure.

`validate-with` stays what it was when the cluster was set up, until somebody runs `cibadmin --upgrade`; the cluster
refuses what that schema does not know. Sources: Pacemaker 2.1.5's `tags-*.rng`, `constraints-*.rng`, `resources-*.rng`.
"""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from reconciler.cib.document import Cib

Schema = tuple[int, int]

_TAGS = (1, 3)
_LOOSE_TAGS = (3, 3)
_PROMOTED = (3, 7)
_PERMISSIONS = (2, 0)
_CONTAINERS = (3, 0)
_LATEST = (99, 0)
KNOWN: Schema = (3, 9)
"""The latest schema of which every element and attribute is known here (Pacemaker 2.1.5's)."""
_NAME = re.compile(r"pacemaker-([0-9]+)\.([0-9]+)")
_OLD_ROLES = {"Promoted": "Master", "Unpromoted": "Slave"}
_OLD_PERMISSIONS = {"object-type": "tag", "reference": "ref"}
_OLD_CONTAINERS = {"promoted-max": "masters"}
_ROLES = ("role", "rsc-role", "with-rsc-role")
_OUTDATED_SINCE = (3, 0)
_RESOURCE_DEFAULT = "write {} into ResourceDefaults"
_TO_DEFAULTS = {
    "default-action-timeout": "op_defaults",
    "default-resource-failure-stickiness": "rsc_defaults",
    "default-resource-stickiness": "rsc_defaults",
    "is-managed-default": "rsc_defaults",
}
"""In which section an upgrade says what these properties say."""
_MOVED = {
    "default-action-timeout": "write timeout into OperationDefaults",
    "default-migration-threshold": _RESOURCE_DEFAULT.format("migration-threshold"),
    "default-resource-failure-stickiness": _RESOURCE_DEFAULT.format("migration-threshold"),
    "default-resource-stickiness": _RESOURCE_DEFAULT.format("resource-stickiness"),
    "is-managed-default": _RESOURCE_DEFAULT.format("is-managed"),
}
_GONE = {
    "expected-quorum-votes": "take it out, corosync itself knows how many votes there are",
    "notification-agent": "make an Alert",
    "notification-recipient": "make an Alert",
}
_RENAMED = {
    "transition_idle_timeout": "cluster-delay",
    **{
        name: name.replace("_", "-")
        for name in (
            *("cluster_recheck_interval", "dc_deadtime", "election_timeout", "no_quorum_policy", "remove_after_stop"),
            *("shutdown_escalation", "startup_fencing", "stonith_action", "stonith_enabled", "stop_orphan_actions"),
            *("stop_orphan_resources", "symmetric_cluster"),
        )
    },
}
_DEFAULTS = re.compile("default[-_](action|resource)|is[-_]managed[-_]default")
_FLEETING = {**_MOVED, **{name.replace("-", "_"): instead for name, instead in _MOVED.items()}, **_GONE}
OUTDATED: Mapping[str, str] = {**_FLEETING, **{name: f"write {new}" for name, new in _RENAMED.items()}}
"""The cluster properties that schemas since 3.0 do not allow (`options-3.0.rng`), and what to do instead."""


def schema(cib: Cib) -> Schema:
    """Return the schema's version; of `none` and `pacemaker-next`, which allow everything, one above all."""
    return version(cib.attributes.get("validate-with", ""))


def version(name: str) -> Schema:
    """Return the version in a schema's name, as `schema` does."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else _LATEST


def is_too_new(version: Schema) -> bool:
    """True if a schema may allow what nobody here knows."""
    return KNOWN < version < _LATEST


def has_tags(version: Schema) -> bool:
    """True if there can be tags."""
    return version >= _TAGS


def has_loose_tags(version: Schema) -> bool:
    """True if a tag may name what is not there, or is no XML id."""
    return version >= _LOOSE_TAGS


def lasting(names: frozenset[str], cib: Cib) -> frozenset[str]:
    """Leave out the properties that an upgrade may take away: a tag that names one is invalid after it.

    Pacemaker 2 upgrades what has an older schema whenever it reads it (`upgrade-2.10.xsl`), so it would read nothing.
    """
    lost = names & _FLEETING.keys()
    return names - lost if lost and schema(cib) < _OUTDATED_SINCE else names


def forgotten(cib: Cib) -> frozenset[str]:
    """Return the properties that Pacemaker forgets when it reads this CIB, unless their set has a rule.

    Its upgrade (`upgrade-2.10.xsl`) moves them to the first set of defaults without a rule, or to a section that it
    makes. Where the section is there without such a set, which is what crm left behind, it takes them away.
    """
    if schema(cib) >= _OUTDATED_SINCE or not cib.may_say(_DEFAULTS):
        return frozenset()
    there, usable = set[str](), set[str]()
    for section, element in cib.pieces():
        there.add(section)
        if element is not None and element.tag == "meta_attributes" and element.find("rule") is None:
            usable.add(section)
    lost = {name for name, section in _TO_DEFAULTS.items() if section in there - usable}
    return frozenset(lost | {name.replace("-", "_") for name in lost})


def why_outdated(name: str) -> str:
    """Say of an outdated property what is the matter and what to do."""
    return f"schemas since pacemaker-3.0 do not allow it: {OUTDATED[name]}"


def speak(element: ET.Element, version: Schema, live: ET.Element | None = None) -> None:
    """Put an element that was just made into the words that the schema knows, but for what it shares with `live`."""
    shared = frozenset(() if live is None else live.iter())
    for part in element.iter():
        if part in shared:
            continue
        if version < _PROMOTED:
            for attribute in _ROLES:
                if part.get(attribute) in _OLD_ROLES:
                    part.set(attribute, _OLD_ROLES[part.get(attribute, "")])
        if version < _PERMISSIONS and part.tag == "acl_permission":
            part.tag = part.attrib.pop("kind")
            _rename(part, _OLD_PERMISSIONS)
        if version < _PERMISSIONS and part.tag == "acl_target":
            part.tag = "acl_user"
            for role in part.findall("role"):
                role.tag = "role_ref"
        if version < _CONTAINERS and part.tag in {"docker", "rkt"}:
            _rename(part, _OLD_CONTAINERS)


def _rename(element: ET.Element, names: Mapping[str, str]) -> None:
    for attribute, old in names.items():
        if attribute in element.attrib:
            element.set(old, element.attrib.pop(attribute))
