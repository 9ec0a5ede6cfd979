"""Patches are followed and taken back: passes over a CIB file, while Pacemaker's simulator acts the cluster."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cib.register import read
from reconciler.cib.status import status
from reconciler.expectation import Sort
from reconciler.kinds.observe import observe
from reconciler.plan import Reason
from reconciler.reconciliation import Reconciliation
from reconciler.settling import CALM, Remedy, Result
from tests.acted_cluster import BREAKS, HTTPD, NEW, ActedCluster
from tests.programs import need, run


@pytest.fixture
def cluster(tmp_path: Path) -> ActedCluster:
    need("cibadmin", "crm_simulate", "crm_verify")
    return ActedCluster(tmp_path, revert=True)


def healthy(done: Reconciliation) -> Mapping[str, tuple[str, str]]:
    conditions = {str(ref): item.condition("Healthy") for ref, item in done.objects.items()}
    return {name: (condition.status, condition.reason) for name, condition in conditions.items()}


def holds(done: Reconciliation) -> list[Reason]:
    return [hold.reason for hold in done.decision.plan.holds]


def test_a_patch_that_does_as_forecast_settles_and_is_healthy_then(cluster: ActedCluster) -> None:
    cluster.want("other")
    done = cluster.turn()
    assert healthy(done) == {"Primitive/httpd": ("Unknown", "Settling")}
    assert (done.settling, done.settled) == (cluster.settling, ())
    cluster.act()
    done = cluster.settle()
    (ended,) = done.settled
    assert (ended.result, ended.surprises, ended.remedy) == (Result.AS_FORECAST, (), Remedy.NONE)
    assert [str(effect.verb) for effect in ended.effects] == ["restart"]
    assert healthy(done) == {"Primitive/httpd": ("True", "Running")}
    assert cluster.turn().settled == ()


def test_adoption_alone_is_not_followed(cluster: ActedCluster) -> None:
    assert cluster.memory.settling is None


def test_a_change_that_breaks_a_service_is_taken_back_and_held_until_the_next_revision(cluster: ActedCluster) -> None:
    owned = observe(cluster.cib).owned
    cluster.want("broken", "new")
    assert {str(change.ref) for change in cluster.turn().applied} == {"Primitive/httpd", "Primitive/new"}
    cluster.act(BREAKS)
    done = cluster.settle()
    (ended,) = done.settled
    assert (ended.result, ended.broken, ended.remedy) == (Result.SURPRISED, ("httpd",), Remedy.REVERTED)
    assert Sort.FAILURE in {surprise.sort for surprise in ended.surprises}
    assert cluster.config == "apache2/apache2"
    assert "new" not in cluster.cib.by_id
    assert observe(cluster.cib).owned == owned
    (quarantined,) = read(cluster.cib).quarantines
    assert quarantined.revision == done.revision
    assert quarantined.reason == "httpd was running and healthy before it and not after"
    assert Reason.QUARANTINED in holds(done)
    assert cluster.settling.applied.takes_back
    cluster.act()
    cluster.settle()
    assert cluster.settling.over
    assert cluster.settling.result in (Result.AS_FORECAST, Result.SURPRISED)
    assert cluster.config == "apache2/apache2"
    assert "httpd" in status(cluster.cib.root).resources
    cluster.want("mended", "new")
    cluster.turn()
    assert cluster.config == "mended"
    cluster.turn()
    assert read(cluster.cib).quarantines == (quarantined,)
    cluster.want("broken", "new")
    done = cluster.turn()
    assert Reason.QUARANTINED in holds(done), "what did harm before does so again"
    assert cluster.config == "mended"


def test_a_revert_that_took_effect_though_its_command_failed_is_one(cluster: ActedCluster) -> None:
    cluster.want("broken")
    cluster.turn()
    cluster.act(BREAKS)
    cluster.wrap('/usr/sbin/cibadmin "$@"; exit 124')
    done = cluster.settle()
    (ended,) = done.settled
    assert ended.remedy is Remedy.REVERTED
    assert cluster.settling.applied.takes_back
    assert [outcome.ok for outcome in done.outcomes] == [True]


def test_a_revert_that_takes_effect_after_its_command_was_killed_is_one(cluster: ActedCluster) -> None:
    """The CIB manager hangs: the patch waits there, and nothing can be seen until it goes on."""
    cluster.want("broken")
    cluster.turn()
    cluster.act(BREAKS)
    patch, aside = cluster.place / "patch", cluster.place / "aside"
    cluster.wrap(f"cat >{patch}; mv {cluster.file} {aside}; exit 124")
    cluster.turn()
    time.sleep(CALM)
    done = cluster.turn()
    assert (done.settled, cluster.settling.over) == ((), False)
    assert cluster.turn().settled == ()
    aside.rename(cluster.file)
    run(cluster.file, "cibadmin", "--patch", "--xml-pipe", stdin=patch.read_text())
    assert cluster.config == "apache2/apache2"
    done = cluster.turn()
    time.sleep(CALM)
    done = cluster.turn()
    (ended,) = done.settled
    assert (ended.broken, ended.remedy) == (("httpd",), Remedy.REVERTED)
    assert cluster.settling.applied.takes_back
    assert Reason.QUARANTINED in holds(done)


def killed(cluster: ActedCluster) -> Reconciliation:
    """Make a change that breaks a service, and kill its revert before it takes effect; the cluster stays visible."""
    cluster.want("broken")
    cluster.turn()
    cluster.act(BREAKS)
    cluster.wrap(f"cat >{cluster.place}/patch; exit 124")
    cluster.turn()
    time.sleep(CALM)
    return cluster.turn()


def test_a_killed_revert_that_takes_effect_a_moment_later_is_one_though_nothing_had_changed_yet(
    cluster: ActedCluster,
) -> None:
    done = killed(cluster)
    assert (done.settled, cluster.settling.over, cluster.config) == ((), False, "broken")
    cluster.turn()
    time.sleep(CALM)
    waits = cluster.turn()
    assert (waits.settled, waits.outcomes, cluster.settling.over) == ((), (), False), "it is not sent again"
    run(cluster.file, "cibadmin", "--patch", "--xml-pipe", stdin=(cluster.place / "patch").read_text())
    assert cluster.config == "apache2/apache2"
    cluster.turn()
    time.sleep(CALM)
    (ended,) = cluster.turn().settled
    assert (ended.broken, ended.remedy) == (("httpd",), Remedy.REVERTED)
    assert cluster.settling.applied.takes_back


def test_a_killed_revert_that_never_takes_effect_is_given_up_after_the_settle_timeout(cluster: ActedCluster) -> None:
    killed(cluster)
    assert not cluster.settling.over
    cluster.memory.settling = replace(cluster.settling, began=cluster.settling.began - 61)
    (ended,) = cluster.turn().settled
    assert ended.remedy is Remedy.WITHHELD
    assert ended.done.startswith("not reverted: cibadmin")
    assert cluster.config == "broken"


def test_a_new_revision_ends_the_wait_for_a_killed_revert(cluster: ActedCluster) -> None:
    killed(cluster)
    cluster.wrap("true")
    cluster.want("mended")
    (ended,) = cluster.turn().settled
    assert (ended.result, ended.remedy) == (Result.SUPERSEDED, Remedy.WITHHELD)
    assert cluster.config == "mended"
    assert read(cluster.cib).quarantines == ()


def test_a_correction_that_breaks_a_service_is_not_the_revision_s_fault(cluster: ActedCluster) -> None:
    """A revision that had run well is neither taken back nor quarantined; the correction is not repeated at once."""
    cluster.want("good")
    cluster.turn()
    cluster.act()
    assert cluster.settle().settled[0].went_well
    assert cluster.memory.proof.proven == cluster.settling.revision
    cluster.drift("good", "drift")
    cluster.act()
    cluster.turn()
    assert (cluster.config, cluster.settling.applied.corrects) == ("good", True)
    cluster.act(BREAKS)
    done = cluster.settle()
    (ended,) = done.settled
    assert (ended.broken, ended.remedy) == (("httpd",), Remedy.WITHHELD)
    assert ended.done.startswith(f"not reverted: revision {done.revision[:12]} had run well before, so it is not to")
    assert (cluster.config, read(cluster.cib).quarantines) == ("good", ())
    assert [pause.ref for pause in read(cluster.cib).pauses] == [HTTPD], "all agents are told"
    assert (
        done.objects[HTTPD]
        .condition("Healthy")
        .message.endswith(f"it was healthy before a correction for revision {done.revision[:12]}")
    )
    cluster.drift("good", "drift")
    done = cluster.turn()
    assert cluster.config == "drift"
    synced = done.objects[HTTPD].condition("Synced")
    assert (synced.status, synced.reason) == ("False", "BackingOff")
    assert synced.message.startswith("its last correction broke httpd; left alone until ")
    cluster.want("better")
    cluster.turn()
    assert cluster.config == "better", "a new revision is tried at once"


def test_a_revision_of_which_one_object_is_held_is_not_proven_by_how_the_others_settle(cluster: ActedCluster) -> None:
    """What comes once the hold ends is applied for the first time, and may be what does the harm."""
    secret = cluster.place / "secret"
    cluster.want("good")
    (cluster.place / "desired" / "new.toml").write_text(f'{NEW}spec.params.fake = {{ file = "{secret}" }}\n')
    first = cluster.turn()
    assert [str(change.ref) for change in first.applied] == ["Primitive/httpd"]
    cluster.act()
    done = cluster.settle()
    assert (done.settled[0].went_well, holds(done)) == (True, [Reason.SECRET_UNAVAILABLE])
    assert cluster.memory.proof.proven != done.revision
    secret.write_text("hush")
    secret.chmod(0o600)
    rest = cluster.turn()
    assert (rest.revision, [str(change.ref) for change in rest.applied]) == (first.revision, ["Primitive/new"])
    assert not cluster.settling.applied.corrects
    cluster.act()
    cluster.settle()
    assert cluster.memory.proof.proven == rest.revision


def test_what_an_edit_had_begun_to_break_is_not_taken_back(tmp_path: Path) -> None:
    need("cibadmin", "crm_simulate", "crm_verify")
    cluster = ActedCluster(tmp_path, revert=True)
    cluster.drift("apache2/apache2", "not-there")
    done = cluster.turn()
    assert [str(change.ref) for change in done.applied] == ["Primitive/httpd"]
    cluster.act(BREAKS)
    (ended,) = cluster.settle().settled
    assert (ended.broken, ended.surprises, ended.remedy) == ((), (), Remedy.NONE)


def test_without_leave_nothing_is_taken_back_and_that_is_said(tmp_path: Path) -> None:
    need("cibadmin", "crm_simulate", "crm_verify")
    cluster = ActedCluster(tmp_path, revert=False)
    cluster.want("broken")
    cluster.turn()
    cluster.act(BREAKS)
    done = cluster.settle()
    (ended,) = done.settled
    assert (ended.broken, ended.remedy, ended.done) == (("httpd",), Remedy.WITHHELD, "not reverted: revert = false")
    assert cluster.config == "broken"
    assert read(cluster.cib).quarantines == ()
    condition = done.objects[HTTPD].condition("Healthy")
    assert condition.status == "False"
    assert condition.message.endswith(f"it was healthy before revision {done.revision[:12]}")


def test_what_somebody_has_changed_since_is_not_taken_back(cluster: ActedCluster) -> None:
    cluster.want("broken")
    cluster.turn()
    cluster.act(BREAKS)
    run(cluster.file, "crm_attribute", "--type", "crm_config", "--name", "batch-limit", "--update", "5")
    (ended,) = cluster.settle().settled
    assert ended.remedy is Remedy.WITHHELD
    assert "somebody has changed the configuration since (cib-bootstrap-options-batch-limit" in ended.done
    assert cluster.config == "broken"


def test_a_new_revision_ends_the_comparison(cluster: ActedCluster) -> None:
    cluster.want("broken")
    cluster.turn()
    cluster.act(BREAKS)
    cluster.want("mended")
    done = cluster.turn()
    (ended,) = done.settled
    assert (ended.result, ended.broken) == (Result.SUPERSEDED, ())
    assert ended.why == f"revision {done.revision[:12]} is in force now"
    assert cluster.config == "mended"
    assert cluster.settling.revision == done.revision
    cluster.act()
    (ended,) = cluster.settle().settled
    assert ended.broken == (), "it was not this revision that broke it"


def test_a_drift_that_is_mended_meanwhile_is_another_patch(cluster: ActedCluster) -> None:
    cluster.want("other")
    cluster.turn()
    edit = cluster.file.read_text().replace("/etc/other.conf", "/etc/drift.conf")
    cluster.file.write_text(edit.replace('epoch="14"', 'epoch="15"'))
    done = cluster.turn()
    assert [one.why for one in done.settled] == ["another patch was made"]
    assert cluster.settling.baseline is cluster.settling.applied, "what somebody did in between is never taken back"
    assert cluster.config == "other"
