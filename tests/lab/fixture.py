"""The lab for pytest. tests/conftest.py makes these fixtures known to all tests.

A test that uses them carries the marker `lab`. Without root, or without the programs, it is skipped with a reason that
names what is missing; with CI=true in the environment it fails instead.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.lab.cluster import Lab
from tests.lab.layout import Layout
from tests.lab.needs import missing
from tests.lab.waiting import TooLateError
from tests.programs import absent

LabFactory = Callable[[Layout | None], Lab]


def require(*packages: str) -> None:
    """Skip the test, or fail it where CI=true, when something is missing."""
    if lacking := missing(*packages):
        absent(f"needs {', '.join(lacking)}")


@pytest.fixture(scope="session")
def shared_lab() -> Iterator[Lab]:
    """The two-node lab of the whole session, as the tests before left it."""
    require()
    with Lab.up() as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    """The two-node lab of the session, hardware whole, with an empty cluster. Files on the nodes stay."""
    try:
        shared_lab.reset()
    except TooLateError:
        shared_lab.reinstall()
    return shared_lab


@pytest.fixture
def new_lab() -> Iterator[LabFactory]:
    """Makes labs of any layout that end with the test."""
    require()
    labs: list[Lab] = []

    def make(layout: Layout | None = None) -> Lab:
        labs.append(Lab.up(layout))
        return labs[-1]

    try:
        yield make
    finally:
        for made in labs:
            if made.directory.exists():
                made.down()
