"""Passes over a CIB file, by Pacemaker's own cibadmin: what they do, learn and leave to the next."""

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.host.observer import Observer
from reconciler.host.shell import PATH, Shell
from reconciler.host.wanted import WantedSource
from reconciler.pace import Pace, Trouble
from reconciler.plan import Reason
from reconciler.reconciliation import Reconciliation
from reconciler.report import report
from reconciler.settings import Settings
from reconciler.state import API_VERSION, Ref, Scope
from reconciler.turn import Memory, Turner
from tests.observations import cib
from tests.programs import need, run

R = Ref("Primitive", "r")
MANIFEST = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "Primitive"
metadata.name = "r"
spec.agent = "ocf:pacemaker:Dummy"
spec.params.fake = "{fake}"
"""
WRAPPER = """#!/bin/sh
case "$*" in
*--patch*) {patch} ;;
esac
exec /usr/sbin/cibadmin "$@"
"""


RIVAL = """
for n in 1 2 3; do
    [ ! -e $n ] || continue
    touch $n
    pair="<nvpair id='n$n' name='n$n' value='1'/>"
    /usr/sbin/cibadmin --modify --allow-create --xml-text "<cluster_property_set id='s'>$pair</cluster_property_set>" \\
        --scope crm_config
    sed -i "s/ epoch=.[0-9]*./ epoch='10$n'/" "$CIB_file"
    exit
done
"""
"""Changes the configuration, three times in all; in a file it has to count the epoch itself."""

UNDO = """/usr/sbin/cibadmin "$@" &&
    exec /usr/sbin/cibadmin --modify --xml-text '<nvpair id="r-instance_attributes-fake" value="9"/>'"""


class Node:
    """A directory of manifests, a CIB file, and passes over them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.file = place / "cib.xml"
        self.file.write_text(cib(validate_with="pacemaker-3.0"), encoding="utf-8")
        (place / "desired").mkdir(mode=0o755)
        (place / "bin").mkdir()
        self.stopping = False
        self.memory = Memory()
        self.want("1")
        shell = Shell(
            f"{place}/bin:{PATH}",
            {"CIB_file": str(self.file), "CIB_file_skip": "1"},
            cancelled=lambda: self.stopping,
        )
        settings = Settings(desired=place / "desired", state_dir=place / "state", node="a", settle=0.01)
        source = WantedSource(settings.desired, settings.state_dir, settings.settle)
        self._turner = Turner(settings, shell, Observer(shell, None, 10), source)

    def want(self, fake: str) -> None:
        (self.place / "desired" / "r.toml").write_text(MANIFEST.format(fake=fake), encoding="utf-8")

    def wrap(self, patch: str) -> None:
        """Do something else before, or instead of, the patch."""
        program = self.place / "bin" / "cibadmin"
        program.write_text(WRAPPER.format(patch=patch), encoding="utf-8")
        program.chmod(0o755)

    def turn(self) -> Reconciliation:
        return self._turner.turn(self.memory)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    need("cibadmin")
    return Node(tmp_path)


def synced(done: Reconciliation) -> Mapping[str, tuple[str, str]]:
    conditions = {str(ref): item.condition("Synced") for ref, item in done.objects.items()}
    return {name: (condition.status, condition.reason) for name, condition in conditions.items()}


def test_a_pass_applies_and_sees_that_it_did(node: Node) -> None:
    done = node.turn()
    assert [str(change.ref) for change in done.applied] == ["Primitive/r"]
    assert (done.decision.plan.changes, done.refusals) == ((), 0)
    assert synced(done) == {"Primitive/r": ("True", "InSync")}
    assert 'value="1"' in node.file.read_text(encoding="utf-8")
    again = node.turn()
    assert (again.outcomes, again.applied, again.revision) == ((), (), done.revision)


def test_what_nobody_could_foresee_is_asked_again_after_a_while(node: Node) -> None:
    program = node.place / "bin" / "crm_simulate"
    program.write_text("#!/bin/sh\nexit 70\n", encoding="utf-8")
    program.chmod(0o755)
    assert synced(node.turn()) == {"Primitive/r": ("False", "NoForecast")}
    program.unlink()
    assert synced(node.turn()) == {"Primitive/r": ("False", "NoForecast")}
    assert node.memory.asked
    edit, text, inquiry, at = node.memory.asked
    node.memory.asked = (edit, text, inquiry, at - 700.0)
    assert synced(node.turn()) == {"Primitive/r": ("True", "InSync")}


def test_a_rival_makes_it_plan_anew_within_the_pass(node: Node) -> None:
    (node.place / "bin" / "rival").write_text(RIVAL, encoding="utf-8")
    # The command is started before its patch is known: the rival comes between.
    node.wrap(f"cd {node.place}; cat >patch; sh bin/rival; exec <patch")
    done = node.turn()
    assert done.refusals == 3
    assert [outcome.code for outcome in done.outcomes] == [0]
    assert [str(change.ref) for change in done.applied] == ["Primitive/r"]
    text = node.file.read_text(encoding="utf-8")
    assert all(f'name="n{number}"' in text for number in (1, 2, 3))
    assert 'type="Dummy"' in text


