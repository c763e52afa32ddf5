"""What takes an answer back: hedges, denials and corrections around it, and the error that says there is no answer."""

import re


class NoAnswer(Exception):
    """No final answer can be read. The message says why, without a capital and a full stop, for a verdict's reason."""


_N_T = r"n['\u2019]t\b"
_HEDGES = (
    *(
        "or",
        "either",
        "neither",
        "nor",
        "both",
        "any",
        "else",
        "versus",
        "vs",
        "between",
        "alternatively",
        "alternative",
    ),
    *("maybe", "perhaps", "possibly", "probably", "presumably", "might", "may", "could", "can", "should", "would"),
    *("seems", "unknown", "unsure", "uncertain", "sure", "doubt", "doubtful", "thought", "question", "random", "try"),
    *("unlikely", "likely", "supposed", "let", "below zero", "below sea level"),
    *("guess", "guessing", "estimate", "estimated", "approximately", "approx", "roughly", "about", "around", "nearly"),
    *("almost", "circa", "at least", "at most", "up to", "plus or minus", "assume", "assuming", "suppose", "depends"),
    *("depending", "if", "unless", "otherwise", "but", "though", "although", "however", "yet", "instead", "also"),
    *("except", "other than", "anything", "what", "which one", "as well as", "as opposed to"),
)
_DENIALS = (
    *("not", "never", "cannot", "wrong", "incorrect", "impossible", "false", "no", "neither", "nor", "hardly"),
    "nobody",
)
_CORRECTIONS = (
    *("wait", "actually", "sorry", "apologies", "apologize", "correction", "mistake", "mistaken", "oops", "nope"),
    *("alternatively", "however", "second thought", "scratch that", "on reflection"),
    *("should be", "should have", "could be", "might be", "may be", "maybe", "perhaps", "possibly", "unsure"),
    *("not sure", "uncertain", "a guess", "my guess", "disregard", "ignore", "i doubt", "not right", "not correct"),
    *("not the answer", "cannot be right", "or is it", "instead", "recalculate", "reconsider", "redo", "miscalculated"),
    *("might also", "may also", "could also", "can also", "also be"),
)
_CONDITIONS = (
    *("if", "whether", "unless", "until", "suppose", "assume", "assuming", "pretend", "deny", "doubt", "unlikely"),
    *("maybe", "perhaps", "possibly", "might", "could", "guess", "unsure", "uncertain"),
)


def _any_of(*words: str) -> str:
    """Grouped by their first letter, which makes the search twice as fast."""
    first = sorted({word[0] for word in words})
    groups = (f"{letter}(?:{'|'.join(word[1:] for word in words if word[0] == letter)})" for letter in first)
    return rf"\b(?:{'|'.join(groups)})\b"


_DOUBT = re.compile(
    rf"{_any_of(*_HEDGES, *_DENIALS)}|{_N_T}|[?\u00b1\u2248\u2260<>\u2264\u2265]"
    r"|\\(?:pm|mp|approx|neq?|leq?|geq?|lt|gt)\b",
    re.IGNORECASE,
)
_NEXT_PART = re.compile(r"(?:\A|[.;!,\s])\s{0,9}\(?[b-hB-H]\)[:.]?\s{0,9}[-$(\\]{0,3}(?:\d|\\?boxed)")
"""Of a question in parts: "(a) The answer is 12. (b) 13". Which of them was asked for cannot be told."""

_AROUND_PART = " .;!,\t\n"

BELOW_ZERO = (
    r"(?:\^\s?\{?\s?\\circ\s?\}?|\u00b0)?[\s$)\]}]{0,5}"
    r"(?:(?:\\text\s?\{\s?)?(?:degrees?|[CF]|Celsius|Fahrenheit|feet|ft|meters?|metres?|m)\b\}?[\s$]{1,3}){0,2}"
    r"below (?:zero|sea level|freezing)\b"
)
"""What makes a negative number of the one before it."""

_TAKEN_BACK = re.compile(
    rf"{_any_of(*_CORRECTIONS)}|\bhm+\b|\bno\s?(?:[,.!:;\u2014-]|wait)|{_N_T} (?:right|correct|be right)"
    r"|\b(?:that|this|it|i|answer)(?: is|'s| was| am|'m)? (?:wrong|incorrect|impossible)\b"
    r"|[.!?\n]\s{0,3}or\b|^[\s$)\]}]{0,5}(?:or\b|\?|(?:and|to|then|,|;)\s?[$\\]{0,2}\d)"
    r"|\banswer (?:isn|wasn|can|could|might)"
    rf"|^{BELOW_ZERO}",
    re.IGNORECASE,
)
_DENIED = re.compile(
    rf"{_any_of(*_DENIALS, *_CONDITIONS)}|{_N_T}"
    r"|\b(?:possible|potential|tentative|preliminary|intermediate|previous) \Z",
    re.IGNORECASE,
)
# Up to the sentence's last comma or conjunction: what follows says who gives the answer, and whether at all.
_CLAUSES = re.compile(
    r".*(?:[.,;:!?()\n]|\b(?:so|thus|then|hence|therefore|and|but|because|since|that is)\b)", re.DOTALL | re.IGNORECASE
)
SENTENCE_END = re.compile(
    r"(?<!\bRs)(?<!\bNo)[.!?\u3002][\"'\u201d\u2019)\]}*_`$]{0,5}(?=\s+(?:\W{0,5}[A-Z0-9]|\([a-z]\))|\s*$)"
)


REASON = re.compile(
    r"[\s,;:-](?:because|since|given|due to|(?<!well )as(?! (?:well|opposed|much|many)))\b", re.IGNORECASE
)
"""Where a sentence begins to say why its answer is one."""


def sentence(line: str) -> tuple[str, str]:
    """The first sentence of a line, with what ends it, and the rest. A full stop within a number ends none."""
    end = SENTENCE_END.search(line)
    return (line[: end.end()], line[end.end() :]) if end else (line, "")


def doubted(words: str) -> str | None:
    """The first hedge, denial or condition in some words, if there is one."""
    found = _DOUBT.search(words)
    return found[0] if found else None


def denied(before: str) -> str | None:
    """What denies an answer that is about to be given, as in "I do not think that the answer is": only the last clause
    counts, so that "if she does not pay, the answer is" gives one."""
    clauses = _CLAUSES.match(before)
    found = _DENIED.search(before, clauses.end() if clauses else 0)
    return found[0] if found else None


def refuse_next_part(*behind: str) -> None:
    """Hold what follows a value against it: the rest of its line, and what comes after that.

    Raises:
        NoAnswer: another part of the question is answered there; the message names it.
    """
    for text in behind:
        part = _NEXT_PART.search(text)
        if part:
            raise NoAnswer(f"'{part[0].strip(_AROUND_PART)}' behind the answer")


def settled(rest: str, behind: str) -> None:
    """Hold what follows a value against it: the rest of its line, and what comes after that.

    Raises:
        NoAnswer: its sentence doubts or denies it, or what follows takes it back; the message names the word. The
            reason that a sentence gives may hold an "or" and a "not".
    """
    if rest:
        said, more = sentence(rest)
        reason = REASON.search(said)
        word = doubted(said[: reason.start()] if reason else said)
        if word:
            raise NoAnswer(f"'{word}' behind the answer")
        behind = (said[reason.start() :] if reason else "") + more + behind
    if behind and not behind.isspace():
        back = _TAKEN_BACK.search(behind)
        if back:
            raise NoAnswer(f"'{back[0].strip()}' behind the answer")
