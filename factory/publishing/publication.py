"""Where a run's generations and models go. :mod:`factory.publishing.facts` says what is published, ``publish`` how."""

from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from factory.errors import ConfigError, FactoryError, nearest
from factory.files import scratch_folder, shards
from factory.publishing.configs import config
from factory.publishing.facts import dataset_facts, model_facts
from factory.publishing.order import known_first
from factory.publishing.parquet import TABLES
from factory.publishing.publish import publish_dataset, publish_model
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from factory.record import Record
from factory.run import Run
from factory.targets import Progress, Target
from factory.targets.manifest import manifest_digest
from factory.targets.named import target
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
        """What would be refused once a generation is there: no way to the target, another recipe's dataset in it, or
        generations missing that this run has published elsewhere."""
        key = "publish.hub" if self.recipe.publish.hub else "publish.registry"
        targets = [self.target, *([self.target.models()] if self.recipe.publish.publish_model else [])]
        problems = [f"{key}: {problem}" for target in targets for problem in target.problems()]
        for to in [] if problems else targets:
            first = to.generation(0)
            if first and first.manifest()["facts"].get("recipe_fingerprint") != self.run.fingerprint:
                name = "publish.hub=owner/name" if self.recipe.publish.hub else "publish.name=..."
                problems.append(f"publish: '{first.where}' was made by another recipe; name this dataset with {name}")
        published = [n for n in self.run.generations() if self.run.record("publish", n)]
        if not problems and (missing := [n for n in published if self.target.generation(n) is None]):
            problems.append(
                f"publish: this run's generation {missing[0]} is not published as {self.target.where(missing[0])}; "
                f"first: python -m factory publish {self.run.folder} --to {self.target.spelled}"
            )
        return list(dict.fromkeys(problems))

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
        self._refuse_unjudged(n, unsafe)
        tables = {name: shards(folder / name) for name in TABLES}
        earlier = [shards(self.run.generation(before) / "examples") for before in range(n)]
        with line(f"gen {n}  publish") as shown, scratch_folder(folder / ".ordered.tmp") as ordered:
            shown.update("writing the files")
            tables["examples"] = known_first(tables["examples"], earlier, ordered)
            wanted = {name: config(name, tables, ordered / name) for name in self.recipe.publish.configs}
            published = publish_dataset(
                to,
                n,
                tables=tables | wanted,
                recipe=_recipe(self.recipe),
                facts=dataset_facts(self.run, self.recipe, n, to),
                near=folder,
                on_progress=_shown(shown),
            )
            shown.result(published.where)
        return {"dataset": published.where, "commit": published.commit, "manifest_sha256": manifest_digest(published)}

    def _refuse_unjudged(self, n: int, unsafe: bool) -> None:
        """Only what has passed validation is published, and only as it was then."""
        records = self.run.records(n)
        if (failures := records["validate"].get("failures")) and not unsafe:
            listed = "\n".join(f"  - {failure}" for failure in failures)
            raise FactoryError(
                f"generation {n} is not published, because it fails validation (--unsafe does so with a warning):\n"
                f"{listed}"
            )
        folder = self.run.generation(n)
        tables = self.run.recorded("rollouts", n, folder / "rollouts")
        tables |= self.run.recorded("curate", n, folder / "examples", folder / "rejects")
        judged = records["validate"]["inputs"]
        if changed := sorted(path for path, file in tables.items() if judged.get(path, file) != file):
            raise FactoryError(
                f"generation {n} is not published, because {changed[0]} was made anew after validation: delete "
                f"{folder / 'records' / 'validate.json'}, and it is judged again"
            )
        for before in range(n):  # their order is this one's
            self.run.recorded("curate", before, self.run.generation(before) / "examples")

    def _model(self, n: int, to: Target) -> Record:
        self.run.identity_of(n + 1)
        checkpoint: Path = self.run.model(n + 1)
        with line(f"gen {n}  publish model") as shown:
            dataset = to.generation(n)
            if dataset is None:
                raise FactoryError(f"the model is not published, because its dataset {to.where(n)} is not")
            facts: dict[str, Any] = model_facts(self.run, self.recipe, n, dataset.where, manifest_digest(dataset))
            published = publish_model(
                to.models(),
                n,
                checkpoint=checkpoint,
                facts=facts,
                near=self.run.generation(n),
                on_progress=_shown(shown),
            )
            shown.result(published.where)
        return {"model": published.where, "commit": published.commit, "manifest_sha256": manifest_digest(published)}


def chosen(folder: Path, generation: int | None, to: str | None) -> tuple[Run, Recipe, list[int], Target | None]:
    """What ``python -m factory publish`` is asked for: the run, its recipe, the generations and another target.

    Raises:
        ConfigError: no run, nothing to publish in it, or no such generation or target; every problem is listed.
    """
    run = Run.existing(folder)
    recipe = load_recipe(str(folder / "recipe.yaml"))
    finished = [n for n in run.generations() if run.record("curate", n)]
    problems = [f"recipe.yaml: {key} was changed since the run began" for key in run.changed(recipe)]
    if not finished:
        problems.append("no generation has been curated yet")
    elif generation is not None and generation not in finished:
        problems.append(f"generation {generation} is not finished{nearest(str(generation), map(str, finished))}")
    other = None
    try:
        other = target(to, private=recipe.publish.private) if to else None
        problems += (other or Publication(recipe, run).target).problems()
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(f"publish '{folder}'", problems)
    return run, recipe, finished if generation is None else [generation], other


def _recipe(recipe: Recipe) -> str:
    """The resolved recipe as YAML text, to make the same again: where this run published is no part of that."""
    settings = recipe.resolved()
    told = ("license", "language", *(["configs"] if settings["publish"]["configs"] else []))
    settings["publish"] = {name: settings["publish"][name] for name in told}
    return yaml.safe_dump(settings, sort_keys=False)


def _shown(line: Line) -> Progress:
    return lambda done, total: line.update("MiB sent", done >> 20, total >> 20)
