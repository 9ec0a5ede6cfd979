"""What the schema refuses is named by object and field, as the real crm_verify has it."""

import shutil
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler import manifests
from reconciler.cib.verdict import Verdict
from reconciler.cli import cli
from reconciler.decision import Remembered, decide
from reconciler.host.shell import PATH, Shell
from reconciler.host.simulator import Simulator
from reconciler.pruning import Policy
from reconciler.refusal import explained
from tests.observations import observation
from tests.programs import need

CIB = """<cib validate-with="{schema}" epoch="7" num_updates="0" admin_epoch="0" crm_feature_set="3.0.10">
<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="o-stonith" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/></nodes><resources/><constraints/></configuration><status/></cib>"""
FINE = """apiVersion = "ha.reconciler.io/v1alpha1"
kind = "List"
[[items]]
kind = "Primitive"
metadata.name = "aaa"
spec.agent = "ocf:pacemaker:Dummy"
spec.operations = [{ name = "monitor", interval = "10s", on-fail = "restart" }]
[[items]]
kind = "Primitive"
metadata.name = "fine"
spec.agent = "ocf:pacemaker:Dummy"
spec.params = { fake = "1" }
[[items]]
kind = "Location"
metadata.name = "zzz"
spec = { resource = "fine", node = "n1", score = 100 }
"""
REMEDY = "the CIB says validate-with={}; `cibadmin --upgrade --force` brings it up to date"


@pytest.fixture(autouse=True)
def tools() -> None:
    need("crm_simulate", "crm_verify")


def verdict(schema: str, manifest: str, shell: Shell | None = None, timeout: float = 30.0) -> Verdict:
    return asked(Simulator(shell or Shell(), timeout), schema, manifest)


def asked(simulator: Simulator, schema: str, manifest: str) -> Verdict:
    loaded = manifests.load({"a.toml": FINE + manifest}, "r1")
    assert not loaded.rejected, [str(rejected) for rejected in loaded.rejected]
    seen = observation(CIB.format(schema=schema))
    planned = decide(loaded, seen, Policy(), Remembered()).cluster
    assert planned
    assert seen.cib
    return simulator.inquire(seen.cib, planned).forecast.verdict


def item(kind: str, name: str, *spec: str) -> str:
    return "\n".join(["[[items]]", f'kind = "{kind}"', f'metadata.name = "{name}"', *spec, ""])


def dummy(name: str, *spec: str) -> str:
    return item("Primitive", name, 'spec.agent = "ocf:pacemaker:Dummy"', *spec)


