"""crm's language as people have it in files: what is read, what is wrong with it, and what is remarked."""

from typing import Any

import pytest

from reconciler.crm import read
from reconciler.kinds.observe import observe
from reconciler.reading import Remark
from reconciler.state import Ref
from tests.crm.texts import REFERENCE


def spec(text: str, kind: str, name: str) -> Any:
    reading = read(text)
    assert reading.faults == ()
    return observe(reading.cib).state[Ref(kind, name)].model_dump(mode="json", by_alias=True, exclude_defaults=True)


def faults(text: str) -> list[str]:
    return [str(fault) for fault in read(text).faults]


def test_the_reference_case() -> None:
    seen = observe(read(REFERENCE).cib)
    assert [str(ref) for ref in seen.state] == [
        "ClusterProperties/cib-bootstrap-options", "Primitive/vip", "Primitive/httpd", "Clone/cloned-ping-gateway",
        "Primitive/ping-gateway", "Colocation/httpd-with-vip", "Location/preferred-node", "Location/vip-needs-gateway",
    ]  # fmt: skip
    assert spec(REFERENCE, "ClusterProperties", "cib-bootstrap-options") == {
        "properties": {"stonith-enabled": "false", "no-quorum-policy": "ignore"}
    }
    assert spec(REFERENCE, "Location", "vip-needs-gateway") == {
        "resource": "vip",
        "rules": [{"score": "-INFINITY", "expression": "not_defined pingd or pingd lte 0"}],
    }


@pytest.mark.parametrize(
    "text",
    [
        "primitive a Dummy params fake='x y' op monitor interval=10s",
        "crm configure primitive a Dummy params fake='x y' op monitor interval=10s",
        "$ sudo crm -F --wait configure primitive a Dummy params fake='x y' op monitor interval=10s",
        "sudo crm configure\n  primitive a Dummy params fake='x y' op monitor interval=10s\n  commit\n  exit",
        "configure\nprimitive a Dummy params fake='x y' op monitor interval=10s\ncommit\nquit",
        "crm(live)configure# primitive a Dummy params fake='x y' op monitor interval=10s",
        "crm(live/n1)configure# primitive a Dummy fake='x y' op monitor interval=10s\ncrm(live/n1)configure# commit",
        '\ufeffprimitive a ocf:heartbeat:Dummy \\\r\n\tparams fake="x y" \\\r\n\top monitor interval=10s\r\n',
        "primitive a ocf::heartbeat:Dummy fake=x\\ y op monitor interval=10s",
        "PRIMITIVE a ocf:Dummy Params fake='x y' OP monitor interval=10s",
        "\x1b[33mWARNING\x1b[0m: something\nprimitive a Dummy fake='x y' op monitor interval=10s",
        "primitive a Dummy fake='x y'\nmonitor a 10s",
        """xml <primitive id="a" class="ocf" provider="heartbeat" type="Dummy"> \\
  <instance_attributes id="x"><nvpair id="y" name="fake" value="x y"/></instance_attributes> \\
  <operations><op id="z" name="monitor" interval="10s"/></operations> \\
</primitive>""",
    ],
)
def test_one_primitive_in_many_ways(text: str) -> None:
    assert spec(text, "Primitive", "a") == {
        "agent": "ocf:heartbeat:Dummy",
        "params": {"fake": "x y"},
        "operations": [{"name": "monitor", "interval": "10s"}],
    }


def test_a_value_over_several_lines() -> None:
    text = 'primitive a Dummy \\\n\tparams fake="one\n  two" state=x \\\n\top monitor interval=10s\nprimitive b Dummy'
    assert spec(text, "Primitive", "a")["params"] == {"fake": "one\n  two", "state": "x"}
    assert spec(text, "Primitive", "a")["operations"] == [{"name": "monitor", "interval": "10s"}]


