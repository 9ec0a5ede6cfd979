"""Since when there is what people set by hand: as the agent saw it, or as old CIBs tell."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from reconciler.cib.document import Cib, parse
from reconciler.kinds.observe import Observed
from reconciler.overrides import (
    Age,
    Mark,
    ages,
    dump,
    lapse,
    load,
    look_back,
    passing,
    with_expiry,
    word,
    words,
)
from reconciler.plan import Override
from reconciler.state import Ref
from tests.observations import DUMMY, cib, observation

NOW = datetime(2026, 11, 23, 12).timestamp()  # noqa: DTZ001 - Pacemaker writes local time
STOPPED = DUMMY.replace(
    "/>",
    '><meta_attributes id="m"><nvpair id="m-t" name="target-role" value="Stopped"/></meta_attributes></primitive>',
)
BAN = '<rsc_location id="cli-ban-r-on-a" rsc="r" node="a" score="-INFINITY"/>'
STOP = Override(Ref("Primitive", "r"), "meta.target-role", "Stopped")
BANNED = Override(Ref("Location", "cli-ban-r-on-a"), "constraint", "location cli-ban-r-on-a r -inf: a")


def version(hour: int, resources: str = DUMMY, constraints: str = "") -> Cib:
    written = datetime(2026, 11, 23, hour).strftime("%a %b %d %H:%M:%S %Y")  # noqa: DTZ001
    return parse(cib(resources, constraints=constraints, cib_last_written=written))


def live(resources: str = STOPPED, constraints: str = BAN) -> Observed:
    found = observation(cib(resources, constraints=constraints, cib_last_written="Mon Nov 23 11:00:00 2026")).cluster
    assert found
    return found


def hour(age: Age) -> int:
    return datetime.fromtimestamp(age.since).hour  # noqa: DTZ006


def test_what_the_agent_saw_come_is_as_old_as_that() -> None:
    known = ages({}, [STOP], 10.0, {}, watched=True)
    assert known == {Mark.of(STOP): Age(10.0, exact=True)}
    assert ages(known, [STOP], 99.0, {}, watched=True) == known
    other = replace(STOP, value="Started")
    assert ages(known, [other], 99.0, {}, watched=True) == {Mark.of(other): Age(99.0, exact=True)}
    assert ages(known, [], 99.0, {}, watched=True) == {}


def test_what_was_there_before_is_at_least_as_old_or_as_old_cibs_say() -> None:
    assert ages({}, [STOP], 10.0, {}, watched=False) == {Mark.of(STOP): Age(10.0, exact=False)}
    found = {Mark.of(STOP): Age(3.0, exact=True)}
    assert ages({}, [STOP], 10.0, found, watched=False) == found


def test_old_cibs_say_when_it_came() -> None:
    old = [version(10, STOPPED, BAN), version(9, STOPPED), version(8, STOPPED), version(7), version(6, STOPPED)]
    found = look_back([STOP, BANNED], live(), old, NOW)
    assert {mark.field: (hour(age), age.exact) for mark, age in found.items()} == {
        "meta.target-role": (8, True),
        "constraint": (10, True),
    }


def test_where_old_cibs_do_not_reach_far_enough_it_may_be_older() -> None:
    found = look_back([STOP], live(), [version(10, STOPPED), version(9, STOPPED)], NOW)
    assert {hour(age): age.exact for age in found.values()} == {9: False}
    assert {hour(age): age.exact for age in look_back([STOP], live(), [], NOW).values()} == {11: False}
    assert look_back([replace(STOP, ref=Ref("Primitive", "gone"))], live(), [version(10)], NOW) == {}


def test_what_came_with_the_newest_version_came_then() -> None:
    found = look_back([STOP], live(), [version(10)], NOW)
    assert {hour(age): age.exact for age in found.values()} == {11: True}
    clock_ahead = look_back([STOP], live(), [version(10)], NOW - 7200)
    assert [age.since for age in clock_ahead.values()] == [NOW - 7200]


def test_no_more_is_read_than_needed() -> None:
    def versions() -> Iterator[Cib]:
        yield version(10)
        raise AssertionError("one was enough")

    assert look_back([STOP], live(), versions(), NOW)
    assert look_back([], live(), versions(), NOW) == {}


def test_a_lifetime_that_is_over_is_said() -> None:
    rule = (
        '<rsc_location id="cli-prefer-r" rsc="r"><rule id="ru" score="INFINITY" boolean-op="and">'
        '<expression id="e" attribute="#uname" operation="eq" value="a"/>'
        '<date_expression id="d" operation="lt" end="{}"/></rule></rsc_location>'
    )
    prefer = Override(Ref("Location", "cli-prefer-r"), "constraint", "…")

    def expired(end: str) -> bool:
        seen = observation(cib(DUMMY, constraints=rule.format(end)))
        aged = with_expiry({Mark.of(prefer): Age(1.0, exact=True)}, [prefer], seen.status, 1_790_000_000.0)
        return aged[Mark.of(prefer)].expired

    assert expired("2026-09-21 00:00:00Z")
    assert not expired("2026-09-22 00:00:00Z")
    assert expired("2026-09-21 15:00:00 +02:00")
    assert not expired("2026-09-21 17:00:00 +02:00")
    assert not expired("some day")
    assert with_expiry({Mark.of(BANNED): Age(1.0, exact=True)}, [BANNED], None, 9e9)[Mark.of(BANNED)] == Age(1.0, True)


@pytest.mark.parametrize(
    ("field", "value", "forgotten"),
    [
        ("meta.target-role", "Stopped", True),
        ("meta.target-role", "Started", False),
        ("meta.is-managed", "false", True),
        ("attributes.standby", "on", True),
        ("attributes.standby", "off", False),
        ("properties.maintenance-mode", "true", True),
        ("properties.batch-limit", "3", False),
        ("constraint", "location …", True),
    ],
)
def test_what_is_meant_for_a_while_is_told_apart(field: str, value: str, forgotten: bool) -> None:
    override = Override(Ref("Primitive", "r"), field, value)
    assert passing(override) is forgotten
    assert word(override) == field.rpartition(".")[2]


def test_ages_are_said_in_words() -> None:
    assert [lapse(seconds) for seconds in (-5, 0.9, 59, 60, 7200, 260_000)] == ["0s", "0s", "59s", "1m", "2h", "3d"]
    assert words(Age(0.0, exact=True), 260_000.0) == "for 3d"
    assert words(Age(0.0, exact=False, expired=True), 7200.0) == "for at least 2h, expired"


def test_they_come_back_without_the_value() -> None:
    secret = replace(STOP, value="geheim")
    kept = dump({Mark.of(secret): Age(7.0, exact=True), Mark.of(BANNED): Age(8.0, exact=False)})
    assert "geheim" not in str(kept)
    assert load(kept) == {Mark.of(secret): Age(7.0, exact=True), Mark.of(BANNED): Age(8.0, exact=False)}
    assert load([5, {}, *kept[:1]]) == {Mark.of(secret): Age(7.0, exact=True)}
    assert load(None) == {}
