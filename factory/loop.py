"""The loop: STaR's Algorithm 1, a stage a line. RISE's is the same, with dialogues for rationales."""

from collections.abc import Sequence

from factory.reading.status import Table
from factory.recipe.recipe import Recipe
from factory.record import Record
from factory.run import Run
from factory.stages import Stages
from factory.targets import Target
from factory.terminal import console


def iterate(recipe: Recipe, run: Run, generations: int) -> None:
    """Bootstrap: each generation samples model n, keeps what reaches the answer and trains model n+1 on it.

    There are at most so many ``generations``: a recipe may end the loop on a plateau (``until``). Finished stages are
    skipped, so the same call after an interruption goes on where it stopped.

    Raises:
        ConfigError: corpus, machine or registry do not fit the recipe; nothing has been sampled then.
        FactoryError: a stage failed.
    """
    stages = Stages(recipe, run)
    stages.preflight()
    table = Table(run.folder)
    stages.snapshot()
    stages.flag_questions()
    stages.make_base()
    stages.check_room(generations)
    for n in range(generations):
        stages.sample(n, "evaluation", "rollouts")  # lines 3-4 of the paper: sample, and rationalize what failed
        stages.judge(n)
        stages.curate(n)  # lines 5-6: keep what reaches the answer
        stages.health(n)
        stages.validate(n)
        stages.publish(n)
        stages.finetune(n)  # line 7: from the base, on what was kept
        stages.publish_model(n)
        table.add(n)
        if stages.is_plateau(n):
            generations = n + 1
            break
    if served := recipe.at(
        generations
    ).served_model:  # a server's model does not learn: the trained one is measured by another run
        console.print(f"  model {generations} is not measured: the engine samples '{served}' only")
    else:
        stages.sample(generations, "evaluation")
        table.add(generations)
    table.finish()


def probe(recipe: Recipe, run: Run) -> None:
    """Everything that comes before the first long stage, and the probe by itself; a later ``iterate`` goes on from it.

    Raises:
        ConfigError: corpus, machine or registry do not fit the recipe.
        FactoryError: nothing was solved, or the engine does not start.
    """
    stages = Stages(recipe, run)
    stages.preflight()
    stages.snapshot()
    stages.flag_questions()
    stages.make_base()
    stages.check_room(recipe.total)
    stages.sample(0)


def recurate(recipe: Recipe, run: Run, generation: int, name: str) -> Record:
    """Curate a generation anew from its rollouts, as the view ``name``: another criterion needs no sampling.

    Returns:
        the record: ``folder``, ``curation``, ``examples`` by origin, ``rejects`` by reason, ``checks``, digests.
    """
    return Stages(recipe, run).view(generation, name)


def republish(recipe: Recipe, run: Run, generations: Sequence[int], to: Target | None, unsafe: bool) -> list[Record]:
    """Publish generations that have been curated, oldest first, to the recipe's target or another one.

    Returns:
        of each generation ``generation``, ``dataset``, ``commit``, ``manifest_sha256`` and, if published, ``model``.
    """
    stages = Stages(recipe, run)
    published = []
    for n in generations:
        stages.validate(n, unsafe)
        published.append(stages.publication.again(n, to, unsafe))
    return published
