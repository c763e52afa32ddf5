"""What of a completion may hold its final answer: not its thinking, and nothing that follows an invented question."""

import re

from factory.verifiers.doubt import NoAnswer

READ = 50_000
"""Characters of a completion that are read, counted from its end."""

_THOUGHT = (
    *("think", "thinking", "thought", "thoughts", "reasoning", "reason", "reflection", "scratchpad", "analysis"),
    *("inner_monologue", "internal_monologue", "monologue", "rationale", "seed:think", "longcat_think", "cot"),
    *("chain_of_thought", "antthinking", "inner_thoughts", "plan", "planning", "draft", "deliberation"),
)
_NAMES = "|".join(_THOUGHT)
# A "<" beside another one is GSM8K's <<3*4=12>> and begins no tag.
_TAG = re.compile(
    rf"(?P<open>(?<!<)<(?:{_NAMES})(?:\s[^<>\n]{{0,100}})?>|<\|(?:begin|start)_of_(?:thought|thinking)\|>"
    rf"|<\|(?:start_)?think(?:ing)?(?:_start)?\|>|<\|channel\|>(?:analysis|commentary)|\[think\]|\u25c1think\u25b7)"
    rf"|(?P<close>(?<!<)<\s?/\s?(?:{_NAMES})\s?>|<\|end_of_(?:thought|thinking)\|>"
    rf"|<\|(?:end_|/)think(?:ing)?\|>|<\|think(?:ing)?_end\|>|<\|channel\|>final|\[/think\]|\u25c1/think\u25b7)"
    rf"|(?P<stop>(?<!<)</?(?:s|eos|bos|pad|eot|eod|eom|end|end_of_turn|start_of_turn|end_of_text|endoftext|stop)>"
    rf"|<[|\uff5c](?!begin_of_solution|message|start_header|constrain)[^<>|\uff5c\s]{{1,40}}[|\uff5c]>"
    rf"|\[/?(?:INST|EOS|BOS|END|SYS)\])",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"(?:\n[ \t>#*_\-]{0,8}(?:\d{1,3}[.)] ?)?|[.!?\d})][ \t]{1,3}\**)"
    r"(?:(?:new|next|another|follow-?up|sample|practice|related|similar|bonus) )?"
    r"(?:question|problem|q|exercise|example|user|human|student|customer|instruction|input|prompt|task|query|puzzle"
    r"|frage|aufgabe|pregunta|pergunta|domanda|\u95ee\u9898|\u554f\u984c|\u95ee|\u554f)"
    r"(?: ?(?:#|no\.?|number)? ?\d{1,4}\b)?[*_]{0,3} ?[:\uff1a]"
    r"|\n#{1,6} ?\**(?:new |next |another )?(?:question|problem|exercise|example|user|human|instruction|input|prompt)"
    r"(?: ?\d{1,4})?\** ?(?=\n)",
    re.IGNORECASE,
)


def visible(completion: str) -> str:
    """What may hold the answer: without thinking, and without what follows a stop token or an invented question.

    A closing tag by itself makes thinking of all before it; an opening one that nothing closes, of all behind it. A
    new line stands where something was cut off, as it closes what stands before it.

    Raises:
        NoAnswer: thinking that never ends, or a text so long that it cannot be told whose answer its end holds.
    """
    text, thinking = completion, False
    if len(completion) > READ:
        head, text = completion[:-READ].lower(), completion[-READ:]
        thinking = any(head.rfind(f"<{name}>") > head.rfind(f"</{name}>") for name in _THOUGHT)
        if any(f"\n{word}:" in head for word in ("question", "q", "problem", "user", "human")):
            raise NoAnswer(f"an invented question more than {READ:,} characters before the end")
    if thinking or "<" in text or "[" in text or "\u25c1" in text:
        text = _without_thinking(text, thinking)
    if ":" in text or "\uff1a" in text or "#" in text:
        start = len(text) - len(text.lstrip())
        question = _QUESTION.search(text, start)
        if question:
            # A character of the answer may begin the match: the full stop or digit before "Q:".
            return text[: question.start() + (text[question.start()] != "\n")] + "\n"
    return text


def _without_thinking(text: str, thinking: bool) -> str:
    kept: list[str] = []
    at, stopped = 0, False
    for tag in _TAG.finditer(text):
        if tag.lastgroup == "close":
            if not thinking:
                kept, stopped = [], False
            thinking, at = False, tag.end()
        elif not (thinking or stopped):
            kept.append(text[at : tag.start()])
            at = tag.end()
            if tag.lastgroup == "open":
                thinking = True
            elif any(piece.strip() for piece in kept):
                kept.append("\n")
                stopped = True
    if thinking:
        raise NoAnswer("thinking that never ends")
    return "".join(kept) if stopped else "".join([*kept, text[at:]])
