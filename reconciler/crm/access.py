"""Access control in crm's words: role, acl_target, acl_group, user. Pure."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from reconciler.crm.sets import identifier
from reconciler.crm.words import Words
from reconciler.reading import StatementError

_RIGHTS = ("read", "write", "deny")
_ID = re.compile(r"([\w-]+):")
_NAMES = {
    "xpath": "xpath", "ref": "reference", "reference": "reference", "tag": "object-type", "type": "object-type",
    "attr": "attribute", "attribute": "attribute",
}  # fmt: skip
_OLD_NAMES = {"xpath": "xpath", "ref": "ref", "tag": "tag", "attribute": "attribute"}

_PARTS_OF: dict[str, tuple[str, str]] = {
    "meta": ("//primitive[@id='{}']/meta_attributes", "/nvpair[@name='{}']"),
    "params": ("//primitive[@id='{}']/instance_attributes", "/nvpair[@name='{}']"),
    "utilization": ("//primitive[@id='{}']/utilization", ""),
    "location": ("//rsc_location[@id='cli-prefer-{0}' and @rsc='{0}']", ""),
    "property": ("//crm_config/cluster_property_set", "/nvpair[@name='{}']"),
    "nodeattr": ("//nodes/node/instance_attributes", "/nvpair[@name='{}']"),
    "nodeutil": ("//nodes/node/utilization", "[@uname='{}']"),
    "node": ("//nodes/node", "[@uname='{}']"),
    "status": ("/cib/status", ""),
    "cib": ("/cib", ""),
}
"""crm's short words for XPaths (crmsh's manual, `role`): the first part, and what a further name adds to it."""


def role(words: Words) -> ET.Element:
    """Read what follows `role`."""
    found = ET.Element("acl_role", {"id": identifier(words, "a role")})
    text = words.option("description")
    if text is not None:
        found.set("description", text)
    while words.left:
        found.extend([*_permissions(words)])  # a list: `extend` hides what a generator raises
    return found


def _permissions(words: Words) -> Iterator[ET.Element]:
    """Take one right with what it is for; crm makes several of one for different things."""
    rule = {"kind": _right(words)}
    if match := words.take_match(_ID):
        rule["id"] = match[1]
    text = words.option("description")
    if text is not None:
        rule["description"] = text
    said: dict[str, str] = {}
    while (pair := _specification(words, _NAMES)) is not None:
        said[pair[0]] = pair[1]
    attribute = said.pop("attribute", None)
    if attribute is not None and "object-type" not in said:
        raise StatementError("names an attribute without a type: of which elements?")
    if not said:
        raise StatementError(f"does not say what {rule['kind']} is for: expected xpath:, ref:, type: or a short word")
    for name, value in said.items():
        of_type = {"attribute": attribute} if name == "object-type" and attribute is not None else {}
        yield ET.Element("acl_permission", {**rule, name: value, **of_type})
        rule.pop("id", None)


def _right(words: Words) -> str:
    right = words.take_keyword(*_RIGHTS)
    if not right:
        raise StatementError(f"expected read, write or deny{f' instead of {words.peek()!r}' if words.left else ''}")
    return right


def _specification(words: Words, names: dict[str, str]) -> tuple[str, str] | None:
    """Take one `xpath:…` or the like, or a short word for an XPath; None if none is next."""
    kind, _, value = (words.peek() or "").partition(":")
    if kind not in names and kind not in _PARTS_OF:
        return None
    words.take("what the right is for")
    if kind in _PARTS_OF:
        return "xpath", _xpath(kind, value.split(":") if value else [])
    if not value:
        raise StatementError(f"says nothing after {kind}:")
    return names[kind], value


def _xpath(kind: str, values: list[str]) -> str:
    path = ""
    for part in _PARTS_OF[kind]:
        if "{" not in part:
            path += part
        elif values:
            path += part.format(values.pop(0))
    if not path:
        raise StatementError(f"says no name after {kind}:")
    if values:
        raise StatementError(f"says too much after {kind}:")
    return path


def target(words: Words) -> ET.Element:
    """Read what follows `acl_target`."""
    return _with_roles(words, "acl_target")


def group(words: Words) -> ET.Element:
    """Read what follows `acl_group`."""
    return _with_roles(words, "acl_group")


def _with_roles(words: Words, tag: str) -> ET.Element:
    found = ET.Element(tag, {"id": identifier(words, "a user or group")})
    found.extend(ET.Element("role", {"id": name}) for name in words.rest())
    return found


def user(words: Words) -> ET.Element:
    """Read what follows `user`, the form before Pacemaker 1.1.12: one with roles only is an acl_target today."""
    name = identifier(words, "a user")
    roles: list[ET.Element] = []
    rights: list[ET.Element] = []
    while words.left:
        text = words.peek() or ""
        if text.startswith("role:"):
            words.take("a role")
            roles.append(ET.Element("role", {"id": text.removeprefix("role:")}))
        else:
            rights.append(_old_right(words))
    found = ET.Element("acl_user" if rights else "acl_target", {"id": name})
    for entry in roles:
        entry.tag = "role_ref" if rights else "role"
    found.extend([*roles, *rights])
    return found


def _old_right(words: Words) -> ET.Element:
    rule = ET.Element(_right(words))
    while (pair := _specification(words, _OLD_NAMES)) is not None:
        rule.set(*pair)
    return rule
