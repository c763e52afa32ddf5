"""The gate between curation and publication: no generation is published unless :func:`validate` says so.

:mod:`validation.facts` reduces the tables to narrow row facts, :mod:`validation.suites` says what must hold of
them, :mod:`validation.gate` has Great Expectations judge and keeps the result.
"""

from validation.gate import Failure, Judgement, validate
from validation.limits import Limits

__all__ = ["Failure", "Judgement", "Limits", "validate"]
