"""What a recipe says of the questions that its examples are held against."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from factory.recipe.settings import Settings


class EvalSet(Settings):
    """Questions that a model is measured with, somewhere: a table, or a dataset on the Hub.

    Args:
        path: a file, a folder or a pattern, of the formats that ``factory.corpora.table`` reads.
        dataset: instead of a path, a dataset on the Hub.
        name: the configuration of the dataset.
        split: the split of the dataset.
        question: the column with the text of the question; ``a.b`` is the field ``b`` of column ``a``.
    """

    path: str | None = None
    dataset: str | None = None
    name: str | None = None
    split: str = "test"
    question: str = "question"

    @model_validator(mode="after")
    def _is_one(self) -> "EvalSet":
        if (self.path is None) == (self.dataset is None):
            raise ValueError("needs either a path or a dataset")
        return self

    @property
    def shown(self) -> str:
        """How evidence and cards call it: as the Hub does, or by its path; of one that is this machine's the last
        part."""
        if self.path is not None:
            path = Path(self.path).expanduser()
            return path.name if path.is_absolute() else str(path)
        return " ".join(filter(None, [self.dataset, self.name, self.split]))


class Decontamination(Settings):
    """What the examples are held against: test questions that a model of this data may be measured with.

    What has at least half of the word 8-grams of a test question, a train question or a rationale, is dropped with the
    reason ``contaminated``; what is one word for word stops the run.

    Args:
        eval_split: whether the questions of the recipe's own eval split are among them. Without this their very text is
            refused all the same.
        sets: other eval sets.
        max_share: a generation is not published in which a larger share of what could be kept is dropped for this.
    """

    eval_split: bool = False
    sets: tuple[EvalSet, ...] = ()
    max_share: Annotated[float, Field(ge=0, le=1)] = 1.0

    @property
    def wanted(self) -> bool:
        return self.eval_split or bool(self.sets)
