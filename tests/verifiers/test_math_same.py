"""When two answers in mathematics are the same one: by kind, the gold answer and other forms of it."""

import pytest

from factory.verifiers.math import compare, load

SAME = {
    "numbers": r"""
        7 ~ 7.0
        42 ~ ৪২
        1234 ~ 1,234
        1{,}234 ~ 1234
        10,\!080 ~ 10080
        10\,080 ~ 10080
        11,\! 111,\! 111,\! 100 ~ 11,111,111,100
        4 ~ 004
        0.5 ~ .5 ~ \dfrac{1}{2}
        \frac43 ~ \frac{4}{3}
        \frac 59 ~ 5/9
        \frac{-1}{2} ~ -\frac12
        -\frac{1}{2} ~ \frac{1}{-2}
        1\frac{4}{5} ~ 1.8
        -1\frac{1}{2} ~ -1.5
        2.5 ~ 2½
        2.25 ~ 2 1/4
        137 \frac{1}{2} ~ 275/2
        2500 ~ 2.5e3 ~ 2.5 \times 10^3
        300000 ~ 3 x 10^5
        6.63 \times 10^{-34} ~ 6.63e-34
        10^{-20} ~ \frac{1}{10^{20}}
        \frac13 ~ 0.\overline{3}
        \frac{7}{12} ~ 0.58\overline{3}
        x^2 ~ x²
    """,
    "roots, powers and functions": r"""
        \sqrt{2} ~ sqrt(2) ~ √2
        11\sqrt2 ~ \sqrt{242}
        \frac{\sqrt{3}}{3} ~ 1/\sqrt 3
        \sqrt[3]{-8} ~ -2
        2\pi ~ 2*pi ~ 2π
        \frac{2\pi}{3} ~ 2pi/3
        \sin(\frac{\pi x}{5}) ~ sin(pi*x/5)
        \tan^2(y)+1 ~ \sec^2(y)
        \sin^{-1} x ~ \arcsin x
        e^{i\pi} ~ -1
        \sqrt{1/n} ~ \frac{1}{\sqrt{n}}
        \ln\frac1x ~ -\ln x
        6 - 5i ~ 6-5\mathrm{i}
        28\% ~ 28 pct
        2^{-1/2} ~ \frac{\sqrt2}{2}
        \log_2 8 ~ 3
        \frac{\log 8}{\log 2} ~ 3
        \ln\frac12 ~ -\ln 2
        \binom{5}{2} ~ 10
        5! ~ 120
        \frac{n!}{(n-1)!} ~ n
        |x-1| ~ |1-x|
        \lfloor 2.7 \rfloor ~ 2
        6-5i ~ -5i+6
    """,
    "expressions": r"""
        (a+5)(b+2) ~ ab+2a+5b+10
        \frac{x+2}{7} ~ \frac{x}{7}+\frac{2}{7}
        x^2 + 7 ~ 7 + x^{2}
        2k+2 ~ 2(k+1)
        x^2-1 ~ (x-1)(x+1)
        x**2 ~ x^2
        \mathbf{v} ~ v
        5r^5 ~ 5 r^5
        \frac{x^9-1}{x-1} ~ x^8 + x^7 + x^6 + x^5 + x^4 + x^3 + x^2 + x + 1
        \theta ~ θ
    """,
    "units": r"""
        5 ~ 5 dollars ~ 5\text{ cm}
        5\text{ cm} ~ 5 ~ 5 cm
        5\text{ m} ~ 5m ~ 5 meters
        5.4 \text{ cents} ~ 5.4
        864 \mbox{ inches}^2 ~ 864\text{ square inches}
        15\mbox{ cm}^2 ~ 15 cm^2
        \$5 ~ 5 dollars
        \$32,\!348 ~ $32,348
        \frac{270}7\text{ degrees} ~ \frac{270}{7}^\circ
        90^\circ ~ 90 ~ 90°
        60 \text{ mph} ~ 60\text{ miles per hour}
        20 ~ 20\%
        50\% ~ 50
        50% ~ 50\%
        0.5 ~ 50\%
        \frac{1}{4} ~ 25%
    """,
    "lists, sets, points, intervals": r"""
        1,-2 ~ -2, 1 ~ a=1 \text{ or } a=-2 ~ x = -2, x = 1
        1331 \text{ and } 1728 ~ 1728, 1331
        19, 46, \text{ and } 82 ~ 82, 19 and 46
        1,2,2 ~ 2,1,2
        \{1,2\} ~ 1,2 ~ \left\{ 2, 1 \right\}
        \pm 2021 ~ 2021, -2021
        3 \pm 2 \sqrt{2} ~ 3+2\sqrt2, 3-2\sqrt2
        \{1\pm\sqrt{5},-2\} ~ -2, 1+\sqrt5, 1-\sqrt5
        a=1, b=2 ~ b=2, a=1 ~ 1, 2
        \emptyset ~ \varnothing ~ \{\}
        1,000, 2,000 ~ 2000, 1000
        (1,2) ~ \left( 1, 2 \right)
        (100,200) ~ (100, 200)
        (x,y) = (1,2) ~ (1,2)
        \left( 3, \frac{\pi}{2} \right) ~ (3,\pi/2)
        (1,2), (3,4) ~ (3,4), (1,2)
        x \in [-2,7] ~ [-2,7]
        [-2,7] ~ -2 \le x \le 7
        (-\infty,3] ~ x \leq 3
        (0,12.5) ~ 0<x<12.5
        x > 2 ~ 2 < x
        (-\infty, 2) \cup (3, \infty) ~ x<2 \text{ or } x>3
        \begin{pmatrix} 1/5 \\ -18/5 \end{pmatrix} ~ \begin{bmatrix} 0.2 \\ -3.6 \end{bmatrix}
    """,
    "equations": r"""
        x=5 ~ 5
        5 ~ x = 5
        f(x) = 2x ~ 2x
        y=2x+3 ~ 2x-y+3=0
        5x - 7y + 11z + 4 = 0 ~ 10x - 14y + 22z = -8
        x+y \le 3 ~ 3 \ge x+y
        42 ~ m+n = 40+2 = 42
        7 ~ 3+4=7
    """,
    "texts, times, bases": r"""
        \text{Evelyn} ~ evelyn
        \text{(C)} ~ C ~ (C)
        C ~ \text{(C)} ~ \textbf{(C)}
        52_8 ~ 52_{8} ~ 52
        3:30 ~ 3 : 30
        1,2,\ldots,n ~ 1, 2, \dots, n
    """,
    "rounded gold answers": r"""
        0.083333 ~ \frac1{12}
        0.8333333333333334 ~ 5/6
        0.785398 ~ \frac{\pi}{4}
        1234.567891 ~ 1234.5678912
    """,
    "of all kinds": r"""
        5 ~ \{5\} ~ 5 percent ~ y=5 ~ [5] ~ {5}
        2^{10} ~ 2^10
        e ~ \exp(1)
        \sqrt{-1} ~ i
        \sqrt{8} ~ 2\sqrt{2}
        \frac{\sqrt{6}}{2} ~ \sqrt{\frac{3}{2}}
        \sqrt[4]{16} ~ 2
        8! ~ 40320
        (3!)! ~ 720
        1000 ~ 1e3 ~ 10^3 ~ 1,000
        -\frac{35}{9} ~ \frac{-35}{9} ~ -3\frac{8}{9}
        -2 ~ (-2) ~ -(2)
        (x+1)^2 ~ x^2+2x+1
        x_1 ~ x_{1}
        12 \text{ cm} ~ 12\,\mathrm{cm} ~ 12 centimeters
        12 \text{ square feet} ~ 12\text{ ft}^2
        \$5 ~ \$5.00 ~ 5.00
        5\text{ dollars} ~ \$5
        €5 ~ 5 euros
        0.05 ~ 5\%
        1 ~ 100\% ~ 0.\overline{9}
        -0.5 ~ -50\%
        25\% ~ 25 percent
        7:30 ~ 7:30
        (0,\infty) ~ x>0
        [0,\infty) ~ x\geq 0
        \mathbb{R} ~ \mathbb R
        x \neq 3 ~ x\ne 3
        x<3 ~ 3>x
        x=1, y=2 ~ y=2, x=1 ~ x=1 \text{ and } y=2
        y=x+1 ~ y-1=x
        x^2+y^2=1 ~ 1=x^2+y^2
        \begin{pmatrix}1&2\\3&4\end{pmatrix} ~ \begin{bmatrix}1&2\\3&4\\\end{bmatrix}
        \frac{\pi}{4} ~ \arctan 1 ~ \tan^{-1}(1)
        \sin^2 x ~ (\sin x)^2 ~ 1-\cos^2 x
        \cot x ~ \frac{\cos x}{\sin x}
        2\sin x\cos x ~ \sin 2x
        \log_{10} 100 ~ 2
        \lg 100 ~ 2
        \ln e^2 ~ 2
        2^{\frac{1}{3}} ~ \sqrt[3]{2}
        \frac{1}{\sqrt[3]{2}} ~ \frac{\sqrt[3]{4}}{2}
        .5 ~ 0.50
        0.333333 ~ 1/3
        2 ~ 2.0000000000
        \text{No solution} ~ no solution
        \text{no solution} ~ No solution.
        \text{True} ~ true
        \text{yes} ~ Yes
        A ~ \textbf{A} ~ \mathrm{A} ~ \mathbf{(A)} ~ (A)\
        10_2 ~ 10_{2}
        \text{B}_{16} ~ B_{16}
        1{,}000{,}000 ~ 10^6
        1\,000\,000 ~ 1000000
        12^{\text{th}} ~ 12^{\text{th}}
        \frac{3}{4}\text{ cup} ~ \frac34
        0 ~ -0 ~ 0.0 ~ \frac{0}{5}
        \infty ~ +\infty
        \lfloor x \rfloor ~ \lfloor x\rfloor
        6 ~ 3!
        n(n-1) ~ n^2-n
        2^{n+1} ~ 2\cdot 2^n
        (-1)^n ~ (-1)^{n}
        k, k \in \mathbb{Z} ~ k, k \in \mathbb{Z}
        \frac{x}{2} ~ \frac12x ~ x/2 ~ 0.5x
        a^{b^c} ~ a^{(b^c)}
        x\sqrt{y} ~ \sqrt{y}x
        42 ~ 42 = 42 ~ 21\times 2 ~ 21\times 2 = 42 ~ +42 ~ \mathbf{42} ~ \text{42} ~ \mathrm{42}
        42 ~ \underline{42} ~ \bf 42 ~ **42** ~ `42` ~ $42$ ~ \(42\) ~ "42" ~ 42\, ~ 42; ~ 42\\
        -42 ~ - 42
    """,
}

