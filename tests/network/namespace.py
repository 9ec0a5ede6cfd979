"""A network namespace of a test's own, which ends with it even if the test is killed."""

import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.network.iproute import ADDRESSES, ROUTES, Seen, parse


@dataclass(frozen=True)
class Namespace:
    pid: int

    def run(self, *argv: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid), "-n", *argv],
            input=text,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(argv)}: {done.stderr}\n{text or ''}")
        return done

    def ip(self, line: str) -> None:
        self.run("ip", *line.split())

    def batch(self, lines: Iterable[str]) -> None:
        self.run("ip", "-batch", "-", text="".join(f"{line}\n" for line in lines))

    def promote(self, dev: str, value: int) -> None:
        self.run("sh", "-c", f"echo {value} > /proc/sys/net/ipv4/conf/{dev}/promote_secondaries")

    def seen(self) -> Seen:
        conf = "/proc/sys/net/ipv4/conf"
        texts = self.run("sh", "-c", f"cd {conf} && grep -H . */promote_secondaries").stdout
        promote = {line.split("/")[0]: line.rsplit(":", 1)[1] for line in texts.splitlines()}
        return parse(self.run(*ADDRESSES).stdout, self.run(*ROUTES).stdout, promote)


@contextmanager
def namespace(*devices: str) -> Iterator[Namespace]:
    """Make a namespace with veth links of these names, up, without IPv6 addresses of the kernel's own making."""
    with subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE) as holder:
        own = Path("/proc/self/ns/net").readlink()
        deadline = time.monotonic() + 5
        while Path(f"/proc/{holder.pid}/ns/net").readlink() == own and time.monotonic() < deadline:
            time.sleep(0.005)
        assert Path(f"/proc/{holder.pid}/ns/net").readlink() != own, "still in the namespace of the machine"
        space = Namespace(holder.pid)
        for setting in ("default/accept_dad 0", "all/accept_dad 0", "default/addr_gen_mode 1"):
            name, value = setting.split()
            space.run("sh", "-c", f"echo {value} > /proc/sys/net/ipv6/conf/{name}")
        for dev in devices:
            space.ip(f"link add {dev} type veth peer name {dev}p")
            for end in (dev, f"{dev}p"):
                space.ip(f"link set dev {end} up")
        yield space
