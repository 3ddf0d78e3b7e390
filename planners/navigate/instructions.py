"""Plain English directions to a route plan: turns, junctions counted on the way, where to stop.

A scan, not a grammar: marks (a turn, a junction, a stop) are found by pattern in the order of the text, and a small
state machine counts junctions between turns the way people do ("go through two lights and at the third turn left" is
three, not five). Knows no graph. What it misreads, the follower's priors have to bear: it never refuses a text that
has words. Cost: about 0.3 ms a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from planners.navigate.landmarks import Mention, find_mentions
from planners.navigate.route_plan import (
    Counting,
    Direction,
    JunctionKind,
    Landmark,
    Leg,
    Role,
    RoutePlan,
    Stop,
    StopKind,
)
from streammem.errors import InputError

MAX_CHARACTERS = 4000

_NUMBERS = {
    "one": 1,
    "two": 2,
    "both": 2,
    "couple": 2,
    "couple of": 2,
    "three": 3,
    "few": 3,
    "several": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
    "5th": 5,
    "6th": 6,
    "7th": 7,
    "8th": 8,
}
_SAME = {"this", "that", "these", "those", "here", "there", "it"}
_MODIFIER = (
    r"(?:the|a|an|your|this|that|these|those|another|more|very|next|following|last|immediate|single|"
    r"first|second|third|fourth|fifth|sixth|seventh|eighth|\d(?:st|nd|rd|th)|"
    r"one|two|both|three|four|five|six|seven|eight|nine|ten|few|several|couple|\d+|of|"
    r"traffic|stop|street|sets?|pairs?|double|doubled|big|large|small|major|main|quick|busy|upcoming|"
    r"[345]-?way|(?:three|four|five|six)-?way|[456]-?way|t|side|cross)"
)
_JUNCTION = re.compile(
    rf"(?P<modifiers>(?:\b{_MODIFIER}\b[\s-]+)*)"
    r"\b(?P<noun>stop-?lights?|traffic signals?|lights?|intersections?|crossings?|crossroads?|junctions?|"
    r"corners?|blocks?|crosswalks?|side streets?|cross streets?|street|streets|"
    r"set|sets|one|t|[tT]-?intersections?|t-?junctions?|[345]-?ways?|end of the (?:block|street|road))\b"
)
_PASS = re.compile(
    r"(?:through|thru|past|pass|passes|passing|by|cross|crossing|crossed|over|across|beyond|after|passed|ignore)"
    r"(?:\s+(?:straight|right|all|through|past|over|by|of|across|both|just|the))*\s*$"
)
_TO = re.compile(
    r"(?:\bto|\bat|until|till|reach|reaching|reached|hit|into|in|before|come|meet|approach|approaching|is|be|near|"
    r"are|when|entering|enter|see|of|this|and|,|\.|^|for|by|go|walk|down|has|have|get|proceed|continue|forward)"
    r"(?:\s+(?:you|just|right|up|come|get|to|the|upon|with|it|at|then|forward|ahead|straight))*\s*[,]?\s*$"
)
_CORNER_OF_PLACE = re.compile(r"(?:on|at)\s+(?:\w+\s+){0,3}$")
_TURN = re.compile(
    r"\b(?:"
    r"turn(?:ing|s)?\s+(?:(?:slightly|sharply|immediately|to|the|your|a|slight|hard|sharp|back|again|"
    r"directly|quickly|then|around)\s+){0,3}(?P<a>left|right|lef|rigth|righ)\b|"
    r"(?:mak|tak|hang|do)(?:e|es|ing)?\s+(?:(?:a|an|your|the|another|first|1st|next|immediate|quick|sharp|slight|hard|"
    r"second|2nd|third|3rd|available|possible|soft|very|following|small|short|big|wide|last|gradual|full|other|"
    r"one)\s+){0,4}(?P<b>left|right|lef|rigth)(?:[\s-]+hand)?\b(?!\s*(?:corner|side|of the))|"
    r"(?:go|goes|going|bear|bearing|veer|veering|head|heading|keep|stay|curve|angle|angling|walk|continue|slight|"
    r"follow|bend)\s+(?:(?:slightly|to|the|your|a|bit|immediately|little|slight)\s+){0,3}(?P<c>left|right)\b"
    r"(?!\s*(?:corner|side|hand|past|by|through|up|down|to\b|into|before|after|on\s+(?:past|through|by)))|"
    r"(?:then|immediate(?:ly)?|another|quick|and|first|next|immediately take)\s+(?:a\s+|an\s+|another\s+|"
    r"immediate(?:ly)?\s+|quick\s+|your\s+|the\s+|next\s+|first\s+)*(?P<d>left|right)\b"
    r"(?=\s*(?:[.,;]|and|at|onto|turn|again|after|then|immediately|$))"
    r")"
)
_UNREAL = re.compile(
    r"(?:before you(?: can)?|can|could|cannot|can't|don't|do not|not|want to|if you|after|as you|once you)\s+(?:\w+\s+)?$"
)
_STOP = re.compile(
    r"\b(?:stop(?:s|ping|ped)?(?!\s*-?\s*(?:light|sign|lights))\b(?<!bus stop)|destination|end point|endpoint|finish|"
    r"(?:the|your) goal|arriv(?:e|ed)|you(?:'re| are) (?:there|done|here))"
)
_BUS = re.compile(r"(?:bus|transit|subway|train|metro|tram|one|few|two)\s*$")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_JUNCTION_WORD = (
    r"(?:lights?|intersections?|crossings?|corner|junctions?|crosswalk|stop-?lights?|"
    r"(?:side |cross )?street|block ends?|end of the (?:block|street)|set of lights|t\b|t-intersection|turn)"
)
_GAP = r"(?:\s+[\w'/-]+){0,5}?\s+"
_STOP_PATTERNS: tuple[tuple[StopKind, re.Pattern[str]], ...] = (
    (
        "in_junction",
        re.compile(
            rf"\b(?:in|at|inside|on|into|to|reach(?:ing)?)\s+(?:the\s+)?(?:very\s+)?(?:middle|center|centre|center point)"
            rf"(?:{_GAP}){_JUNCTION_WORD}|\b(?:in|inside|into|within|under|underneath)\s+(?:the|this|that|next|it)"
            rf"(?:\s+\w+){{0,2}}?\s+(?:lights?|intersections?|crossing|crosswalk)|\bin (?:it|the middle)\b"
        ),
    ),
    (
        "before_junction",
        re.compile(
            rf"\b(?:before|short of|shy of|prior to|until (?:just )?before|from|as you (?:approach|near)|approaching)"
            rf"(?:{_GAP}|\s+){_JUNCTION_WORD}\b|\bdo not (?:go|enter|cross)|\bat the (?:very )?end of (?:the|this)"
            r" (?:long )?block"
        ),
    ),
    (
        "after_junction",
        re.compile(
            rf"\b(?:after|past|beyond|across|through|exiting|leaving|passing|crossing|cross|other side of|far side of)"
            rf"(?:{_GAP}|\s+){_JUNCTION_WORD}\b|\bother side\b|\bimmediately after\b|\bbeginning of the\b"
        ),
    ),
    ("after_turn", re.compile(r"\b(?:after|as|when|once)\s+(?:you\s+)?(?:the\s+|making\s+the\s+)?turn(?:ing)?\b")),
)
_PARTS: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"(?:3/4|¾|three[- ]quarters?|three[- ]fourths?)"), 0.75),
    (re.compile(r"(?:2/3|two[- ]thirds?)"), 0.67),
    (re.compile(r"(?:1/4|¼|(?:a|one)[- ]quarter|(?:one|a)[- ]fourth|quarter)"), 0.25),
    (re.compile(r"(?:1/3|(?:a|one)[- ]third|third of the way)"), 0.33),
    (re.compile(r"(?:almost|nearly|most of the way|not quite)\s+(?:all the way|to the end|the end)"), 0.9),
    (re.compile(r"(?:near|towards?|close to|almost (?:at|to)) the end|most of the way|second to last"), 0.85),
    (
        re.compile(
            r"(?:1/2|½|half|halfway|mid[ -]?way|mid[ -]?block|middle of (?:the|this) (?:\w+ )?block|center of the block)"
        ),
        0.5,
    ),
)
_CUES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "few steps": r"\b(?:few|couple(?: of)?|several|2|3|two|three) (?:more )?steps?",
        "a step": r"\b(?:a|one|1|single) step",
        "step or two": r"\bstep or (?:two|2|so)",
        "steps before": r"\b(?:steps?|feet) (?:before|from|short)",
        "first building": r"\b(?:first|1st) (?:building|store|shop)",
        "second building": r"\b(?:second|2nd) (?:building|store|shop)",
        "third building": r"\b(?:third|3rd|fourth|4th) (?:building|store|shop)",
        "last building": r"\blast (?:building|store|shop)|(?:building|store|shop)s? (?:just |right )?before the",
        "almost": r"\b(?:almost|nearly|not quite|just short|just shy)\b",
        "slightly less": r"\b(?:less|under|shy|short) (?:than|of) ",
        "slightly more": r"\b(?:more|over|little past|just past) (?:than )?(?:half|1/2|a half)",
        "end of block": r"\bend of (?:the|this|that) (?:\w+ )?(?:block|street|road)",
        "all the way": r"\ball the way",
        "down the block": r"\b(?:down|up|along|follow) (?:the|this|that) (?:\w+ )?(?:block|street|road)",
        "long": r"\blong\b",
        "immediately": r"\b(?:immediate(?:ly)?|right (?:after|there|away))\b",
        "just before": r"\b(?:just|right|shortly) (?:before|short)",
        "just after": r"\b(?:just|right|shortly) (?:after|past)",
        "beginning": r"\b(?:start|begin)s?(?:ning)?\b",
        "where it ends": r"\bends?\b",
        "then stop": r"\b(?:and|then),? stop[.]?$|\band stop there|,? then stop\b",
        "in front": r"\bin front of\b",
        "between": r"\bbetween\b",
        "approach": r"\b(?:approach|reach|near|get)(?:ing)? (?:to )?(?:the|a) (?:next )?(?:light|intersection|corner|end)",
        "too far": r"\btoo far\b",
        "side street": r"\b(?:side|cross) ?street",
        "middle": r"\b(?:middle|center)\b",
        "middle of the block": r"\b(?:middle|center) of (?:the|this) (?:\w+ )?block|mid[ -]?block",
        "corner": r"\bcorners?\b",
        "should see": r"\b(?:should|will|may|might) (?:see|be)\b",
        "ahead": r"\bahead\b",
        "next block": r"\bnext block\b",
        "park": r"\b(?:park|garden|playground)\b",
        "parking": r"\bparking\b",
        "bike": r"\bbike\b",
        "bus stop": r"\bbus stop\b",
        "pass": r"\bpass",
        "before": r"\bbefore\b",
        "after": r"\bafter\b",
    }.items()
}
_TURN_THERE = re.compile(
    r"^\s*(?:turn\s+)?(?:here\s+)?(?:immediately\s+|just\s+|right\s+)?(?:at|after|when|where|once|with|by|as|past)\b[^.;]*$"
)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Something of the route that the text names, where it stands."""

    kind: Literal["turn", "junction", "stop"]
    start: int
    end: int
    direction: Direction | None = None
    is_slight: bool = False
    passes: bool = False
    number: int | None = None
    ordinal: int | None = None
    is_next: bool = False
    is_same: bool = False
    junction: JunctionKind | None = None
    ends_street: bool = False
    is_vague: bool = False


