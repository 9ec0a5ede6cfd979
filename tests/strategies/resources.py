"""Random resources: primitives, templates, groups, clones and bundles, one inside the other."""

from typing import Any

from tests.strategies.parts import TEXTS, capacities, meta, operations, params, sets
from tests.strategies.pen import Pen, Table, table

PRIMITIVES = ("p1", "p2", "p3", "p4", "p5")
GROUPS = ("g1", "g2")
CLONES = ("c1", "c2")
BUNDLES = ("b1", "b2")
TEMPLATES = ("x1", "x2")
PROMOTABLE: tuple[Table, ...] = ({}, {"promotable": True}, {"promotable": True, "master-max": 1})
AGENTS = ("ocf:heartbeat:IPaddr2", "ocf::pacemaker:Dummy", "systemd:a@b", "stonith:fence_x")

Objects = dict[tuple[str, str], dict[str, Any]]


def resources(pen: Pen) -> Objects:
    """Resources that fit together: each inside at most one other."""
    templates = pen.several(TEMPLATES) if pen.seldom(2) else []
    found: Objects = {("Template", name): agent(pen, pen.pick(*AGENTS)) for name in templates}
    names = pen.several(PRIMITIVES, most=5)
    for name in names:
        found["Primitive", name] = primitive(pen, templates)
    free = list(names)
    for name in pen.several(GROUPS):
        inside = pen.several(free) if free else []
        if inside:
            found["Group", name] = table(resources=inside, **described(pen))
            free = [other for other in free if other not in inside]
    for name in pen.several(BUNDLES) if pen.seldom(3) else []:
        inner = pen.some(*free) if free else None
        found["Bundle", name] = bundle(pen, inner)
        free = [other for other in free if other != inner]
    cloneable = free + [name for name in GROUPS if ("Group", name) in found]
    for name in pen.several(CLONES):
        if cloneable:
            inner = pen.pick(*cloneable)
            cloneable.remove(inner)
            found["Clone", name] = table(resource=inner, **described(pen, clone=True))
    return found


def described(pen: Pen, *, clone: bool = False) -> Table:
    """What all containers have."""
    said = meta(pen) | (pen.pick(*PROMOTABLE) if clone else {})
    if not pen.seldom():
        return table(meta=said, description=pen.some(*TEXTS) if pen.rare or not clone else None)
    own = sets(pen, "instance_attributes", params)
    return table(
        meta=sets(pen, "meta_attributes", lambda _: said),
        description=pen.some(*TEXTS),
        params=own,
    )


def primitive(pen: Pen, templates: list[str]) -> Table:
    if templates and pen.seldom(2):
        return agent(pen) | {"template": pen.pick(*templates)}
    return agent(pen, pen.pick(*AGENTS))


def agent(pen: Pen, name: str | None = None) -> Table:
    """What a primitive and a template have alike."""
    return table(
        agent=name,
        description=pen.some(*TEXTS),
        params=sets(pen, "instance_attributes", params, matches=False),
        meta=sets(pen, "meta_attributes", meta) if pen.seldom() else meta(pen),
        utilization=sets(pen, "utilization", capacities) if pen.seldom() else capacities(pen),
        **operations(pen),
    )


def bundle(pen: Pen, inner: str | None) -> Table:
    container = table(
        image="x:1",
        replicas=pen.some(2, "3"),
        replicas_per_host=pen.some(1, "2"),
        promoted_max=pen.some(1),
        run_command=pen.some(*TEXTS[1:]),
        network=pen.some("host"),
        options=pen.some("-v"),
    )
    network = table(
        ip_range_start=pen.some("192.0.2.9"),
        control_port=3121,
        host_interface=pen.some("bond1"),
        host_netmask=pen.some(24, "32"),
        add_host=pen.some(True, False) if pen.modern else None,
        port_mapping=pen.row(lambda: port(pen)),
    )
    technology = pen.pick("docker", "rkt", *(["podman"] if pen.modern else []))
    return table(
        network=network,
        storage=pen.row(lambda: storage(pen)),
        resource=inner,
        **{technology: container},
        **described(pen),
    )


def port(pen: Pen) -> Table:
    own = pen.id("part")
    return pen.pick(
        table(port=80, id=own), table(port="443", internal_port=pen.some(443, 8443), id=own), table(range="1-9", id=own)
    )


def storage(pen: Pen) -> Table:
    source = pen.pick("source_dir", "source_dir_root")
    return table(target_dir=pen.pick("/t", "/u"), options=pen.some("ro"), id=pen.id("part"), **{source: "/s"})
