"""Runs commands: the only module that uses `sh`, and so the only door to other programs.

`sh` would give a child a terminal as its output, wait for ever, and shorten what the child says. So: outputs go to
anonymous files (nothing to drain, nothing cut off, a grandchild that keeps them open delays nobody), every command is
its own session, and one that passes its time limit is killed with all its children.
"""

import os
import select
import shlex
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import field
from enum import StrEnum
from functools import cached_property
from typing import IO, Self

from reconciler.frozen import frozen
from reconciler.secret import Secret, redacted

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Failure(StrEnum):
    """Why a command gave no answer; a closed set, used as a metric label."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    MISSING = "missing"
    DENIED = "denied"
    FLOOD = "flood"
    STOPPED = "stopped"


@frozen
class Call:
    """A command to run: its words, what it reads, how many seconds it may take, what its `message` must not say."""

    argv: tuple[str, ...]
    stdin: str = field(default="", repr=False)
    timeout: float = 10.0
    secrets: tuple[Secret, ...] = ()


@frozen
class Completed:
    """What became of a call. `code` is the exit code, minus the signal that ended it, or -1 where it never ran."""

    call: Call
    code: int
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)
    seconds: float
    failure: Failure | None

    @property
    def message(self) -> str:
        """Say in one line what went wrong, for people."""
        name = self.call.argv[0]
        match self.failure:
            case None:
                return ""
            case Failure.TIMEOUT:
                return f"{name} took longer than {self.call.timeout:g} s and was killed"
            case Failure.MISSING:
                return f"{name} is not installed (looked in {PATH})"
            case Failure.DENIED:
                return f"{name} may not be run: {self.stderr}"
            case Failure.FLOOD:
                return f"{name} printed more than {_MOST_BYTES >> 20} MB and was killed"
            case Failure.STOPPED:
                return f"{name} was ended before it was done"
        said = " ".join(redacted(self.stderr or self.stdout, self.call.secrets).split())
        return f"{name} failed with exit code {self.code}" + (f": {said[:500]}" if said else "")


class Shell:
    """Runs commands with a fixed environment: LC_ALL=C and UTC, so that texts are the same everywhere."""

    def __init__(
        self,
        path: str = PATH,
        extra: Mapping[str, str] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare.

        Args:
            path: where programs are looked for.
            extra: added to the environment (a test points Pacemaker's tools to a file with CIB_file).
            cancelled: asked from time to time; once it says yes, nothing is started and what runs has half a second.
        """
        self._path = path
        self._environment = {"PATH": path, "LC_ALL": "C", "TZ": "UTC", "HOME": "/root", **(extra or {})}
        self._cancelled = cancelled

    def run_all(self, calls: Sequence[Call]) -> list[Completed]:
        """Run commands side by side and return their outcomes in the order of the calls; the longest limit counts.

        One small shell starts them all: forking this process once for each would cost more than the commands do. Each
        has its own outcome; one that passes the time limit does not keep the others from being heard. Never raises for
        what the commands do, nor where this process may start no more.
        """
        return self.start_all(calls)()

    def start_all(self, calls: Sequence[Call]) -> Callable[[], list[Completed]]:
        """Start commands as `run_all` does; what is returned waits for them, and is to be called once."""
        if self._cancelled():
            return lambda: [_never(call, Failure.STOPPED) for call in calls]
        found = [call for call in calls if shutil.which(call.argv[0], path=self._path)]
        if not found:
            return lambda: [_never(call, Failure.MISSING) for call in calls]
        try:
            batch = _Batch(found)
            running = _Running(batch.call, _SHELL, self._environment, batch)
        except OSError as error:
            why = _last_line(error)
            return lambda: [_never(call, Failure.DENIED, why) for call in calls]

        def finish() -> list[Completed]:
            cut = running.finish(self._cancelled).failure
            done = {id(call): batch.completed(index, call, cut) for index, call in enumerate(found)}
            return [done.get(id(call)) or _never(call, Failure.MISSING) for call in calls]

        return finish

    def ahead(self, *argv: str) -> "Ahead":
        """Start a command that waits for its input: see `Ahead`."""
        program = shutil.which(argv[0], path=self._path)
        if self._cancelled() or program is None:
            return Ahead(self, argv)
        try:
            return Ahead(self, argv, _Running(Call(argv), program, self._environment, waits=True))
        except OSError:
            return Ahead(self, argv)

    def run(self, call: Call) -> Completed:
        """Run one command to its end or its time limit. Never raises for what the command does."""
        program = shutil.which(call.argv[0], path=self._path)
        if self._cancelled() or program is None:
            return _never(call, Failure.MISSING if program is None else Failure.STOPPED)
        try:
            return _Running(call, program, self._environment).finish(self._cancelled)
        except OSError as error:
            return _never(call, Failure.DENIED, _last_line(error))

    def resume(self, running: "_Running", call: Call) -> Completed:
        """Give a command that was started ahead its input, and see it to its end."""
        running.feed(call)
        return running.finish(self._cancelled)


