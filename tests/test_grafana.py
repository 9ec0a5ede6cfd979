"""Rules and dashboards ask only for what the catalogue has; alerts are tested and explained; dashboards are sound."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.metrics.catalogue import SERIES, Type
from reconciler.metrics.catalogue import labels_of as catalogue_labels
from tests.programs import need
from tests.promql import TARGET_LABELS, Expression, Matcher, read

GRAFANA = Path(__file__).parent.parent / "grafana"
RULES = sorted((GRAFANA / "alerts").glob("*.yml"))
RULE_TESTS = sorted((GRAFANA / "tests").glob("*.test.yml"))
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
RUNBOOK = (GRAFANA / "runbook.md").read_text()
PREFIX = "HaCluster"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
DURATIONS = {"$__rate_interval": "5m", "$__range": "1h", "$__interval": "1m"}
RULE_LIST = [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULE_LIST if "alert" in rule}
RECORDS = {rule["record"]: rule for rule in RULE_LIST if "record" in rule}
TESTS = [test for path in RULE_TESTS for test in yaml.safe_load(path.read_text())["tests"]]


def labels_of(name: str) -> frozenset[str]:
    if name in RECORDS:
        return parsed(RECORDS[name]["expr"]).labels
    return (frozenset() if name == "up" else catalogue_labels(name)) | TARGET_LABELS


def values_of(name: str, label: str) -> set[str] | None:
    """The values that a label of a series can have; None if the cluster, or whoever runs Prometheus, decides."""
    if name in RECORDS:
        found = [
            values_of(s.name, label) for s in parsed(RECORDS[name]["expr"]).selectors if label in labels_of(s.name)
        ]
        return set().union(*(values or () for values in found)) if all(found) else None
    values = SERIES[name].labels.get(label) if name in SERIES else None
    return None if values is None else set(values)


def parsed(text: str) -> Expression:
    return read(text, labels_of)


def impossible(name: str, matcher: Matcher) -> str:
    """Say what a matcher asks for that there cannot be."""
    values = values_of(name, matcher.label)
    if values is None or "$" in matcher.value:
        return ""
    parts = matcher.value.split("|") if matcher.operator in ("=~", "!~") else [re.escape(matcher.value)]
    lacking = [part for part in parts if not any(re.fullmatch(part, value) for value in values)]
    return f"{name}: {matcher.label} is never {', '.join(lacking)}" if lacking else ""


def check(text: str) -> Expression:
    """Everything that holds for an expression wherever it stands."""
    found = parsed(text)
    assert not [fault for s in found.selectors for m in s.matchers if (fault := impossible(s.name, m))]
    for selector in found.selectors:
        counts = selector.name in SERIES and SERIES[selector.name].type in (Type.COUNTER, Type.HISTOGRAM)
        in_rate = selector.function in ("rate", "irate", "increase")
        assert counts == in_rate, f"{selector.name}: rate and increase are for counters, and counters are for them"
    return found


@pytest.mark.parametrize("name", [*RECORDS, *ALERTS])
def test_a_rule_asks_for_what_there_is(name: str) -> None:
    found = check((RECORDS | ALERTS)[name]["expr"])
    assert found.selectors, "it asks for nothing"
    if name in ALERTS:
        written = " ".join(ALERTS[name]["annotations"].values())
        assert set(re.findall(r"\$labels\.(\w+)", written)) <= found.labels


def test_names_are_used_once() -> None:
    assert len(ALERTS) + len(RECORDS) == len(RULE_LIST)


@pytest.mark.parametrize("name", RECORDS)
def test_a_recorded_series_is_named_by_its_labels_and_is_used(name: str) -> None:
    level, metric, operation = name.split(":")
    assert set(level.split("_")) == labels_of(name)
    assert metric.startswith("reconciler_")
    assert operation
    assert [rule for rule in RULE_LIST if name in rule["expr"]], "no rule uses it"


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_complete(name: str) -> None:
    rule = ALERTS[name]
    assert re.fullmatch(PREFIX + "([A-Z][a-z0-9]+)+", name)
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert set(rule["labels"]) == {"severity"}
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert "{{" not in rule["annotations"]["summary"], "what differs belongs in the description"
    assert all(rule["annotations"][key].endswith(".") for key in ("summary", "description"))
    assert rule["annotations"]["runbook_url"] == f"grafana/runbook.md#{name.lower()}"


def test_the_runbook_has_a_section_for_each_alert_with_something_to_type() -> None:
    sections = dict(re.findall(rf"^## ({PREFIX}\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    assert sorted(sections) == sorted(ALERTS)
    assert not [name for name, text in sections.items() if "```sh\n" not in text or len(text.split()) < 30]


def test_the_runbook_names_metrics_that_there_are() -> None:
    assert set(re.findall(r"\breconciler_[a-z_]+", RUNBOOK)) <= set(SERIES)


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    labels: Mapping[str, str]


def series(text: str) -> Series:
    name, _, inner = text.partition("{")
    return Series(name, dict(re.findall(r'(\w+)="([^"]*)"', inner)))


def test_rule_tests_evaluate_groups_in_the_order_of_the_files() -> None:
    # promtool has no order of its own, and an alert is a minute late where its recorded series come after it
    order = [group["name"] for path in reversed(RULES) for group in yaml.safe_load(path.read_text())["groups"]]
    assert order[0] == "ha-cluster-recording"
    assert [yaml.safe_load(path.read_text())["group_eval_order"] for path in RULE_TESTS] == [order] * len(RULE_TESTS)


def test_rule_tests_are_fed_with_series_that_there_are() -> None:
    assert TESTS
    for test in TESTS:
        for item in test["input_series"]:
            fed = series(item["series"])
            assert set(fed.labels) == labels_of(fed.name), item["series"]
            for label, value in fed.labels.items():
                assert value in (values_of(fed.name, label) or {value}), item["series"]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_tested_firing_and_not_firing(name: str) -> None:
    cases = [case for test in TESTS for case in test.get("alert_rule_test", ()) if case["alertname"] == name]
    assert [case for case in cases if case["exp_alerts"]], "no test in which it fires"
    assert [case for case in cases if not case["exp_alerts"]], "no test in which it does not fire"


def promtool(*arguments: str | Path) -> None:
    need("promtool")
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_rules() -> None:
    promtool("check", "rules", "--lint-fatal", *RULES)


def test_promtool_takes_the_scrape_configuration() -> None:
    promtool("check", "config", "--syntax-only", GRAFANA / "provisioning" / "prometheus.yml")


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.name)
def test_rules_do_what_their_tests_say(path: Path) -> None:
    promtool("test", "rules", path)


@dataclass(frozen=True, slots=True)
class Query:
    """An expression of a dashboard, and the templates that are filled in from its labels."""

    where: str
    text: str
    templates: str = ""

    @property
    def plain(self) -> str:
        return re.sub("|".join(map(re.escape, DURATIONS)), lambda found: DURATIONS[found[0]], self.text)


def queries(dashboard: Mapping[str, Any]) -> Iterator[Query]:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield Query(panel["title"], target["expr"], target.get("legendFormat", ""))
    for item in dashboard["annotations"]["list"]:
        keys = " ".join(f"{{{{{key}}}}}" for key in item["tagKeys"].split(","))
        yield Query(item["name"], item["expr"], f"{item['titleFormat']} {item['textFormat']} {keys}")


def datasources(part: Any) -> Iterator[Any]:
    for key, inner in part.items() if isinstance(part, dict) else enumerate(part):
        if key == "datasource":
            yield inner
        elif isinstance(inner, dict | list):
            yield from datasources(inner)


def variables(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    return {item["name"]: item for item in dashboard["templating"]["list"]}


def fixed_ranges() -> set[str]:
    """The panels that show a fixed time on purpose, by dashboard-linter's own list of exceptions."""
    rules = yaml.safe_load((GRAFANA / "dashboards" / ".lint").read_text())["exclusions"]
    assert all(rule["reason"] for rule in rules.values())
    return {entry["panel"] for entry in rules["target-rate-interval-rule"]["entries"]}


