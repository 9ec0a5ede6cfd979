"""What a kind is: a model, how to read it from the CIB, how to write it there, and what people call it. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, ConfigDict, JsonValue, ValidationError, ValidationInfo

from reconciler.cib.document import children
from reconciler.frozen import frozen
from reconciler.state import Part, Scope, Spec, lean

OBSERVED = {"observed": True}
"""Validation context of what the cluster already holds: odd text passes unchanged."""


class UnsupportedError(ValueError):
    """The live object says something that its kind cannot express yet: it is reported and never touched."""


@frozen
class Reference:
    """A field that names another object, and the kinds that it may name; None for any.

    A `loose` one may name what is not there: it is said to be without effect, and keeps nobody in place.
    """

    field: str
    name: str
    kinds: frozenset[str] | None = None
    loose: bool = False

    def fits(self, kind: str | None) -> bool:
        """Tell whether it may name an object of this kind; None is no object."""
        return kind is not None and (self.kinds is None or kind in self.kinds)


@frozen
class Kept:
    """What an update leaves as people or Pacemaker set it: the spec to aim for, the fields kept and their values."""

    spec: Spec
    overrides: tuple[tuple[str, str], ...] = ()


@frozen
class Around:
    """What a kind may know of the rest of the cluster: its recorded shared values, the names set in op_defaults."""

    recorded: frozenset[str] = frozenset()
    op_defaults: frozenset[str] = frozenset()


def keep_nothing(desired: Any, live: Any, around: Around) -> Kept:  # noqa: ARG001
    """Aim for exactly what the manifest says."""
    return Kept(desired)


def own_id(element: ET.Element) -> str:
    """Answer for kinds whose objects are called by their ids."""
    return element.get("id", "")


def any_name(name: str, spec: Any) -> str:  # noqa: ARG001
    """Answer for kinds whose objects may have any name."""
    return ""


def nothing(spec: Any) -> tuple[Any, ...]:  # noqa: ARG001
    """Answer for kinds without references or members."""
    return ()


@frozen
class Kind:
    """One kind of object. `summary` is the first sentence of its documentation."""

    name: str
    scope: Scope
    spec: type[Spec]
    summary: str


@frozen
class Shared:
    """Values that manifests, people and agents share: they are owned one by one, by the ids of their pairs.

    `ids(element)` maps the names of such values in a live element to ids, `names(spec)` are those that a spec says.
    """

    ids: Callable[[ET.Element], Mapping[str, str]]
    names: Callable[[Any], frozenset[str]]


@frozen
class Bag(Shared):
    """A set that is shared as a whole: only its values are ever owned.

    `without(spec, names)` is the spec without them, or None if nothing is left. `unset(object, name)` is the command
    that takes a value out of the object of this name.
    """

    without: Callable[[Any, frozenset[str]], Spec | None]
    unset: Callable[[str, str], str]


@frozen
class ClusterKind(Kind):
    """A kind that lives in the CIB.

    `read(element, named)` gives the spec, or raises UnsupportedError; `named` are the ids that something refers to.
    `write(name, spec, live)` gives the object's own element, without the resources inside it, keeping the ids and the
    order of `live` where they mean the same. `crm(name, spec)` gives what one would type into `crm configure`.
    `members` are the ids of the resources inside, in order. `keep(desired, live, around)` says what an update leaves
    alone. `shared` are the values in it that people and agents set too.

    Most objects are elements of a section, called by their ids. `label(element)` is the name of one that is not, and
    `named_apart` its tag where another object may have the same name. Of a kind without `tags` the section itself is
    the one object. `name_problem(name, spec)` says why no object can be called so, empty if it can.
    `awaits(name, spec)` says what must happen before such an object can be made, empty if nothing. `noteworthy(spec)`
    are fields with values that are reported of a live object even if no manifest names it.
    """

    section: str
    tags: frozenset[str]
    read: Callable[[ET.Element, frozenset[str]], Spec]
    write: Callable[[str, Any, ET.Element | None], ET.Element]
    crm: Callable[[str, Any], str]
    references: Callable[[Any], tuple[Reference, ...]] = nothing
    members: Callable[[Any], tuple[str, ...]] = nothing
    keep: Callable[[Any, Any, Around], Kept] = keep_nothing
    shared: Shared | None = None
    label: Callable[[ET.Element], str] = own_id
    named_apart: str = ""
    name_problem: Callable[[str, Any], str] = any_name
    awaits: Callable[[str, Any], str] = any_name
    noteworthy: Callable[[Any], tuple[tuple[str, str], ...]] = nothing

    def key(self, name: str) -> str:
        """Return what no two objects of the cluster share, and by which one is recorded as ours."""
        return f"{self.named_apart}:{name}" if self.named_apart else name

    @property
    def home(self) -> str:
        """The section that a new object goes to, empty if it is a section itself."""
        return self.section if self.tags else ""

    @property
    def bag(self) -> Bag | None:
        """The shared values, where they are all that there is."""
        return self.shared if isinstance(self.shared, Bag) else None


RESOURCES = frozenset({"Primitive", "Group", "Clone", "Bundle", "Template", "Tag"})
"""The kinds that a constraint may name; a template stands for what is made from it, a tag for what it lists."""


Remark = Annotated[str | None, AfterValidator(lambda text: text or None)]
"""A description; an empty one says nothing."""


class Reader:
    """Takes an element apart and insists that everything was taken: nothing is dropped in silence."""

    def __init__(self, element: ET.Element) -> None:
        self.element = element
        self._attributes = dict(element.items())
        self._children, self._known = list(children(element)), set[str]()

    def take(self, name: str) -> str | None:
        """Take an attribute; None if it is absent."""
        self._known.add(name)
        return self._attributes.pop(name, None)

    def elements(self, *tags: str) -> list[ET.Element]:
        """Take all children with one of these tags, in order."""
        if not self._children:
            return []
        taken = [child for child in self._children if child.tag in tags]
        self._children = [child for child in self._children if child.tag not in tags]
        return taken

    def done(self) -> None:
        """Raise UnsupportedError if an attribute or a child is left."""
        if self._attributes:
            name = min(self._attributes)
            hint = "".join(f"; did you mean {it!r}?" for it in get_close_matches(name, self._known, 1, 0.75))
            raise UnsupportedError(f"<{self.element.tag}> has the unknown attribute {name!r}{hint}")
        if self._children:
            raise UnsupportedError(f"<{self.element.tag}> contains <{self._children[0].tag}>")


PartT = TypeVar("PartT", bound=Part)


def observed(model: type[PartT], **fields: Any) -> PartT:
    """Make a model of what the cluster holds; fields by their Python names, None and empty ones left out.

    Raises:
        UnsupportedError: the model has no place for it.
    """
    known = model.model_fields
    given = {known[name].alias: value for name, value in fields.items() if value is not None and value != ()}
    try:
        return lean(model.model_validate(given, context=OBSERVED))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        message = (
            f"no {path}" if first["type"] == "missing" else f"{path}: {first['msg'].removeprefix('Value error, ')}"
        )
        raise UnsupportedError(message) from error


def canonical(text: str, function: Callable[[str], str], info: ValidationInfo) -> str:
    """Apply a canonical form; text that Pacemaker would not accept passes only where it was observed."""
    try:
        return function(text)
    except ValueError:
        if info.context and info.context.get("observed"):
            return text
        raise


def element(tag: str, live: ET.Element | None, **attributes: str | None) -> ET.Element:
    """Make an element with these attributes; those that `live` has too keep their order, None leaves one out.

    A trailing underscore in a name is dropped and the others become dashes (`class_`, `with_rsc`).
    """
    wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    ordered = [name for name in (live.keys() if live is not None else ()) if name in wanted]
    ordered += [name for name in wanted if name not in ordered]
    return ET.Element(tag, {name: wanted[name] for name in ordered})


def keep_spelling(live: str | None, wanted: str | None, function: Callable[[str], str]) -> str | None:
    """Return the live spelling where it means the same as the wanted one (`10` for `10s`), else the wanted one."""
    if live is None or wanted is None:
        return wanted
    try:
        return live if function(live) == wanted else wanted
    except ValueError:
        return wanted


def keep_words(written: ET.Element, live: ET.Element | None, read: Callable[[ET.Element], Any]) -> ET.Element:
    """Give each attribute the live spelling where the element then reads the same, a spelled-out default included."""
    if live is None:
        return written
    wanted = read(written)
    for name, value in live.items():
        said = written.get(name)
        if said != value:
            written.set(name, value)
            if not _reads(written, wanted, read):
                written.attrib.pop(name)
                if said is not None:
                    written.set(name, said)
    ordered = element(written.tag, live, **written.attrib)
    ordered.extend(written)
    return ordered


def _reads(written: ET.Element, wanted: Any, read: Callable[[ET.Element], Any]) -> bool:
    try:
        return bool(read(written) == wanted)
    except ValueError:
        return False


@frozen
class Match:
    """A part of a spec, the live element whose place it takes, and whether that already says it."""

    item: Any
    live: ET.Element | None
    same: bool


def matched(
    items: Sequence[Any],
    live: Sequence[ET.Element],
    says: Callable[[ET.Element, Any], bool],
    *,
    alike: Callable[[ET.Element, Any], bool] = lambda live, _: live.get("id") is not None,
) -> list[Match]:
    """Find for each part the live element of its id; else one that says it, else one left over that is alike.

    The parts have an `id`, which is None where none is said.
    """
    found: dict[int, ET.Element] = {}
    unused = list(live)
    for fits in (_has_its_id, says, alike):
        for index, item in enumerate(items):
            element = next((element for element in unused if fits(element, item)), None)
            if index not in found and element is not None:
                found[index] = element
                unused.remove(element)
    return [
        Match(item, found.get(index), index in found and says(found[index], item)) for index, item in enumerate(items)
    ]


def _has_its_id(live: ET.Element, item: Any) -> bool:
    return item.id is not None and live.get("id") == item.id


def arrange(written: ET.Element, live: ET.Element | None, order: Sequence[str] = ()) -> ET.Element:
    """Put the children where the live ones of their tag are, with the live comments between them; new ones come last.

    Children of one tag stay in the order in which they were written: of attribute sets it means something. `order` are
    the tags in the order in which the schema wants them, where it does.
    """
    if live is None:
        return _sorted(written, order)
    ours: dict[str, list[ET.Element]] = {}
    for child in written:
        ours.setdefault(child.tag, []).append(child)
    stay = {(child.tag, child.get("id")) for child in written}
    ordered = []
    for child in live:
        if not isinstance(child.tag, str):
            ordered.append(child)
        elif (child.tag, child.get("id")) in stay and ours[child.tag]:
            ordered.append(ours[child.tag].pop(0))
    written[:] = ordered + [child for rest in ours.values() for child in rest]
    return _sorted(written, order)


def _sorted(written: ET.Element, order: Sequence[str]) -> ET.Element:
    rank = {tag: index for index, tag in enumerate(order)}
    ranks: list[int] = []
    for child in reversed(written):  # a comment stands before what it is about
        ranks.insert(0, rank.get(child.tag, ranks[0] if ranks else len(rank)))
    if ranks != sorted(ranks):
        places = sorted(range(len(ranks)), key=lambda place: ranks[place])
        written[:] = [written[place] for place in places]
    return written


_NO_ID = re.compile(r"[^A-Za-z0-9_.-]")


def identifier(*parts: str) -> str:
    """Join parts to what may be an XML id, if the first part begins like one."""
    return _NO_ID.sub("_", "-".join(parts))


def fresh_id(name: str, used: set[str | None]) -> str:
    """Return `name`, or `name-1`, `name-2` … where that is taken, and mark it used."""
    number = 0
    candidate = name
    while candidate in used:
        number += 1
        candidate = f"{name}-{number}"
    used.add(candidate)
    return candidate


def needs(*alternatives: Sequence[str]) -> ConfigDict:
    """Say in a model's schema that one of these groups of keys must be there; which, the model itself checks."""
    groups: list[JsonValue] = [{"required": [*group], "additionalProperties": True} for group in alternatives]
    return ConfigDict(json_schema_extra={"anyOf": groups})


def unless(default: str) -> AfterValidator:
    """Leave out what says no more than Pacemaker's default."""
    return AfterValidator(lambda text: None if text == default else text)


def text_of(value: Any) -> str:
    """Return a TOML scalar as Pacemaker's text: true, 24, 0.5; anything else is refused."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
    raise ValueError(f"expected a text, a number or a boolean, not {toml_type(value)}")


_TOML_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (str, "a text"),
    (list, "an array"),
    (dict, "a table"),
    (date, "a date"),
    (time, "a time"),
)


def toml_type(value: Any) -> str:
    """Say what sort of TOML value it is."""
    return next((words for sort, words in _TOML_TYPES if isinstance(value, sort)), type(value).__name__)
