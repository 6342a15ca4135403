"""Files of kept keys: whatever is missing or changed in one is seen, and one that grows stays readable."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from console.cli.runs.exported_keys import keys
from console.core.keys.counted import Standing, warning
from console.core.keys.exported import ExportedKey, exported_key, fields_of
from console.engine.replay.look import keys_in, what_was_there
from console.transport.journals.key_files import LocalKeyFiles

NOW = 1_790_000_000.0
KEYS = st.lists(st.binary(max_size=9), max_size=12)
PARTS = st.lists(KEYS, min_size=1, max_size=4)


def rows(names):
    return [fields_of(ExportedKey(0, name, b"value" + bytes(10), None), NOW) for name in names]


def written(path, parts):
    files = LocalKeyFiles()
    for part in parts:
        files.keep(str(path), rows(part))
    return files


def read(files, path):
    return [one.key for some in keys_in(files.lines(str(path)), NOW) for one in some.kept]


@given(PARTS)
def test_a_file_that_grows_is_whole_after_each_part(parts):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keys.jsonl"
        for upto in range(1, len(parts) + 1):
            path.unlink(missing_ok=True)
            check = written(path, parts[:upto]).check(str(path))
            names = [name for part in parts[:upto] for name in part]
            assert (check.standing, check.keys) == (Standing.WHOLE, len(names))
            assert check.with_keys(len(names)) is check
            assert read(LocalKeyFiles(), path) == names


@given(PARTS, st.data())
def test_wherever_its_end_is_cut_it_is_not_whole(parts, data):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keys.jsonl"
        files = written(path, parts)
        whole = path.read_bytes()
        parts_end = [
            at for at in range(1, len(whole)) if whole[:at].endswith(b'"}\n') and b'"count"' in tail(whole, at)
        ]
        cut = data.draw(st.integers(1, len(whole) - 1).filter(lambda at: at not in parts_end))
        path.write_bytes(whole[:cut])
        check = files.check(str(path))
        assert check.standing is Standing.NOT_WHOLE, check
        left = read(files, path)
        assert left == [name for part in parts for name in part][: len(left)]


def tail(whole, at):
    return whole[:at].splitlines()[-1]


def test_the_end_of_a_file_whose_first_part_is_empty_is_missed_too(tmp_path):
    path = tmp_path / "keys.jsonl"
    files = written(path, [[], [b"key"]])
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert files.check(str(path)).standing is Standing.NOT_WHOLE


@given(KEYS.filter(bool), st.data())
def test_any_other_byte_is_seen(names, data):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keys.jsonl"
        files = written(path, [names])
        whole = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255).filter(lambda one: one != whole[at]))
        path.write_bytes(whole)
        assert files.check(str(path)).standing is not Standing.WHOLE


def test_a_line_that_is_taken_out_is_seen(tmp_path):
    path = tmp_path / "keys.jsonl"
    files = written(path, [[b"a", b"b", b"c"]])
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:1] + lines[2:]))
    check = files.check(str(path))
    assert check.standing is Standing.NOT_WHOLE
    assert "its end says 3 keys, and its SHA-256 does not fit" in warning("k", check)
    path.write_text("".join(lines[:2]))
    assert "its end is missing" in warning("k", files.check(str(path)))
    path.write_text("")
    assert "k is not whole: it is empty" in warning("k", files.check(str(path)))


def test_one_of_an_older_version_is_told_as_that(tmp_path):
    path = tmp_path / "keys.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in rows([b"a", b"b"])))
    check = LocalKeyFiles().check(str(path))
    assert check.standing is Standing.OLDER
    assert "lines that are missing would not be noticed" in warning("k", check)
    path.write_text(path.read_text()[:-5])
    assert "its last line is cut off" in warning("k", LocalKeyFiles().check(str(path)))
    assert read(LocalKeyFiles(), path) == [b"a"]


@pytest.mark.parametrize("torn", [b"", b'{"db": 0, "ke', b'{"count": 2'])
def test_after_a_console_died_while_it_wrote_the_next_one_goes_on_in_a_sound_file(tmp_path, torn):
    path = tmp_path / "replaced.jsonl"
    written(path, [[b"a", b"b"]])
    with path.open("ab") as file:
        file.write(torn)
    written(path, [[b"c"]])
    files = LocalKeyFiles()
    assert files.check(str(path)).standing is Standing.WHOLE
    assert read(files, path) == [b"a", b"b", b"c"]
    assert [*what_was_there(files.lines(str(path)))] == [(0, b"a"), (0, b"b"), (0, b"c")]
    assert what_was_there(files.lines(str(tmp_path / "none"))) == {}


def test_runs_keys_prints_what_is_left_and_says_that_it_is_not_whole(tmp_path):
    path = tmp_path / "keys.jsonl"
    written(path, [[b"a", b"b"]])
    done = CliRunner().invoke(keys, [str(path)], standalone_mode=False)
    assert (done.stdout_bytes.count(b"RESTORE"), done.stderr) == (2, "")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:1]))
    cut = CliRunner().invoke(keys, [str(path)], standalone_mode=False)
    assert cut.stdout_bytes.count(b"RESTORE") == 1
    assert "is not whole: its end is missing" in cut.stderr


@given(
    st.lists(
        st.fixed_dictionaries(
            {"db": st.integers(0, 15), "pttl": st.integers(0, 10**9) | st.just(1.5)},
            optional={
                "at": st.integers(10**12, 2 * 10**12) | st.none(),
                "idle": st.none() | st.integers(0, 10**6),
                "there": st.none() | st.sampled_from([{}, {"pttl": 3, "dump_base64": "dGhlcmU="}, {"dump_base64": ""}]),
                "more": st.text(),
            },
        ),
        max_size=6,
    ),
    st.binary(),
)
def test_many_lines_are_read_at_once_as_each_is_alone(fields, value):
    coded = {"key_base64": b64encode(value).decode(), "dump_base64": b64encode(value[::-1]).decode()}
    lines = [one | coded for one in fields]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keys.jsonl"
        path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
        found = [one for some in keys_in(LocalKeyFiles().lines(str(path)), NOW) for one in some.kept]
    assert found == [exported_key(one, NOW) for one in lines]


@pytest.mark.parametrize(
    "changed",
    [
        *({"db": one} for one in ("3", 0.9, True, None, -1, 2**31)),
        *({"pttl": one} for one in ("9", True, None, -2, float("nan"), float("inf"))),
        *({"idle": one} for one in ("9", 1.5, [])),
        {"at": "now", "pttl": 9},
    ],
)
def test_a_number_that_is_none_is_never_guessed(tmp_path, changed):
    """A file that was edited by hand: nothing of it comes into another database, and nothing lives for ever."""
    path, line = tmp_path / "keys.jsonl", rows([b"key"])[0]
    for lines in ([line | changed], [line, line | changed]):
        path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
        with pytest.raises(ValueError, match=f"line {len(lines)} is none of an export of keys"):
            read(LocalKeyFiles(), path)


def test_brackets_without_an_end_are_no_line(tmp_path):
    path = tmp_path / "keys.jsonl"
    path.write_bytes(b"[" * 100_000 + b"\n")
    with pytest.raises(ValueError, match="line 1 is none of an export of keys"):
        read(LocalKeyFiles(), path)


@pytest.mark.parametrize("counts", [True, False])
def test_a_file_of_another_run_is_not_taken_for_the_one_that_the_journal_names(tmp_path, counts):
    path = tmp_path / "keys.jsonl"
    files = written(path, [[b"a", b"b"]])
    if not counts:  # as older versions wrote it
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]).replace(', "counted": true', ""))
    check = files.check(str(path))
    assert check.with_keys(2, 2) is check
    assert check.with_keys(2, None) is check
    other = check.with_keys(2, 5)
    assert other.standing is Standing.NOT_WHOLE
    assert "the run that wrote it says 5" in warning(str(path), other)
    same_count = check.with_keys(2, 2, "0" * 16)
    assert same_count.standing is Standing.NOT_WHOLE
    assert "it is another file" in warning(str(path), same_count)
    if counts:
        assert check.with_keys(2, 2, check.content[:16]) is check


def test_any_number_of_lines_that_count_is_read_and_only_the_last_one_counts(tmp_path):
    path = tmp_path / "keys.jsonl"
    files = written(path, [[b"a", b"b"]])
    with path.open("a") as file:
        file.write('{"count": 1}\n' * 20_000)
    assert read(files, path) == [b"a", b"b"]
    assert files.check(str(path)).standing is Standing.NOT_WHOLE


@pytest.mark.parametrize("second", [b"", b"{", b'{"count": 2, "sha256": ""}'])
def test_two_keys_on_one_line_are_refused_and_the_line_is_named(tmp_path, second):
    """A journal names keys by their lines: an empty line must not make up for a line that has two keys."""
    path = tmp_path / "keys.jsonl"
    one = json.dumps(rows([b"a"])[0]).encode()
    path.write_bytes(one + b"\n" + one + one + b"\n" + second + b"\n")
    with pytest.raises(ValueError, match="line 2 "):
        read(LocalKeyFiles(), path)


@pytest.mark.parametrize("fields", [{"at": 10**15}, {"at": 10**400}, {"pttl": 10**18}])
def test_a_line_in_the_usual_form_with_an_impossible_time_is_named(tmp_path, fields):
    path = tmp_path / "keys.jsonl"
    path.write_text(
        "".join(
            f"{json.dumps(one | {'pttl': 5} | more)}\n"
            for one, more in zip(rows([b"a", b"b"]), ({}, fields), strict=True)
        )
    )
    with pytest.raises(ValueError, match="line 2 "):
        read(LocalKeyFiles(), path)
