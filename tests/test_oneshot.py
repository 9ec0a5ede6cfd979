"""One-shot verbs against a cluster whose cibadmin is a small program: what a real one does is in tests/real."""

import shutil
import time
from functools import partial
from pathlib import Path

import pytest

from reconciler.cib.document import parse
from reconciler.cib.draft import draft
from reconciler.cib.register import Pause, Register, Suspension, edits
from reconciler.host import store
from reconciler.host.shell import PATH, Shell
from reconciler.oneshot import OneshotError, apply, plan, rewritten, wanted
from reconciler.plan import Reason
from reconciler.settings import Settings
from reconciler.state import Ref
from reconciler.suspension import stored

CASE = Path("tests/cases/one-parameter-drifted")


@pytest.fixture
def cibadmin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cibadmin that shows one CIB for ever, and leaves with what `code` says when it is given a patch."""
    monkeypatch.setattr("reconciler.oneshot.Shell", partial(Shell, f"{tmp_path}:{PATH}"))
    program = tmp_path / "cibadmin"
    program.write_text(
        f"""#!/bin/sh
if [ "$1" = --query ]; then exec cat {CASE.absolute() / "cib.xml"}; fi
cat >/dev/null; echo patched >>{tmp_path}/patches; exit $(cat {tmp_path}/code)
""",
        encoding="utf-8",
    )
    program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("code", "patches", "why"),
    [(0, 1, "applied in vain"), pytest.param(103, 20, "after 20 attempts", marks=pytest.mark.slow)],
)
def test_apply_ends_where_nothing_lasts(cibadmin: Path, code: int, patches: int, why: str) -> None:
    (cibadmin / "code").write_text(str(code), encoding="utf-8")
    with pytest.raises(OneshotError, match=f"^Primitive/vip: .*{why}"):
        apply(Settings(state_dir=cibadmin / "state"), CASE / "desired", None, "vm-node1", lambda _: None)
    assert (cibadmin / "patches").read_text(encoding="utf-8").count("patched") == patches


def test_apply_says_what_the_cluster_refuses(cibadmin: Path) -> None:
    (cibadmin / "code").write_text("76", encoding="utf-8")
    with pytest.raises(OneshotError, match="cibadmin failed with exit code 76"):
        apply(Settings(state_dir=cibadmin / "state"), CASE / "desired", None, "vm-node1", lambda _: None)


OBSERVE = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "SyncPolicy"
metadata.name = "policy"
spec.mode = "observe"
"""


def test_apply_goes_by_a_policy_that_only_observes(cibadmin: Path, tmp_path: Path) -> None:
    directory = tmp_path / "desired"
    shutil.copytree(CASE / "desired", directory)
    (directory / "policy.toml").write_text(OBSERVE, encoding="utf-8")
    with pytest.raises(OneshotError, match=r"^mode = observe in SyncPolicy/policy: changes are reported and not made"):
        apply(Settings(state_dir=cibadmin / "state"), directory, None, "vm-node1", lambda _: None)
    assert not (cibadmin / "patches").exists()


@pytest.mark.usefixtures("cibadmin")
def test_a_suspension_holds_what_there_is_to_change_and_only_that(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    here = Suspension(0, 4102444799, "root@a", "cut off")
    assert store.save(settings.state_dir / store.SUSPENSION, stored(here)) == ""
    drifted = plan(settings, CASE / "desired", None, "vm-node1").decision.plan
    assert {hold.reason for hold in drifted.holds} == {Reason.SUSPENDED}
    assert [str(change.ref) for change in drifted.changes] == ["Primitive/vip"]
    assert drifted.commands == ()
    left = apply(settings, CASE / "desired", None, "vm-node1", lambda _: None)
    assert {hold.reason for hold in left.holds} == {Reason.SUSPENDED}
    assert not (tmp_path / "patches").exists()
    directory = tmp_path / "desired"
    shutil.copytree(CASE / "desired", directory)
    for file in directory.glob("*.toml"):
        file.write_text(file.read_text(encoding="utf-8").replace("192.168.1.60", "192.168.1.99"), encoding="utf-8")
    in_sync = plan(settings, directory, None, "vm-node1").decision.plan
    assert (in_sync.changes, in_sync.holds) == ((), ())


def test_what_is_left_alone_after_harm_is_left_alone_by_a_person_s_apply_too(cibadmin: Path) -> None:
    """In a file, where nothing has time to wait for, it is a warning."""
    vip, now = Ref("Primitive", "vip"), int(time.time())
    pause = Pause(wanted(CASE / "desired").revision, vip, now, now + 3600, "its last correction broke httpd")
    cib = parse((CASE / "cib.xml").read_text(encoding="utf-8"))
    file = cibadmin / "cib.xml"
    file.write_text(rewritten(cib, draft(cib, edits(cib, Register(pauses=(pause,))))), encoding="utf-8")
    program = cibadmin / "cibadmin"
    program.write_text(program.read_text(encoding="utf-8").replace(str(CASE.absolute()), str(cibadmin)))
    settings = Settings(state_dir=cibadmin / "state")
    left = apply(settings, CASE / "desired", None, "vm-node1", lambda _: None)
    (hold,) = left.holds
    assert (hold.ref, hold.reason, left.changes) == (vip, Reason.BACKING_OFF, ())
    assert not (cibadmin / "patches").exists()
    planned = plan(settings, CASE / "desired", file, "vm-node1").decision.plan
    assert [change.ref for change in planned.changes] == [vip]
    (warning,) = [text for text in planned.warnings if "on a live cluster" in text]
    assert warning.startswith(
        "on a live cluster this is held: Primitive/vip: BackingOff: its last correction broke httpd"
    )
