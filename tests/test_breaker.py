"""A quarrel about a field is left alone for a while."""

from reconciler.breaker import LIMIT, LONGEST, PAUSE, WINDOW, Breaker
from reconciler.kinds.location import Location
from reconciler.plan import Change, Reason
from reconciler.state import Ref

REF = Ref("Location", "here")


def correction(before: int = 7, after: int = 100, ref: Ref = REF) -> Change:
    old, new = (Location.model_validate({"resource": "r", "node": "n", "score": score}) for score in (before, after))
    return Change(ref, old, new)


def quarrel(breaker: Breaker, since: float, times: int = LIMIT, every: float = 0.2) -> tuple[Breaker, float]:
    """Correct so many times; gives also the time of the last."""
    for number in range(times):
        breaker = breaker.after("a", [correction()], since + number * every)
    return breaker, since + (times - 1) * every


def test_the_thirtieth_correction_within_a_minute_is_the_last_for_a_while() -> None:
    breaker, now = quarrel(Breaker(), 0, LIMIT - 1)
    assert breaker.holds("a", now) == {}
    breaker, now = quarrel(Breaker(), 0)
    hold = breaker.holds("a", now)[REF]
    assert hold.reason is Reason.OSCILLATING
    assert hold.message.startswith("score was corrected 30 times within 60 s and somebody else changes it back")
    assert breaker.holds("a", now + PAUSE) == {}


def test_a_clock_that_is_set_back_ends_the_pause() -> None:
    breaker, now = quarrel(Breaker(), 100_000)
    assert breaker.holds("a", now)
    assert breaker.holds("a", now - 50_000) == {}


def test_rare_corrections_are_no_quarrel() -> None:
    breaker, now = quarrel(Breaker(), 0, 10 * LIMIT, WINDOW / (LIMIT - 2))
    assert breaker.holds("a", now) == {}


def test_corrections_to_different_values_are_no_quarrel() -> None:
    breaker = Breaker()
    for number in range(10 * LIMIT):
        breaker = breaker.after("a", [correction(number, number + 1)], number / 10)
    assert breaker.holds("a", LIMIT) == {}


def test_only_the_object_of_the_quarrel_is_left_alone() -> None:
    breaker, now = quarrel(Breaker(), 0)
    breaker = breaker.after("a", [correction(ref=Ref("Location", "there"))], now)
    assert set(breaker.holds("a", now)) == {REF}


def test_the_pause_doubles_while_the_quarrel_goes_on_and_is_short_again_after_peace() -> None:
    breaker, now = Breaker(), 0.0
    lengths = []
    for _ in range(6):
        breaker, now = quarrel(breaker, now)
        lengths.append(breaker.pauses[REF].length)
        now = breaker.pauses[REF].until
    assert lengths == [30, 60, 120, 240, 300, 300]
    breaker, now = quarrel(breaker, now + LONGEST + 1)
    assert breaker.pauses[REF].length == PAUSE


def test_a_new_revision_ends_the_pause() -> None:
    breaker, now = quarrel(Breaker(), 0)
    assert breaker.holds("b", now) == {}
    assert breaker.after("b", [correction()], now).holds("b", now) == {}


def test_a_clock_that_is_set_back_does_not_lengthen_the_pause() -> None:
    breaker, now = quarrel(Breaker(), 10_000)
    assert breaker.holds("a", now)
    assert breaker.holds("a", now - 5_000) == {}


def test_what_is_long_past_is_forgotten() -> None:
    breaker, now = quarrel(Breaker(), 0)
    assert breaker.after("a", [], now + LONGEST + PAUSE + WINDOW) == Breaker("a")
