"""When two answers in mathematics are not the same one: by kind, the gold answer and what is not it."""

import pytest

from factory.verifiers.math import load
from tests.test_verifiers_math_same import judged

OTHER = {
    "tiny numbers": r"""
        6.63 \times 10^{-34} ~ 0 ~ 0.0
        0 ~ 10^{-30}
        1.2 \times 10^{-8} ~ 4.1 \times 10^{-7}
        0.0000002 ~ 10^{-7}
        .0000672 ~ 0.0000671
        10^{-21} ~ 10^{-20}
        \sqrt{2} \cdot 10^{-30} ~ 0
        10^{40} ~ 10^{40}+1
        x + 10^{-12} ~ x
    """,
    "other numbers": r"""
        7 ~ 8 ~ -7
        12 ~ 1 2
        4 ~ 4\sqrt(2)
        1 ~ 2 1/4
        \frac{21}{4} ~ 2\frac{1}{4}
        \frac{10}{3} ~ 2\frac53
        12 ~ \frac12
        100200 ~ 100, 200
        5 ~ 0,5
        0.5 ~ 0,5
        1/3 ~ 0.333333
        \frac{1}{12} ~ 0.0833333333333333
        \pi ~ 3.14159 ~ 22/7
        3 ~ 3/0
        12 ~ 52_8
        52_8 ~ 52_9
        52 ~ 52_8
        10 ~ 1_0
        1.5 ~ 1.5 \text{ million}
        5 ~ 5 \text{ dozen} ~ 5!
        2 ~ 2^{10}
        |x| ~ x
        \sqrt{x^2} ~ x
        -\infty ~ \infty
        0.083333 ~ 0.08333 ~ 0.084
        0.25 ~ 0.2500001
    """,
    "units": r"""
        \$5 ~ 5\text{ cents}
        5\text{ cents} ~ \$5
        5\text{ cm} ~ 5 m ~ 5\text{ cm}^2 ~ 5\text{ cm}^3
        5\text{ m/s} ~ 5\text{ km/h}
        5\text{ hours} ~ 5 minutes
        5 € ~ 5 dollars
        90^\circ ~ 90\text{ radians}
        30^\circ ~ \frac{\pi}{6}
        50\% ~ 0.5
        0.5 ~ 0.5\%
        20 ~ 2000\%
        50\% + x ~ 0.5 + x
        2 ~ 2 tanh x
        4 ~ 4 theta
        5 ~ 5 \text{ or so} ~ 5 May ~ \text{May } 5
        \pm 5 \text{ cm} ~ 5\text{ m}, -5\text{ m}
    """,
    "times, dates, ratios": r"""
        3.5 ~ 3:30
        3:30 ~ 3:45
        12:00 ~ 1:00
        12 ~ 12:00
        1:2 ~ \frac12 ~ 2:1
        2018 ~ 2024-05-01
        2024-05-01 ~ 2024-05-02
    """,
    "half of it, more of it, another order": r"""
        \pm 2021 ~ 2021
        2021 ~ \pm 2021
        1331 and 1728 ~ 1728
        12 ~ 12, 13 ~ 12 \text{ or } 13 ~ 12; 13 ~ 12, 12
        1,2,2 ~ 1,1,2 ~ 1,2
        19, 46, \text{ and } 82 ~ 21, 36, and 82
        (1,2) ~ (2,1) ~ (1,2,3) ~ \{1,2\}
        (3,4] ~ [3,4]
        (-\infty,3) ~ x \le 3 ~ (-\infty,3]
        D=(0,1) ~ D=(0,1.5)
        (0,9) \cup (9,36) ~ (0,36)
        (1,2) \cup (3,4) ~ (1,2), (3,4)
        a=1, b=2 ~ 2, 1 ~ a=2, b=1
        \begin{pmatrix} 1 & 2 \end{pmatrix} ~ \begin{pmatrix} 1 \\ 2 \end{pmatrix}
        1,2,\ldots,n ~ 1,3,5,\ldots,2n-1
        \emptyset ~ 0
    """,
    "equations and conditions": r"""
        3 ~ n=3k
        3k ~ 3
        10 ~ x+5 = 10 ~ 2x = 10
        x=5 ~ y=5
        x > 2 ~ x \ge 2 ~ x < 2 ~ y > 2
        x+y \le 3 ~ x+y<3 ~ x+y \ge 3
        x \ne 3 ~ x = 3
        y=2x+3 ~ y=2x+4
        y^2=4 ~ y=2
        40 ~ m+n = 40+2 = 42
        5 ~ 2+2=5
        \forall x>0, f(x)=0 ~ f(x)=0
        f(x)=0 ~ \forall x>0, f(x)=0
        3 \text{ if } x>0 ~ 3
    """,
    "texts": r"""
        \text{(C)} ~ (B)
        C ~ D ~ c
        x ~ X
        \text{east} ~ seat
        no ~ on
        \text{even} ~ odd
        seat ~ east
        7 ~ __import__('os').system('echo x')
        x^2+7 ~ 7 7 7
        42 ~ about 42 ~ not 42 ~ 42?
        \sum_{i=1}^{3} i ~ \sum_{i=1}^{4} i
        ab+c ~ ba-c
        a_1 ~ a_2
        \log x ~ \ln x
        \sin 2x ~ 2\sin x
    """,
}


@pytest.mark.parametrize("kind", OTHER)
def test_another_answer(kind: str) -> None:
    assert [line for line, same in judged(OTHER[kind]).items() if same is not False] == []


@pytest.mark.parametrize(
    ("gold", "predicted", "reason"),
    [
        (r"5\text{ cm}", r"5\text{ m}", "the unit is m and not cm"),
        ("3", "3/0", "the answer has no value: a division by zero"),
        ("42", "about 42", "the answer is not read as mathematics: the word 'about'"),
        ("7", r"\sum_{i=1}^7 1", r"the answer is not read as mathematics: \sum"),
        (r"\sum_{i=1}^7 1", "7", r"the gold answer is compared as text: \sum"),
        ("7", "9^{9^{9^9}}", "a power in it is too large to be computed"),
        ("7", "1e10000000", "a power of ten beyond 10,000"),
        ("7", "8", None),
    ],
)
def test_a_reason_is_given_where_it_takes_words(gold: str, predicted: str, reason: str | None) -> None:
    assert load()(gold, predicted)[1] == reason
