"""What a judge's answer says: pass, fail, or nothing that can be told."""

import pytest

from factory.attempt import Question
from factory.verifiers import judge
from factory.verifiers.judgement import Judgement

QUESTION = Question("s/1/0/s0t0", "train", "Judge it.", "pass")


@pytest.mark.parametrize(
    ("completion", "verdict", "reason"),
    [
        ("PASS: every step follows.", "correct", "every step follows."),
        ("PASS", "correct", None),
        ("**PASS** \u2014 the sum is right", "correct", "the sum is right"),
        ("pass - fine", "correct", "fine"),
        ("FAIL: 3 + 4 is not 8.", "wrong", "3 + 4 is not 8."),
        ("> FAIL: the answer is assumed", "wrong", "the answer is assumed"),
        ("I looked at each step.\nFAIL: step 2 is invented.", "wrong", "step 2 is invented."),
        ("PASS: fine.\nPASS: fine, as I said.", "correct", "fine, as I said."),
        ("<think>FAIL: hm, no</think>PASS: it holds", "correct", "it holds"),
        ("<think>PASS: so far", "unparseable", "thinking that never ends"),
        ("PASS: fine.\nFAIL: no.", "unparseable", "both PASS and FAIL"),
        ("PASS or FAIL: it depends", "unparseable", "no line begins with PASS or FAIL"),
        ("Pass or fail: the second step is wrong, so it fails.", "unparseable", "no line begins with PASS or FAIL"),
        ("Pass/fail: Fail", "unparseable", "no line begins with PASS or FAIL"),
        ("PASS? No, step 2 does not hold.", "unparseable", "no line begins with PASS or FAIL"),
        ("Pass the total through 3.\nThe rationale is wrong", "unparseable", "no line begins with PASS or FAIL"),
        ("Fail-safe: it is right", "unparseable", "no line begins with PASS or FAIL"),
        ("PASS: it holds, and would fail otherwise", "unparseable", "both words in one line"),
        ("PASSED", "unparseable", "no line begins with PASS or FAIL"),
        ("I would say that it should PASS.", "unparseable", "no line begins with PASS or FAIL"),
        ("The failure is in step 2.", "unparseable", "no line begins with PASS or FAIL"),
        ("", "unparseable", "no line begins with PASS or FAIL"),
    ],
)
def test_what_a_judge_says(completion: str, verdict: str, reason: str | None) -> None:
    found = judge(Judgement(), completion, QUESTION, "stop")
    assert (found.verdict, found.reason) == (verdict, reason)


def test_one_that_was_cut_off_before_its_word_has_not_judged() -> None:
    assert judge(Judgement(), "Step 1 holds, and step 2", QUESTION, "length").verdict == "truncated"


def test_a_line_that_never_ends_is_no_judgement() -> None:
    assert judge(Judgement(), "FAIL: " + "so " * 100_000, QUESTION, "stop").verdict == "unparseable"
    found = judge(Judgement(), "FAIL: " + "so " * 500, QUESTION, "stop")
    assert (found.verdict, len(found.reason or "")) == ("wrong", 300)


def test_it_reads_what_it_states_itself() -> None:
    assert judge(Judgement(), Judgement().state(QUESTION), QUESTION, "stop").verdict == "correct"
