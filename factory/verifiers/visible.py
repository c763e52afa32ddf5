"""What of a completion may hold its final answer: not its thinking, and nothing that follows an invented question."""

import re

from factory.verifiers.doubt import NoAnswer

READ = 16_000
"""Characters of a completion that are read, counted from its end."""

_THOUGHT = (
    *("think", "thinking", "thought", "thoughts", "reasoning", "reason", "reflection", "scratchpad", "analysis"),
    *("inner_monologue", "internal_monologue", "monologue", "rationale", "seed:think", "longcat_think", "cot"),
    *("chain_of_thought", "antthinking", "inner_thoughts", "plan", "planning", "draft", "deliberation"),
)
_NAMES = "|".join(_THOUGHT)
# One character begins all of them, which makes the search ten times as fast. A "<" beside another one is GSM8K's
# <<3*4=12>> and begins no tag.
_TAG = re.compile(
    rf"[<\[\u25c1](?<!<<)(?:(?P<open>(?:{_NAMES})(?:\s[^<>\n]{{0,100}})?[>\]\u25b7]"
    rf"|\|(?:(?:begin|start)_of_(?:thought|thinking)|(?:start_)?think(?:ing)?(?:_start)?)\|>"
    rf"|\|channel\|>(?:analysis|commentary))"
    rf"|(?P<close>\s?/\s?(?:{_NAMES})\s?[>\]\u25b7]"
    rf"|\|(?:end_of_(?:thought|thinking)|(?:end_|/)think(?:ing)?|think(?:ing)?_end)\|>|\|channel\|>final)"
    rf"|(?P<stop>/?(?:s|eos|bos|pad|eot|eod|eom|end|end_of_turn|start_of_turn|end_of_text|endoftext|stop|inst|sys)[>\]]"
    rf"|[|\uff5c](?!begin_of_solution|message|start_header|constrain)[^<>|\uff5c\s]{{1,40}}[|\uff5c]>))",
    re.IGNORECASE,
)
_LONE = re.compile(r"<(?!<)(?<!<<)")
_WORDS = (
    r"question|problem|q|exercise|example|user|human|student|customer|instruction|input|prompt|task|query|puzzle"
    r"|frage|aufgabe|pregunta|pergunta|domanda|\u95ee\u9898|\u554f\u984c|\u95ee|\u554f"
)
_QUESTION = re.compile(
    r"\n(?:[ \t>#*_\-]{0,8}(?:\d{1,3}[.)] ?)?"
    r"(?:(?:new|next|another|follow-?up|sample|practice|related|similar|bonus) )?"
    rf"(?:{_WORDS})(?: ?(?:#|no\.?|number)? ?\d{{1,4}}\b)?[*_]{{0,3}} ?[:\uff1a]"
    rf"|#{{1,6}} ?\**(?:new |next |another )?(?:{_WORDS})(?: ?\d{{1,4}})?\** ?(?=\n))",
    re.IGNORECASE,
)
_QUESTION_ON_THE_LINE = re.compile(r" (?<=[.!?\d})*] )\**(?:Question|Problem|Q|Human|User)(?: \d{1,4})?\**:")


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
        thinking = "<" in head and any(head.rfind(f"<{name}>") > head.rfind(f"</{name}>") for name in _THOUGHT)
        if any(f"\n{word}:" in head for word in ("question", "q", "problem", "user", "human")):
            raise NoAnswer(f"an invented question more than {READ:,} characters before the end")
    if thinking or may_be_tagged(text):
        text = _without_thinking(text, thinking)
    question = invented_question(text)
    return text if question is None else text[:question] + "\n"


def may_be_tagged(text: str) -> bool:
    """Whether a text may hold a tag: a quick look, so that most need no other."""
    return _LONE.search(text) is not None or "[" in text or "\u25c1" in text


def invented_question(text: str) -> int | None:
    """Where a model that does not stop begins the next question; the text's own beginning is none."""
    if ":" not in text and "\uff1a" not in text and "#" not in text:
        return None
    start = len(text) - len(text.lstrip())
    own = _QUESTION.search(text, start)
    beside = None
    if "Q" in text or "Problem" in text or "Human" in text or "User" in text:
        beside = _QUESTION_ON_THE_LINE.search(text, start)
    if own and beside:
        return min(own.start(), beside.start())
    found = own or beside
    return found.start() if found else None


def _without_thinking(text: str, thinking: bool) -> str:
    kept, at = "", 0
    stopped = False
    for tag in _TAG.finditer(text):
        if tag.lastgroup == "close":
            if not thinking:
                kept, stopped = "", False
            thinking, at = False, tag.end()
        elif not (thinking or stopped):
            kept += text[at : tag.start()]
            at = tag.end()
            thinking = tag.lastgroup == "open"
            if not thinking and not kept.isspace() and kept:
                kept += "\n"
                stopped = True
    if thinking:
        raise NoAnswer("thinking that never ends")
    return kept if stopped else kept + text[at:]
