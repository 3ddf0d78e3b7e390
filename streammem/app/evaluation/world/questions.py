"""Questions with known answers about a generated life: six kinds, each over several moments, all of them named.

The kinds are those of a published benchmark of week-long memory (EgoMemReason): entity memory (states that add up,
counts in time), event memory (order, links), behaviour memory (where, when). An answer uses only what ended before the
question is asked; its evidence is every moment that has to be known to work it out. A question whose answer is not
clear-cut (a habit that is kept half of the time, an order of things at the same minute) is not asked.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import Literal, get_args

from streammem.app.evaluation.world import cast
from streammem.app.evaluation.world.life import DAY_S, ME, Happening, Life
from streammem.app.evaluation.world.wording import POSSESSIVE

QuestionKind = Literal[
    "CumulativeState", "TemporalCounting", "EventOrdering", "EventLinking", "SpatialPreference", "ActivityPattern"
]
KINDS: tuple[QuestionKind, ...] = get_args(QuestionKind)
CHOICES = 4
_CLEAR_SHARE, _CLEAR_LEAD, _SEEN_OFTEN = 0.6, 2.0, 3
"""A habit is asked for when it holds for most of at least three times, twice as often as anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """In the words and fields of the evaluation's question files."""

    id: str
    type: QuestionKind
    asked_at: int
    question: str
    choices: tuple[str, ...]
    answer: str
    """Letter of the right choice."""
    evidence: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Draft:
    shape: str
    """What sort of question: every sort gets its share, however many drafts it has."""
    question: str
    right: str
    wrong: tuple[str, ...]
    moments: tuple[Happening, ...]


def ask(dice: random.Random, life: Life, *, per_kind: int) -> list[Question]:
    """At most `per_kind` questions of each kind, at moments spread over the later part of the life; no two the same."""
    times = _times_to_ask(dice, life, 4 * per_kind)
    makers: dict[QuestionKind, Callable[[random.Random, Life, list[Happening], int], Iterator[_Draft]]] = {
        "CumulativeState": _states,
        "TemporalCounting": _counts,
        "EventOrdering": _orders,
        "EventLinking": _links,
        "SpatialPreference": _where_usually,
        "ActivityPattern": _patterns,
    }
    questions: list[Question] = []
    for kind, make in makers.items():
        asked: set[str] = set()
        for asked_at in dice.sample(times, len(times)):
            if len(asked) >= per_kind:
                break
            past = [one for one in life.happenings if one.span_s[1] < asked_at]
            drafts = [draft for draft in make(dice, life, past, asked_at) if draft.question not in asked]
            if not drafts:
                continue
            shape = dice.choice(sorted({draft.shape for draft in drafts}))
            draft = dice.choice([draft for draft in drafts if draft.shape == shape])
            asked.add(draft.question)
            questions.append(_finished(dice, draft, kind=kind, asked_at=asked_at, number=len(questions) + 1))
    return sorted(questions, key=lambda one: (one.asked_at, one.id))


