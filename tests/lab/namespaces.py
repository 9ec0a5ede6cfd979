"""Run programs inside the namespaces of another process."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/run/home",
    "LANG": "C.UTF-8",
    "TERM": os.environ.get("TERM", "dumb"),
}


class CommandFailedError(Exception):
    """A command that had to succeed did not; the message has what it printed."""

    def __init__(self, result: subprocess.CompletedProcess[str]) -> None:
        super().__init__(f"{result.args} exited with {result.returncode}\n{result.stdout}{result.stderr}".rstrip())
        self.result = result


class Process:
    """A program that was started in namespaces and goes on in the background.

    Attributes:
        log: File with everything it printed.
    """

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self._popen = popen
        self._pid = _only_child(popen)
        self.log = log

    @property
    def pid(self) -> int:
        """Its process id as the outside sees it."""
        return self._pid

    @property
    def returncode(self) -> int | None:
        """Exit status as subprocess has it (negative: killed by that signal), None while it runs."""
        return self._popen.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the program itself; nothing happens when it has ended."""
        if self._popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def wait(self, timeout: float = 10) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: It is still running.
        """
        return self._popen.wait(timeout)

    def stop(self, timeout: float = 10) -> int:
        """SIGTERM, and SIGKILL for what ignores it for so many seconds; gives the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            return self.wait(timeout)


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The namespaces of a process.

    Attributes:
        pid: That process.
        options: Which of them, as options of nsenter(1).
    """

    pid: int
    options: tuple[str, ...]

    def command(self, argv: Sequence[str], cwd: str = "/") -> list[str]:
        """The command line that runs `argv` in there."""
        return ["nsenter", "-t", str(self.pid), *self.options, f"--wdns={cwd}", "--", *argv]

    @staticmethod
    def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables of programs in there: PATH, HOME, LANG, TERM, and these."""
        return {**_ENVIRONMENT, **(extra or {})}

    def run(  # noqa: PLR0913 - the words of subprocess.run
        self,
        argv: Sequence[str],
        *,
        timeout: float = 60,
        input: str | None = None,  # noqa: A002 - the same
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end.

        Args:
            argv: Program and arguments.
            timeout: Seconds after which it is killed with all its children.
            input: Its standard input; empty if None.
            env: Variables beside PATH, HOME, LANG and TERM.
            cwd: Working directory in there.
            check: Whether a status other than 0 is an error.

        Raises:
            subprocess.TimeoutExpired: It took too long.
            CommandFailedError: It failed, with `check`.
        """
        with subprocess.Popen(
            self.command(argv, cwd),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(env),
            start_new_session=True,
        ) as popen:
            try:
                stdout, stderr = popen.communicate(input or "", timeout)
            except BaseException:
                os.killpg(popen.pid, signal.SIGKILL)
                raise
        result = subprocess.CompletedProcess(list(argv), popen.returncode, stdout, stderr)
        if check and result.returncode != 0:
            raise CommandFailedError(result)
        return result

    def start(self, argv: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None, cwd: str = "/") -> Process:
        """Start a program that goes on; what it prints is appended to `log`."""
        with log.open("ab") as output:
            popen = subprocess.Popen(
                self.command(argv, cwd),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment(env),
                start_new_session=True,
            )
        return Process(popen, log)


def _only_child(popen: subprocess.Popen[bytes]) -> int:
    """The process that nsenter made when it entered a PID namespace; nsenter's own id if it is gone."""
    children = Path(f"/proc/{popen.pid}/task/{popen.pid}/children")
    while popen.poll() is None:
        with contextlib.suppress(OSError):
            if found := children.read_text(encoding="ascii").split():
                return int(found[0])
        time.sleep(0.005)
    return popen.pid
