"""What numeric reads and what it does not, by kind: a text a line, with ⏎ for a new line and <U+200B> for what shows
nothing."""

import re

import pytest

from factory.attempt import Question
from factory.verifiers import judge
from factory.verifiers.numeric import Numeric

RIGHT = r"""
# markers and emphasis
The answer is 12. ==> 12
The answer is 12 (a), since b) holds. ==> 12
(12) ==> 12
The answer is: 12 ==> 12
The answer is: $12.50. ==> 12.5
The answer is **12**. ==> 12
**The answer is 12.** ==> 12
The answer is **$12** ==> 12
The answer is: **12 apples**. ==> 12
The final answer is $\boxed{12}$. ==> 12
The final answer is 12. I hope it is correct. ==> 12
Final Answer: The final answer is $12$. I hope it is correct. ==> 12
**Final Answer**⏎⏎\boxed{12} ==> 12
### Answer⏎12 ==> 12
## Final Answer:⏎⏎**12** ==> 12
<answer>12</answer> ==> 12
<answer>⏎12⏎</answer> ==> 12
<answer> 12 apples </answer> ==> 12
<answer>\boxed{12}</answer> ==> 12
<answer>$\boxed{12}$</answer> ==> 12
\begin{align*} x &= \boxed{12} \end{align*} ==> 12
The answer is 42! ==> 42
**The answer is 42!** ==> 42
The answer is $5! ==> 5
The answer is $12.50! ==> 12.5
The answer is simply 12. ==> 12
The answer is indeed 12. ==> 12
The answer is $12/hour. ==> 12
The answer is 1e3. ==> 1000
The answer is 2^10. ==> 1024
# thinking
<think>no 13</think>⏎<answer>12</answer> ==> 12
<thinking>the answer is 13</thinking>⏎The answer is 12. ==> 12
<reasoning>13</reasoning><answer>12</answer> ==> 12
<|begin_of_thought|>maybe 13<|end_of_thought|>⏎<|begin_of_solution|>The answer is 12.<|end_of_solution|> ==> 12
[THINK]13[/THINK]The answer is 12 ==> 12
hm the answer is 13⏎</think>⏎The answer is 12. ==> 12
# stop tokens as text
The answer is 12</s> ==> 12
The answer is 12.<|im_end|> ==> 12
#### 12<|endoftext|> ==> 12
#### 12<|eot_id|><|start_header_id|>user<|end_header_id|>⏎⏎What is 3+4? ==> 12
#### 12<eos> ==> 12
12<|end|> ==> 12
The answer is 12<<U+FF5C>end<U+2581>of<U+2581>sentence<U+FF5C>> ==> 12
# numbers behind ####
#### -12 ==> -12
#### $12 ==> 12
#### 12% ==> 12
#### 1,234,567.50 ==> 1234567.5
#### 12.0 ==> 12
#### 0012 ==> 12
# LaTeX
\boxed{12} ==> 12
$\boxed{12}$ ==> 12
\[\boxed{12}\] ==> 12
\boxed{12\text{ cm}} ==> 12
\boxed{12~\text{cm}} ==> 12
\boxed{12\,\text{cm}^2} ==> 12
\boxed{\$12} ==> 12
\boxed{12\%} ==> 12
\boxed{\text{12}} ==> 12
\boxed{\mathbf{12}} ==> 12
\boxed{12^\circ} ==> 12
\boxed{1{,}234} ==> 1234
\boxed{1,\!234} ==> 1234
\boxed{\dfrac{3}{4}} ==> 0.75
\boxed{-\frac{3}{4}} ==> -0.75
\boxed{2\frac{1}{4}} ==> 2.25
\boxed{x = 12} ==> 12
$\boxed{12}$. ==> 12
\[\boxed{12}\] ==> 12
\(\boxed{12}\) apples. ==> 12
So there are $\boxed{12}$ of them. ==> 12
\boxed{12 \text{ apples}} ==> 12
\fbox{12} ==> 12
\boxed {12} ==> 12
\boxed 5 ==> 5
# signs
The answer is minus 5. ==> -5
The answer is negative 5 ==> -5
The answer is <U+2013>5 ==> -5
The answer is <U+2014>5 ==> -5
The answer is <U+2212>5 ==> -5
The answer is <U+FF0D>5 ==> -5
The answer is - 5 ==> -5
The answer is -$5.25 ==> -5.25
The answer is $-5 ==> -5
The answer is (<U+2212>5) ==> -5
The answer is +5 ==> 5
# fractions and powers
The answer is 3/4 ==> 3/4
The answer is 3 / 4. ==> 3/4
The answer is 1 1/2 ==> 1.5
The answer is 2 1/2 cups. ==> 2.5
The answer is 1e3 ==> 1000
The answer is 3 x 10^5 ==> 300000
The answer is 3 <U+00D7> 10^5. ==> 300000
The answer is 3 <U+00D7> 10<U+2075> ==> 300000
The answer is $3 \times 10^{5}$. ==> 300000
The answer is 2^10 ==> 1024
# prose behind the number
The answer is 12 because 3 * 4 = 12. ==> 12
The answer is 12, since 3 * 4 = 12. ==> 12
The answer is 12 eggs because she ate 3 of the 15. ==> 12
The answer is 12, as 3 * 4 = 12. ==> 12
The answer is 12 apples in total. ==> 12
The answer is 12 miles per hour. ==> 12
The answer is 12 eggs left after 3 days. ==> 12
The answer is 12. This is because 3 * 4 = 12. ==> 12
The answer is 12. Let me check: 3*4=12. ==> 12
The answer is 12 years old. ==> 12
The answer is 12 dollars ==> 12
The answer is 12 cents. ==> 12
# units
The answer is 12kg ==> 12
The answer is 12 kg. ==> 12
The answer is 12cm<U+00B2> ==> 12
The answer is 12 km/h ==> 12
The answer is 12 m<U+00B2> ==> 12
The answer is 12 square feet. ==> 12
The answer is <U+20AC>12 ==> 12
The answer is <U+00A3>12. ==> 12
The answer is 12<U+20AC> ==> 12
The answer is US$12 ==> 12
The answer is 12 USD ==> 12
The answer is Rs. 12 ==> 12
# what stands around it
The answer is "12". ==> 12
The answer is `12`. ==> 12
The answer is 12: ==> 12
The answer is 12; ==> 12
The answer is [12]. ==> 12
The answer is equal to 12. ==> 12
The answer is therefore 12. ==> 12
The answer is exactly 12. ==> 12
The answer is x = 12. ==> 12
The answer is 3 * 4 = 12. ==> 12
The answer is 3 boxes * 4 eggs = 12 eggs. ==> 12
The answer is 3 <U+00D7> 4 = $12. ==> 12
The answer is $3*4=<<3*4=12>>12. ==> 12
# prose before the number
Answer: She has 12 eggs left. ==> 12
Answer: There are 12 eggs. ==> 12
Answer: 12 eggs ==> 12
Answer: Ana has 12 eggs left after 3 days. ==> 12
Answer: Janet makes $18 every day at the market. ==> 18
Answer: It costs $12. ==> 12
# ways to say it
answer = 12 ==> 12
Answer <U+2192> 12 ==> 12
The answer must be 12. ==> 12
So the correct answer is 12. ==> 12
Therefore, the answer to the question is 12. ==> 12
If she does not pay, the answer is 12. ==> 12
She did not eat any eggs, so the answer is 12. ==> 12
ANSWER: 12 ==> 12
# lines, and the last marker
The answer is⏎12 ==> 12
The answer is⏎⏎12. ==> 12
Answer:⏎⏎12 ==> 12
The answer is 12⏎The answer is 12 ==> 12
The answer is 13. Wait, no. The answer is 12. ==> 12
First \boxed{13}, but then \boxed{12} ==> 12
\boxed{004}. Thus \boxed{004} ==> 4
# an invented question ends what is read
The answer is⏎$$⏎12⏎$$ ==> 12
#### 12⏎⏎Question: And 3+4?⏎Answer: 7⏎#### 7 ==> 12
#### 12⏎⏎Q: And 3+4?⏎A: The answer is 7. ==> 12
The answer is 12.⏎⏎Q: And 3+4?⏎A: The answer is 7. ==> 12
The answer is 12.⏎⏎Human: And 3+4?⏎Assistant: The answer is 7. ==> 12
The answer is 12.⏎⏎User: And?⏎ ==> 12
The answer is 12.⏎⏎### Instruction:⏎Add⏎### Response:⏎The answer is 7 ==> 12
The answer is 12.⏎⏎Problem: 3+4⏎Solution: The answer is 7 ==> 12
The answer is 12.⏎⏎Example 2:⏎Q: x⏎The answer is 7 ==> 12
The answer is 12. Question: What is 3+4? Answer: 7 ==> 12
Question: 3*4?⏎Answer: 12 ==> 12
Q: What is 3*4?⏎A: 12 ==> 12
# without a marker
So there are 12 of them. ==> 12
So 12 eggs are left. ==> 12
She has 12 eggs. ==> 12
There are 3 and 4, so 7 of them ==> 7
The total is 72 clips, altogether. ==> 72
48 + 24 = 72 ==> 72
He sold 48/2 = <<48/2=24>>24 clips in May.⏎He sold 48+24 = <<48+24=72>>72 clips. ==> 72
12 ==> 12
**12** ==> 12
$12$ ==> 12
12 apples ==> 12
12. ==> 12
# digits of other scripts
The answer is <U+FF14><U+FF12> ==> 42
The answer is <U+09EA><U+09E8> ==> 42
The answer is <U+0664><U+0662> ==> 42
The answer is <U+FF11><U+FF0C><U+FF12><U+FF13><U+FF14> ==> 1234
The answer is <U+FF14><U+FF12><U+3002> ==> 42
# further
The answer is 7 apples and 3 pears ==> 7
The answer is 20% (of the full 100%). ==> 20
The answer is 12. ==> 12.0
The answer is 5 p.m. ==> 5
The answer is 3 more apples. ==> 3
The answer is 5 times. ==> 5
The answer is 12 so she has enough. ==> 12
The answer is 12, which is less than 15. ==> 12
The answer is 12 pounds of meat. ==> 12
The answer is $12 for the shirt. ==> 12
The answer is 12 in all. ==> 12
The answer is 12 more than before. ==> 12
Hence the answer is 12 boys. ==> 12
The answer is 12 minutes. ==> 12
The answer is 12 full boxes. ==> 12
The answer: 12 ==> 12
The answer is: 12 hours ==> 12
The value of the answer is 12 ==> 12
The answer is 12 each. ==> 12
The answer is 72 degrees ==> 72
The answer is 12 ⏎ ==> 12
The answer is 12 oz. ==> 12
The answer is 12 - because 3 * 4 = 12 ==> 12
The answer is 12 <U+2014> since 3 * 4 = 12 ==> 12
The answer is 12, not 13. ==> 12
"""

