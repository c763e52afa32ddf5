"""What choice reads and what it does not, by kind: a text a line, as in the tables of numeric."""

import pytest

from factory.attempt import Question
from factory.prompts import Choices
from factory.verifiers import judge
from factory.verifiers.choice import Choice
from tests.verifiers.test_choice import choices
from tests.verifiers.test_numeric import lines

COLOURS = choices("red", "green", "blue", "none of the above")
NUMBERS = choices("12", "13", "14", "15")
FRACTIONS = choices("1/2", "1/4", "2", "4")
SIGNED = choices("8", "-8", "0.8", "1,800")
TEN = choices(
    "item one",
    "item two",
    "item three",
    "item four",
    "item five",
    "item six",
    "item seven",
    "item eight",
    "item nine",
    "item ten",
)
BY_DIGIT = choices("wood", "iron", "glass", "wool", labels="1234")
TRUE_FALSE = choices("true", "false")
YES_NO = choices("yes", "no")
PLACES = choices("bank", "bank vault", "river bank", "St. Louis", "Washington D.C.")
LENGTHS = choices("12 cm", "13 cm", "12 m", "112 cm")
ODD = choices("both A and B", "all of the above", "not enough information", "either red or blue")

RIGHT = [
    (
        COLOURS,
        "B",
        r"""
The answer is B.
The answer is (B).
The answer is b.
The answer is (b)
The answer is [B]
The answer is {B}
The answer is <B>
The answer is: B
The answer is **B**.
The answer is **(B)**.
The answer is **B. green**.
The answer is **B) green**
The answer is *B*
The answer is `B`
The answer is "B".
The answer is $B$.
Answer: B
Answer:B
Answer: (B) green
Answer: B - green
Answer: B, green
Answer: green (B)
Answer: green, B
Answer: Green
Answer: "green"
**Answer:** B
**Answer: B**
**Answer**: B
## Answer⏎⏎B
### Final Answer: B
Final answer: B
The final answer is \boxed{B}.
The answer is \boxed{\text{B}}.
\boxed{\text{(B) green}}
\boxed{\textbf{B}}
\boxed{B. green}
\boxed{\mathrm{B}}
\boxed{green}
\boxed B
\boxed{(B)}
<answer>B</answer>
<answer>(b) green</answer>
<answer>⏎B⏎</answer>
#### B
#### (b)
#### green
The answer is option B.
The answer is option (B).
The answer is choice B.
The answer is the letter B.
The correct answer is B: green.
The correct option is given below. Answer: B
The correct answer choice is B.
The answer is B because a car moves.
The answer is B, because a car moves.
The answer is B since red is too dark.
The answer is B as I said.
The answer is green because red is not a colour of grass.
The answer is green, since it is neither dark nor red.
The answer is green, as grass is.
The answer is B, not A.
The answer is B, not C.
The answer is (B), not (A).
The answer is B rather than C.
The answer is green, not red.
The answer is green rather than red.
The answer is B. It is not A.
The answer is B.⏎⏎Red is for stop.
The answer is (b). (a) is for stop.
The answer is B. A car moves.
The answer is B</s>
The answer is B<|im_end|>
The answer is B.<|eot_id|>
<think>maybe A, the answer is A</think>⏎The answer is B.
<think>The answer is (a).</think>⏎⏎(b)
the answer is A⏎</think>⏎⏎The answer is B
The answer is A. No, the answer is B.
\boxed{A} at first, then \boxed{B}
B
(B)
b.
B.
**B**
B. green
(B) green
green
Green.
green (b)
I think it is B. Answer: B
Answer: I think it is B
Answer: It is B.
Answer: it is green
The answer must be B.
The answer would be (B).
The answer to this question is B.
Therefore, the answer is green (b).
The answer is B⏎⏎Question: Another?⏎Answer: A
The answer is B.⏎⏎Q: x⏎A: The answer is (a).
The answer is <U+FF22>
The answer is B<U+3002>
The answer is B<U+200B>
The answer is B<U+FE0F>.
ANSWER: B
answer is: B) green
The answer is B!
So the answer is B, green.
The answer is (B) green because it is.
Antwort: B
The answer is⏎⏎(B)
The answer is:⏎⏎**B**
The answer is:⏎(B) green
""",
    ),
    (
        COLOURS,
        "D",
        r"""
The answer is none of the above.
The answer is D.
The answer is (D) none of the above.
The answer is none of the above (d).
None of the above
Answer: None of the above
\boxed{\text{none of the above}}
The answer is none of the above because all are wrong.
""",
    ),
    (
        NUMBERS,
        "A",
        r"""
The answer is 12.
The answer is 12
The answer is A.
The answer is (a) 12
The answer is A. 12
The answer is 12 (a).
\boxed{12}
The answer is $12.
The answer is 12 because 3*4=12
The answer is 12 eggs.
The answer is 12.0
The answer is 3 * 4 = 12
#### 12
The answer is 12, since 13 - 1 = 12.
The answer is A because 3 * 4 = 12
""",
    ),
    (
        FRACTIONS,
        "A",
        r"""
The answer is 1/2
The answer is \frac{1}{2}.
\boxed{\frac12}
The answer is 1/2 (a)
The answer is 0.5
The answer is A
""",
    ),
    (
        SIGNED,
        "B",
        r"""
The answer is -8
The answer is <U+2212>8.
The answer is -8 (b)
The answer is B. -8
The answer is minus 8
""",
    ),
    (
        SIGNED,
        "D",
        r"""
The answer is 1800
The answer is 1,800.
""",
    ),
    (
        TEN,
        "I",
        r"""
The answer is I.
The answer is (I)
The answer is item nine
The answer is I because it fits.
The answer is (i).
""",
    ),
    (
        BY_DIGIT,
        "2",
        r"""
The answer is 2
The answer is (2)
The answer is 2.
The answer is 2. iron
The answer is iron (2).
The answer is iron
The answer is option 2
""",
    ),
    (
        TRUE_FALSE,
        "A",
        r"""
The answer is true.
The answer is True
The answer is A
The answer is true because it is not false.
""",
    ),
    (
        YES_NO,
        "A",
        r"""
So the answer is yes.
The answer is yes, because it rains.
Yes
Answer: Yes.
""",
    ),
    (
        PLACES,
        "B",
        r"""
The answer is bank vault.
The answer is a bank vault (b)
The answer is the bank vault because it is safe
The answer is in a bank vault.
""",
    ),
    (
        PLACES,
        "D",
        r"""
The answer is St. Louis.
The answer is St. Louis (d).
The answer is St. Louis because of the arch.
The answer is in St. Louis. It is there.
""",
    ),
    (
        PLACES,
        "E",
        r"""
The answer is Washington D.C.
The answer is Washington D.C. because it is the capital.
The answer is Washington D.C. It is the capital.
""",
    ),
    (
        LENGTHS,
        "A",
        r"""
The answer is 12 cm.
The answer is 12 cm (a)
The answer is A. 12 cm
\boxed{12\text{ cm}}
""",
    ),
    (
        ODD,
        "A",
        r"""
The answer is both A and B.
The answer is A.
""",
    ),
    (
        ODD,
        "C",
        r"""
The answer is not enough information.
The answer is C. Not enough information.
The answer is not enough information (c).
""",
    ),
    (
        ODD,
        "D",
        r"""
The answer is either red or blue.
The answer is either red or blue (d)
""",
    ),
]

