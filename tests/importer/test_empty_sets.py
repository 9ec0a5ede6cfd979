"""Sets that say nothing, and references that say the same twice: no manifests for them, and nothing to remark."""

import pytest

from reconciler.cib.document import parse
from reconciler.importer.importer import import_cib
from reconciler.kinds.observe import observe
from tests.importer.test_laws import decided, loaded

CIB = (
    '<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">'
    "<configuration><crm_config>{0}</crm_config><nodes/><resources/><constraints/>{1}</configuration><status/></cib>"
)
PAIR = '<nvpair id="{0}-1" name="{1}" value="{2}"/>'
SET = '<cluster_property_set id="{0}">' + PAIR + "</cluster_property_set>"
DEFAULTS = "<rsc_defaults>{0}</rsc_defaults><op_defaults>{1}</op_defaults>"

NOTHING = {
    "empty sets": CIB.format(
        SET.format("a", "batch-limit", "3") + '<cluster_property_set id="b" score="2"/>',
        DEFAULTS.format('<meta_attributes id="d"/>', '<meta_attributes id="o" score="1"/>'),
    ),
    "a reference twice": CIB.format(
        '<cluster_property_set id-ref="a"/>'
        + SET.format("a", "batch-limit", "3")
        + '<cluster_property_set id-ref="a"/>',
        "",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING.keys())
def test_what_says_nothing_needs_no_manifest(text: str) -> None:
    cib = parse(text)
    assert observe(cib).unknown == ()
    imported = import_cib(cib)
    assert (imported.left_out, sum(imported.attention.values())) == ((), 0)
    assert "verbatim" not in "".join(imported.whole())
    plan = decided(loaded(imported), text).plan
    assert (plan.changes, plan.holds, plan.foreign) == ((), (), ())


NEEDED = {
    "empty": CIB.format("", DEFAULTS.format('<meta_attributes id="d"/>', '<meta_attributes id-ref="d"/>')),
    "only with what Pacemaker writes": CIB.format(
        SET.format("a", "dc-version", "2") + '<cluster_property_set id-ref="a"/>', ""
    ),
    "with nothing but a rule": CIB.format(
        "",
        DEFAULTS.format(
            '<meta_attributes id="d"><rule id="r"><date_expression id="x" operation="gt" start="2001-01-01"/></rule>'
            "</meta_attributes>",
            '<meta_attributes id="o"><rule id-ref="r"/>' + PAIR.format("o", "timeout", "9s") + "</meta_attributes>",
        ),
    ),
}


@pytest.mark.parametrize("text", NEEDED.values(), ids=NEEDED.keys())
def test_what_something_refers_to_is_imported_all_the_same(text: str) -> None:
    imported = import_cib(parse(text))
    assert (imported.left_out, imported.objects) == ((), 2)
    plan = decided(loaded(imported), text).plan
    assert (plan.changes, plan.holds) == ((), ())
