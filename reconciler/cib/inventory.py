"""The resources that a CIB configures, with what Pacemaker adds to them: inheritance, templates, implicit members.

Facts from Pacemaker Explained and, where it is silent, from what lib/pengine/{complex,bundle,unpack}.c do. Attribute
sets that carry a rule are left out, as judging them takes a node and a time; everything else about inheritance holds.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from xml.etree.ElementTree import Element

from reconciler.cib.document import children, feature_set
from reconciler.cib.fencing import fencing
from reconciler.cib.values import duration, stored_score
from reconciler.frozen import frozen

INFINITY = 1_000_000
CONTAINER_ENGINES = ("docker", "podman", "rkt")
REMOTE_AGENT = "ocf:pacemaker:remote"
_TRUE = frozenset({"true", "on", "yes", "y", "1"})
_INFINITE = {"INFINITY": INFINITY, "-INFINITY": -INFINITY}


class ResourceKind(StrEnum):
    """The four sorts of resource; a promotable clone is a clone."""

    PRIMITIVE = "primitive"
    GROUP = "group"
    CLONE = "clone"
    BUNDLE = "bundle"


_KINDS = {
    "primitive": ResourceKind.PRIMITIVE,
    "group": ResourceKind.GROUP,
    "clone": ResourceKind.CLONE,
    "master": ResourceKind.CLONE,
    "bundle": ResourceKind.BUNDLE,
}


@frozen
class Resource:
    """One configured resource; `meta` is what holds for it after inheritance and `rsc_defaults`.

    `parent` is empty at the top. `implicit` resources are in no configuration: a bundle's containers, addresses and
    connections, a guest node's connection. `container` names the resource that a connection or bundled one lives in.
    `sources` are the XML elements that operations and parameters come from: a template first, then the resource.
    """

    id: str
    kind: ResourceKind
    agent: str = ""
    parent: str = ""
    members: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    promotable: bool = False
    cloned: bool = False
    unique: bool = False
    bundled: bool = False
    implicit: bool = False
    container: str = ""
    sources: tuple[Element, ...] = ()


def is_true(text: str | None) -> bool:
    """Say whether Pacemaker takes the text for true (crm_is_true: true, on, yes, y, 1 in any case)."""
    return text is not None and text.lower() in _TRUE


def score(text: str | None) -> int:
    """Read a score as Pacemaker does: within one million either way, 0 where it is none."""
    try:
        spelled = stored_score(text or "0")
        return _INFINITE.get(spelled) or int(spelled)
    except ValueError:
        return 0


def duration_ms(text: str | None) -> int:
    """Read an interval ('10s', '10', '2min', 'PT1M') as milliseconds; 0 where it is not one."""
    if not text:
        return 0
    try:
        spelled = duration(text)
    except ValueError:
        return 0
    if spelled.startswith("P"):
        return 0
    return int(spelled[:-2]) if spelled.endswith("ms") else int(spelled[:-1]) * 1000


def elements(parent: Element | None, *tags: str) -> Iterator[Element]:
    """Yield the child elements that have one of the tags."""
    return (child for child in children(parent) if child.tag in tags)


class Configuration:
    """Reading aids over a `<cib>` element: sections, properties, attribute sets with id-ref, templates."""

    def __init__(self, cib: Element) -> None:
        self.cib = cib
        self._index: dict[str, Element] | None = None
        crm_config = self.section("crm_config")
        self.properties: Mapping[str, str] = self.attributes(
            crm_config, "cluster_property_set", first="cib-bootstrap-options"
        )
        self.defaults: Mapping[str, str] = self.attributes(self.section("rsc_defaults"), "meta_attributes")

    def section(self, name: str) -> Element | None:
        """Return a part of `<configuration>`, or None."""
        return self.cib.find(f"configuration/{name}")

    def states(self) -> Iterator[Element]:
        """Yield the `node_state` elements."""
        return elements(self.cib.find("status"), "node_state")

    def flag(self, name: str, default: str = "false") -> bool:
        """Say whether a cluster property is true."""
        return is_true(self.properties.get(name, default))

    @property
    def quorate(self) -> bool:
        """Whether the partition that wrote the CIB had quorum."""
        return is_true(self.cib.get("have-quorum"))

    @property
    def fencing(self) -> bool:
        """Whether fencing is on."""
        return fencing(self.properties, feature_set(self.cib.attrib)).enabled

    def resolve(self, element: Element) -> Element:
        """Follow an `id-ref`; an element without one, or with one that leads nowhere, is itself."""
        target = element.get("id-ref")
        if target is None:
            return element
        if self._index is None:
            self._index = {name: item for item in self.cib.iter() if (name := item.get("id")) is not None}
        return self._index.get(target, element)

    def attributes(self, parent: Element | None, tag: str, first: str = "") -> dict[str, str]:
        """Return the name-value pairs of the sets called `tag` under `parent`.

        Where two sets say a name, the set with the id `first` wins, then the higher score, then the later one.
        """
        sets = [self.resolve(item) for item in elements(parent, tag)]
        if len(sets) > 1:
            sets.reverse()
            sets.sort(key=lambda item: (item.get("id") != first, -score(item.get("score"))))
        pairs: dict[str, str] = {}
        for item in sets:
            if item.find("rule") is not None:
                continue
            for pair in elements(item, "nvpair"):
                self._add(pairs, pair)
        return pairs

    def _add(self, pairs: dict[str, str], pair: Element) -> None:
        target = self.resolve(pair)
        name = pair.get("name") or target.get("name")
        value = target.get("value")
        if name is not None and value is not None:
            pairs.setdefault(name, value)

    def parameters(self, resource: Resource) -> dict[str, str]:
        """Return the instance attributes of a resource, its own before its template's."""
        merged: dict[str, str] = {}
        for source in resource.sources:
            merged.update(self.attributes(source, "instance_attributes"))
        return merged

    def operations(self, resource: Resource) -> list[Element]:
        """Return the `<op>` elements of a resource; its own replace its template's of the same name and interval."""
        found: dict[tuple[str, int], Element] = {}
        for source in resource.sources:
            for group in elements(source, "operations"):
                for op in elements(self.resolve(group), "op"):
                    found[op.get("name", ""), duration_ms(op.get("interval"))] = op
        return list(found.values())


