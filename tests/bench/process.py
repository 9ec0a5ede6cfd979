"""What a process costs: seconds, processor time, memory.

Run as a program with a command line, it runs that once and prints the cost as JSON. The benchmark does not measure its
own children: Linux counts the memory of the one that forks as its child's.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """Elapsed seconds, seconds of processor time with those of its children, and peak memory (RSS) in bytes."""

    seconds: float
    processor: float
    memory: int


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, the variables it needs beside this process's own, and the exit code it has to have."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    code: int = 0


def compiled_in(directory: Path) -> dict[str, str]:
    """Return the variables with which Python keeps what it has compiled there, as an installed package has it."""
    return {"PYTHONPYCACHEPREFIX": str(directory), "PYTHONDONTWRITEBYTECODE": ""}


def costs(commands: Sequence[Command], times: int) -> list[Cost]:
    """Run commands in turns, so that a noisy moment hits all of them; return the medians of each."""
    taken: list[list[Cost]] = [[] for _ in commands]
    for _ in range(times):
        for command, found in zip(commands, taken, strict=True):
            found.append(_cost(command))
    return [
        Cost(
            statistics.median(cost.seconds for cost in found),
            statistics.median(cost.processor for cost in found),
            max(cost.memory for cost in found),
        )
        for found in taken
    ]


def _cost(command: Command) -> Cost:
    words = [sys.executable, "-S", "-E", __file__, *command.argv]
    done = subprocess.run(
        words, env={**os.environ, **command.environment}, stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(done.stdout)
    if found.pop("code") != command.code:
        raise RuntimeError(f"{command.argv} did not end with {command.code}")
    return Cost(**found)


def _measure(argv: Sequence[str]) -> dict[str, float]:
    begun = time.perf_counter()
    code = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
    seconds = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": seconds,
        "processor": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024,
        "code": code,
    }


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1:])))