@dataclass(slots=True)
class _Count:
    """Junctions counted since the last turn."""

    passed: int = 0
    reached: bool = False
    """Whether one stands at the junction after those passed."""
    counting: Counting = "unsaid"
    lights: int = 0
    kind: JunctionKind | None = None
    ends_street: bool = False

    @property
    def total(self) -> int:
        return self.passed + self.reached


def read_instructions(text: str) -> RoutePlan:
    """Reads written directions.

    Args:
        text: plain English, at most 4000 characters.

    Raises:
        InputError: there are no words, or too many.

    Example:
        >>> plan = read_instructions("Go through one light and turn left at the second. Stop before the next light.")
        >>> [(leg.turn, leg.junctions) for leg in plan.legs], plan.stop.kind
        ([('left', 2), (None, 0)], 'before_junction')
    """
    if not re.search(r"\w", text):
        raise InputError("The directions are empty; write where to turn and where to stop.")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"The directions have {len(text)} characters; at most {MAX_CHARACTERS} are read.")
    tidy = _tidy(text)
    lower = tidy.lower()
    marks = _marks(lower)
    legs, counts_at, count = _legs(lower, marks)
    stop_at, last_turn_end = _stop_span(lower, marks)
    stop = _stop(lower, stop_at=stop_at, last_turn_end=last_turn_end, marks=marks, count=count)
    landmarks = _landmarks(
        find_mentions(tidy),
        counts_at=counts_at,
        stop_at=stop_at,
        lower=lower,
        legs=legs,
        turns=[mark for mark in marks if mark.kind == "turn"],
    )
    return RoutePlan(legs=tuple(legs), stop=stop, landmarks=landmarks)


