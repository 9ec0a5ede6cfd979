"""Values that are known and never shown: whatever they are, and however they are said."""

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler import manifests, sealing
from reconciler.cib.document import LOST, Cib, parse, serialize
from reconciler.decision import Decision, Remembered, decide
from reconciler.kinds import KINDS
from reconciler.observation import Answer, Observation, Snapshot, Source, understand
from reconciler.plan import Reason
from reconciler.pruning import Policy
from reconciler.secret import (
    MOST_BYTES,
    Place,
    Seal,
    Unavailable,
    is_digest,
    looks_secret,
    redacted,
    reveal,
    shown,
    unread,
)
from reconciler.secret import Source as Where
from reconciler.secret import understand as read
from reconciler.state import API_VERSION, Desired, Ref
from reconciler.text import plan_crm, plan_json, plan_text, plan_xml
from tests.examples import often
from tests.observations import cib as small_cib

SEAL = Seal(b"a key for tests")
FILE = Where(Place.FILE, "/s/x")

MARK = "Zq7x"
"""In every secret, and in nothing else: so none is found by accident, as an "a" would be."""

characters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
values = st.text(characters, max_size=30).map(lambda text: f"{text[:15]}{MARK}{text[15:]}")
awkward = st.sampled_from(
    ["<&>\"'", "a  b", "\\", "$(x)`y`", "{file}", "%s", "(secret 00000000)", "ü€\ud7a4", "</cib>"]
)
secrets = values | awkward.map(lambda text: f"{text}{MARK}{text}")


def forms(value: str) -> set[str]:
    return {value, escape(value), escape(value, {'"': "&quot;"}), json.dumps(value)[1:-1], repr(value)[1:-1]}


def says(text: str, value: str) -> bool:
    return MARK in text or any(form in text for form in forms(value))


@given(value=secrets)
def test_a_secret_says_nothing_however_it_is_asked(value: str) -> None:
    made = SEAL.close(value, FILE)
    words = [made, "x"]
    said = [str(made), repr(made), f"{made}", f"{made:>20}", " ".join(words), json.dumps({made: made}), str({made})]
    said += [
        made + "",
        made.upper(),
        made.encode().decode(),
        str(made.split()),
        str(words),
    ]
    assert not [text for text in said if says(text, value)]
    assert is_digest(str(made))


@given(one=secrets, other=secrets)
def test_it_is_compared_by_value_and_by_nothing_else(one: str, other: str) -> None:
    made, same = SEAL.close(one, FILE), Seal(b"another key").close(one)
    assert made == one
    assert one == made
    assert made == same
    assert hash(made) == hash(one) == hash(same)
    assert not made != one  # noqa: SIM202
    assert made != str(made)
    assert {"a": one} == {"a": made}
    assert (made,) == (one,)
    assert (made == SEAL.close(other)) is (one == other)
    assert (made != other) is (one != other)
    assert reveal(made) == one


@given(one=secrets, other=secrets)
def test_its_digest_tells_a_change_and_depends_on_the_key(one: str, other: str) -> None:
    assert (str(SEAL.close(one)) == str(SEAL.close(other))) is (one == other)
    assert str(SEAL.close(one)) != str(Seal(b"another key").close(one))
    assert "a key" not in repr(SEAL)


def test_one_that_is_not_known_equals_only_itself() -> None:
    unknown = unread(FILE, "does not exist")
    assert unknown == unread(FILE)
    assert hash(unknown) == hash(unread(FILE))
    assert unknown not in {str(unknown), "", None, SEAL.close("x", FILE), unread(Where(Place.CREDENTIAL, "/s/x"))}
    assert str(unknown) == reveal(unknown) == "(secret of file /s/x)"
    assert unknown.problem == "file /s/x does not exist"
    with pytest.raises(ValueError, match="is not known: file /s/x does not exist"):
        unknown.reveal()


def test_it_does_not_change_and_is_not_written_down() -> None:
    made = SEAL.close("value", FILE)
    assert copy.copy(made) is made
    assert copy.deepcopy([made])[0] is made
    for attempt in (pickle.dumps, lambda it: it.__getstate__()):
        with pytest.raises(TypeError, match="not to be written down"):
            attempt(made)
    with pytest.raises(AttributeError, match="does not change"):
        made.problem = "none"
    with pytest.raises(AttributeError, match="does not change"):
        del made.problem
    assert not hasattr(made, "__dict__")


