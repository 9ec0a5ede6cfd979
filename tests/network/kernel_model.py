"""A tiny kernel: runs the lines of `ip -batch` on addresses and routes in memory, and prints them as `ip -json` does.

Written against the measured facts and on its own, so that the product's rules and these can disagree. The namespace
tests play random lines against this model and the running kernel.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Any

from reconciler.network.iproute import Seen, parse


class RefusedError(Exception):
    """The kernel would refuse the line."""


@dataclass
class Port:
    up: bool = True
    mtu: int = 1500
    v4: list[tuple[IPv4Interface, bool]] = field(default_factory=list)
    v6: list[IPv6Interface] = field(default_factory=list)


@dataclass
class Kernel:
    ports: dict[str, Port] = field(default_factory=dict)
    routes: list[dict[str, Any]] = field(default_factory=list)
    promoting: set[str] = field(default_factory=set)

    def run(self, lines: Iterable[str]) -> None:
        """Run lines until one is refused."""
        for line in lines:
            words = line.split()
            try:
                getattr(self, f"_{words[0]}_{words[1]}")(words[2:])
            except RefusedError as refused:
                raise RefusedError(f"{line}: {refused}") from None

    def force(self, lines: Iterable[str]) -> None:
        """Run lines, and go on after refusals."""
        for line in lines:
            try:
                self.run([line])
            except RefusedError:
                continue

    # addresses

    def _address_add(self, words: list[str]) -> None:
        port, value = self._port(words), ip_interface(words[0])
        if isinstance(value, IPv6Interface):
            if any(other.ip == value.ip for other in port.v6):
                raise RefusedError("exists")
            if port.mtu < 1280:
                raise RefusedError("invalid argument")
            port.v6.append(value)
            return
        if value in (other for other, _ in port.v4):
            raise RefusedError("exists")
        secondary = any(other.network == value.network for other, _ in port.v4)
        primaries = [item for item in port.v4 if not item[1]]
        rest = [item for item in port.v4 if item[1]]
        port.v4 = [*primaries, *rest, (value, True)] if secondary else [*primaries, (value, False), *rest]

    def _address_delete(self, words: list[str]) -> None:
        name = words[words.index("dev") + 1]
        port, value = self._port(words), ip_interface(words[0])
        if isinstance(value, IPv6Interface):
            if value not in port.v6:
                raise RefusedError("cannot assign")
            port.v6.remove(value)
            self._forget_source({value.ip})
            return
        secondary = next((flag for other, flag in port.v4 if other == value), None)
        if secondary is None:
            raise RefusedError("cannot assign")
        gone = {value}
        port.v4.remove((value, secondary))
        heirs = [other for other, flag in port.v4 if flag and other.network == value.network]
        if not secondary and heirs:
            if name in self.promoting:
                port.v4.remove((heirs[0], True))
                last = max((i for i, (_, flag) in enumerate(port.v4) if not flag), default=-1)
                port.v4.insert(last + 1, (heirs[0], False))
            else:
                gone |= set(heirs)
                port.v4 = [item for item in port.v4 if item[0] not in gone]
        if not port.v4:
            self._lose(lambda route: route["dev"] == name and route["to"].version == 4)
        self._forget_source({item.ip for item in gone})

    def _forget_source(self, gone: set[Any]) -> None:
        local = {item.ip for port in self.ports.values() for item in self._all(port)}
        for route in self.routes:
            if route["src"] in gone - local and route["to"].version == 6:
                route["src"] = None
        self._lose(lambda r: r["src"] in gone - local and r["to"].version == 4 and r["table"] == 254)

    @staticmethod
    def _all(port: Port) -> list[IPv4Interface | IPv6Interface]:
        return [*(item for item, _ in port.v4), *port.v6]

    def _port(self, words: list[str]) -> Port:
        name = words[words.index("dev") + 1]
        if name not in self.ports:
            raise RefusedError("no such device")
        return self.ports[name]

    # routes

    def _route(self, words: list[str]) -> dict[str, Any]:
        said = dict(zip(words[1::2], words[2::2], strict=True))
        to = ip_network(words[0])
        metric = int(said["metric"])
        return {
            "to": to,
            "via": ip_address(said["via"]) if "via" in said else None,
            "dev": said["dev"],
            "src": ip_address(said["src"]) if "src" in said else None,
            "table": int(said["table"]),
            "metric": 1024 if to.version == 6 and metric == 0 else metric,
            "proto": int(said["proto"]),
        }

    def _key(self, route: dict[str, Any]) -> tuple[Any, ...]:
        return route["to"], route["table"], route["metric"]

    def _check(self, route: dict[str, Any]) -> None:
        port = self.ports.get(route["dev"])
        if port is None or not port.up:
            raise RefusedError("network is down")
        if route["to"].version == 6 and port.mtu < 1280:
            raise RefusedError("no IPv6 here")
        near = [item.network for item in self._all(port)]
        near += [r["to"] for r in self.routes if r["dev"] == route["dev"] and r["via"] is None and r["table"] == 254]
        via = route["via"]
        if via is not None and not any(via.version == net.version and via in net for net in near):
            raise RefusedError("nexthop has invalid gateway")
        local = {item.ip for other in self.ports.values() for item in self._all(other)}
        if route["src"] is not None and route["src"] not in local:
            raise RefusedError("invalid source address")

    def _route_add(self, words: list[str]) -> None:
        route = self._route(words)
        self._check(route)
        if self._key(route) in map(self._key, self.routes):
            raise RefusedError("exists")
        self.routes.append(route)

    def _route_replace(self, words: list[str]) -> None:
        route = self._route(words)
        self._check(route)
        same = [other for other in self.routes if self._key(other) == self._key(route)]
        if same:
            self.routes[self.routes.index(same[0])] = route
        else:
            self.routes.append(route)

    def _route_delete(self, words: list[str]) -> None:
        route = self._route(words)
        # To an IPv4 delete, metric 0 means any metric: the lowest is tried first. A source that is not said fits any.
        loose = route["to"].version == 4 and route["metric"] == 0
        unsaid = ({"metric"} if loose else set()) | ({"src"} if route["src"] is None else set())
        fits = [r for r in self.routes if all(r[name] == route[name] for name in route.keys() - unsaid)]
        if not fits:
            raise RefusedError("no such process")
        self.routes.remove(min(fits, key=lambda found: found["metric"]))

    def _lose(self, condition: Any) -> None:
        self.routes = [route for route in self.routes if not condition(route)]

    # links

    def _link_set(self, words: list[str]) -> None:
        name, port = words[1], self._port(words)
        match words[2:]:
            case ["mtu", number]:
                port.mtu = int(number)
                if port.mtu < 1280:
                    self._no_ipv6(name)
            case ["up"]:
                port.up = True
            case ["down"] if port.up:
                port.up = False
                self._no_ipv6(name)
                self._lose(lambda route: route["dev"] == name)

    def _no_ipv6(self, name: str) -> None:
        # Another device's route keeps its source: the kernel takes that out only where the address itself is deleted.
        self.ports[name].v6 = []
        self._lose(lambda route: route["dev"] == name and route["to"].version == 6)

    # what ip prints

    def texts(self) -> tuple[str, str]:
        links = [
            {
                "ifname": name,
                "flags": ["BROADCAST", *(["UP", "LOWER_UP"] if port.up else [])],
                "mtu": port.mtu,
                "min_mtu": 68,
                "max_mtu": 65535,
                "addr_info": [self._info(item, secondary) for item, secondary in port.v4]
                + [self._info(item, secondary=False) for item in port.v6],
            }
            for name, port in self.ports.items()
        ]
        return json.dumps(links), json.dumps([self._shown(route) for route in self.routes])

    @staticmethod
    def _info(item: IPv4Interface | IPv6Interface, secondary: bool) -> dict[str, Any]:
        info = {
            "family": "inet" if item.version == 4 else "inet6",
            "local": str(item.ip),
            "prefixlen": item.network.prefixlen,
            "scope": "0",
        }
        return {**info, "secondary": True} if secondary else info

    @staticmethod
    def _shown(route: dict[str, Any]) -> dict[str, Any]:
        to = route["to"]
        shown = {"type": "1", "dst": "default" if to.prefixlen == 0 else str(to), "dev": route["dev"]}
        shown |= {"table": str(route["table"]), "protocol": str(route["proto"]), "scope": "0", "flags": []}
        shown |= {"gateway": str(route["via"])} if route["via"] else {}
        shown |= {"prefsrc": str(route["src"])} if route["src"] else {}
        shown |= {"metric": route["metric"]} if route["metric"] else {}
        return {**shown, "pref": "medium"} if to.version == 6 else shown

    def seen(self) -> Seen:
        return parse(*self.texts(), dict.fromkeys(self.promoting, "1\n"))


def addresses(seen: Seen) -> set[tuple[str, str]]:
    return {(device.name, str(a)) for device in seen.devices.values() for a in device.addresses}


def routes(seen: Seen) -> set[str]:
    return {f"{route} proto {route.protocol}" for route in seen.routes if not route.made_by_kernel}
