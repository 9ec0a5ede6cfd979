"""The lab for people: `python -m tests.lab --help`."""

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Sequence

from tests.lab import registry
from tests.lab.cluster import Lab
from tests.lab.layout import Layout, Ring
from tests.lab.namespaces import CommandFailedError
from tests.lab.needs import missing
from tests.lab.node import Node, PoweredOffError
from tests.lab.waiting import TooLateError

_Do = Callable[[Lab, argparse.Namespace], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; 0 if it worked."""
    options = _parser().parse_args(argv)
    try:
        if options.verb == "list":
            print(*registry.living(), sep="\n", end="\n" if registry.living() else "")
        elif options.verb == "up":
            _up(options)
        else:
            options.do(Lab.attach(options.lab), options)
    except (CommandFailedError, FileExistsError, KeyError, PoweredOffError, TooLateError, ValueError) as error:
        print(f"lab: {error.args[0] if error.args else error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description="A real Corosync and Pacemaker cluster in namespaces of this machine."
    )
    parser.add_argument("--lab", default=os.environ.get("LAB", "lab"), help="name of the lab (default: $LAB or lab)")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_up(verbs.add_parser("up", help="start a lab; it runs until `down`"))
    verbs.add_parser("list", help="names of the labs that are up")

    def verb(name: str, description: str, do: _Do, *, node: bool = False) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=description, description=description)
        added.set_defaults(do=do)
        if node:
            added.add_argument("node", metavar="NODE")
        return added

    verb("down", "end a lab and leave nothing behind", lambda lab, _: lab.down())
    verb("status", "nodes, cables, gateway, and what the cluster says", _status)
    verb("reset", "hardware whole, no resources, empty configuration", lambda lab, _: lab.reset())
    run = verb("run", "run a command on a node", lambda lab, o: _enter(_node(lab, o), o.command), node=True)
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    verb("shell", "a shell on a node", lambda lab, o: _enter(_node(lab, o), ["bash", "--norc", "-i"]), node=True)
    verb("logs", "the ends of the logs of all nodes", lambda lab, _: print(lab.report()))
    for name, description, do in (
        ("pull", "pull a cable", Node.pull),
        ("plug", "put a cable back", Node.plug),
    ):
        cable = verb(name, description, lambda lab, o, do=do: do(_node(lab, o), o.ring), node=True)  # type: ignore[misc]
        cable.add_argument("ring", metavar="RING", help="number or device")
    power = verb("power", "cut a node's power, or boot it", _power, node=True)
    power.add_argument("state", choices=("on", "off"))
    gateway = verb("gateway", "take the gateway away or give it back to everybody", _gateway)
    gateway.add_argument("state", choices=("on", "off"))
    gateway.add_argument("node", metavar="NODE", nargs="?", help="take it away from this node only")
    crash = verb("crash-apache", "kill Apache on a node", _crash, node=True)
    crash.add_argument("--for-good", action="store_true", help="no start succeeds until mend-apache")
    verb("mend-apache", "let Apache start again", lambda lab, o: _node(lab, o).mend_apache(), node=True)
    return parser


def _add_up(up: argparse.ArgumentParser) -> None:
    up.add_argument("--nodes", type=int, choices=(2, 3), default=2, help="how many (default 2)")
    up.add_argument("--name", action="append", metavar="NODE", help="node names instead; once for each node")
    up.add_argument(
        "--ring",
        action="append",
        metavar="DEVICE=NETWORK:FIRST",
        help="rings instead, such as bond0=10.20.13.0/30:1, FIRST being the first node's number in the network",
    )
    up.add_argument("--gateway", metavar="ADDRESS", help="the gateway, on the last ring")
    up.add_argument("--client", metavar="ADDRESS", help="the client, on the last ring")


def _layout(options: argparse.Namespace) -> Layout:
    layout = Layout.reference(len(options.name) if options.name else options.nodes)
    if options.name:
        layout = dataclasses.replace(layout, nodes=tuple(options.name))
    if options.ring:
        layout = dataclasses.replace(layout, rings=tuple(map(_ring, options.ring)))
    return dataclasses.replace(
        layout, gateway=options.gateway or layout.gateway, client=options.client or layout.client
    )


def _ring(text: str) -> Ring:
    device, _, rest = text.partition("=")
    network, _, first = rest.rpartition(":")
    if not (device and network and first.isdigit()):
        raise ValueError(f"not DEVICE=NETWORK:FIRST: {text}")
    return Ring(device, network, int(first))


def _up(options: argparse.Namespace) -> None:
    if lacking := missing():
        raise PoweredOffError(f"the lab needs {', '.join(lacking)}")
    start = time.monotonic()
    lab = Lab.up(_layout(options), name=options.lab, owned=False)
    print(f"lab {lab.name} is up after {time.monotonic() - start:.1f} s: {', '.join(lab.nodes)} in {lab.directory}")


def _node(lab: Lab, options: argparse.Namespace) -> Node:
    if options.node not in lab.nodes:
        raise KeyError(f"no node is called {options.node}; there are {', '.join(lab.nodes)}")
    return lab.nodes[options.node]


def _enter(node: Node, command: Sequence[str]) -> None:
    argv = node.namespaces.command([argument for argument in command if argument != "--"] or ["true"])
    os.execvpe(argv[0], argv, {**node.namespaces.environment(), "PS1": r"\h:\w\$ "})


def _power(lab: Lab, options: argparse.Namespace) -> None:
    node = _node(lab, options)
    if options.state == "on":
        node.power_on()
    else:
        node.power_off()


def _gateway(lab: Lab, options: argparse.Namespace) -> None:
    if options.state == "on":
        lab.switch.gateway_on()
    else:
        lab.switch.gateway_off(_node(lab, options).name if options.node else None)


def _crash(lab: Lab, options: argparse.Namespace) -> None:
    _node(lab, options).crash_apache(for_good=options.for_good)


def _status(lab: Lab, options: argparse.Namespace) -> None:
    print(f"lab {lab.name} in {lab.directory}")
    print(f"gateway {lab.layout.gateway}: {'on' if lab.switch.gateway_is_on() else 'off, or off for some'}")
    for name, node in lab.nodes.items():
        cables = ", ".join(
            f"{ring.device} {lab.layout.address(name, ring.device)}"
            f"{'' if lab.switch.is_plugged(name, ring.device) else ' (pulled)'}"
            for ring in lab.layout.rings
        )
        print(f"{name}: {'on' if node.is_on else 'off'}, {cables}")
    for node in lab.nodes.values():
        if node.is_on:
            print(node.run(["crm_mon", "-1", "--inactive"]).stdout)
            break


if __name__ == "__main__":
    sys.exit(main())
