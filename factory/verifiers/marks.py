"""What marks a final answer: a box, a tag, ``####``, "answer is" and their like."""

import re
from typing import Literal

Mark = Literal["box", "tag", "line", "none"]

BOX = re.compile(r"\\(?:boxed|fbox)(?![a-zA-Z])\s{0,3}")
_OPEN = re.compile(r"<(?:final_)?answer>\s{0,9}", re.IGNORECASE)
_SAYS = (
    r"(?:\s(?:choice|option|letter|value|number))?(?:\s(?:to|for|of)(?:\s[\w'\"-]{1,20}){1,5}?)?"
    r"[*_`\"'\u201d)]{0,4}\s{0,3}"
    r"(?:(?:is|was|equals|must be|would be|will be|should be|lautet|ist|comes to)\b(?!['\u2019])"
    r"|[=:\uff1a\u2192\u21d2]|->|=>)"
)
_ANSWER = re.compile(rf"(?:nswer|ntwort){_SAYS}", re.IGNORECASE)
_HEADING = re.compile(r"[ \t#*_>]{0,8}(?:(?:the|my|final|correct)\s){0,3}a", re.IGNORECASE)
_HEADED = re.compile(r"nswer[*_#: \t]{0,8}\n", re.IGNORECASE)
_REMARK = re.compile(
    r"[\s*]{0,3}(?:(?:indeed|also|probably|therefore|thus|now) )?"
    r"(?:correct|right|reasonable|verified|confirmed|consistent|valid|plausible)\s{0,3}(?:[.!*]|\n|\Z)"
)
_STEMS = ("nswer", "####", "\\boxed", "\\fbox", "NSWER", "ntwort")


def last_mark(text: str) -> tuple[Mark, int, int] | None:
    """The last marker: its kind, where it begins, and where what it marks does. A remark on the answer counts only if
    there is no other."""
    at, last = -1, ""
    for stem in _STEMS:
        place = text.rfind(stem, at + 1)  # only behind the last one so far: mostly a few characters
        if place >= 0:
            at, last = place, stem
    found = _mark(text, last, at) if last else None
    if not last or (found and not _REMARK.match(text, found[2])):
        return found
    remark, places = found, {stem: text.rfind(stem) for stem in _STEMS}
    while True:
        places[last] = text.rfind(last, 0, at + len(last) - 1)
        last = max(places, key=places.__getitem__)
        at = places[last]
        if at < 0:
            return remark
        found = _mark(text, last, at)
        if found and not _REMARK.match(text, found[2]):
            return found
        remark = remark or found


def _mark(text: str, stem: str, at: int) -> tuple[Mark, int, int] | None:
    if stem == "####":
        return "line", at, at + 4
    if stem[0] == "\\":
        box = BOX.match(text, at)
        return ("box", at, box.end()) if box else None
    if at == 0 or text[at - 1] not in "aA":
        return None
    start = at - 1
    before = text[start - 1 : start]
    if before in (" ", "\n") and text.startswith("nswer is ", at):
        return "line", start, at + len("nswer is ")
    tag = text.rfind("<", max(0, start - 7), start)
    opened = _OPEN.match(text, tag) if tag >= 0 else None
    if opened and opened.end() > start:
        return "tag", tag, opened.end()
    if before.isalnum() or before == "_" or before == "/":
        return None
    says = _ANSWER.match(text, at)
    if says:
        return "line", start, says.end()
    headed = _HEADED.match(text, at)
    if headed and _HEADING.fullmatch(text, text.rfind("\n", 0, start) + 1, start + 1):
        return "line", start, headed.end()
    return None
