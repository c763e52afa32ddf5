"""The other models that a recipe may ask: a teacher that shows how, a judge that looks at what was kept."""

import re
from typing import Annotated

from factory.engines import Sampling
from factory.recipe.settings import AComponent, Settings, template

JUDGE = "judge"
"""The name of the check whose results a judge gives."""

RUBRIC = """\
Below are a question, its correct answer, and a worked solution that reaches this answer. Judge the solution, not \
the answer: does every step follow from the question and from the steps before it, without a wrong calculation, an \
invented fact, or the answer being assumed?

Question: {question}
Correct answer: {answer}
Solution: {rationale}

Reply with one line: PASS or FAIL, a colon, and the reason in one sentence."""


class Teacher(Settings):
    """A stronger model that a strategy may ask.

    Args:
        engine: what samples it.
        model: a folder or a Hub name; a server's own name for it may stand in its engine's ``served_model`` instead.
    """

    engine: AComponent
    model: str | None = None

    @property
    def name(self) -> str:
        return self.engine.settings.get("served_model") or self.model or ""


class Judge(Teacher):
    """Another model that looks at the rationales which all process checks have passed (the check ``judge``).

    Args:
        engine: what samples it.
        model: a folder or a Hub name; a server's own name for it may stand in its engine's ``served_model`` instead.
        rubric: what it is asked: ``{question}``, ``{answer}`` and ``{rationale}`` are filled in. It is to answer with a
            line that begins with PASS or FAIL; what cannot be read so is ``not applicable``.
        sampling: how its answer is drawn; greedily unless given.
    """

    rubric: Annotated[str, template("{question}", "{answer}", "{rationale}")] = RUBRIC
    sampling: Sampling = Sampling(temperature=0, max_tokens=200)

    def asked(self, question: str, answer: str, rationale: str) -> str:
        """The rubric, filled in. Braces in the texts are not looked at."""
        parts = {"{question}": question, "{answer}": answer, "{rationale}": rationale}
        return PARTS.sub(lambda part: parts[part[0]], self.rubric)


PARTS = re.compile(r"\{(?:question|answer|rationale)\}")
