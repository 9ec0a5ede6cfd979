"""A word of `haresources` -> a primitive with today's agent. Pure.

What stood behind `::` was given to a script of Heartbeat's in `resource.d`, one for each agent, which gave it to the
agent as parameters in this order. Sources: the examples of `haresources` in the agents of resource-agents 4.12, and
their metadata for timeouts and intervals; for DRBD the metadata of `ocf:linbit:drbd`.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Network, ip_address
from typing import Any

from reconciler.frozen import frozen
from reconciler.kinds.base import identifier
from reconciler.reading import StatementError


@frozen
class Resource:
    """What a word means.

    Attributes:
        name: what one would call it; others may have that name too.
        spec: the spec of a Primitive.
        remarks: what a person should know of it.
        service: it is what people want, not what that needs.
        promotable: it runs on both nodes, and on one of them what follows it on the line.
    """

    name: str
    spec: dict[str, Any]
    remarks: tuple[str, ...] = ()
    service: bool = False
    promotable: bool = False


@frozen
class _Agent:
    """How an agent of resource-agents takes the arguments of Heartbeat's script of that name."""

    parameters: tuple[str, ...]
    required: int
    name: str
    interval: str = "10s"
    timeout: str = "20s"
    change: str = ""
    """How long a start or stop may take; Pacemaker's 20s where nothing is said."""
    service: bool = False
    plain: bool = False
    """Its arguments say nothing that one would call it by."""


_AGENTS = {
    "IPsrcaddr": _Agent(("ipaddress",), 1, "source"),
    "LVM": _Agent(("volgrpname",), 1, "lvm", timeout="30s", change="30s"),
    "MailTo": _Agent(("email", "subject"), 1, "mail", plain=True),
    "Raid1": _Agent(("raidconf", "raiddev"), 2, "raid"),
    "WinPopup": _Agent(("hostfile",), 1, "popup", change="30s", plain=True),
    "Xinetd": _Agent(("service",), 1, "xinetd", service=True),
    "portblock": _Agent(("protocol", "portno", "action"), 3, "portblock"),
    "oracle": _Agent(("sid", "home", "user"), 1, "oracle", "120s", "30s", "120s", service=True),
    "oralsnr": _Agent(("sid", "home", "user", "listener"), 1, "oralsnr", "10s", "30s", "120s", service=True),
    "ids": _Agent(("informixdir", "informixserver", "onconfig"), 0, "ids", "10s", "30s", "120s", service=True),
    "db2": _Agent(("instance",), 1, "db2", "20s", "60s", "120s", service=True),
    "WAS": _Agent(("config", "port"), 0, "was", "10s", "30s", "300s", service=True),
}
_REMARKS = {
    "LVM": (
        "ocf:heartbeat:LVM activates the volume group as Heartbeat did, and nothing keeps another node from doing the "
        "same. ocf:heartbeat:LVM-activate with vg_access_mode = system_id does; it needs system_id_source in lvm.conf."
    ),
}
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")
_SCRIPT = re.compile(r"[A-Za-z0-9][\w.@-]*")
_APACHE = {
    "apache": "",
    "apache2": "/etc/apache2/apache2.conf",
    "httpd": "/etc/httpd/conf/httpd.conf",
}
"""Init scripts of the web server, and its configuration as Debian and Red Hat have it (the agent's own list)."""

_LINUX_HA = "/etc/ha.d"


def resource(word: str) -> Resource:
    """Return what a word means.

    Raises:
        StatementError: nothing that could be said today.
    """
    script, *arguments = word.split("::")
    if _is_address(word):
        return _address([word])
    if script == "IPv6addr":
        return _address([word.partition("::")[2]])
    if (special := _SPECIAL.get(script)) is not None:
        return special(arguments)
    if script in _APACHE:
        return _apache(script, arguments)
    if (agent := _AGENTS.get(script)) is not None:
        return _known(script, agent, arguments)
    if any(arguments):
        raise StatementError(f"nobody but its author knows what the script {script} does with its arguments")
    return _service(script)


def _known(script: str, agent: _Agent, arguments: list[str]) -> Resource:
    given = _named(agent.parameters, arguments, agent.required)
    label = "" if agent.plain else next(iter(given.values()), "")
    spec = _spec(f"ocf:heartbeat:{script}", given, agent.interval, agent.timeout, agent.change)
    remarks = (_REMARKS[script],) if script in _REMARKS else ()
    return Resource(_slug(agent.name, label), spec, remarks, agent.service)


def _named(names: tuple[str, ...], arguments: list[str], required: int) -> dict[str, str]:
    if len(arguments) > len(names):
        raise StatementError(f"has more than its {len(names)} arguments ({', '.join(names)})")
    given = {name: value for name, value in zip(names, arguments, strict=False) if value}
    missing = [name for name in names[:required] if name not in given]
    if missing:
        raise StatementError(f"does not say its {missing[0]}")
    return given


def _spec(agent: str, params: dict[str, str], interval: str, timeout: str, change: str) -> dict[str, Any]:
    operations = [{"name": name, "timeout": change} for name in ("start", "stop") if change]
    operations.append({"name": "monitor", "interval": interval, "timeout": timeout})
    return {"agent": agent, "params": params, "operations": operations}


def _slug(*words: str) -> str:
    """Return a name that reads like the words."""
    parts = [_NO_NAME.sub("-", word).strip("-") for word in words]
    return identifier(*filter(None, parts))


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("/")[0])
    except ValueError:
        return False
    return True


