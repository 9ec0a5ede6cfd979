"""What an agent may do by itself: the settings of its node, overlaid by the SyncPolicy of the manifests. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from types import MappingProxyType

from reconciler.cib.values import milliseconds
from reconciler.frozen import frozen
from reconciler.kinds.sync_policy import Mode, SyncPolicy
from reconciler.plan import Hold, Reason
from reconciler.state import Ref, State
from reconciler.windows import Window

_NO_KINDS: Mapping[str, Mode] = MappingProxyType({})


@frozen
class Rules:
    """What holds: the defaults are those of the settings. `settle_timeout` is in seconds.

    `observed_by` says who wants nothing changed, for messages: the settings, or the SyncPolicy. `source` names the
    SyncPolicy, if there is one.
    """

    mode: Mode = "enforce"
    prune: bool = True
    deletion_budget: int = 5
    disruption_budget: int = 5
    settle_timeout: float = 120.0
    revert: bool = False
    kinds: Mapping[str, Mode] = field(default_factory=lambda: _NO_KINDS)
    windows: tuple[Window, ...] = ()
    observed_by: str = "mode = observe in the settings"
    source: Ref | None = None

    def observes(self, kind: str) -> bool:
        """Tell whether objects of a kind are only looked at."""
        return self.mode == "observe" or self.kinds.get(kind) == "observe"

    def left_alone(self, refs: Iterable[Ref]) -> dict[Ref, Hold]:
        """Return the holds of those objects whose kinds alone are only looked at."""
        return {
            ref: Hold(Reason.OBSERVE_ONLY, f"{self.source} only observes the kind {ref.kind}", ref)
            for ref in refs
            if self.kinds.get(ref.kind) == "observe"
        }


def policy_in(state: State) -> tuple[Ref, SyncPolicy] | None:
    """Return the manifests' SyncPolicy, if there is one."""
    return next(((ref, spec) for ref, spec in state.items() if isinstance(spec, SyncPolicy)), None)


def overlaid(settings: Rules, state: State) -> Rules:
    """Return what holds with these manifests in force.

    Who wants nothing changed wins: the settings of a node, or the policy of all. Of everything else counts what the
    SyncPolicy says, and the settings where it says nothing.
    """
    found = policy_in(state)
    if found is None:
        return settings
    ref, policy = found
    said = {
        "prune": policy.prune,
        "deletion_budget": policy.deletion_budget,
        "disruption_budget": policy.disruption_budget,
        "settle_timeout": milliseconds(policy.settle_timeout) / 1000 if policy.settle_timeout else None,
        "revert": policy.revert,
    }
    rules = replace(
        settings,
        kinds=policy.kinds,
        windows=tuple(window.value() for window in policy.windows),
        source=ref,
        **{name: value for name, value in said.items() if value is not None},  # type: ignore[arg-type]
    )
    if settings.mode == "enforce" and policy.mode == "observe":
        rules = replace(rules, mode="observe", observed_by=f"mode = observe in {ref}")
    return rules
