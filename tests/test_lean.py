"""What is held in little memory is the same as what pydantic makes."""

import pytest
from hypothesis import given, settings

from reconciler.kinds import KINDS
from reconciler.kinds.operation import Operation
from reconciler.kinds.primitive import Primitive
from reconciler.plan import flatten
from reconciler.state import lean
from tests.configurations import objects
from tests.strategies.resources import Objects


@settings(max_examples=40)
@given(said=objects())
def test_it_says_the_same(said: Objects) -> None:
    for (kind, _), spec in said.items():
        made = KINDS[kind].spec.model_validate(spec)
        held = lean(made)
        assert held == made
        assert held.model_dump(by_alias=True) == made.model_dump(by_alias=True)
        assert held.model_dump_json() == made.model_dump_json()
        assert list(flatten(held)) == list(flatten(made))
        assert repr(held) == repr(made)
        assert lean(held) is held
        assert held.model_copy() == made
        assert type(made).model_validate(held) == made


def primitive(**said: object) -> Primitive:
    return Primitive.model_validate({"agent": "ocf:pacemaker:Dummy", **said})


def test_what_is_said_again_is_held_once() -> None:
    one, other = (lean(primitive(operations=[{"name": "monitor", "interval": "10s"}])) for _ in range(2))
    assert one is not other
    assert one.operations is other.operations


def test_a_copy_with_other_values_leaves_the_first_alone() -> None:
    first = lean(primitive(params={"a": "1"}))
    second = first.model_copy(update={"description": "x", "params": ()})
    assert (first.description, second.description) == (None, "x")
    assert first.params[0].values == {"a": "1"}
    assert first != second
    assert second == Primitive.model_construct(agent="ocf:pacemaker:Dummy", description="x")


def test_parts_without_tables_can_be_hashed_and_those_with_some_cannot() -> None:
    made = Operation.model_validate({"name": "start", "timeout": "20s"})
    assert hash(lean(made)) == hash(made)
    with pytest.raises(TypeError):
        hash(lean(primitive(params={"a": "1"})))


def test_parts_of_two_sorts_are_never_equal() -> None:
    assert Primitive.model_construct() != Operation.model_construct(name="start")
    assert (Primitive.model_construct() == 1) is False