def test_an_open_quote_spoils_one_statement_only() -> None:
    text = 'primitive a Dummy fake="x\nprimitive b Dummy\nprimitive c Dummy fake="y"'
    assert faults(text) == ['line 1: primitive a Dummy fake="x: has a quote " that is not closed']
    assert {ref.name for ref in observe(read(text).cib).state} == {"b", "c"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("primitve a Dummy", "no statement begins with 'primitve': did you mean primitive?"),
        ("primitive", "ends where the id of a primitive should follow"),
        ("primitive a", "ends where an agent should follow"),
        ("primitive a ocf:x:", "'ocf:x:' is not an agent: expected ocf:provider:type"),
        ("primitive a Dummy op", "ends where the id of an operation should follow"),
        ("primitive a Dummy meta x=y nonsense:", "'nonsense:' is not expected there"),
        ("primitive a Dummy\nprimitive a Stateful", "a is there already, from line 1"),
        ("primitive a Dummy\ngroup a b", "a is there already, from line 1"),
        ("group g a", "names a, which no statement makes or which is in another container: it is left out there"),
        ("primitive a Dummy\ngroup g a a", "names a twice"),
        ("primitive a Dummy\nclone c a\nclone d c", "names c, which is a clone: a clone cannot hold it"),
        ("clone c", "ends where the id of the resource that is cloned should follow"),
        ("bundle b docker image", "'image' stands where docker takes name=value"),
        ("monitor a 10s", "names a, and no statement makes a primitive of that name"),
        ("location l a 10 n1", "says neither `SCORE: NODE` nor `rule …`"),
        ("location l a x: n1", "'x' is not a score: expected a number, inf or -inf"),
        ("location l a foo=bar 10: n1", "'foo=bar' is not expected there"),
        ("location l { a 10: n1", "ends where a closing } should follow"),
        ("location l a rule 10: pingd lte", "in the rule, expected a value after 'lte'"),
        ("location l a rule 10: a eq 1 and b eq 2 or c eq 3", "has a rule with both `and` and `or`"),
        ("location l a role=Leader 10: n1", "'Leader' is not a role"),
        ("colocation k a b", "says no score, such as `inf:`, after its id"),
        ("colocation k inf: a", ""),
        ("order o foo: a b", "'foo' is not a kind: expected Mandatory, Optional or Serialize"),
        ("order o a ( b", "has no ')' for its '('"),
        ("order o a ( b ( c ) )", "has '(' inside '(': sets are not nested"),
        ("order o ( ) b", "has an empty set"),
        ("order o a b ]", "has ']' where none is open"),
        ("order o a:jump b", "'jump' is not an action"),
        ("order o a b symmetrical=maybe", "'maybe' is not a boolean"),
        ("rsc_ticket t a", "says no `TICKET:` after its id"),
        ("rsc_ticket t x: a loss-policy=panic", "'panic' is not one of stop, demote, fence, freeze"),
        ("fencing_topology f1", "is for all nodes, and no statement names a node: write NODE: DEVICES"),
        ("fencing_topology n1: f1, f2", "'f1,' has a comma beside which no device stands"),
        ("crm resource stop a", "no statement begins with 'crm'"),
        ("role r read", "does not say what read is for"),
        ("role r grant xpath:/x", "expected read, write or deny instead of 'grant'"),
        ("role r read attribute:x", "names an attribute without a type"),
        ("primitive a Dummy params $id-ref=b", "refers to b, which is not there: write $id=b at what is meant"),
        ("property $id-ref=b", "refers to b, which is not there"),
        ("rsc_defaults d: @b\ntag t b", "refers to b, which is not there: write $b:NAME=VALUE at what is meant"),
        ("role r deny ref:b", "refers to b, which is not there: write $id=b at what is meant"),
        ("tag t", "names nothing"),
        ("alert a /x nonsense", "'nonsense' is not expected there"),
        ("xml <primitive", "is not well-formed"),
        ("xml <cib/>", "<cib> is no object of a configuration"),
        ("primitive a Dummy fake=\x01", "has the character '\\x01', which no CIB can hold"),
    ],
)  # fmt: skip
def test_faults(text: str, message: str) -> None:
    found = read(text).faults
    if message:
        assert message in found[-1].message or message in found[0].message
        assert found[0].line in (1, 2, 3)
    else:
        assert found == ()


