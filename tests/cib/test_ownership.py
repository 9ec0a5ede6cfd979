"""Where it is recorded what is ours, as the schema of the CIB allows."""

from xml.etree import ElementTree as ET

import pytest

from reconciler.cib.document import Cib, parse
from reconciler.cib.draft import Edits, draft, recording
from reconciler.cib.ownership import UNTAGGED, is_record, recorded_ids

EMPTY = """<cib validate-with="{}" epoch="1"><configuration><crm_config>
<cluster_property_set id="cib-bootstrap-options"/>{}</crm_config><nodes/><resources/><constraints/>{}</configuration>
</cib>"""
SET = f"""<cluster_property_set id="{UNTAGGED}">
<nvpair id="reconciler-owned-untagged-vip" name="reconciler-owned-untagged-vip" value="vip"/></cluster_property_set>"""
OWNED = frozenset({"vip", "acl_target:bob"})


def recorded(cib: Cib, owned: frozenset[str]) -> dict[str, frozenset[str]]:
    """What each section records once `owned` was recorded; all of it is read again."""
    after = ET.fromstring(ET.tostring(draft(cib, recording(cib, owned, Edits()))))
    found = {
        str(section.tag): recorded_ids(element)
        for section in after
        for element in section
        if is_record(str(section.tag), element)
    }
    assert frozenset().union(*found.values()) == owned
    return found


@pytest.mark.parametrize(
    ("schema", "tagged", "untagged"),
    [
        ("pacemaker-1.0", {}, OWNED),
        ("pacemaker-1.2", {}, OWNED),
        ("pacemaker-1.3", {"vip"}, {"acl_target:bob"}),
        ("pacemaker-3.2", {"vip"}, {"acl_target:bob"}),
        ("pacemaker-3.3", OWNED, {}),
        ("pacemaker-3.9", OWNED, {}),
        ("none", OWNED, {}),
    ],
)
def test_what_no_tag_can_name_is_in_a_property_set(schema: str, tagged: set[str], untagged: set[str]) -> None:
    expected = {"tags": frozenset(tagged), "crm_config": frozenset(untagged)}
    assert recorded(parse(EMPTY.format(schema, "", "")), OWNED) == {k: v for k, v in expected.items() if v}


def test_after_an_upgrade_it_is_in_the_tag() -> None:
    cib = parse(EMPTY.format("pacemaker-3.9", SET, ""))
    assert recorded(cib, frozenset({"vip", "web"})) == {"tags": frozenset({"vip", "web"})}


def test_pairs_that_stay_are_left_as_they_are() -> None:
    cib = parse(EMPTY.format("pacemaker-1.2", SET.replace('id="reconciler-owned-untagged-vip"', 'id="x"'), ""))
    after = draft(cib, recording(cib, frozenset({"vip", "web"}), Edits()))
    pairs = after.findall(f"crm_config/*[@id='{UNTAGGED}']/nvpair")
    assert [(pair.get("id"), pair.get("value")) for pair in pairs] == [
        ("x", "vip"),
        ("reconciler-owned-untagged-web", "web"),
    ]


def test_names_that_differ_only_in_what_no_id_may_hold_have_pairs_of_their_own() -> None:
    cib = parse(EMPTY.format("pacemaker-1.2", "", ""))
    owned = frozenset({"node:a/b", "node:a+b", "node-a-b"})
    after = draft(cib, recording(cib, owned, Edits()))
    pairs = after.findall(f"crm_config/*[@id='{UNTAGGED}']/nvpair")
    assert len({pair.get("id") for pair in pairs}) == len(owned)


def test_where_nothing_is_ours_any_more_nothing_is_left() -> None:
    cib = parse(EMPTY.format("pacemaker-1.2", SET, ""))
    after = draft(cib, recording(cib, frozenset(), Edits()))
    assert after.find(f"crm_config/*[@id='{UNTAGGED}']") is None


def test_only_the_section_where_it_belongs_is_the_record() -> None:
    assert not is_record("resources", ET.Element("tag", {"id": "reconciler-owned"}))
    assert not is_record("crm_config", ET.Element("cluster_property_set", {"id": "reconciler-owned"}))


def test_an_object_may_be_called_as_the_record_is() -> None:
    """No pair gets the id of the set itself."""
    owned = frozenset({"untagged", "m²"})
    after = draft(cib := parse(EMPTY.format("pacemaker-1.2", "", "")), recording(cib, owned, Edits()))
    (made,) = after.findall(f"crm_config/*[@id='{UNTAGGED}']")
    ids = [part.get("id", "") for part in made.iter()]
    assert len({*ids}) == len(ids) == 3
    assert all(name.isascii() for name in ids)


FOREIGN = '<nvpair id="p" name="stonith-enabled" value="false"/>'


@pytest.mark.parametrize("owned", [{"vip"}, {"vip", "web"}, {"web"}, set()])
def test_what_somebody_else_puts_there_stays_and_is_no_record(owned: set[str]) -> None:
    """As pcs does where there is no other set of properties."""
    cib = parse(EMPTY.format("pacemaker-1.2", SET.replace("</", f"{FOREIGN}</"), ""))
    after = draft(cib, recording(cib, frozenset(owned), Edits()))
    (made,) = after.findall(f"crm_config/*[@id='{UNTAGGED}']")
    assert recorded_ids(made) == owned
    assert [pair.get("value") for pair in made.findall("nvpair[@name='stonith-enabled']")] == ["false"]


def test_it_is_never_the_first_property_set() -> None:
    """To the first one pcs writes."""
    text = EMPTY.format("pacemaker-1.2", "", "").replace('<cluster_property_set id="cib-bootstrap-options"/>', "")
    cib = parse(text)
    edits = recording(cib, OWNED, Edits())
    assert [element.get("id") for _, element in edits.created] == ["cib-bootstrap-options", UNTAGGED]
    said = ("crm_config", ET.Element("cluster_property_set", {"id": "of-a-manifest"}))
    edits = recording(cib, OWNED, Edits(created=[said]))
    assert [element.get("id") for _, element in edits.created] == ["of-a-manifest", UNTAGGED]