def _times_to_ask(dice: random.Random, life: Life, count: int) -> list[int]:
    """From the end of the first third on; also on days when nothing happened."""
    first = life.active_days[len(life.active_days) // 3]
    last = life.active_days[-1] + 1
    days = [dice.randint(first, last) for _ in range(count)]
    return sorted((day - 1) * DAY_S + int(dice.uniform(22.4, 23.5) * 3600) for day in days)


def _finished(dice: random.Random, draft: _Draft, *, kind: QuestionKind, asked_at: int, number: int) -> Question:
    choices = [draft.right, *draft.wrong]
    assert len(set(choices)) == CHOICES, draft
    dice.shuffle(choices)
    spans = sorted({one.span_s for one in draft.moments})
    return Question(
        id=f"w{number:03d}", type=kind, asked_at=asked_at, question=draft.question, choices=tuple(choices),
        answer="ABCD"[choices.index(draft.right)], evidence=tuple(spans),
    )  # fmt: skip


# --- states that add up -----------------------------------------------------------------------------------------------


def _states(dice: random.Random, life: Life, past: list[Happening], asked_at: int) -> Iterator[_Draft]:
    for item, told in _by_thing(past, "stock").items():
        counted = next((number for number, one in enumerate(told) if one.total is not None), None)
        if counted is None or len(told) - counted < 3:
            continue
        left = (told[counted].total or 0) + sum(one.amount for one in told[counted + 1 :])
        wrong = dice.sample([n for n in range(max(0, left - 4), left + 6) if n != left], 3)
        yield _Draft(
            "supply", f"How many {item} do we have left now?", str(left), tuple(map(str, wrong)), tuple(told[counted:])
        )
    for thing, told in _by_thing(past, "move").items():
        if len(told) >= 2:
            wrong = _others(dice, told[-1].place, [one.place for one in told[-4:-1]], life.rooms)
            yield _Draft("where", f"Where is the {thing} now?", f"In the {told[-1].place}", _in(wrong), (told[-1],))
            yield from _moved_before(dice, life, thing, told)
    for thing, told in _by_thing(past, "hand").items():
        if len(told) >= 2:
            taker = told[-1].other
            wrong = _others(dice, taker, [one.actor for one in told], life.people)
            yield _Draft("holder", f"Who has the {thing} now?", _who(taker), tuple(map(_who, wrong)), (told[-1],))
    yield from _on_the_list(dice, past)


def _moved_before(dice: random.Random, life: Life, thing: str, told: list[Happening]) -> Iterator[_Draft]:
    if len(told) >= 3:
        wrong = _others(dice, told[-2].place, [one.place for one in told], life.rooms)
        question = f"Where was the {thing} before it was moved to where it is now?"
        yield _Draft("where before", question, f"In the {told[-2].place}", _in(wrong), tuple(told[-2:]))
        places = len({one.place for one in told})
        numbers = dice.sample([n for n in range(1, places + 5) if n != places], 3)
        question = f"In how many different rooms has the {thing} been put so far?"
        yield _Draft("rooms", question, str(places), tuple(map(str, numbers)), tuple(told))


def _on_the_list(dice: random.Random, past: list[Happening]) -> Iterator[_Draft]:
    told = [one for one in past if one.kind == "list"]
    last = {one.thing: one for one in told}
    still = [item for item, one in last.items() if one.amount > 0]
    gone = [item for item, one in last.items() if one.amount < 0]
    if still and len(gone) >= 3:
        right, wrong = dice.choice(still), dice.sample(gone, 3)
        moments = [one for one in told if one.thing in (right, *wrong)]
        yield _Draft("list", "Which of these is still on the shopping list?", right, tuple(wrong), tuple(moments))
    if gone and len(still) >= 3:
        right, wrong = dice.choice(gone), dice.sample(still, 3)
        moments = [one for one in told if one.thing in (right, *wrong)]
        yield _Draft(
            "list", "Which of these was crossed off the shopping list again?", right, tuple(wrong), tuple(moments)
        )


# --- counts -----------------------------------------------------------------------------------------------------------


def _counts(dice: random.Random, life: Life, past: list[Happening], asked_at: int) -> Iterator[_Draft]:
    today = asked_at // DAY_S + 1
    first = dice.randint(max(1, today - 9), today)
    windows = (
        ("so far", 1, today),
        ("today", today, today),
        (f"since the start of day {first}", first, today),
        (f"up to and including day {first}", 1, first),
    )
    for words, from_day, to_day in windows:
        within = [one for one in past if from_day <= one.day <= to_day]
        for habit in life.habits:
            if habit.kind != "chore":
                continue
            moments = [one for one in within if one.deed == habit.deed and one.actor == habit.owner]
            who = "have I" if habit.owner == ME else f"has {habit.owner}"
            yield from _counted(dice, "chore", f"How many times {who} {_perfect(habit.deed.past)} {words}?", moments)
        for place in sorted({one.place for one in within if one.kind == "errand"}):
            moments = [one for one in within if one.kind == "errand" and one.place == place]
            who = "have I" if moments[0].actor == ME else f"has {moments[0].actor}"
            yield from _counted(dice, "errand", f"How many times {who} been to the {place} {words}?", moments)
        for thing, moments in _by_thing(within, "move").items():
            yield from _counted(dice, "moved", f"How many times has the {thing} been moved {words}?", moments)


def _counted(dice: random.Random, shape: str, question: str, moments: Sequence[Happening]) -> Iterator[_Draft]:
    if len(moments) >= 2:
        count = len(moments)
        wrong = dice.sample([n for n in range(max(0, count - 3), count + 4) if n != count], 3)
        yield _Draft(shape, question, str(count), tuple(map(str, wrong)), tuple(moments))


# --- order ------------------------------------------------------------------------------------------------------------


def _orders(dice: random.Random, life: Life, past: list[Happening], asked_at: int) -> Iterator[_Draft]:
    told = [one for one in past if one.kind == "rare"]
    if len(told) < CHOICES:
        return
    four = sorted(dice.sample(told, CHOICES), key=lambda one: one.t_s)
    names = [_rare_name(one) for one in four]
    if min(later.t_s - sooner.t_s for sooner, later in pairwise(four)) < 600:
        return
    yield _Draft("first", "Which of these happened first?", names[0], tuple(names[1:]), tuple(four))
    yield _Draft("last", "Which of these happened last?", names[-1], tuple(names[:-1]), tuple(four))
    orders = [" → ".join(order) for order in permutations(names[:3])]
    wrong = dice.sample(orders[1:], 3)
    yield _Draft("order", "In which order did these happen?", orders[0], tuple(wrong), tuple(four[:3]))
    middle = dice.choice(four[1:3])
    later = four[-1] if middle is four[2] else four[2]
    question = f"Which of these happened between {_rare_name(four[0])} and {_rare_name(later)}?"
    if middle is not later:
        outside = [_rare_name(one) for one in told if not four[0].t_s <= one.t_s <= later.t_s]
        if len(outside) >= 3:
            between = four[1]
            wrong = dice.sample(outside, 3)
            yield _Draft("between", question, _rare_name(between), tuple(wrong), (four[0], between, later))


def _rare_name(one: Happening) -> str:
    noun = cast.RARE[one.number][1]
    return f"{'my' if one.actor == ME else one.actor + chr(39) + 's'} {noun}"


# --- links ------------------------------------------------------------------------------------------------------------


def _links(dice: random.Random, life: Life, past: list[Happening], asked_at: int) -> Iterator[_Draft]:
    starts = {one.number: one for one in past if one.kind == "story_start"}
    ends = {one.number: one for one in past if one.kind == "story_end"}
    whole = [(starts[number], ends[number]) for number in starts if number in ends]
    for start, end in whole:
        giver = "I" if start.actor == ME else start.actor
        if start.story == "repair":
            wrong = _others(dice, end.actor, [one.actor for one in starts.values()], life.people)
            question = f"Who repaired what {giver} broke on day {start.day}?"
            if _alone(start, starts.values()) and end.actor not in wrong:
                yield _Draft("repair", question, _who(end.actor), tuple(map(_who, wrong)), (start, end))
        elif start.story == "borrow":
            whys = [one.other for one in [*starts.values(), *ends.values()] if one.story == "borrow"]
            wrong = _others(dice, start.other, whys, [why for _, why in cast.TOOLS_FROM_OUTSIDE])
            question = f"What was the tool that {giver} borrowed on day {start.day} used for?"
            if _alone(start, starts.values()):
                yield _Draft("borrow", question, _capital(start.other), tuple(map(_capital, wrong)), (start, end))
        elif start.story == "present":
            takers = [one.other for one in ends.values() if one.story == "present"]
            wrong = _others(dice, end.other, takers, life.people)
            question = f"Who was given what {giver} bought at the {start.other} on day {start.day}?"
            yield _Draft("present", question, _who(end.other), tuple(map(_who, wrong)), (start, end))
        elif start.story == "parcel":
            things = [one.thing for one in ends.values() if one.story == "parcel"]
            wrong = _others(dice, end.thing, things, cast.PARCEL_CONTENTS)
            question = f"What was in the parcel that {giver} put on the shelf on day {start.day}?"
            if _alone(start, starts.values()):
                yield _Draft("parcel", question, _capital(end.thing), tuple(map(_capital, wrong)), (start, end))


def _alone(start: Happening, starts: Iterable[Happening]) -> bool:
    """Whether the question's words name this story and no other."""
    return sum((one.story, one.actor, one.day) == (start.story, start.actor, start.day) for one in starts) == 1


# --- habits -----------------------------------------------------------------------------------------------------------


def _where_usually(dice: random.Random, life: Life, past: list[Happening], asked_at: int) -> Iterator[_Draft]:
    for habit in life.habits:
        told = [one for one in past if one.kind == "pastime" and one.deed == habit.deed and one.actor == habit.owner]
        usual = _clear([one.place for one in told])
        if usual is not None:
            does = "do I" if habit.owner == ME else f"does {habit.owner}"
            wrong = _others(dice, usual, [one.place for one in told], life.rooms)
            question = f"Where {does} usually {habit.deed.base}?"
            yield _Draft("where", question, f"In the {usual}", _in(wrong), tuple(told))
            favourite = f"Which room is {_owner(habit.owner)} favourite place to {habit.deed.base}?"
            yield _Draft("favourite", favourite, f"The {usual}", tuple(f"The {room}" for room in wrong), tuple(told))


def _patterns(dice: random.Random, life: Life, past: list[Happening], asked_at: int) -> Iterator[_Draft]:
    parts = [words for words, _ in cast.DAY_PARTS]
    for habit in life.habits:
        told = [one for one in past if one.deed == habit.deed]
        own = [one for one in told if one.actor == habit.owner]
        usual = _clear([str(_part_of(one)) for one in own])
        if usual is not None:
            does = "do I" if habit.owner == ME else f"does {habit.owner}"
            right = _capital(parts[int(usual)])
            wrong = tuple(_capital(part) for number, part in enumerate(parts) if number != int(usual))
            yield _Draft("when", f"At what time of day {does} usually {habit.deed.base}?", right, wrong, tuple(own))
        owner = _clear([one.actor for one in told])
        if owner is not None and habit.kind == "chore":
            wrong = _others(dice, owner, [one.actor for one in told], life.people)
            base = _third_person(habit.deed.base)
            yield _Draft("who", f"Who usually {base}?", _who(owner), tuple(map(_who, wrong)), tuple(told))


def _part_of(one: Happening) -> int:
    hour = one.t_s % DAY_S / 3600
    return min(range(len(cast.DAY_PARTS)), key=lambda part: abs(sum(cast.DAY_PARTS[part][1]) / 2 - hour))


def _clear(values: Sequence[str]) -> str | None:
    """The usual value, where there is one that nobody would argue with."""
    ranked = Counter(values).most_common()
    if not ranked or ranked[0][1] < _SEEN_OFTEN or ranked[0][1] < _CLEAR_SHARE * len(values):
        return None
    if len(ranked) > 1 and ranked[0][1] < _CLEAR_LEAD * ranked[1][1]:
        return None
    return ranked[0][0]


# --- words ------------------------------------------------------------------------------------------------------------


def _by_thing(past: Sequence[Happening], kind: str) -> dict[str, list[Happening]]:
    found: dict[str, list[Happening]] = {}
    for one in past:
        if one.kind == kind:
            found.setdefault(one.thing, []).append(one)
    return found


def _others(dice: random.Random, right: str, likely: Sequence[str], pool: Sequence[str]) -> tuple[str, ...]:
    """Three wrong answers: first what also happened, then what could have."""
    near = [one for one in dict.fromkeys(likely) if one != right]
    far = [one for one in pool if one != right and one not in near]
    dice.shuffle(near)
    dice.shuffle(far)
    return tuple((near + far)[: CHOICES - 1])


def _in(rooms: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"In the {room}" for room in rooms)


def _who(person: str) -> str:
    return "Me" if person == ME else person


def _owner(person: str) -> str:
    return POSSESSIVE[ME] if person == ME else f"{person}'s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _perfect(past: str) -> str:
    """`took out` is `taken out` after have."""
    return past.replace("took", "taken", 1) if past.startswith("took") else past


def _third_person(base: str) -> str:
    verb, _, rest = base.partition(" ")
    ending = "es" if verb.endswith(("ch", "sh", "s", "x", "o")) else "ies" if verb.endswith("y") else "s"
    return f"{verb[:-1] if ending == 'ies' else verb}{ending} {rest}".strip()
