"""Whether to go on: one plain sentence from the figures of a generation and of those before it."""

from collections.abc import Sequence
from typing import Any

FALLEN = 0.9
"""Diversity falls where a solved question has less than this share of the distinct rationales that it had before."""

RISEN = 0.05
"""The rationalized share rises where it grows by more than this."""

BEHIND = ("accuracy", "accuracy_interval", "newly_solved", "distinct_rationales", "rationalized")
"""The figures that the sentence comes from."""


def advise(history: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Whether to go on after the last of some generations, which were all made in one way.

    To stop says, in this order:

    - no question is newly solved;
    - accuracy has been flat for two generations: neither is above the 95 % interval of the one before them;
    - accuracy is not above the interval of the generation before, and either diversity falls (distinct rationales per
      solved question, to less than 0.9 of what they were) or the rationalized share rises (by more than 0.05).

    A figure that is not known says nothing.

    Args:
        history: the figures of each generation, oldest first (:func:`factory.curation.health.figures`), with
            ``accuracy`` and ``accuracy_interval`` of its model on the eval split.

    Returns:
        ``advice``, the sentence; ``go_on``; and ``because``, the figures behind it: of each of the last three
        generations, oldest first.
    """
    reason = next(filter(None, (reason(history) for reason in (_nothing_new, _flat, _narrower, _more_hinted))), None)
    because = {name: [one.get(name) for one in history[-3:]] for name in BEHIND}
    sentence = f"stop: {reason}" if reason else f"go on: {_progress(history)}"
    return {"advice": sentence, "go_on": reason is None, "because": because}


def _nothing_new(history: Sequence[dict[str, Any]]) -> str | None:
    return "no question is newly solved" if history[-1].get("newly_solved") == 0 else None


def _flat(history: Sequence[dict[str, Any]]) -> str | None:
    if len(history) < 3 or any(one.get("accuracy") is None for one in history[-3:]):
        return None
    first, *later = history[-3:]
    low, high = first["accuracy_interval"]
    if any(one["accuracy"] > high for one in later):
        return None
    said = " and ".join(f"{one['accuracy']:.1%}" for one in later)
    return f"accuracy has been flat for two generations ({said}, after {low:.1%} to {high:.1%})"


def _narrower(history: Sequence[dict[str, Any]]) -> str | None:
    then, now = _last_two(history, "distinct_rationales")
    if then is None or now is None or now >= FALLEN * then or _better(history):
        return None
    return f"a solved question has {now:.2f} distinct rationales, and had {then:.2f}, and accuracy does not rise"


def _more_hinted(history: Sequence[dict[str, Any]]) -> str | None:
    then, now = _last_two(history, "rationalized")
    if then is None or now is None or now <= then + RISEN or _better(history):
        return None
    return f"{now:.1%} of the examples are rationalized, and {then:.1%} were, and accuracy does not rise"


def _better(history: Sequence[dict[str, Any]]) -> bool:
    """Whether accuracy is above the interval of the generation before; true where that is not known."""
    then, now = _last_two(history, "accuracy")
    return then is None or now is None or now > history[-2]["accuracy_interval"][1]


def _last_two(history: Sequence[dict[str, Any]], name: str) -> tuple[Any, Any]:
    return (history[-2].get(name), history[-1].get(name)) if len(history) > 1 else (None, None)


def _progress(history: Sequence[dict[str, Any]]) -> str:
    if len(history) < 2:
        return "there is no generation to compare with yet"
    told = []
    then, now = _last_two(history, "accuracy")
    if then is not None and now is not None:
        told.append(f"accuracy is {now:.1%} after {then:.1%}")
    if (solved := history[-1].get("newly_solved")) is not None:
        told.append(f"{solved:,} question{'s are' if solved != 1 else ' is'} newly solved")
    return ", ".join(told) or "nothing speaks against it"
