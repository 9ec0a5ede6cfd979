"""Tags: what they list, in whatever order, and our own record, which is none."""

from reconciler import manifests
from reconciler.cib.document import parse
from reconciler.kinds.observe import observe
from reconciler.planner import ClusterPlan, plan
from reconciler.pruning import Policy
from reconciler.state import Ref
from tests.kinds.words import both_ways, reads, refuses, rewritten

CIB = """<cib crm_feature_set="3.16.1" validate-with="{}" admin_epoch="0" epoch="1" num_updates="0">
<configuration><crm_config/><nodes/><resources><primitive id="a" class="lsb" type="x"/></resources><constraints/>
<tags><tag id="reconciler-owned"><obj_ref id="a"/></tag></tags></configuration><status/></cib>"""
HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n'
PRIMITIVE = '[[items]]\nkind = "Primitive"\nmetadata.name = "a"\nspec.agent = "lsb:x"\n'
TAG = '[[items]]\nkind = "Tag"\nmetadata.name = "web"\nspec.objects = ["a", "gone"]\n'
LOCATION = '[[items]]\nkind = "Location"\nmetadata.name = "k"\nspec = { resource = "web", node = "n1", score = 5 }\n'


def planned(*texts: str, schema: str = "pacemaker-3.9") -> ClusterPlan:
    desired = manifests.load({"a.toml": HEAD + "".join(texts)}, "r")
    assert desired.rejected == ()
    return plan(desired, observe(parse(CIB.format(schema))), frozenset(), Policy())


def test_a_tag_lists_objects_in_whatever_order() -> None:
    both_ways("Tag", 'objects = ["a", "b"]', '<tag id="t"><obj_ref id="a"/><obj_ref id="b"/></tag>')
    reads("Tag", '<tag id="t"><obj_ref id="b"/><obj_ref id="a"/></tag>', 'objects = ["a", "b", "a"]')
    live = '<tag id="t"><obj_ref id="b"/><obj_ref id="c"/></tag>'
    assert rewritten("Tag", live, 'objects = ["a", "b"]') == '<tag id="t"><obj_ref id="b" /><obj_ref id="a" /></tag>'


def test_a_tag_lists_something() -> None:
    refuses("Tag", "objects = []", "at least 1")


def test_our_record_is_no_tag_of_anybody() -> None:
    assert Ref("Tag", "reconciler-owned") not in observe(parse(CIB.format("pacemaker-3.9"))).all
    text = HEAD + TAG.replace('"web"', '"reconciler-owned"')
    (fault,) = manifests.load({"a.toml": text}, "r").rejected
    assert (fault.field, "its own record" in fault.message) == ("metadata.name", True)


def test_a_constraint_may_name_a_tag() -> None:
    made = planned(PRIMITIVE, TAG, LOCATION)
    assert [str(change.ref) for change in made.plan.changes] == ["Location/k", "Tag/web"]


def test_what_a_tag_lists_need_not_be_there_but_that_is_said() -> None:
    made = planned(PRIMITIVE, TAG)
    assert [str(change.ref) for change in made.plan.changes] == ["Tag/web"]
    assert "Tag/web: objects names gone, which does not exist" in made.plan.warnings


def test_where_the_schema_wants_it_there_the_tag_waits() -> None:
    made = planned(PRIMITIVE, TAG, schema="pacemaker-3.2")
    assert made.plan.changes == ()
    assert [(str(hold.ref), hold.message) for hold in made.plan.holds] == [
        ("Tag/web", "objects names gone, which does not exist")
    ]
