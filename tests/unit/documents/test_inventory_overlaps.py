"""Two clusters with one virtual IP, or with one Redis: `inventory check` says so, with file and line of both."""

from __future__ import annotations

from pathlib import Path

import fakes
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.cli.context import Adapters
from console.cli.main import run
from console.documents.errors import DocumentError
from console.documents.inventories.files import check_files, load_usable_files


def cluster(name: str, vip: str, nodes: tuple[str, str], more: str = "", kind: str = "keepalived") -> str:
    if kind == "sentinel-vip":
        more += "    master_name: m\n    sentinels: [{name: s, address: 10.9.9.9}]\n"
    return (
        f"  - name: {name}\n    kind: {kind}\n    vip: {vip}\n{more}    nodes:\n"
        f"      - {{name: a, address: {nodes[0]}}}\n      - {{name: b, address: {nodes[1]}}}\n"
    )


HEAD = "version: 1\nclusters:\n"
ONE, OTHER = ("10.0.0.1", "10.0.0.2"), ("10.0.0.3", "10.0.0.4")


def checked(path: Path) -> tuple[list[str], list[str]]:
    """Errors and warnings."""
    warnings: list[str] = []
    try:
        check_files(path, warnings.append)
    except DocumentError as error:
        return list(error.problems), warnings
    return [], warnings


def written(folder: Path, *texts: str, several: bool) -> Path:
    main = folder / "inventory.yaml"
    (folder / "inventory.d").mkdir(exist_ok=True)
    if several:
        main.write_text(HEAD + texts[0])
        for number, text in enumerate(texts[1:]):
            (folder / "inventory.d" / f"{number}.yaml").write_text(HEAD + text)
    else:
        main.write_text(HEAD + "".join(texts))
    return main


@pytest.mark.parametrize("several", [False, True])
def test_the_same_virtual_ip_in_two_clusters_is_wrong_with_file_and_line_of_both(tmp_path, several):
    main = written(tmp_path, cluster("c1", "10.0.0.100", ONE), cluster("c2", "10.0.0.100", OTHER), several=several)
    (error,), warnings = checked(main)
    second = tmp_path / "inventory.d" / "0.yaml" if several else main
    assert error.startswith(
        f"{second}:{5 if several else 11}: clusters[{int(not several)}].vip: 10.0.0.100, port 6379,"
    )
    assert f"of the cluster c1 too ({main}:5)" in error
    assert warnings == []
    assert len(load_usable_files(main).clusters) == 2, "both can be observed"


@pytest.mark.parametrize("several", [False, True])
def test_the_same_redis_in_two_clusters_is_a_warning(tmp_path, several, capsys):
    main = written(
        tmp_path, cluster("c1", "10.0.0.100", ONE), cluster("c2", "10.0.0.101", (OTHER[0], ONE[1])), several=several
    )
    errors, (warning,) = checked(main)
    assert errors == []
    assert "10.0.0.2:6379 is b of the cluster c1 too" in warning
    assert f"({main}:8)" in warning
    looks = Adapters(clock=fakes.FakeClock, inspector=None, run_starter=None, run_app=None)
    assert run(["inventory", "check", str(main)], looks) == 0
    said = capsys.readouterr()
    assert said.err == f"warning: {warning}\n"
    assert "nothing wrong" not in said.out


@pytest.mark.parametrize(
    ("more", "kind", "wrong"),
    [
        ("", "keepalived", True),
        ("", "sentinel-vip", False),
    ],
)
def test_another_kind_makes_it_a_warning(tmp_path, more, kind, wrong):
    texts = cluster("c1", "10.0.0.100", ONE), cluster("c2", "10.0.0.100", OTHER, more, kind)
    errors, warnings = checked(written(tmp_path, *texts, several=False))
    assert (len(errors), len(warnings)) == ((1, 0) if wrong else (0, 1))


@pytest.mark.parametrize("defaults", ["redis: {port: 6380}", "ssh: {jump: gate}"])
def test_another_port_or_another_network_is_another_redis(tmp_path, defaults):
    main = written(tmp_path, cluster("c1", "10.0.0.100", ONE), several=True)
    other = HEAD.replace("clusters", f"defaults: {{{defaults}}}\nclusters") + cluster("c2", "10.0.0.100", ONE)
    (tmp_path / "inventory.d" / "a.yaml").write_text(other)
    assert checked(main) == ([], [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.permutations(range(5))), min_size=2, max_size=4),
    st.booleans(),
)
def test_as_many_lines_as_there_are_pairs_that_share(tmp_path, picked, several):
    for old in (tmp_path / "inventory.d").glob("*"):
        old.unlink()
    texts = [
        cluster(f"c{number}", f"10.0.0.{100 + vip}", (f"10.0.0.{nodes[0]}", f"10.0.0.{nodes[1]}"))
        for number, (vip, nodes) in enumerate(picked)
    ]
    errors, warnings = checked(written(tmp_path, *texts, several=several))
    pairs = [(one, other) for at, one in enumerate(picked) for other in picked[:at]]
    assert len(errors) == sum(one[0] == other[0] for one, other in pairs)
    assert len(warnings) == sum(len({*one[1][:2]} & {*other[1][:2]}) for one, other in pairs)