def test_a_failure_is_held_back_at_once_and_a_new_revision_ends_that(node: Node) -> None:
    node.wrap("cat >/dev/null; echo 'no such thing' >&2; exit 78")
    done = node.turn()
    assert (done.applied, [outcome.code for outcome in done.outcomes]) == ((), [78])
    assert [hold.reason for hold in done.decision.plan.holds] == [Reason.BACKING_OFF]
    assert synced(done) == {"Primitive/r": ("False", "Failed")}
    waiting = node.turn()
    assert waiting.outcomes == ()
    assert synced(waiting) == {"Primitive/r": ("False", "BackingOff")}
    assert "no such thing" in waiting.objects[R].condition("Synced").message
    assert waiting.objects[R].condition("Synced").since == done.objects[R].condition("Synced").since
    node.want("2")
    assert [outcome.code for outcome in node.turn().outcomes] == [78]
    node.wrap("true")
    node.want("3")
    assert synced(node.turn()) == {"Primitive/r": ("True", "InSync")}


def test_what_the_cluster_calls_invalid_is_not_tried_again_until_it_is_another_patch(node: Node) -> None:
    node.wrap("cat >/dev/null; echo 'does not conform to the schema' >&2; exit 78")
    node.turn()
    node.memory.pace = Pace()
    held = node.turn()
    assert held.outcomes == ()
    assert [hold.reason for hold in held.decision.plan.holds] == [Reason.INVALID]
    assert "does not conform to the schema" in held.decision.plan.holds[0].message
    node.wrap("true")
    node.want("2")
    assert synced(node.turn()) == {"Primitive/r": ("True", "InSync")}


def test_success_that_changed_nothing_is_no_success(node: Node) -> None:
    node.wrap("cat >/dev/null; exit 0")
    done = node.turn()
    assert done.applied == ()
    [hold] = done.decision.plan.holds
    assert "cibadmin reported success, but nothing has changed" in hold.message
    assert synced(done) == {"Primitive/r": ("False", "BackingOff")}


LOST = """/usr/sbin/cibadmin "$@" >/dev/null 2>&1; echo 'Connection timed out' >&2; exit 124"""
LATE = "cat >patch; echo 'Connection timed out' >&2; exit 124"


def test_a_patch_that_took_effect_though_its_command_failed_is_done(node: Node) -> None:
    node.wrap(LOST)
    done = node.turn()
    assert ([str(change.ref) for change in done.applied], [one.ok for one in done.outcomes]) == (
        ["Primitive/r"],
        [True],
    )
    assert done.decision.plan.holds == ()
    assert synced(done) == {"Primitive/r": ("True", "InSync")}
    assert (node.memory.unheard, node.memory.pace.troubles) == (None, {})


def test_a_patch_that_takes_effect_after_its_command_was_killed_is_done_then(node: Node) -> None:
    node.wrap(f"cd {node.place}; {LATE}")
    failed = node.turn()
    assert (failed.applied, [one.code for one in failed.outcomes]) == ((), [124])
    assert [hold.reason for hold in failed.decision.plan.holds] == [Reason.BACKING_OFF]
    text = node.file.read_text(encoding="utf-8")
    for hidden in (True, False):
        if hidden:
            node.file.write_text("", encoding="utf-8")
        else:
            node.file.write_text(text, encoding="utf-8")
            run(node.file, "cibadmin", "--patch", "--xml-pipe", stdin=(node.place / "patch").read_text())
        done = node.turn()
        assert [str(change.ref) for change in done.applied] == ([] if hidden else ["Primitive/r"])
    assert [one.ok for one in done.outcomes] == [True]
    assert (node.memory.unheard, node.memory.pace.troubles) == (None, {})
    assert node.memory.settling, "what becomes of it is followed"
    assert node.turn().applied == ()


def test_what_somebody_else_has_done_meanwhile_is_not_taken_for_the_patch(node: Node) -> None:
    node.wrap(f"cd {node.place}; {LATE}")
    node.turn()
    text = node.file.read_text(encoding="utf-8").replace('epoch="5"', 'epoch="6"')
    node.file.write_text(text.replace("<crm_config/>", '<crm_config><cluster_property_set id="o"/></crm_config>'))
    done = node.turn()
    assert (done.applied, node.memory.unheard) == ((), None)