UNICODE = [
    ("-7", "\N{MINUS SIGN}7"),
    ("-7", "\N{EN DASH}7"),
    ("-7", "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH DIGIT SEVEN}"),
    ("42", "\N{BENGALI DIGIT FOUR}\N{BENGALI DIGIT TWO}"),
    ("0.00041", "4.1 \N{MULTIPLICATION SIGN} 10\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT FOUR}"),
    (r"(0,1) \cup (2,3)", "(2,3) \N{UNION} (0,1)"),
    ("12", "1\N{ZERO WIDTH SPACE}2"),
]


def judged(pairs: str) -> dict[str, bool | None]:
    """The verdict on every ``gold ~ predicted``: one gold answer a line, with any number of predicted ones."""
    equal, verdicts = load(), {}
    for line in pairs.strip().splitlines():
        gold, *predictions = (side.strip() for side in line.split("~"))
        for predicted in predictions:
            same = compare(gold, predicted)
            verdicts[f"{gold} ~ {predicted}"] = equal(gold, predicted)[0] if same is None else same
    return verdicts


@pytest.mark.parametrize("kind", SAME)
def test_the_same_answer_in_another_form(kind: str) -> None:
    assert [line for line, same in judged(SAME[kind]).items() if not same] == []


@pytest.mark.parametrize(("gold", "predicted"), UNICODE)
def test_the_same_answer_in_other_characters(gold: str, predicted: str) -> None:
    assert load()(gold, predicted) == (True, None)
