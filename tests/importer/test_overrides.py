"""What looks as if it meant nothing is imported where it means something."""

from pathlib import Path

import pytest

from reconciler.cib.document import parse
from reconciler.importer.importer import import_cib
from tests.importer.test_laws import loaded, made_anew, simulated
from tests.programs import need

CIB = (
    '<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0" '
    'have-quorum="1" dc-uuid="1"><configuration><crm_config>{sets}</crm_config><nodes><node id="1" uname="n1">'
    '{attributes}</node><node id="2" uname="n2"/></nodes><resources><primitive id="a" class="systemd" type="a">{meta}'
    "</primitive></resources><constraints>{constraints}</constraints></configuration><status>"
    '<node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"/>'
    '<node_state id="2" uname="n2" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>'
)
PAIR = '<nvpair id="{0}" name="{1}" value="{2}"/>'
UNFENCED = f'<cluster_property_set id="o">{PAIR.format("o-1", "stonith-enabled", "false")}</cluster_property_set>'


def properties(name: str, value: str, attributes: str = "", inside: str = "") -> str:
    pair = PAIR.format(f"{name}-1", "maintenance-mode", value)
    return f'<cluster_property_set id="{name}"{attributes}>{pair}{inside}</cluster_property_set>'


RULE = '<rule id="r" score="0"><date_expression id="r-1" operation="gt" start="2001-01-01"/></rule>'
LOCATION = (
    '<rsc_location id="l" rsc="a"><rule id="r" score="-INFINITY"><expression id="e" attribute="{0}" operation="eq" '
    'value="{1}"{2}/></rule></rsc_location>'
)


def configuration(sets: str = UNFENCED, attributes: str = "", meta: str = "", constraints: str = "") -> str:
    if attributes:
        attributes = f'<instance_attributes id="n">{attributes}</instance_attributes>'
    if meta:
        meta = f'<meta_attributes id="m">{meta}</meta_attributes>'
    return CIB.format(sets=sets, attributes=attributes, meta=meta, constraints=constraints)


MEANT = {
    "a set that comes before another": configuration(
        UNFENCED + properties("first", "false", ' score="2"') + properties("second", "true", ' score="1"')
    ),
    "a set that comes before one with a rule": configuration(
        UNFENCED + properties("first", "off", ' score="2"') + properties("second", "on", "", RULE)
    ),
    "an attribute that a rule asks": configuration(
        attributes=PAIR.format("n-1", "standby", "off"), constraints=LOCATION.format("standby", "off", "")
    ),
    "a meta attribute that a rule compares": configuration(
        attributes=PAIR.format("n-1", "wanted", "Started"),
        meta=PAIR.format("m-1", "target-role", "Started"),
        constraints=LOCATION.format("wanted", "target-role", ' value-source="meta"'),
    ),
}


@pytest.mark.parametrize("text", MEANT.values(), ids=MEANT.keys())
def test_pacemaker_makes_the_same_of_it(text: str, tmp_path: Path) -> None:
    need("crm_simulate")
    cib = parse(text)
    anew = made_anew(loaded(import_cib(cib)), cib)
    assert simulated(tmp_path, anew) == simulated(tmp_path, text)


NOTHING = {
    "one set": configuration(UNFENCED + properties("first", "false")),
    "two sets of one mind": configuration(UNFENCED + properties("first", "false") + properties("second", "no")),
    "a rule that asks something else": configuration(
        attributes=PAIR.format("n-1", "standby", "off"), constraints=LOCATION.format("rack", "standby", "")
    ),
    "a role": configuration(meta=PAIR.format("m-1", "target-role", "Started")),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING.keys())
def test_what_means_nothing_is_left_to_people(text: str) -> None:
    said = "".join(import_cib(parse(text)).whole())
    assert not any(word in said for word in ("maintenance-mode", "standby = ", "target-role"))


REFERRED = {
    "a set": UNFENCED + properties("first", "true") + '<cluster_property_set id-ref="first"/>',
    "a value": UNFENCED + properties("first", "true") + '<cluster_property_set id="s"><nvpair id-ref="first-1"/>'
    "</cluster_property_set>",
}


@pytest.mark.parametrize("sets", REFERRED.values(), ids=REFERRED.keys())
def test_what_others_refer_to_is_imported_with_them(sets: str) -> None:
    imported = import_cib(parse(configuration(sets)), overrides=False)
    assert imported.left_out == ()