def test_a_failed_patch_that_is_sent_again_is_counted_once(node: Node) -> None:
    node.wrap("cat >/dev/null; exit 124")
    assert node.turn().applied == ()
    node.wrap("true")
    node.memory.pace = Pace()
    done = node.turn()
    assert ([str(change.ref) for change in done.applied], node.memory.unheard) == (["Primitive/r"], None)
    again = node.turn()
    assert (again.applied, again.outcomes, again.settled) == ((), (), ())


def test_a_patch_of_an_older_revision_that_takes_effect_late_leaves_the_pace_of_the_one_in_force(node: Node) -> None:
    node.wrap(f"cd {node.place}; {LATE}")
    node.turn()
    run(node.file, "cibadmin", "--patch", "--xml-pipe", stdin=(node.place / "patch").read_text())
    node.want("2")
    node.stopping = True
    revision = node.turn().revision
    node.stopping = False
    trouble = Trouble(3, until=time.time() + 30, why="the link is down")
    node.memory.pace = Pace(revision, {Scope.NODE: trouble})
    node.wrap("true")
    done = node.turn()
    assert (done.revision, len(done.applied)) == (revision, 2), "the late one and the one of now"
    assert node.memory.pace == Pace(revision, {Scope.NODE: trouble})


def test_a_patch_that_takes_effect_late_just_before_the_next_one_is_counted_too(node: Node) -> None:
    """The next one comes too late then, and is planned anew upon what the late one made."""
    node.wrap(f"cd {node.place}; {LATE}")
    first = node.turn().revision
    at_last = "[ ! -e patch ] || { mv patch late; /usr/sbin/cibadmin --patch --xml-pipe <late; }"
    node.wrap(f"cd {node.place}; cat >next; {at_last}; exec <next")
    node.want("2")
    done = node.turn()
    made = [(str(change.verb), change.after) for change in done.applied]
    assert [(verb, spec and dict(spec)["params"][0].values["fake"]) for verb, spec in made] == [
        ("create", "1"),
        ("update", "2"),
    ]
    assert (done.refusals, [one.ok for one in done.outcomes]) == (1, [True, True])
    assert [one.revision for one in done.settled] == [first]
    assert node.memory.unheard is None


def test_what_is_undone_at_once_was_done_and_is_done_again(node: Node) -> None:
    node.wrap(UNDO)
    for _ in range(2):
        done = node.turn()
        assert [str(change.ref) for change in done.applied] == ["Primitive/r"]
        assert done.decision.plan.holds == ()
        assert synced(done) == {"Primitive/r": ("False", "Pending")}


def test_after_the_end_nothing_is_started(node: Node) -> None:
    node.stopping = True
    done = node.turn()
    assert done.outcomes == ()
    assert set(done.decision.blind) == {"cluster", "node"}
    assert 'type="Dummy"' not in node.file.read_text(encoding="utf-8")


SECRET = f"""
apiVersion = "{API_VERSION}"
kind = "Primitive"
metadata.name = "r"
spec.agent = "ocf:pacemaker:Dummy"
spec.params.fake = {{ file = "%s" }}
"""


def hide(node: Node, value: str) -> None:
    """Give the resource a parameter whose value is in a file."""
    file = node.place / "secret"
    file.write_text(f"{value}\n", encoding="utf-8")
    file.chmod(0o600)
    (node.place / "desired" / "r.toml").write_text(SECRET % file, encoding="utf-8")


def test_a_secret_that_changes_is_applied_without_a_new_revision(node: Node) -> None:
    hide(node, "first")
    before = node.turn()
    assert 'value="first"' in node.file.read_text(encoding="utf-8")
    (node.place / "secret").write_text("second", encoding="utf-8")
    done = node.turn()
    assert (done.revision, done.decision.plan.changes) == (before.revision, ())
    assert 'value="second"' in node.file.read_text(encoding="utf-8")
    ((field,),) = [change.fields() for change in done.applied]
    assert re.fullmatch(r"\(secret [0-9a-f]{8}\)", str(field.before))
    assert field.before != field.after
    assert not node.turn().outcomes


def test_a_secret_that_cannot_be_read_leaves_the_live_value(node: Node) -> None:
    hide(node, "first")
    node.turn()
    (node.place / "secret").unlink()
    done = node.turn()
    assert not done.outcomes
    assert synced(done) == {"Primitive/r": ("False", "SecretUnavailable")}
    assert 'value="first"' in node.file.read_text(encoding="utf-8")


def test_a_cibadmin_that_prints_what_it_was_given_tells_nobody(node: Node) -> None:
    hide(node, f"canary <&> {'x' * 600}")
    node.wrap("echo oh: >&2; cat >&2; exit 78")
    done = node.turn()
    (outcome,) = done.outcomes
    assert "exit code 78: oh: <diff" in outcome.stderr
    assert 'value="(secret ' in outcome.stderr
    said = (repr(done), repr(node.memory), json.dumps(report(done, "enforce", "d", 0.0)), str(outcome))
    assert not [text for text in said if "canary" in text]