@pytest.fixture(params=DASHBOARDS, ids=lambda path: path.name)
def dashboard(request: pytest.FixtureRequest) -> Any:
    return json.loads(request.param.read_text())


def test_there_are_dashboards_with_uids_of_their_own() -> None:
    uids = [json.loads(path.read_text())["uid"] for path in DASHBOARDS]
    assert uids
    assert len(uids) == len(set(uids))


def test_a_dashboard_asks_for_what_there_is(dashboard: Any) -> None:
    for query in queries(dashboard):
        found = check(query.plain)
        assert set(re.findall(r"\{\{(\w+)\}\}", query.templates)) <= found.labels, query
        for selector in found.selectors:
            chosen = {(item.label, item.operator, item.value) for item in selector.matchers}
            assert {(label, "=~", f"${label}") for label in TARGET_LABELS} <= chosen, f"{query.where}: {selector.name}"


def test_a_dashboard_leaves_ranges_to_grafana(dashboard: Any) -> None:
    fixed = {query.where for query in queries(dashboard) if set(re.findall(r"\[(.*?)\]", query.text)) - set(DURATIONS)}
    assert fixed <= fixed_ranges()


def test_the_variables_of_a_dashboard_are_defined_and_give_values(dashboard: Any) -> None:
    known = variables(dashboard)
    asked = {name for query in queries(dashboard) for name in re.findall(r"\$(\w+)", query.text)}
    assert asked <= {*known, *(name[1:] for name in DURATIONS)}
    assert known.pop("datasource")["query"] == "prometheus"
    assert set(known) >= TARGET_LABELS
    for name, item in known.items():
        form = re.fullmatch(r"label_values\((.+), (\w+)\)", item["query"])
        assert form, name
        assert form[2] == name
        assert name in check(form[1]).labels
        assert set(re.findall(r"\$(\w+)", form[1])) <= set(list(known)[: list(known).index(name)]), "defined later"
        assert (item["refresh"], item["multi"], item["includeAll"]) == (2, True, True), name
        # A cluster label is not on every target
        assert item["allValue"] == (".*" if name == "cluster" else ".+")


