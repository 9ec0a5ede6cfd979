"""One-shot verbs against a cluster whose cibadmin is a small program: what a real one does is in tests/real."""

from functools import partial
from pathlib import Path

import pytest

from reconciler.host.shell import PATH, Shell
from reconciler.oneshot import OneshotError, apply
from reconciler.settings import Settings

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
