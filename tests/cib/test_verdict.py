import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cib.verdict import CLEAN, Verdict, VerifyError, verify

ERRORS = "crm_verify: Errors found during check: config not valid\n"
WARNINGS = "crm_verify: Warnings found during check: config may not be valid\n"


def test_nothing_said_and_no_exit_code_is_clean() -> None:
    assert verify("", "", 0) == CLEAN


def test_errors_and_warnings_are_told_apart_by_their_words() -> None:
    stderr = (
        "(unpack_resources) \terror: Resource start-up disabled since no STONITH resources have been defined\n"
        "(unpack_config) \twarning: Blind faith: not fencing unseen nodes\n" + ERRORS
    )
    assert verify("", stderr, 78) == Verdict(
        ("Resource start-up disabled since no STONITH resources have been defined",),
        ("Blind faith: not fencing unseen nodes",),
    )


@pytest.mark.parametrize("code", [0, 78])
def test_the_exit_code_turns_no_warning_into_an_error(code: int) -> None:
    stderr = "(pcmk__unpack_constraints) \twarning: Support for 'lifetime' is deprecated\n" + WARNINGS
    assert verify("", stderr, code) == Verdict((), ("Support for 'lifetime' is deprecated",))


def test_an_error_counts_though_the_exit_code_is_0() -> None:
    assert verify("", "error: Ignoring constraint 'x'\n", 0).errors == ("Ignoring constraint 'x'",)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_later_releases_leave_out_the_function_s_name(stream: str) -> None:
    said = {"stdout": "", "stderr": ""} | {stream: "error: one\nwarning: two: three\n"}
    assert verify(said["stdout"], said["stderr"], 78) == Verdict(("one",), ("two: three",))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "Entity: line 2: element bogus: Relax-NG validity error : Did not expect element bogus there",
            "element bogus: Did not expect element bogus there",
        ),
        (
            'element rsc_location: validity error : IDREF attribute rsc references an unknown ID "x"',
            'element rsc_location: IDREF attribute rsc references an unknown ID "x"',
        ),
        (
            "unknown.xml:14: element nvpair: Relax-NG validity error : Element nvpair failed to validate attributes",
            "element nvpair: Element nvpair failed to validate attributes",
        ),
    ],
)
def test_schema_errors_are_named_without_the_line_s_number(line: str, text: str) -> None:
    assert [str(item) for item in verify("", f"{line}\n{ERRORS}", 78).invalid] == [text]


@pytest.mark.parametrize(
    ("stderr", "code", "why"),
    [
        ("crm_verify: Couldn't parse input from STDIN.\n", 1, "exit code 1: Couldn't parse input from STDIN."),
        ("", -6, "exit code -6"),
        (ERRORS + "-V may provide more details\n", 78, "exit code 78: -V may provide more details"),
    ],
)
def test_failing_without_a_finding_is_no_verdict(stderr: str, code: int, why: str) -> None:
    with pytest.raises(VerifyError, match=why):
        verify("", stderr, code)


def test_what_was_wrong_already_is_not_the_plan_s_fault() -> None:
    baseline = Verdict(("a", "b"), ("w",))
    assert Verdict(("a", "c", "b"), ("w", "v")).beyond(baseline) == Verdict(("c",), ("v",))
    assert baseline.beyond(baseline) == CLEAN


def test_a_second_error_of_the_same_words_is_new() -> None:
    assert Verdict(("a", "a")).beyond(Verdict(("a",))) == Verdict(("a",))


CHECKED = '<a>\n<alerts>\n<alert id="mail"/>\n</alerts>\n<tag id="t">\n<obj_ref id="mail"/>\n</tag>\n</a>'
DANGLING = 'Entity: line 6: element obj_ref: validity error : IDREF attribute id references an unknown ID "{}"\n'
UNKNOWN = "Entity: line 2: element alerts: Relax-NG validity error : Element a has extra content: alerts\n"


def test_a_reference_to_what_the_schema_does_not_know_is_only_a_consequence() -> None:
    told = verify("", UNKNOWN + DANGLING.format("mail") + DANGLING.format("nobody"), 78, CHECKED).invalid
    assert [str(item).partition(": ")[0] for item in told] == ["element alerts", "element obj_ref"]
    assert "nobody" in str(told[1])
    assert len(verify("", DANGLING.format("mail"), 78, CHECKED).invalid) == 1


TEXTS = st.lists(st.sampled_from("abcd"), max_size=8).map(tuple)


@given(TEXTS, TEXTS)
def test_baseline_and_what_is_beyond_it_hold_all_that_is_said(said: tuple[str, ...], known: tuple[str, ...]) -> None:
    new = Verdict(said).beyond(Verdict(known)).errors
    for text in "abcd":
        assert new.count(text) == max(0, said.count(text) - known.count(text))
