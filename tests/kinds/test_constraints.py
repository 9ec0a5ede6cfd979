"""The rare forms of constraints: sets of resources, patterns, lifetimes, tickets."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.kinds import CLUSTER_KINDS
from tests.kinds.words import both_ways, element, reads, refuses, rewritten, spec
from tests.programs import need, run


def test_colocated_sets() -> None:
    both_ways(
        "Colocation",
        'score = "INFINITY"\n'
        'sets = [{ resources = ["a", "b"], sequential = false }, { resources = ["c"], role = "Promoted" }]',
        """<rsc_colocation id="k" score="INFINITY"><resource_set id="k-set" sequential="false"><resource_ref id="a"/>
        <resource_ref id="b"/></resource_set><resource_set id="k-set-1" role="Promoted"><resource_ref id="c"/>
        </resource_set></rsc_colocation>""",
    )


def test_ordered_sets() -> None:
    both_ways(
        "Order",
        'kind = "Optional"\nsymmetrical = false\n'
        'sets = [{ resources = ["a", "b"], require-all = false, action = "promote" }, '
        '{ resources = ["c"], kind = "Serialize" }, { id-ref = "other" }]',
        """<rsc_order id="k" kind="Optional" symmetrical="false"><resource_set id="k-set" require-all="false"
        action="promote"><resource_ref id="a"/><resource_ref id="b"/></resource_set><resource_set id="k-set-1"
        kind="Serialize"><resource_ref id="c"/></resource_set><resource_set id-ref="other"/></rsc_order>""",
    )


def test_located_sets_and_patterns() -> None:
    both_ways(
        "Location",
        'node = "n1"\nscore = 5\nsets = [{ resources = ["a"], role = "Promoted", id = "s" }]',
        """<rsc_location id="k" node="n1" score="5"><resource_set id="s" role="Promoted"><resource_ref id="a"/>
        </resource_set></rsc_location>""",
        "s",
    )
    both_ways(
        "Location",
        'resource-pattern = "^vm"\nnode = "n1"\nscore = "-INFINITY"\nresource-discovery = "never"',
        '<rsc_location id="k" rsc-pattern="^vm" node="n1" score="-INFINITY" resource-discovery="never"/>',
    )


def test_tickets() -> None:
    both_ways(
        "Ticket",
        'ticket = "site"\nresource = "db"\nrole = "Promoted"\nloss-policy = "freeze"',
        '<rsc_ticket id="k" rsc="db" rsc-role="Promoted" ticket="site" loss-policy="freeze"/>',
    )
    both_ways(
        "Ticket",
        'ticket = "site"\nsets = [{ resources = ["a", "b"] }]',
        """<rsc_ticket id="k" ticket="site"><resource_set id="k-set"><resource_ref id="a"/><resource_ref id="b"/>
        </resource_set></rsc_ticket>""",
    )
    reads(
        "Ticket",
        '<rsc_ticket id="k" rsc="db" rsc-role="Started" ticket="site" loss-policy="stop"/>',
        'ticket = "site"\nresource = "db"',
    )


@pytest.mark.parametrize(
    ("role", "default", "other"),
    [("Promoted", "demote", "stop"), ("Master", "demote", "stop"), ("Started", "stop", "demote")],
)
def test_what_happens_without_a_ticket_by_default_hangs_on_the_role(role: str, default: str, other: str) -> None:
    """Measured with crm_simulate of Pacemaker 2.1.5: who would be promoted may be there unpromoted."""
    inner = f'<resource_set id="k-set" role="{role}"><resource_ref id="db"/></resource_set>'
    for said, words, parts in (
        (f'resource = "db"\nrole = "{role}"', f'rsc="db" rsc-role="{role}"', ""),
        (f'sets = [{{ resources = ["db"], role = "{role}" }}]', "", inner),
    ):
        whole = f'ticket = "site"\n{said}\n'
        live = f'<rsc_ticket id="k" {words} ticket="site" loss-policy="{{}}">{parts}</rsc_ticket>'
        reads("Ticket", live.format(default), whole)
        reads("Ticket", live.format(other), f'{whole}loss-policy = "{other}"')


def test_what_happens_without_a_ticket_is_written_where_roles_differ_or_are_not_known() -> None:
    for rest in ('{ resources = ["b"] }', '{ id-ref = "s" }'):
        for policy in ("stop", "demote"):
            sets = f'sets = [{{ resources = ["a"], role = "Promoted" }}, {rest}]'
            said = spec("Ticket", f'ticket = "site"\n{sets}\nloss-policy = "{policy}"')
            assert said.model_dump()["loss_policy"] == policy


def test_a_role_less_changes_the_default_too() -> None:
    live = '<rsc_ticket id="k" rsc="db" rsc-role="Promoted" ticket="site" loss-policy="demote"/>'
    wanted = spec("Ticket", 'ticket = "site"\nresource = "db"')
    written = CLUSTER_KINDS["Ticket"].write("k", wanted, element(live))
    assert CLUSTER_KINDS["Ticket"].read(written, frozenset()) == wanted


def test_lifetimes() -> None:
    lifetime = (
        '<lifetime><rule id="k-lifetime-rule" score="INFINITY"><date_expression id="k-lifetime-rule-expression" '
        'operation="lt" end="2030-01-01"/></rule></lifetime>'
    )
    said = 'lifetime = [{ expression = "date lt 2030-01-01" }]\n'
    both_ways(
        "Location",
        said + 'resource = "a"\nnode = "n1"\nscore = 5',
        f'<rsc_location id="k" rsc="a" node="n1" score="5">{lifetime}</rsc_location>',
    )
    both_ways(
        "Colocation",
        said + 'resource = "a"\nwith = "b"\nscore = 5',
        f'<rsc_colocation id="k" rsc="a" with-rsc="b" score="5">{lifetime}</rsc_colocation>',
    )
    both_ways(
        "Order",
        said + 'first = "a"\nthen = "b"',
        f'<rsc_order id="k" first="a" then="b">{lifetime}</rsc_order>',
    )


def test_a_score_that_is_not_said_counts_as_none() -> None:
    reads(
        "Colocation",
        '<rsc_colocation id="k" rsc="a" with-rsc="b" score="0"/>',
        'resource = "a"\nwith = "b"\nscore = 0',
    )
    reads(
        "Location",
        '<rsc_location id="k" rsc="a"><rule id="r" score="0"><expression id="e" attribute="x" operation="defined"/>'
        "</rule></rsc_location>",
        'resource = "a"\nrules = [{ score = 0, expression = "defined x" }]',
    )


def test_a_kind_that_a_score_says_stays_said_by_it() -> None:
    live = '<rsc_order id="k" first="a" then="b" score="0"/>'
    optional = 'first = "a"\nthen = "b"\nkind = "Optional"\n'
    assert rewritten("Order", live, optional) == live.replace("/>", " />")
    assert rewritten("Order", live, optional + "symmetrical = false").count("kind=") == 0
    assert 'kind="Serialize"' in rewritten("Order", live, optional.replace("Optional", "Serialize"))
    assert "score=" not in rewritten("Order", live, optional.replace("Optional", "Serialize"))


def test_what_old_schemas_take_for_a_score_needs_none_beside_it() -> None:
    both_ways(
        "Colocation",
        'resource = "a"\nwith = "b"\nscore-attribute = "x"',
        '<rsc_colocation id="k" rsc="a" with-rsc="b" score-attribute="x"/>',
    )


CLUSTER = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" have-quorum="1" admin_epoch="0" epoch="1"
num_updates="0">
<configuration><crm_config><cluster_property_set id="p"><nvpair id="p-1" name="stonith-enabled" value="false"/>
</cluster_property_set></crm_config><nodes><node id="1" uname="n1"/></nodes><resources>{resources}</resources>
<constraints>{constraints}</constraints></configuration><status><node_state id="1" uname="n1" in_ccm="true"
crmd="online" join="member" expected="member"/></status></cib>"""
LIVE = """<rsc_order id="k"><resource_set id="one" sequential="yes"><resource_ref id="a"/><resource_ref id="b"/>
</resource_set><resource_set id="two"><resource_ref id="c"/></resource_set></rsc_order>"""


