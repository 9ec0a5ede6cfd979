"""What Pacemaker would do because of a plan: what it does with the candidate CIB, minus what it does with the live one.

A cluster that is not at rest has actions pending whatever the plan is; only the difference is the plan's doing. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.cib.simulation import Act, Effect, Simulation
from reconciler.cib.verdict import CLEAN, Verdict
from reconciler.frozen import frozen

_NOTHING = Simulation()


@frozen
class Forecast:
    """What a plan would lead to.

    Attributes:
        caused: what happens only with the plan.
        pending: what happens with or without it.
        averted: what would happen without it, and with it does not.
        verdict: what crm_verify holds against the candidate and not against the live CIB.
    """

    caused: Simulation = _NOTHING
    pending: Simulation = _NOTHING
    averted: Simulation = _NOTHING
    verdict: Verdict = CLEAN

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What happens to resources because of the plan."""
        return self.caused.effects

    @property
    def fenced(self) -> tuple[str, ...]:
        """The nodes that are fenced because of the plan."""
        return tuple(fencing.node for fencing in self.caused.fencing)

    @property
    def already_pending(self) -> tuple[Effect, ...]:
        """What happens to resources anyway."""
        return self.pending.effects

    @property
    def disrupted(self) -> tuple[str, ...]:
        """The resources that the plan interrupts: they stop, restart, recover, move or are demoted; each once."""
        return tuple(dict.fromkeys(effect.resource for effect in self.effects if effect.interrupts))


@frozen
class NoForecast:
    """Nothing could be foreseen, and why. `verdict` may still say what is wrong with the candidate.

    `breaks`: the scheduler copes with the live configuration and not with the planned one, which must not be applied.
    `mends`: it is the other way round.
    """

    reason: str
    verdict: Verdict = CLEAN
    breaks: bool = False
    mends: bool = False


def forecast(baseline: Simulation, candidate: Simulation, verdict: Verdict = CLEAN) -> Forecast:
    """Tell what the candidate causes from what happens anyway.

    Instances of a clone count: if one of two on a node stops anyway, the second stopping is the candidate's doing.
    """
    before, after = Counter(baseline.effects), Counter(candidate.effects)
    fenced_before, fenced_after = frozenset(baseline.fencing), frozenset(candidate.fencing)
    return Forecast(
        caused=Simulation(
            _once(candidate.effects, after - before),
            tuple(item for item in candidate.fencing if item not in fenced_before),
        ),
        pending=Simulation(
            _once(candidate.effects, after & before),
            tuple(item for item in candidate.fencing if item in fenced_before),
        ),
        averted=Simulation(
            _once(baseline.effects, before - after),
            tuple(item for item in baseline.fencing if item not in fenced_after),
        ),
        verdict=verdict,
    )


def _once(ordered: Iterable[Effect], among: Mapping[Effect, int]) -> tuple[Effect, ...]:
    return tuple(dict.fromkeys(effect for effect in ordered if effect in among))


def data(forecast: Forecast | NoForecast | None) -> dict[str, Any] | None:
    """Return a forecast for programs: None where nothing is to change, an `unknown` reason where nobody knows.

    `lines` says all of it in sentences.
    """
    if forecast is None:
        return None
    said = {
        "errors": [*map(str, forecast.verdict.invalid), *forecast.verdict.errors],
        "warnings": list(forecast.verdict.warnings),
        "lines": list(lines(forecast)),
    }
    if isinstance(forecast, NoForecast):
        return {"unknown": forecast.reason, **said}
    effects = [
        {"verb": str(effect.verb), "resource": effect.resource, "source": effect.source, "target": effect.target}
        for effect in forecast.effects
    ]
    return {"effects": effects, "disrupted": list(forecast.disrupted), "fenced": list(forecast.fenced), **said}


def lines(forecast: Forecast | NoForecast | None) -> tuple[str, ...]:
    """Say a forecast to people, what matters most first; nothing where nothing is to change.

    An averted effect is left out where the plan does something else to the same resource.
    """
    if forecast is None:
        return ()
    verdict = forecast.verdict
    errors = [f"error: {text}" for text in dict.fromkeys((*map(str, verdict.invalid), *verdict.errors))]
    warnings = [f"warning: {text}" for text in dict.fromkeys(verdict.warnings)]
    if isinstance(forecast, NoForecast):
        return (f"no forecast: {forecast.reason}", *errors, *warnings)
    caused = sentences(forecast.caused) or ["no resource is started, stopped or moved"]
    touched = {effect.resource for effect in forecast.effects}
    averted = [effect for effect in forecast.averted.effects if effect.resource not in touched]
    return (
        *errors,
        *caused,
        *(f"no longer: {text}" for text in sentences(Simulation(tuple(averted), forecast.averted.fencing))),
        *(f"with or without the plan: {text}" for text in sentences(forecast.pending)),
        *warnings,
    )


def sentences(simulation: Simulation) -> list[str]:
    """Say what happens, one sentence for all nodes where the same happens to a resource for the same reason."""
    fences = [
        f"{item.node} would be FENCED" + _because(": ".join(filter(None, (item.action, item.reason))))
        for item in simulation.fencing
    ]
    nodes: dict[tuple[Effect, str], list[str]] = {}
    for effect in simulation.effects:
        moves = effect.source and effect.target and effect.source != effect.target
        alike = effect if moves else replace(effect, source="", target="")
        nodes.setdefault((alike, effect.reason), []).append(effect.node)
    return fences + [_sentence(effect, there) for (effect, _), there in nodes.items()]


def _sentence(effect: Effect, nodes: list[str]) -> str:
    blocked = "blocked: " if effect.blocked else ""
    where = f"from {effect.source} to {effect.target}" if effect.source else f"on {_and(nodes)}"
    changes_role = effect.next_role and effect.verb in {Act.START, Act.MOVE, Act.RECOVER, Act.RESTART}
    role = f" and becomes {effect.next_role}" if changes_role else ""
    return f"{blocked}{effect.resource} {_SAID[effect.verb]} {where}{role}{_because(effect.reason)}"


_SAID = {
    Act.START: "starts",
    Act.STOP: "stops",
    Act.MOVE: "moves",
    Act.MIGRATE: "migrates live",
    Act.PROMOTE: "is promoted",
    Act.DEMOTE: "is demoted",
    Act.RE_PROMOTE: "is demoted and promoted again",
    Act.RESTART: "restarts",
    Act.RECOVER: "recovers",
    Act.RELOAD: "reloads its parameters",
}


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _and(names: list[str]) -> str:
    names = list(dict.fromkeys(names))
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
