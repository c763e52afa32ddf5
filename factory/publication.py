"""Where a run's generations and models go. What is published is said by :mod:`factory.facts`, how by ``publish``."""

from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from factory.card_header import TABLES
from factory.errors import ConfigError, FactoryError, nearest
from factory.facts import dataset_facts, model_facts
from factory.load import load_recipe
from factory.order import known_first
from factory.publish import publish_dataset, publish_model
from factory.recipe import Recipe
from factory.run import Record, Run, shards
from factory.targets import Target, manifest_digest, target
from factory.terminal import Line, line


class Publication:
    """The publishing stages of one run."""

    def __init__(self, recipe: Recipe, run: Run):
        self.recipe, self.run = recipe, run

    @cached_property
    def target(self) -> Target:
        """Where the recipe says that its datasets go."""
        settings = self.recipe.publish
        folder = settings.registry / (settings.name or self.run.folder.resolve().name)
        return target(f"hub:{settings.hub}" if settings.hub else str(folder), private=settings.private)

    def problems(self) -> list[str]:
        """What would be refused once a generation is there: no way to the target, or another recipe's dataset in it."""
        key = "publish.hub" if self.recipe.publish.hub else "publish.registry"
        problems = [f"{key}: {problem}" for problem in self.target.problems()]
        for to in [self.target, *([self.target.models()] if self.recipe.publish.publish_model else [])]:
            first = None if problems else to.generation(0)
            if first and first.manifest()["facts"].get("recipe_fingerprint") != self.recipe.fingerprint():
                name = "publish.hub=owner/name" if self.recipe.publish.hub else "publish.name=..."
                problems.append(f"publish: '{first.where}' was made by another recipe; name this dataset with {name}")
        return problems

    def dataset(self, n: int) -> None:
        """Publish generation n, unless it has been."""
        self.run.stage("publish", lambda: self._dataset(n, self.target, unsafe=False), n)

    def model(self, n: int) -> None:
        """Publish the model that was trained on generation n, unless it has been, or the recipe does not ask for it."""
        if self.recipe.publish.publish_model:
            self.run.stage("publish_model", lambda: self._model(n, self.target), n)

    def again(self, n: int, to: Target | None, unsafe: bool) -> Record:
        """Publish generation n, and its model, wherever it is wanted; what is there already stays as it is.

        Args:
            to: another target than the recipe's.
            unsafe: although the generation fails validation; its card says so.

        Returns:
            ``generation``, ``dataset``, ``commit``, ``manifest_sha256``, and of a model the same as ``model``.
        """
        own = to is None
        to = to or self.target
        record = self._dataset(n, to, unsafe)
        if own and self.run.record("publish", n) is None:
            self.run.finish("publish", record, 0, n)
        if self.recipe.publish.publish_model and self.run.record("finetune", n):
            model = self._model(n, to)
            if own and self.run.record("publish_model", n) is None:
                self.run.finish("publish_model", model, 0, n)
            record = record | {"model": model}
        return {"generation": n, **record}

    def _dataset(self, n: int, to: Target, unsafe: bool) -> Record:
        folder = self.run.generation(n)
        if (failures := self.run.records(n)["validate"]["failures"]) and not unsafe:
            raise FactoryError(
                f"generation {n} is not published, because it fails validation (--unsafe does so with a warning):\n"
                + "\n".join(f"  - {failure}" for failure in failures)
            )
        tables = {name: shards(folder / name) for name in TABLES}
        earlier = [shards(self.run.generation(before) / "examples") for before in range(n)]
        with line(f"gen {n}  publish") as shown, TemporaryDirectory(prefix="order-", dir=folder) as ordered:
            published = publish_dataset(
                to,
                n,
                tables=tables | {"examples": known_first(tables["examples"], earlier, Path(ordered))},
                recipe=(self.run.folder / "recipe.yaml").read_text(),
                facts=dataset_facts(self.run, self.recipe, n, to),
                on_progress=_shown(shown),
            )
            shown.result(published.where)
        return {
            "dataset": published.where,
            "commit": published.commit,
            "manifest_sha256": manifest_digest(published),
        }

    def _model(self, n: int, to: Target) -> Record:
        checkpoint: Path = self.run.model(n + 1)
        with line(f"gen {n}  publish model") as shown:
            dataset = to.generation(n)
            if dataset is None:
                raise FactoryError(f"the model is not published, because its dataset {to.where(n)} is not")
            facts: dict[str, Any] = model_facts(self.run, self.recipe, n, dataset.where, manifest_digest(dataset))
            published = publish_model(to.models(), n, checkpoint=checkpoint, facts=facts, on_progress=_shown(shown))
            shown.result(published.where)
        return {"model": published.where, "commit": published.commit, "manifest_sha256": manifest_digest(published)}


def chosen(folder: Path, generation: int | None, to: str | None) -> tuple[Run, Recipe, list[int], Target | None]:
    """What ``python -m factory publish`` is asked for: the run, its recipe, the generations and another target.

    Raises:
        ConfigError: no run, nothing to publish in it, or no such generation or target; every problem is listed.
    """
    run = Run.existing(folder)
    recipe = load_recipe(str(folder / "recipe.yaml"))
    finished = [n for n in range(len(list(folder.glob("gen-*")))) if run.record("curate", n)]
    problems = []
    if not finished:
        problems.append("no generation has been curated yet")
    elif generation is not None and generation not in finished:
        problems.append(f"generation {generation} is not finished{nearest(str(generation), map(str, finished))}")
    other = None
    try:
        other = target(to, private=recipe.publish.private) if to else None
        problems += other.problems() if other else []
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(f"publish '{folder}'", problems)
    return run, recipe, finished if generation is None else [generation], other


def _shown(line: Line) -> Any:
    return lambda done, total: line.update("MiB sent", done >> 20, total >> 20)
