"""The scenes: what happens, and what must come of it. Each begins and ends with the service at home on vm-node1."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.demo.metrics import Expected, Series, becomes, rises
from tests.demo.stage import Stage

HOME, OTHER = "vm-node1", "vm-node2"
CHANGES = "reconciler_changes_total"
FAILOVERS = "reconciler_failovers_total"
PING = "reconciler_ping_score"
RING = "reconciler_corosync_ring_up"
STATE = "reconciler_node_state"
FAILURES = "reconciler_resource_fail_count"
VALID = "reconciler_desired_valid"

HELD = "reconciler_apply_blocked"

_WEB = "web.toml"
_STATUS_URL = "http://localhost/server-status"
_OTHER_URL = "http://127.0.0.1/server-status"
_MONITOR = 'name = "monitor", interval = "10s", timeout = "20s"'
_MESSAGE = "Look after Apache more often"
_COMMIT = ("workstation", f"git commit -am '{_MESSAGE}' && git push")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens.

    Attributes:
        happens: What happens, for people.
        do: Makes it happen; gives the moment (monotonic clock) from which to count.
        service: Where the service must be in the end.
        awaits: What must come of it besides, in words that complete "waiting for …".
        outcome: What has come of it, for people: a line, and perhaps lines of what a program said; empty as long as it
            has not. None: the service is where it must be.
        command: What is typed for it, behind the place where.
        away: Seconds for which the page may be away; more says that something is wrong, not merely slow.
        within: Seconds in which it must have come about.
        tells: What the metrics must say.
    """

    happens: str
    do: Callable[[Stage], float]
    service: str = HOME
    awaits: str = ""
    outcome: Callable[[Stage], str] | None = None
    command: tuple[str, str] | None = None
    away: float = 0
    within: float = 60
    tells: tuple[Expected, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """A fault and its end.

    Attributes:
        title: Its name.
        acts: What happens, one after the other.
        shows: Metrics that are shown when they moved, beside those that the acts expect to.
    """

    title: str
    acts: tuple[Act, ...]
    shows: tuple[Series, ...] = ()


def _moved(to: str, resource: str) -> Expected:
    return rises(FAILOVERS, to, resource=resource)


def _scores(score: float) -> Expected:
    return becomes(score, PING, attribute="pingd", node=HOME)


def _at_once(do: Callable[[Stage], None]) -> Callable[[Stage], float]:
    def act(stage: Stage) -> float:
        moment = time.monotonic()
        do(stage)
        return moment

    return act


def _is_back(id_: str) -> Callable[[Stage], str]:
    return lambda stage: f"{id_} is in the CIB again" if stage.has(id_) else ""


def _clean_up(stage: Stage) -> None:
    stage.node(HOME).mend_apache()
    stage.node(HOME).run(["crm", "resource", "cleanup", "httpd"], check=True)


def _power_on(stage: Stage) -> None:
    stage.node(HOME).power_on()
    stage.start_agent(HOME)


def _ring_is(up: float, words: str) -> Callable[[Stage], str]:
    def outcome(stage: Stage) -> str:
        now = stage.scrape()
        said = [scrape.get(Series(RING, (("ring", "0"),))) for scrape in now.values()]
        return words if said == [up] * len(stage.lab.nodes) else ""

    return outcome


def _says_rejected(stage: Stage) -> str:
    said = [stage.rejected(node) for node in (HOME, OTHER)]
    kept = stage.monitor_interval("httpd") == "10s"
    return f"both agents reject it, and nothing changes\n{said[0][0]}" if all(said) and kept else ""


def _says_accepted(stage: Stage) -> str:
    return "" if stage.rejected(HOME) or stage.rejected(OTHER) else "both agents accept the manifests again"


def _is_held(stage: Stage) -> str:
    digest, lines = stage.held()
    kept = stage.param("httpd", "statusurl") == _STATUS_URL
    return "\n".join(["the agents hold it, and nothing changes", *lines]) if digest and kept else ""


def _status_changed(stage: Stage) -> str:
    return "the change is in the CIB" if stage.param("httpd", "statusurl") == _OTHER_URL else ""


def _monitor_changed(stage: Stage) -> str:
    return "the change is in the CIB" if stage.monitor_interval("httpd") == "5s" else ""


SCENES = (
    Scene(
        "A constraint is deleted by hand",
        (
            Act(
                "Somebody deletes the constraint that keeps Apache where its address is.",
                lambda stage: stage.delete_by_hand("httpd-with-vip"),
                awaits="the constraint",
                outcome=_is_back("httpd-with-vip"),
                command=(HOME, "crm configure delete httpd-with-vip"),
                away=15,
                within=30,
                tells=(rises(CHANGES, domain="crm", kind="Colocation", action="create"),),
            ),
        ),
    ),
    Scene(
        "Apache breaks for good",
        (
            Act(
                "Apache is killed on vm-node1 and its program is gone, so that no start there can succeed.",
                _at_once(lambda stage: stage.node(HOME).crash_apache(for_good=True)),
                service=OTHER,
                away=30,
                tells=(rises(FAILOVERS, OTHER, resource="httpd", cause="unplanned"), _moved(OTHER, "vip")),
            ),
            Act(
                "The program is back, and a person clears the failure.",
                _at_once(_clean_up),
                command=(HOME, "crm resource cleanup httpd"),
                away=15,
                tells=(_moved(HOME, "httpd"), _moved(HOME, "vip")),
            ),
        ),
        (Series(FAILURES, (("resource", "httpd"),)),),
    ),
    Scene(
        "A node loses the gateway",
        (
            Act(
                "The gateway no longer answers vm-node1. Apache is well there, but nobody outside would reach it.",
                _at_once(lambda stage: stage.lab.switch.gateway_off(HOME)),
                service=OTHER,
                away=15,
                tells=(_scores(0), _moved(OTHER, "httpd"), _moved(OTHER, "vip")),
            ),
            Act(
                "The gateway answers vm-node1 again.",
                _at_once(lambda stage: stage.lab.switch.gateway_on()),
                away=15,
                tells=(_scores(1000), _moved(HOME, "httpd"), _moved(HOME, "vip")),
            ),
        ),
    ),
    Scene(
        "A node loses its power",
        (
            Act(
                "The power of vm-node1 is cut, with the service, Pacemaker and the agent on it.",
                _at_once(lambda stage: stage.node(HOME).power_off()),
                service=OTHER,
                away=30,
                tells=(
                    _moved(OTHER, "httpd"),
                    _moved(OTHER, "vip"),
                    becomes(0, STATE, OTHER, node=HOME, state="online"),
                ),
            ),
            Act(
                "vm-node1 boots: Corosync, Pacemaker and the agent start by themselves.",
                _at_once(_power_on),
                away=15,
                within=90,
                tells=(_moved(HOME, "httpd"), _moved(HOME, "vip"), becomes(1, STATE, node=HOME, state="online")),
            ),
        ),
    ),
    Scene(
        "A ring cable is pulled",
        (
            Act(
                "The cable of ring 0 is pulled out of vm-node1. Ring 1 carries on alone.",
                _at_once(lambda stage: stage.node(HOME).pull(0)),
                awaits="both agents to miss ring 0",
                outcome=_ring_is(0, "both agents see ring 0 down and ring 1 up; the service stays"),
                tells=(becomes(0, RING, ring="0"), becomes(1, RING, ring="1")),
            ),
            Act(
                "The cable is plugged in again.",
                _at_once(lambda stage: stage.node(HOME).plug(0)),
                awaits="both agents to see ring 0",
                outcome=_ring_is(1, "both agents see ring 0 up again"),
                tells=(becomes(1, RING, ring="0"), becomes(1, RING, ring="1")),
            ),
        ),
    ),
    Scene(
        "A manifest is broken",
        (
            Act(
                "Somebody commits a change of web.toml with a typing error in it.",
                lambda stage: stage.commit(_WEB, _MONITOR, _MONITOR.replace("interval", "intervall"), _MESSAGE),
                awaits="both agents to reject it",
                outcome=_says_rejected,
                command=_COMMIT,
                within=15,
                tells=(becomes(0, VALID),),
            ),
            Act(
                "The last good manifests stay in force: a constraint deleted by hand comes back from them.",
                lambda stage: stage.delete_by_hand("vip-needs-gateway"),
                awaits="the constraint",
                outcome=_is_back("vip-needs-gateway"),
                command=(HOME, "crm configure delete vip-needs-gateway"),
                within=30,
                tells=(rises(CHANGES, domain="crm", kind="Location", action="create"),),
            ),
            Act(
                "The commit is taken back.",
                lambda stage: stage.revert(),
                awaits="both agents to accept it",
                outcome=_says_accepted,
                command=("workstation", "git revert HEAD && git push"),
                within=15,
                tells=(becomes(1, VALID),),
            ),
        ),
    ),
    Scene(
        "A parameter is changed in git",
        (
            Act(
                "The same change without the error: httpd is to be looked after every 5 s rather than every 10 s.",
                lambda stage: stage.commit(_WEB, _MONITOR, _MONITOR.replace("10s", "5s"), _MESSAGE),
                awaits="the change in the CIB",
                outcome=_monitor_changed,
                command=_COMMIT,
                within=15,
                tells=(rises(CHANGES, domain="crm", kind="Primitive", action="update"),),
            ),
        ),
    ),
    Scene(
        "A commit would interrupt the service",
        (
            Act(
                "Apache's status is to be asked for by address, which takes a restart. The budget allows none.",
                lambda stage: stage.commit(_WEB, _STATUS_URL, _OTHER_URL, "Ask for the status by address"),
                awaits="the plan to be held",
                outcome=_is_held,
                command=("workstation", "git commit -am 'Ask for the status by address' && git push"),
                within=15,
                tells=(rises(HELD, reason="DisruptionBudget"),),
            ),
            Act(
                "Somebody looks at the plan and approves exactly that.",
                lambda stage: stage.approve(OTHER),
                awaits="the change in the CIB",
                outcome=_status_changed,
                command=(OTHER, "reconciler approve DIGEST"),
                away=20,
                within=15,
                tells=(rises(CHANGES, domain="crm", kind="Primitive", action="update"),),
            ),
        ),
    ),
)
