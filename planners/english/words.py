"""Words as they are compared: tokens, stems, content words, names, numbers.

Knows English only (the Snowball stemmer and a list of function words); knows no embedding and no memory. Microseconds
per sentence; stems are cached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol, cast

_TOKEN = re.compile(r"[A-Za-z0-9]+(?:['\u2019][A-Za-z]+)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_CALLS = (
    r"\b(?:hey|hi|hello|thanks|thank you|wow|oh|okay|ok|yeah|yes|yep|no|sure|right|cool|great|congrats|bye|dear|well)"
)
_ARTICLE = re.compile(r"^(?:the|a|an|my|our|your|his|her|their|that|this|those|these|any|some)\s+", re.I)


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


FUNCTION_WORDS = _listed(
    """a an the and or but nor of to in on at by for from with without into onto over under about as than so such too
    is was were be been being am are do does did done doing has have had having will would shall should can could may
    might must he she it they we you i me my mine his her hers him its their them theirs us our ours your yours himself
    herself itself themselves myself yourself this that these those there here then now not no nor if because while
    what when where who whom whose which why how many much any some all each every both either neither other another
    more most less least very rather quite just even still also only again ever never else up down out off s t d ll ve
    re m don didn doesn isn wasn aren weren won let please okay oh uh um mr mrs ms mister"""
)
"""Words that carry grammar rather than content: never looked for."""

AUXILIARY = r"(?:(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|should|might)(?:n['\u2019]t)?)"
"""Pattern of the verbs that a question begins with."""

SCAFFOLD_WORDS = _listed(
    """someone somebody anyone anybody everyone everybody nobody something anything everything nothing thing things say
    says said saying tell tells told talk talks talked talking speak speaks spoke spoken speaking mention mentions
    mentioned mentioning discuss discusses discussed discussing hear heard see seen saw seeing look show shows shown
    appear appears appeared appearing visible happen happens happened happening occur occurs occurred video recording
    film clip footage moment time times scene memory picture view frame camera read written word words sentence
    sentences line lines mean recently lately"""
)
"""Words that people use to ask about a recording, not words of what they look for."""

_NUMBERS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty"""
NUMBER_WORDS = {word: value for value, word in enumerate(_NUMBERS.split())} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "ninety": 90,
    "hundred": 100,
    "dozen": 12,
}

_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth"
ORDINAL_WORDS = {word: value for value, word in enumerate(_ORDINALS.split(), start=1)}


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...


@lru_cache(maxsize=1)
def _stemmer() -> _Stemmer:
    library: Any = import_module("snowballstemmer")  # it has no type stubs
    return cast(_Stemmer, library.stemmer("english"))


_IRREGULAR = """began begun:begin bent:bend bit:bite blew:blow bought:buy broke broken:break brought:bring built:build
    caught:catch chose chosen:choose came:come drank drunk:drink drew drawn:draw drove driven:drive ate
    eaten:eat fell fallen:fall felt:feel fought:fight flew flown:fly forgot forgotten:forget gave given:give
    went gone:go grew grown:grow held:hold hid hidden:hide kept:keep knew known:know laid:lay lent:lend
    lit:light lost:lose made:make met:meet paid:pay ran:run rode ridden:ride rang rung:ring sang sung:sing
    sat:sit slept:sleep sold:sell sent:send shook shaken:shake spent:spend stood:stand stole stolen:steal
    stuck:stick swam swum:swim swept:sweep fed:feed kept:keep hung:hang got gotten:get dug:dig dealt:deal
    led:lead froze frozen:freeze bled:bleed bound:bind bred:breed chid:chide clung:cling crept:creep fled:flee
    leapt:leap meant:mean sought:seek shrank shrunk:shrink slid:slide spilt:spill spun:spin spoilt:spoil sprang
    sprung:spring stung:sting strode:stride struck:strike strung:string swore sworn:swear wept:weep wound:wind
    burnt:burn learnt:learn dreamt:dream swung:swing taught:teach thought:think threw thrown:throw took
    taken:take tore torn:tear understood:understand woke woken:wake won:win wore worn:wear wrote written:write"""