def _tidy(text: str) -> str:
    text = text.replace("\u2019", "'").replace("\n", " ").replace("(", ", ").replace(")", ", ")
    text = re.sub(r"\b(\d)\s+(way)\b", r"\1-\2", text)
    text = re.sub(r"\b(?:an? )?T[- ](?:shaped )?(?=intersection|junction)", " t-", text)
    return re.sub(r"\s+", " ", text).strip()


def _marks(lower: str) -> list[_Mark]:
    marks = [*_turn_marks(lower), *_junction_marks(lower), *_stop_marks(lower)]
    return sorted(marks, key=lambda mark: mark.start)


def _turn_marks(lower: str) -> list[_Mark]:
    marks: list[_Mark] = []
    for found in _TURN.finditer(lower):
        word = next(group for group in found.groups() if group)
        before = lower[max(0, found.start() - 22) : found.start()]
        if _UNREAL.search(before):
            continue
        loose = found.group("c") is not None or found.group("d") is not None
        if loose and re.search(r"\b(?:on|to) (?:the|your)\s*$", before):
            continue
        marks.append(
            _Mark(
                "turn",
                found.start(),
                found.end(),
                direction="left" if word.startswith("lef") else "right",
                is_slight=bool(re.search(r"slight|bear|veer|keep|stay|curve|angl|bend|follow", found.group())),
                ordinal=next((_ORDINALS[w] for w in re.findall(r"\w+", found.group()) if w in _ORDINALS), None),
            )
        )
    for found in re.finditer(
        r"\b(left|right)[- ](?:hand )?fork|fork(?: in the road)?,? (?:\w+ ){0,4}(left|right)", lower
    ):
        word = found.group(1) or found.group(2)
        if not any(mark.start <= found.end() and found.start() <= mark.end for mark in marks):
            direction: Direction = "left" if word == "left" else "right"
            marks.append(_Mark("turn", found.start(), found.end(), direction=direction, is_slight=True))
    return marks


