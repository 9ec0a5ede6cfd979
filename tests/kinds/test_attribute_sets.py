"""Attribute sets: ids that something refers to, references, rules, pairs that say nothing."""

from tests.kinds.words import both_ways, reads, refuses, rewritten

HEAD = 'agent = "ocf:heartbeat:IPaddr2"\n'
OPEN = '<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2">'


def test_a_set_that_others_use_has_its_id() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ id = "common", values = { nic = "bond1" } }]',
        f'{OPEN}<instance_attributes id="common"><nvpair id="common-nic" name="nic" value="bond1"/>'
        "</instance_attributes></primitive>",
        "common",
    )


def test_an_id_that_nothing_refers_to_is_not_read() -> None:
    reads(
        "Primitive",
        f'{OPEN}<instance_attributes id="common"><nvpair id="x" name="nic" value="bond1"/></instance_attributes>'
        "</primitive>",
        HEAD + 'params = { nic = "bond1" }',
    )


def test_a_set_and_a_pair_of_another_object() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ id-ref = "common" }, { values = { ip = "192.0.2.1" }, nvpairs = [{ id-ref = "the-nic" }, '
        '{ id-ref = "the-mask", name = "cidr_netmask" }] }]',
        f"""{OPEN}<instance_attributes id-ref="common"/><instance_attributes id="vip-instance_attributes">
        <nvpair id="vip-instance_attributes-ip" name="ip" value="192.0.2.1"/><nvpair id-ref="the-nic"/>
        <nvpair id-ref="the-mask" name="cidr_netmask"/></instance_attributes></primitive>""",
    )


def test_a_pair_that_others_use_has_its_id() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ values = { nic = "bond1" }, ids = { nic = "the-nic" } }]',
        f'{OPEN}<instance_attributes id="vip-instance_attributes"><nvpair id="the-nic" name="nic" value="bond1"/>'
        "</instance_attributes></primitive>",
        "the-nic",
    )


def test_neighbours_of_which_one_is_in_use_stay_two() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ id = "a", values = { nic = "x" } }, { id = "b", values = { ip = "y" } }]',
        f"""{OPEN}<instance_attributes id="a"><nvpair id="a-nic" name="nic" value="x"/></instance_attributes>
        <instance_attributes id="b"><nvpair id="b-ip" name="ip" value="y"/></instance_attributes></primitive>""",
        "a",
        "b",
    )


def test_a_live_set_gets_the_id_by_which_it_is_to_be_used() -> None:
    live = f"""{OPEN}<instance_attributes id="vip-instance_attributes">
    <nvpair id="vip-instance_attributes-nic" name="nic" value="x"/></instance_attributes></primitive>"""
    assert rewritten("Primitive", live, HEAD + 'params = [{ id = "a", values = { nic = "x" } }]') == (
        f'{OPEN}<instance_attributes id="a"><nvpair id="vip-instance_attributes-nic" name="nic" value="x" />'
        "</instance_attributes></primitive>"
    )


def test_of_a_rule_in_a_set_only_the_condition_counts() -> None:
    for score in ('score="INFINITY"', 'score="5" role="Promoted"', 'score-attribute="x"', ""):
        reads(
            "Primitive",
            f"""{OPEN}<instance_attributes id="s"><rule id="r" {score}>
            <expression id="e" attribute="#uname" operation="eq" value="n1"/></rule>
            <nvpair id="p" name="nic" value="x"/></instance_attributes></primitive>""",
            HEAD + 'params = [{ values = { nic = "x" }, rule = { expression = "#uname eq n1" } }]',
        )


def test_rules_that_others_use_and_rules_of_others() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ values = { nic = "x" }, rule = { id = "here", expression = "#uname eq n1" } }, '
        '{ values = { nic = "y" }, rule = { id-ref = "there" } }]',
        f"""{OPEN}<instance_attributes id="vip-instance_attributes"><rule id="here" score="INFINITY">
        <expression id="here-expression" attribute="#uname" operation="eq" value="n1"/></rule>
        <nvpair id="vip-instance_attributes-nic" name="nic" value="x"/></instance_attributes>
        <instance_attributes id="vip-instance_attributes-1"><rule id-ref="there"/>
        <nvpair id="vip-instance_attributes-1-nic" name="nic" value="y"/></instance_attributes></primitive>""",
        "here",
    )


def test_a_pair_without_a_value_says_nothing_and_stays() -> None:
    live = f"""{OPEN}<instance_attributes id="s"><nvpair id="a" name="nic"/><nvpair id="b" name="ip" value="x"/>
    </instance_attributes></primitive>"""
    reads("Primitive", live, HEAD + 'params = { ip = "x" }')
    assert '<nvpair id="a" name="nic" />' in rewritten("Primitive", live, HEAD + 'params = { ip = "y" }')


def test_operations_of_another_and_for_others() -> None:
    both_ways("Primitive", HEAD + 'operations-id-ref = "x"', f'{OPEN}<operations id-ref="x"/></primitive>')
    both_ways(
        "Primitive",
        HEAD + 'operations-id = "x"\noperations = [{ name = "monitor", interval = "10s" }]',
        f'{OPEN}<operations id="x"><op id="vip-monitor-10s" name="monitor" interval="10s"/></operations></primitive>',
        "x",
    )


def test_what_says_two_things_is_refused() -> None:
    refuses("Primitive", HEAD + 'params = [{ id-ref = "a", values = { b = 1 } }]', "has `id-ref`")
    refuses("Primitive", HEAD + 'params = [{ values = { b = 1 }, ids = { c = "d" } }]', "gives an id to c")
    refuses("Primitive", HEAD + "params = [{ values = { b = 1 }, rule = {} }]", "needs an `expression`")
    refuses("Primitive", HEAD + 'operations-id-ref = "a"\noperations = [{ name = "stop" }]', "has `operations-id-ref`")