@lru_cache(maxsize=1)
def _present_of() -> dict[str, str]:
    """Present tense of irregular past forms, which no stemmer knows."""
    table: dict[str, str] = {}
    waiting: list[str] = []
    for item in _IRREGULAR.split():
        past, _, present = item.partition(":")
        waiting.append(past)
        if present:
            table |= dict.fromkeys(waiting, present)
            waiting.clear()
    return table


def irregular_verbs() -> frozenset[str]:
    """Present forms of verbs whose past is irregular."""
    return frozenset(_present_of().values())


def is_irregular_past(word: str) -> bool:
    """Whether a lower-case word is an irregular past form or participle that is not its present form too."""
    return _present_of().get(word, word) != word


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Snowball (Porter 2) stem of one lower-case word; `wrote` and `writes` have that of `write`."""
    return _stemmer().stemWord(_present_of().get(word, word))


def stems_of(words: str) -> frozenset[str]:
    """Stems of the words in a space-separated list."""
    return frozenset(stem(word) for word in words.split())


def tokens(text: str) -> list[str]:
    """Words in order with their case; hyphens split, possessive endings dropped (`John's` -> `John`)."""
    return [re.sub(r"['\u2019]s$", "", token) for token in _TOKEN.findall(text)]


def content_words(text: str, *, keep_scaffold: bool = False) -> list[str]:
    """Lower-case words that say what is looked for, in order, each once.

    Words such as "say" or "video" are left out unless nothing else is left, or `keep_scaffold`.
    """
    lowered = [token.lower() for token in tokens(text)]
    content = list(dict.fromkeys(word for word in lowered if word not in FUNCTION_WORDS))
    if keep_scaffold:
        return content
    return [word for word in content if word not in SCAFFOLD_WORDS] or content


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, each with the mark that ends it."""
    return _SENTENCE.split(" ".join(text.split()))


def sentences_about(text: str, about: str) -> list[str]:
    """The sentences of a text that have most words of what is asked; all of them where none has any."""
    sentences = split_sentences(text)
    wanted = {stem(word) for word in content_words(about)}
    shared = [len(wanted & {stem(word) for word in content_words(each)}) for each in sentences]
    most = max(shared, default=0)
    return [each for each, count in zip(sentences, shared, strict=True) if count == most]


def without_address(text: str, names: Iterable[str]) -> str:
    """A spoken line without names that it only calls somebody by.

    Example:
        >>> without_address("Hey Anna, I was at the sea. Anna slept, and Ben, too. Thanks, Anna!", ["anna"])
        ', I was at the sea. Anna slept, and Ben, too. !'
    """
    for name in names:
        called = re.escape(name)
        before, after = rf"(?:^|(?<=[.!?])\s+|{_CALLS},?\s+){called}\s*(?=[,.!?]|$)", rf",\s*{called}\s*(?=[.!?]|$)"
        text = re.sub(f"{before}|{after}", "", text, flags=re.I)
    return text


def bare(phrase: str) -> str:
    """A noun phrase without its article: `red mug` of `my red mug?`."""
    return _ARTICLE.sub("", phrase.strip(" ,?.!"))


def name_words(text: str) -> set[str]:
    """Lower-cased words that are written as names: capitalised, and not at the start of a sentence."""
    found: set[str] = set()
    for match in re.finditer(r"[A-Za-z]+", text):
        word = match.group()
        before = text[: match.start()].rstrip()
        starts_sentence = not before or before[-1] in ".?!:;\"“”'("
        if word[0].isupper() and len(word) > 1 and not starts_sentence and word.lower() not in FUNCTION_WORDS:
            found.add(word.lower())
    return found


def same_name(first: str | None, second: str) -> bool:
    """Whether two names share a word (`Shure` and `Mr Shure`)."""
    shared = {word.lower() for word in tokens(first or "")} & {word.lower() for word in tokens(second)}
    return bool(shared - FUNCTION_WORDS)


def number_of(word: str) -> float | None:
    """Value of a number in digits or words up to ninety; None for other words."""
    lowered = word.lower()
    if lowered in NUMBER_WORDS:
        return float(NUMBER_WORDS[lowered])
    try:
        return float(lowered)
    except ValueError:
        return None


def numbers_in(text: str) -> list[float]:
    """Every number in the text, in digits (`3`, `2.5`) or words (`three`)."""
    found = (number_of(token) for token in re.findall(r"\d+(?:\.\d+)?|[A-Za-z]+", text))
    return [value for value in found if value is not None]