def _junction_marks(lower: str) -> list[_Mark]:
    marks: list[_Mark] = []
    for found in _JUNCTION.finditer(lower):
        mark = _junction_mark(lower, found)
        if mark is not None:
            marks.append(mark)
    return marks


def _junction_mark(lower: str, found: re.Match[str]) -> _Mark | None:
    noun, modifiers = found.group("noun"), found.group("modifiers").split()
    words = [word for part in modifiers for word in part.split("-")] if noun != "t" else modifiers
    start = found.start("noun") if not modifiers else found.start()
    before = lower[max(0, start - 40) : start]
    after = lower[found.end() : found.end() + 24]
    ways = {number for number, way in zip(words, words[1:], strict=False) if way in {"way", "ways"}}
    numbered = [w for w in words if (w in _NUMBERS or w.isdigit()) and w not in ways]
    ordinals = [_ORDINALS[w] for w in words if w in _ORDINALS]
    is_next = bool({"next", "following", "immediate"} & set(words))
    is_corner_of_place = bool(re.search(r"\b(?:on|near|far|from|is|be|are)\s*$", before)) or bool(
        re.search(r"\b(?:left|right|near|far|hand|opposite)\s*$", before)
    )
    if noun in {"set", "sets", "one"}:
        if not (ordinals or is_next) or (noun == "one" and not re.search(r"\b(?:the|at|next)\b", " ".join(words))):
            return None
        if re.match(r"\s*(?:of|step|block|building|more|traffic|light|intersection|store|set)", after):
            return None
    if noun.startswith("corner") and (
        is_corner_of_place or not re.search(r"(?:\bto|\bat|until|reach|the)\s*$", before)
    ):
        return None
    if noun in {"street", "streets"}:
        if not (ordinals or (is_next and "the" in words)) or "side" in words:
            return None
    if noun.startswith("block") and not (
        numbered and re.search(r"(?:go|walk|for|straight|down|continue|head|after|past|pass)\s*$", before)
    ):
        return None
    if noun.startswith("crosswalk"):
        return None
    if noun == "t" and not re.search(r"(?:\bthe|\ba|of|at)\s*$", before + " ".join(words) + " "):
        return None
    if noun in {"light", "lights"} and re.match(r"\s*(?:blue|green|rail|house)", after):
        return None
    number = None
    if numbered:
        number = int(numbered[-1]) if numbered[-1].isdigit() else _NUMBERS[numbered[-1]]
        if number > 12:
            return None
    if numbered and "more" in words and not ordinals:
        is_next = True
    passes = bool(_PASS.search(before))
    return _Mark(
        "junction",
        start,
        found.end(),
        passes=passes,
        number=number,
        ordinal=ordinals[-1] if ordinals else None,
        is_next=is_next or "another" in words,
        is_same=bool(_SAME & set(words)),
        junction="light" if re.search(r"light|signal|set", noun) else "crossing",
        ends_street=noun in {"t", "end of the street", "end of the road"} or noun.startswith("t-"),
        is_vague=noun.startswith("end of"),
    )


def _stop_marks(lower: str) -> list[_Mark]:
    marks: list[_Mark] = []
    for found in _STOP.finditer(lower):
        if _BUS.search(lower[max(0, found.start() - 10) : found.start()]):
            continue
        marks.append(_Mark("stop", found.start(), found.end()))
    return marks


def _legs(lower: str, marks: list[_Mark]) -> tuple[list[Leg], list[tuple[int, int, int, bool]], _Count]:
    """The legs; for each place of the text where the count changes: (offset, leg, junctions, standing at one); and the
    count on the last leg."""
    legs: list[Leg] = []
    count = _Count()
    counts_at: list[tuple[int, int, int, bool]] = [(0, 0, 0, False)]
    stop_from = next((mark.start for mark in reversed(marks) if mark.kind == "stop"), len(lower))
    used: set[int] = set()
    last_turn: _Mark | None = None
    for position, mark in enumerate(marks):
        if position in used:
            continue
        if mark.kind == "turn":
            if last_turn is not None and _repeats(lower, last_turn, mark, count):
                continue
            following = marks[position + 1] if position + 1 < len(marks) else None
            if following is not None and _belongs_to_turn(lower, mark, following):
                _add(count, following)
                used.add(position + 1)
            elif mark.ordinal is not None:
                count.passed, count.reached, count.counting = max(count.passed, mark.ordinal - 1), True, "counted"
            _finish(legs, count, mark)
            count, last_turn = _Count(), mark
            counts_at.append((mark.start, len(legs), 0, False))
        elif mark.kind == "junction" and mark.start < stop_from:
            _add(count, mark)
            counts_at.append((mark.start, len(legs), count.total, count.reached))
    legs.append(
        Leg(turn=None, junctions=count.total, counting=count.counting, lights=count.lights, turn_kind=count.kind)
    )
    return legs, counts_at, count


def _repeats(lower: str, last: _Mark, mark: _Mark, count: _Count) -> bool:
    """Whether a turn is only told once more ("turn left ... as you turn left")."""
    between = lower[last.end : mark.start]
    return mark.direction == last.direction and not count.total and len(between) < 14 and "then" not in between


def _belongs_to_turn(lower: str, turn: _Mark, junction: _Mark) -> bool:
    """ "Turn left at the second light": the junction stands right after the turn and in its clause."""
    if junction.kind != "junction" or junction.passes:
        return False
    between = lower[turn.end : junction.start]
    return bool(
        re.fullmatch(
            r"\s*(?:turn\s+)?(?:again\s+)?(?:immediately\s+|right\s+)?(?:here\s+)?(?:at|when you (?:reach|get to|come to)|on|onto)?\s*(?:at)?\s*",
            between,
        )
    )


def _add(count: _Count, mark: _Mark) -> None:
    """Counts one mention of junctions."""
    number = mark.number or 1
    is_light = mark.junction == "light"
    if mark.is_same and count.total and not mark.ordinal:
        if mark.passes and count.reached:
            count.passed, count.reached = count.passed + 1, False
        return
    before = count.total
    if mark.passes:
        if mark.ordinal is not None and mark.number is None:
            count.passed = mark.ordinal if mark.ordinal > count.passed else count.passed + 1
        elif count.reached and not mark.is_next and mark.number is None:
            count.passed += 1  # "Go to the light ... go through the light"
        else:
            count.passed = count.total + number
        count.reached = False
        count.counting = "counted"
    else:
        if mark.ordinal is not None:
            count.passed = mark.ordinal - 1 if mark.ordinal > count.passed else count.total
            count.counting = "counted"
        elif mark.number is not None:
            count.passed = count.total + number - 1
            count.counting = "counted"
        elif count.reached and mark.is_next:
            count.passed += 1
            count.counting = "counted"
        elif count.counting == "unsaid":
            count.counting = "next"
        count.reached = True
    count.lights += max(0, count.total - before) * is_light
    count.kind = mark.junction if not mark.is_vague else count.kind
    count.ends_street = mark.ends_street and not mark.passes


def _finish(legs: list[Leg], count: _Count, turn: _Mark) -> None:
    total = count.total if count.reached else count.passed + 1
    legs.append(
        Leg(
            turn=turn.direction,
            junctions=total,
            counting=count.counting,
            lights=count.lights,
            is_slight=turn.is_slight,
            ends_street=count.ends_street,
            turn_kind=count.kind if count.reached else None,
        )
    )


def _stop_span(lower: str, marks: list[_Mark]) -> tuple[int, int]:
    """Where the talk of stopping begins, and where the last turn ends."""
    last_turn_end = max((mark.end for mark in marks if mark.kind == "turn"), default=0)
    stops = [mark.start for mark in marks if mark.kind == "stop"]
    after = [start for start in stops if start >= last_turn_end - 1]
    if after:
        return after[0], last_turn_end
    return (stops[-1] if stops else len(lower)), last_turn_end


