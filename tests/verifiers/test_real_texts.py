"""What SmolLM2-135M wrote about SVAMP's questions, where numeric and math-verify differ or did once.

From the 10,704 attempts of two generations of ``star_svamp_smollm2``, on 21 of which they differed or numeric/1 said
otherwise than numeric/2. Each was judged by hand: the text either gives one answer, or none can be told.
"""

import pytest

from factory.attempt import Question
from factory.verifiers import judge
from factory.verifiers.numeric import Numeric

NONE = "unparseable"


@pytest.mark.parametrize(
    ("completion", "gold", "verdict"),
    [
        # the last number is the gold answer, and the text does not give it: math-verify takes all of these
        (" 9 - 18 = 9. The answer is 9. The answer is 9 (8 cookies)", "9", NONE),
        (" 9 - There was 1 less child playing on the first day than on the second.", "1", NONE),
        (" Jill has 5 peaches. If Jill has 4 peaches what would she have if Jack had 8 more peaches?", "8", NONE),
        (" 7 + 18 + 3 + 11 = 14, 11 = 11", "11", NONE),
        (" There are 5 hours difference between the 3rd day and the fourth day", "3", NONE),
        (" 1 (3)", "1", NONE),
        (" 7 more than 9 less than Jake's height.", "9", NONE),
        (" 22 + (36 - 1) = 1.", "1", NONE),
        (" Jack sent 4 + 8 = 12 letters, Total letters = 25 = 10", "10", NONE),
        (" the answer is 2. The answer is Danny has none,", "2", NONE),
        (" 1 (no explanation needed)", "1", NONE),
        # the hint said again behind another result
        (" Total, Jake had 1 + 7 = 8 balloons. How many balloons Jake had is the answer. (1)", "1", NONE),
        # read, and math-verify differs: the last of two marked answers, and the marked one before a dialogue goes on
        (" 21 / 5 = 4. The answer is 4. The answer to this question is (7)", "7", "correct"),
        (" Jill has only 17 peaches. The answer is 7. A: 19 - 12 = 7, A: 19 + 12 = 21, A:", "7", "correct"),
        # the side that is no calculation, which is not the gold answer 3 in "12 * 3"
        (" 15 = 12 * 3", "3", "wrong"),
    ],
)
def test_what_a_small_model_wrote(completion: str, gold: str, verdict: str) -> None:
    assert judge(Numeric(), completion, Question("", "train", "", gold), "stop").verdict == verdict


@pytest.mark.parametrize(
    ("completion", "gold"),
    [
        (" So there was 1 more bird than birds that are in the sky. Then there is 1 more", "1"),
        (" Steven has 17 more peaches than Jake, 16 more apples than Jake, so Steven has 1", "1"),
        (" 150780 - 819058 = 97088. This answer is incorrect, because 150780 is 1 more than the other (970", "970"),
        (" He will have to sell cake 32 + 1 = 32 cakes to make. Now 32 is twice the cake", "32"),
    ],
)
def test_what_the_token_limit_cut_off_gives_no_answer(completion: str, gold: str) -> None:
    assert judge(Numeric(), completion, Question("", "train", "", gold), "length").verdict == "truncated"
