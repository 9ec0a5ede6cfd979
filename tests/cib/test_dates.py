import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.cib.dates import moment
from tests.cib.pacemaker_libraries import Pacemaker

day_texts = st.dates().flatmap(
    lambda day: st.sampled_from(
        [
            f"{day.year:04}-{day.month:02}-{day.day:02}",
            f"{day.year:04}-{day.month}-{day.day}",
            f"{day.year:04}{day.month:02}{day.day:02}",
            f"{day.year:04}-{day.timetuple().tm_yday:03}",
            "{:04}-W{:02}-{}".format(*day.isocalendar()),
        ]
    )
)
time_texts = st.times().flatmap(
    lambda clock: st.sampled_from([clock.strftime(form) for form in ("%H:%M:%S", "%H:%M", "%H", "%H%M%S", "%H%M")])
)
offset_texts = st.sampled_from(["", "Z", " Z", " +00:00", " -00:00", " +02:00", " -05:30", "  +13:45"])
moment_texts = day_texts | st.builds("{}{}{}{}".format, day_texts, st.sampled_from("T "), time_texts, offset_texts)


def test_one_instant_has_one_spelling() -> None:
    texts = ("2024-05-01 08:00 +02:00", "2024-05-01T06:00:00Z", "20240501T0600Z", "2024-122 06 Z", "2024-W18-3T06Z")
    assert {moment(text) for text in texts} == {"2024-05-01T06:00:00Z"}
    assert moment("2023-12-31 24:00 Z") == "2024-01-01T00:00:00Z"
    assert moment("Epoch") == "1970-01-01T00:00:00Z"
    assert moment("0001-02-03T04:05") == "0001-02-03T04:05:00"


def test_date_local_time_and_utc_are_different() -> None:
    assert moment("2024-5-1") == "2024-05-01"
    assert moment("2024-05-01 00:00") == "2024-05-01T00:00:00"
    assert moment("2024-05-01 00:00Z") == "2024-05-01T00:00:00Z"


@pytest.mark.parametrize("text", ["", "now", "12:00", "2024-13-01", "2021-02-29", "2021-366", "2021-W53-1", "2024"])
def test_no_date(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        moment(text)


@pytest.mark.parametrize(
    "text", ["2024-05-01 ", "2024-05-01T25:00", "2024-05-01T10:60Z", "9999-12-31T23:59 -01:00", "2024-05-01T08 +02:00"]
)
def test_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        moment(text)


@pytest.mark.parametrize("text", ["2024-05-01T08 +02:00", "2024-05-01T0800 +02:00"])
def test_an_offset_that_pacemaker_takes_for_seconds(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        moment(text)


@pytest.mark.parametrize("text", ["2024-05-01T08:00:00+02:00", "2024-05-01 08:00-05:00"])
def test_an_offset_without_a_blank_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="overlooks the offset"):
        moment(text)


@given(moment_texts)
def test_canonical_moments_are_fixed_points(text: str) -> None:
    try:
        once = moment(text)
    except ValueError:
        assume(False)
    assert moment(once) == once


@pytest.fixture(scope="module", params=["UTC", "America/New_York", "Asia/Kathmandu"])
def pacemaker(request: pytest.FixtureRequest) -> Iterator[Pacemaker]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield Pacemaker()
    time.tzset()


@given(text=moment_texts)
def test_pacemaker_reads_the_canonical_moment_as_the_same(pacemaker: Pacemaker, text: str) -> None:
    try:
        canonical = moment(text)
    except ValueError:
        assume(False)
    assert pacemaker.seconds_since_epoch(canonical) == pacemaker.seconds_since_epoch(text) is not None


@given(one=st.datetimes(), minutes=st.sampled_from([0, 1, 120, -330]), data=st.data())
def test_instants_are_equal_exactly_when_pacemaker_says_so(
    pacemaker: Pacemaker, one: datetime, minutes: int, data: st.DataObject
) -> None:
    assume(1 < one.year < 9999)
    offset = data.draw(st.sampled_from([0, 120, -330]))
    other = one.replace(microsecond=0) + timedelta(minutes=minutes)
    texts = (f"{one:%Y-%m-%d %H:%M:%S}Z".rjust(20, "0"), f"{other:%Y-%m-%d %H:%M:%S} {_offset(offset)}".rjust(26, "0"))
    same = pacemaker.seconds_since_epoch(texts[0]) == pacemaker.seconds_since_epoch(texts[1])
    assert (moment(texts[0]) == moment(texts[1])) == same == (minutes == offset)


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
