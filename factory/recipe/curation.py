"""What of the rollouts becomes examples, and when a generation may be published: two groups of settings."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, PositiveFloat, PositiveInt, Tag, model_validator

from factory.errors import nearest
from factory.recipe.advisers import JUDGE
from factory.recipe.component import Component, find
from factory.recipe.settings import Components, Settings

Share = Annotated[float, Field(ge=0, le=1)]

Origins = tuple[Literal["sampled", "rationalized", "corrected"], ...]


class Curation(Settings):
    """Which attempts become examples.

    Args:
        criterion: ``correct`` takes the correct ones; the others are RISE's (``factory/curation/criteria.py``) and go
            by the strategy's rewards. A recipe that names none gets that of its strategy (``CRITERION`` in its module).
        tau: under RISE's criteria an example weighs ``exp(reward / tau)``.
        centred: whether the question's mean reward is taken off its rewards first.
        per_question: most examples of a question, of each turn.
        prefer: which of them: the first; the shortest; the likeliest by its mean log-probability, which the engine must
            record (``logprobs``; an attempt without one comes last); or the most diverse, one after the other the one
            that shares the fewest word 3-grams with those chosen.
        duplicates: which attempts at a question say the same, so that only one is kept: those with the same ``text``,
            or also, within a turn, those with the same set of ``equations`` (RFT, arXiv 2308.01825).
        max_similarity: within a turn an attempt is a near duplicate, and not kept, if its Jaccard similarity with one
            that is kept, of their word 3-grams, is above this; without one, none is.
        max_question_similarity: attempts at a train question whose similarity with one before it is above this are not
            kept, in all generations; without one, all may be. It is the same in all phases.
        max_rationalized_share: largest share of the examples that are rationalized, those of origin ``reference`` not
            counted.
        max_difficulty_share: largest share of the examples of one difficulty group, counted alike; where fewer groups
            have examples than could keep to that, all have as many.
        union: whether a generation also has the examples of earlier generations of its phase that say something new
            (by ``duplicates`` and ``max_similarity``), the newest first, up to ``per_question``. STaR has only its own.
        checks: the process checks that every correct attempt is put to; those of the corpus (``CHECKS`` in its module)
            unless the recipe lists others.
        checks_decide: the origins of which an attempt that fails a check is dropped; of the others the result is only
            written down. A mapping gives each deciding check (by its ``name``) origins of its own, such as
            ``{equations: [sampled, rationalized]}``; those that it leaves out decide nothing.
        keep_seeds: whether every generation also has the seed questions' own rationales (origin ``reference``), in
            dialogues as well if the warm-up has such.
    """

    criterion: Literal["correct", "all", "better", "best", "success"] = "correct"
    tau: PositiveFloat = 0.4
    centred: bool = False
    per_question: PositiveInt = 1
    prefer: Literal["first", "shortest", "likeliest", "most_diverse"] = "first"
    duplicates: Literal["text", "equations"] = "text"
    max_similarity: Share | None = None
    max_question_similarity: Share | None = None
    max_rationalized_share: Share | None = None
    max_difficulty_share: Share | None = None
    union: bool = False
    checks: Components = ()
    checks_decide: Annotated[
        Annotated[Origins, Tag("list")] | Annotated[dict[str, Origins], Tag("mapping")],
        Discriminator(lambda decide: "mapping" if isinstance(decide, dict) else "list"),
    ] = ("rationalized",)
    keep_seeds: bool = False

    @model_validator(mode="after")
    def _checks_are_there(self) -> "Curation":
        named = [check for check in self.checks if isinstance(check, Component)]
        for check in named:
            if not hasattr(find(check.path), "check"):
                raise ValueError(f"'{check.path}' is no check: it has no method 'check' (factory/checks/__init__.py)")
        if isinstance(self.checks_decide, dict) and len(named) == len(self.checks):
            names = {check.identity["name"] for check in named}
            for name in self.checks_decide:
                if name not in names | {JUDGE}:
                    raise ValueError(
                        f"checks_decide: no check of this recipe has the name '{name}'{nearest(name, names)}"
                    )
        return self

    def decided_by(self, check: str) -> tuple[str, ...]:
        """The origins of which an attempt that fails a check, given by its name, is dropped."""
        decide = self.checks_decide
        return decide.get(check, ()) if isinstance(decide, dict) else decide

    @property
    def check_versions(self) -> dict[str, str]:
        """By name; a check whose behaviour changes gets another version."""
        return {one["name"]: one["version"] for one in (check.identity for check in self.checks)}


class Gate(Settings):
    """Limits beyond which a generation is not published.

    Args:
        min_examples: fewest examples, those of origin ``reference`` or taken over (``curation.union``) not counted.
        max_error_share: largest share of attempts with the verdict ``error``.
    """

    min_examples: PositiveInt = 1
    max_error_share: Share = 0.05
