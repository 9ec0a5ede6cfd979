"""Alerts: recipients in whatever order, what they are for, what they tell the program."""

from functools import partial

from reconciler.cib.references import ids
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.identity import comparable
from reconciler.plan import Change, FieldChange, flatten
from reconciler.state import Ref
from tests.kinds.words import both_ways, reads, refuses, rewritten, spec


def test_an_alert_in_both_languages() -> None:
    both_ways(
        "Alert",
        """path = "/usr/local/bin/alert.sh"
        description = "tell somebody"
        select = ["attributes", "nodes"]
        select-attributes = ["standby", "site"]
        params = { trace = 1 }
        meta = { timeout = "15s" }
        recipients = [{ value = "a@example.org", description = "nights", meta = { timestamp-format = "%H:%M" } },
          { value = "b@example.org", id = "bee", params = { trace = 2 } }]""",
        """<alert id="a" description="tell somebody" path="/usr/local/bin/alert.sh">
        <meta_attributes id="a-meta_attributes"><nvpair id="a-meta_attributes-timeout" name="timeout" value="15s"/>
        </meta_attributes><instance_attributes id="a-instance_attributes">
        <nvpair id="a-instance_attributes-trace" name="trace" value="1"/></instance_attributes>
        <select><select_attributes><attribute id="a-select-site" name="site"/>
        <attribute id="a-select-standby" name="standby"/></select_attributes><select_nodes/></select>
        <recipient id="a-recipient" description="nights" value="a@example.org">
        <meta_attributes id="a-recipient-meta_attributes">
        <nvpair id="a-recipient-meta_attributes-timestamp-format" name="timestamp-format" value="%H:%M"/>
        </meta_attributes></recipient><recipient id="bee" value="b@example.org">
        <instance_attributes id="bee-instance_attributes">
        <nvpair id="bee-instance_attributes-trace" name="trace" value="2"/></instance_attributes></recipient>
        </alert>""",
        "bee",
    )


LIVE = """<alert id="a" path="/x"><recipient id="r1" value="b"/><!--why--><recipient id="r2" value="a"/><select>
<select_nodes/><select_attributes><attribute id="s" name="site"/></select_attributes></select></alert>"""
SAID = 'path = "/x"\nselect = ["attributes", "nodes"]\nselect-attributes = ["site"]\n'


def test_order_means_nothing() -> None:
    reads("Alert", LIVE, SAID + 'recipients = [{ value = "a" }, { value = "b" }]')


def test_recipients_keep_their_ids() -> None:
    after = rewritten("Alert", LIVE, SAID + 'recipients = [{ value = "a", params = { x = 1 } }, { value = "c" }]')
    assert '<recipient id="r2" value="a"><instance_attributes' in after
    assert '<recipient id="a-recipient" value="c" />' in after
    assert 'id="r1"' not in after
    assert "<!--why-->" in after


def test_one_recipient_with_two_timeouts() -> None:
    both_ways(
        "Alert",
        'path = "/x"\nrecipients = [{ value = "a" }, { value = "a", description = "again" }]',
        """<alert id="a" path="/x"><recipient id="a-recipient" value="a"/>
        <recipient id="a-recipient-1" description="again" value="a"/></alert>""",
    )


def test_a_selection_of_nothing_selects_as_always() -> None:
    reads("Alert", '<alert id="a" path="/x"><select/></alert>', 'path = "/x"')


def test_attributes_must_be_selected() -> None:
    refuses("Alert", 'path = "/x"\nselect-attributes = ["a"]', "no `attributes` in `select`")


def test_recipients_of_one_address_are_in_sync_though_one_has_nothing_but_an_id() -> None:
    kind = CLUSTER_KINDS["Alert"]
    wanted = spec(
        "Alert",
        """path = "/x"
        recipients = [{ value = "a", params = [{ id = "nothing" }], id = "first" },
          { value = "a", params = { x = 1 } }]""",
    )
    written = kind.write("al", wanted, None)
    assert comparable(kind.read(written, frozenset()), wanted, partial(ids, written)) == wanted


def test_a_recipient_is_called_by_its_value_wherever_it_stands() -> None:
    said = 'path = "/x"\nrecipients = [{{ value = "z", params = {{ y = {y} }} }}, {{ value = "b" }}, {{ value = "z" }}]'
    before, after = (spec("Alert", said.format(y=y)) for y in (1, 2))
    assert Change(Ref("Alert", "x"), before, after).fields() == (FieldChange("recipients[z #2].params.y", "1", "2"),)
    assert [path for path, _ in flatten(after)] == [
        "path",
        "recipients[b].value",
        "recipients[z].value",
        "recipients[z #2].value",
        "recipients[z #2].params.y",
    ]