MISSING = "names missing, which no statement makes or which is in another container: it is left out there"


def test_what_is_wrong_loses_nothing_of_the_rest() -> None:
    text = "primitive a Dummy\nnonsense\nprimitive b Dummy params\nlocation l\ngroup g a missing b\n"
    assert faults(text) == [
        "line 2: nonsense: no statement begins with 'nonsense'",
        "line 4: location l: ends where the id of the resource should follow",
        f"line 5: group g a missing b: {MISSING}",
    ]
    assert spec_of(text, "Group", "g") == {"resources": ["a", "b"]}


def spec_of(text: str, kind: str, name: str) -> Any:
    return observe(read(text).cib).state[Ref(kind, name)].model_dump(mode="json", by_alias=True, exclude_defaults=True)


def test_a_fencing_topology_for_all_nodes() -> None:
    text = "fencing_topology f1 f2\nnode 2: n2\nnode 1: n1"
    levels = spec(text, "FencingTopology", "fencing-topology")["levels"]
    assert [(level["target"], level["index"], *level["devices"]) for level in levels] == [
        ("n1", "1", "f1"), ("n1", "2", "f2"), ("n2", "1", "f1"), ("n2", "2", "f2"),
    ]  # fmt: skip


def test_defaults_that_crm_prints_without_saying_which() -> None:
    text = """xml <meta_attributes id="a"><nvpair id="b" name="timeout" value="5s"/></meta_attributes>
xml <meta_attributes id="c"><nvpair id="d" name="priority" value="5"/></meta_attributes>"""
    assert spec(text, "OperationDefaults", _name(text, "OperationDefaults"))
    assert spec(text, "ResourceDefaults", _name(text, "ResourceDefaults"))
    assert [remark.name for remark in read(text).remarks] == ["a", "c"]


def _name(text: str, kind: str) -> str:
    return next(ref.name for ref in observe(read(text).cib).state if ref.kind == kind)


def test_remarks() -> None:
    text = """# the address
## of the service
primitive vip IPaddr2 password="******" nonsense
primitive p ping
primitive d drbd
# at the end"""
    assert read(text).remarks == (
        Remark("vip", "the address"),
        Remark("vip", "of the service"),
        Remark("vip", "The value of password is hidden by `crm configure show`, not by `save`."),
        Remark("vip", "'nonsense' has no value: crm takes it as a name with none, which says nothing."),
        Remark("p", "ping has no provider here: it is taken as ocf:pacemaker:ping."),
        Remark("d", "drbd has no provider here: it is taken as ocf:heartbeat:drbd."),
        Remark("", "at the end"),
    )


def test_ids_that_something_refers_to_are_kept() -> None:
    text = """primitive a Dummy params $id=shared $one:fake=1
primitive b Dummy params $id-ref=shared
primitive c Dummy params @one:state
primitive d Dummy params $id-ref=e op monitor interval=5s
primitive e Dummy fake=2
primitive f Dummy meta priority=1
primitive g Dummy meta $id-ref=f-meta_attributes"""
    assert spec(text, "Primitive", "a")["params"] == [{"values": {"fake": "1"}, "id": "shared", "ids": {"fake": "one"}}]
    assert spec(text, "Primitive", "b")["params"] == [{"id-ref": "shared"}]
    assert spec(text, "Primitive", "c")["params"] == [{"nvpairs": [{"id-ref": "one", "name": "state"}]}]
    assert spec(text, "Primitive", "d")["params"] == [{"id-ref": "e-instance_attributes"}]
    assert spec(text, "Primitive", "e")["params"][0]["id"] == "e-instance_attributes"
    assert spec(text, "Primitive", "g")["meta"] == [{"id-ref": "f-meta_attributes"}]
