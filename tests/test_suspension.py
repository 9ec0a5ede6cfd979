"""Suspended: what counts, until when, what is said, and the verbs on a CIB file with Pacemaker's own tools."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler import freeze
from reconciler.cib import register
from reconciler.cib.document import parse
from reconciler.cib.register import Approval, Register, Suspension
from reconciler.cli import cli
from reconciler.freeze import FreezeError
from reconciler.host import store
from reconciler.host.shell import Shell
from reconciler.plan import Reason
from reconciler.settings import Settings
from reconciler.state import Scope
from reconciler.suspension import holds, in_force, moment, restored, stored, until, worded
from tests.bench.large import empty_cib
from tests.programs import need, run

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC).timestamp()
UPDATE = Suspension(int(NOW), int(NOW) + 7200, "root@n1", "kernel update")


def test_everything_is_held_and_the_message_says_what_to_do() -> None:
    found = holds(Register(UPDATE), None, NOW)
    assert [(hold.reason, hold.scope, hold.ref) for hold in found] == [
        (Reason.SUSPENDED, Scope.CLUSTER, None),
        (Reason.SUSPENDED, Scope.NODE, None),
    ]
    assert found[0].message == "until 2026-11-24T08:00:00Z by root@n1: kernel update; `reconciler resume` ends it"


def test_what_is_over_does_not_count() -> None:
    assert holds(Register(UPDATE), None, UPDATE.until - 1)
    assert holds(Register(UPDATE), UPDATE, UPDATE.until) == ()
    assert holds(Register(), None, NOW) == ()


def test_of_the_clusters_and_the_nodes_own_the_longer_one_counts() -> None:
    longer = Suspension(int(NOW), int(NOW) + 9000, "root@n2", "cut off")
    assert in_force(Register(UPDATE), longer, NOW) == longer
    assert in_force(Register(longer), UPDATE, NOW) == longer
    assert in_force(Register(), UPDATE, NOW) == UPDATE
    assert in_force(Register(UPDATE), longer, UPDATE.until) == longer


def test_what_cannot_be_read_is_taken_for_a_suspension_without_end() -> None:
    damaged = Register(unreadable=(("reconciler-suspended", "until tomorrow"),))
    (hold, _) = holds(damaged, None, NOW)
    assert hold.message == (
        "what the register says under reconciler-suspended cannot be read; `reconciler resume` removes it"
    )
    kept = restored("nonsense", "/var/lib/reconciler/suspended.json")
    (hold, _) = holds(Register(), kept, NOW)
    assert hold.message == "/var/lib/reconciler/suspended.json cannot be read; `reconciler resume` removes it"
    assert restored({**stored(UPDATE), "until": "soon"}, "f").reason == "f cannot be read"


def test_what_is_kept_in_a_file_is_read_again() -> None:
    assert restored(json.loads(json.dumps(stored(UPDATE))), "f") == UPDATE


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2h", "2026-11-24T08:00:00Z"),
        ("90min", "2026-11-24T07:30:00Z"),
        (" 45m ", "2026-11-24T06:45:00Z"),
        ("2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z"),
        ("2026-11-24T08:00+01:00", "2026-11-24T07:00:00Z"),
        ("2026-11-24 08:00:00+00:00", "2026-11-24T08:00:00Z"),
    ],
)
def test_when_it_ends(text: str, end: str) -> None:
    assert moment(until(text, NOW)) == end


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2", "has no unit: write 2min or 2h"),
        ("0s", "is over already"),
        ("2026-11-24T05:00:00Z", "is over already"),
        ("2026-11-24T08:00:00", "does not say in which time zone"),
        ("2026-13-24T08:00:00Z", "is neither a time such as"),
        ("tomorrow", "is neither a duration such as"),
        ("-2h", "is neither"),
        ("", "is neither"),
        ("10000h", "is more than a year ahead"),
        ("9998-01-01T00:00:00Z", "is more than a year ahead"),
    ],
)
def test_what_is_no_end(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".*") as caught:
        until(text, NOW)
    assert said in str(caught.value)


def test_a_reason_is_one_line_and_not_empty() -> None:
    assert worded(" kernel\n update ") == "kernel update"
    for text, said in ((" \n", "is empty"), ("x" * 201, "has 201 characters: at most 200")):
        with pytest.raises(ValueError, match=said):
            worded(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    need("cibadmin")
    path = tmp_path / "cib.xml"
    path.write_text(empty_cib(), encoding="utf-8")
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state", node="n2")


@pytest.fixture
def shell(file: Path) -> Shell:
    return Shell(extra={"CIB_file": str(file)})


def kept(file: Path) -> Register:
    return register.read(parse(file.read_text()))


@pytest.fixture
def someone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ada")


@pytest.mark.usefixtures("someone")
def test_suspend_and_resume_write_the_register(file: Path, settings: Settings, shell: Shell) -> None:
    done = freeze.suspend(settings, shell, "kernel update", "2h")
    assert done.everywhere
    assert done.message.startswith("suspended on all nodes until ")
    found = kept(file).suspended
    assert found is not None
    assert (found.by, found.reason, found.until - found.since) == ("ada@n2", "kernel update", 7200)
    done = freeze.resume(settings, shell)
    assert done.message.startswith("ended: suspended since ")
    assert "by ada@n2: kernel update" in done.message
    assert kept(file) == Register()
    assert "reconciler" not in file.read_text()
    assert freeze.resume(settings, shell) == freeze.Done("nothing is suspended")


@pytest.mark.usefixtures("someone")
def test_suspending_anew_keeps_since_when_and_everything_else(file: Path, settings: Settings, shell: Shell) -> None:
    approval = Approval("0123456789ab", 0, "r", "f")
    freeze.edit(shell, 10, lambda _: Register(Suspension(0, 4102444799, "bob@n1", "old"), (approval,)))
    done = freeze.suspend(settings, shell, "new", "2h")
    assert "(it was until 2099-12-31T23:59:59Z by bob@n1)" in done.message
    found = kept(file)
    assert found.approvals == (approval,)
    assert found.suspended is not None
    assert (found.suspended.since, found.suspended.by, found.suspended.reason) == (0, "ada@n2", "new")


def test_a_suspension_that_is_over_does_not_say_since_when(file: Path, settings: Settings, shell: Shell) -> None:
    freeze.edit(shell, 10, lambda _: Register(Suspension(0, 1, "bob@n1", "old")))
    assert "it was" not in freeze.suspend(settings, shell, "new", "2h").message
    found = kept(file).suspended
    assert found is not None
    assert found.since > 0
    freeze.edit(shell, 10, lambda _: Register(Suspension(0, 1, "bob@n1", "old")))
    assert freeze.resume(settings, shell).message == "nothing is suspended"
    assert kept(file) == Register()


def test_resume_removes_what_cannot_be_read(file: Path, settings: Settings, shell: Shell) -> None:
    freeze.edit(shell, 10, lambda _: Register(unreadable=(("reconciler-suspended", "until tomorrow"),)))
    done = freeze.resume(settings, shell)
    assert done.message == "removed what could not be read: reconciler-suspended = until tomorrow"
    assert kept(file) == Register()


def test_who_comes_too_late_tries_again(file: Path, settings: Settings, shell: Shell) -> None:
    """Somebody changes the configuration between each look and the first two patches."""
    asked = []

    def change(before: Register) -> Register:
        asked.append(before)
        if len(asked) < 3:
            done = run(file, "crm_attribute", "--name", f"foo-{len(asked)}", "--update", "1")
            assert done.returncode == 0, done.stderr
        return Register(UPDATE)

    freeze.edit(shell, settings.command_timeout, change)
    assert len(asked) == 3
    assert kept(file).suspended == UPDATE
    assert "foo-2" in file.read_text()


def test_without_a_cluster_this_node_alone_is_suspended(tmp_path: Path, settings: Settings) -> None:
    nowhere = Shell(extra={"CIB_file": str(tmp_path / "nowhere.xml")})
    done = freeze.suspend(settings, nowhere, "cut off", "2h")
    assert not done.everywhere
    assert done.message.startswith("ONLY THIS NODE is suspended, until ")
    assert "the cluster cannot be reached: cibadmin" in done.message
    found = store.suspension(settings.state_dir / store.SUSPENSION)
    assert found is not None
    assert found.reason == "cut off"
    done = freeze.resume(settings, nowhere)
    assert not done.everywhere
    assert done.message.startswith("this node goes on; whether the cluster is suspended nobody can say: cibadmin")
    assert store.suspension(settings.state_dir / store.SUSPENSION) is None
    with pytest.raises(FreezeError, match="this node alone is not suspended"):
        freeze.resume(settings, nowhere)


def test_what_was_for_this_node_alone_ends_with_the_clusters(
    tmp_path: Path, file: Path, settings: Settings, shell: Shell
) -> None:
    nowhere = Shell(extra={"CIB_file": str(tmp_path / "nowhere.xml")})
    freeze.suspend(settings, nowhere, "cut off", "2h")
    assert freeze.suspend(settings, shell, "now for all", "2h").everywhere
    assert store.suspension(settings.state_dir / store.SUSPENSION) is None
    freeze.suspend(settings, nowhere, "cut off", "2h")
    assert freeze.resume(settings, shell).everywhere
    assert store.suspension(settings.state_dir / store.SUSPENSION) is None
    assert kept(file) == Register()


def test_what_cannot_be_written_anywhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    settings = Settings(state_dir=tmp_path / "state")
    nowhere = Shell(extra={"CIB_file": str(tmp_path / "nowhere.xml")})
    with pytest.raises(FreezeError, match="and this node cannot be suspended alone"):
        freeze.suspend(settings, nowhere, "cut off", "2h")


def test_an_id_that_is_taken_is_an_error(file: Path, settings: Settings, shell: Shell) -> None:
    dummy = '<primitive id="reconciler" class="ocf" provider="pacemaker" type="Dummy"/>'
    file.write_text(file.read_text().replace("<resources/>", f"<resources>{dummy}</resources>"))
    with pytest.raises(FreezeError, match="belongs to another object"):
        freeze.suspend(settings, shell, "kernel update", "2h")
    assert store.suspension(settings.state_dir / store.SUSPENSION) is None


def command(tmp_path: Path, *words: str) -> tuple[int, str, str]:
    config = tmp_path / "settings.toml"
    config.write_text(f'state_dir = "{tmp_path}/state"\n')
    result = CliRunner().invoke(cli, ["--config", str(config), *words], prog_name="reconciler")
    return result.exit_code, result.stdout, result.stderr


def test_the_command_line_says_what_is_wrong(tmp_path: Path) -> None:
    code, _, said = command(tmp_path, "suspend", "--reason", "x", "--until", "soon")
    assert (code, said) == (
        1,
        "'soon' is neither a duration such as 90min or 2h nor a time such as 2026-11-24T08:00:00Z\n",
    )
    code, _, said = command(tmp_path, "suspend", "--reason", " ", "--until", "2h")
    assert (code, said.partition(":")[0]) == (1, "the reason is empty")
    code, _, said = command(tmp_path, "suspend", "--until", "2h")
    assert "--reason" in said
    assert code != 0
