"""The command line on files: exit codes, formats, and what a person reads on stderr."""

import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli import cli
from reconciler.host.shell import Shell
from tests.bench.large import empty_cib

WEB = Path("crds/examples/web").absolute()


@pytest.fixture
def cib(tmp_path: Path) -> Path:
    file = tmp_path / "cib.xml"
    file.write_text(empty_cib(), encoding="utf-8")
    return file


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def plan(cib: Path, *words: str, desired: Path = WEB) -> Result:
    return run("plan", "--desired", str(desired), "--cib", str(cib), *words)


def test_validate_says_how_many_objects_are_fine() -> None:
    result = run("validate", str(WEB))
    assert (result.exit_code, result.stdout) == (0, f"{WEB}: 10 objects, no faults\n")


def test_validate_names_every_fault_on_stderr(tmp_path: Path) -> None:
    text = (WEB / "web.toml").read_text(encoding="utf-8")
    (tmp_path / "web.toml").write_text(text.replace('"httpd", with', '"htpd", with').replace("cidr", "cidr"))
    (tmp_path / "more.toml").write_text('kind = "Primitive"\n', encoding="utf-8")
    result = run("validate", str(tmp_path))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "more.toml: apiVersion: is missing, expected 'ha.reconciler.io/v1alpha1'",
    ]


def test_what_is_only_doubtful_is_a_warning_in_validate_and_plan(tmp_path: Path, cib: Path) -> None:
    text = (WEB / "cluster.toml").read_text(encoding="utf-8")
    (tmp_path / "web.toml").write_text(text.replace("stonith-enabled", "stonith-enabeld"), encoding="utf-8")
    result = run("validate", str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}: 1 object, no faults, 1 warning\n")
    place = "ClusterProperties/cib-bootstrap-options: spec.properties.stonith-enabeld"
    said = f"{place}: 'stonith-enabeld' is no cluster property that Pacemaker knows; did you mean 'stonith-enabled'?"
    assert result.stderr == f"warning: web.toml: {said}\n"
    (warning,) = json.loads(run("validate", str(tmp_path), "--format", "json").stdout)["warnings"]
    assert (warning["file"], warning["field"]) == ("web.toml", "spec.properties.stonith-enabeld")
    planned = plan(cib, desired=tmp_path)
    assert (planned.exit_code, f"    {said}\n" in planned.stdout) == (2, True)


def test_the_list_of_verbs_is_not_cut_off() -> None:
    assert "..." not in run("--help").stdout.partition("Commands:")[2]


def test_apply_shows_what_it_holds_back_and_why(cib: Path, fence: Path) -> None:
    (fence.parent / "secret").unlink()
    result = run("apply", "--desired", str(fence), "--cib", str(cib))
    assert result.exit_code == 2
    shown = result.stdout.partition("Held back, not done now:")[2]
    assert "SecretUnavailable" in shown
    assert "SecretUnavailable" in result.stderr


def test_validate_of_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    result = run("validate", str(tmp_path / "nowhere"))
    assert result.exit_code == 1
    assert "nowhere" in result.stderr


