"""A dataclass whose methods are compiled late is the same as the standard library's, for each class that is one."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import pickle
import pkgutil
import subprocess
import sys
from typing import Any

import pytest

import console
from console.core import lazy_dataclass
from console.core.lazy_dataclass import dataclass

ROOMS = ("core", "probes", "transport", "cli.status")


@dataclass(frozen=True, slots=True)
class Base:
    """A class with every kind of field."""

    name: str
    number: int = 3
    words: list[str] = dataclasses.field(default_factory=list)
    hidden: str = dataclasses.field(default="", repr=False)
    passed_over: str = dataclasses.field(default="", compare=False)
    by_name: int = dataclasses.field(default=1, kw_only=True)


@dataclass(frozen=True, slots=True)
class Below(Base):
    """Has one field more."""

    more: str = "more"


def late_classes() -> list[type]:
    """Every class of the console that is made so."""
    found: dict[str, type] = {}
    for room in ROOMS:
        package = importlib.import_module(f"console.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for one in vars(importlib.import_module(module.name)).values():
                if isinstance(one, type) and vars(one).get("__setattr__") is lazy_dataclass._set_nothing:
                    found[f"{one.__module__}.{one.__qualname__}"] = one
    return [found[name] for name in sorted(found)]


LATE = [Base, Below, *late_classes()]


def by_the_library(late: Any) -> Any:
    """The same class, made by the standard library alone."""
    kept = ("default", "default_factory", "init", "repr", "hash", "compare", "kw_only")
    like_it = [
        (one.name, one.type, dataclasses.field(**{name: getattr(one, name) for name in kept}))
        for one in dataclasses.fields(late)
    ]
    return dataclasses.make_dataclass(late.__qualname__, like_it, frozen=True, slots=True)


def values(kind: Any, first: int = 0) -> dict[str, Any]:
    return {one.name: (first + place, one.name) for place, one in enumerate(dataclasses.fields(kind))}


def test_there_are_many():
    assert len(LATE) > 90
    assert console.__name__ in {one.__module__.partition(".")[0] for one in LATE}


@pytest.mark.parametrize("late", LATE, ids=lambda late: late.__qualname__)
def test_it_behaves_as_the_standard_librarys(late):
    other = by_the_library(late)
    mine, same, theirs = late(**values(late)), late(**values(late)), other(**values(late))
    assert dataclasses.asdict(mine) == dataclasses.asdict(theirs) == values(late)
    assert mine == same
    assert mine != theirs
    assert mine != values(late)
    changed = dataclasses.replace(mine, **values(late, 7))
    assert dataclasses.asdict(changed) == values(late, 7)
    assert (mine == changed) == (theirs == dataclasses.replace(theirs, **values(late, 7)))
    assert hash(mine) == hash(same) == hash(theirs)
    assert repr(mine) == repr(theirs)
    assert late.__match_args__ == other.__match_args__
    assert not hasattr(mine, "__dict__")


@pytest.mark.parametrize("late", LATE, ids=lambda late: late.__qualname__)
def test_nothing_in_it_can_be_set(late):
    one = late(**values(late))
    for name in (*values(late), "something_new"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, name, 1)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(one, name)
    assert dataclasses.asdict(one) == values(late)


@pytest.mark.parametrize("late", LATE[2:], ids=lambda late: late.__qualname__)
def test_it_can_be_copied_and_pickled(late):
    one = late(**values(late))
    assert copy.copy(one) == one
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one


def test_defaults_wrong_calls_and_equality_before_anything_was_made():
    assert Base("a") == Base("a", passed_over="is not compared")
    assert Base("a").words is not Base("a").words
    assert repr(Below("a", hidden="secret")).count("secret") == 0
    assert Below("a") != Base("a")
    with pytest.raises(TypeError, match=r"Base\.__init__\(\) missing 1 required positional argument: 'name'"):
        Base()
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        Base("a", colour="red")


@pytest.mark.parametrize("late", LATE, ids=lambda late: late.__qualname__)
def test_few_are_made_as_many_are(late):
    required = [
        one.name
        for one in dataclasses.fields(late)
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    ]
    few = lazy_dataclass._few_field_by_field(late)
    compiled = lazy_dataclass._compiled_init(late)
    for names in (required, list(values(late))):
        one, other = object.__new__(late), object.__new__(late)
        few(one, **dict.fromkeys(names, 5))
        compiled(other, **dict.fromkeys(names, 5))
        assert dataclasses.asdict(one) == dataclasses.asdict(other)
    wrong: list[tuple[list[int], dict[str, int]]] = [
        ([1] * (len(values(late)) + 1), {}),
        ([], dict.fromkeys([*required, "something_new"], 5)),
        ([1], dict.fromkeys(values(late), 5)),
    ]
    if required:
        wrong.append(([], dict.fromkeys(required[1:], 5)))
    for words, named in wrong:
        said = []
        for make in (few, compiled):
            with pytest.raises(TypeError) as error:
                make(object.__new__(late), *words, **named)
            said.append(str(error.value))
        assert said[0] == said[1]


def test_the_method_is_compiled_when_there_are_many():
    @dataclass(frozen=True, slots=True)
    class Counted:
        number: int

    made = [Counted(number) for number in range(lazy_dataclass.FEW)]
    first = vars(Counted)["__init__"]
    made.append(Counted(lazy_dataclass.FEW))
    assert vars(Counted)["__init__"] is not first
    assert [one.number for one in made] == list(range(lazy_dataclass.FEW + 1))


def test_another_kind_is_refused():
    with pytest.raises(TypeError):
        dataclass(frozen=False, slots=True)


def test_a_post_init_is_refused():
    with pytest.raises(TypeError, match="would not be called"):

        @dataclass(frozen=True, slots=True)
        class _Checked:
            name: str

            def __post_init__(self) -> None:
                assert self.name


def test_an_import_compiles_only_what_it_calls():
    ask = """
import dataclasses
compiled = []
create, dataclasses._create_fn = dataclasses._create_fn, lambda *w, **n: compiled.append(w[0]) or create(*w, **n)
import console.core.model
print(len(compiled))
"""
    if not hasattr(dataclasses, "_create_fn"):
        pytest.skip("this Python compiles in another way")
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20  # by the standard library alone they were 270