class Ahead:
    """A command that was started ahead of time and waits for its input, for when others are about as fast as we are.

    It is used as a context: what was not needed is ended.
    """

    def __init__(self, shell: Shell, argv: tuple[str, ...], running: "_Running | None" = None) -> None:
        """Use what was started; without it, commands are started when they are run."""
        self._shell = shell
        self._argv = argv
        self._running = running

    def __enter__(self) -> Self:
        """Return this."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what was not needed."""
        if self._running is not None:
            self._running.drop()
            self._running = None

    def run(self, call: Call) -> Completed:
        """Run a command as `Shell.run` does: the one that waits, if it is that, or a new one."""
        if self._running is None or call.argv != self._argv or len(call.stdin.encode()) > _FITS_A_PIPE:
            return self._shell.run(call)
        running, self._running = self._running, None
        return self._shell.resume(running, call)


def _never(call: Call, failure: Failure, why: str = "") -> Completed:
    return Completed(call, -1, "", why, 0.0, failure)


def _last_line(error: Exception) -> str:
    return str(error).strip().rpartition("\n")[2]


class _Batch:
    """Several commands as one script for a shell: outputs and exit codes go to anonymous files."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._since = time.time()
        self._codes = _anonymous("codes")
        self._files = [(_anonymous("stdout"), _anonymous("stderr")) for _ in calls]
        self._stdins = [_anonymous("stdin") for _ in calls]
        for file, call in zip(self._stdins, calls, strict=True):
            file.write(call.stdin.encode())
            file.flush()
        lines = [self._line(index, call) for index, call in enumerate(calls)]
        timeout = max((call.timeout for call in calls), default=0.0)
        self.call = Call(("sh", "-c", "\n".join([*lines, "wait"])), timeout=timeout)

    @property
    def outputs(self) -> list[IO[bytes]]:
        return [file for pair in self._files for file in pair]

    @property
    def descriptors(self) -> set[int]:
        return {file.fileno() for file in (self._codes, *self._stdins, *self.outputs)}

    def _line(self, index: int, call: Call) -> str:
        stdin, out, err, codes = (
            f"/proc/self/fd/{file.fileno()}" for file in (self._stdins[index], *self._files[index], self._codes)
        )
        return f"{{ {shlex.join(call.argv)} <{stdin} >{out} 2>{err}; echo {index} $? >>{codes}; }} &"

    @cached_property
    def _exit_codes(self) -> Mapping[int, int]:
        pairs = (line.split() for line in _text(self._codes).splitlines())
        return {int(index): int(code) for index, code in pairs}

    def completed(self, index: int, call: Call, cut: Failure | None) -> Completed:
        """Return one command's outcome; the time of its last output stands for the time it took.

        `cut` is why the batch was ended before all of it was done.
        """
        out, err = self._files[index]
        seconds = max(0.0, os.fstat(out.fileno()).st_mtime - self._since)
        code = self._exit_codes.get(index)
        flooded = _size((out, err)) > _MOST_BYTES
        self._stdins[index].close()
        stdout, stderr = _text(out), _text(err)
        if flooded:
            return Completed(call, -signal.SIGKILL, stdout, stderr, seconds, Failure.FLOOD)
        if code is None:
            failure = cut if cut is Failure.TIMEOUT else Failure.STOPPED
            return Completed(call, -signal.SIGKILL, stdout, stderr, call.timeout, failure)
        return Completed(call, code, stdout, stderr, seconds, _judge(code))


def _judge(code: int) -> Failure | None:
    return {0: None, _NOT_EXECUTABLE: Failure.DENIED}.get(code, Failure.EXIT)


_SHELL = "/bin/sh"
_NOT_EXECUTABLE = 126
_MOST_BYTES = 64 << 20
_SLICE = 0.05
_GRACE = 0.5


class _Running:
    def __init__(
        self,
        call: Call,
        program: str,
        environment: Mapping[str, str],
        batch: _Batch | None = None,
        *,
        waits: bool = False,
    ) -> None:
        self._call = call
        self._since = time.monotonic()
        with ExitStack() as files:
            self._stdout, self._stderr = (files.enter_context(_anonymous(name)) for name in ("stdout", "stderr"))
            self._outputs = (self._stdout, self._stderr, *(batch.outputs if batch else ()))
            stdin, self._input = (files.enter_context(file) for file in (_pipe() if waits else _filled(call.stdin)))
            import sh  # noqa: PLC0415 - asyncio comes with it: verbs that run no command start sooner without

            self._signalled = sh.SignalException
            try:
                self._process = sh.Command(program)(
                    *call.argv[1:],
                    _in=stdin,
                    _out=self._stdout,
                    _err=self._stderr,
                    _bg=True,
                    _bg_exc=False,
                    _tty_in=False,
                    _tty_out=False,
                    _new_session=True,
                    _pass_fds=batch.descriptors if batch else set(),
                    _return_cmd=True,
                    _env=dict(environment),
                    _ok_code=_ANY_CODE,
                )
            except sh.ForkException as error:
                raise OSError(str(error)) from error
            files.pop_all()
            stdin.close()

    def feed(self, call: Call) -> None:
        """Give a command that waits its input; its time limit counts from now."""
        self._call, self._since = call, time.monotonic()
        with suppress(BrokenPipeError):
            self._input.write(call.stdin.encode())
            self._input.flush()
        with suppress(BrokenPipeError):
            self._input.close()

    def drop(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(self._signalled):
            self._process.wait()
        for file in (self._input, self._stdout, self._stderr):
            file.close()

    def finish(self, cancelled: Callable[[], bool]) -> Completed:
        cut = self._wait(cancelled)
        if cut:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(self._signalled):
            self._process.wait()
        code: int = self._process.exit_code
        stdout, stderr = _text(self._stdout), _text(self._stderr)
        return Completed(self._call, code, stdout, stderr, time.monotonic() - self._since, cut or _judge(code))

    def _wait(self, cancelled: Callable[[], bool]) -> Failure | None:
        """Wait until the process ends; why it is not to be waited for any longer, if it did not."""
        try:
            process = os.pidfd_open(self._process.pid)
        except ProcessLookupError:
            return None
        end, failure = self._since + self._call.timeout, Failure.TIMEOUT
        try:
            while not select.select([process], [], [], min(_SLICE, max(0.0, end - time.monotonic())))[0]:
                if time.monotonic() >= end:
                    return failure
                if _size(self._outputs) > _MOST_BYTES:
                    return Failure.FLOOD
                if failure is Failure.TIMEOUT and cancelled():
                    end, failure = min(end, time.monotonic() + _GRACE), Failure.STOPPED
        finally:
            os.close(process)
        return None


_FITS_A_PIPE = 1 << 15
"""Bytes that can be written to a pipe that nobody reads yet (pipe(7) promises 65,536)."""


def _filled(text: str) -> tuple[IO[bytes], IO[bytes]]:
    """Return a file with a text in it to read, and what to keep open beside it, which is the same."""
    file = _anonymous("stdin")
    file.write(text.encode())
    file.seek(0)
    return file, file


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    """Return the end of a pipe to read from, and the one to write to."""
    read, write = os.pipe()
    return os.fdopen(read, "rb"), os.fdopen(write, "wb")


def _anonymous(name: str) -> IO[bytes]:
    # Inheritable, for the commands of a batch; `sh` closes in every child what is not meant for it.
    return os.fdopen(os.memfd_create(name, 0), "r+b")


def _size(files: Sequence[IO[bytes]]) -> int:
    return max(os.fstat(file.fileno()).st_size for file in files)


_ANY_CODE = tuple(range(-64, 256))


def _text(file: IO[bytes]) -> str:
    with file:
        file.seek(0)
        return file.read(_MOST_BYTES).decode(errors="replace")