def _address(arguments: list[str]) -> Resource:
    """`ADDRESS[/NETMASK[/INTERFACE[:LABEL]][/BROADCAST]]`, alone or behind IPaddr, IPaddr2 or IPv6addr."""
    text, *others = arguments or [""]
    address, *parts = text.split("/")
    parts += [part for part in others if part]
    if not _is_address(address):
        raise StatementError(f"{address!r} is not an address")
    params = {"ip": address}
    for part in filter(None, parts):
        name, value = _address_part(part, params)
        params[name] = value
        if name == "nic" and ":" in value:
            params["nic"], _, params["iflabel"] = value.partition(":")
    remarks = () if "cidr_netmask" in params else ("No netmask is said: the agent takes that of the network's route.",)
    return Resource(
        identifier("ip", address.replace(":", "-")), _spec("ocf:heartbeat:IPaddr2", params, "10s", "20s", ""), remarks
    )


def _address_part(part: str, params: dict[str, str]) -> tuple[str, str]:
    if part.isdigit() and "cidr_netmask" not in params:
        return "cidr_netmask", part
    if _is_address(part):
        if "cidr_netmask" not in params and part.startswith("255."):
            try:
                return "cidr_netmask", str(IPv4Network(f"0.0.0.0/{part}").prefixlen)
            except ValueError as error:
                raise StatementError(f"{part!r} is not a netmask") from error
        if "broadcast" not in params:
            return "broadcast", part
    elif "nic" not in params:
        return "nic", part
    raise StatementError(f"{part!r} is neither netmask nor interface nor broadcast address")


def _filesystem(arguments: list[str]) -> Resource:
    given = _named(("device", "directory", "fstype", "options"), arguments, 2)
    remarks: tuple[str, ...] = ()
    if "fstype" not in given:
        given["fstype"] = "auto"
        remarks = ("No type of the filesystem is said, and the agent wants one: auto lets mount find it out.",)
    name = _slug("fs", given["directory"] if given["directory"] != "/" else "root")
    return Resource(name, _spec("ocf:heartbeat:Filesystem", given, "20s", "40s", "60s"), remarks)


_MARGIN = 20


def _delay(arguments: list[str]) -> Resource:
    given = _named(("startdelay", "stopdelay", "mondelay"), arguments, 1)
    if not all(text.isdigit() and text.isascii() for text in given.values()):
        raise StatementError("does not say a number of seconds")
    longest = max(map(int, given.values()))
    given = {**given, "stopdelay": given.get("stopdelay", given["startdelay"]), "mondelay": given.get("mondelay", "0")}
    spec = _spec("ocf:heartbeat:Delay", given, "30s", f"{int(given['mondelay']) + _MARGIN}s", f"{longest + _MARGIN}s")
    return Resource("delay", spec)


def _drbd(arguments: list[str]) -> Resource:
    given = _named(("drbd_resource",), arguments, 0)
    if not given:
        raise StatementError("names no DRBD resource: write drbddisk::NAME for each")
    spec = {
        "agent": "ocf:linbit:drbd",
        "params": given,
        "operations": [
            {"name": "start", "timeout": "240s"},
            {"name": "promote", "timeout": "90s"},
            {"name": "demote", "timeout": "90s"},
            {"name": "stop", "timeout": "100s"},
            {"name": "monitor", "interval": "29s", "timeout": "20s", "role": "Promoted"},
            {"name": "monitor", "interval": "31s", "timeout": "20s", "role": "Unpromoted"},
        ],
    }
    remark = (
        "drbddisk made the DRBD resource primary and left the rest to its init script. The agent does both: do not "
        "start DRBD at boot, and let /etc/drbd.d fence through Pacemaker (crm-fence-peer)."
    )
    return Resource(_slug("drbd", given["drbd_resource"]), spec, (remark,), promotable=True)


def _ldirectord(arguments: list[str]) -> Resource:
    given = _named(("configfile",), arguments, 0)
    file = given.get("configfile", "ldirectord.cf")
    given["configfile"] = file if file.startswith("/") else f"{_LINUX_HA}/{file}"
    return Resource("ldirectord", _spec("ocf:heartbeat:ldirectord", given, "20s", "10s", ""), service=True)


def _apache(script: str, arguments: list[str]) -> Resource:
    given = _named(("configfile",), arguments, 0)
    if not given and _APACHE[script]:
        given["configfile"] = _APACHE[script]
    remark = (
        f"The web server {script}: the agent asks it for its status page or its first page. "
        f"To start it as Heartbeat did, without that, take the agent systemd:{script}. Do not start it at boot."
    )
    spec = _spec("ocf:heartbeat:apache", given, "10s", "20s", "60s")
    return Resource(script, spec, (remark,), service=True)


def _service(script: str) -> Resource:
    if not _SCRIPT.fullmatch(script):
        raise StatementError(f"{script!r} is no name of a script")
    name = script.removesuffix(".service")
    remark = (
        f"Heartbeat called the init script {name}: taken as the systemd unit of that name. "
        f"See that there is one (`systemctl cat {name}`), and that it is not started at boot."
    )
    label = name if name[0].isalpha() else f"service-{name}"
    return Resource(identifier(label), _spec(f"systemd:{name}", {}, "30s", "100s", "100s"), (remark,), service=True)


_SPECIAL: dict[str, Callable[[list[str]], Resource]] = {
    "IPaddr": _address,
    "IPaddr2": _address,
    "Filesystem": _filesystem,
    "Delay": _delay,
    "drbddisk": _drbd,
    "datadisk": _drbd,
    "ldirectord": _ldirectord,
}
