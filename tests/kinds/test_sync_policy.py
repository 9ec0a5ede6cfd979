"""SyncPolicy: what it may say, what is said about what it may not, and what holds together with the settings."""

from datetime import timedelta

import pytest

from reconciler.health import health
from reconciler.manifests import load
from reconciler.plan import Plan
from reconciler.policy import Rules, overlaid
from reconciler.state import API_VERSION, Ref, State
from reconciler.status import HEALTHY, SYNCED, Pass, conclude

HEAD = f'apiVersion = "{API_VERSION}"\nkind = "SyncPolicy"\nmetadata.name = "main"\n'
WINDOW = '[[spec.windows]]\nstart = "02:00"\nduration = "4h"\n'


def faults(text: str) -> list[str]:
    return [
        str(fault).removeprefix("a.toml: SyncPolicy/main: ") for fault in load({"a.toml": HEAD + text}, "").rejected
    ]


def state(text: str) -> State:
    desired = load({"a.toml": HEAD + text}, "")
    assert not desired.rejected
    return desired.state


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('spec.mode = "dry-run"', "spec.mode: 'dry-run': expected 'enforce' or 'observe'"),
        (
            'spec.kinds = { Primitiv = "observe" }',
            "spec.kinds.Primitiv: 'Primitiv' is no kind to enforce; did you mean",
        ),
        ('spec.kinds = { SyncPolicy = "observe" }', "spec.kinds.SyncPolicy: 'SyncPolicy' is no kind to enforce"),
        ('spec.kinds = { Location = "off" }', "spec.kinds.Location: 'off': expected 'enforce' or 'observe'"),
        ("spec.prune = 1", "spec.prune: expected true or false, not a number"),
        ("spec.deletion-budget = -1", "spec.deletion-budget: -1: expected 0 or more"),
        ("spec.deletion-budget = true", "spec.deletion-budget: expected a whole number, not a boolean"),
        ("spec.disruption-budget = 1.5", "spec.disruption-budget: expected a whole number, not a number"),
        ("spec.deletion_budget = 1", "spec.deletion_budget: unknown key; did you mean 'deletion-budget'?"),
        ('spec.settle-timeout = "soon"', "spec.settle-timeout: 'soon' is not a duration"),
        ('spec.settle-timeout = "0s"', "spec.settle-timeout: '0s' is no time at all"),
        ('spec.settle-timeout = "PT5M"', "spec.settle-timeout: 'PT5M' is not a duration"),
        (f'{WINDOW}days = ["Sat", "Caturday"]', "spec.windows[0].days[1]: 'Caturday' is no day of the week"),
        (f'{WINDOW}days = ["Sunny"]', "spec.windows[0].days[0]: 'Sunny' is no day of the week"),
        (f"{WINDOW}days = []", "spec.windows[0].days: names no day; leave it out for every day"),
        (f'{WINDOW}time-zone = "Europe/Berlni"', "spec.windows[0].time-zone: 'Europe/Berlni' is no time zone; did you"),
        (WINDOW.replace("02:00", "2:00"), "spec.windows[0].start: '2:00' is no time of day"),
        (WINDOW.replace("02:00", "24:00"), "spec.windows[0].start: '24:00' is no time of day"),
        (WINDOW.replace("4h", "169h"), "spec.windows[0].duration: 608400s is longer than 7 days"),
        ('[[spec.windows]]\nstart = "02:00"', "spec.windows[0].duration: is missing"),
    ],
)
def test_what_it_may_not_say(text: str, said: str) -> None:
    (fault,) = faults(text if text.startswith("[[") else f"{text}\n")
    assert fault.startswith(said)


def test_there_is_one() -> None:
    other = HEAD.replace("main", "other") + "spec = {}\n"
    (fault,) = load({"a.toml": f"{HEAD}spec = {{}}\n", "b.toml": other}, "").rejected
    assert str(fault) == "b.toml: SyncPolicy/other: kind: SyncPolicy/main in a.toml is the SyncPolicy: there can be one"


def test_the_settings_hold_where_it_says_nothing() -> None:
    settings = Rules(prune=False, deletion_budget=7, disruption_budget=8, settle_timeout=9, revert=True)
    assert overlaid(settings, {}) is settings
    rules = overlaid(settings, state("spec = {}\n"))
    assert (rules.prune, rules.deletion_budget, rules.disruption_budget) == (False, 7, 8)
    assert (rules.settle_timeout, rules.revert, rules.windows) == (9, True, ())
    assert rules.source == Ref("SyncPolicy", "main")


def test_what_it_says_holds() -> None:
    settings = Rules(prune=False, deletion_budget=7, disruption_budget=8, revert=True)
    said = 'prune = true\ndeletion-budget = 0\ndisruption-budget = 1\nsettle-timeout = "90s"\nrevert = false\n'
    rules = overlaid(settings, state(f'[spec]\n{said}{WINDOW}days = ["sunday", "Mon"]\ntime-zone = "Asia/Tokyo"\n'))
    assert (rules.prune, rules.deletion_budget, rules.disruption_budget) == (True, 0, 1)
    assert (rules.settle_timeout, rules.revert) == (90, False)
    (window,) = rules.windows
    assert (window.days, window.duration, str(window.zone)) == (frozenset({0, 6}), timedelta(hours=4), "Asia/Tokyo")
    assert str(window) == "Mon,Sun 02:00 for 4h, Asia/Tokyo"


@pytest.mark.parametrize(
    ("settings", "policy", "mode", "who"),
    [
        ("enforce", "enforce", "enforce", ""),
        ("observe", "enforce", "observe", "the settings"),
        ("enforce", "observe", "observe", "SyncPolicy/main"),
        ("observe", "observe", "observe", "the settings"),
    ],
)
def test_who_wants_nothing_changed_wins(settings: str, policy: str, mode: str, who: str) -> None:
    rules = overlaid(Rules(mode=settings), state(f'spec.mode = "{policy}"\n'))  # type: ignore[arg-type]
    assert rules.mode == mode
    assert mode == "enforce" or who in rules.observed_by
    assert rules.observes("Primitive") is (mode == "observe")


def test_single_kinds_are_only_observed() -> None:
    rules = overlaid(Rules(), state('spec.kinds = { Location = "observe", Order = "enforce" }\n'))
    assert [kind for kind in ("Location", "Order", "Primitive") if rules.observes(kind)] == ["Location"]


def test_it_is_synced_and_healthy_by_being_there() -> None:
    desired = load({"a.toml": f"{HEAD}spec = {{}}\n"}, "r")
    found = conclude(Pass(desired, Plan(), health=health(desired.state, None, None, "n")), {}, 1.0)
    status = found[Ref("SyncPolicy", "main")]
    assert [(status.condition(type_).status, status.condition(type_).reason) for type_ in (SYNCED, HEALTHY)] == [
        ("True", "InSync"),
        ("True", "NothingToRun"),
    ]
