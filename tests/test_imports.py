"""The dependency direction: schemas <- validation <- factory, and inside factory plug-ins <- stages <- loop."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("schemas", "validation", "factory")
PLUG_INS = tuple(
    f"factory.{name}" for name in ("corpora", "engines", "verifiers", "strategies", "bases", "checks", "targets")
)
STAGES = tuple(
    f"factory.{name}"
    for name in (
        "questions",
        "rollout",
        "worker",
        "curate",
        "publish",
        "finetune",
        "evaluate",
        "report",
        "facts",
        "tree",
        "seeds",
        "probe",
        "recurate",
    )
)
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
KNOW_STAGES = ("factory.stages", "factory.engine_pass", "factory.publication")
"""Each calls some of the stages; stages.py calls the other two."""

LOOP = (*KNOW_STAGES, "factory.loop", "factory.cli_datasets", "factory.cli", "factory.__main__")


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


def test_every_name_in_these_rules_is_a_module() -> None:
    there = modules(*OURS)
    assert len(there) > 40
    for name in (*PLUG_INS, *STAGES, *LOOP, "factory.tuning", "factory.engines.vllm"):
        assert name in there


@pytest.mark.parametrize(
    ("of", "forbidden", "but"),
    [
        (("schemas",), ("validation", "factory"), ()),
        (("validation",), ("factory",), ()),
        (PLUG_INS, STAGES, ()),
        (OURS, ("factory.engine_pass",), ("factory.stages",)),
        (OURS, ("factory.publication",), ("factory.stages", "factory.cli_datasets")),
        (OURS, ("factory.stages",), ("factory.loop",)),
        (OURS, ("factory.loop",), ("factory.cli", "factory.cli_datasets")),
        (OURS, ("factory.cli_datasets",), ("factory.cli",)),
        (OURS, ("factory.cli",), ("factory.__main__",)),
        (OURS, ("tests", "benchmarks"), ()),
    ],
    ids=lambda names: "+".join(names) if len(names) < 4 else f"{names[0]}...",
)
def test_what_must_not_be_imported(of: tuple[str, ...], forbidden: tuple[str, ...], but: tuple[str, ...]) -> None:
    checked = modules(*of)
    assert checked
    wrong = importers(*forbidden).intersection(checked) - set(but)
    assert not wrong, f"{sorted(wrong)} import {forbidden}"


def test_only_one_module_knows_more_than_one_stage_of_the_data_flow() -> None:
    flow = [f"factory.{name}" for name in ("questions", "rollout", "curate", "publish", "finetune", "evaluate")]
    for module in modules(*OURS):
        known = {stage for stage in flow if any(within(name, stage) for name, _ in imports(module))}
        assert len(known - {module}) < 2 or module in KNOW_STAGES
        assert module not in flow or not known - {module}
    for stage in flow:
        # preflight tries what a stage would only refuse after the sampling
        users = importers(stage)
        assert users.intersection(KNOW_STAGES)
        assert users <= {*KNOW_STAGES, "factory.preflight"}


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("torchtune", {"factory.torchtune_launch", *TUNING}),
        ("factory.tuning", {"factory.tuning", *TUNING}),  # a process that finetune starts imports it
        ("vllm", {"factory.engines.vllm"}),
        ("great_expectations", {"validation.checkpoint", "validation.gate", "validation.suites"}),
        ("ray", {f"factory.{name}" for name in ("cluster", "curate", "finetune", "preflight", "rollout")}),
        ("ray.data.ActorPoolStrategy", {"factory.rollout"}),
        ("matplotlib", {"factory.figures"}),
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
    script = (
        "import sys, factory.cli, factory.run; from factory.load import load_recipe; load_recipe('star_arithmetic')\n"
    )
    script += f"print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
