"""What people wrote into a CIB as comments comes along, at the object that it is about."""

from reconciler import manifests
from reconciler.cib.document import parse
from reconciler.crm import read
from reconciler.importer.comments import comments
from reconciler.importer.importer import import_cib

CIB = """<!-- before all --><cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><!-- before
it all --><configuration>
<!-- of the whole --><crm_config><cluster_property_set id="o"><!-- of properties --><nvpair id="o-1" name="batch-limit"
value="3"/></cluster_property_set></crm_config><nodes><!-- of a node --><node id="1" uname="n1"><instance_attributes
id="n"><nvpair id="n-1" name="rack" value="1"/></instance_attributes></node></nodes><resources><group id="g">
<!--### before a member ###--><primitive id="a" class="lsb" type="x"><!--#--><!--# of a
  resource--><operations><!--#&#x7; inside it --><op id="a-m" name="monitor" interval="9s"/></operations></primitive>
<!-- of a group --></group></resources><constraints><!-- of nothing any more --></constraints><fencing-topology>
<!-- of levels --><fencing-level id="f" target="n1" index="1" devices="d"/></fencing-topology></configuration><status>
<!-- of the status --></status><!-- after it all --></cib><!-- after all -->""".replace("&#x7;", "\u200b")
FOUND = [
    ("", "before all"),
    ("", "before it all"),
    ("", "of the whole"),
    ("o", "of properties"),
    ("node:1", "of a node"),
    ("a", "before a member"),
    ("a", "of a resource"),
    ("a", "inside it"),
    ("g", "of a group"),
    ("", "of nothing any more"),
    ("fencing-topology", "of levels"),
    ("", "after it all"),
    ("", "after all"),
]
OUT_OF_USE = """<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration>
<crm_config/><nodes/><resources><primitive id="a" class="lsb" type="x"><!-- <nvpair id="i-1" name="passwd"
value="hunter2"/> --><!-- password=hunter2 until May --></primitive></resources><constraints/>
</configuration><status/></cib>"""


def test_each_comment_belongs_to_an_object_or_the_whole() -> None:
    assert [(remark.name, remark.text) for remark in comments(parse(CIB))] == FOUND


def test_they_stand_before_the_objects_in_manifests_that_say_the_same_without_them() -> None:
    text = "".join(import_cib(parse(CIB)).whole())
    for comment, after in (
        ("of properties", 'metadata.name = "o"'),
        ("before a member\n# of a resource\n# inside it", 'metadata.name = "a"'),
        ("of a group", 'metadata.name = "g"'),
        ("of levels", 'kind = "FencingTopology"'),
        ("of a node", 'metadata.name = "n1"'),
    ):
        place = text.index(f"# {comment}\n")
        assert after in text[place : place + 250]
    whole = "# before all\n# before it all\n# of the whole\n# of nothing any more\n# after it all\n# after all\n"
    assert text.index(whole) < text.index("[[items]]")
    without = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("# "))
    assert manifests.load({"a.toml": text}, "r").state == manifests.load({"a.toml": without}, "r").state


def test_what_cannot_be_imported_loses_no_comment() -> None:
    stranger = '<resources><!-- of a stranger --><gadget id="x"/>'
    text = "".join(import_cib(parse(CIB.replace("<resources>", stranger))).whole())
    assert text.index("of a stranger") < text.index("[[items]]")
    assert "# of levels\n" in text


def test_the_comments_of_a_crm_text_come_along_once() -> None:
    reading = read("# why\nprimitive a lsb:x\n")
    text = "".join(import_cib(reading.cib, (), reading.remarks).whole())
    assert text.count("# why\n") == 1


def test_no_secret_comes_along_in_a_comment() -> None:
    text = "".join(import_cib(parse(OUT_OF_USE)).whole())
    assert '# <nvpair id="i-1" name="passwd" value=…\n' in text
    assert "# password=… until May\n" in text
    reading = read("# passwd=hunter2 until May\nprimitive a lsb:x\n")
    assert "# passwd=… until May\n" in "".join(import_cib(reading.cib, (), reading.remarks).whole())
