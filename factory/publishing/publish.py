"""examples -> registry or Hub: one finished generation becomes an immutable, loadable dataset."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from factory.errors import in_a_line
from factory.publishing.tree import DERIVED, dataset_tree, model_tree
from factory.targets import Progress, Published, PublishError, Target
from factory.targets.manifest import manifest_digest


def publish_dataset(
    target: Target,
    generation: int,
    *,
    tables: dict[str, list[Path]],
    recipe: str,
    facts: dict[str, Any],
    near: Path,
    on_progress: Progress,
) -> Published:
    """Publish one generation of a dataset. Publishing the same content again changes nothing.

    Args:
        target: where.
        generation: 0-based generation. The one before it must be published there: its manifest is named in this one.
        tables, recipe, facts: as :func:`factory.publishing.tree.dataset_tree` takes them; the facts get ``parent``.
        near: a folder of the run, on whose disk the files are made if the target has none of its own.
        on_progress: is told the bytes sent to the Hub.

    Raises:
        PublishError: this generation is published with other content, the one before it is not published or of
            another run, the one after it is, a disk is full, or the target is out of reach.
    """
    parent = target.generation(generation - 1) if generation else None
    if generation and parent is None:
        raise PublishError(
            f"{target.where(generation - 1)} is not published, and gen-{generation} names it as its parent: publish "
            f"all generations there (python -m factory publish RUN --to {target.spelled})"
        )
    if parent:
        _refuse_another(parent, facts)
    facts = facts | {"parent": parent and _as_parent(parent, generation - 1)}

    def make(tree: Path) -> None:
        dataset_tree(tree, name=target.name, generation=generation, tables=tables, recipe=recipe, facts=facts)

    return _publish(target, generation, "rationales", make, near, on_progress)


def publish_model(
    target: Target, generation: int, *, checkpoint: Path, facts: dict[str, Any], near: Path, on_progress: Progress
) -> Published:
    """Publish the model that was trained on one generation of a dataset; ``target`` is the dataset's ``models()``.

    Raises:
        PublishError: as :func:`publish_dataset`, but for what is said of other generations.
    """

    def make(tree: Path) -> None:
        model_tree(tree, name=target.name, generation=generation, checkpoint=checkpoint, facts=facts)

    return _publish(target, generation, "model", make, near, on_progress)


def _publish(
    target: Target, generation: int, title: str, make: Callable[[Path], None], near: Path, on_progress: Progress
) -> Published:
    try:
        return _made_and_published(target, generation, title, make, near, on_progress)
    except OSError as error:
        raise PublishError(f"{target.where(generation)}: {in_a_line(error)}") from error


def _made_and_published(
    target: Target, generation: int, title: str, make: Callable[[Path], None], near: Path, on_progress: Progress
) -> Published:
    with target.workspace(generation, near) as tree:
        make(tree)
        ours = json.loads((tree / "manifest.json").read_text(encoding="utf-8"))
        published = target.generation(generation)
        if published is None:
            if target.generation(generation + 1):
                raise PublishError(
                    f"{target.where(generation + 1)} is published already; gen-{generation} would come after it"
                )
            published = target.publish(tree, generation, title, on_progress)
        if difference := _first_difference(published, ours):
            raise PublishError(
                f"{published.where} is published already with other content ({difference}) and a published generation "
                "never changes: publish under another name (publish.name=..., publish.hub=...; the run goes on with "
                "it), or delete it if nobody uses it"
            )
    return published


def _refuse_another(parent: Published, facts: dict[str, Any]) -> None:
    """The generation before must be one of the same run: a wrong parent could not be mended."""
    theirs, trained_on = parent.manifest()["facts"], facts["model"]["trained_on"]
    same_recipe = theirs.get("recipe_fingerprint") == facts["recipe_fingerprint"]
    if not same_recipe or (trained_on and trained_on["examples_sha256"] != theirs.get("examples_sha256")):
        raise PublishError(f"{parent.where} is published already, and of another run: publish under another name")


def _as_parent(published: Published, generation: int) -> dict[str, Any]:
    return {
        "generation": generation,
        "commit": published.commit,
        "manifest_sha256": manifest_digest(published),
    }


def _first_difference(published: Published, ours: dict[str, Any]) -> str | None:
    """The first thing that differs, files before facts; None if the content is the same. A fact that is not there was
    not told yet by the release that published.

    What is published is read, not believed: a file that was changed in its place is a difference.
    """
    manifest, digests = published.manifest(), published.digests()
    for path in sorted(digests.keys() | manifest["files"].keys()):
        if manifest["files"].get(path, {}).get("sha256") != digests.get(path):
            return f"{path} is not what its manifest says"

    def content(of: dict[str, Any]) -> dict[str, Any]:
        return {path: entry for path, entry in of["files"].items() if not path.startswith(DERIVED)} | {
            f"the fact {name}": fact for name, fact in of["facts"].items()
        }

    theirs, made = content(manifest), content(ours)
    told_since = {what for what in made.keys() - theirs.keys() if what.startswith("the fact ")}
    differ = [what for what in dict.fromkeys([*made, *theirs]) if made.get(what) != theirs.get(what)]
    differ = [what for what in differ if what not in told_since]
    return f"{differ[0]} differs" if differ else None
