r"""The unit of a value: ``5\text{ cm}^2``, ``\$5``, ``5 dollars``, ``90\degree``, ``50%``."""

import re

from factory.verifiers.mathematics.tree import FUNCTIONS, GREEK

PERCENT = "percent"

_ALIASES = {
    "mm": "millimeter millimetre", "cm": "centimeter centimetre", "m": "meter metre", "km": "kilometer kilometre",
    "in": "inch inche", "ft": "foot feet", "yd": "yard", "mi": "mile", "mg": "milligram", "g": "gram gramme gm",
    "kg": "kilogram kilo", "lb": "pound", "oz": "ounce", "ml": "milliliter millilitre mL", "l": "liter litre L",
    "s": "second sec", "min": "minute", "h": "hour hr", "day": "", "week": "", "month": "", "year": "yr",
    "dollar": "usd", "cent": "", "degree": "deg", PERCENT: "percentage pct", "unit": "", "radian": "rad",
    "mph": "", "gallon": "gal", "dime": "", "point": "", "euro": "",
}  # fmt: skip
_TOGETHER = {"mi/h": "mph", "degree fahrenheit": "fahrenheit", "degree celsius": "celsius"}
_UNITS = {alias: unit for unit, aliases in _ALIASES.items() for alias in (unit, *aliases.split())}
_CURRENCIES = ((r"\$", "dollar"), (r"\euro", "euro"), (r"\pounds", "pound sterling"))
_POWERS = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cu": 3, "cubed": 3}
_CHANGING = """
    or and not no nor to be is are was if but maybe perhaps about approximately approx around roughly nearly almost
    minus plus times negative positive over divided million billion trillion thousand hundred dozen half third
    quarter base mod modulo between than least most up from where when with for only each squared root integer
    may might could can any all none real even odd true false undefined yes infinity infinite more less by both
    either neither am pm jan feb mar apr jun jul aug sep sept oct nov dec january february march april june july
    august september october november december th st nd rd factorial choose below under
    halve fourth fifth sixth seventh eighth ninth tenth twelfth hundredth thousandth millionth
    zero one two three four five six seven eight nine ten eleven twelve twenty percentile fold double
"""
_NO_UNIT = frozenset(_CHANGING.split())
"""Words that change a value, or make it another thing: with one of them behind a number it is no value and unit."""

_TEXT_UNIT = re.compile(r"\s*\\text\s*\{([^{}]{1,60})\}\s*(?:\^\s*\{?\s*([23])\s*\}?)?\s*\.?")
_TYPED = re.compile(r"(?<=[\d)}\]])(\s*)([a-zA-Z][a-zA-Z ./]{1,40})(?:\^\s*\{?\s*([23])\s*\}?)?\s*\Z")
_WORDS = re.compile(r"[a-zA-Z]+(?:[ /-][a-zA-Z]+){0,4}(?:\^\{?[23]\}?)?")
_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)


def parted(text: str) -> tuple[str, str | None]:
    """A value without its unit, and the unit in one spelling; None if it has none, or what follows is no unit."""
    sign, rest = ("-", text[1:].lstrip()) if text.startswith("-") else ("", text)
    for mark, currency in _CURRENCIES:
        if rest.startswith(mark):
            value, unit = parted(rest.removeprefix(mark).strip())
            return (sign + value, currency) if unit in (None, currency) and value[:1] not in "-" else (text, None)
    for mark, unit in (*_CURRENCIES, ("%", PERCENT), (r"\degree", "degree")):
        if text.endswith(mark):
            return text.removesuffix(mark).strip(), unit
    at = text.rfind(r"\text")
    if at > 0:
        found = _TEXT_UNIT.fullmatch(text, at)
        named = _named(found[1], found[2]) if found else None
        return (text[:at].strip(), named) if named else (text, None)
    found = _TYPED.search(text)
    return _typed(text, found) if found else (text, None)


def known(words: str) -> bool:
    """Whether some words, in ``\text{}`` or typed, begin with a common unit."""
    found = re.search(r"[a-zA-Z%]+", words.removeprefix(r"\text"))
    word = found[0] if found else ""
    return word == "%" or (len(word) > 1 and word != "in" and (word in _UNITS or _singular(word) in _UNITS))


def _typed(text: str, found: re.Match[str]) -> tuple[str, str | None]:
    """A unit without a box of text around it: known, or a word of four letters and more behind a space."""
    first = re.split(r"[ ./]", found[2])[0]
    known = len(first) > 1 and (first in _UNITS or _singular(first) in _UNITS or first in _POWERS)
    word = found[1] and len(first) > 3 and _VOWEL.search(first) and first not in FUNCTIONS | GREEK
    if known or word:
        unit = _named(found[2], found[3])
        if unit:
            return text[: found.start()].strip(), unit
    return text, None


def _named(words: str, power: str | None) -> str | None:
    words = words.strip().rstrip(".").replace(" per ", "/").strip()
    said = re.split(r"[ /-]", words.lower().partition("^")[0])
    if not _WORDS.fullmatch(words) or not _NO_UNIT.isdisjoint([*said, *map(_singular, said)]):
        return None
    plain, _, inner = words.partition("^")
    degree = int(power or inner.strip("{}") or 1)
    sides = []
    for side in plain.split("/"):
        parts = [
            _UNITS.get(part) or _UNITS.get(_singular(part.lower())) or _singular(part.lower()) for part in side.split()
        ]
        for part in parts:
            degree *= _POWERS.get(part, 1)
        sides.append(" ".join(part for part in parts if part not in _POWERS))
    name = "/".join(sides)
    name = _TOGETHER.get(name, name)
    return None if "" in sides else f"{name}^{degree}" if degree > 1 else name


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word


def agree(gold: str | None, predicted: str | None) -> bool:
    """A missing unit is no fault; another one is."""
    return gold is None or predicted is None or gold == predicted
