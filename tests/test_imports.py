"""The dependency direction: from floor to floor down, room by room, and no circle of files anywhere."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("schemas", "validation", "factory")
FLOORS = (
    {"factory.__main__"},
    {"factory.cli"},
    {"factory.api"},
    {"factory.loop"},
    {"factory.stages"},
    {"factory.sampling", "factory.curation", "factory.publishing", "factory.reading"}
    | {"factory.preflight", "factory.tuning"},
    {"factory.intake", "factory.training", "factory.targets", "factory.strategies", "factory.bases"}
    | {"factory.run", "factory.cluster"},
    {"factory.recipe", "factory.verifiers", "factory.checks"},
    {"factory.corpora", "factory.engines", "factory.attempt", "factory.record", "validation"},
    {"schemas", "factory.files", "factory.terminal", "factory.prompts", "factory.estimates"},
    {"factory.errors"},
)
"""The rooms, and the nouns that all rooms share, top to bottom: each imports only from floors below its own."""

PLUG_INS = tuple(
    f"factory.{name}" for name in ("corpora", "engines", "verifiers", "strategies", "bases", "checks", "targets")
)
FLOW = tuple(f"factory.{name}" for name in ("intake", "sampling", "curation", "training", "publishing"))
"""The rooms of the data's way through. None knows another; ``stages.py`` calls them."""

TUNING = tuple(
    f"factory.tuning.{name}"
    for name in (
        "dataset",
        "model",
        "weighted",
        "weighted_full_single_device",
        "weighted_full_distributed",
        "weighted_lora_single_device",
        "weighted_lora_distributed",
    )
)


