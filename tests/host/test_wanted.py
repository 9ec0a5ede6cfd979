"""What is in force: the newest good manifests, whatever became of the directory since."""

import shutil
from pathlib import Path

import pytest

from reconciler.host.wanted import WantedSource
from reconciler.reconciliation import Wanted

GOOD = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "Primitive"
metadata.name = "{name}"
spec.agent = "ocf:pacemaker:Dummy"
"""


class Place:
    """A directory of manifests, a state directory, and a source that reads them."""

    def __init__(self, top: Path) -> None:
        self.desired, self.state = top / "desired", top / "state"
        self.desired.mkdir(mode=0o755)
        self.write("a")
        self.restart()

    def restart(self) -> None:
        self.source = WantedSource(self.desired, self.state, 0.01)

    def write(self, name: str, text: str = GOOD) -> None:
        (self.desired / f"{name}.toml").write_text(text.format(name=name), encoding="utf-8")

    def look(self, now: float = 1) -> Wanted:
        return self.source.look(now)

    def names(self) -> list[str]:
        desired = self.look().desired
        return sorted(ref.name for ref in desired.state) if desired else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_good_set_is_in_force_and_a_better_one_takes_its_place(place: Place) -> None:
    first = place.look(10)
    assert (first.problem, first.reason, first.loaded) == ("", "", 10)
    assert place.look(20) == first
    place.write("b")
    second = place.look(30)
    assert (second.problem, second.loaded) == ("", 30)
    assert place.names() == ["a", "b"]


def test_a_faulty_set_leaves_the_last_good_one_in_force(place: Place) -> None:
    good = place.look(10)
    place.write("b", "kind = ")
    (place.desired / "a.toml").unlink()
    bad = place.look(20)
    assert (bad.desired, bad.loaded, bad.reason) == (good.desired, 10, "Rejected")
    assert [fault.file for fault in bad.rejected] == ["b.toml"]
    assert bad.problem.startswith(f"{place.desired}: 1 fault in the manifests ")
    assert bad.problem.endswith("(the last good state stays in force)")
    place.write("b")
    assert place.names() == ["b"]


@pytest.mark.parametrize("reason", ["Missing", "Empty", "NotADirectory"])
def test_a_directory_that_says_nothing_leaves_the_last_good_set_in_force(place: Place, reason: str) -> None:
    good = place.look(10)
    shutil.rmtree(place.desired)
    if reason == "Empty":
        place.desired.mkdir()
    if reason == "NotADirectory":
        place.desired.touch()
    bad = place.look(20)
    assert (bad.desired, bad.reason) == (good.desired, reason)
    assert str(place.desired) in bad.problem


def test_manifests_without_an_object_leave_the_last_good_set_in_force(place: Place) -> None:
    good = place.look(10)
    place.write("a", 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\nitems = []\n')
    bad = place.look(20)
    assert (bad.desired, bad.reason) == (good.desired, "Empty")


def test_the_last_good_set_outlives_the_process(place: Place) -> None:
    good = place.look(10)
    place.write("a", "kind = ")
    place.restart()
    bad = place.look(20)
    assert bad.desired == good.desired
    assert (bad.reason, bad.loaded) == ("Rejected", 0)


def test_before_there_ever_was_a_good_set_there_is_nothing_in_force(place: Place) -> None:
    place.write("a", "kind = ")
    bad = place.look(10)
    assert bad.desired is None
    assert bad.problem.endswith("(nothing is applied)")


def test_a_damaged_memory_is_no_set(place: Place) -> None:
    place.look(10)
    kept = place.state / "last-good.json"
    kept.write_text(kept.read_text(encoding="utf-8").replace("Dummy", "Other"), encoding="utf-8")
    place.write("a", "kind = ")
    place.restart()
    assert place.look(20).desired is None


def test_a_set_that_cannot_be_kept_is_in_force_and_is_kept_as_soon_as_it_can_be(place: Place) -> None:
    place.state.write_text("in the way", encoding="utf-8")
    seen = place.look(10)
    assert seen.desired is not None
    assert seen.reason == "NotKept"
    assert "cannot keep the last good state" in seen.problem
    place.state.unlink()
    assert place.look(20).problem == ""
    assert (place.state / "last-good.json").exists()
