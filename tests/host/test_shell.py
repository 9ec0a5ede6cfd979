"""The one door to other programs, against real small programs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.host.shell import PATH, Call, Failure, Shell
from reconciler.secret import Secret

SHORT = 0.5
"""A time limit that a healthy small program keeps on a busy machine, and that a test can wait for."""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    return tmp_path


def program(directory: Path, name: str, text: str, mode: int = 0o755) -> str:
    file = directory / name
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return name


def shell(programs: Path) -> Shell:
    return Shell(f"{programs}:{PATH}")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    for _ in range(100):
        if not alive(pid):
            return True
        time.sleep(0.01)
    return False


def test_a_command_gets_its_words_and_input_and_its_outputs_stay_apart(programs: Path) -> None:
    program(programs, "say", '#!/bin/sh\necho "$1|$2"; cat; echo bad >&2; exit 3\n')
    done = shell(programs).run(Call(("say", "two words", "$HOME;'\""), "input\n"))
    assert (done.code, done.stdout, done.stderr, done.failure) == (
        3,
        "two words|$HOME;'\"\ninput\n",
        "bad\n",
        Failure.EXIT,
    )
    assert done.message == "say failed with exit code 3: bad"


def test_commands_side_by_side_are_heard_one_by_one(programs: Path) -> None:
    program(programs, "say", '#!/bin/sh\ncat; echo "$1"; echo "bad $1" >&2; exit "$2"\n')
    calls = [Call(("say", "a b", "0"), "in"), Call(("no-such-program",)), Call(("say", "it's", "7"))]
    first, second, third = shell(programs).run_all(calls)
    assert (first.stdout, first.stderr, first.code, first.failure) == ("ina b\n", "bad a b\n", 0, None)
    assert (second.code, second.failure) == (-1, Failure.MISSING)
    assert (third.stdout, third.code, third.failure) == ("it's\n", 7, Failure.EXIT)


def test_the_environment_is_the_same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("CIB_file", "/elsewhere")
    done = Shell(extra={"EXTRA": "1"}).run(Call(("env",)))
    assert {"LC_ALL=C", "TZ=UTC", f"PATH={PATH}", "EXTRA=1"} <= set(done.stdout.splitlines())
    assert "CIB_file" not in done.stdout
    assert "LANG=" not in done.stdout


def test_nothing_is_a_terminal(programs: Path) -> None:
    program(programs, "tty", "#!/bin/sh\nfor fd in 0 1 2; do [ -t $fd ] && echo $fd; done; exit 0\n")
    assert [
        done.stdout for done in (shell(programs).run(Call(("tty",))), *shell(programs).run_all([Call(("tty",))]))
    ] == [
        "",
        "",
    ]


def test_one_that_passes_its_time_limit_is_killed_with_its_children(programs: Path) -> None:
    program(programs, "hang", "#!/bin/sh\necho begun\nsleep 1000 &\necho $!\nwait\n")
    began = time.monotonic()
    done = shell(programs).run(Call(("hang",), timeout=SHORT))
    assert time.monotonic() - began < SHORT + 1
    assert done.failure is Failure.TIMEOUT
    assert done.message == "hang took longer than 0.5 s and was killed"
    begun, child = done.stdout.split()
    assert begun == "begun"
    assert gone(int(child))


def test_one_that_ignores_signals_is_killed_all_the_same(programs: Path) -> None:
    program(programs, "deaf", "#!/bin/sh\ntrap '' TERM INT HUP\nwhile :; do sleep 0.1; done\n")
    assert shell(programs).run(Call(("deaf",), timeout=SHORT)).failure is Failure.TIMEOUT


def test_one_that_hangs_does_not_keep_the_others_from_being_heard(programs: Path) -> None:
    program(programs, "hang", "#!/bin/sh\nsleep 1000 &\necho $!\nwait\n")
    hung, fine = shell(programs).run_all([Call(("hang",), timeout=SHORT), Call(("echo", "fine"), timeout=SHORT)])
    assert hung.failure is Failure.TIMEOUT
    assert gone(int(hung.stdout))
    assert (fine.stdout, fine.failure) == ("fine\n", None)


def test_a_grandchild_that_keeps_the_outputs_open_delays_nobody(programs: Path) -> None:
    program(programs, "fork", "#!/bin/sh\nsleep 1000 &\necho $!\n")
    for done in (shell(programs).run(Call(("fork",))), shell(programs).run_all([Call(("fork",))])[0]):
        assert done.failure is None
        assert done.seconds < 5
        os.kill(int(done.stdout), 9)


@pytest.mark.parametrize("stream", ["", " >&2"])
def test_three_megabytes_come_through_whole(programs: Path, stream: str) -> None:
    program(programs, "much", f"#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' x{stream}\n")
    for done in (shell(programs).run(Call(("much",))), shell(programs).run_all([Call(("much",))])[0]):
        assert done.failure is None
        assert (done.stderr if stream else done.stdout) == "x" * 3_000_000


def test_three_megabytes_go_in_whole() -> None:
    text = "y" * 3_000_000
    assert Shell().run(Call(("wc", "-c"), text)).stdout.strip() == "3000000"
    assert Shell().run_all([Call(("wc", "-c"), text)])[0].stdout.strip() == "3000000"


def test_one_that_prints_without_end_is_killed(programs: Path) -> None:
    program(programs, "flood", "#!/bin/sh\nyes rubbish\n")
    for done in (shell(programs).run(Call(("flood",))), shell(programs).run_all([Call(("flood",))])[0]):
        assert done.failure is Failure.FLOOD
        assert done.message == "flood printed more than 64 MB and was killed"


def test_bytes_that_are_no_text_are_replaced(programs: Path) -> None:
    program(programs, "binary", "#!/bin/sh\nprintf 'a\\377b'\n")
    assert shell(programs).run(Call(("binary",))).stdout == "a\N{REPLACEMENT CHARACTER}b"


def test_a_missing_program_is_named(programs: Path) -> None:
    for done in (shell(programs).run(Call(("no-such",))), *shell(programs).run_all([Call(("no-such",))])):
        assert (done.code, done.failure) == (-1, Failure.MISSING)
        assert done.message == f"no-such is not installed (looked in {PATH})"


def test_a_program_without_the_right_to_be_run_counts_as_missing(programs: Path) -> None:
    program(programs, "mere-text", "hello\n", mode=0o644)
    for done in (shell(programs).run(Call(("mere-text",))), *shell(programs).run_all([Call(("mere-text",))])):
        assert done.failure is Failure.MISSING


def test_a_program_that_the_kernel_refuses_is_named(programs: Path) -> None:
    program(programs, "garbage", "\x00\x01\x02 not a program")
    program(programs, "orphan", "#!/no/such/interpreter\n")
    for name in ("garbage", "orphan"):
        for done in (shell(programs).run(Call((name,))), *shell(programs).run_all([Call((name,))])):
            assert done.failure in (Failure.DENIED, Failure.EXIT)
            assert name in done.message


def test_one_that_kills_itself_failed(programs: Path) -> None:
    program(programs, "die", "#!/bin/sh\nkill -SEGV $$\n")
    for done in (shell(programs).run(Call(("die",))), *shell(programs).run_all([Call(("die",))])):
        assert done.failure is Failure.EXIT
        assert done.code not in (0, -1)


def test_after_a_cancellation_what_runs_has_half_a_second_and_nothing_starts(programs: Path) -> None:
    program(programs, "hang", "#!/bin/sh\nsleep 1000\n")
    program(programs, "quick", "#!/bin/sh\nsleep 0.3; echo done\n")
    began = time.monotonic()
    stopping = Shell(f"{programs}:{PATH}", cancelled=lambda: time.monotonic() - began > 0.1)
    hung, quick = stopping.run_all([Call(("hang",)), Call(("quick",))])
    assert 0.5 <= time.monotonic() - began < 1.5
    assert (hung.failure, hung.message) == (Failure.STOPPED, "hang was ended before it was done")
    assert (quick.failure, quick.stdout) == (None, "done\n")
    for done in (stopping.run(Call(("quick",))), *stopping.run_all([Call(("quick",))])):
        assert (done.code, done.failure, done.stdout) == (-1, Failure.STOPPED, "")


def test_where_nothing_can_be_started_each_command_says_so() -> None:
    script = """