NO_ANSWER = [
    (
        COLOURS,
        r"""
The answer is A or B.
The answer is A/B
The answer is A, B
The answer is A and B
The answer is A & B
The answer is A + B
The answer is A; B
The answer is A to D
The answer is A-D
The answer is A <U+2013> D
The answer is A then B
The answer is A, then B
The answer is A but possibly B
The answer is A, possibly B
The answer is A, maybe B.
The answer is A? B?
The answer is A?
The answer is B? No, C
The answer is B. No, C.
The answer is B. Wait, C.
The answer is B, no, C
The answer is B... or C
The answer is B (or C)
The answer is (B) or (C)
The answer is (B)/(C)
The answer is (B) (C)
The answer is (B), (C)
The answer is either B or C
The answer is either green or blue
The answer is green or blue
The answer is green and blue
The answer is green, blue
The answer is green/blue
The answer is green then blue
The answer is between green and blue
The answer is green but possibly blue
The answer is green, maybe
The answer is maybe green
The answer is probably B
The answer is possibly (B)
The answer is not B
The answer is not (b)
The answer is certainly not (b)
The answer is definitely not green
The answer is anything but green
The answer is anything but B
The answer is everything except B
The answer is everything except green
The answer isn't green.
The answer isn't B
The answer isn<U+2019>t (b)
The answer is never green
The answer is neither B nor C
The answer is far from green
The answer is other than B
The answer is the opposite of green
The answer cannot be B
The answer can't be (b)
The answer could be B
The answer might be (b)
The answer may be B
I don't think the answer is B
I doubt that the answer is (b).
It is false that the answer is B
If the answer is B, you lose
The answer is unknown; B would be a guess
The answer is unknown (b)
The answer is wrong if you choose (b).
The answer is B if it rains
The answer is B unless it rains
The answer is B, I guess
The answer is B, but I am not sure
The answer is B. I am not sure.
The answer is B, probably
The answer is green tea
The answer is dark green
The answer is greenish
The answer is evergreen
The answer is green-blue
The answer is non-green
The answer is B12
The answer is B+
The answer is B-
The answer is B/C
The answer is B^2
The answer is B*C
The answer is B = C
The answer is B's
The answer is Bob
The answer is B complex
The answer is A good one
The answer is: A perfect one cannot be found.
Answer: A good choice would be C
Answer: A red one is wrong
Answer: A B C D
The answer is ABCD
\boxed{ABCD}
\boxed{A,B,C,D}
\boxed{A, B}
\boxed{A \text{ or } B}
\boxed{A}\boxed{B}
\boxed{A} or \boxed{B}
\boxed{A}, \boxed{B}
\boxed{A} \boxed{B} \boxed{C} \boxed{D}
\boxed{B^c}
\boxed{B \cup C}
\boxed{\overline{B}}
\boxed{⏎eg B}
\boxed{\angle B}
\boxed{B
not \boxed{B}
<think>The answer is B
<think>The answer is B.</think>
The answer is B</think>
<answer>B or C</answer>
<answer>A</answer><answer>B</answer>
The answer is red (b)
The answer is B: red
The answer is B. red
The answer is (b) red
The answer is A green
The answer is F
The answer is (f)
The answer is
The answer is the one in the middle
I would say B
A or B
A, B
Not B
maybe B
B?
B or C
B, C
It could be B.
green or blue
not green
The answer is in option B or C
The answer is B and also C
The answer is B as well as C
The answer is B, C is wrong
The answer is not B but C
The answer is all but B
The answer is A, not
The answer is B, not B
The answer is B versus C
""",
    ),
    (
        NUMBERS,
        r"""
The answer is 12,000
The answer is 12.5
The answer is 0.12
The answer is -12
The answer is 112
The answer is 121
The answer is 12/5
The answer is 5/12
The answer is 12:30
The answer is 12 1/2
The answer is 5 12
The answer is 12 5
The answer is 12^2
The answer is 2^12
The answer is 12k
The answer is 12 million
The answer is 12 + 1
The answer is 12 x 2
The answer is 12!
The answer is 12 or 13
The answer is 12-13
The answer is 12, 13
The answer is 12 and 13
The answer is about 12
The answer is ~12
The answer is <12
The answer is > 12
The answer is at least 12
The answer is <U+00B1>12
The answer is 12e3
The answer is 12th
The answer is 12<U+03C0>
The answer is 12<U+00BD>
The answer is not 12
The answer is $12.50
The answer is 12 (b)
The answer is B. 12
The answer is 12.000.000
The answer is 12'000
The answer is 1.2
The answer is <U+221A>12
The answer is \sqrt{12}
The answer is 12\sqrt{2}
""",
    ),
    (
        FRACTIONS,
        r"""
The answer is 3 1/2
The answer is 3/4
The answer is 1/24
The answer is 11/2
The answer is 1/2/3
The answer is -1/2
The answer is 1/2 + 1
The answer is 2/3
The answer is 2^4
The answer is 0.4
The answer is 4/3
The answer is 1 1/4
The answer is \frac{3}{4}
The answer is 3\frac{1}{2}
""",
    ),
    (
        SIGNED,
        r"""
The answer is 0.08
The answer is --8
The answer is 5-8
The answer is 5 - 8
The answer is <U+00B1>8
The answer is 8 or -8
The answer is 18
""",
    ),
    (
        TEN,
        r"""
Answer: I am not sure.
Answer: I think so
The answer is I don't know
Answer: I believe it.
The answer is item
The answer is item nine or item ten
""",
    ),
    (
        BY_DIGIT,
        r"""
The answer is 2.5
The answer is 12
The answer is 2,3
The answer is 2 or 3
The answer is 2/3
The answer is -2
The answer is B
The answer is 2 items
The answer is 2nd
The answer is 20
""",
    ),
    (
        TRUE_FALSE,
        r"""
The answer is not true.
The answer is untrue
The answer is true or false
The answer is true and false
The answer is half true
The answer is not true but false
""",
    ),
    (
        PLACES,
        r"""
The answer is bank account
The answer is the bank of America
The answer is banks
The answer is bank or river bank
""",
    ),
    (
        LENGTHS,
        r"""
The answer is 12 cm<U+00B2>
The answer is 12 cm^2
The answer is 12 km
The answer is 12 mm
The answer is 2 cm
The answer is 1.12 cm
The answer is -12 cm
""",
    ),
    (
        ODD,
        r"""
The answer is both B and C
The answer is enough information
The answer is red or blue
""",
    ),
]


READ = [(of, gold, line) for of, gold, table in RIGHT for line in lines(table)]
UNREAD = [(of, line) for of, table in NO_ANSWER for line in lines(table)]


@pytest.mark.parametrize(("of", "gold", "completion"), READ, ids=[line for _, _, line in READ])
def test_a_choice_that_is_named(of: Choices, gold: str, completion: str) -> None:
    for label in (choice["label"] for choice in of):
        judged = judge(Choice(), completion, Question("", "eval", "", label, of), "stop")
        assert (judged.verdict, judged.predicted_answer) == ("correct" if label == gold else "wrong", gold)


@pytest.mark.parametrize(("of", "completion"), UNREAD, ids=[line for _, line in UNREAD])
def test_what_is_more_than_a_choice_or_less_is_none(of: Choices, completion: str) -> None:
    judged = judge(Choice(), completion, Question("", "eval", "", of[0]["label"], of), "stop")
    assert (judged.verdict, judged.predicted_answer) == ("unparseable", None)
    assert judged.reason
    assert judged.reason.isprintable()
