"""The values of attributes as lines name them: colours, sizes, materials, prices, ages, names, numbers, counts.

Each function takes a line and the thing that is asked about, and gives the values that the line names, of whatever it
names them. Knows English words and no memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from planners.english.entailment import saying
from planners.english.grammar import WORD
from planners.english.vocabulary import COLOURS
from planners.english.words import FUNCTION_WORDS, NUMBER_WORDS, content_words, number_of, stem


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """`word`: by which a claim names it; `words`: as an answer tells it."""

    word: str
    words: str


Values = Callable[[str, str], list[Value]]

_COLOURS = "|".join(f"{COLOURS} turquoise violet beige golden silver cream maroon lilac crimson".split())
_MATERIALS = (
    "wood wooden oak pine beech walnut bamboo metal steel iron aluminium brass plastic glass leather wool woollen "
    "cotton silk linen velvet denim paper cardboard stone marble granite ceramic clay porcelain gold silver copper "
    "bronze rubber concrete brick straw felt"
)
_SIZES = (
    "big large huge giant enormous small little tiny miniature tall short high low narrow wide broad deep shallow long "
    "heavy light medium"
)
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_NUMBER = rf"(?:\d[\d.,]*\d|\d|(?:{_TENS})(?:[- ](?:{_ONES}))?|{'|'.join(NUMBER_WORDS)})"
_CURRENCY = r"euros?|dollars?|pounds?|bucks|cents?|pence|yuan|rmb|yen|francs?|kronor|\u20ac|\$|\u00a3"
_MONEY = re.compile(
    r"(?P<sign>[$\u20ac\u00a3\u00a5])\s?(?P<signed>\d[\d.,]*)|"
    rf"\b(?P<number>{_NUMBER}|a (?:hundred|thousand))\s?(?P<unit>{_CURRENCY})",
    re.I,
)
_MEASURE = re.compile(
    rf"\b(?P<number>{_NUMBER})\s?(?P<unit>mm|cm|m|km|centimet\w+|millimet\w+|met(?:er|re)s?|inch(?:es)?|feet|foot|kg|kilos?|"
    r"grams?|litres?|liters?|pounds?|tons?)\b",
    re.I,
)
_AGE = re.compile(
    rf"\b(?P<number>{_NUMBER})(?:[- ]years?[- ]olds?|\s+years? of age)?(?=\s*(?:[.,!;]|$)|"
    r"\s+(?:now|today|yesterday|already|and|but|last|next|this|in|on|years?)\b|[- ]years?)",
    re.I,
)
_BIRTHDAY = re.compile(r"\b(?P<ordinal>(?P<number>\d{1,3})(?:st|nd|rd|th)) birthday\b", re.I)
_NAME = r"[A-Z][\w'\u2019-]*(?: [A-Z][\w'\u2019-]*)*"
_NAMED = re.compile(
    r"\b(?:called|named|names? (?:is|was|are)|name['\u2019]s|calls? (?:it|him|her)|call (?:it|him|her))\s+(?:the\s+)?"
    rf"[\u201c\"]?(?P<name>{_NAME})"
)


def colours(text: str, thing: str) -> list[Value]:
    shade = r"(?:(?P<shade>light|dark|pale|bright|deep|navy)[- ])?"
    found = re.finditer(rf"\b{shade}(?P<colour>{_COLOURS})\b", text, re.I)
    return [Value(word=each["colour"].lower(), words=each.group().lower()) for each in found]


def materials(text: str, thing: str) -> list[Value]:
    return _listed(text, _MATERIALS)


def sizes(text: str, thing: str) -> list[Value]:
    return weights(text, thing) or _listed(text, _SIZES)


def weights(text: str, thing: str) -> list[Value]:
    """Numbers with a unit of measure."""
    return [Value(word=_last_word(each["number"]), words=each.group()) for each in _MEASURE.finditer(text)]


def prices(text: str, thing: str) -> list[Value]:
    return [
        Value(word=(each["signed"] or each["number"]).lower(), words=each.group()) for each in _MONEY.finditer(text)
    ]


def ages(text: str, thing: str) -> list[Value]:
    """`34`, `34 years old`, `his 34th birthday`; never a number of other things."""
    found = [Value(word=each["ordinal"].lower(), words=each["number"]) for each in _BIRTHDAY.finditer(text)]
    return found + [Value(word=_last_word(each["number"]), words=each["number"]) for each in _AGE.finditer(text)]


def numbers(text: str, thing: str) -> list[Value]:
    """Numbers beside the thing: `room 12`, `the room number is 12`."""
    heads = content_words(thing)[-1:]
    return [
        Value(word=each["number"], words=each["number"].strip())
        for head in heads
        for each in re.finditer(
            rf"\b{re.escape(head)}(?: number)?(?: is| was|:)? (?:number )?(?P<number>\d[\d -]*)", text, re.I
        )
    ]


def names(text: str, thing: str) -> list[Value]:
    """A name that a sentence gives, where it names the thing before."""
    heads = content_words(thing)[-1:]
    found: list[Value] = []
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        for each in _NAMED.finditer(sentence):
            before = {stem(word) for word in content_words(sentence[: each.start()])[-4:]}
            after = {stem(word) for word in content_words(sentence[each.start() : each.start("name")])}
            if heads and stem(heads[0]) in before | after:
                found.append(Value(word=each["name"], words=each["name"]))
    for head in heads:
        owned = rf"(?:my|our|the|his|her) {re.escape(head)}\b"
        beside = rf"\b{re.escape(head)},? (?P<after>{_NAME})|(?P<before>{_NAME})(?: is|,) {owned}"
        for each in re.finditer(beside, text):
            name = each["after"] or each["before"]
            if name.split()[0].lower() not in FUNCTION_WORDS:
                found.append(Value(word=name, words=name))
    return found


def counts(noun: str) -> Values:
    """Values of how many there are of what a noun names, a number before it or before one of its kind."""
    kinds = saying(stem(noun))

    def count(text: str, thing: str) -> list[Value]:
        words = WORD.findall(text)
        found: list[Value] = []
        for index, word in enumerate(words):
            value = number_of(word)
            near = words[index + 1 : index + 4]
            told = next((each for each in near if stem(each.lower()) in kinds), None)
            if value is None or told is None or any(number_of(each) is not None for each in near[: near.index(told)]):
                continue
            kind = "" if stem(told.lower()) == stem(noun) else f" ({told.lower()})"
            found.append(Value(word=word.lower(), words=f"{value:g}{kind}"))
        return found

    return count


def _last_word(number: str) -> str:
    """Of `thirty-four`, `four`: a claim holds one word, and the value was read from the line itself."""
    return re.findall(r"[a-z0-9]+", number.lower())[-1]


def _listed(text: str, words: str) -> list[Value]:
    found = re.finditer(rf"\b(?:{'|'.join(words.split())})\b", text, re.I)
    return [Value(word=each.group().lower(), words=each.group().lower()) for each in found]
