"""What needs a cluster and running agents: passes, latencies, scrapes, size."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import large
from tests.bench.table import Figure
from tests.lab import Lab, Node

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "crds/examples/web"
_ENVIRONMENT = {"PYTHONPATH": str(ROOT)}
_TIMES = 11
_CALM_SECONDS = 45.0
_IDLE_SECONDS = 60.0
_DEADLINE = 10.0


def figures(lab: Lab, directory: Path) -> list[Figure]:
    """Start the agents on the lab, let them bring up the reference case, and measure."""
    agents = {}
    for node in lab.nodes.values():
        _give_manifests(node)
        agents[node] = node.start([sys.executable, "-m", "reconciler", "run"], env=_ENVIRONMENT)
    lab.wait_resource("httpd", "vm-node1")
    first = next(iter(lab.nodes.values()))
    found = [_to_the_cib(lab, first), _repair(first), _scrape(first)]
    found += _idle({agent.pid for agent in agents.values()})
    for agent in agents.values():
        agent.stop()
    found.append(_warm(first, "/etc/reconciler/desired.d", "", 1.5, "the reference case"))
    place = directory / "thousand"
    place.mkdir()
    desired, cib = large.write(place, 1000)
    words = ["apply", "--desired", str(desired), "--cib", str(cib)]
    first.run([sys.executable, "-m", "reconciler", *words], env=_ENVIRONMENT, check=True)
    found.append(_warm(first, str(desired), str(cib), 3, "1000 primitives + 1000 constraints"))
    return found


def _give_manifests(node: Node) -> None:
    directory = node.path("/etc/reconciler/desired.d")
    directory.mkdir(parents=True, exist_ok=True)
    for file in WEB.glob("*.toml"):
        (directory / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")


def _epoch(node: Node) -> Callable[[str], bool]:
    return lambda text: text in node.run(["cibadmin", "--query", "--xpath", "//configuration"]).stdout


def _seconds_until(condition: Callable[[], bool]) -> float:
    begun = time.perf_counter()
    while not condition():
        if time.perf_counter() - begun > _DEADLINE:
            raise RuntimeError("it did not happen")
        time.sleep(0.01)
    return time.perf_counter() - begun


def _to_the_cib(lab: Lab, node: Node) -> Figure:
    """Write one parameter on all nodes, as a GitOps tool does, and wait until it is in the CIB."""
    taken = []
    holds = _epoch(node)
    for number in range(_TIMES):
        timeout = f"{20 + number % 2 * 5 + number}s"
        for each in lab.nodes.values():
            file = each.path("/etc/reconciler/desired.d/web.toml")
            text = (WEB / "web.toml").read_text(encoding="utf-8").replace('timeout = "20s"', f'timeout = "{timeout}"')
            fresh = file.with_suffix(".new")
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(file)
        taken.append(_seconds_until(lambda value=timeout: holds(f'timeout="{value}"')))  # type: ignore[misc]
        time.sleep(0.5)
    return Figure(
        "from writing a manifest to the CIB, median", statistics.median(taken), "s", 0.5, detail=_range(taken)
    )


def _repair(node: Node) -> Figure:
    taken = []
    holds = _epoch(node)
    for _ in range(_TIMES):
        node.run(["cibadmin", "--delete", "--xml-text", '<rsc_colocation id="httpd-with-vip"/>'], check=True)
        taken.append(_seconds_until(lambda: holds('rsc_colocation id="httpd-with-vip"')))
        time.sleep(0.5)
    return Figure("an out-of-band deletion repaired, median", statistics.median(taken), "s", 1.0, detail=_range(taken))


def _scrape(node: Node) -> Figure:
    words = ["curl", "-sf", "-o", "/dev/null", "-w", "%{time_total}\\n", "http://127.0.0.1:9977/metrics"]
    taken = [float(node.run(words, check=True).stdout) for _ in range(_TIMES)]
    return Figure("a scrape, median", statistics.median(taken) * 1000, "ms", 5, detail=_range(taken))


def _idle(pids: set[int]) -> list[Figure]:
    """Measure the agents' own processor time, that of their commands included, and their memory."""
    # After a change an agent looks again at growing intervals, up to the resync: only then is it idle.
    time.sleep(_CALM_SECONDS)
    before = {pid: _ticks(pid) for pid in pids}
    time.sleep(_IDLE_SECONDS)
    used = [(_ticks(pid) - before[pid]) / os.sysconf("SC_CLK_TCK") / _IDLE_SECONDS for pid in pids]
    memory = [_rss(pid) for pid in pids]
    return [
        Figure("an idle agent's share of a core", max(used) * 100, "%", 1),
        Figure("an idle agent's memory (RSS)", max(memory), "MB", 80),
    ]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(int(fields[index]) for index in (11, 12, 13, 14))


def _rss(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


def _warm(node: Node, desired: str, cib: str, bound: float, what: str) -> Figure:
    words = [sys.executable, "-m", "tests.bench.on_node", desired, *([cib] if cib else [])]
    found = json.loads(node.run(words, env=_ENVIRONMENT, check=True, timeout=300).stdout)
    if found["changes"]:
        raise RuntimeError(f"{what}: the pass found something to do")
    return Figure(
        f"a warm pass / its read commands run bare, {what}",
        found["pass"] / found["bare"],
        "x",
        bound,
        detail=f"{found['pass'] * 1000:.0f} ms / {found['bare'] * 1000:.0f} ms",
    )


def _range(taken: list[float]) -> str:
    return f"{min(taken) * 1000:.1f} to {max(taken) * 1000:.1f} ms"
