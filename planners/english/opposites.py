"""Words that say the opposite of each other, where one denies the other: like and hate, pass and fail.

A sentence encoder finds `I hate it` and `I love it` alike, so they are told apart by this table. Words of liking are
many, and praise is one of them: who calls pottery wonderful does not hate it. Knows English only.
"""

from __future__ import annotations

import re

from planners.english.words import stem, stems_of, tokens

_LIKING = stems_of("love like enjoy adore fond fan keen")
_DISLIKING = stems_of("hate dislike detest loathe despise")
_PRAISE = stems_of(
    """favourite favorite passion passionate obsessed amazing great wonderful awesome fantastic delicious fun lovely
    best beautiful brilliant yummy tasty"""
)
_BLAME = stems_of("awful terrible horrible disgusting boring worst annoying gross nasty yucky")
_OPPOSITES = tuple(
    tuple(stems_of(side) for side in pair.split("|"))
    for pair in (
        "pass|fail flunk",
        "win|lose",
        "open|close shut",
        "married marry|single divorced unmarried",
        "alive|dead die",
        "remember|forget",
        "accept|refuse reject decline",
        "agree|disagree",
        "happy|sad unhappy upset",
        "full|empty",
        "safe|dangerous unsafe",
        "easy|hard difficult",
        "clean|dirty",
        "wet|dry",
        "awake|asleep",
        "indoors inside|outdoors outside",
    )
)
_LIKENESS = re.compile(
    r"\b(?:(?:look|feel|sound|smell|taste|seem|be|is|was|are|were|just|something|anything|things|stuff|people|places?|"
    r"more|much|nothing)(?:s|ed)?|felt|it['\u2019]s|that['\u2019]s|[.,;])\s+like\b|^like\b",
    re.I,
)
"""`Like` as a comparison. Of `things like that` nobody likes anything."""
_CANNOT_STAND = re.compile(r"\b(?:can(?:no|['\u2019])t|could(?:n['\u2019]t| not)) (?:stand|bear)\b", re.I)
_NEVER_ENOUGH = re.compile(r"\b(?:can(?:no|['\u2019])t|never) get enough of\b|\bnothing (?:beats|like)\b", re.I)


def plain_attitude(text: str) -> str:
    """The text with turns of phrase for liking and disliking as `like` and `hate`, and without likenesses."""
    return _LIKENESS.sub("as", _NEVER_ENOUGH.sub("love", _CANNOT_STAND.sub("hate", text)))


def attitude_asked(about: str) -> int:
    """Whether a target is about liking (1), about disliking (-1), or about neither (0)."""
    return _sign(about, _LIKING, _DISLIKING)


def attitude_in(text: str) -> int:
    """The same of what somebody says (see `plain_attitude`), where praise and blame count as well."""
    return _sign(text, _LIKING | _PRAISE, _DISLIKING | _BLAME)


def _sign(text: str, good: frozenset[str], bad: frozenset[str]) -> int:
    words = [stem(token.lower()) for token in tokens(text)]
    return next((1 if word in good else -1 for word in words if word in good | bad), 0)


def opposites_of(stemmed: str) -> frozenset[str]:
    """Stems of the words that deny one word; empty for most."""
    return frozenset[str]().union(
        *(other for pair in _OPPOSITES for one, other in (pair, pair[::-1]) if stemmed in one)
    )
