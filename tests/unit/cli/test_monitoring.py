"""docs/monitoring/: the rules and the dashboard are valid, and every metric and label in them is in the table."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import promql_parser
import pytest
import yaml

from console.cli.status.metrics.table import EXPORTER, FAMILIES

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "monitoring"
RULES = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8"))
LABELS = {one.sample_name: {*one.labels, *([one.full_name] if one.states else [])} for one in (*FAMILIES, *EXPORTER)}
SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds."""
STATES = {one.full_name: set(one.states) for one in FAMILIES if one.states}


def rules() -> list[dict]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])


def parsed(expression: str) -> promql_parser.Expr:
    return promql_parser.parse(expression)


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    found = []

    def visit(one: promql_parser.Expr) -> None:
        if isinstance(one, promql_parser.VectorSelector):
            found.append(one)
        elif isinstance(one, promql_parser.MatrixSelector):
            found.append(one.vector_selector)

    promql_parser.walk(parsed(expression), visit)
    return found


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_metric_and_label_of_an_expression_is_in_the_table(expression):
    found = selectors(expression)
    assert found
    for one in found:
        assert one.name in LABELS
        for matcher in one.matchers.matchers:
            assert matcher.name in LABELS[one.name] | SCRAPED, one.name
            if matcher.name in STATES:
                assert matcher.value in STATES[matcher.name]
    named = set(re.findall(r"redis_ha_\w+", expression))
    assert named == {one.name for one in found} | (named & set(STATES))
    grouped = {
        label.strip() for part in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in part.split(",")
    }
    assert all(grouped <= LABELS[one.name] for one in found)


def test_there_are_six_rules_and_each_says_what_and_what_to_do():
    found = rules()
    assert len({one["alert"] for one in found}) == len(found) == 6
    for one in found:
        assert set(one) - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert one["labels"]["severity"] in {"critical", "warning"}
        assert set(one["annotations"]) == {"summary", "description"}
        labels = set.intersection(*(LABELS[each.name] for each in selectors(one["expr"])))
        named = set(re.findall(r"\$labels\.(\w+)", " ".join(one["annotations"].values())))
        assert named - labels <= ({"node"} if one["alert"] == "RedisHaUnknown" else set())
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (RedisHa\w+) \|", page, re.MULTILINE) == [one["alert"] for one in found]


def test_promtool_agrees_where_it_is_installed():
    """Debian's package `prometheus` has it. Without it the tests above still hold names, labels and grammar."""
    promtool = shutil.which("promtool")
    for call in (
        ["check", "rules", FOLDER / "alerts.yaml"],
        ["test", "rules", ROOT / "tests/monitoring/alerts.test.yaml"],
    ):
        if promtool is not None:
            done = subprocess.run([promtool, *call], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    tested = (ROOT / "tests/monitoring/alerts.test.yaml").read_text(encoding="utf-8")
    assert all(f'alertname="{one["alert"]}"' in tested and f"alertname: {one['alert']}}}" in tested for one in rules())


def test_the_dashboard_fits_together():
    panels = DASHBOARD["panels"]
    assert len({one["id"] for one in panels}) == len({one["title"] for one in panels}) == len(panels)
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(panels))) <= variables
    for one in panels:
        assert one["description"].endswith(".")
        assert len({target["refId"] for target in one["targets"]}) == len(one["targets"]) > 0
        place = one["gridPos"]
        assert place["x"] + place["w"] <= 24
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
