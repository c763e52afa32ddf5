"""The Arrow schemas of every table the factory writes, and nothing else.

Each table has one file: :mod:`schemas.questions`, :mod:`schemas.rollouts`, :mod:`schemas.examples`,
:mod:`schemas.rejects`, and of what is published on request :mod:`schemas.pairs` and :mod:`schemas.prompt_completion`.
Every column carries its meaning (and unit, where it has one) as field metadata, and every schema its
``schema_version``. A new nullable column raises the minor version; a rename or a change of meaning raises the major
one.
"""

from schemas.examples import EXAMPLES
from schemas.pairs import PAIRS
from schemas.prompt_completion import PROMPT_COMPLETION
from schemas.questions import QUESTIONS
from schemas.rejects import REJECTS
from schemas.rollouts import ATTEMPT, ROLLOUTS

__all__ = ["ATTEMPT", "EXAMPLES", "PAIRS", "PROMPT_COMPLETION", "QUESTIONS", "REJECTS", "ROLLOUTS"]
