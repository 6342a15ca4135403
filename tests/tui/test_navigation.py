"""Screens open by their routes: each route has a screen, and an armed run is shown in place of a second one."""

import ast
from dataclasses import replace
from pathlib import Path

import samples
from tui_stage import REBUILD, asked, question, seen, stage, until

import console.tui
from console.core.inventory import UnusableCluster
from console.core.runbooks.document import UnusableRunbook
from console.tui.navigation import registry, routes
from console.tui.screens.arm import ArmScreen
from console.tui.screens.cluster import ClusterScreen
from console.tui.screens.clusters import ClustersScreen
from console.tui.screens.run import RunScreen
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Menu
from console.tui.widgets.row_list import RowList

ROUTES = [one for one in vars(routes).values() if isinstance(one, routes.Route)]
FOLDER = Path(console.tui.__file__).parent


def test_every_route_has_a_name_of_its_own_and_a_screen():
    stage(samples.healthy_pair())  # an app registers the screens
    names = [one.name for one in ROUTES]
    assert len(set(names)) == len(names)
    assert set(registry._SCREENS) == set(names)
    assert {name for one in ROUTES for name in one.opens_on} <= set(names)


def test_only_screens_import_screens():
    for path in FOLDER.rglob("*.py"):
        imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        named = {node.module for node in imports if (node.module or "").startswith("console.tui.screens.")}
        allowed = {"console.tui.screens.base", "console.tui.screens.past_run_base"}
        assert named <= (allowed if "screens" in path.parts else set()), path


async def test_a_cluster_opens_on_the_list_whatever_lies_above_it():
    on = stage(samples.healthy_pair(), replace(samples.failed_over_pair(), name="sessions"))
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        for route, arguments in (
            (routes.CLUSTER, ("cache",)),
            (routes.RUNBOOKS, ("cache",)),
            (routes.ARM, ("cache", REBUILD, {})),
            (routes.CLUSTER, ("sessions",)),
        ):
            on.app.open_screen(route, *arguments)
            await pilot.pause()
        assert on.app.screen.cluster == "sessions"
        kinds = [type(one) for one in on.app.screen_stack[1:]]
        assert kinds == [ClustersScreen, ClusterScreen]


async def test_the_armed_run_is_shown_where_another_run_would_be_armed():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.arm("cache", REBUILD, {})
        await asked(pilot, on)
        on.app.open_screen(routes.ARM, "cache", REBUILD, {})
        assert isinstance(on.app.screen, RunScreen)
        assert not [one for one in on.app.screen_stack if isinstance(one, ArmScreen)]


WRONG = "/etc/ha/inventory.yaml:10: clusters[1].kind: is missing"


async def test_a_cluster_that_cannot_be_used_is_named_and_cannot_be_opened():
    on = stage(samples.healthy_pair(), unusable_clusters=(UnusableCluster("sessions", (WRONG,)),))
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        assert isinstance(on.app.screen, ClustersScreen)
        assert on.app.screen.query_one(RowList).chosen == "sessions"
        assert WRONG in on.app.screen.query_one("#about-row", LinesPane).text
        await pilot.press("enter")
        await until(pilot, lambda: WRONG in {one.message for one in on.app._notifications})
        assert isinstance(on.app.screen, ClustersScreen)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(on.app.screen, ClusterScreen))


async def test_a_runbook_that_cannot_be_used_is_named_and_cannot_be_chosen():
    problem = "/etc/ha/runbooks/bad.yaml:1: title: is missing"
    on = stage(samples.healthy_pair(), unusable_runbooks=(UnusableRunbook("/etc/ha/runbooks/bad.yaml", (problem,)),))
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.open_screen(routes.RUNBOOKS, "cache")
        await pilot.pause()
        menu = on.app.screen.query_one(Menu)
        assert problem in menu.text
        menu.choose("/etc/ha/runbooks/bad.yaml")
        await pilot.press("enter")
        await until(pilot, lambda: problem in {one.message for one in on.app._notifications})
        assert not [one for one in on.app.screen_stack if isinstance(one, ArmScreen)]
        menu.choose(REBUILD.name)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(on.app.screen, ArmScreen))
