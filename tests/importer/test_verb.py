"""`reconciler import` on the command line: where the files go, what is said, what is refused."""

import bz2
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler import manifests
from reconciler.cli import cli
from tests.bench.large import empty_cib

WEB = Path("crds/examples/web").absolute()


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


@pytest.fixture
def cib(tmp_path: Path) -> Path:
    """The reference case, as `apply` makes it."""
    file = tmp_path / "cib.xml"
    file.write_text(empty_cib(), encoding="utf-8")
    assert run("apply", "--desired", str(WEB), "--cib", str(file)).exit_code == 0
    return file


def test_without_a_directory_all_is_printed_as_one_document(cib: Path) -> None:
    result = run("import", "--cib", str(cib))
    assert result.exit_code == 0
    assert manifests.load({"all.toml": result.stdout}, "r").rejected == ()
    assert result.stderr.splitlines() == [
        "import: 8 objects",
        "comments in the manifests say what needs attention: 1 fencing switched off, 1 quorum ignored",
    ]


def test_the_files_are_for_their_owner_only_and_planning_them_is_empty(cib: Path, tmp_path: Path) -> None:
    directory = tmp_path / "desired.d"
    assert run("import", "--cib", str(cib), "--output", str(directory)).exit_code == 0
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o600}
    assert sorted(tmp_path.iterdir()) == [cib, directory]
    assert run("validate", str(directory)).exit_code == 0
    assert run("plan", "--desired", str(directory), "--cib", str(cib)).exit_code == 0


def test_nothing_is_overwritten(cib: Path, tmp_path: Path) -> None:
    directory = tmp_path / "desired.d"
    directory.mkdir()
    (directory / "mine.toml").write_text("mine")
    result = run("import", "--cib", str(cib), "--output", str(directory))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{directory}: is not empty, and nothing is overwritten: name a new or an empty directory\n"
    assert [file.name for file in directory.iterdir()] == ["mine.toml"]