MONITOR = '{{ name = "monitor", interval = "{}", on-fail = "{}" }}'
BUNDLE = 'spec.{} = {{ image = "web:1" }}'
CASES = {
    "on-fail=demote": (
        "pacemaker-2.3",
        dummy("ok", f"spec.operations = [{MONITOR.format('10s', 'demote')}]"),
        ['Primitive/ok: operations[monitor 10s]: on-fail="demote"'],
    ),
    "two operations of three": (
        "pacemaker-2.3",
        dummy(
            "ok",
            f"spec.operations = [{MONITOR.format('9s', 'demote')}, {MONITOR.format('10s', 'ignore')}, "
            f"{MONITOR.format('11s', 'demote')}]",
        ),
        [
            'Primitive/ok: operations[monitor 11s]: on-fail="demote"',
            'Primitive/ok: operations[monitor 9s]: on-fail="demote"',
        ],
    ),
    "a member of a cloned group": (
        "pacemaker-2.3",
        dummy("in", f"spec.operations = [{MONITOR.format('10s', 'demote')}]")
        + item("Group", "g", 'spec.resources = ["in"]')
        + item("Clone", "c", 'spec.resource = "g"'),
        ['Primitive/in: operations[monitor 10s]: on-fail="demote"'],
    ),
    "an alert": (
        "pacemaker-2.3",
        item("Alert", "mail", 'spec.path = "/usr/bin/mail"'),
        ["Alert/mail: pacemaker-2.3 knows no <alerts>"],
    ),
    "what an alert selects": (
        "pacemaker-2.5",
        item("Alert", "mail", 'spec.path = "/usr/bin/mail"', 'spec.select = ["nodes"]'),
        ["Alert/mail: select: <select>"],
    ),
    "rsc-pattern": (
        "pacemaker-1.3",
        item("Location", "l", 'spec = { resource-pattern = "^f", node = "n1", score = 1 }'),
        ['Location/l: resource-pattern: rsc-pattern="^f"'],
    ),
    "resource-discovery": (
        "pacemaker-1.3",
        item("Location", "l", 'spec = { resource = "fine", node = "n1", score = 1, resource-discovery = "never" }'),
        ['Location/l: resource-discovery: resource-discovery="never"'],
    ),
    "a bundle": (
        "pacemaker-2.0",
        item("Bundle", "b", BUNDLE.format("docker")),
        ["Bundle/b: pacemaker-2.0 knows no <bundle>"],
    ),
    "podman": ("pacemaker-2.10", item("Bundle", "b", BUNDLE.format("podman")), ["Bundle/b: podman.image: <podman>"]),
    "rkt": ("pacemaker-2.8", item("Bundle", "b", BUNDLE.format("rkt")), ["Bundle/b: rkt.image: <rkt>"]),
    "fencing levels of an attribute": (
        "pacemaker-2.3",
        item("Primitive", "f1", 'spec.agent = "stonith:fence_virt"')
        + item(
            "FencingTopology",
            "fencing-topology",
            "spec.levels = [",
            '  { target = "n1", index = 1, devices = ["f1"] },',
            '  { target-attribute = "rack", target-value = "1", index = 1, devices = ["f1"] },',
            "]",
        ),
        ['FencingTopology/fencing-topology: levels[rack 1 1]: target-attribute="rack" or target-value="1"'],
    ),
    "influence": (
        "pacemaker-3.2",
        item("Colocation", "k", 'spec = { resource = "aaa", with = "fine", score = 5, influence = false }'),
        ['Colocation/k: influence: influence="false"'],
    ),
    "two kinds of fault": (
        "pacemaker-2.3",
        dummy("ok", f"spec.operations = [{MONITOR.format('10s', 'demote')}]")
        + item("Alert", "mail", 'spec.path = "/usr/bin/mail"'),
        ['Primitive/ok: operations[monitor 10s]: on-fail="demote"', "Alert/mail: pacemaker-2.3 knows no <alerts>"],
    ),
    "the value of a parameter in a rule": (
        "pacemaker-2.3",
        item(
            "Location", "l", 'spec = { resource = "fine", rules = [', "{ score = 1, expression = 'a eq param{p}' }] }"
        ),
        ['Location/l: rules[0].expression: value-source="param"'],
    ),
    "a rule for operations": (
        "pacemaker-3.3",
        item(
            "OperationDefaults",
            "op-options",
            "spec = { values = { timeout = '30s' }, rule = { expression = 'op name=monitor' } }",
        ),
        ["OperationDefaults/op-options: rule.expression: <rule> op-options-rule"],
    ),
    "a tag and a ticket of what is wrong": (
        "pacemaker-2.3",
        dummy("ok", f"spec.operations = [{MONITOR.format('10s', 'demote')}]")
        + item("Tag", "t", 'spec.objects = ["ok", "fine"]')
        + item("Ticket", "k", 'spec = { ticket = "T", resource = "ok", loss-policy = "stop" }'),
        ['Primitive/ok: operations[monitor 10s]: on-fail="demote"'],
    ),
    "a tag that names an alert": (
        "pacemaker-2.3",
        item("Alert", "mail", 'spec.path = "/usr/bin/mail"') + dummy("ok"),
        ["Alert/mail: pacemaker-2.3 knows no <alerts>"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_exactly_what_is_wrong_is_named(case: str) -> None:
    schema, manifest, said = CASES[case]
    found = verdict(schema, manifest)
    assert [str(item) for item in found.invalid] == said
    assert found.remedy == REMEDY.format(schema)


def test_a_value_that_may_be_a_secret_is_not_said() -> None:
    # The validator of this test dislikes a pair; the real ones take every value.
    seen = observation(CIB.format(schema="pacemaker-2.3"))
    loaded = manifests.load({"a.toml": FINE + dummy("ok", 'spec.params = { passwd = "hunter2" }')}, "r1")
    planned = decide(loaded, seen, Policy(), Remembered()).cluster
    assert planned
    assert seen.cib
    search = explained(seen.cib, planned, Verdict())
    documents = next(search)
    found = Verdict()
    while not found.invalid:
        try:
            documents = search.send(["wrong" if 'value="hunter2"' in text else "" for text in documents])
        except StopIteration as done:
            found = done.value
    assert [str(item) for item in found.invalid] == ['Primitive/ok: params.passwd: value="(hidden)"']


@pytest.mark.parametrize("script", ["sleep 30", "exit 1", "echo hallo; exit 78", "kill -ABRT $$"])
def test_where_crm_verify_does_not_answer_its_first_words_stay(tmp_path: Path, script: str) -> None:
    said = 'echo "Entity: line 2: element op: Relax-NG validity error : Did not expect it"'
    verify = f'case "$*" in *planned*) {said}; exit 78 ;; *live*) exit 0 ;; esac\n{script}'
    for name, lines in {"crm_verify": verify, "crm_simulate": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{lines}\n")
        (tmp_path / name).chmod(0o755)
    began = time.monotonic()
    found = verdict("pacemaker-2.3", dummy("ok"), Shell(path=f"{tmp_path}:{PATH}"), 2.0)
    assert [str(item) for item in found.invalid] == ["element op: Did not expect it"]
    assert found.remedy == ""
    assert time.monotonic() - began < 10


def test_the_same_plan_is_looked_into_once_and_with_few_questions(tmp_path: Path) -> None:
    schema, manifest, said = CASES["two kinds of fault"]
    log, real = tmp_path / "log", shutil.which("crm_verify")
    (tmp_path / "crm_verify").write_text(f'#!/bin/sh\necho >>{log}\nexec {real} "$@"\n')
    (tmp_path / "crm_verify").chmod(0o755)
    simulator, asks = Simulator(Shell(path=f"{tmp_path}:{PATH}")), []
    for _ in range(2):
        assert [str(item) for item in asked(simulator, schema, manifest).invalid] == said
        asks.append(len(log.read_text()))
    assert asks[0] < 60
    assert asks[1] - asks[0] == 2, "the live and the planned one, nothing more"


def test_plan_of_a_file_says_what_its_schema_refuses_and_the_way_out(tmp_path: Path) -> None:
    _, manifest, _ = CASES["two kinds of fault"]
    (tmp_path / "cib.xml").write_text(CIB.format(schema="pacemaker-2.3"))
    (tmp_path / "desired").mkdir()
    (tmp_path / "desired" / "a.toml").write_text(FINE + manifest)
    words = ("--desired", str(tmp_path / "desired"), "--cib", str(tmp_path / "cib.xml"))
    planned = CliRunner().invoke(cli, ("plan", *words))
    assert planned.exit_code == 2
    _, _, held = planned.stdout.partition("Held back, not done now:\n")
    assert held == HELD
    before = (tmp_path / "cib.xml").read_bytes()
    assert CliRunner().invoke(cli, ("apply", *words)).exit_code == 2
    assert (tmp_path / "cib.xml").read_bytes() == before


HELD = """\
    everything of the cluster: Invalid: the cluster's schema does not allow it: \
Primitive/ok: operations[monitor 10s]: on-fail="demote", Alert/mail: pacemaker-2.3 knows no <alerts>; \
the CIB says validate-with=pacemaker-2.3; `cibadmin --upgrade --force` brings it up to date

Warnings:
    stonith-enabled is false: what runs on a node that hangs may be started on another one too

Pacemaker would then:
    error: Primitive/ok: operations[monitor 10s]: on-fail="demote"
    error: Alert/mail: pacemaker-2.3 knows no <alerts>
    no resource is started, stopped or moved

Plan: 5 to create, 0 to update, 0 to delete; 1 held.
"""