@given(value=secrets, around=st.text("ab <=\"'&;", max_size=5))
def test_what_a_program_says_is_said_without_it(value: str, around: str) -> None:
    made = SEAL.close(value)
    for form in forms(value):
        text = redacted(f"{around}{form}{around}", [made])
        assert str(made) in text
        assert MARK not in text


def test_a_short_value_is_taken_out_where_it_stands_alone() -> None:
    made = SEAL.close("12")
    assert redacted('value="12": 123 took 1.12 s', [made]) == f'value="{made}": 123 took 1.{made} s'
    assert redacted("nothing", [made, unread(FILE)]) == "nothing"


@pytest.mark.parametrize(
    ("data", "meaning"),
    [
        (b"pass word\n", "pass word"),
        (b"pass word", "pass word"),
        (b" \n", " "),
        ("pässwörd\n".encode(), "pässwörd"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a\n\n", "has a line break"),
        (b"a\nb", "has a line break"),
        (b"a\r\n", "has a line break"),
        (b"a\tb", "has a line break, tab or control character"),
        (b"a\0", "has a line break, tab or control character"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"\xef\xbb\xbfa", "begins with a byte order mark"),
        (b"x" * MOST_BYTES, "x" * MOST_BYTES),
        (b"x" * (MOST_BYTES + 1), f"has more than {MOST_BYTES} bytes"),
    ],
)
def test_what_a_file_holds(data: bytes, meaning: str) -> None:
    found = read(data)
    assert found.why.startswith(meaning) if isinstance(found, Unavailable) else found == meaning


@given(data=st.binary(max_size=50))
def test_what_is_read_can_be_kept_by_pacemaker(data: bytes) -> None:
    found = read(data)
    assert isinstance(found, Unavailable) or (found and not LOST.search(found))


def test_names_of_secrets() -> None:
    assert all(map(looks_secret, ("passwd", "params.Password", "snmp_auth_key", "community", "db_token")))
    assert not any(map(looks_secret, ("ip", "params.login", "timeout", "pcmk_host_map")))


MANIFESTS = f"""
apiVersion = "{API_VERSION}"
kind = "List"

[[items]]
kind = "Template"
metadata.name = "board"
spec.agent = "stonith:fence_ipmilan"
spec.params = {{ passwd = {{ file = "/s/x" }}, login = "fencer" }}

[[items]]
kind = "Primitive"
metadata.name = "database"
spec.agent = "ocf:heartbeat:pgsql"
spec.params = [
  {{ values = {{ key_of_mine = {{ file = "/s/x" }}, port = 5432 }}, rule.expression = "site eq a" }},
  {{ values = {{ key_of_mine = {{ credential = "x" }} }}, nvpairs = [{{ id-ref = "other-port" }}] }},
]
spec.operations = [
  {{ name = "monitor", interval = "10s", timeout = "20s", params = {{ user = "w", phrase = {{ file = "/s/x" }} }} }},
]

[[items]]
kind = "Primitive"
metadata.name = "vip"
spec.agent = "ocf:heartbeat:IPaddr2"
spec.params = {{ ip = {{ file = "/s/x" }}, nic = "eth0" }}

[[items]]
kind = "Alert"
metadata.name = "mail"
spec.path = "/bin/true"
spec.params = {{ account = {{ file = "/s/x" }} }}
spec.recipients = [{{ value = "a@example.org", params = {{ key_of_mine = {{ credential = "x" }} }} }}]

[[items]]
kind = "NodeNetwork"
metadata.name = "a"
spec = {{ node = "a", links = [{{ name = "eth0", addresses = ["10.0.0.1/24"] }}] }}
"""
"""Secrets wherever they can stand; `key_of_mine`, `phrase`, `account` and `ip` do not look like any."""

OTHER = (
    '<primitive id="other" class="lsb" type="x"><instance_attributes id="other-a">'
    '<nvpair id="other-port" name="port" value="1"/></instance_attributes></primitive>'
)
ADDRESSES = """[{"ifname": "eth0", "flags": ["UP"], "mtu": 1500, "operstate": "UP", "addr_info": [
{"family": "inet", "local": "10.0.0.9", "prefixlen": 24, "scope": "0", "label": "eth0"}]}]"""


def desired(value: str | Unavailable) -> Desired:
    text = MANIFESTS.replace('nvpairs = [{ id-ref = "other-port" }]', 'score = "5"')
    loaded = manifests.load({"m.toml": text}, "r")
    assert not loaded.rejected, loaded.rejected
    there = sealing.sources(loaded.state)
    found = {source: SEAL.take(source, value) for items in there.values() for _, source in items}
    return sealing.resolve(loaded, there, found)


def observation(text: str, wanted: Desired) -> Observation:
    told = {Source.CIB: Answer(text), Source.ADDRESSES: Answer(ADDRESSES), Source.ROUTES: Answer("[]")}
    seen = understand(Snapshot(told, 1000.0, "a"), "a", None)
    assert seen.cluster
    given_ = {(ref, name) for ref, items in sealing.sources(wanted.state).items() for name, _ in items}
    return replace(seen, cluster=sealing.conceal(seen.cluster, given_, SEAL))


def decision(wanted: Desired, text: str) -> tuple[Observation, Decision]:
    seen = observation(text, wanted)
    return seen, decide(wanted, seen, Policy(), Remembered())


def applied(text: str, done: Decision) -> str:
    assert done.cluster
    root = ET.Element("cib", parse(text).root.attrib)
    root.append(done.cluster.configuration)
    return serialize(root)


def sayings(seen: Observation, done: Decision, wanted: Desired) -> Iterator[str]:
    """Everything that may be said of a plan."""
    plan = done.plan
    yield from (
        plan_text(plan),
        plan_text(plan, colour=True),
        json.dumps(plan_json(plan)),
        plan_crm(plan),
        plan_xml(plan),
    )
    yield from (repr(item) for item in (plan, done, seen, wanted, seen.cluster, seen.snapshot, done.cluster))
    yield from (str(item) for item in (plan, done, seen, wanted))
    for change in plan.changes:
        yield from (repr(change.fields()), str(change.before), str(change.after), repr(change))
        for spec in (change.before, change.after):
            yield spec.model_dump_json() if spec else ""
            yield str(spec.model_dump(by_alias=True)) if spec else ""
    for command in plan.commands:
        yield from (repr(command), str(command), " ".join(command.argv))


@often(100)
@given(live=secrets, value=secrets)
@example(live=f"10.0.0.9{MARK}", value=f"x{MARK}")
def test_no_plan_says_a_secret(live: str, value: str) -> None:
    there = applied(small_cib(OTHER, validate_with="pacemaker-3.9"), decision(desired(live), small_cib(OTHER))[1])
    for wanted, text in (
        (desired(live), small_cib(OTHER, validate_with="pacemaker-3.9")),
        (desired(value), there),
        (desired(live), there),
        (desired(Unavailable("does not exist")), there),
    ):
        seen, done = decision(wanted, text)
        for said in sayings(seen, done, wanted):
            assert not any(says(said, secret) for secret in (live, value)), said


@often(100)
@given(live=secrets, value=secrets)
def test_the_value_gets_into_the_cib_and_then_nothing_is_left(live: str, value: str) -> None:
    text = small_cib(OTHER, validate_with="pacemaker-3.9")
    for secret in (live, value):
        _, done = decision(desired(secret), text)
        text = applied(text, done)
        pairs = {pair.get("name"): pair.get("value") for pair in parse(text).configuration.iter("nvpair")}
        assert all(pairs[name] == secret for name in ("passwd", "key_of_mine", "phrase", "account", "ip"))
        _, after = decision(desired(secret), text)
        assert not [change for change in after.plan.changes if change.ref.kind != "NodeNetwork"]


@often(100)
@given(live=secrets)
def test_one_that_cannot_be_read_changes_nothing_and_holds_its_object_only(live: str) -> None:
    empty = small_cib(OTHER, validate_with="pacemaker-3.9")
    there = applied(empty, decision(desired(live), empty)[1])
    wanted = desired(Unavailable("does not exist"))
    for text in (empty, there):
        _, done = decision(wanted, text)
        assert done.cluster
        assert serialize(done.cluster.configuration) == serialize(parse(text).configuration)
        held = {hold.ref: hold for hold in done.plan.holds if hold.reason is Reason.SECRET_UNAVAILABLE}
        assert {str(ref) for ref in held} == {"Template/board", "Primitive/database", "Primitive/vip", "Alert/mail"}
        assert held[Ref("Template", "board")].message == "params.passwd: file /s/x does not exist"
        assert "operations[0].params.phrase: file /s/x" in held[Ref("Primitive", "database")].message
        assert "recipients[0].params.key_of_mine: credential x" in held[Ref("Alert", "mail")].message


def test_others_are_applied_beside_one_that_is_held() -> None:
    text = small_cib(OTHER, validate_with="pacemaker-3.9")
    extra = 'spec.agent = "ocf:pacemaker:Dummy"\n'
    loaded = manifests.load(
        {
            "a.toml": f'apiVersion = "{API_VERSION}"\nkind = "Primitive"\nmetadata.name = "held"\n{extra}'
            'spec.params.x = { credential = "x" }',
            "b.toml": f'apiVersion = "{API_VERSION}"\nkind = "Primitive"\nmetadata.name = "free"\n{extra}',
        },
        "r",
    )
    _, done = decision(loaded, text)
    assert [str(change.ref) for change in done.plan.changes] == ["Primitive/free"]
    assert [str(hold.ref) for hold in done.plan.holds] == ["Primitive/held"]
    assert done.plan.holds[0].message == "params.x: credential x has not been read"


def test_a_parameter_that_was_a_secret_stays_hidden_when_it_goes() -> None:
    text = small_cib(OTHER, validate_with="pacemaker-3.9")
    there = applied(text, decision(desired(f"{MARK}old"), text)[1])
    seen = observation(there, desired("new"))
    nothing = manifests.load({"m.toml": MANIFESTS.partition("[[items]]")[0]}, "r")
    tag = KINDS["Tag"].spec.model_validate({"objects": ["other"]})
    wanted = replace(nothing, state={Ref("Tag", "t"): tag})
    done = decide(wanted, seen, Policy(), Remembered())
    assert "delete Primitive/database" in plan_text(done.plan)
    assert not [said for said in sayings(seen, done, nothing) if MARK in said]


def test_what_is_still_there_stays_to_be_hidden() -> None:
    text = small_cib(OTHER, validate_with="pacemaker-3.9")
    there = parse(applied(text, decision(desired("x"), text)[1]))
    seen = observation(there.text, desired("x"))
    assert seen.cluster
    given_ = {(Ref("Primitive", "vip"), "ip"), (Ref("Primitive", "vip"), "gone"), (Ref("Primitive", "gone"), "ip")}
    assert sealing.still_there(given_, seen.cluster) == {(Ref("Primitive", "vip"), "ip")}


FORMS = {
    '{ file = "secrets/x" }': "file: 'secrets/x' is not an absolute path",
    '{ file = "/a\\nb" }': "is not an absolute path",
    '{ file = "" }': "is not an absolute path",
    "{ file = 7 }": "file: expected a text, not a number",
    '{ credential = "a/b" }': "credential: 'a/b' cannot be the name of one",
    '{ credential = ".." }': "cannot be the name of one",
    '{ file = "/a", credential = "b" }': 'expected a text, a number, a boolean, { file = "/…" }',
    '{ fil = "/a" }': 'expected a text, a number, a boolean, { file = "/…" }',
    "{}": "expected a text, a number, a boolean",
    '["a"]': "expected a text, a number or a boolean, not an array",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["spec.params.x = {}", "spec.params = [{{ values.x = {} }}]"])
def test_what_is_no_reference_is_refused_with_its_field(form: str, where: str) -> None:
    text = f'apiVersion = "{API_VERSION}"\nkind = "Primitive"\nmetadata.name = "p"\nspec.agent = "lsb:x"\n'
    (fault,) = manifests.load({"m.toml": text + where.format(form)}, "r").rejected
    assert fault.field in {"spec.params.x", "spec.params[0].values.x"}
    assert FORMS[form] in fault.message


ELSEWHERE = {
    "meta": 'kind = "Primitive"\nmetadata.name = "p"\nspec.agent = "lsb:x"\nspec.meta.x = { file = "/a" }\n',
    "utilization": 'kind = "Node"\nmetadata.name = "n"\nspec.utilization.x = { file = "/a" }\n',
    "operation meta": 'kind = "Primitive"\nmetadata.name = "p"\nspec.agent = "lsb:x"\n'
    'spec.operations = [{ name = "stop", meta = { timeout = { credential = "a" } } }]\n',
    "properties": 'kind = "ClusterProperties"\nmetadata.name = "p"\nspec.properties.x = { credential = "a" }\n',
    "attributes": 'kind = "Node"\nmetadata.name = "n"\nspec.attributes.x = { file = "/a" }\n',
    "defaults": 'kind = "ResourceDefaults"\nmetadata.name = "p"\nspec.values.x = { file = "/a" }\n',
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_only_parameters_can_be_secret(where: str) -> None:
    (fault,) = manifests.load({"m.toml": f'apiVersion = "{API_VERSION}"\n{ELSEWHERE[where]}'}, "r").rejected
    assert "a secret can stand among params only" in fault.message
    assert fault.field.endswith((".x", ".timeout"))


def test_a_reference_is_said_as_it_was_written() -> None:
    spec = manifests.load({"m.toml": MANIFESTS.replace('nvpairs = [{ id-ref = "other-port" }]', 'score = "5"')}, "r")
    for ref, item in spec.state.items():
        assert KINDS[ref.kind].spec.model_validate(item.model_dump(by_alias=True, mode="json")) == item
    board = spec.state[Ref("Template", "board")].model_dump(by_alias=True)
    assert board["params"] == {"passwd": {"file": "/s/x"}, "login": "fencer"}


def test_a_digest_is_shown_where_a_password_is_not() -> None:
    assert shown("params.passwd", str(SEAL.close("x"))) == str(SEAL.close("x"))
    assert shown("params.passwd", "x") == "(hidden)"


def test_a_cib_says_nothing_of_what_is_in_it() -> None:
    assert MARK not in repr(Cib(MARK, ET.fromstring("<cib><configuration/></cib>")))


CRASH = """
import importlib, sys
from reconciler import cli

module = importlib.import_module("{module}")
owner = getattr(module, "{owner}") if "{owner}" else module

def crash(*args, **words):
    raise RuntimeError("crashed with", args, words, repr(args), str(words))

assert callable(getattr(owner, "{name}"))
setattr(owner, "{name}", crash)
sys.argv = ["reconciler", "--config", *sys.argv[1:]]
cli.main()
"""
"""The verb, with a function that fails and tells all that it was given."""

CRASHES = [
    ("reconciler.oneshot", "", "decide"),
    ("reconciler.oneshot", "", "of_cib"),
    ("reconciler.guards", "", "guarded"),
    ("reconciler.planner", "", "settle"),
    ("reconciler.planner", "", "draft"),
    ("reconciler.cib.patch", "", "render"),
    ("reconciler.host.vault", "", "resolve"),
    ("reconciler.host.vault", "", "conceal"),
    ("reconciler.host.simulator", "Simulator", "inquire"),
    ("reconciler.host.shell", "Shell", "start_all"),
    ("reconciler.text", "", "plan_text"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("module", "owner", "name"), CRASHES, ids=lambda word: str(word).rpartition(".")[2])
def test_a_crash_says_no_secret(tmp_path: Path, module: str, owner: str, name: str) -> None:
    (tmp_path / "desired").mkdir()
    secret = tmp_path / "secret"
    secret.write_text(MARK, encoding="utf-8")
    secret.chmod(0o600)
    text = MANIFESTS.replace('nvpairs = [{ id-ref = "other-port" }]', 'score = "5"').replace("/s/x", str(secret))
    (tmp_path / "desired" / "m.toml").write_text(text, encoding="utf-8")
    (tmp_path / "settings.toml").write_text(f'state_dir = "{tmp_path}/state"\n', encoding="utf-8")
    empty = small_cib(OTHER, validate_with="pacemaker-3.9")
    (tmp_path / "cib.xml").write_text(applied(empty, decision(desired(f"{MARK}-live"), empty)[1]), encoding="utf-8")
    words = (str(tmp_path / "settings.toml"), "plan", "--desired", str(tmp_path / "desired"), "--cib")
    script = CRASH.format(module=module, owner=owner, name=name)
    done = subprocess.run(
        (sys.executable, "-c", script, *words, str(tmp_path / "cib.xml")), capture_output=True, text=True, check=False
    )
    assert "RuntimeError: ('crashed with'" in done.stderr
    assert MARK not in done.stdout + done.stderr