def inventory(configuration: Configuration) -> dict[str, Resource]:
    """Return every resource of the configuration by id, parents before their members, implicit ones included."""
    return _Inventory(configuration).resources


class _Inventory:
    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        section = configuration.section("resources")
        self._templates = {item.get("id", ""): item for item in elements(section, "template")}
        self.resources: dict[str, Resource] = {}
        top = Resource("", ResourceKind.GROUP, meta=configuration.defaults)
        for item in elements(section, *_KINDS):
            self._read(item, top)
        for resource in [item for item in self.resources.values() if item.kind is ResourceKind.PRIMITIVE]:
            self._guest(resource)

    def _read(self, element: Element, parent: Resource) -> None:
        match _KINDS[element.tag]:
            case ResourceKind.PRIMITIVE:
                self._primitive(element, parent)
            case ResourceKind.BUNDLE:
                self._bundle(element)
            case kind:
                self._collection(element, kind, parent)

    def _primitive(self, element: Element, parent: Resource) -> None:
        template = self._templates.get(element.get("template", ""))
        sources = (element,) if template is None else (template, element)
        identity = element if template is None else template
        parts = (identity.get("class"), identity.get("provider"), identity.get("type"))
        meta = dict(parent.meta)
        for source in sources:
            meta.update(self._configuration.attributes(source, "meta_attributes"))
        self.resources[element.get("id", "")] = Resource(
            id=element.get("id", ""),
            kind=ResourceKind.PRIMITIVE,
            agent=":".join(part for part in parts if part),
            parent=parent.id,
            meta=meta,
            promotable=parent.promotable,
            cloned=parent.cloned,
            # lib/pengine/native.c: only OCF agents can tell unique instances apart
            unique=parent.unique and parts[0] == "ocf",
            bundled=parent.bundled,
            container=meta.get("container", ""),
            sources=sources,
        )

    def _collection(self, element: Element, kind: ResourceKind, parent: Resource) -> None:
        meta = {**parent.meta, **self._configuration.attributes(element, "meta_attributes")}
        clone = kind is ResourceKind.CLONE
        members = list(elements(element, *_KINDS))
        resource = Resource(
            id=element.get("id", ""),
            kind=kind,
            parent=parent.id,
            members=tuple(member.get("id", "") for member in members),
            meta=meta,
            promotable=parent.promotable or (clone and (element.tag == "master" or is_true(meta.get("promotable")))),
            cloned=parent.cloned or clone,
            unique=parent.unique or (clone and is_true(meta.get("globally-unique"))),
        )
        self.resources[resource.id] = resource
        for member in members:
            self._read(member, resource)

    def _bundle(self, element: Element) -> None:
        name = element.get("id", "")
        engine = next(elements(element, *CONTAINER_ENGINES), None)
        network = next(elements(element, "network"), None)
        primitive = next(elements(element, "primitive"), None)
        meta = {**self._configuration.defaults, **self._configuration.attributes(element, "meta_attributes")}
        promoted = _count(engine, "promoted-max", "masters")
        if promoted:
            meta["promoted-max"] = str(promoted)
        replicas = _count(engine, "replicas") or promoted or 1
        implicit: list[Resource] = []
        for replica in range(replicas if engine is not None else 0):
            container = f"{name}-{engine.tag if engine is not None else ''}-{replica}"
            agent = f"ocf:heartbeat:{engine.tag if engine is not None else ''}"
            implicit.append(_replica_part(container, agent, name, meta))
            if address := _replica_address(network, replica):
                implicit.append(_replica_part(f"{name}-ip-{address}", "ocf:heartbeat:IPaddr2", name, meta))
            if primitive is not None:
                implicit.append(_connection(f"{name}-{replica}", container, name, meta))
        members = [item.id for item in implicit] + ([primitive.get("id", "")] if primitive is not None else [])
        bundle = Resource(
            name,
            ResourceKind.BUNDLE,
            members=tuple(members),
            meta=meta,
            promotable=bool(promoted) or is_true(meta.get("promotable")),
            cloned=True,
            bundled=True,
        )
        self.resources[name] = bundle
        for item in implicit:
            self.resources[item.id] = item
        if primitive is not None:
            self._primitive(primitive, bundle)

    def _guest(self, resource: Resource) -> None:
        name = resource.meta.get("remote-node", "")
        if name and name not in self.resources and not resource.cloned:
            meta = dict(self._configuration.defaults)
            if "is-managed" in resource.meta:
                meta["is-managed"] = resource.meta["is-managed"]
            self.resources[name] = _connection(name, resource.id, "", meta)


def _replica_part(name: str, agent: str, bundle: str, meta: Mapping[str, str]) -> Resource:
    return Resource(name, ResourceKind.PRIMITIVE, agent, bundle, meta=meta, bundled=True, implicit=True)


def _connection(name: str, container: str, bundle: str, meta: Mapping[str, str]) -> Resource:
    return Resource(
        name,
        ResourceKind.PRIMITIVE,
        REMOTE_AGENT,
        bundle,
        meta=meta,
        bundled=bool(bundle),
        implicit=True,
        container=container,
    )


def _count(element: Element | None, *names: str) -> int:
    for name in names:
        text = element.get(name, "") if element is not None else ""
        if text.isdigit():
            return int(text)
    return 0


def _replica_address(network: Element | None, replica: int) -> str:
    start = network.get("ip-range-start") if network is not None else None
    try:
        return str(ipaddress.ip_address(start or "") + replica)
    except ValueError:
        return ""
