from collections.abc import Callable, Iterator
from shutil import which
from string import ascii_letters, digits
from xml.etree import ElementTree as ET

import pytest
import sh
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cib import values
from tests.cib.pacemaker_libraries import Pacemaker
from tests.programs import absent

integers = st.integers(-(10**7), 10**7)
blank = st.sampled_from(["", " ", "\t"])
printable = st.text(ascii_letters + digits + " +-.%:\t\nµ", max_size=12)


def cased(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return words.flatmap(lambda word: st.sampled_from([word, word.upper(), word.capitalize(), word.swapcase()]))


score_texts = (
    st.builds("{}{}{:07d}{}".format, blank, st.sampled_from(["", "+"]), st.integers(0, 10**8), blank)
    | integers.map(str)
    | st.sampled_from(["INFINITY", "+INFINITY", "-INFINITY"])
)
duration_texts = st.builds(
    "{}{}{}{}".format,
    blank,
    st.integers(0, 10**9).map(str) | st.sampled_from(["007", "1.5", "0.", "3..4"]),
    blank,
    cased(st.sampled_from(["", "ms", "msec", "us", "usec", "s", "sec", "m", "min", "h", "hr", "hours", "mile"])),
)
clock_texts = st.builds(
    lambda h, m, s: "PT" + "".join(f"{n}{unit}" for n, unit in zip((h, m, s), "HMS", strict=True) if n is not None),
    *(st.none() | st.integers(0, 5000) | st.integers(0, 10**limit) for limit in (5, 7, 9)),
).filter(lambda text: text != "PT")
boolean_texts = cased(st.sampled_from(["true", "on", "yes", "y", "1", "false", "off", "no", "n", "0"]))
role_texts = cased(st.sampled_from(["started", "stopped", "master", "slave", "promoted", "unpromoted"]))


@pytest.fixture(scope="session")
def pacemaker() -> Pacemaker:
    return Pacemaker()


def test_score() -> None:
    assert [values.score(text) for text in ("INFINITY", "+INFINITY", "inf", "+inf", "1000000", "2000000")] == [
        "INFINITY"
    ] * 6
    assert [values.score(text) for text in ("-INFINITY", "-inf", "-1000000", "-9999999")] == ["-INFINITY"] * 4
    assert [values.score(text) for text in ("+5", "007", "-0", "999999", "Red")] == ["5", "7", "0", "999999", "red"]


@pytest.mark.parametrize("text", ["", "mandatory", "1.5", "7x", "0x10", "--5", "1 2", "9" * 30, "\u0665"])
def test_no_score(text: str) -> None:
    with pytest.raises(ValueError, match="is not a score"):
        values.score(text)


def test_a_stored_inf_is_not_infinity() -> None:
    with pytest.raises(ValueError, match="reads '-inf' as 0; write -INFINITY"):
        values.stored_score("-inf")


def test_boolean() -> None:
    assert [values.boolean(text) for text in ("yes", "ON", "1", "True", "y")] == ["true"] * 5
    assert [values.boolean(text) for text in ("no", "Off", "0", "FALSE", "n")] == ["false"] * 5
    for text in ("", "t", "enabled", " true", "2"):
        with pytest.raises(ValueError, match="is not a boolean"):
            values.boolean(text)


def test_duration() -> None:
    assert {values.duration(text) for text in ("10", "10s", "10000ms", "PT10S", "P10S", " 10 Sec", "10000000us")} == {
        "10s"
    }
    assert values.duration("1min") == values.duration("1M") == values.duration("PT1M") == "60s"
    assert values.duration("500ms") == "500ms"
    assert values.duration("0") == values.duration("10us") == values.duration("PT0S") == "0s"
    assert values.duration("1h") == "3600s"
    assert values.duration("60000000") == "4294967295ms"


def test_a_calendar_duration_is_equal_only_to_itself() -> None:
    assert values.duration("P1D") == "P1D" != values.duration("24h")
    assert values.duration("P1Y2M3DT4H") == "P1Y2M3DT4H"


@pytest.mark.parametrize(
    "text", ["", "s", "10x", "-5", "1d", "P", "PT", "P5", "PT5", "PT5m", "p1d", "5\vs", "\u0665", "5\u017f"]
)
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        values.duration(text)


def test_a_clock_beyond_what_pacemaker_counts_is_refused() -> None:
    for text in ("PT596524H", "PT9999999999S"):
        with pytest.raises(ValueError, match="longer than Pacemaker can count"):
            values.duration(text)


def test_timeout() -> None:
    assert values.timeout("1min") == "60s"
    for text, problem in (("PT1M", "is not a duration"), ("25h0", None), ("600h", "24 days"), ("9" * 20, "count")):
        if problem is None:
            assert values.timeout(text) == "90000s"
            continue
        with pytest.raises(ValueError, match=problem):
            values.timeout(text)


def test_role() -> None:
    assert values.role("Master") == values.role("promoted") == "Promoted"
    assert values.role("slave") == "Unpromoted"
    with pytest.raises(ValueError, match="is not a role"):
        values.role("Leader")


def test_agent() -> None:
    assert values.agent("ocf::heartbeat:IPaddr2") == values.agent("ocf:heartbeat:IPaddr2") == "ocf:heartbeat:IPaddr2"
    assert values.split_agent("ocf:pacemaker:ping") == values.Agent("ocf", "pacemaker", "ping")
    assert values.split_agent("stonith:external/sbd") == values.Agent("stonith", None, "external/sbd")
    assert values.agent("systemd:getty@tty1:x") == "systemd:getty@tty1:x"
    for text in ("IPaddr2", "ocf:IPaddr2", "ocf:heartbeat:", "ocf:", "lsb:", ":x", "", "ocf:::x"):
        with pytest.raises(ValueError, match="is not an agent"):
            values.agent(text)


def test_integer_number_and_percentage() -> None:
    assert values.integer("+005") == "5"
    assert values.number("INFINITY") == values.number("+INFINITY") == "INFINITY"
    assert values.percentage("080%") == "80%"
    for text in ("1.0", "9" * 25, "9" * 5000, "", "1e3"):
        with pytest.raises(ValueError, match=r"not an integer|not fit"):
            values.number(text)
    with pytest.raises(ValueError, match="percentage"):
        values.percentage("80")


def test_property_values() -> None:
    assert values.property_value("stonith-enabled", "No") == "false"
    assert values.property_value("no-quorum-policy", "Ignore") == "ignore"
    assert values.property_value("cluster-recheck-interval", "PT15M") == "900s"
    assert values.property_value("stonith-action", "poweroff") == "off"
    assert values.property_value("stonith-watchdog-timeout", "-7") == "-1"
    assert values.property_value("stonith-watchdog-timeout", "10000ms") == "10s"
    assert values.property_value("fencing-enabled", "1") == "true"
    assert values.property_value("batch-limit", "010") == "10"
    assert values.property_value("load-threshold", "080%") == "80%"
    assert values.property_value("my-own", "010") == "010"
    with pytest.raises(ValueError, match="stop, freeze, ignore"):
        values.property_value("no-quorum-policy", "shrug")


def test_meta_values() -> None:
    assert values.meta_value("target-role", "master") == "Promoted"
    assert values.meta_value("target-role", "Default") == "Started"
    assert values.meta_value("failure-timeout", "1min") == "60s"
    assert values.meta_value("migration-threshold", "+INFINITY") == "INFINITY"
    assert values.meta_value("resource-stickiness", "inf", written=True) == "INFINITY"
    with pytest.raises(ValueError, match="as 0"):
        values.meta_value("resource-stickiness", "inf")
    assert values.meta_name("master-max") == "promoted-max"
    assert values.meta_name("clone-max") == "clone-max"
    assert values.meta_value("master-max", "01") == "1"
    assert values.meta_value("priority", "1.0") == values.meta_value("clone-max", "1 or so") == "1"
    assert values.property_value("batch-limit", "10s") == "10"
    for name in ("priority", "clone-max"):
        with pytest.raises(ValueError, match="is not a"):
            values.meta_value(name, "1.0", written=True)
    assert values.meta_value("unheard-of", "inf", written=True) == "inf"


def test_operation_and_node_values() -> None:
    assert values.operation_value("interval", "PT10S") == values.operation_value("timeout", "10") == "10s"
    assert values.operation_value("on-fail", "Nothing") == "ignore"
    assert values.operation_value("interval-origin", "2024-05-01 08:00Z") == "2024-05-01T08:00:00Z"
    assert values.operation_value("name", "Monitor") == "Monitor"
    assert values.node_value("standby", "ON") == "true"
    assert values.node_value("pingd", "007") == "007"


def test_no_fact_about_a_known_option_is_lost() -> None:
    def options() -> Iterator[tuple[str, str, str]]:
        for daemon in ("based", "controld", "fenced", "schedulerd"):
            if (path := which(f"/usr/lib/pacemaker/pacemaker-{daemon}")) is None:
                absent("Pacemaker's daemons are not installed: the table of options is NOT compared with them")
            for parameter in ET.fromstring(str(sh.Command(path)("metadata"))).iter("parameter"):
                content = parameter.find("content")
                assert content is not None
                yield parameter.get("name", ""), content.get("type", ""), content.get("default", "")

    unknown = {
        name
        for name, kind, default in options()
        if not name.startswith("pcmk_")
        and kind != "string"
        and not changes(lambda text, name=name: values.property_value(name, text))  # type: ignore[misc]
    }
    assert unknown == set()


def changes(canonical: Callable[[str], str]) -> bool:
    try:
        return canonical("\0") != "\0"
    except ValueError:
        return True


@pytest.mark.parametrize(
    ("canonical", "texts"),
    [
        (values.score, score_texts),
        (values.stored_score, score_texts),
        (values.duration, duration_texts | clock_texts),
        (values.boolean, boolean_texts),
        (values.role, role_texts),
        (values.integer, integers.map(str)),
        (values.stored_integer, st.builds("{}{}".format, integers, printable)),
    ],
)
def test_canonical_forms_are_fixed_points(canonical: Callable[[str], str], texts: st.SearchStrategy[str]) -> None:
    @given(texts)
    def check(text: str) -> None:
        assert canonical(canonical(text)) == canonical(text)

    check()


@given(printable)
def test_only_value_errors_escape(text: str) -> None:
    for canonical in (values.score, values.duration, values.timeout, values.boolean, values.role, values.agent):
        try:
            once = canonical(text)
        except ValueError:
            continue
        assert canonical(once) == once


class TestAgainstPacemaker:
    @given(text=st.builds("{}{}".format, integers, printable))
    def test_what_follows_a_score_is_overlooked(self, pacemaker: Pacemaker, text: str) -> None:
        assert pacemaker.score(values.stored_score(text)) == pacemaker.score(text)

    @given(one=score_texts, other=score_texts)
    def test_scores_are_equal_exactly_when_pacemaker_reads_the_same(
        self, pacemaker: Pacemaker, one: str, other: str
    ) -> None:
        same = pacemaker.score(one) == pacemaker.score(other)
        assert (values.stored_score(one) == values.stored_score(other)) == same
        assert pacemaker.score(values.stored_score(one)) == pacemaker.score(one)

    @given(one=duration_texts | clock_texts, other=duration_texts | clock_texts)
    def test_durations_are_equal_exactly_when_pacemaker_reads_the_same(
        self, pacemaker: Pacemaker, one: str, other: str
    ) -> None:
        same = pacemaker.interval(one) == pacemaker.interval(other)
        assert (values.duration(one) == values.duration(other)) == same
        assert pacemaker.interval(values.duration(one)) == pacemaker.interval(one)

    @given(text=duration_texts)
    def test_milliseconds(self, pacemaker: Pacemaker, text: str) -> None:
        assert values.milliseconds(text) == pacemaker.msec(text)

    @given(text=boolean_texts | printable)
    def test_booleans(self, pacemaker: Pacemaker, text: str) -> None:
        try:
            ours: bool | None = values.boolean(text) == "true"
        except ValueError:
            ours = None
        assert ours == pacemaker.boolean(text)

    @given(text=role_texts | printable)
    def test_roles(self, pacemaker: Pacemaker, text: str) -> None:
        try:
            ours = values.role(text)
        except ValueError:
            ours = "Unknown"
        assert ours == pacemaker.role(text)

    @given(text=printable)
    def test_what_is_refused_as_a_duration_pacemaker_cannot_read_either(self, pacemaker: Pacemaker, text: str) -> None:
        try:
            values.milliseconds(text)
        except ValueError:
            assert pacemaker.msec(text) < 0