def _stop(lower: str, *, stop_at: int, last_turn_end: int, marks: list[_Mark], count: _Count) -> Stop:
    tail = lower[stop_at:]
    clause = _SENTENCE.split(tail, maxsplit=1)[0]
    lead = _SENTENCE.split(lower[last_turn_end:stop_at])[-1]
    inside = [
        mark
        for mark in marks
        if mark.kind == "junction" and mark.start >= stop_at and mark.end <= stop_at + len(clause)
    ]
    passed, reaches = count.passed, count.reached
    kind: StopKind = "landmark"
    part: float | None = None
    best = len(clause) + 1
    for candidate, pattern in _STOP_PATTERNS:
        found = pattern.search(clause)
        if found and found.start() < best:
            kind, best = candidate, found.start()
    for pattern, share in _PARTS:
        found = pattern.search(clause) or (pattern.search(lead) if kind == "landmark" else None)
        if found and "intersection" not in clause[found.end() : found.end() + 20]:
            kind, part = "part_of_block", share
            break
    if kind == "landmark":
        named = bool(re.search(r"in front|next to|adjacent|when you|outside|near|by\b|at\b|before|after|past", clause))
        if inside and re.match(r"\w+\s+(?:right\s+)?(?:at|in|when|under|near)\b", clause):
            kind = "in_junction"
        elif not named and not count.total and stop_at - last_turn_end < 60:
            kind = "after_turn"
        elif not clause:
            kind = "in_junction" if count.total else "after_turn"
        elif not named and count.total:
            kind = "after_junction"
    if inside and kind in {"in_junction", "before_junction"}:
        ordinal = inside[0].ordinal
        passed = max(passed, ordinal - 1) if ordinal is not None else passed
        reaches = True
    words = lower[last_turn_end:]
    cues = tuple(name for name, pattern in _CUES.items() if pattern.search(words))
    return Stop(kind=kind, passed=passed, reaches=reaches, part=part, cues=cues)


def _landmarks(
    mentions: list[Mention],
    *,
    counts_at: list[tuple[int, int, int, bool]],
    stop_at: int,
    lower: str,
    legs: list[Leg],
    turns: list[_Mark],
) -> tuple[Landmark, ...]:
    landmarks: list[Landmark] = []
    stop_end = stop_at + len(_SENTENCE.split(lower[stop_at:], maxsplit=1)[0])
    for mention in mentions:
        leg, junctions, at_junction = next(found[1:] for found in reversed(counts_at) if found[0] <= mention.start)
        turn = next((mark for mark in reversed(turns) if mark.start <= mention.start), None)
        at_corner = mention.at_corner
        if turn is not None and leg and not junctions and _TURN_THERE.match(lower[turn.end : mention.start]):
            # "Turn left after passing X", "turn left at the light with X": X stands where one turns
            leg, junctions, at_junction = leg - 1, legs[leg - 1].junctions, True
        elif at_corner and leg and not junctions:
            leg, junctions, at_junction = leg - 1, legs[leg - 1].junctions, True
        sentence_start = max((m.end() for m in _SENTENCE.finditer(lower) if m.end() <= mention.start), default=0)
        sentence = lower[sentence_start : mention.end]
        role: Role
        if re.search(r"\bif you\b|too far|you(?:'ve| have) gone|you(?:'ll| will) have gone", sentence):
            role = "beyond"
        elif mention.start >= stop_at:
            role = "stop" if mention.start <= stop_end else "near"
        elif at_corner:
            role = "turn"
        else:
            role = "pass"
        landmarks.append(
            Landmark(
                name=mention.name,
                leg=leg,
                junctions=junctions,
                at_junction=at_junction,
                role=role,
                relation=mention.relation,
                is_proper=mention.is_proper,
                side=mention.side,
                at_corner=at_corner,
            )
        )
    return tuple(landmarks)
