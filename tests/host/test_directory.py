"""Reading the desired directory."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.host.directory import Limits, Texts, Unreadable, compose, read
from reconciler.state import Rejected
from tests.host.layouts import kubelet, meanwhile
from tests.programs import need_root

SETTLE = 0.01
NOBODY = 65534


@pytest.fixture
def root() -> None:
    need_root("gives files and rights away")


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def desired(tmp_path: Path) -> Path:
    directory = tmp_path / "desired.d"
    directory.mkdir()
    (directory / "web.toml").write_text("kind = 'Primitive'\n")
    return directory


def good(path: Path, limits: Limits | None = None) -> Texts:
    seen = read(path, limits or Limits(), SETTLE)
    assert isinstance(seen, Texts), seen
    return seen


def bad(path: Path) -> Unreadable:
    seen = read(path, Limits(), SETTLE)
    assert isinstance(seen, Unreadable), seen
    return seen


def faults(path: Path, limits: Limits | None = None) -> dict[str, str]:
    return {fault.file: fault.message for fault in good(path, limits).rejected}


# what is read


def test_texts_are_sorted_by_path_and_come_from_all_subdirectories(desired: Path) -> None:
    (desired / "net").mkdir()
    (desired / "net" / "deep").mkdir()
    (desired / "net" / "deep" / "a.toml").write_text("a = 1\n")
    (desired / "a.toml").write_text("ä = 'ü'\n")
    seen = good(desired)
    assert dict(seen.files) == {
        "a.toml": "ä = 'ü'\n",
        "net/deep/a.toml": "a = 1\n",
        "web.toml": "kind = 'Primitive'\n",
    }
    assert list(seen.files) == sorted(seen.files)
    assert seen.path == str(desired)
    assert seen.rejected == ()


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.toml",
        "_off.toml",
        "#web.toml#",
        "#web.toml",
        "web.toml~",
        ".web.toml.swp",
        "4913",
        "web.tmp",
        "README.md",
    ],
)
def test_editor_droppings_and_other_files_are_not_looked_at(desired: Path, name: str) -> None:
    before = good(desired)
    (desired / name).write_bytes(b"\0 not for us")
    assert good(desired) == before


@pytest.mark.parametrize("name", [".git", "_archive", "old~", "#x"])
def test_directories_put_aside_are_not_entered(desired: Path, name: str) -> None:
    (desired / name).mkdir()
    (desired / name / "web.toml").write_bytes(b"\0")
    assert list(good(desired).files) == ["web.toml"]


def test_a_directory_below_a_hidden_one_is_read(tmp_path: Path) -> None:
    tree = tmp_path / ".git" / "worktrees" / "x"
    tree.mkdir(parents=True)
    (tree / "web.toml").write_text("a = 1")
    assert list(good(tree).files) == ["web.toml"]


def test_the_revision_depends_on_names_and_contents_only(desired: Path, tmp_path: Path) -> None:
    first = good(desired)
    os.utime(desired / "web.toml", (1, 1))
    assert good(desired).revision == first.revision
    (desired / "web.toml").rename(desired / "other.toml")
    renamed = good(desired)
    (desired / "other.toml").write_text("kind = 'Clone'\n")
    assert len({first.revision, renamed.revision, good(desired).revision}) == 3


def test_the_revision_cannot_be_confused_by_moving_text_between_names() -> None:
    sets = [{"a": "bc"}, {"ab": "c"}, {"a": "", "bc": ""}, {"a": "b", "c": ""}]
    revisions = {compose(files, "/").revision for files in sets}
    revisions.add(compose({}, "/", [Rejected("a", "", "", "bc")]).revision)
    assert len(revisions) == 5


def test_texts_cannot_be_changed(desired: Path) -> None:
    with pytest.raises(TypeError):
        good(desired).files["x"] = "y"  # type: ignore[index]


# missing, unreadable, empty: never "nothing wanted"


def test_a_missing_directory_is_missing(tmp_path: Path) -> None:
    assert bad(tmp_path / "no" / "where").reason == "Missing"


def test_a_dangling_link_is_missing_and_says_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("gone")
    seen = bad(tmp_path / "link")
    assert (seen.reason, "gone" in seen.message) == ("Missing", True)


def test_a_file_is_not_a_directory(desired: Path) -> None:
    assert bad(desired / "web.toml").reason == "NotADirectory"
    assert bad(desired / "web.toml" / "x").reason == "NotADirectory"


def test_a_fifo_in_place_of_the_directory_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert bad(tmp_path / "fifo").reason == "NotADirectory"


def test_links_in_a_circle_are_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    seen = bad(tmp_path / "a")
    assert (seen.reason, "circle" in seen.message) == ("Unreadable", True)


@pytest.mark.usefixtures("root")
def test_no_permission_is_unreadable(desired: Path) -> None:
    desired.chmod(0o700)
    with somebody_else():
        seen = bad(desired)
    assert (seen.reason, "permission denied" in seen.message) == ("Unreadable", True)


@pytest.mark.usefixtures("root")
def test_a_subdirectory_without_permission_is_a_fault_and_not_an_absence(desired: Path) -> None:
    for place in [desired, *desired.parents]:
        if place.owner() == "root" and place.stat().st_mode & 0o001 == 0:
            place.chmod(0o755)
    (desired / "secret").mkdir(mode=0o700)
    (desired / "locked.toml").write_text("a = 1")
    (desired / "locked.toml").chmod(0o600)
    with somebody_else():
        found = faults(desired)
    assert found == {"secret": "permission denied", "locked.toml": "permission denied"}


@contextmanager
def somebody_else() -> Iterator[None]:
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_directory_without_manifests_is_empty(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing yet")
    (tmp_path / "sub").mkdir()
    assert bad(tmp_path).reason == "Empty"


def test_a_manifest_without_content_is_not_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "a.toml").touch()
    assert dict(good(tmp_path).files) == {"a.toml": ""}


# layouts


def test_the_kubelets_layout_is_read_through_its_links(tmp_path: Path) -> None:
    kubelet(tmp_path, "1", {"a.toml": "a = 1", "b.toml": "b = 1"})
    assert dict(good(tmp_path).files) == {"a.toml": "a = 1", "b.toml": "b = 1"}
    kubelet(tmp_path, "2", {"a.toml": "a = 2", "b.toml": "b = 2"})
    assert dict(good(tmp_path).files) == {"a.toml": "a = 2", "b.toml": "b = 2"}


def test_git_syncs_link_and_a_directory_below_it_are_read(tmp_path: Path) -> None:
    tree = tmp_path / ".worktrees" / "abc" / "clusters" / "web"
    tree.mkdir(parents=True)
    (tree / "web.toml").write_text("a = 1")
    (tmp_path / "link").symlink_to(".worktrees/abc")
    assert good(tmp_path / "link/clusters/web").path == str(tree)


def test_a_linked_subdirectory_is_read(desired: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "s.toml").write_text("s = 1")
    (desired / "shared").symlink_to(tmp_path / "shared")
    assert list(good(desired).files) == ["shared/s.toml", "web.toml"]


def test_a_link_up_is_a_fault_and_not_an_endless_walk(desired: Path) -> None:
    (desired / "loop").symlink_to(".")
    assert faults(desired) == {"loop": "links lead in a circle"}


# what is refused: by name, all at once, the rest still read


def test_every_unsafe_file_is_named_at_once(desired: Path, tmp_path: Path) -> None:
    writable = tmp_path / "outside.toml"
    writable.write_text("a = 1")
    writable.chmod(0o666)
    (desired / "outside.toml").symlink_to(writable)
    (desired / "group.toml").touch(0o664)
    (desired / "group.toml").chmod(0o664)
    (desired / "fifo.toml").unlink(missing_ok=True)
    os.mkfifo(desired / "fifo.toml")
    (desired / "tty.toml").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(desired / "socket.toml"))
    (desired / "gone.toml").symlink_to("nowhere")
    (desired / "round.toml").symlink_to("round.toml")
    (desired / "zero.toml").write_bytes(b"a = 1\n\0\0")
    (desired / "latin1.toml").write_bytes(b"a = 1\nb = '\xe4'\n")
    (desired / "bom.toml").write_bytes(b"\xef\xbb\xbfa = 1\n")
    with (desired / "huge.toml").open("wb") as stream:
        stream.truncate(50 << 20)
    Path(os.fsdecode(os.fsencode(desired) + b"/\xff.toml")).write_text("a = 1")
    (desired / "two\nlines.toml").write_text("a = 1")
    (desired / "proc.toml").symlink_to("/proc/version")
    began = time.monotonic()
    found = faults(desired)
    assert time.monotonic() - began < 1
    wanted = {
        "outside.toml": "mode 0666 lets others",
        "group.toml": "mode 0664 lets others",
        "fifo.toml": "not a regular file but a FIFO",
        "tty.toml": "not a regular file but a device",
        "socket.toml": "not a regular file but a socket",
        "gone.toml": "leads nowhere",
        "round.toml": "links lead in a circle",
        "zero.toml": "a zero byte at offset 6",
        "latin1.toml": "byte 0xe4 in line 2",
        "bom.toml": "byte order mark",
        "huge.toml": "52428800 bytes; at most 1048576",
        "\\udcff.toml": "not printable",
        "two\\nlines.toml": "not printable",
        "proc.toml": "its size changed",
    }
    assert found.keys() == wanted.keys()
    assert [name for name, words in wanted.items() if words not in found[name]] == []
    assert list(good(desired).files) == ["web.toml"]


@pytest.mark.usefixtures("root")
def test_a_file_of_another_user_is_refused(desired: Path) -> None:
    os.chown(desired / "web.toml", NOBODY, -1)
    (desired / "web.toml").chmod(0o646)
    assert [fault.message.split(";")[0] for fault in good(desired).rejected] == [
        "mode 0646 lets others than the owner write",
        "owned by user 65534",
    ]


def test_a_directory_that_others_may_write_is_refused(desired: Path) -> None:
    (desired / "net").mkdir()
    (desired / "net").chmod(0o775)
    desired.chmod(0o777)
    assert {name: words[:9] for name, words in faults(desired).items()} == {
        str(desired): "mode 0777",
        "net": "mode 0775",
    }


def test_offline_modes_do_not_matter(desired: Path) -> None:
    desired.chmod(0o777)
    (desired / "web.toml").chmod(0o666)
    assert good(desired, Limits(strict=False)).rejected == ()


def test_a_dangling_link_that_may_have_been_a_subdirectory_is_a_fault(desired: Path) -> None:
    (desired / "net").symlink_to("../gone")
    assert list(faults(desired)) == ["net"]


def test_too_many_manifests_too_many_bytes_too_many_entries(desired: Path) -> None:
    for number in range(5):
        (desired / f"n{number}.toml").write_text("x" * 100)
    few = good(desired, Limits(files=3))
    assert [fault.file for fault in few.rejected] == ["n3.toml", "n4.toml", "web.toml"]
    assert faults(desired, Limits(total_bytes=250)) == {str(desired): "the manifests have more than 250 bytes in all"}
    assert faults(desired, Limits(entries=4)) == {str(desired): "more than 4 directory entries"}
    assert faults(desired, Limits(file_bytes=50)).keys() == {f"n{number}.toml" for number in range(5)}


def test_a_very_deep_directory_is_a_fault(desired: Path) -> None:
    deepest = desired.joinpath(*["d"] * 40)
    deepest.mkdir(parents=True)
    (deepest / "x.toml").write_text("a = 1")
    assert list(faults(desired).values()) == ["more than 32 directories deep"]


def test_descriptors_are_given_back(desired: Path) -> None:
    test_every_unsafe_file_is_named_at_once(desired, desired.parent)
    before = len(list(Path("/proc/self/fd").iterdir()))
    good(desired)
    bad(desired / "web.toml")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# holding still


def test_content_that_keeps_changing_is_unstable(desired: Path) -> None:
    with meanwhile(lambda count: put(desired / "web.toml", f"n = {count}"), 0.005):
        seen = read(desired, settle=0.08)
    assert isinstance(seen, Unreadable)
    assert seen.reason == "Unstable"


def put(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)


def test_content_that_is_known_is_returned_without_waiting(desired: Path) -> None:
    first = good(desired)
    began = time.monotonic()
    assert read(desired, settle=5, known=first.revision) == first
    assert time.monotonic() - began < 1


def test_a_set_written_file_by_file_is_taken_whole(desired: Path) -> None:
    def write_slowly() -> None:
        for number in range(8):
            (desired / f"n{number}.toml").write_text("a = 1")
            time.sleep(0.02)

    worker = threading.Thread(target=write_slowly)
    worker.start()
    time.sleep(0.01)
    seen = read(desired, settle=0.1)
    worker.join()
    assert isinstance(seen, Texts)
    assert len(seen.files) == 9


def test_a_link_swapped_all_the_time_never_gives_a_mixture(tmp_path: Path) -> None:
    for tree in ("one", "two"):
        (tmp_path / tree).mkdir()
        for number in range(20):
            (tmp_path / tree / f"{number}.toml").write_text(tree)
    (tmp_path / "link").symlink_to("one")

    def swap(count: int) -> None:
        (tmp_path / "fresh").symlink_to(["one", "two"][count % 2])
        (tmp_path / "fresh").rename(tmp_path / "link")

    with meanwhile(swap, 0.004):
        seen = [read(tmp_path / "link", settle=0.0) for _ in range(60)]
    whole = [set(each.files.values()) for each in seen if isinstance(each, Texts)]
    assert {frozenset(content) for content in whole} == {frozenset({"one"}), frozenset({"two"})}
    assert {each.reason for each in seen if isinstance(each, Unreadable)} <= {"Unstable"}
    assert len(good(tmp_path / "link").files) == 20
