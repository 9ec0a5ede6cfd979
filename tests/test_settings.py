"""The settings file: what may be said, and what is said about what may not."""

from pathlib import Path

import pytest

from reconciler.policy import Rules
from reconciler.settings import Settings, SettingsError, load


def loaded(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def fault(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)
    return [line.removeprefix(f"{tmp_path}/settings.toml: ") for line in str(caught.value).splitlines()]


def test_nothing_needs_to_be_said(tmp_path: Path) -> None:
    assert loaded(tmp_path, "") == Settings()


def test_everything_can_be_said(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """
        desired = "/srv/desired"
        node = "a"
        mode = "observe"
        resync = "2min"
        settle = "75ms"
        command_timeout = 5
        log_format = "json"
        [http]
        listen = "[::1]:9000"
        [guards]
        prune = false
        deletion_budget = 0
        disruption_budget = 1
        settle_timeout = "90s"
        revert = true
        """,
    )
    assert (settings.desired, settings.node, settings.mode) == (Path("/srv/desired"), "a", "observe")
    assert (settings.resync, settings.settle, settings.command_timeout) == (120, 0.075, 5)
    assert settings.http.listen == "[::1]:9000"
    assert settings.rules == Rules("observe", False, 0, 1, 90, True)


def test_the_rules_without_a_policy_are_those_of_the_settings() -> None:
    assert Settings().rules == Rules()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('resnyc = "3s"', "resnyc: unknown key; did you mean 'resync'?"),
        ('[http]\nlitsen = ""', "http.litsen: unknown key; did you mean 'listen'?"),
        ("xyz = 1", "xyz: unknown key; expected one of desired, state_dir, runtime_dir"),
        ('mode = "dry-run"', "mode: expected 'enforce' or 'observe'"),
        ('resync = "soon"', "resync: 'soon' is not a duration: expected a number and one of ms, s, min, h"),
        ("resync = 0", "resync: expected greater than 0"),
        ("resync = inf", "resync: expected a finite number"),
        ("resync = nan", "resync: "),
        ("resync = true", "resync: expected a valid number"),
        ("desired = 5", "desired: expected a path"),
        ('desired = ""', "desired: expected a path"),
        ("guards = 3", "guards: expected a table"),
        ('[guards]\nprune = "no"', "guards.prune: expected a valid boolean"),
        ("[guards]\ndeletion_budget = -1", "guards.deletion_budget: expected greater than or equal to 0"),
        ('[http]\nlisten = "9977"', "http.listen: expected host:port, [IPv6 address]:port, or an empty text"),
        ('[http]\nlisten = "localhost:99999"', "http.listen: there is no port above 65535"),
        ("mode = [", "not TOML: "),
    ],
)
def test_what_may_not_be_said_is_named_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    [line] = fault(tmp_path, text)
    assert line.startswith(said)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    assert [line.partition(":")[0] for line in fault(tmp_path, 'mode = "x"\nresync = "x"\n[http]\nx = 1')] == [
        "mode",
        "resync",
        "http.x",
    ]


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing.toml: cannot be read: No such file or directory$"):
        load(tmp_path / "missing.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"binary.toml: cannot be read: not UTF-8 at byte 0$"):
        load(binary)
