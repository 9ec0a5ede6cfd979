"""Events: bounded, counted, none of the newest lost, the same after a restart."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.events import MOST, PER_OBJECT, Edited, Event, Ledger, Source, Teller, Type, dump, edited, load, words
from reconciler.plan import FieldChange, Verb
from reconciler.state import Ref

ME = Source("reconciler", "a")
VIP = Ref("Primitive", "vip")


def happened(at: float, message: str = "m", name: str = "vip", *, warning: bool = False) -> Event:
    tell, ref = Teller(ME, at), Ref("Primitive", name)
    return tell.warning(ref, "Failed", message) if warning else tell.normal(ref, "Applied", message)


streams = st.lists(
    st.builds(
        lambda message, name, warning: (str(message), f"p{name}", warning),
        st.integers(0, 25),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=120,
).map(lambda parts: [happened(float(at), *part[:2], warning=part[2]) for at, part in enumerate(parts)])


@given(streams, st.lists(st.integers(1, 7), max_size=40))
def test_it_makes_no_difference_in_which_portions_events_come(news: list[Event], sizes: list[int]) -> None:
    ledger, rest = Ledger(), news
    for size in sizes:
        ledger, rest = ledger.after(rest[:size]), rest[size:]
    assert ledger.after(rest).events == Ledger().after(news).events


@given(streams)
def test_the_newest_of_each_object_stay_in_order_and_count_their_returns(news: list[Event]) -> None:
    kept = Ledger().after(news).events
    assert [item.last for item in kept] == sorted(item.last for item in kept)
    for name in {item.ref.name for item in news}:
        mine = [item for item in news if item.ref.name == name]
        left = [item for item in kept if item.ref.name == name]
        newest = list(dict.fromkeys((item.type, item.message) for item in reversed(mine)))[:PER_OBJECT]
        assert [(item.type, item.message) for item in reversed(left)] == newest
        for item in left:
            assert 1 <= item.count <= sum(one.message == item.message and one.type == item.type for one in mine)
            assert item.first <= item.last


def test_the_same_again_counts_up() -> None:
    ledger = Ledger().after([happened(1.0), happened(2.0, "other"), happened(3.0)])
    assert [(item.message, item.count, item.first, item.last) for item in ledger.events] == [
        ("other", 1, 2.0, 2.0),
        ("m", 2, 1.0, 3.0),
    ]


def test_of_too_many_the_warnings_and_the_last_stay() -> None:
    warnings = [happened(at, name=f"w{at}", warning=True) for at in range(MOST - 10)]
    normal = [happened(MOST + at, name=f"n{at}") for at in range(100)]
    kept = Ledger().after([*warnings, *normal]).events
    assert len(kept) == MOST
    assert kept[-1] == normal[-1]
    assert set(warnings) <= set(kept)
    more = Ledger().after([*warnings, *(replace(item, type=Type.WARNING) for item in normal), happened(9e9)]).events
    assert len(more) == MOST
    assert more[-1].last == 9e9
    assert warnings[0] not in more


@given(streams)
def test_what_was_kept_comes_back(news: list[Event]) -> None:
    ledger = Ledger().after(news)
    assert load(dump(ledger.events)).events == ledger.events


def test_documents_speak_kubernetes() -> None:
    change = Edited(Verb.UPDATE, (FieldChange("params.ip", "a", None),), "0.1.0", "0.2.0", "Mon Nov 23 01:19:05 2026")
    source = Source("crm_resource", "b", "root")
    (item,) = dump([Teller(source, 1.5).warning(VIP, "ChangedOutOfBand", "updated", change)])
    assert item == {
        "involvedObject": {"kind": "Primitive", "name": "vip"},
        "type": "Warning",
        "reason": "ChangedOutOfBand",
        "message": "updated",
        "source": {"component": "crm_resource", "host": "b", "user": "root"},
        "count": 1,
        "firstTimestamp": "1970-01-01T00:00:01.500Z",
        "lastTimestamp": "1970-01-01T00:00:01.500Z",
        "change": {
            "verb": "update",
            "fields": [{"path": "params.ip", "before": "a", "after": None}],
            "versions": ["0.1.0", "0.2.0"],
            "written": "Mon Nov 23 01:19:05 2026",
        },
    }


@pytest.mark.parametrize("kept", [None, {}, "x", 5, [5, None, {}, {"involvedObject": {"kind": "a", "name": "b"}}]])
def test_what_is_damaged_is_left_out(kept: Any) -> None:
    assert load(kept) == Ledger()
    whole = dump([happened(1.0)])
    assert load([*(kept if isinstance(kept, list) else ()), *whole]).events == (happened(1.0),)
    assert load([{**whole[0], "lastTimestamp": "yesterday"}]) == Ledger()


def test_an_objects_events_are_found_by_kind_in_any_case() -> None:
    ledger = Ledger().after([happened(1.0), happened(2.0, name="other")])
    assert [item.last for item in ledger.of("primitive", "vip")] == [1.0]
    assert ledger.of("primitive", "VIP") == ()


def test_no_secret_and_not_too_much_is_kept() -> None:
    fields = (FieldChange("params.passwd", "geheim", "auch"), *(FieldChange(f"p{n}", None, "1") for n in range(20)))
    made = edited(Verb.UPDATE, fields)
    assert "geheim" not in str(made)
    assert len(made.fields) == 8
    assert words(made, 13) == (
        "params.passwd: (hidden) -> (hidden), " + ", ".join(f"p{n}: (absent) -> 1" for n in range(7)) + ", and 13 more"
    )
    assert words(edited(Verb.CREATE, fields[1:2])) == "p0: 1"
    assert words(edited(Verb.DELETE, fields[:1])) == "params.passwd: (hidden)"
    assert len(happened(1.0, "x" * 5000).message) == 400
