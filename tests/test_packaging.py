"""What is installed beside the program: the unit systemd runs it by, and the file of settings."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler import settings
from reconciler.settings import Settings
from tests.programs import absent

PACKAGING = Path(__file__).parent.parent / "packaging"
UNIT = PACKAGING / "reconciler.service"
FILE = PACKAGING / "reconciler.toml"
EXPOSURE = (
    30  # of 100, as `systemd-analyze security` counts: an agent for the network and the cluster is no small thing
)


def in_force(text: str) -> str:
    """The same file with what is commented out said: comments proper are sentences, not `key = value` or `[table]`."""
    return re.sub(r"^# (?=\[\w+\]$|\w+ = )", "", text, flags=re.MULTILINE)


def test_the_settings_file_says_the_defaults(tmp_path: Path) -> None:
    assert settings.load(FILE) == Settings()
    said = tmp_path / "said.toml"
    said.write_text(in_force(FILE.read_text()))
    assert settings.load(said) == Settings()


def test_the_settings_file_has_every_key() -> None:
    expected = {*Settings.model_fields, *settings.Http.model_fields, *settings.Guards.model_fields} - {"http", "guards"}
    assert set(re.findall(r"^(\w+) = ", in_force(FILE.read_text()), re.MULTILINE)) == expected


def test_every_key_is_explained() -> None:
    lines = FILE.read_text().splitlines()
    keys = [index for index, line in enumerate(lines) if re.match(r"# \w+ = ", line)]
    assert keys
    assert [lines[index] for index in keys if not re.match(r'# ("|[A-Za-z]).*[.:,]$', lines[index - 1])] == []


def values(key: str) -> list[str]:
    return [line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith(f"{key}=")]


def test_the_unit_gives_the_directories_that_the_settings_name() -> None:
    defaults = Settings()
    assert [f"/run/{name}" for name in values("RuntimeDirectory")] == [str(defaults.runtime_dir)]
    assert [f"/var/lib/{name}" for name in values("StateDirectory")] == [str(defaults.state_dir)]
    assert [f"/etc/{name}" for name in values("ConfigurationDirectory")] == [str(settings.DEFAULT_FILE.parent)]
    assert values("ReadOnlyPaths") == [str(settings.DEFAULT_FILE.parent)]


def test_the_unit_hangs_on_nothing() -> None:
    """The agent starts without the cluster, and neither stops the other."""
    for key in ("Requires", "Requisite", "BindsTo", "PartOf", "Wants", "Conflicts", "Upholds"):
        assert values(key) == []
    assert {"corosync.service", "pacemaker.service"} <= set(values("After")[0].split())


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("systemd-analyze"):
        absent("the unit is NOT checked: needs systemd-analyze, of the package systemd")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is here, as systemd-analyze insists."""
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text(), flags=re.MULTILINE))
    return copy


def test_systemd_understands_the_unit(unit: Path) -> None:
    verified = systemd_analyze("verify", "--man=no", str(unit))
    about_it = [line for line in verified.stderr.splitlines() if UNIT.name in line]
    assert (verified.returncode, about_it) == (0, [])


def test_systemd_would_notice_a_mistake(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in systemd_analyze("verify", "--man=no", str(unit)).stderr


def test_the_agent_can_do_little_else_than_its_work(unit: Path) -> None:
    judged = systemd_analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", "--no-pager", str(unit))
    assert judged.returncode == 0, judged.stdout