NO_ANSWER = r"""
# lists and ranges
The answer is 12 or 13.
The answer is 12 and 13.
The answer is either 12 or 13
The answer is 12, 13.
The answer is 12, 13, 14 or 15
The answer is 12; 13
The answer is 12 / 13 / 14
The answer is 12 | 13
The answer is between 12 and 13.
The answer is 12 to 13.
The answer is 12-13
The answer is 12<U+2013>13
The answer is 12 - 13
The answer is 12 <U+00B1> 13
The answer is <U+00B1>12
The answer is 12 <U+00B1> 1
The answer is from 12 to 13
The answer is 12..13
The answer is 12...13
The answer is 12 through 13
The answer is 12 then 13
The answer is 12, maybe 13
The answer is 12, possibly 13.
The answer is 12 but possibly 13.
# taken back
The answer is 12? 13?
The answer is 12?
The answer is 12? No, 13.
The answer is 12. No, 13.
The answer is 12. Wait, it is 13.
The answer is 12. Actually, 13.
The answer is 12. Or 13.
The answer is 12. Sorry, I mean 13.
The answer is 12.⏎Wait, I made a mistake. It is 13.
The answer is 12, no wait, 13
The answer is 12, no, 13
The answer is 12.⏎It might also be 13.
# hedges
The answer is maybe 12
The answer is probably 12
The answer is about 12
The answer is approximately 12
The answer is around 12.
The answer is ~12
The answer is <U+2248>12
The answer is <U+2248> 12
The answer is <12
The answer is > 12
The answer is <U+2265>12
The answer is at least 12
The answer is at most 12
The answer is more than 12
The answer is less than 12
The answer is over 12
The answer is under 12
The answer is nearly 12
The answer is up to 12
The answer is 12+
The answer is 12 or more
The answer is 12 or so
The answer is 12 at most
# denials
The answer is not 12
The answer is not 12, it is 13.
The answer isn't 12.
The answer isn<U+2019>t 12.
The answer is never 12.
The answer is certainly not 12
The answer is anything but 12
The answer is unknown; 12 would be a guess.
The answer is unknown (12 is a guess)
The answer is 12 would be a guess
The answer is wrong if you say 12
The answer cannot be 12
The answer can't be 12
The answer could be 12
The answer might be 12
The answer is hard to say, 12
# denied before it is given
I don't think the answer is 12.
I doubt the answer is 12
It is false that the answer is 12
It is not true that the answer is 12.
If the answer is 12, she is wrong.
Nobody knows whether the answer is 12
My guess is the answer is 12
Maybe the answer is 12
Perhaps the answer is 12.
The answer is other than 12
The answer is anything except 12
# pieces of LaTeX
The answer is \frac12x
\boxed{\frac{1}{2}3}
\boxed{4\sqrt2}
\boxed{12\pi}
\boxed{12!}
\boxed{12x}
\boxed{x^12}
# several in a box, several boxes
\boxed{12, 13}
\boxed{12,13}
\boxed{12 \text{ or } 13}
\boxed{12 \text{ and } 13}
\boxed{\{12, 13\}}
\boxed{(12, 13)}
\boxed{12 \pm 1}
\boxed{\pm 12}
\boxed{\approx 12}
\boxed{12 < x}
\boxed{x > 12}
\boxed{12:13}
\boxed{12 + 13}
\boxed{12 \cdot 13}
\boxed{12 \times 13}
\boxed{\sqrt{12}}
\boxed{\sqrt[3]{12}}
\boxed{\log 12}
\boxed{12e}
\boxed{12i}
\boxed{x = 12, y = 13}
\boxed{x = 12 \text{ or } x = 13}
\boxed{12}\boxed{13}
\boxed{12} or \boxed{13}
\boxed{12}, \boxed{13}
\boxed{12} and \boxed{13}
\boxed{12} or 13
\boxed{12}?
not \boxed{12}
\boxed{12\\13}
\boxed{12⏎13}
\boxed{12
\boxed{12}⏎⏎Wait, I made a mistake.
\boxed{}12
\boxed{12}0
\boxed{12} million
$\boxed{12}$ million
\boxed{12}\pi
\boxed{12}^2
\boxed{12}/13
\boxed{12}:30
\boxed{12}k
1\boxed{12}
-\boxed{12}
# groups of digits
The answer is 1 234
The answer is 12,5
The answer is 1,23
The answer is 1,234,56
The answer is 1'234
The answer is 1_000
The answer is 1.234.567
# times and dates
The answer is 12:00
The answer is 3:30
The answer is 3:4
The answer is 3 : 4
The answer is 12/25/2020
The answer is 2020-12-25
The answer is 25.12.2020
The answer is May 12, 2020
The answer is 12 May 2020
# magnitudes
The answer is 1.5 million
The answer is 12 million
The answer is 12 thousand
The answer is 12 hundred
The answer is 12 dozen
The answer is 12 billion dollars.
The answer is 12k
The answer is 12K
The answer is 12M
The answer is 12 M
The answer is 12bn
The answer is 12 lakh
The answer is $12k
The answer is 12<U+4E07>
The answer is 12 <U+4E07>
# pieces of formulas
The answer is 12<U+03C0>
The answer is 12 pi
The answer is 12 squared
The answer is 12^x
The answer is 12<U+00BD>
The answer is 12 <U+00BD>
The answer is <U+00BD>12
The answer is 12 1/2/3
The answer is 12 and a half
The answer is 12 and 1/2
The answer is 12 halves
The answer is 12!
The answer is 12x
The answer is 12th
The answer is the 12th
The answer is 1st
The answer is 0x12
The answer is 0x1F
The answer is 12e12345
The answer is 1e12345
The answer is 12a
The answer is a12
The answer is x12
# calculations
The answer is 12 + 13
The answer is 12 * 13
The answer is 12 <U+00D7> 13
The answer is 12 x 13
The answer is 12 plus 13
The answer is 12 minus 13
The answer is 12 times 13
The answer is 12 divided by 13
The answer is 12 out of 13
The answer is 12 of 13
The answer is 12 in 13
The answer is 12 per 13
The answer is 12 by 13
The answer is 12 % of 13
The answer is 12% of 13
# functions of a number
The answer is half of 12
The answer is twice 12
The answer is double 12
The answer is the square root of 12
The answer is the square of 12
The answer is sqrt(12)
The answer is log(12)
The answer is f(12)
The answer is the sum of 12 and 13
The answer is 12 less than 13
# sums of units
The answer is 12 hours 30 minutes
The answer is 12 hours and 30 minutes
The answer is 5 feet 12 inches
The answer is 5'12"
The answer is 12<U+00B0>30'
The answer is 12 dollars and 50 cents
The answer is 12 eggs 13 pears
The answer is 12 eggs, 13 pears
The answer is 12 for Ana and 13 for Bo
The answer is 12 on Monday, 13 on Tuesday
The answer is 12 apples and 13 apples
The answer is 12 apples or 13 apples
The answer is 12 and thirteen
# equations
The answer is 12 = 13
The answer is 12 + 13 = 25 or 26
The answer is x = 12, y = 13
The answer is x = 12 and y = 13
The answer is --12
The answer is (12, 13)
The answer is [12, 13]
The answer is 12. 13.
The answer is 12. 13. 14.
The answer is 12 13 14 15
# behind ####
#### 12 13
#### 12 or 13
#### 12, 13
#### 12-13
#### 12 / 13 x
# without a marker
12, 13, 14
12 13
12 or 13
1) 12 2) 13
So Ana has 12 eggs left after 3 days.
Ana ate 12 of 13 eggs.
On day 12 she stopped.
I see 12 options, maybe.
It is about 12.
It isn't 12.
It may be 12.
It could be 12.
Is it 12?
between 12 and 13
5-12
5 - 12
12:30
# thinking
<think>The answer is 12
<think>The answer is 12.⏎⏎12
<thinking>The answer is 12.
The answer is 12⏎</think>
The answer is 12.</think>⏎I do not know.
<think>12</think>
The answer is 12. <think>hm
[THINK]The answer is 12
# tags
<answer>12</answer><answer>13</answer>
<answer>12 or 13</answer>
<answer>12, 13</answer>
# what shows nothing
The answer is <U+202E>12
The answer is 1<U+200B>2
# parts of more
The answer is 12 + x
The answer is 12 - x.
\boxed{12 + x}
\boxed{12 \cdot y}
\boxed{12\text{ million}}
The answer is 12/x
The answer is 12! ways
<answer>12!</answer>
\boxed{42!}
The answer is 12 times as much as 3.
The answer is 12 degrees below zero.
The answer is unlikely to be 12.
The answer is minus \boxed{12}.
The answer is half of $\boxed{12}$.
Let x = 12. Then what
Nobody would say that the answer is 12.
One possible answer is 12.
\boxed{12} \text{ or } \boxed{13}
\boxed{12}\quad\boxed{13}
\(\boxed{12}\) or \(\boxed{13}\)
<answer>\boxed{12}</answer> or <answer>\boxed{13}</answer>
# words
The answer is twelve
The answer is XII
The answer is the number of apples
The answer is in step 12
The answer is on page 12
Answer 12: none
Answer: Step 12
Answer: After 12 days
Answer: A12
Answer: 12. Answer: unknown
Answer: It would take 12
Answer: not enough information, perhaps 12
# one of several parts, below zero, boxes in bold, a label or the hint said again
(a) The answer is 12. (b) 13
The answer is 12; (b) $13
(a) \boxed{12} (b) \boxed{13} c) \boxed{14}, d) 15
(a) The answer is 12.⏎(B) $13
The answer is 12⏎⏎(C) 14
\boxed{12}^{\circ}C below zero
\boxed{12}°C below zero
\boxed{12} below zero
\boxed{12}^\circ below zero
$\boxed{12}$ degrees below sea level
\textbf{\boxed{11}} or \textbf{\boxed{12}}
She has 6 * 2 = 13 eggs. How many she has is the answer. (12)
"""


def lines(table: str) -> list[str]:
    kept = [line.replace("⏎", "\n") for line in table.strip().split("\n") if not line.startswith("# ")]
    return [re.sub(r"<U\+(\w{4})>", lambda code: chr(int(code[1], 16)), line) for line in kept]


@pytest.mark.parametrize("line", lines(RIGHT))
def test_a_number_that_is_read(line: str) -> None:
    completion, _, gold = line.rpartition(" ==> ")
    assert judge(Numeric(), completion, Question("", "eval", "", gold), "stop").verdict == "correct"
    assert judge(Numeric(), completion, Question("", "eval", "", "123456"), "stop").verdict == "wrong"


@pytest.mark.parametrize("completion", lines(NO_ANSWER))
def test_what_is_more_than_a_number_or_less_is_none(completion: str) -> None:
    judged = judge(Numeric(), completion, Question("", "eval", "", "12"), "stop")
    assert (judged.verdict, judged.predicted_answer) == ("unparseable", None)
    assert judged.reason
    assert judged.reason.isprintable()
