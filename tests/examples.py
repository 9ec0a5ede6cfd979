"""How many random examples a law is tried on, and which.

Where CI is set, hypothesis takes its own profile `ci`: the same examples in each run, and how to have a failing one
again is printed. Elsewhere the examples are fresh, and those that failed before come first. `make laws` takes the
profile `laws`: fresh ones, five times as many.
"""

from hypothesis import HealthCheck, Phase, settings

_AS_FOUND = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without looking for a smaller example that fails too: of a whole cluster that takes minutes."""

settings.register_profile("laws", derandomize=False, database=None, print_blob=True, max_examples=500)


def often(examples: int, *, smallest: bool = True) -> settings:
    """Try a law on so many examples, on five times as many for `make laws`; on a noisy machine none is too slow.

    Args:
        examples: how many.
        smallest: look for a smaller example where one fails, but in CI.
    """
    profile = settings()
    return settings(
        deadline=None,
        max_examples=examples * profile.max_examples // 100,
        phases=profile.phases if smallest and not profile.derandomize else _AS_FOUND,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )
