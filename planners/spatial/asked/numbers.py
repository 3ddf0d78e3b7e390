"""How many somebody says there are: `two cups`, `more than one book`, `no plates`, `a cup and two plates`.

Read from the words for what is asked about in a question of yes or no (`are there two cups on the table`); so is of
what there is more (`more cups than plates`). Patterns; knows no memory. Microseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from planners.english.words import NUMBER_WORDS, number_of

_BOUND = re.compile(
    r"^(?:(?P<least>at least|(?:no|not) (?:fewer|less) than)|(?P<over>more than|over)|"
    r"(?P<most>at most|(?:no|not) more than|up to)|(?P<under>fewer than|less than|under)|exactly|precisely|just|only) ",
    re.I,
)
_COUNT = re.compile(
    rf"(?:the )?(?P<number>{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))}|\d+|no|(?:a )?couple(?= of)|both|"
    r"several|multiple|an?)\b",
    re.I,
)
_NUMBER = re.compile(
    rf"{_COUNT.pattern}(?: or (?P<or>more|fewer|less))?(?P<of> of)?(?: the| my| our| your| these| those)? "
    r"(?P<thing>(?!or ).+)$",
    re.I,
)
_SPOKEN = {"no": 0, "couple": 2, "a couple": 2, "both": 2, "several": 2, "multiple": 2, "a": 1, "an": 1}
_OPEN = frozenset({"both", "several", "multiple", "a", "an"})
"""Said of more, too."""
_COMPARED = re.compile(
    r"^(?:(?P<more>more)|(?P<fewer>fewer|less)|as many) (?P<first>.+?) (?:than|as) (?:there are )?(?P<second>.+)$", re.I
)
_LYING = re.compile(r" (?:left|remaining|lying|standing|kept|stored|there)$", re.I)
_AND = re.compile(r"\s*,\s*(?:and )?|\s+and\s+", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """How many of a thing there are said to be."""

    thing: str
    least: int
    most: int | None = None
    """None: any more will do."""

    def holds(self, count: int) -> bool:
        """Whether so many are as many."""
        return self.least <= count and (self.most is None or count <= self.most)

    def is_open(self, count: int) -> bool:
        """Whether it would be otherwise if there were more than were counted."""
        return count < self.least or (self.most is not None and count <= self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Which of two things there are said to be more of. `relation`: how the first stands to the second."""

    first: str
    second: str
    relation: Literal["more", "fewer", "as many"]

    def holds(self, first: int, second: int) -> bool:
        """Whether it is so for these counts."""
        return {"more": first > second, "fewer": first < second, "as many": first == second}[self.relation]


def read_comparison(things: str) -> Comparison | None:
    """`more cups than plates`; None for any other phrase."""
    match = _COMPARED.match(things)
    if match is None:
        return None
    return Comparison(
        first=match["first"], second=match["second"],
        relation="more" if match["more"] else "fewer" if match["fewer"] else "as many",
    )  # fmt: skip


def names_number(things: str) -> bool:
    """Whether a phrase says how many it means: `two cups`, `a cup and a plate`; an article alone does not."""
    parts = _parts(things)
    counts = [match for one in parts if (match := _COUNT.match(_BOUND.sub("", one)))]
    is_bound = any(_BOUND.match(one) for one in parts)
    is_said = any(is_bound or match["number"].lower() not in {"a", "an"} for match in counts)
    return is_said or len(parts) == len(counts) > 1


def read_claims(things: str) -> tuple[Claim, ...] | None:
    """What a phrase claims, of each thing in it; None where it is not plain (`two or three cups`).

    Example:
        >>> read_claims("more than two cups and a plate")
        (Claim(thing='cups', least=3, most=None), Claim(thing='plate', least=1, most=None))
    """
    claims = [_claim_in(one) for one in _parts(things)]
    plain = [one for one in claims if one is not None]
    return tuple(plain) if len(plain) == len(claims) else None


def _parts(things: str) -> list[str]:
    """`both a cup and a plate`: `a cup`, `a plate`."""
    return _AND.split(re.sub(r"^both (?=.+ and )", "", things.strip(" ,?.!"), flags=re.I))


def _claim_in(part: str) -> Claim | None:
    bound = _BOUND.match(part)
    match = _NUMBER.match(part[bound.end() :] if bound else part)
    if match is None or re.search(r"\bor\b", match["thing"], re.I):
        return None
    word = match["number"].lower()
    number = _SPOKEN[word] if word in _SPOKEN else int(number_of(word) or 0)
    edge = (match["or"] or (bound.lastgroup if bound else "") or "").lower()
    thing = _LYING.sub("", match["thing"])
    match edge:
        case "least" | "more":
            return Claim(thing=thing, least=number)
        case "over":
            return Claim(thing=thing, least=number + 1)
        case "most" | "fewer" | "less":
            return Claim(thing=thing, least=0, most=number)
        case "under":
            return Claim(thing=thing, least=0, most=number - 1)
        case _:
            is_more_fine = bound is None and (word in _OPEN or (match["of"] is not None and "couple" not in word))
            return Claim(thing=thing, least=number, most=None if is_more_fine else number)