def test_a_dashboard_is_made_to_be_provisioned(dashboard: Any) -> None:
    assert dashboard["editable"] is False
    assert dashboard["schemaVersion"] >= 39
    assert not {"__inputs", "__requires", "id"} & set(dashboard)
    assert {json.dumps(source) for source in datasources(dashboard)} == {json.dumps(DATASOURCE)}


def test_panels_are_named_described_and_have_units(dashboard: Any) -> None:
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in dashboard["panels"]:
        assert panel["title"]
        if panel["type"] == "row":
            assert not panel["collapsed"], "panels inside a row are not looked at here"
            continue
        assert panel["description"].endswith("."), panel["title"]
        assert all(part["datasource"] == DATASOURCE for part in (panel, *panel["targets"])), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in ("none", "short", "s", "ops"), panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references)) > 0, panel["title"]


def test_panels_do_not_lie_on_each_other(dashboard: Any) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells


def test_tables_show_columns_that_their_queries_give(dashboard: Any) -> None:
    for panel in (panel for panel in dashboard["panels"] if panel["type"] == "table"):
        steps = {step["id"]: step["options"] for step in panel["transformations"]}
        shown, names = steps["filterFieldsByName"]["include"]["names"], steps["organize"]["renameByName"]
        given = set[str]()
        for target in panel["targets"]:
            many = len(panel["targets"]) > 1
            given |= {f"Value #{target['refId']}" if many else "Value", *check(Query("", target["expr"]).plain).labels}
        assert set(shown) <= given, panel["title"]
        assert set(names) == set(steps["organize"]["indexByName"]) == set(shown), panel["title"]
        if "joinByField" in steps:
            assert all(steps["joinByField"]["byField"] in parsed(target["expr"]).labels for target in panel["targets"])
        titled = {item["matcher"]["options"] for item in panel["fieldConfig"]["overrides"]}
        titled |= {item["displayName"] for item in panel["options"]["sortBy"]}
        assert titled <= set(names.values()), panel["title"]


def test_promtool_takes_the_queries_of_dashboards(tmp_path: Path) -> None:
    found = [query for path in DASHBOARDS for query in queries(json.loads(path.read_text()))]
    rules = [{"record": f"query:{number}", "expr": query.plain} for number, query in enumerate(found)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    promtool("check", "rules", file)
