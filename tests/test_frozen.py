"""`frozen` against what it stands for: `dataclass(frozen=True, slots=True)`."""

import copy
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.frozen import frozen

Maker = Callable[[type], Any]
MAKERS = {"frozen": frozen, "dataclass": dataclass(frozen=True, slots=True)}


@frozen
class Point:
    """At the top of a module, as pickle wants it."""

    x: int
    y: int = 0


def base(make: Maker) -> Any:
    class Thing:
        """Has fields of every sort."""

        KNOWN: ClassVar[int] = 7
        name: str
        number: int = 3
        items: list[int] = field(default_factory=list)
        hidden: str = field(default="", repr=False)
        noted: str = field(default="", compare=False)

        @property
        def double(self) -> int:
            return self.number * 2

    return make(Thing)


def derived(make: Maker) -> Any:
    class More(base(make)):  # type: ignore[misc]
        """Begins with the fields of another."""

        number: int = 4
        last: str = ""

        def __post_init__(self) -> None:
            if self.last == "bad":
                raise ValueError(self.name)

    return make(More)


def single(make: Maker) -> Any:
    class Single:
        value: int

    return make(Single)


def empty(make: Maker) -> Any:
    class Empty:
        pass

    return make(Empty)


CLASSES = (base, derived, single, empty)
both = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@pytest.mark.parametrize("define", CLASSES)
def test_is_made_of_the_same_fields(define: Callable[[Maker], Any]) -> None:
    ours, theirs = (define(make) for make in MAKERS.values())
    assert [repr(item) for item in fields(ours)] == [repr(item) for item in fields(theirs)]
    assert ours.__slots__ == theirs.__slots__
    assert ours.__match_args__ == theirs.__match_args__
    assert [str(item) for item in inspect.signature(ours).parameters.values() if item.default is item.empty] == [
        str(item) for item in inspect.signature(theirs).parameters.values() if item.default is item.empty
    ]
    assert [*inspect.signature(ours).parameters] == [*inspect.signature(theirs).parameters]


WORDS = st.sampled_from(["", "a", "b"])
SAID = st.fixed_dictionaries(
    {"name": WORDS},
    optional={"number": st.integers(0, 2), "items": st.lists(st.integers(0, 1)), "hidden": WORDS, "noted": WORDS},
)


@pytest.mark.parametrize("define", [base, derived])
@given(first=SAID, second=SAID)
def test_behaves_alike(define: Callable[[Maker], Any], first: dict[str, Any], second: dict[str, Any]) -> None:
    ours, theirs = (define(make) for make in MAKERS.values())
    assert repr(ours(**first)) == repr(theirs(**first))
    assert (ours(**first) == ours(**second)) is (theirs(**first) == theirs(**second))
    assert asdict(ours(**first)) == asdict(theirs(**first))
    changed = replace(ours(**first), **second)
    assert repr(changed) == repr(replace(theirs(**first), **second))
    assert changed.double == changed.number * 2


@both
def test_is_equal_and_hashes_by_what_is_compared(make: Maker) -> None:
    cls, other = base(make), derived(make)
    items = (1, 2)
    assert len({cls("a", 1, items), cls("a", 1, items, noted="x"), cls("a", 2, items)}) == 2
    assert cls("a") != other("a")
    assert cls("a") != "a"
    assert single(make)(1) != single(make)(1)  # two classes
    assert hash(cls("a", 1, items)) == hash(("a", 1, items, ""))
    with pytest.raises(TypeError, match="unhashable"):
        hash(cls("a"))


@both
def test_values_of_one_field_and_of_none(make: Maker) -> None:
    cls, none = single(make), empty(make)
    assert cls(1) == cls(1) != cls(2)
    assert hash(cls(1)) == hash((1,))
    assert none() == none()
    assert hash(none()) == hash(())


@both
def test_does_not_share_what_a_factory_makes(make: Maker) -> None:
    cls = base(make)
    cls("a").items.append(1)
    assert cls("a").items == []


@both
def test_cannot_be_changed(make: Maker) -> None:
    thing = base(make)("a")
    for name in ("name", "number"):
        with pytest.raises(FrozenInstanceError):
            setattr(thing, name, 1)
        with pytest.raises(FrozenInstanceError):
            delattr(thing, name)
    with pytest.raises((AttributeError, TypeError)):  # with slots, dataclass's own stumbles here
        thing.unheard_of = 1
    assert not hasattr(thing, "__dict__")
    assert (thing.name, thing.number) == ("a", 3)


@both
def test_looks_at_itself_when_it_is_made(make: Maker) -> None:
    cls = derived(make)
    assert cls("a").number == 4
    with pytest.raises(ValueError, match="a"):
        cls("a", last="bad")
    with pytest.raises(ValueError, match="b"):
        replace(cls("b"), last="bad")


@both
def test_takes_no_other_arguments(make: Maker) -> None:
    cls = base(make)
    for places, names in ((), {}), (("a",), {"unheard": 1}), (("a",), {"name": "b"}), ("abcdefg", {}):
        with pytest.raises(TypeError):
            cls(*places, **names)


@both
def test_can_be_matched(make: Maker) -> None:
    cls = base(make)
    match cls("a", 5):
        case cls(name, 5):
            assert name == "a"
        case _:
            pytest.fail("did not match")


def test_can_be_copied_and_sent() -> None:
    assert copy.deepcopy(Point(1)) == copy.copy(Point(1)) == pickle.loads(pickle.dumps(Point(1))) == Point(1, 0)


def test_does_not_replace_a_method_in_silence() -> None:
    class Own:
        """Says for itself what it is equal to."""

        name: str

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 1

    with pytest.raises(TypeError, match="Own cannot have its own __eq__"):
        frozen(Own)
