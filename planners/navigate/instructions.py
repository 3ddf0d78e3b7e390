"""Plain English directions to a route plan: turns, junctions counted on the way, where to stop.

A scan, not a grammar: marks (a turn, a junction, a stop) are found by pattern in the order of the text, and a small
state machine counts junctions between turns the way people do ("go through two lights and at the third turn left" is
three, not five). Knows no graph. What it misreads, the follower's priors have to bear: it never refuses a text that
has words. Cost: about 0.6 ms a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from planners.navigate.landmarks import Mention, find_mentions
from planners.navigate.marks import Mark, find_marks
from planners.navigate.route_plan import Counting, JunctionKind, Landmark, Leg, Role, RoutePlan
from planners.navigate.stops import SENTENCE, read_stop, stop_start
from streammem.errors import InputError

MAX_CHARACTERS = 4000

_TURN_THERE = re.compile(
    r"^\s*(?:turn\s+)?(?:here\s+)?(?:immediately\s+|just\s+|right\s+)?(?:at|after|when|where|once|with|by|as|past)\b[^.;]*$"
)


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
    marks = find_marks(lower)
    legs, counts_at, count = _legs(lower, marks)
    stop_at, last_turn_end = stop_start(lower, marks)
    stop = read_stop(
        lower,
        stop_at=stop_at,
        last_turn_end=last_turn_end,
        marks=marks,
        passed=count.passed,
        reaches=count.reached,
    )
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


def _legs(lower: str, marks: list[Mark]) -> tuple[list[Leg], list[tuple[int, int, int, bool]], _Count]:
    """The legs; for each place of the text where the count changes: (offset, leg, junctions, standing at one); and the
    count on the last leg."""
    legs: list[Leg] = []
    count = _Count()
    counts_at: list[tuple[int, int, int, bool]] = [(0, 0, 0, False)]
    stop_from = next((mark.start for mark in reversed(marks) if mark.kind == "stop"), len(lower))
    used: set[int] = set()
    last_turn: Mark | None = None
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


def _repeats(lower: str, last: Mark, mark: Mark, count: _Count) -> bool:
    """Whether a turn is only told once more ("turn left ... as you turn left")."""
    between = lower[last.end : mark.start]
    return mark.direction == last.direction and not count.total and len(between) < 14 and "then" not in between


def _belongs_to_turn(lower: str, turn: Mark, junction: Mark) -> bool:
    """ "Turn left at the second light": the junction stands right after the turn and in its clause."""
    if junction.kind != "junction" or junction.passes:
        return False
    between = lower[turn.end : junction.start]
    return bool(
        re.fullmatch(
            r"\s*(?:turn\s+)?(?:again\s+)?(?:immediately\s+|right\s+)?(?:here\s+)?"
            r"(?:at|when you (?:reach|get to|come to)|on|onto)?\s*(?:at)?\s*",
            between,
        )
    )


def _add(count: _Count, mark: Mark) -> None:
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


def _finish(legs: list[Leg], count: _Count, turn: Mark) -> None:
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


def _landmarks(
    mentions: list[Mention],
    *,
    counts_at: list[tuple[int, int, int, bool]],
    stop_at: int,
    lower: str,
    legs: list[Leg],
    turns: list[Mark],
) -> tuple[Landmark, ...]:
    landmarks: list[Landmark] = []
    stop_end = stop_at + len(SENTENCE.split(lower[stop_at:], maxsplit=1)[0])
    for mention in mentions:
        leg, junctions, at_junction = next(found[1:] for found in reversed(counts_at) if found[0] <= mention.start)
        turn = next((mark for mark in reversed(turns) if mark.start <= mention.start), None)
        at_corner = mention.at_corner
        if turn is not None and leg and not junctions and _TURN_THERE.match(lower[turn.end : mention.start]):
            # "Turn left after passing X", "turn left at the light with X": X stands where one turns
            leg, junctions, at_junction = leg - 1, legs[leg - 1].junctions, True
        elif at_corner and leg and not junctions:
            leg, junctions, at_junction = leg - 1, legs[leg - 1].junctions, True
        sentence_start = max((m.end() for m in SENTENCE.finditer(lower) if m.end() <= mention.start), default=0)
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
                said=mention.said,
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
