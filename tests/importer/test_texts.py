"""`reconciler import` of texts in other languages: golden files, faults, and that what comes out can be applied.

A change of what is written is a change of `expected.toml`, to be read before it is accepted: ACCEPT=1 writes them anew.
"""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler import manifests
from reconciler.cli import cli
from tests.bench.large import empty_cib
from tests.programs import CORPUS, absent_corpus, need
from tests.programs import run as tool

TEXTS = Path(__file__).parent / "texts"
GIVEN = {"crm": TEXTS / "crm" / "cluster.crm", "haresources": TEXTS / "haresources" / "haresources"}
CASE = CORPUS.parent / "reference-case"


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def lands_on_an_empty_cluster(language: str, text: Path, tmp_path: Path) -> None:
    """Import a text, apply what comes out to a cluster that has nothing but nodes, and see that it is all there."""
    directory, cib = tmp_path / "desired.d", tmp_path / "cib.xml"
    result = run("import", f"--{language}", str(text), "--output", str(directory))
    assert result.exit_code == 0, result.stderr
    assert run("validate", str(directory)).exit_code == 0
    cib.write_text(empty_cib(), encoding="utf-8")
    assert run("apply", "--desired", str(directory), "--cib", str(cib)).exit_code == 0
    assert run("plan", "--desired", str(directory), "--cib", str(cib)).exit_code == 0


@pytest.mark.parametrize("language", GIVEN)
def test_the_manifests_are_as_accepted(language: str) -> None:
    result = run("import", f"--{language}", str(GIVEN[language]))
    assert result.exit_code == 0
    expected = TEXTS / language / "expected.toml"
    if os.environ.get("ACCEPT") == "1":
        expected.write_text(result.stdout)
    assert result.stdout == expected.read_text()
    assert manifests.load({"all.toml": result.stdout}, "r").rejected == ()


@pytest.mark.parametrize("language", GIVEN)
def test_they_can_be_applied_to_a_cluster_with_these_nodes(language: str, tmp_path: Path) -> None:
    lands_on_an_empty_cluster(language, GIVEN[language], tmp_path)


@pytest.mark.parametrize(("language", "file"), [("crm", "cluster.crm"), ("haresources", "haresources")])
def test_so_can_the_texts_of_the_reference_case(language: str, file: str, tmp_path: Path) -> None:
    if not (CASE / file).exists():
        absent_corpus(f"the {file} of the reference case is NOT imported")
    lands_on_an_empty_cluster(language, CASE / file, tmp_path)


def test_what_cannot_be_read_is_said_and_the_rest_is_there(tmp_path: Path) -> None:
    text = tmp_path / "cluster.crm"
    text.write_text("primitive a systemd:a op monitor interval=10s\nprimitiv b systemd:b passwd=hunter2\n# and so on\n")
    result = run("import", "--crm", str(text), "--output", str(tmp_path / "desired.d"))
    assert result.exit_code == 1
    fault = "line 2: primitiv b systemd:b passwd=…: no statement begins with 'primitiv': did you mean primitive?"
    assert result.stderr.splitlines() == [
        f"{text}: {fault}",
        f"{tmp_path / 'desired.d'}: 1 object in 2 files",
        "comments in the manifests say what needs attention: 1 fencing without a device",
    ]
    written = "".join(file.read_text() for file in (tmp_path / "desired.d").iterdir())
    assert 'metadata.name = "a"' in written
    assert f"# Not imported: {fault}\n" in written
    assert "# and so on\n" in written
    assert "hunter2" not in written + result.stderr
    assert run("validate", str(tmp_path / "desired.d")).exit_code == 0


def test_remarks_stand_at_their_objects(tmp_path: Path) -> None:
    text = tmp_path / "cluster.crm"
    text.write_text(
        "# one\nproperty stonith-enabled=true\n# two\nrsc_defaults resource-stickiness=1\n# three\nnode 1: n1\n"
        "# four\nprimitive f stonith:x op monitor interval=10s\n# five\nfencing_topology n1: f\n# six\ntag t f\n"
    )
    lines = run("import", "--crm", str(text)).stdout.splitlines()
    after = {line: lines[number + 2] for number, line in enumerate(lines) if line.startswith("# ") and len(line) < 8}
    assert after == {
        "# one": 'kind = "ClusterProperties"',
        "# two": 'kind = "ResourceDefaults"',
        "# four": 'kind = "Primitive"',
        "# five": 'kind = "FencingTopology"',
        "# six": 'kind = "Tag"',
    }
    assert "# Node/n1: three" in lines


@pytest.mark.parametrize("words", [("--crm", "x", "--cib", "y"), ("--crm", "x", "--haresources", "y")])
def test_one_source_at_a_time(words: tuple[str, ...]) -> None:
    result = run("import", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "import: only one of --cib, --crm and --haresources at a time\n"


@pytest.mark.parametrize("language", GIVEN)
def test_a_file_that_is_not_there_or_no_text_is_named(language: str, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("none", "binary"):
        result = run("import", f"--{language}", str(tmp_path / name))
        assert result.exit_code == 1
        assert f"{name}: cannot be read" in result.stderr


def test_what_is_imported_is_in_sync_with_what_crm_makes_of_the_text(tmp_path: Path) -> None:
    need("crm")
    cib, directory = tmp_path / "cib.xml", tmp_path / "desired.d"
    cib.write_text(empty_cib(), encoding="utf-8")
    text = GIVEN["crm"].read_text()
    properties = [line for line in text.splitlines() if line.startswith("property")]
    for statement in properties:
        assert crm_loads(cib, statement) == ""
    assert crm_loads(cib, "\n".join(line for line in text.splitlines() if line not in properties)) == ""
    assert run("import", "--crm", str(GIVEN["crm"]), "--output", str(directory)).exit_code == 0
    planned = run("plan", "--desired", str(directory), "--cib", str(cib))
    assert planned.exit_code == 0, planned.stdout


def crm_loads(cib: Path, text: str) -> str:
    """Give crm a text as it takes one; return what it has against it."""
    done = tool(cib, "crm", "-F", "configure", "load", "update", "-", stdin=text)
    return done.stderr if done.returncode else ""
