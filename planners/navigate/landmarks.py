"""Names of things that stand at places, found in written directions: `Duane Reade`, `bike rental`, `park`.

Proper names are runs of capitalised words inside a sentence; common ones come from a short list of kinds that writers
of directions use. Knows no graph and no route. Cost: a scan of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from planners.navigate.route_plan import Relation, Side

_COMMON = (
    r"bike[- ]?rentals?(?: station)?|bus (?:stop|station)s?|subway (?:entrance|station)s?|"
    r"parking (?:lot|garage|area)s?|"
    r"playground|post office|post box|mail ?box|fire station|police station|library|school|church|synagogue|cathedral|"
    r"park|garden|museum|theat(?:er|re)|hotel|hospital|pharmacy|bank|cemetery|fountains?|courtyard|gas station|"
    r"bakery|deli|cinema|courthouse|basketball court|tennis court|dog run|atm|university|college|"
    r"supermarket|hostel|plaza|monument|stadium|embassy|parking"
)
_WORD = r"(?:(?:St|Dr|Mr|Mrs|Mt|No|[A-Z])\.(?=\s?[A-Z0-9])|[A-Z0-9][\w'&+-]*(?:\.\w+)*)"
_LINK = r"(?:of|the|and|de|la|le|on|&|for|at|du|des|by|in|y|'n'|n'|\+)"
_MENTION = re.compile(
    rf"(?P<proper>{_WORD}(?:\s+{_LINK}(?:\s+the)?(?=\s+[A-Z0-9])|\s+{_WORD}|\s+&)*)|(?P<common>\b(?:{_COMMON})\b)"
)
_NOT_NAMES = frozenset(
    re.findall(
        r"\S+",
        """
        a an the go turn make take head walk continue pass stop proceed at you your there it this that if when
        after before then once keep follow start begin destination cross right left straight light lights next
        on in to with just do don't drive travel move hang stay t y i first second third fourth now be as by
        look watch get bear veer past through from near directly immediately possibly almost about end here
        ignore until reach enter should will may might come slow one two three 1 2 3 4 5 1/2 1/4 3/4 1st 2nd 3rd
        4th 5th 6th 4-way 3-way 2/3 1/3 arrive finally again both all so and or but for of going turning
        starting beginning t-intersection intersection you'll you're it's there's that's you've they here's
        sorry note what where while without not only leave exit advance over up down along notice also halfway
        half passing
        """,
    )
)
_OPENING = re.compile(r"(?:^|[.!?;:])\s*$")
_CLAUSE = re.compile(r"[.;,]\s")
_JOINED = re.compile(r"\s+(?:and|&)\s+")
"""Two names and one with an "and" in it look alike; both are taken apart, in directions and in memory alike."""
_SIDE = re.compile(
    r"^[\s,]*(?:\w+\s+){0,4}?(?:on|to|at|along)\s+(?:the|your)?\s*(?:far |near |same )*(left|right)\b"
    r"(?P<corner>[\w\s]{0,12}corner)?"
)
_AHEAD = re.compile(
    r"\b(?:before|short of|shy of|until|reach(?:ing)?|get(?:ting)? to|approach(?:ing)?|prior to|nearing)\s+"
    r"(?:\w+\s+){0,3}$"
)
_BEHIND = re.compile(r"\b(?:after|past|pass(?:ing|ed)?|beyond|by)\s+(?:\w+\s+){0,2}$")
_CORNER = re.compile(r"^[\s,]*(?:[\w'&]+\s+){0,6}?(?:on|at)\s+(?:\w+\s+){0,4}corners?\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A name in the text and what is said of where it stands."""

    name: str
    said: str
    start: int
    end: int
    side: Side
    at_corner: bool
    relation: Relation
    is_proper: bool


def find_mentions(text: str) -> list[Mention]:
    """Names in the order of the text, which must have its capital letters."""
    mentions: list[Mention] = []
    for found in _MENTION.finditer(text):
        start, is_proper = found.start(), found.group("proper") is not None
        rest = re.split(r"[.;]\s", text[found.end() : found.end() + 70], maxsplit=1)[0]
        side = _SIDE.match(rest)
        at_corner = _CORNER.match(rest) is not None or (side is not None and side.group("corner") is not None)
        if is_proper:
            start += _verb_length(found.group(), opens_sentence=bool(_OPENING.search(text[:start])))
        before = _CLAUSE.split(text[max(0, start - 40) : start].lower())[-1]
        relation: Relation = "before" if _AHEAD.search(before) else "after" if _BEHIND.search(before) else "at"
        for part in _JOINED.split(text[start : found.end()]) if is_proper else [found.group()]:
            name = landmark_name(part)
            if not name or name in _NOT_NAMES or re.fullmatch(r"\d+(?:st|nd|rd|th)?|\w", name):
                continue
            mentions.append(
                Mention(
                    name=name,
                    said=part,
                    start=start,
                    end=found.end(),
                    side="none" if side is None else ("left" if side.group(1) == "left" else "right"),
                    at_corner=at_corner,
                    relation=relation,
                    is_proper=is_proper,
                )
            )
    return mentions


def _verb_length(run: str, *, opens_sentence: bool) -> int:
    """How much of a run of capitalised words is not yet the name: `Turn at` of `Turn at Armani Exchange`."""
    words = list(re.finditer(r"\S+", run))
    kept = 0
    while kept < len(words):
        word = words[kept].group()
        small = word[0].islower() or (opens_sentence and kept == 0)
        if not (small or len(words) == 1) or word.lower().strip(".,'") not in _NOT_NAMES:
            break
        kept += 1
    return words[kept].start() if kept < len(words) else len(run)


def landmark_name(name: str) -> str:
    """A name as it is compared: lower case words without marks, the genitive, or articles."""
    lower = name.lower().replace("&", " and ").replace("'s", "s").replace("'", "")
    words = [word for word in re.findall(r"[\w]+", lower) if word not in {"the", "a", "an", "and"}]
    return " ".join(
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words
    )