def test_an_empty_directory_is_used(cib: Path, tmp_path: Path) -> None:
    (tmp_path / "desired.d").mkdir(mode=0o755)
    assert run("import", "--cib", str(cib), "--output", str(tmp_path / "desired.d")).exit_code == 0
    assert (tmp_path / "desired.d" / "cluster.toml").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<cib><configuration>", "not well-formed XML: no element found"),
        ("<pacemaker-result/>", "the document is a <pacemaker-result>, not a <cib>"),
        ("<cib/>", "the CIB has no <configuration>"),
        ("", "not well-formed XML: no element found"),
        ('<cib xmlns="urn:x"><configuration/></cib>', "the document is a <{urn:x}cib>, not a <cib>"),
        ('<cib><configuration xmlns="urn:x"/></cib>', "the CIB has no <configuration>"),
        ('<cib><configuration x:y="1"/></cib>', "not well-formed XML: unbound prefix"),
        (
            '<!DOCTYPE cib SYSTEM "x.dtd"><cib><configuration>&x;</configuration></cib>',
            "not well-formed XML: undefined",
        ),
    ],
)
def test_what_is_no_cib_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "odd.xml"
    file.write_text(text)
    result = run("import", "--cib", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{file}: {why}")


def test_what_the_scheduler_keeps_is_read_as_it_stands(cib: Path, tmp_path: Path) -> None:
    file = tmp_path / "pe-input-7.bz2"
    file.write_bytes(bz2.compress(cib.read_bytes()))
    assert run("import", "--cib", str(file)).stdout == run("import", "--cib", str(cib)).stdout
    assert run("plan", "--desired", str(WEB), "--cib", str(file)).exit_code == 0
    assert "is only read: unpack it" in run("apply", "--desired", str(WEB), "--cib", str(file)).stderr


@pytest.mark.parametrize(("cut", "why"), [(slice(-9), "cut short"), (slice(1, None), "not compressed with bzip2")])
def test_what_the_scheduler_keeps_may_be_damaged(cib: Path, tmp_path: Path, cut: slice, why: str) -> None:
    file = tmp_path / "pe-input-7.bz2"
    file.write_bytes(bz2.compress(cib.read_bytes())[cut])
    result = run("import", "--cib", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{file}: cannot be read: ")
    assert why in result.stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = run("import", "--cib", str(tmp_path / "none.xml"))
    assert result.exit_code == 1
    assert "none.xml: cannot be read" in result.stderr


def test_where_there_is_no_cluster_a_file_is_asked_for() -> None:
    result = run("import")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("; where there is no cluster, name a file of its CIB with --cib\n")


def test_two_objects_with_one_id_are_no_reason_to_import_nothing(tmp_path: Path) -> None:
    file = tmp_path / "cib.xml"
    resources = '<resources><primitive id="a" class="lsb" type="x"/></resources>'
    constraints = '<constraints><rsc_location id="a" rsc="a" node="n" score="1"/></constraints>'
    file.write_text(empty_cib().replace("<resources/>", resources).replace("<constraints/>", constraints))
    result = run("import", "--cib", str(file), "--output", str(tmp_path / "d"))
    assert result.exit_code == 1
    assert "Location/a: not imported: Primitive/a has the same id" in result.stderr
    assert run("validate", str(tmp_path / "d")).exit_code == 0


def test_what_is_left_out_is_named_once_and_why(tmp_path: Path) -> None:
    file = tmp_path / "cib.xml"
    twice = 2 * '<primitive id="p" class="lsb" type="x" new="1"/>' + 2 * '<swarm id="s"/>'
    file.write_text(empty_cib().replace("<resources/>", f"<resources>{twice}</resources>"))
    result = run("import", "--cib", str(file), "--output", str(tmp_path / "d"))
    assert result.exit_code == 1
    assert [line for line in result.stderr.splitlines() if "not imported" in line] == [
        "Primitive/p: not imported: <primitive> has the unknown attribute 'new'",
        "primitive/p: not imported: it has the name of one of its kind that stands before it",
        "swarm/s: not imported: no kind of manifest is for such an element",
    ]


def test_what_was_left_out_as_asked_for_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "cib.xml"
    resources = '<resources><primitive id="a" class="lsb" type="x"/></resources>'
    moved = '<constraints><rsc_location id="cli-ban-a-on-n" rsc="a" node="n" score="-INFINITY"/></constraints>'
    file.write_text(empty_cib().replace("<resources/>", resources).replace("<constraints/>", moved))
    result = run("import", "--cib", str(file), "--without-overrides")
    assert (result.exit_code, "Location/cli-ban-a-on-n: not imported" in result.stderr) == (0, True)


def test_of_an_empty_configuration_there_is_something_that_can_be_planned(tmp_path: Path) -> None:
    file, directory = tmp_path / "cib.xml", tmp_path / "d"
    configuration = "<crm_config/><nodes/><resources/><constraints/>"
    file.write_text(f'<cib validate-with="pacemaker-3.9"><configuration>{configuration}</configuration></cib>')
    assert run("import", "--cib", str(file), "--output", str(directory)).exit_code == 0
    planned = run("plan", "--desired", str(directory), "--cib", str(file))
    assert (planned.exit_code, planned.stdout) == (0, "In sync: nothing to change.\n")


def many(number: int, inner: str = "", constraints: str = "") -> str:
    types = ("Dummy", "IPaddr2")
    made = (f'<primitive id="r{n}" class="ocf" provider="heartbeat" type="{types[n % 2]}"/>' for n in range(number))
    text = empty_cib().replace("<resources/>", f"<resources>{''.join(made)}{inner}</resources>")
    return text.replace("<constraints/>", f"<constraints>{constraints}</constraints>")


@pytest.mark.parametrize(
    ("number", "together", "files"), [(20, False, 21), (300, False, 3), (5000, False, 15), (2400, True, 601)]
)
def test_however_many_resources_there_are_their_files_can_be_planned(
    tmp_path: Path, number: int, together: bool, files: int
) -> None:
    """Many that stand alone are in files by their agents; services are put together only where they are very many."""
    pairs = (
        f'<rsc_colocation id="c{n}" rsc="r{n}" with-rsc="r{n + 1}" score="INFINITY"/>' for n in range(0, number, 2)
    )
    file, directory = tmp_path / "cib.xml", tmp_path / "d"
    file.write_text(many(number, constraints="".join(pairs) if together else ""))
    assert run("import", "--cib", str(file), "--output", str(directory)).exit_code == 0
    found = sorted(path.name for path in directory.iterdir())
    assert (len(found), "Dummy.toml" in found) == (files, number in {300, 5000})
    assert max(path.stat().st_size for path in directory.iterdir()) < 1 << 20
    assert "In sync" in run("plan", "--desired", str(directory), "--cib", str(file)).stdout


def test_whatever_a_resource_is_called_its_file_is_read(tmp_path: Path) -> None:
    file, directory = tmp_path / "cib.xml", tmp_path / "desired.d"
    names = "_", "_a", "__a", "a~", "\u00e4", "\u00e4-.", "cluster", "x" * 300
    primitives = "".join(f'<primitive id="{name}" class="lsb" type="x"/>' for name in names)
    file.write_text(empty_cib().replace("<resources/>", f"<resources>{primitives}</resources>"), encoding="utf-8")
    imported = run("import", "--cib", str(file), "--output", str(directory))
    assert f"{directory}: {len(names) + 1} objects in " in imported.stderr
    assert f"{directory}: {len(names) + 1} objects, " in run("validate", str(directory)).stdout
    assert "left alone" not in run("plan", "--desired", str(directory), "--cib", str(file)).stdout


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    pair = f'<nvpair id="b1" name="x" value="{"a" * 1_100_000}"/>'
    big = (
        f'<primitive id="big" class="lsb" type="x"><instance_attributes id="b">{pair}</instance_attributes></primitive>'
    )
    file = tmp_path / "cib.xml"
    file.write_text(many(3, inner=big))
    result = run("import", "--cib", str(file), "--output", str(tmp_path / "d"))
    assert (result.exit_code, (tmp_path / "d").exists()) == (1, False)
    assert "d/big.toml: would have 11" in result.stderr


@pytest.mark.parametrize("option", ["--cib", "--crm", "--haresources"])
def test_what_is_no_text_is_refused_in_few_words(tmp_path: Path, option: str) -> None:
    file = tmp_path / "odd"
    assert run("import", option, str(file)).stderr == (
        f"{file}: cannot be read: does not exist, or is a link that leads nowhere\n"
    )
    file.write_bytes(b"node1 \xff")
    result = run("import", option, str(file))
    assert (result.exit_code, result.stderr) == (1, f"{file}: cannot be read: not UTF-8 at byte 6\n")


@pytest.mark.parametrize("option", ["--crm", "--haresources"])
def test_an_empty_text_is_no_configuration(tmp_path: Path, option: str) -> None:
    file = tmp_path / "empty"
    file.write_text("\n", encoding="utf-8")
    result = run("import", option, str(file))
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{file}: is empty\n")


@pytest.mark.parametrize("language", ["--crm", "--haresources"])
def test_a_cib_is_no_text_in_another_language(cib: Path, language: str) -> None:
    result = run("import", language, str(cib))
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{cib}: is XML: a CIB is read with --cib\n")
