"""Fixtures that several directories of tests share, and what is asked of the machine they run on."""

from collections.abc import Generator

import pytest

from tests import examples
from tests.lab.cluster import Lab
from tests.lab.fixture import lab, new_lab, require, shared_lab

__all__ = ["examples", "lab", "new_lab", "shared_lab"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Clusters take longest and wait much: in the end one process would do so while the others have nothing left to do.
    items.sort(key=lambda item: item.get_closest_marker("lab") is None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("lab"):
        require()
    elif item.get_closest_marker("netns"):
        require("iproute2", "util-linux")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for used in item.funcargs.values():
            if isinstance(used, Lab) and used.directory.exists():
                report.sections.append((f"lab {used.name} in {used.directory}", used.report()))
    return report
