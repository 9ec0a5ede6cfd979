"""Who changed what: by the CIB's own words, by what agents would have made, by the versions that nobody saw."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from reconciler.chronicle import of_edits, who
from reconciler.events import Source
from reconciler.forensics import PATIENCE, By, Edit, Editor, Expected, Suspects, Trail, differences, key
from reconciler.kinds.observe import Observed
from reconciler.plan import FieldChange, Verb
from reconciler.state import Ref
from tests.observations import DUMMY, cib, desired, observation

R = Ref("Primitive", "r")
WRITTEN = "Mon Nov 23 01:19:05 2026"
FAKE = DUMMY.replace("/>", '><instance_attributes id="i">{}</instance_attributes></primitive>')


def fake(value: str, name: str = "fake") -> str:
    return FAKE.format(f'<nvpair id="n" name="{name}" value="{value}"/>')


def seen(
    resources: str = DUMMY,
    epoch: int = 5,
    *,
    by: str = "root cibadmin a",
    constraints: str = "",
    owned: str = "",
) -> Observed:
    user, client, origin = by.split()
    words = {"update_user": user, "update_client": client, "update_origin": origin, "cib_last_written": WRITTEN}
    text = cib(
        resources,
        constraints=constraints,
        owned=owned.split(),
        epoch=str(epoch),
        **words,
    )
    found = observation(text).cluster
    assert found
    return found


def changed(version: Observed, *replaced: tuple[str, str]) -> Observed:
    """A version with other words in its text."""
    text = version.cib.text
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    found = observation(text).cluster
    assert found
    return found


def suspects(*expected: Expected, own: Iterable[int] = (), agents: Iterable[str] | None = ("a", "b")) -> Suspects:
    """What agents would do, by manifests that want just that."""
    return Suspects(
        frozenset((0, epoch) for epoch in own),
        None if agents is None else frozenset(agents),
        tuple({ref: spec for ref, spec in one.items() if spec is not None} for one in expected),
        lambda _: expected,
    )


def edits(*versions: Observed, suspected: Suspects | None = None) -> tuple[Edit, ...]:
    found, left = Trail(versions[:1]).seen(versions[1:], 0.0).conclude(suspected or suspects())
    assert [key(version) for version in left.versions] == [key(versions[-1])]
    return found


def wanted(value: str) -> Expected:
    return {R: desired(Primitive__r=f'spec.agent = "ocf:pacemaker:Dummy"\nspec.params.fake = "{value}"').state[R]}


def test_a_persons_edit_has_a_name_a_tool_a_node_and_fields() -> None:
    (edit,) = edits(seen(fake("1")), seen(fake("2"), 6, by="jane crm_resource b"))
    assert (edit.by, edit.unseen) == (By.OTHER, 0)
    assert edit.editor == Editor("jane", "crm_resource", "b", "Mon Nov 23 01:19:05 2026")
    (found,) = edit.differences
    assert (found.ref, found.verb) == (R, Verb.UPDATE)
    assert found.fields == (FieldChange("params.fake", "1", "2"),)
    (event,) = of_edits([edit], "a", 7.0)
    assert event.message == "updated by jane with crm_resource on b: params.fake: 1 -> 2"
    assert (event.type, event.reason, event.ref) == ("Warning", "ChangedOutOfBand", R)
    assert event.edited
    assert (event.edited.before, event.edited.after) == ("0.5.0", "0.6.0")


def test_nothing_new_and_what_means_the_same_is_no_edit() -> None:
    assert edits(seen(), seen()) == ()
    assert edits(seen(fake("1")), seen(fake("1").replace('id="n"', 'id="m"'), 6)) == ()
    first = seen()
    assert Trail().seen([first, seen(), seen()], 0.0).versions == (first,)


def test_secrets_are_hidden() -> None:
    found = edits(seen(fake("alt", "passwd")), seen(fake("neu", "passwd"), 6))
    (event,) = of_edits(found, "a", 7.0)
    assert event.message.endswith("params.passwd: (hidden) -> (hidden)")
    assert "neu" not in str(event)


def test_what_comes_and_goes_and_what_nobody_can_say() -> None:
    odd = '<rsc_location id="l" rsc="r" node="a" score="1" odd="{}"/>'
    (edit,) = edits(seen("", constraints=odd.format(1)), seen(DUMMY, 6, constraints=odd.format(2)))
    assert [(item.ref, item.verb) for item in edit.differences] == [
        (Ref("Location", "l"), Verb.UPDATE),
        (R, Verb.CREATE),
    ]
    (edit,) = edits(seen(DUMMY), seen("", 6))
    assert [(item.ref, item.verb) for item in edit.differences] == [(R, Verb.DELETE)]
    assert differences(seen(), seen()) == ()


def test_pacemakers_own_changes_are_nobodys() -> None:
    for client in ("crmd", "pacemaker-controld", "attrd"):
        (edit,) = edits(seen(fake("1")), seen(fake("2"), 6, by=f"hacluster {client} b"))
        assert edit.by is By.PACEMAKER
    (event,) = of_edits([edit], "a", 7.0)
    assert (event.type, event.reason) == ("Normal", "ChangedByPacemaker")


def test_what_this_agents_patch_made_is_told_elsewhere() -> None:
    assert edits(seen(fake("1")), seen(fake("2"), 6), suspected=suspects(own=[6])) == ()


def test_another_agent_is_known_by_what_it_does() -> None:
    versions = (seen(fake("1")), seen(fake("2"), 6, by="root cibadmin b"))

    def by(*expected: Expected, agents: Iterable[str] | None = ("a", "b")) -> By:
        (edit,) = edits(*versions, suspected=suspects(*expected, agents=agents))
        return edit.by

    assert by(wanted("2")) is By.AGENT
    assert by(wanted("1"), wanted("2")) is By.AGENT, "any of several plans"
    assert by(wanted("2"), agents=None) is By.AGENT, "corosync cannot be asked: nobody is excluded"
    assert by(wanted("3")) is By.OTHER, "crm and pcs use cibadmin too"
    assert by() is By.OTHER
    assert by(wanted("2"), agents=["a"]) is By.OTHER, "no agent is there"
    (edit,) = edits(versions[0], seen(fake("2"), 6, by="root crm_resource b"), suspected=suspects(wanted("2")))
    assert edit.by is By.OTHER, "agents do not use crm_resource"
    (edit,) = edits(seen(DUMMY), seen("", 6), suspected=suspects({R: None}))
    assert edit.by is By.OTHER, "agents delete only what is theirs"
    (edit,) = edits(seen(DUMMY, owned="r"), seen("", 6), suspected=suspects({R: None}))
    assert edit.by is By.AGENT
    (event,) = of_edits([edit], "a", 7.0)
    assert (event.reason, event.source.component, event.message) == (
        "Applied",
        "reconciler",
        "deleted by the agent on a: agent: ocf:pacemaker:Dummy",
    )


def test_of_one_edit_either_all_is_an_agents_or_nothing() -> None:
    other = DUMMY.replace('"r"', '"s"')
    (edit,) = edits(seen(fake("1")), seen(fake("2") + other, 6), suspected=suspects(wanted("2")))
    assert edit.by is By.OTHER
    assert len(edit.differences) == 2


def test_of_versions_that_nobody_saw_the_last_editor_is_known_and_parts_may_be_an_agents() -> None:
    other = DUMMY.replace('"r"', '"s"')
    agents, persons = edits(seen(fake("1")), seen(fake("2") + other, 9), suspected=suspects(wanted("2")))
    assert (agents.by, [item.ref.name for item in agents.differences]) == (By.AGENT, ["r"])
    assert (persons.by, [item.ref.name for item in persons.differences], persons.unseen) == (By.OTHER, ["s"], 3)
    assert who(persons.editor, persons.unseen) == (
        "root with cibadmin (crm and pcs use it) on a, and perhaps by others (the last of 4 changes)"
    )
    (left,) = edits(seen(fake("1")), seen(fake("2") + other, 9), suspected=suspects(wanted("2"), own=[8]))
    assert left.by is By.OTHER, "what this agent made among them is told elsewhere"


def test_versions_that_somebody_kept_are_put_in() -> None:
    one, two, three, four = (seen(fake(str(n)), n, by=f"u{n} crm_resource a") for n in (1, 2, 3, 4))
    trail = Trail().seen([one], 0.0).seen([four], 10.0)
    assert trail.unseen() == {(0, 2), (0, 3)}
    assert not trail.ripe(10.0), "Pacemaker may not have written them down yet"
    assert trail.ripe(10.0 + PATIENCE)
    assert trail.ripe(9.0), "the clock was set back"
    trail = trail.with_found([three, seen(fake("x"), 9), two])
    assert [key(version)[1] for version in trail.versions] == [1, 2, 3, 4]
    assert trail.ripe(10.0)
    found, left = trail.conclude(suspects())
    assert [(edit.editor.user, edit.unseen) for edit in found] == [("u2", 0), ("u3", 0), ("u4", 0)]
    assert not left.ripe(99.0)


@pytest.mark.parametrize("count", [1, 2, 10, 16, 17, 40])
def test_all_that_is_seen_is_told_of_in_order_and_of_very_much_the_newest(count: int) -> None:
    trail = Trail()
    for epoch in range(1, count + 1):
        trail = trail.seen([seen(fake(str(epoch)), epoch)], 0.0)
    kept = [key(version)[1] for version in trail.versions]
    assert kept == ([1, *range(count - 15, count + 1)] if count > 17 else [*range(1, count + 1)])
    found, _ = trail.conclude(suspects())
    assert sum(edit.unseen + 1 for edit in found) == count - 1


def test_no_plan_is_made_where_a_glance_tells_that_no_agent_did_it() -> None:
    def planned(_: Observed) -> Iterable[Expected]:
        raise AssertionError("that takes long, and a hundred people a second may be at it")

    other = DUMMY.replace('"r"', '"s"')
    for after in (fake("3"), fake("2") + other, "", fake("2", "other")):
        suspected = replace(suspects(wanted("2")), expected=planned)
        (edit,) = edits(seen(fake("1")), seen(after, 6), suspected=suspected)
        assert edit.by is By.OTHER


def test_a_gap_is_looked_for_only_so_far_and_a_configuration_may_be_replaced() -> None:
    assert len(Trail((seen(epoch=1), seen(fake("1"), 1000))).unseen()) == 16
    (edit,) = edits(seen(fake("1"), 9), seen(fake("2"), 3))
    assert edit.unseen == 0
    assert Trail((seen(epoch=9), seen(fake("2"), 3))).unseen() == frozenset()


def test_what_puts_a_revision_in_quarantine_is_an_agents_revert() -> None:
    pair = '<nvpair id="q" name="reconciler-quarantined" value="revision r1 at 2026-11-24T07:00:00Z: r went down"/>'
    register = f'<crm_config><cluster_property_set id="reconciler">{pair}</cluster_property_set></crm_config>'
    text = cib(fake("1"), epoch="6", update_user="root", update_client="cibadmin", update_origin="b")
    after = observation(text.replace("<crm_config/>", register)).cluster
    assert after
    (edit,) = edits(seen(fake("2")), after)
    assert edit.by is By.AGENT
    assert edits(after, seen(fake("1"), 7)) == ()
    somebody = observation(text.replace("<crm_config/>", register).replace('"cibadmin"', '"crm_attribute"')).cluster
    assert somebody
    assert [edit.by for edit in edits(seen(fake("2")), somebody)] == [By.OTHER]


PROPERTIES = '<crm_config><cluster_property_set id="cib-bootstrap-options">{}</cluster_property_set></crm_config>'
PAIR = '<nvpair id="p-{0}" name="{0}" value="{1}"/>'
CRMD = "hacluster crmd a"
NEXT_ADMIN = ('admin_epoch="0"', 'admin_epoch="1"')
NODE_C = '<node id="3" uname="c"/>'
WITHOUT_C = (NODE_C, "")
LABEL_C = '<instance_attributes id="ca"><nvpair id="cx" name="rack" value="1"/></instance_attributes>'
LABELLED_C = (NODE_C, f'<node id="3" uname="c">{LABEL_C}</node>')


def properties(**pairs: str) -> tuple[str, str]:
    said = "".join(PAIR.format(name.replace("_", "-"), value) for name, value in pairs.items())
    return "<crm_config/>", PROPERTIES.format(said)


def test_pacemaker_is_not_given_what_it_never_writes_where_others_may_have_been_before_it() -> None:
    before = changed(seen(fake("1"), 9), properties(stonith_enabled="false", dc_version="2.1.5"))
    after = changed(seen("", 14, by=CRMD), NEXT_ADMIN, properties(dc_version="2.1.6"))
    (edit,) = edits(before, after)
    assert (edit.by, edit.unseen) == (By.UNKNOWN, 4)
    assert [(item.ref, item.verb) for item in edit.differences] == [
        (Ref("ClusterProperties", "cib-bootstrap-options"), Verb.UPDATE),
        (R, Verb.DELETE),
    ]
    event = of_edits([edit], "b", 7.0)[-1]
    assert (event.type, event.reason, event.source) == ("Warning", "ChangedOutOfBand", Source(""))
    assert event.message == (
        "deleted by somebody unknown (several changes at once, of which crmd on a made the last; another node's agent "
        "may know who): agent: ocf:pacemaker:Dummy, params.fake: 1"
    )
    assert event.edited
    assert event.edited.written == "", "that is when Pacemaker wrote"


def test_what_pacemaker_writes_itself_is_its_own_also_after_others() -> None:
    cluster, nobody = edits(changed(seen(fake("1")), WITHOUT_C), seen("", 9, by=CRMD))
    assert (cluster.by, [item.ref for item in cluster.differences]) == (By.PACEMAKER, [Ref("Node", "c")])
    assert (nobody.by, [item.ref for item in nobody.differences]) == (By.UNKNOWN, [R])
    old, new = (changed(seen(epoch=epoch, by=CRMD), properties(dc_version=str(epoch))) for epoch in (5, 8))
    assert [edit.by for edit in edits(old, new)] == [By.PACEMAKER]
    labelled = changed(seen(), LABELLED_C), changed(seen(epoch=9, by=CRMD), LABELLED_C)
    for before, after in ((changed(seen(), WITHOUT_C), labelled[1]), (labelled[0], seen(epoch=9, by=CRMD))):
        (edit,) = edits(before, after)
        assert edit.by is By.UNKNOWN, "people give attributes to nodes"


def test_an_agents_change_before_pacemakers_is_still_an_agents() -> None:
    versions = seen(fake("1")), seen(fake("2") + DUMMY.replace('"r"', '"s"'), 9, by=CRMD)
    agents, nobody = edits(*versions, suspected=suspects(wanted("2")))
    assert (agents.by, [item.ref.name for item in agents.differences]) == (By.AGENT, ["r"])
    (event,) = of_edits([agents], "a", 7.0)
    assert event.message == "updated by the agent on another node: params.fake: 1 -> 2", "where, nobody knows"
    assert (nobody.by, [item.ref.name for item in nobody.differences]) == (By.UNKNOWN, ["s"])
    (nobody,) = edits(*versions, suspected=suspects(wanted("2"), own=[7]))
    assert nobody.by is By.UNKNOWN, "what this agent made among them is told elsewhere"


def test_versions_are_looked_for_across_an_erasure() -> None:
    before, after = seen(fake("1"), 9), changed(seen("", 14, by=CRMD), NEXT_ADMIN)
    trail = Trail().seen([before], 0.0).seen([after], 10.0)
    assert trail.unseen() == {(admin, epoch) for admin in (0, 1) for epoch in range(10, 14)}
    assert not trail.ripe(10.0)
    erased = changed(seen("", 10, by="root cibadmin b"), NEXT_ADMIN, WITHOUT_C)
    trail = trail.with_found([erased])
    assert trail.unseen() == {(1, 11), (1, 12), (1, 13)}
    (deed, repair), _ = trail.conclude(suspects())
    assert (deed.by, deed.editor.client, deed.editor.origin, deed.unseen) == (By.OTHER, "cibadmin", "b", 0)
    assert [item.ref for item in deed.differences] == [Ref("Node", "c"), R]
    assert (repair.by, [item.ref for item in repair.differences]) == (By.PACEMAKER, [Ref("Node", "c")])
    edited = seen(fake("2"), 10, by="jane crm_resource b")
    trail = Trail((before, changed(seen("", 11), NEXT_ADMIN))).with_found([edited])
    assert [key(version) for version in trail.versions] == [(0, 9), (0, 10), (1, 11)]
    assert trail.unseen() == frozenset()


def test_what_replaces_a_configuration_may_have_any_epoch() -> None:
    before, replaced = seen(fake("1"), 50), changed(seen("", 3), NEXT_ADMIN)
    assert Trail((before, replaced)).unseen() == {(1, 0), (1, 1), (1, 2)}
    assert [edit.by for edit in edits(before, replaced)] == [By.OTHER]
    later = changed(seen("", 4, by=CRMD), NEXT_ADMIN)
    assert [(edit.by, edit.unseen) for edit in edits(before, later)] == [(By.UNKNOWN, 1)]
    far = changed(seen("", 1000), NEXT_ADMIN)
    assert len(Trail((before, far)).unseen()) == 16
    assert min(Trail((before, far)).unseen()) == (0, 992), "the newest"
