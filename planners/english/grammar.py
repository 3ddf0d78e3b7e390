"""Kinds of English words, and what a single word shows: whether it is past, which verb it is a form of.

Word lists and tests of one word; what sentences are made of them is told elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from planners.english.words import FUNCTION_WORDS, SCAFFOLD_WORDS, is_irregular_past, stem, stems_of


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


WORD = re.compile(r"[A-Za-z0-9]+(?:['\u2019][A-Za-z]+)?")
BE = _listed("is are was were am be been being isn't aren't wasn't weren't i'm i\u2019m")
LINKS = BE | _listed("become becomes became get gets got getting feel feels felt stay stays remain remains turned")
PAST_LINKS = _listed("was were wasn't weren't felt")
"""Links that say nothing of now; who became a nurse is one."""
AUXILIARIES = BE | _listed(
    """do does did don't doesn't didn't have has had haven't hasn't hadn't can can't cannot could couldn't will won't
    would wouldn't should shouldn't might may must"""
)
ADVERBS = _listed(
    """just also already really actually finally then still even never always often ever only both all now not recently
    almost quickly slowly carefully once soon usually sometimes accidentally probably definitely currently"""
)
PRONOUNS = _listed("i we he she they you it who everyone everybody nobody someone somebody anyone anybody no")
INDEFINITE = _listed("someone somebody anyone anybody everyone everybody people you we they he she it i one us me")
DETERMINERS = _listed("the a an my our your his her their this that these those some any every each no")
PREPOSITIONS = _listed(
    """in on at to from for with about into onto under behind by near beside inside outside against over through
    because that after before during without towards across like than as until while when if but except"""
)
PARTICLES = _listed("up out off on back down away over in around together")
APART = _listed("near behind under outside from without before after against off out past")
"""Prepositions that put a thing elsewhere than `at`, `in`, `to` or `with` it."""
OPPOSED = {"on": "off", "off": "on", "up": "down", "down": "up", "in": "out", "out": "in", "into": "out",
            "to": "from", "from": "to", "with": "without"}  # fmt: skip
PLACES = {
    "in": "in inside into at within",
    "inside": "in inside into",
    "on": "on onto upon",
    "at": "at in on by",
    "under": "under underneath below beneath",
    "behind": "behind",
    "near": "near by beside next at around",
    "next": "next beside by near",
    "beside": "beside next by near",
    "outside": "outside in",
    "to": "to in at",
    "from": "from",
}
"""Prepositions of a place, and those that put a thing there as well."""
PRESENT_OF = {"saw": "see", "seen": "see", "told": "tell", "said": "say", "heard": "hear", "left": "leave", "did": "do",
               "done": "do", "had": "have"}  # fmt: skip
"""Past forms that are other words as well."""
IT = _listed("it them her him this that those these one ones some both there")
MANAGED = stems_of("manage got able start begin continue happen learn")
"""`I managed to buy it`: what follows took place."""


def words_in(text: str) -> list[str]:
    """Words with their case and their apostrophes, curly ones made straight."""
    return [word.replace("\u2019", "'") for word in WORD.findall(text)]


def content_of(words: Sequence[str]) -> tuple[str, ...]:
    """The words that say something, lower-case, each once."""
    plain = [re.sub(r"'s$", "", word) for word in words]
    content = [word for word in plain if word not in FUNCTION_WORDS]
    return tuple(dict.fromkeys([word for word in content if word not in SCAFFOLD_WORDS] or content))


def is_short_for(name: str, other: str) -> bool:
    """`Mel` is Melanie."""
    if name == other:
        return True
    return (
        min(len(name), len(other)) >= 3 and (name.startswith(other) or other.startswith(name)) and name[0] == other[0]
    )


def verb_stem(word: str) -> str:
    """Stem of a lower-case word, read as a verb."""
    return stem(PRESENT_OF.get(word, word))


def is_past(word: str) -> bool:
    """Whether a lower-case word is a past form or participle."""
    return word.endswith("ed") or is_irregular_past(word) or word in PRESENT_OF or word in {"was", "were"}
