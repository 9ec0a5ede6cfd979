"""Which examples laws are tried on: in CI the same each time, for `make laws` fresh ones and more."""

import os
import subprocess
import sys

import pytest

SHOWN = """
from hypothesis import settings
from tests.examples import often
settings.load_profile({profile!r})
found = often(40)
print(found.derandomize, found.print_blob, found.max_examples, "shrink" in [phase.name for phase in found.phases])
"""


@pytest.mark.parametrize(
    ("profile", "ci", "shown"),
    [
        ("ci", "true", "True True 40 False"),
        ("default", "", "False False 40 True"),
        ("laws", "", "False True 200 True"),
        ("laws", "true", "False True 200 True"),
    ],
)
def test_settings_of_laws(profile: str, ci: str, shown: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | ({"CI": ci} if ci else {})
    code = SHOWN.format(profile=profile)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == shown