import resource, sys
from reconciler.host.shell import Call, Shell
limit = int(max(__import__("os").listdir("/proc/self/fd"), key=int)) + 2
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
done = [*Shell().run_all([Call(("true",)), Call(("false",))]), Shell().run(Call(("true",)))]
print(*(item.failure for item in done), done[0].message)
"""
    done = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("denied denied denied true may not be run: ")
    assert "Too many open files" in done.stdout


def test_a_command_that_was_started_ahead_gets_its_input_when_it_is_there(programs: Path) -> None:
    program(programs, "slow", "#!/bin/sh\nsleep 0.3\ncat; exit 3\n")
    with shell(programs).ahead("slow", "a") as ready:
        time.sleep(0.5)
        began = time.monotonic()
        done = ready.run(Call(("slow", "a"), "hidden words", SHORT, (Secret("(secret 1)", "hidden"),)))
        assert time.monotonic() - began < 0.25, "its start was not waited for again"
        assert (done.code, done.stdout, done.failure) == (3, "hidden words", Failure.EXIT)
        assert "hidden" not in done.message
        assert ready.run(Call(("slow", "a"), "again")).stdout == "again", "only one was started"


def test_what_is_started_ahead_and_not_needed_is_ended(programs: Path) -> None:
    program(programs, "waits", f"#!/bin/sh\necho $$ >{programs}/pid; cat >{programs}/got; exec sleep 60\n")
    before = descriptors()
    with shell(programs).ahead("waits") as ready:
        pid = int(eventually(programs / "pid"))
        assert ready.run(Call(("true",))).code == 0
        big = "x" * 100_000
        assert ready.run(Call(("wc", "-c"), big)).stdout.strip() == "100000"
    assert gone(pid)
    assert descriptors() == before
    with shell(programs).ahead("not-there") as ready:
        assert ready.run(Call(("not-there",))).failure is Failure.MISSING


def test_one_that_was_started_ahead_has_its_time_limit_too(programs: Path) -> None:
    program(programs, "deaf", "#!/bin/sh\nexec sleep 60\n")
    with shell(programs).ahead("deaf") as ready:
        assert ready.run(Call(("deaf",), "x", SHORT)).failure is Failure.TIMEOUT
    program(programs, "short", "#!/bin/sh\nexit 4\n")
    with shell(programs).ahead("short") as ready:
        time.sleep(0.2)
        assert ready.run(Call(("short",), "x", SHORT)).code == 4


def eventually(file: Path) -> str:
    end = time.monotonic() + 5
    while time.monotonic() < end and not (file.exists() and file.read_text(encoding="utf-8")):
        time.sleep(0.01)
    return file.read_text(encoding="utf-8")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_is_left_behind(programs: Path) -> None:
    program(programs, "fail", "#!/bin/sh\nexit 1\n")
    program(programs, "hang", "#!/bin/sh\nsleep 1000\n")
    door = shell(programs)

    def all_sorts() -> None:
        door.run_all([Call((name,), timeout=0.1) for name in ("true", "fail", "no-such", "hang")])
        door.run(Call(("true",)))
        door.run(Call(("no-such",)))
        door.run(Call(("hang",), timeout=0.1))

    def state() -> tuple[int, list[str]]:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
        return len(list(Path("/proc/self/fd").iterdir())), children

    all_sorts()
    before = state()
    for _ in range(5):
        all_sorts()
    assert state() == before
