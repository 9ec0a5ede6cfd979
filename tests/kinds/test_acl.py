"""Access control lists: roles with permissions of every form, users who may be called as resources are."""

from xml.etree import ElementTree as ET

from reconciler import manifests
from reconciler.cib.document import parse
from reconciler.kinds.observe import observe
from reconciler.planner import ClusterPlan, plan
from reconciler.pruning import Policy
from tests.kinds.words import both_ways, reads, refuses, rewritten

HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n'
CIB = """<cib crm_feature_set="3.16.1" validate-with="{}" admin_epoch="0" epoch="1" num_updates="0">
<configuration><crm_config/><nodes/><resources><primitive id="tomcat" class="lsb" type="x"/></resources><constraints/>
<acls><acl_role id="operator"><acl_permission id="p" kind="write" object-type="node"/></acl_role>
<acl_target id="tomcat"><role id="operator"/></acl_target></acls>{}</configuration><status/></cib>"""
ROLE = """[[items]]
kind = "AclRole"
metadata.name = "operator"
spec.permissions = [{ kind = "write", object-type = "node" }]
"""
PRIMITIVE = '[[items]]\nkind = "Primitive"\nmetadata.name = "tomcat"\nspec.agent = "lsb:x"\n'


def user(*roles: str) -> str:
    return f'[[items]]\nkind = "AclUser"\nmetadata.name = "tomcat"\nspec.roles = {list(roles)}\n'


def planned(*texts: str, schema: str = "pacemaker-3.9", owned: tuple[str, ...] = ()) -> ClusterPlan:
    refs = "".join(f'<obj_ref id="{name}"/>' for name in owned)
    tags = f'<tags><tag id="reconciler-owned">{refs}</tag></tags>' if owned else ""
    return planned_on(CIB.format(schema, tags), *texts)


def planned_on(live: str, *texts: str) -> ClusterPlan:
    desired = manifests.load({"a.toml": HEAD + "".join(texts)}, "r")
    assert desired.rejected == ()
    return plan(desired, observe(parse(live)), frozenset(), Policy())


def test_permissions_of_every_form() -> None:
    both_ways(
        "AclRole",
        """description = "for the night"
        permissions = [{ kind = "read", xpath = "/cib" }, { kind = "write", reference = "vip", description = "why" },
        { kind = "deny", object-type = "nvpair", attribute = "value", id = "secret" }]""",
        """<acl_role id="r" description="for the night"><acl_permission id="r-read" kind="read" xpath="/cib"/>
        <acl_permission id="r-write" kind="write" reference="vip" description="why"/>
        <acl_permission id="secret" kind="deny" object-type="nvpair" attribute="value"/></acl_role>""",
        "secret",
    )


def test_users_and_groups_have_roles() -> None:
    both_ways("AclUser", 'roles = ["r", "s"]', '<acl_target id="u"><role id="r"/><role id="s"/></acl_target>')
    both_ways("AclUser", 'name = "DOMAIN\\\\u"', '<acl_target id="u" name="DOMAIN\\u"/>')
    both_ways("AclGroup", 'name = "ops"\nroles = ["r"]', '<acl_group id="g" name="ops"><role id="r"/></acl_group>')


def test_permissions_keep_their_ids() -> None:
    live = """<acl_role id="r"><acl_permission id="a" kind="read" xpath="/cib"/>
    <acl_permission id="b" kind="write" reference="vip"/></acl_role>"""
    after = rewritten("AclRole", live, 'permissions = [{ kind = "write", reference = "vip" }]')
    assert after == '<acl_role id="r"><acl_permission id="b" kind="write" reference="vip" /></acl_role>'


def test_an_id_goes_to_the_permission_that_asks_for_it() -> None:
    live = '<acl_role id="r"><acl_permission id="a" kind="read" xpath="/cib"/></acl_role>'
    said = '[{ kind = "read", xpath = "/cib" }, { kind = "write", reference = "vip", id = "a" }]'
    assert rewritten("AclRole", live, f"permissions = {said}") == (
        '<acl_role id="r"><acl_permission id="r-read" kind="read" xpath="/cib" />'
        '<acl_permission id="a" kind="write" reference="vip" /></acl_role>'
    )


def test_one_form_at_a_time() -> None:
    refuses("AclRole", 'permissions = [{ kind = "read" }]', "needs one of")
    refuses("AclRole", 'permissions = [{ kind = "read", xpath = "/", attribute = "a" }]', "without an `object-type`")


def test_what_old_schemas_say_is_read_and_kept() -> None:
    reads(
        "AclRole",
        '<acl_role id="r"><read id="a" xpath="/cib"/><write id="b" tag="node" attribute="x"/></acl_role>',
        """permissions = [{ kind = "read", xpath = "/cib" },
        { kind = "write", object-type = "node", attribute = "x" }]""",
    )
    reads("AclUser", '<acl_user id="u"><role_ref id="r"/></acl_user>', 'roles = ["r"]')
    reads(
        "AclUser",
        '<acl_user id="u"><read id="a" ref="vip"/></acl_user>',
        'permissions = [{ kind = "read", reference = "vip" }]',
    )


def test_a_user_may_be_called_as_a_resource_is() -> None:
    made = planned(ROLE, PRIMITIVE, user("operator"))
    assert made.plan.changes == ()
    record = made.configuration.find("tags/tag")
    assert record is not None
    assert [ref.get("id") for ref in record] == ["acl_target:tomcat", "operator", "tomcat"]


def test_the_user_goes_and_the_resource_stays() -> None:
    made = planned(ROLE, PRIMITIVE, owned=("acl_target:tomcat", "operator", "tomcat"))
    assert [(str(change.ref), change.verb) for change in made.plan.changes] == [("AclUser/tomcat", "delete")]
    acls = made.configuration.find("acls")
    assert acls is not None
    assert [found.tag for found in acls] == ["acl_role"]


def test_a_user_that_is_not_ours_stays_though_a_resource_of_the_name_is() -> None:
    made = planned(ROLE, PRIMITIVE, owned=("operator", "tomcat"))
    assert made.plan.changes == ()
    assert [str(ref) for ref in made.plan.foreign] == ["AclUser/tomcat"]


def test_a_role_that_somebody_has_is_not_deleted() -> None:
    made = planned(PRIMITIVE, owned=("operator", "tomcat"))
    (hold,) = made.plan.holds
    assert hold.message == "no manifest wants it, but AclUser/tomcat names it"


def test_where_no_tag_can_name_a_user_it_is_recorded_beside_the_tag() -> None:
    made = planned(ROLE, PRIMITIVE, user(), schema="pacemaker-3.2", owned=("operator", "tomcat"))
    assert [str(change.ref) for change in made.plan.changes] == ["AclUser/tomcat"]
    (pair,) = made.configuration.findall("crm_config/cluster_property_set[@id='reconciler-owned-untagged']/nvpair")
    assert pair.get("value") == "acl_target:tomcat"
    assert [ref.get("id") for ref in made.configuration.iterfind("tags/tag/obj_ref")] == ["operator", "tomcat"]


def test_before_schema_2_0_a_user_is_written_in_its_words() -> None:
    text = CIB.format("pacemaker-1.2", "").replace('<acl_target id="tomcat"><role id="operator"/></acl_target>', "")
    made = planned_on(text, ROLE, PRIMITIVE, user("operator"))
    assert [ET.tostring(it, "unicode") for it in made.configuration.iterfind("acls/acl_user")] == [
        '<acl_user id="tomcat"><role_ref id="operator" /></acl_user>'
    ]