def test_defaults_that_are_said_stay_said() -> None:
    reads("Order", LIVE, 'sets = [{ resources = ["a", "b"], sequential = true }, { resources = ["c"] }]')
    alone = LIVE.replace('<resource_set id="two"><resource_ref id="c"/></resource_set>', "")
    reads("Order", alone, 'sets = [{ resources = ["a", "b"] }]')
    together = LIVE.replace("rsc_order", "rsc_colocation").replace('id="k"', 'id="k" score="5"')
    reads("Colocation", together, 'score = 5\nsets = [{ resources = ["a", "b"] }, { resources = ["c"] }]')


def test_a_set_said_to_be_a_sequence_is_told_from_one_of_which_nothing_is_said(tmp_path: Path) -> None:
    """Measured: what follows the set in an order waits for its last resource, or for each of them."""
    need("crm_simulate")
    resources = "".join(f'<primitive id="{name}" class="lsb" type="{name}"/>' for name in "abc")
    cib, graph, waits = tmp_path / "cib.xml", tmp_path / "graph.xml", []
    for said, so in (('sequential="true"', ", sequential = true"), ("", "")):
        order = LIVE.replace('sequential="yes"', said)
        reads("Order", order, f'sets = [{{ resources = ["a", "b"]{so} }}, {{ resources = ["c"] }}]')
        cib.write_text(CLUSTER.format(resources=resources, constraints=order))
        run(cib, "crm_simulate", "--simulate", "--xml-file", str(cib), "--save-graph", str(graph))
        synapses = ET.parse(graph).iterfind("synapse")
        after = next(found for found in synapses if found.find("action_set/*[@operation_key='c_start_0']") is not None)
        waits.append({found.get("operation_key") for found in after.iterfind("inputs/trigger/*")})
    assert [{"a_start_0", "b_start_0"} & wait for wait in waits] == [{"b_start_0"}, {"a_start_0", "b_start_0"}]


def test_sets_keep_their_ids_when_they_change_or_change_places() -> None:
    after = rewritten("Order", LIVE, 'sets = [{ resources = ["c"] }, { resources = ["a", "b", "d"] }]')
    assert after.index('id="two"') < after.index('id="one"')
    assert after.count("<resource_set") == 2
    assert '<resource_ref id="b" /><resource_ref id="d" />' in after


def test_one_form_at_a_time() -> None:
    refuses("Order", 'first = "a"', "needs `first` and `then`, or `sets`")
    refuses("Order", 'first = "a"\nthen = "b"\nsets = [{ resources = ["c"] }]', "use one form")
    refuses("Colocation", 'resource = "a"\nwith = "b"', "needs a `score`")
    refuses("Location", 'resource = "a"\nresource-pattern = "b"\nnode = "n"\nscore = 1', "needs one of")
    refuses("Ticket", 'ticket = "t"', "needs either")
    refuses("Order", "sets = [{}]", "needs `resources`")
    refuses("Order", 'sets = [{ id-ref = "a", resources = ["b"] }]', "has `id-ref`")
