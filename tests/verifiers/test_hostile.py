"""What no text may do to a verifier: cost more than its length, raise, or pass a doubted value for an answer."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.attempt import Question
from factory.prompts import Choices
from factory.verifiers import Verifier, judge
from factory.verifiers.choice import Choice
from factory.verifiers.exact import Exact
from factory.verifiers.math import Math
from factory.verifiers.numeric import Numeric
from factory.verifiers.visible import READ

CHOICES: Choices = [
    {"label": "A", "text": "red"},
    {"label": "B", "text": "a a a"},
    {"label": "C", "text": "12"},
    {"label": "D", "text": "none of the above"},
]
ASKED: list[tuple[Verifier, Question]] = [
    (Numeric(), Question("", "eval", "", "12")),
    (Choice(), Question("", "eval", "", "C", CHOICES)),
    (Exact(), Question("", "eval", "", "12")),
    (Math(), Question("", "eval", "", "12")),  # what it reads here; what it computes has a deadline elsewhere
]

# The alphabets of the patterns: what each of them repeats, and what it begins and ends with.
FRAGMENTS = (
    *(
        "B",
        "B. ",
        ". ",
        ".",
        "! ",
        "? ",
        "A, ",
        "A or ",
        "(a) ",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "a ",
        "red ",
        "none of the ",
    ),
    *(
        "1",
        "12 ",
        "1,",
        "1,234,",
        "1.",
        "1/",
        "1 1/",
        "1e",
        "10^",
        "10^{",
        " x 10^",
        "-",
        "- ",
        "--",
        "+",
        "*",
        "**",
        "_",
    ),
    *(
        "=",
        "= ",
        "1=",
        "1+1=",
        "$",
        "\\$",
        "%",
        "`",
        "'",
        '"',
        ":",
        ": ",
        ";",
        ",",
        ", ",
        " ",
        "  ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
    ),
    *(
        "####",
        "#### ",
        "# ",
        "\\boxed",
        "\\boxed{",
        "\\boxed{1}",
        "\\boxed {",
        "\\fbox{",
        "\\text{",
        "\\frac{1}{2}",
        "\\frac12",
    ),
    *(
        "\\",
        "\\,",
        "~",
        "{,}",
        "^",
        "^2",
        "<",
        "< ",
        "<<",
        "<<1=1>>",
        "</",
        "<think>",
        "</think>",
        "<t",
        "<|",
        "<|im_end|>",
        "</s>",
    ),
    *(
        "<answer>",
        "</answer>",
        "<answer>1</answer>",
        "[INST]",
        "[/THINK]",
        "\u25c1think\u25b7",
        "\nQuestion:",
        "\nQ",
        "\n### Question\n",
    ),
    *(
        " Q: ",
        "Human: ",
        "answer",
        "Answer ",
        "nswer",
        "NSWER",
        "answer is ",
        "The answer is ",
        "answer for ",
        "answer to a ",
        "ntwort",
    ),
    *(
        "is ",
        "it is ",
        "I think ",
        "so ",
        ", so ",
        "because ",
        "and ",
        "and 1 ",
        "or ",
        "not ",
        "not 12, ",
        "n't ",
        "no, ",
        "Wait ",
    ),
    *("\u200b", "\ud835", "\u0664", "\u00bd", "\u00e9", "e\u0301", "\U0001f600", "\u3002", "\uff1a"),
)
HEADS = (
    "",
    "The answer is ",
    "The answer is 12 ",
    "The answer is 12 because ",
    "#### ",
    "\\boxed{",
    "<answer>",
    "<think>",
    "answer = ",
)
TAILS = ("", "\n#### 12", "}", "</answer>", "</think>", "The answer is 12.", "\n")

texts = st.tuples(
    st.sampled_from(HEADS),
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=3).map("".join),
    st.sampled_from(TAILS),
)


def repeated(parts: tuple[str, str, str], length: int) -> str:
    head, fragment, tail = parts
    return head + fragment * ((length - len(head) - len(tail)) // len(fragment)) + tail


def seconds(verifier: Verifier, question: Question, text: str, tries: int = 3) -> float:
    """Of processor time, so that others on the machine hardly count; the least of a few tries."""
    taken = []
    for _ in range(tries):
        started = time.process_time()
        verifier.verify(text, question)
        taken.append(time.process_time() - started)
    return min(taken)


@pytest.mark.parametrize(("verifier", "question"), ASKED, ids=lambda one: getattr(one, "name", ""))
@settings(max_examples=60, deadline=None, derandomize=True)
@given(parts=texts)
def test_cost_grows_linearly_and_ends_with_what_is_read(
    verifier: Verifier, question: Question, parts: tuple[str, str, str]
) -> None:
    part = seconds(verifier, question, repeated(parts, READ // 4))
    whole = seconds(verifier, question, repeated(parts, READ - 100))
    assert whole < 10 * part + 0.02, "four times the text: squared, it would cost sixteen times as much"
    assert seconds(verifier, question, repeated(parts, 1_000_000), tries=2) < 0.4, "a hang, not a slow machine"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(FRAGMENTS + HEADS + TAILS), max_size=12).map("".join),
    ),
    finish_reason=st.sampled_from(["stop", "length"]),
)
def test_no_text_breaks_a_verifier(text: str, finish_reason: str) -> None:
    for verifier, question in ASKED:
        judged = judge(verifier, text, question, finish_reason)
        assert judged.verdict in ("correct", "wrong", "unparseable", "truncated")
        assert judged.reason or judged.verdict in ("correct", "wrong")


MARKERS = (
    "The answer is {}",
    "The answer is {}.",
    "Answer: {}",
    "#### {}",
    "\\boxed{{{}}}",
    "<answer>{}</answer>",
    "**Final answer:** {}",
)
DOUBTS = (
    *(
        "not {0}",
        "isn't {0}",
        "never {0}",
        "certainly not {0}",
        "anything but {0}",
        "unknown; {0} would be a guess",
        "{0}?",
    ),
    *(
        "{0} or {1}",
        "{1} or {0}",
        "either {0} or {1}",
        "between {0} and {1}",
        "{0} to {1}",
        "{0}, {1}",
        "{1}, {0}",
        "{0}; {1}",
    ),
    *(
        "{0} and {1}",
        "{0} then {1}",
        "{0}, then {1}",
        "{0}, maybe {1}",
        "{0} but possibly {1}",
        "{0}? No, {1}",
        "{0}, no, {1}",
    ),
    *(
        "maybe {0}",
        "perhaps {0}",
        "possibly {0}",
        "probably {0}",
        "{0}, I guess",
        "{0} if you like",
        "{0} is wrong",
        "{0} or so",
    ),
    *(
        "neither {0} nor {1}",
        "wrong if you say {0}",
        "not {0} but {1}",
        "could be {0}",
        "{0} unless {1}",
        "hardly {0}",
        "{0}/{1}",
    ),
)
FRAGMENTS_OF_A_NUMBER = (
    *(
        "{0}{0}",
        "{0}.5",
        "0.{0}",
        "-{0}",
        "1{0}",
        "{0}^2",
        "2^{0}",
        "{0}k",
        "{0} million",
        "{0}:{1}",
        "{0},5",
        "{0} {1}",
        "{0}-{1}",
    ),
    *(
        "{0} + {1}",
        "{0} x {1}",
        "{0} * {1}",
        "{0} - {1}",
        "{0}! ways",
        "{0}\\pi",
        "{0}\\sqrt{{2}}",
        "\\frac{{{0}}}{{{1}}}",
        "\\sqrt{{{0}}}",
    ),
    *(
        "\u00b1{0}",
        "~{0}",
        "<{0}",
        ">{0}",
        "{0}+",
        "about {0}",
        "at least {0}",
        "more than {0}",
        "{0}\u00bd",
        "{0}th",
        "0x{0}",
        "{0}e12345",
    ),
    *(
        "half of {0}",
        "{0} dozen",
        "{0} out of {1}",
        "{0} of {1}",
        "{0}% of {1}",
        "{0} hours {1} minutes",
        "{0}/{1}/2020",
        "step {0}",
    ),
    *(
        "minus {0}",
        "negative {0}",
        "\u2013{0}",
        "\u2212{0}",
        "\uff0d{0}",
        "{0} 1/2",
        "{0}\\frac{{1}}{{2}}",
        "{0}\u00b2",
        "x{0}",
        "{0}x",
    ),
)


def never(verifier: Verifier, completion: str, question: Question) -> None:
    judged = judge(verifier, completion, question, "stop")
    assert judged.verdict != "correct", (completion, judged)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    value=st.integers(min_value=2, max_value=5000),
    more=st.integers(min_value=1, max_value=99),
    marker=st.sampled_from(MARKERS),
    shape=st.sampled_from(DOUBTS + FRAGMENTS_OF_A_NUMBER),
)
def test_a_number_that_is_doubted_or_a_piece_is_never_right(value: int, more: int, marker: str, shape: str) -> None:
    completion = marker.format(shape.format(value, value + more))
    never(Numeric(), completion, Question("", "eval", "", str(value)))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    pair=st.permutations("ABC"),
    marker=st.sampled_from(MARKERS),
    shape=st.sampled_from(DOUBTS),
    form=st.sampled_from(["{0}", "({0})", "{1}", "{1} ({0})", "({0}) {1}"]),
)
def test_a_choice_that_is_doubted_is_never_right(pair: list[str], marker: str, shape: str, form: str) -> None:
    offered: Choices = [
        {"label": label, "text": text} for label, text in zip("ABC", ("red", "green", "12"), strict=True)
    ]
    texts_of: Callable[[str], str] = {choice["label"]: choice["text"] for choice in offered}.__getitem__
    first, second = (form.format(label, texts_of(label)) for label in pair[:2])
    never(Choice(), marker.format(shape.format(first, second)), Question("", "eval", "", pair[0], offered))
