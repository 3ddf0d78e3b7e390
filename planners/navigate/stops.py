"""Where a text of directions says to stop: before, in or after a junction, on which part of the block, at a landmark.

Patterns over the sentence that speaks of stopping. Knows no graph. Cost: about 0.1 ms a text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from planners.navigate.marks import Mark
from planners.navigate.route_plan import Stop, StopKind

SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_JUNCTION_WORD = (
    r"(?:lights?|intersections?|crossings?|corner|junctions?|crosswalk|stop-?lights?|"
    r"(?:side |cross )?street|block ends?|end of the (?:block|street)|set of lights|t\b|t-intersection|turn)"
)
_GAP = r"(?:\s+[\w'/-]+){0,5}?\s+"
_STOP_PATTERNS: tuple[tuple[StopKind, re.Pattern[str]], ...] = (
    (
        "in_junction",
        re.compile(
            rf"\b(?:in|at|inside|on|into|to|reach(?:ing)?)\s+(?:the\s+)?(?:very\s+)?"
            rf"(?:middle|center|centre|center point)(?:{_GAP}){_JUNCTION_WORD}|"
            rf"\b(?:in|inside|into|within|under|underneath)\s+(?:the|this|that|next|it)"
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
            r"(?:1/2|½|half|halfway|mid[ -]?way|mid[ -]?block|middle of (?:the|this) (?:\w+ )?block|"
            r"center of the block)"
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
        "approach": r"\b(?:approach|reach|near|get)(?:ing)? (?:to )?(?:the|a) (?:next )?"
        r"(?:light|intersection|corner|end)",
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


def stop_start(lower: str, marks: Sequence[Mark]) -> tuple[int, int]:
    """Where the talk of stopping begins, and where the last turn ends."""
    last_turn_end = max((mark.end for mark in marks if mark.kind == "turn"), default=0)
    stops = [mark.start for mark in marks if mark.kind == "stop"]
    after = [start for start in stops if start >= last_turn_end - 1]
    if after:
        return after[0], last_turn_end
    return (stops[-1] if stops else len(lower)), last_turn_end


def read_stop(
    lower: str, *, stop_at: int, last_turn_end: int, marks: Sequence[Mark], passed: int, reaches: bool
) -> Stop:
    """Where to stop.

    Args:
        stop_at, last_turn_end: what `stop_start` says.
        passed, reaches: junctions that the text passes on the last leg, and whether it goes up to one more.
    """
    tail = lower[stop_at:]
    clause = SENTENCE.split(tail, maxsplit=1)[0]
    lead = SENTENCE.split(lower[last_turn_end:stop_at])[-1]
    inside = [
        mark
        for mark in marks
        if mark.kind == "junction" and mark.start >= stop_at and mark.end <= stop_at + len(clause)
    ]
    total = passed + reaches
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
        elif not named and not total and stop_at - last_turn_end < 60:
            kind = "after_turn"
        elif not clause:
            kind = "in_junction" if total else "after_turn"
        elif not named and total:
            kind = "after_junction"
    if inside and kind in {"in_junction", "before_junction"}:
        ordinal = inside[0].ordinal
        passed = max(passed, ordinal - 1) if ordinal is not None else passed
        reaches = True
    words = lower[last_turn_end:]
    cues = tuple(name for name, pattern in _CUES.items() if pattern.search(words))
    return Stop(kind=kind, passed=passed, reaches=reaches, part=part, cues=cues)
