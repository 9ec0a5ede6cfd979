"""What needs no cluster: planning on CIB files, beside crm and cibadmin on the same files."""

import os
import subprocess
import sys
import time
from pathlib import Path

from reconciler.cib.document import parse
from reconciler.kinds.observe import observe
from reconciler.manifests import load
from reconciler.planner import plan
from reconciler.pruning import Policy
from tests.bench import large
from tests.bench.table import Figure, alternating, median

WEB = Path("crds/examples/web")
_COUNT = 1000


def figures(directory: Path) -> list[Figure]:
    """Measure the reference case alone, and a thousand primitives with as many constraints."""
    return [_reference(directory), *_cold_start(directory), _import(directory)]


def _reference(directory: Path) -> Figure:
    texts = {path.name: path.read_text(encoding="utf-8") for path in WEB.glob("*.toml")}
    file = directory / "reference.xml"
    file.write_text(large.empty_cib(), encoding="utf-8")
    _reconciler("apply", "--desired", str(WEB), "--cib", str(file))
    text = file.read_text(encoding="utf-8")

    def decide() -> None:
        observed = observe(parse(text))
        found = plan(load(texts, "bench"), observed, frozenset(), Policy())
        if found.plan.changes:
            raise RuntimeError("the reference case is not in sync")

    ours, bare = alternating(decide, lambda: _cibadmin(file), 30)
    return Figure(
        "parse, diff and plan of the reference case / one cibadmin --query",
        ours / bare,
        "x",
        0.5,
        detail=f"{ours * 1000:.1f} ms / {bare * 1000:.1f} ms",
    )


def _cold_start(directory: Path) -> list[Figure]:
    place = directory / "large"
    place.mkdir()
    desired, file = large.write(place, _COUNT)
    crm_cib, crm_text = place / "crm.xml", place / "all.crm"
    crm_cib.write_text(large.empty_cib(), encoding="utf-8")
    crm_text.write_text(large.crm_text(_COUNT), encoding="utf-8")
    create = median(lambda: _reconciler("plan", "--desired", str(desired), "--cib", str(file)), 3)
    begun = time.perf_counter()
    environment = {**os.environ, "CIB_file": str(crm_cib)}
    words = ["crm", "-F", "configure", "load", "update", str(crm_text)]
    subprocess.run(words, env=environment, capture_output=True, check=False)
    crm = time.perf_counter() - begun
    _reconciler("apply", "--desired", str(desired), "--cib", str(file))
    again = median(lambda: _reconciler("plan", "--desired", str(desired), "--cib", str(file)), 3)
    return [
        Figure(
            f"crm configure load update / reconciler plan --cib, {_COUNT} + {_COUNT} objects, all new",
            crm / create,
            "x",
            10,
            least=True,
            detail=f"{crm:.1f} s / {create:.2f} s",
        ),
        Figure(
            f"the same, in sync ({_COUNT} + {_COUNT} objects)",
            crm / again,
            "x",
            10,
            least=True,
            detail=f"{crm:.1f} s / {again:.2f} s",
        ),
    ]


def _import(directory: Path) -> Figure:
    """Measure what an import takes beyond its start, which is the import of an empty cluster."""
    place = directory / "import"
    place.mkdir()
    desired, file = large.write(place, _COUNT)
    nothing = place / "empty.xml"
    nothing.write_text(large.empty_cib(), encoding="utf-8")
    _reconciler("apply", "--desired", str(desired), "--cib", str(file))
    ours, bare = alternating(lambda: _reconciler("import", "--cib", str(file)), lambda: _cibadmin(file), 5)
    start = median(lambda: _reconciler("import", "--cib", str(nothing)), 5)
    return Figure(
        f"import of {_COUNT} + {_COUNT} objects, beyond its start / one cibadmin --query",
        (ours - start) / bare,
        "x",
        5,
        detail=f"({ours:.2f} s - {start:.2f} s) / {bare:.2f} s",
    )


def _cibadmin(file: Path) -> None:
    subprocess.run(
        ["cibadmin", "--query"], env={**os.environ, "CIB_file": str(file)}, stdout=subprocess.DEVNULL, check=True
    )


def _reconciler(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "reconciler", *words], capture_output=True, text=True, check=False)
    if done.returncode == 1:
        raise RuntimeError(done.stderr)