def test_validate_as_json(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("x = ", encoding="utf-8")
    result = run("validate", str(tmp_path), "--format", "json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["valid"]) == (1, False)
    assert document["rejected"][0]["file"] == "a.toml"


def test_plan_of_changes_exits_with_2_and_in_sync_with_0(cib: Path) -> None:
    first = plan(cib)
    assert first.exit_code == 2
    assert "create Primitive/httpd" in first.stdout
    applied = run("apply", "--desired", str(WEB), "--cib", str(cib))
    assert applied.exit_code == 0, applied.stderr
    second = plan(cib)
    assert (second.exit_code, second.stdout) == (0, "In sync: nothing to change.\n")


def test_plan_of_a_cib_that_cannot_be_changed_is_not_in_sync() -> None:
    case = Path("tests/cases/id-taken-by-an-unknown-kind")
    result = plan(case / "cib.xml", desired=case / "desired")
    assert result.exit_code == 2
    assert "belongs to a live" in result.stdout


@pytest.mark.parametrize("words", [("plan", "--bogus"), ("bogus",), ("describe", "Primitive")])
def test_a_wrong_word_is_an_error_and_does_not_mean_changes(words: tuple[str, ...]) -> None:
    done = subprocess.run((sys.executable, "-m", "reconciler", *words), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Error: " in done.stderr


def test_help_and_version_are_no_errors() -> None:
    for words in (("--help",), ("plan", "-h"), ("--version",)):
        done = subprocess.run((sys.executable, "-m", "reconciler", *words), capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "reconciler" in done.stdout


def test_plan_needs_no_pacemaker(cib: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.oneshot.Shell", partial(Shell, "/nowhere"))
    result = plan(cib, "--format", "json")
    assert result.exit_code == 2
    assert len(json.loads(result.stdout)["changes"]) == 8


def test_the_formats_say_the_same(cib: Path) -> None:
    names = {item["name"] for item in json.loads(plan(cib, "--format", "json").stdout)["changes"]}
    patch, words = plan(cib, "--format", "xml").stdout, plan(cib, "--format", "crm").stdout
    assert all(name in patch and name in words for name in names)


@pytest.mark.parametrize("format_", ["xml", "crm"])
def test_what_a_format_cannot_say_is_said_beside_it(format_: str) -> None:
    case = Path("tests/cases/id-taken-by-an-unknown-kind")
    words = ["plan", "--cib", str(case / "cib.xml"), "--desired", str(case / "desired"), "--format", format_]
    done = subprocess.run((sys.executable, "-m", "reconciler", *words), capture_output=True, text=True, check=False)
    assert "belongs to a live" not in done.stdout
    assert done.stderr.startswith("Held back, not done now:\n")
    assert "belongs to a live" in done.stderr


def test_apply_keeps_the_file_whole_and_its_mode(cib: Path) -> None:
    cib.chmod(0o640)
    run("apply", "--desired", str(WEB), "--cib", str(cib))
    assert cib.stat().st_mode & 0o777 == 0o640
    assert 'epoch="2"' in cib.read_text(encoding="utf-8")


def test_a_file_that_is_no_cib_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "no.xml"
    file.write_text("<html/>", encoding="utf-8")
    result = plan(file)
    assert (result.exit_code, result.stderr) == (1, f"{file}: cib: the document is a <html>, not a <cib>\n")


def test_nothing_is_planned_with_a_faulty_manifest(cib: Path, tmp_path: Path) -> None:
    desired = tmp_path / "desired"
    desired.mkdir()
    text = (WEB / "web.toml").read_text(encoding="utf-8").replace("INFINITY", "INFINITE")
    (desired / "web.toml").write_text(text, encoding="utf-8")
    before = cib.read_bytes()
    for verb in ("plan", "apply"):
        result = run(verb, "--desired", str(desired), "--cib", str(cib))
        assert result.exit_code == 1
        assert "web.toml: Colocation/httpd-with-vip: spec.score: 'INFINITE' is not a score" in result.stderr
    assert cib.read_bytes() == before


def test_a_wrong_settings_file_is_named_with_the_nearest_key(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.toml"
    file.write_text('resink = "30s"\n', encoding="utf-8")
    result = run("--config", str(file), "status")
    assert (result.exit_code, result.stderr) == (1, f"{file}: resink: unknown key; did you mean 'resync'?\n")


def test_status_without_an_agent_exits_with_1(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.toml"
    file.write_text(f'runtime_dir = "{tmp_path}"\n', encoding="utf-8")
    for words in (["status"], ["get"], ["describe", "Primitive", "vip"]):
        result = run("--config", str(file), *words)
        assert result.exit_code == 1
        assert "no agent runs on this node" in result.stderr


CANARY = "Xy7-canary<&>"
FENCE = """apiVersion = "ha.reconciler.io/v1alpha1"
kind = "Primitive"
metadata.name = "fence"
spec.agent = "stonith:fence_ipmilan"
spec.params = {{ ip = "192.0.2.7", plug = {{ file = "{}" }} }}
"""


@pytest.fixture
def fence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Manifests with a secret in a file beside them, and a state directory for those who keep something."""
    monkeypatch.setattr("reconciler.settings.DEFAULT_FILE", tmp_path / "reconciler.toml")
    (tmp_path / "reconciler.toml").write_text(f'state_dir = "{tmp_path}/state"\n', encoding="utf-8")
    desired = tmp_path / "desired"
    desired.mkdir()
    secret = tmp_path / "secret"
    secret.write_text(f"{CANARY}\n", encoding="utf-8")
    secret.chmod(0o600)
    (desired / "fence.toml").write_text(FENCE.format(secret), encoding="utf-8")
    return desired


@pytest.mark.parametrize("format_", ["text", "json", "xml", "crm"])
def test_no_format_shows_a_secret(cib: Path, fence: Path, format_: str) -> None:
    result = plan(cib, "--format", format_, desired=fence)
    assert result.exit_code == 2, result.output
    assert "Xy7-canary" not in result.output
    assert "(secret " in result.stdout
    said = {"xml": "Values of secrets are left out", "crm": "has values that are not shown"}
    assert said.get(format_, "") in result.stdout


def test_a_secret_is_applied_and_compared_by_value(cib: Path, fence: Path) -> None:
    applied = run("apply", "--desired", str(fence), "--cib", str(cib))
    assert (applied.exit_code, "Xy7-canary" in applied.output) == (0, False), applied.output
    assert 'value="Xy7-canary&lt;&amp;&gt;"' in cib.read_text(encoding="utf-8")
    assert plan(cib, desired=fence).stdout == "In sync: nothing to change.\n"
    secret = fence.parent / "secret"
    secret.write_text("another", encoding="utf-8")
    changed = plan(cib, desired=fence)
    assert changed.exit_code == 2
    assert re.search(r"params.plug: \(secret [0-9a-f]{8}\) -> \(secret [0-9a-f]{8}\)$", changed.stdout, re.MULTILINE)


def test_without_its_secret_an_object_is_held_and_that_is_no_error(cib: Path, fence: Path) -> None:
    (fence.parent / "secret").unlink()
    result = plan(cib, desired=fence)
    assert (result.exit_code, result.stderr) == (2, "")
    assert (
        f"Primitive/fence: SecretUnavailable: params.plug: file {fence.parent}/secret cannot be read" in result.stdout
    )
    before = cib.read_bytes()
    applied = run("apply", "--desired", str(fence), "--cib", str(cib))
    assert applied.exit_code == 2
    assert "SecretUnavailable" in applied.stderr
    assert cib.read_bytes() == before
    assert run("validate", str(fence)).exit_code == 0
