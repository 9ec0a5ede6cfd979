"""Bundle: a container on several nodes, with the network, the storage and the primitive in it. Pure.

Defaults (pacemaker `lib/pengine/bundle.c`): add-host true, internal-port the port. `masters` is the old name of
promoted-max.
"""

from typing import Annotated, Any, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from reconciler.cib import crm, values
from reconciler.kinds.base import (
    ClusterKind,
    Reader,
    Reference,
    Remark,
    UnsupportedError,
    arrange,
    canonical,
    element,
    fresh_id,
    keep_words,
    matched,
    needs,
    observed,
    text_of,
    unless,
)
from reconciler.kinds.described import read_described, write_described
from reconciler.kinds.meta import SHARED_META, keep_meta
from reconciler.kinds.nvset import MetaAttributes
from reconciler.kinds.operation import Boolean
from reconciler.kinds.parameters import Parameters
from reconciler.kinds.written import Written
from reconciler.state import Part, Scope, Spec

Integer = Annotated[
    str,
    BeforeValidator(text_of),
    AfterValidator(lambda text, info: canonical(text, values.integer, info)),
    Written("Integer"),
]
_TECHNOLOGIES = ("docker", "podman", "rkt")


class Container(Part):
    """What is run, and how often."""

    image: str = Field(description="The container image.")
    replicas: Integer | None = Field(default=None, description="How many to run; promoted-max if that is said, else 1.")
    replicas_per_host: Integer | None = Field(default=None, description="How many of them on one node; 1.")
    promoted_max: Integer | None = Field(default=None, description="How many of them may be promoted; 0.")
    run_command: str | None = Field(default=None, description="What is run in it instead of Pacemaker's remote daemon.")
    network: str | None = Field(default=None, description="The container technology's name of a network.")
    options: str | None = Field(default=None, description="Further options of its command line.")


class PortMapping(Part):
    """A port of the node that is a port of the container."""

    model_config = needs(["port"], ["range"])

    IDENTITY = ("id",)

    port: Integer | None = Field(default=None, description="The port.")
    internal_port: Integer | None = Field(default=None, description="The port inside, if it is another.")
    range: str | None = Field(default=None, description="Instead of a port: a range such as 8000-8010.")
    id: str | None = Field(default=None, description="Its id, where something refers to it.")

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if not info.context and (self.port is None) == (self.range is None):
            raise ValueError("needs either a `port` or a `range`")
        if not info.context and self.range is not None and self.internal_port is not None:
            raise ValueError("has an `internal-port` beside a `range`")
        same = self.internal_port is not None and self.internal_port == self.port
        return self.model_copy(update={"internal_port": None}) if same else self


class Network(Part):
    """How the containers are reached."""

    ip_range_start: str | None = Field(default=None, description="The first replica's address; the next follow it.")
    control_port: Integer | None = Field(default=None, description="Where the remote daemon inside listens; 3121.")
    host_interface: str | None = Field(default=None, description="The device that gets the addresses.")
    host_netmask: Integer | None = Field(default=None, description="Their prefix length; 32.")
    add_host: Annotated[Boolean | None, unless("true")] = Field(
        default=None, description="false: do not list the addresses in the containers' /etc/hosts."
    )
    port_mapping: tuple[PortMapping, ...] = Field(default=(), description="Ports.")


class StorageMapping(Part):
    """A directory of the node that is a directory of the container."""

    model_config = needs(["source-dir"], ["source-dir-root"])

    IDENTITY = ("id",)

    source_dir: str | None = Field(default=None, description="The directory or file of the node.")
    source_dir_root: str | None = Field(default=None, description="Or where each replica has a directory of its own.")
    target_dir: str = Field(description="Where it is inside.")
    options: str | None = Field(default=None, description="Mount options.")
    id: str | None = Field(default=None, description="Its id, where something refers to it.")

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if not info.context and (self.source_dir is None) == (self.source_dir_root is None):
            raise ValueError("needs either a `source-dir` or a `source-dir-root`")
        return self


class Bundle(Spec):
    """A container on several nodes, with the network, the storage and the primitive in it."""

    model_config = needs(*([technology] for technology in _TECHNOLOGIES))

    docker: Container | None = Field(default=None, description="A Docker container.")
    podman: Container | None = Field(default=None, description="Or a Podman container.")
    rkt: Container | None = Field(default=None, description="Or a rkt container (deprecated).")
    network: Network | None = Field(default=None, description="Addresses and ports of the containers.")
    storage: tuple[StorageMapping, ...] = Field(default=(), description="Directories of the containers.")
    resource: str | None = Field(default=None, description="The name of the primitive inside.")
    description: Remark = Field(default=None, description="A remark.")
    params: Parameters = Field(default=(), description="Parameters that the primitive inherits.")
    meta: MetaAttributes = Field(default=(), description="Meta attributes that the primitive inherits.")

    @model_validator(mode="after")
    def _one_container(self, info: ValidationInfo) -> Self:
        if not info.context and sum(getattr(self, name) is not None for name in _TECHNOLOGIES) != 1:
            raise ValueError("needs one of `docker`, `podman` and `rkt`")
        return self.model_copy(update={"network": None}) if self.network == Network() else self


_CONTAINER = ("image", "replicas", "replicas_per_host", "promoted_max", "run_command", "network", "options")
_NETWORK = ("ip_range_start", "control_port", "host_interface", "host_netmask", "add_host")
_PORT = ("port", "internal_port", "range")
_STORAGE = ("source_dir", "source_dir_root", "target_dir", "options")


def _fields(reader: Reader, names: tuple[str, ...]) -> dict[str, str | None]:
    return {name: reader.take(name.replace("_", "-")) for name in names}


