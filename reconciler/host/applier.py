"""Carries a plan out: its commands in order, no decisions."""

from collections.abc import Sequence

from reconciler.host.shell import Ahead, Call, Shell
from reconciler.plan import Command, Outcome

NEVER_RAN = -1


def apply(shell: Shell | Ahead, commands: Sequence[Command], timeout: float) -> tuple[Outcome, ...]:
    """Run the commands; after a failure the rest of the same scope is not run."""
    outcomes: list[Outcome] = []
    for command in commands:
        if any(not outcome.ok and outcome.command.scope == command.scope for outcome in outcomes):
            continue
        completed = shell.run(Call(command.argv, command.stdin, timeout, command.secrets))
        code = completed.code or (NEVER_RAN if completed.failure else 0)
        outcomes.append(Outcome(command, code, completed.message, completed.seconds))
    return tuple(outcomes)
