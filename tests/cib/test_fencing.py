"""Which property says whether nodes are fenced."""

from xml.etree import ElementTree as ET

import pytest

from reconciler.cib.fencing import Fencing, fencing
from reconciler.cib.inventory import Configuration

BOTH = {"fencing-enabled": "false", "stonith-enabled": "true"}


@pytest.mark.parametrize(
    ("properties", "feature_set", "expected"),
    [
        ({}, (3, 16, 2), Fencing("stonith-enabled", True)),
        ({"fencing-enabled": "false"}, (3, 16, 2), Fencing("stonith-enabled", True)),
        ({"fencing-enabled": "false"}, (3, 20, 0), Fencing("stonith-enabled", True)),
        ({"fencing-enabled": "false"}, (), Fencing("stonith-enabled", True)),
        (BOTH, (3, 16, 2), Fencing("stonith-enabled", True)),
        (BOTH, (3, 20, 5), Fencing("fencing-enabled", False)),
        ({"stonith-enabled": "Off"}, (3, 20, 5), Fencing("stonith-enabled", False)),
        ({"stonith-enabled": "perhaps"}, (3, 16, 2), Fencing("stonith-enabled", True)),
    ],
)
def test_the_name_that_counts(properties: dict[str, str], feature_set: tuple[int, ...], expected: Fencing) -> None:
    assert fencing(properties, feature_set) == expected


@pytest.mark.parametrize(("feature_set", "on"), [("3.16.2", True), ("3.20.5", False)])
def test_the_status_goes_by_it(feature_set: str, on: bool) -> None:
    text = (
        f'<cib crm_feature_set="{feature_set}"><configuration><crm_config><cluster_property_set id="s">'
        '<nvpair id="p" name="fencing-enabled" value="false"/></cluster_property_set></crm_config></configuration>'
        "</cib>"
    )
    assert Configuration(ET.fromstring(text)).fencing is on
