"""How the planner's cost grows with the number of objects, and a patch with the size of the CIB."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from reconciler.cib.document import parse, serialize
from reconciler.kinds.observe import Observed, observe
from reconciler.manifests import load
from reconciler.planner import ClusterPlan, plan
from reconciler.pruning import Policy
from reconciler.state import Desired
from tests.bench import large
from tests.bench.chart import chart
from tests.bench.table import Figure

COUNTS = (10, 30, 100, 300, 1000, 3000, 10_000)
_FITTED_FROM = 100
_TIMES = 2
_FREE = Policy()
_HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n'

Series = Mapping[int, float]
Scene = tuple[Desired, Observed]


def figures(output: Path) -> list[Figure]:
    """Measure planning 10 to 10,000 objects, print the table, and draw it to a file in `output`."""
    measured = {name: {count: _seconds(scene, count) for count in COUNTS} for name, scene in _SCENES.items()}
    print(f"{'objects':>8}" + "".join(f"{name:>24}" for name in measured))
    for count in COUNTS:
        print(f"{count:8}" + "".join(f"{series[count] * 1000:21.2f} ms" for series in measured.values()))
    print(f"the chart: {_draw(measured, output)}")
    steepest, most = round(_exponent(_n_log_n(1.0)), 2), COUNTS[-1]
    found = [
        Figure(
            f"planning, {name}: exponent from {_FITTED_FROM} to {most} objects",
            _exponent(series),
            "",
            steepest,
            detail=f"{series[most] / most * 1e6:.0f} us for each of {most}; n log n has {steepest:.2f}",
        )
        for name, series in measured.items()
    ]
    patches = {count: len(_plan(*_one_edit(count)).plan.commands[0].stdin) for count in COUNTS}
    what = f"a patch for one parameter, of {most} objects / of {COUNTS[0]}"
    ratio = patches[most] / patches[COUNTS[0]]
    return [*found, Figure(what, ratio, "x", 1, detail=f"{min(patches.values())} to {max(patches.values())} bytes")]


def _plan(desired: Desired, observed: Observed) -> ClusterPlan:
    return plan(desired, observed, frozenset(), _FREE)


def _seconds(scene: Callable[[int], Scene], count: int) -> float:
    """Return the processor time of a plan, which is all that it takes, without the noise of other processes.

    As many clusters are planned as have the largest number of objects together: so the caches of the processor are no
    warmer for small ones. What is observed is new each time, as it remembers what it was asked.
    """
    scenes = [scene(count) for _ in range(COUNTS[-1] // count)]
    taken = []
    for _ in range(_TIMES):
        fresh = [(desired, replace(observed)) for desired, observed in scenes]
        gc.collect()
        gc.disable()
        begun = time.process_time()
        for desired, observed in fresh:
            _plan(desired, observed)
        taken.append((time.process_time() - begun) / len(scenes))
        gc.enable()
    return min(taken)


def _exponent(series: Series) -> float:
    """Fit seconds = c n^exponent by least squares of the logarithms; below, what is constant counts."""
    points = [(math.log(count), math.log(value)) for count, value in series.items() if count >= _FITTED_FROM]
    return statistics.linear_regression([x for x, _ in points], [y for _, y in points]).slope


def _n_log_n(scale: float) -> Series:
    return {count: scale * count * math.log(count) for count in COUNTS}


def _draw(measured: Mapping[str, Series], output: Path) -> Path:
    last = max(series[COUNTS[-1]] for series in measured.values())
    reference = _n_log_n(last / (COUNTS[-1] * math.log(COUNTS[-1])))
    file = output / "planner-growth.svg"
    file.write_text(chart({**measured, "n log n": reference}, "objects", "seconds for one plan"), encoding="utf-8")
    return file


def _empty() -> Observed:
    return observe(parse(large.empty_cib()))


def _all_new(count: int) -> Scene:
    return load({"all.toml": large.manifests(count // 2)}, "bench"), _empty()


def _one_group(count: int) -> Scene:
    names = [f"r{number:05}" for number in range(count - 1)]
    group = f'[[items]]\nkind = "Group"\nmetadata.name = "all"\nspec.resources = {names}\n'
    primitives = (
        f'[[items]]\nkind = "Primitive"\nmetadata.name = "{name}"\nspec.agent = "ocf:pacemaker:Dummy"\n'
        for name in names
    )
    return load({"all.toml": _HEAD + group + "".join(primitives)}, "bench"), _empty()


def _shared_values(count: int) -> Scene:
    said, refers = '{ id = "shared", values.fake = 1 }', '{ id-ref = "shared" }'
    primitives = (
        f'[[items]]\nkind = "Primitive"\nmetadata.name = "r{number:05}"\nspec.agent = "ocf:pacemaker:Dummy"\n'
        f"spec.params = [{said if number == count - 1 else refers}]\n"
        for number in range(count)
    )
    return load({"all.toml": _HEAD + "".join(primitives)}, "bench"), _empty()


def _in_sync(count: int) -> Scene:
    desired, nothing = _all_new(count)
    root = parse(large.empty_cib()).root
    root[:] = [_plan(desired, nothing).configuration, *root.iterfind("status")]
    return desired, observe(parse(serialize(root)))


def _one_edit(count: int) -> Scene:
    desired, observed = _in_sync(count)
    edited = load({"all.toml": large.manifests(1).replace("value 0", "value x")}, "bench").state
    return replace(desired, state={**desired.state, **edited}), observed


def _all_unwanted(count: int) -> Scene:
    desired, observed = _in_sync(count)
    kept = load({"all.toml": large.manifests(1)}, "bench").state
    return replace(desired, state=kept), observed


_SCENES: Mapping[str, Callable[[int], Scene]] = {
    "all new": _all_new,
    "all new, in one group": _one_group,
    "all new, sharing values": _shared_values,
    "in sync": _in_sync,
    "one parameter": _one_edit,
    "all but one unwanted": _all_unwanted,
}