def _read(bundle: ET.Element, named: frozenset[str] = frozenset()) -> Bundle:
    reader = Reader(bundle)
    reader.take("id")
    fields: dict[str, Any] = read_described(reader, named)
    for found in reader.elements(*_TECHNOLOGIES):
        fields[str(found.tag)] = _read_container(found)
    for found in reader.elements("network"):
        fields["network"] = _read_network(found, named)
    storage = [_read_storage(found, named) for found in reader.elements("storage")]
    inside = [found.get("id", "") for found in reader.elements("primitive")]
    reader.done()
    if len(inside) > 1 or len(storage) > 1:
        raise UnsupportedError("it has several primitives or storages")
    return observed(Bundle, storage=storage[0] if storage else (), resource=inside[0] if inside else None, **fields)


def _read_container(found: ET.Element) -> Container:
    reader = Reader(found)
    fields = _fields(reader, _CONTAINER)
    masters = reader.take("masters")
    reader.done()
    return observed(Container, **{**fields, "promoted_max": fields["promoted_max"] or masters})


def _read_network(found: ET.Element, named: frozenset[str] = frozenset()) -> Network:
    reader = Reader(found)
    fields = _fields(reader, _NETWORK)
    ports = tuple(_read_part(PortMapping, _PORT, port, named) for port in reader.elements("port-mapping"))
    reader.done()
    return observed(Network, port_mapping=ports, **fields)


def _read_storage(found: ET.Element, named: frozenset[str] = frozenset()) -> tuple[Any, ...]:
    reader = Reader(found)
    mappings = reader.elements("storage-mapping")
    reader.done()
    return tuple(_read_part(StorageMapping, _STORAGE, mapping, named) for mapping in mappings)


def _read_part(
    model: type[PortMapping] | type[StorageMapping],
    names: tuple[str, ...],
    found: ET.Element,
    named: frozenset[str] = frozenset(),
) -> Any:
    reader = Reader(found)
    name = reader.take("id")
    fields = _fields(reader, names)
    reader.done()
    return observed(model, id=name if name in named else None, **fields)


def _write(name: str, spec: Bundle, live: ET.Element | None) -> ET.Element:
    def old(tag: str) -> ET.Element | None:
        return None if live is None else live.find(tag)

    written = element("bundle", live, id=name, description=spec.description)
    written.extend(write_described(name, spec, live))
    for technology in _TECHNOLOGIES:
        container = getattr(spec, technology)
        if container is not None:
            written.append(_write_container(technology, container, old(technology)))
    written.extend(_write_network(name, spec.network, old("network")))
    written.extend(_write_storage(name, spec.storage, old("storage")))
    return arrange(written, live)


def _write_container(tag: str, item: Container, live: ET.Element | None) -> ET.Element:
    if live is not None and _read_container(live) == item:
        return live
    fields = {field: getattr(item, field) for field in _CONTAINER}
    if live is not None and live.get("masters") is not None:
        fields["masters"] = fields.pop("promoted_max")
    return keep_words(element(tag, live, **fields), live, _read_container)


def _write_network(owner: str, item: Network | None, live: ET.Element | None) -> list[ET.Element]:
    if live is not None and _read_network(live) == (item or Network()):
        return [live]
    if item is None:
        return []
    written = element("network", live, **{field: getattr(item, field) for field in _NETWORK})
    written.extend(_write_parts(f"{owner}-port", "port-mapping", _PORT, item.port_mapping, live))
    return [arrange(keep_words(written, live, lambda found: _read_network(found, _said(item.port_mapping))), live)]


def _write_storage(owner: str, items: tuple[StorageMapping, ...], live: ET.Element | None) -> list[ET.Element]:
    if live is not None and _read_storage(live) == items:
        return [live]
    if not items:
        return []
    written = ET.Element("storage")
    written.extend(_write_parts(f"{owner}-storage", "storage-mapping", _STORAGE, items, live))
    return [arrange(written, live)]


def _said(items: tuple[Any, ...]) -> frozenset[str]:
    return frozenset(item.id for item in items if item.id)


def _write_parts(
    owner: str, tag: str, names: tuple[str, ...], items: tuple[Any, ...], live: ET.Element | None
) -> list[ET.Element]:
    before = [] if live is None else live.findall(tag)
    used = {*(found.get("id") for found in before), *_said(items)}

    def says(found: ET.Element, item: Any) -> bool:
        same = _read_part(type(item), names, found) == item.model_copy(update={"id": None})
        return same and item.id in (None, found.get("id"))

    written = []
    for match in matched(items, before, says):
        item, old = match.item, match.live
        own = item.id or (old.get("id") if old is not None else None) or fresh_id(owner, used)
        fields = {field: getattr(item, field) for field in names}
        written.append(old if match.same and old is not None else element(tag, old, id=own, **fields))
    return written


def _crm(name: str, spec: Bundle) -> str:
    if spec.podman:
        return f"# crm knows no podman, not even as XML: only cibadmin makes {name}"
    raise crm.UnsayableError("a bundle")


KIND = ClusterKind(
    name="Bundle",
    scope=Scope.CLUSTER,
    spec=Bundle,
    summary="A container on several nodes, with the network, the storage and the primitive in it.",
    section="resources",
    tags=frozenset({"bundle"}),
    read=_read,
    write=_write,
    crm=_crm,
    references=lambda spec: (Reference("resource", spec.resource, frozenset({"Primitive"})),) if spec.resource else (),
    members=lambda spec: (spec.resource,) if spec.resource else (),
    keep=keep_meta,
    shared=SHARED_META,
)