@cache
def imports(module: str) -> frozenset[tuple[str, bool]]:
    """What a module of ours imports, as dotted names, and whether that happens when it is itself imported.

    ``from a import b`` counts as ``a`` and as ``a.b``: one of them is the module.
    """
    path = ROOT / Path(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return frozenset(found_in(ast.parse(source.read_text()), module if path.is_dir() else module.rpartition(".")[0]))


def found_in(tree: ast.AST, package: str, at_once: bool = True) -> Iterator[tuple[str, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((name, at_once) for name in (source, *(f"{source}.{alias.name}" for alias in node.names)))
        else:
            yield from found_in(node, package, at_once and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def within(name: str, *packages: str) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


@cache
def modules(*packages: str) -> list[str]:
    """The dotted names of all our modules in some packages (or that are one of them)."""
    paths = [path.relative_to(ROOT).with_suffix("") for name in OURS for path in (ROOT / name).rglob("*.py")]
    names = sorted(".".join(path.parts).removesuffix(".__init__") for path in paths)
    return [name for name in names if within(name, *packages)]


def importers(*targets: str, at_once: bool | None = None) -> set[str]:
    """Our modules that import one of the targets; with ``at_once`` only those that do so when they are imported."""
    return {
        module
        for module in modules(*OURS)
        if any(within(name, *targets) and at_once in (None, early) for name, early in imports(module))
    }


def test_the_reader_of_imports_sees_all_forms() -> None:
    source = (
        "import a.b\nfrom c import d as e\nfrom . import f\nfrom ..g import h\n"
        "if True:\n    import i\ndef late():\n    from j import k\nclass L:\n    import m\n"
    )
    found = set(found_in(ast.parse(source), "ours.package"))
    early = {"a.b", "c", "c.d", "ours.package", "ours.package.f", "ours.g", "ours.g.h", "i", "m"}
    assert found == {(name, True) for name in early} | {("j", False), ("j.k", False)}


def test_every_module_has_a_floor_and_every_name_in_these_rules_is_a_module() -> None:
    there = modules(*OURS)
    assert len(there) > 80
    for name in (*PLUG_INS, *FLOW, *TUNING, *set().union(*FLOORS)):
        assert name in there
    assert [name for name in there if name != "factory" and room(name) is None] == []


def room(module: str) -> str | None:
    """The room that a module lies in, or itself if it stands in the hall."""
    return next((name for floor in FLOORS for name in floor if within(module, name)), None)


def floor(name: str) -> int:
    """The higher, the larger."""
    return next(len(FLOORS) - number for number, floor in enumerate(FLOORS) if name in floor)


def test_imports_run_down() -> None:
    wrong = []
    for module in modules(*OURS):
        for name, _ in imports(module):
            here, there = room(module), room(name)
            if here and there and here != there and floor(there) >= floor(here):
                wrong.append(f"{module} (floor {floor(here)}) imports {name} (floor {floor(there)})")
    assert wrong == []


def test_no_circle_of_files() -> None:
    """Late imports count: a circle that only opens when a function runs is one all the same."""
    there = set(modules(*OURS))
    circles, done = [], set[str]()

    def walk(module: str, path: tuple[str, ...]) -> None:
        if module in path:
            circles.append(" -> ".join([*path[path.index(module) :], module]))
        elif module not in done:
            for name in sorted(files(module) & there):
                walk(name, (*path, module))
            done.add(module)

    for module in sorted(there):
        walk(module, ())
    assert circles == []


def files(module: str) -> set[str]:
    """The modules that a module takes something from; from a package only if that stands in the package's own file."""
    names = {name for name, _ in imports(module)} - {module}
    return names - {name for name in names if any(other.startswith(f"{name}.") for other in names & set(modules(name)))}


def test_these_rules_notice_a_breach(monkeypatch: pytest.MonkeyPatch) -> None:
    breaches = {
        "factory.checks.columns": frozenset({("factory.sampling.worker", True)}),
        "factory.files": frozenset({("factory.errors", False)}),
        "factory.errors": frozenset({("factory.files", True)}),
    }
    monkeypatch.setitem(globals(), "imports", lambda module: breaches.get(module, frozenset()))
    with pytest.raises(AssertionError, match=r"factory\.checks\.columns"):
        test_imports_run_down()
    with pytest.raises(AssertionError, match=r"factory\.errors -> factory\.files"):
        test_no_circle_of_files()


def test_every_room_says_what_comes_in_what_goes_out_and_what_it_may_import() -> None:
    rooms = {*FLOW, "factory.cli", "factory.reading", "factory.recipe"}
    rooms |= {"factory.publishing.card", "factory.reading.diff", "factory.reading.page"}
    for name in {*PLUG_INS, *rooms}:
        said = ast.get_docstring(ast.parse((ROOT / Path(*name.split(".")) / "__init__.py").read_text()))
        assert said, name
        if name in rooms:
            first, *_, last = said.splitlines()
            assert first.startswith("Comes in: ")
            assert "Goes out: " in first
            assert "ay import" in last


@pytest.mark.parametrize(
    ("of", "forbidden", "but"),
    [
        (PLUG_INS, FLOW, ()),
        (OURS, ("factory.stages",), ("factory.loop", "factory.stages")),
        (OURS, ("factory.loop",), ("factory.cli", "factory.api", "factory.loop")),
        (OURS, ("factory.reading",), ("factory.cli", "factory.api", "factory.loop", "factory.reading")),
        (OURS, ("factory.cli",), ("factory.__main__", "factory.cli")),
        (OURS, ("tests", "benchmarks"), ()),
    ],
    ids=lambda names: "+".join(names) if len(names) < 4 else f"{names[0]}...",
)
def test_what_must_not_be_imported(of: tuple[str, ...], forbidden: tuple[str, ...], but: tuple[str, ...]) -> None:
    checked = modules(*of)
    assert checked
    wrong = {module for module in importers(*forbidden).intersection(checked) if not within(module, *but)}
    assert not wrong, f"{sorted(wrong)} import {forbidden}"


def test_no_stage_of_the_data_flow_knows_another() -> None:
    for one in FLOW:
        for other in FLOW:
            assert one == other or not importers(other) & set(modules(one)), f"{one} imports {other}"
        users = {room(module) for module in importers(one)} - {one}
        assert "factory.stages" in users
        # preflight tries what a stage would only refuse after the sampling; curate and publish are commands as well
        assert users <= {"factory.stages", "factory.preflight", "factory.cli", "factory.tuning"}


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("torchtune", {"factory.training.launch", *TUNING}),
        ("factory.tuning", {"factory.tuning", *TUNING}),  # a process that finetune starts imports it
        ("vllm", {"factory.engines.vllm"}),
        (
            "great_expectations",
            {f"validation.{name}" for name in ("checkpoint", "gate", "expect", "suites", "suites_curated")},
        ),
        (
            "ray",
            {
                *("factory.cluster", "factory.preflight", "factory.curation.curate", "factory.curation.candidates"),
                *("factory.sampling.rollout", "factory.training.finetune"),
            },
        ),
        ("ray.data.ActorPoolStrategy", {"factory.sampling.rollout"}),
        ("matplotlib", {"factory.publishing.card.figures"}),
        ("httpx2", {"factory.targets.patience"}),
    ],
)
def test_who_may_import_a_library(library: str, allowed: set[str]) -> None:
    assert importers(library)
    assert importers(library) <= allowed


@pytest.mark.parametrize("library", ["vllm", "torch", "transformers"])
def test_heavy_libraries_are_imported_late(library: str) -> None:
    assert importers(library)
    early = importers(library, at_once=True)
    assert all(within(module, "factory.tuning") for module in early), early


def test_a_mistake_is_told_without_waiting_for_heavy_imports() -> None:
    """The command line loads and checks a recipe, and opens its run, before anything that takes seconds to import."""
    heavy = "{'torch', 'vllm', 'ray', 'great_expectations', 'transformers', 'torchtune', 'datasets'}"
    script = "import sys, factory.cli.runs, factory.run; from factory.recipe.load import load_recipe\n"
    script += "load_recipe('star_arithmetic')\n"
    script += f"print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
