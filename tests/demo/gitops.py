"""Git as people use it: somebody commits on a workstation and pushes, every node pulls."""

import subprocess
from pathlib import Path

from tests.lab import CommandFailedError, Node

_BRANCH = "main"
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    # Nobody's hooks, signing keys or aliases play a part.
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Operator",
    "GIT_AUTHOR_EMAIL": "operator@example.org",
    "GIT_COMMITTER_NAME": "Operator",
    "GIT_COMMITTER_EMAIL": "operator@example.org",
    "GIT_TERMINAL_PROMPT": "0",
}


class Repository:
    """A bare origin and a workstation's clone of it.

    Attributes:
        origin: What everybody pushes to and pulls from.
        files: The manifests by name, as the first commit had them.
    """

    def __init__(self, directory: Path, manifests: Path) -> None:
        self.origin = directory / "origin.git"
        self._work = directory / "workstation"
        self.files = {path.name: path.read_text(encoding="utf-8") for path in sorted(manifests.glob("*.toml"))}
        _git(directory, "init", "--quiet", "--bare", f"--initial-branch={_BRANCH}", str(self.origin))
        _git(directory, "init", "--quiet", f"--initial-branch={_BRANCH}", str(self._work))
        self._run("remote", "add", "origin", str(self.origin))
        for name, text in self.files.items():
            (self._work / name).write_text(text, encoding="utf-8")
        self._run("add", "--all")
        self._run("commit", "--quiet", "--message", "The web service")
        self._run("push", "--quiet", "--set-upstream", "origin", _BRANCH)

    def change(self, file: str, old: str, new: str, message: str) -> None:
        """Commit one change of one file and push it.

        Raises:
            ValueError: `old` is not in the file exactly once.
        """
        path = self._work / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{file} has {old!r} {text.count(old)} times")
        path.write_text(text.replace(old, new), encoding="utf-8")
        self._run("commit", "--quiet", "--all", "--message", message)
        self._run("push", "--quiet")

    def revert(self) -> None:
        """Take the last commit back with another one, and push that."""
        self._run("revert", "--no-edit", "HEAD")
        self._run("push", "--quiet")

    def clone_to(self, node: Node, directory: str) -> None:
        """Give a node its own checkout."""
        node.run(["git", "clone", "--quiet", str(self.origin), directory], env=_ENVIRONMENT, check=True)

    @staticmethod
    def pull_on(node: Node, directory: str) -> None:
        """Pull on a node, as its GitOps tool does when it is told of a push."""
        node.run(["git", "-C", directory, "pull", "--quiet", "--ff-only"], env=_ENVIRONMENT, check=True)

    def _run(self, *argv: str) -> None:
        _git(self._work, *argv)


def _git(directory: Path, *argv: str) -> None:
    command = ["git", *argv]
    done = subprocess.run(command, cwd=directory, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailedError(done)
