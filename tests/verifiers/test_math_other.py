"""When two answers in mathematics are not the same one: by kind, the gold answer and what is not it."""

import pytest

from factory.verifiers.math import load
from tests.verifiers.test_math_same import judged

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
        |a| ~ a
        |n| ~ n
        |t| ~ t
        |y| ~ y
        \sqrt{x^3} ~ -x\sqrt{x}
        \sqrt{ab} ~ \sqrt{a}\sqrt{b}
        i\sqrt{x} ~ -i\sqrt{x}
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
    "of all kinds": r"""
        12 ~ 12 or 13 ~ between 12 and 12 ~ 12 - 13 ~ 1^2 ~ Dec 12 ~ 12\text{th} ~ 12^{\text{th}}
        5 ~ 5 \text{ or } -5 ~ \{5,-5\} ~ 5' ~ 5 percent of 10 ~ 2y=5 ~ y^2=5 ~ y=5 \text{ or } y=6 ~ x=5, y=6
        5 ~ 5 + \epsilon ~ 5 \approx 5.1 ~ 5\cdot ~ 5 \cdot x ~ 5 x ~ 5(x) ~ 5| ~ (5 ~ 5) ~ 5{}6
        \frac{1}{2} ~ 1:2
        0.5 ~ 1/2 \text{ or } 1/3
        x^2 ~ 2^x
        2^{10} ~ 2^1 0
        e ~ 2.718281828459045
        i ~ 1
        \sqrt{-1} ~ -i
        \sqrt{8} ~ 2\sqrt{3}
        8! ~ 8
        3!! ~ 3
        1000 ~ 1e4 ~ 10^{-3} ~ 1 \text{ thousand}
        -\frac{35}{9} ~ 3\frac{8}{9}
        2 ~ --2 ~ 10_2
        8 ~ 2^{3}\text{ or so}
        (x+1)^2 ~ x^2+2x+1+c
        x ~ y
        x_1 ~ x_2
        a ~ A
        AB ~ BA
        12 \text{ cm} ~ 12 \text{ inches}
        12 \text{ square feet} ~ 12\text{ ft}
        \$5 ~ \text{5 cents}
        5\text{ dollars} ~ 5 euros ~ €5
        0.05 ~ 5 percent of 10
        1 ~ 1\% ~ 0.999\ldots
        -0.5 ~ 50\%
        25\% ~ 0.25\% ~ \frac14
        7:30 ~ 7.5
        7:30 \text{ am} ~ 7:30 \text{ pm}
        7 ~ 7 \text{ pm}
        12/25 ~ 12/25/2020
        1/2/2020 ~ 1/4040
        3 ~ III ~ three
        (1,2) ~ 1,2 ~ x=2, y=1 ~ y=1, x=2
        1,2 ~ (1,2)
        \{1,2,3\} ~ 1,2
        1,2,3 ~ 1,2,3,\ldots
        [1,2] ~ (1,2) ~ \{1,2\}
        (0,1) ~ x>0, x<1
        (0,\infty) ~ x\ge 0
        (-\infty,\infty) ~ \infty
        \mathbb{R} ~ R
        x>0 ~ x
        x \neq 3 ~ x=3 ~ 3
        x<3 ~ 3 ~ x>3
        x=1, y=2 ~ x=2, y=1
        (x,y)=(1,2) ~ (2,1)
        25 ~ x^2=25
        f(x)=x+1 ~ g(x)=x+2
        y=x+1 ~ y=x+1, x>0
        y = x ~ y = -x
        x^2+y^2=1 ~ x^2-y^2=1
        \begin{pmatrix}1&2\\3&4\end{pmatrix} ~ \begin{pmatrix}1&2\\4&3\end{pmatrix}
        \begin{pmatrix}1&2\\3&4\end{pmatrix} ~ \begin{vmatrix}1&2\\3&4\end{vmatrix}
        -3 ~ \begin{vmatrix}1&2\\3&4\end{vmatrix}
        \frac{\pi}{4} ~ 45 ~ 45^\circ
        \cot x ~ \tan x
        \ln 2 ~ \log 2
        1.0 ~ 1.00000001
        3.14 ~ \pi
        1000000 ~ 1000001
        123456789012345678901 ~ 123456789012345678902
        0.333333 ~ 0.3333
        0.33 ~ 1/3
        \frac13 ~ 0.33
        \frac{1}{3} ~ 0.3333333333333333
        \text{no solution} ~ \text{one solution}
        0 ~ no ~ -\frac{0}{0} ~ 0/0
        \emptyset ~ \text{empty}
        \text{True} ~ false
        \text{odd} ~ \text{not odd}
        \text{Yes} ~ \text{Yes and no}
        A ~ \text{(A) and (B)} ~ A, B ~ A \text{ or } B ~ A; B ~ (A) \text{ to } (D) ~ A. 5
        4 ~ A. 4
        3.1 ~ \approx 3.1 ~ 3.1\ldots
        10_2 ~ 10_3
        1,000 ~ 1, 000
        \infty ~ 1/0 ~ -\infty
        \lfloor x \rfloor ~ \lceil x\rceil ~ x
        2^{n+1} ~ 2^n+1 ~ 2^{n}+1
        \frac{\pi}{2}+k\pi ~ \frac{\pi}{2}
        \frac{x}{2} ~ \frac{2}{x}
        a^{b^c} ~ (a^b)^c
        \sqrt{xy} ~ \sqrt{x}y
        42 ~ 42 and then 43 ~ 42, no 43 ~ 42\text{ (not 43)} ~ 42\\43 ~ 42 & 43 ~ 42 = 43 ~ x = 42 = 43
        42 ~ 21\times 3 = 42 ~ 4 2 ~ 42! ~ +-42
        -42 ~ - 4 2
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
