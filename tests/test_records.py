"""What an agent keeps of what happened, with Pacemaker's old CIBs beside it, over restarts and with secrets about."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.chronicle import Noted
from reconciler.decision import Remembered, decide
from reconciler.events import Event
from reconciler.forensics import By
from reconciler.host.vault import Vault
from reconciler.observation import Observation
from reconciler.plan import Command, Outcome
from reconciler.planner import PATCH
from reconciler.pruning import Policy
from reconciler.reconciliation import Reconciliation, Wanted
from reconciler.records import EVENTS, OVERRIDES, Records, kept_ages, kept_events
from reconciler.state import Desired, Ref, Scope
from tests.observations import DUMMY, cib, desired, observation

R = Ref("Primitive", "r")
SET = '<instance_attributes id="i"><nvpair id="n" name="{}" value="{}"/></instance_attributes></primitive>'
FAKE = 'spec.agent = "ocf:pacemaker:Dummy"\nspec.params.fake = "{}"'
STOPPED = DUMMY.replace(
    "/>",
    '><meta_attributes id="m"><nvpair id="m-t" name="target-role" value="Stopped"/></meta_attributes></primitive>',
)


def text(value: str, epoch: int, by: str = "root cibadmin b", name: str = "fake", resources: str = "") -> str:
    user, client, origin = by.split()
    resources = resources or DUMMY.replace("/>", ">" + SET.format(name, value))
    words = {"update_user": user, "update_client": client, "update_origin": origin}
    written = f"Mon Nov 23 01:19:{epoch % 60:02} 2026"
    return cib(resources, owned=["r"], epoch=str(epoch), cib_last_written=written, **words)


class Place:
    """An agent's state directory and Pacemaker's, and the passes over them."""

    def __init__(self, path: Path) -> None:
        self.state, self.pacemakers = path / "state", path / "cib"
        self.pacemakers.mkdir()
        self.vault = Vault(self.state, path / "no-authkey")
        self.records = Records(self.state, self.pacemakers)
        self.wanted = desired("r1", Primitive__r=FAKE.format("1"))
        self.now = 1_790_000_000.0

    def restart(self) -> None:
        self.records.save()
        self.vault.keep()
        self.vault = Vault(self.state, self.state / "no-authkey")
        self.records = Records(self.state, self.pacemakers)

    def archive(self, *texts: str) -> None:
        for one in texts:
            number = len(list(self.pacemakers.iterdir()))
            (self.pacemakers / f"cib-{number}.raw").write_text(one, encoding="utf-8")

    def see(self, *texts: str, own: Sequence[int] = (), wait: float = 10.0) -> Noted:
        """Make a pass in which these versions are seen; it may be told that patches of ours made some."""
        self.now += wait
        filled: Desired = self.vault.fill(self.wanted)
        looks: list[Observation] = []
        for one in texts:
            looks.append(self.vault.conceal(observation(one, previous=looks[-1] if looks else None)))
        outcomes = [Outcome(_patch(epoch), 0, "", 0.1) for epoch in own]
        decision = decide(filled, looks[-1], Policy(), Remembered())
        done = Reconciliation(Wanted(filled), looks[-1], decision, (), (), tuple(outcomes), 0, {}, self.now, 0.0)
        return self.records.follow(done, looks, {}, self.vault.close)

    def told(self) -> list[Event]:
        self.records.save()
        return [item for item in kept_events(self.state).events if item.ref.kind != "Agent"]

    def messages(self) -> list[str]:
        return [item.message for item in self.told()]


def _patch(epoch: int) -> Command:
    target = (
        f'<version><source admin_epoch="0" epoch="{epoch - 1}"/><target admin_epoch="0" epoch="{epoch}"/></version>'
    )
    return Command(PATCH, target, Scope.CLUSTER, (R,))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_an_edit_that_is_repaired_in_the_same_pass_is_told(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.see(text("1", 5))
    with caplog.at_level(logging.INFO, "reconciler"):
        noted = place.see(text("2", 6, by="jane crm_resource b"), text("1", 7, by="root cibadmin a"), own=[7])
    assert [edit.by for edit in noted.edits] == [By.OTHER]
    message = "updated by jane with crm_resource on b: params.fake: 1 -> 2"
    assert place.messages() == [message]
    assert [record.getMessage() for record in caplog.records] == [f"out of band: Primitive/r: {message}"]
    assert [item.message for item in noted.recent] == [message]


def test_an_edit_and_its_repair_by_another_agent_are_told_apart_by_old_cibs(place: Place) -> None:
    place.see(text("1", 5))
    assert place.see(text("1", 7, by="root cibadmin b")).edits == (), "Pacemaker has not written the one between yet"
    place.archive(text("2", 6, by="root cibadmin b"))
    noted = place.see(text("1", 7, by="root cibadmin b"), wait=0.5)
    assert [(edit.by, edit.unseen) for edit in noted.edits] == [(By.OTHER, 0), (By.AGENT, 0)]
    assert place.messages() == [
        "updated by root with cibadmin (crm and pcs use it) on b: params.fake: 1 -> 2",
        "updated by the agent on b: params.fake: 2 -> 1",
    ]


def test_where_nothing_was_kept_it_says_that_others_may_have_been_at_it(place: Place) -> None:
    place.see(text("1", 5))
    place.see(text("9", 8, by="root cibadmin c"))
    (edit,) = place.see(text("9", 8, by="root cibadmin c")).edits
    assert (edit.by, edit.unseen) == (By.OTHER, 2)
    assert "and perhaps by others (the last of 3 changes)" in place.messages()[0]


def test_what_agents_do_for_new_manifests_is_theirs(place: Place) -> None:
    place.see(text("1", 5))
    place.wanted = desired("r2", Primitive__r=FAKE.format("2"))
    assert [edit.by for edit in place.see(text("2", 6)).edits] == [By.AGENT]
    stopped = text("", 7, resources=STOPPED)
    assert [edit.by for edit in place.see(stopped).edits] == [By.OTHER], "a person's target-role is no agent's"


def test_what_happened_while_no_agent_ran_is_found_out(place: Place) -> None:
    place.see(text("1", 5))
    place.restart()
    place.archive(text("1", 5), text("2", 6, by="jane crm_resource c"), text("3", 7, by="joe crm_resource c"))
    noted = place.see(text("1", 8, by="joan crm_resource c"))
    assert [edit.editor.user for edit in noted.edits] == ["jane", "joe", "joan"]
    assert len(place.told()) == 3
    place.restart()
    assert place.see(text("1", 8)).edits == ()
    assert [item.reason for item in kept_events(place.state).of("Agent", "a")][-1] == "Started"


def test_without_old_cibs_a_restart_tells_nothing_and_goes_on(place: Place) -> None:
    place.see(text("1", 5))
    place.restart()
    assert place.see(text("9", 9)).edits == ()
    assert len(place.see(text("8", 10)).edits) == 1


def test_blindness_takes_nothing_away(place: Place) -> None:
    place.see(text("1", 5, resources=STOPPED))
    assert len(kept_ages(place.state)) == 1
    place.now += 100
    blind = observation(None)
    done = Reconciliation(
        Wanted(place.wanted),
        blind,
        decide(place.wanted, blind, Policy(), Remembered()),
        (),
        (),
        (),
        0,
        {},
        place.now,
        0.0,
    )
    place.records.follow(done, [blind], {}, place.vault.close)
    assert len(kept_ages(place.state)) == 1
    assert [edit.by for edit in place.see(text("2", 6, by="jane crm_resource b")).edits] == [By.OTHER]


def test_the_age_of_an_override_outlives_the_agent(place: Place) -> None:
    place.see(text("1", 5))
    began = place.see(text("", 6, resources=STOPPED), wait=5.0)
    ((mark, age),) = began.ages.items()
    assert (mark.field, age.since, age.exact) == ("meta.target-role", place.now, True)
    place.restart()
    ((_, again),) = place.see(text("", 6, resources=STOPPED)).ages.items()
    assert (again.since, again.exact) == (age.since, True)
    (place.state / OVERRIDES).unlink()
    place.restart()
    ((_, lost),) = place.see(text("", 6, resources=STOPPED)).ages.items()
    assert not lost.exact
    assert place.see(text("1", 7)).ages == {}


CANARIES = ("canary-old", "canary-new", "canary-third", "canary-fourth")


def test_no_secret_is_ever_written_down(place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old, new, third, fourth = CANARIES
    file = tmp_path / "secret"
    file.write_text(old, encoding="utf-8")
    file.chmod(0o600)
    place.wanted = desired(
        "r1", Primitive__r=f'spec.agent = "ocf:pacemaker:Dummy"\nspec.params.colour = {{ file = "{file}" }}'
    )

    def version(value: str, epoch: int) -> str:
        return text(value, epoch, by="jane crm_resource b", name="colour")

    with caplog.at_level(logging.DEBUG, "reconciler"):
        place.see(version(old, 5))
        place.see(version(new, 6))
        place.archive(version(new, 6), version(third, 7), version(old, 8))
        place.see(version(fourth, 9))
        place.restart()
        place.archive(version(fourth, 9), version(third, 10))
        noted = place.see(text("", 11, by="jane crm_resource b", resources=DUMMY), version(new, 12), version(old, 13))
    assert len(place.told()) >= 5
    assert "(secret " in place.messages()[0]
    kept = "".join(path.read_text(encoding="utf-8") for path in place.state.iterdir())
    shown = f"{kept}{caplog.text}{noted.recent}{place.told()}"
    assert not [canary for canary in CANARIES if canary in shown]


def test_a_flood_of_edits_is_bounded(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.see(text("0", 5))
    with caplog.at_level(logging.INFO, "reconciler"):
        for number in range(200):
            place.see(text(str(number), 6 + number, by="jane crm_resource b"), wait=0.01)
    assert len([item for item in place.told() if item.ref == R]) == 10
    assert len(place.see(text("199", 205)).recent) == 10
    assert len(json.loads((place.state / EVENTS).read_text(encoding="utf-8"))["events"]) < 20
