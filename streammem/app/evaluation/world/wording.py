"""Puts what happened into lines: a first-person narration and what people say, with the chatter of a real day around.

Every kind of happening has several wordings, some only said. Around them stand lines that must not be taken for one:
plans, questions, guesses, memories of earlier happenings, things merely looked at.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from streammem.app.evaluation.world import cast
from streammem.app.evaluation.world.life import DAY_S, ME, Happening, Life, hours_of

POSSESSIVE = {name: possessive for name, _, possessive in cast.PEOPLE} | {ME: "my"}
PRONOUN = {name: pronoun for name, pronoun, _ in cast.PEOPLE} | {ME: "I"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a caption track; seconds since day 1, 00:00."""

    start: int
    end: int
    kind: Literal["caption", "transcript"]
    text: str


_MOVED = (
    "{A} put the {thing} in the {place}.",
    "{A} carried the {thing} over to the {place} and left it there.",
    "{A_is} putting the {thing} away in the {place}.",
    "The {thing} goes into the {place} now, {A} took it there.",
    "{A} took the {thing} and brought it to the {place}.",
    "say: I've moved the {thing} to the {place}.",
    "say: The {thing} is in the {place} now, I just put it there.",
)
_HANDED = (
    "{A} handed the {thing} to {B}.",
    "{A} gave {B} the {thing}.",
    "{A_is} passing the {thing} to {B}.",
    "{B} took the {thing} from {A_obj}.",
    "{A} left the {thing} with {B}.",
)
_COUNTED = (
    "{A} counted the {thing}: there are {total}.",
    "say: We have {total} {thing} at the moment.",
    "There are {total} {thing} left, {A} counted them.",
)
_BOUGHT = (
    "{A} came back with {n} {thing} and put them away.",
    "say: I bought {n} more {thing}.",
    "{A} added {n} fresh {thing} to the drawer.",
)
_USED = (
    "{A} used {n} of the {thing}.",
    "{A} took {n} {thing} out and used them up.",
    "say: I used {n} of the {thing} just now.",
)
_LISTED = (
    "{A} wrote {thing} on the shopping list.",
    "{A} added {thing} to the list on the fridge.",
    "say: I put {thing} on the shopping list.",
)
_CROSSED = (
    "{A} crossed {thing} off the shopping list.",
    "say: You can strike {thing} from the list, I got it.",
    "{A} took {thing} off the list on the fridge.",
)
_CHORE = (
    "{A} {past}.",
    "{A_is} {ing}.",
    "Now {A_is_low} {ing}.",
    "{A} just {past}.",
    "{A_is} busy {ing} again.",
)
_PASTIME = (
    "{A_is} {ing} in the {place}.",
    "{A} sat down in the {place} and {past} for a while.",
    "In the {place}, {A_is_low} {ing}.",
    "{A} went to the {place} and {past}.",
)
_ERRAND = (
    "{A} went to the {place}.",
    "{A_is} walking over to the {place}.",
    "{A} came back from the {place}.",
    "say: I've been to the {place}.",
)
_STORIES: dict[tuple[str, bool], tuple[str, ...]] = {
    ("repair", True): (
        "{A} knocked against the {thing} and it broke.",
        "{A} dropped the {thing}, now it is broken.",
        "say: Oh no, I broke the {thing}.",
    ),
    ("repair", False): ("{A} {fix}.",),
    ("borrow", True): (
        "{A} came in with a {thing} borrowed from the neighbour.",
        "say: I borrowed a {thing} from next door.",
    ),
    ("borrow", False): ("{A} used the {thing} {why}.", "{A_is} using the {thing} {why}."),
    ("present", True): (
        "{A} bought a {thing} at the {why}.",
        "{A} brought a {thing} home from the {why} and hid it.",
    ),
    ("present", False): ("{A} gave {B} the {thing} as a present.", "{B} unwrapped the {thing} that {A} gave {B_obj}."),
    ("parcel", True): (
        "A parcel from {why} arrived, {A} put it on the shelf unopened.",
        "say: There is a parcel from {why}, I left it on the shelf.",
    ),
    ("parcel", False): (
        "{A} opened the parcel from {why}: {thing}.",
        "{A} unpacked {thing} from the parcel that {why} had sent.",
    ),
}

_NARRATED = (
    "I look around the {room}.", "I walk into the {room}.", "I turned to {P} and talked for a bit.", 
    "I check my phone.", "{P} is standing next to me.", "I nodded.", "{P} laughs.", "I open the window.",
    "I looked at the {object}.",
    "{P} walked past me.", "I sit down.", "I picked up my cup and drank.", "I put my hand on the railing.",
    "{P} is looking for something.", "I listen to what {P} says.", "I wash my hands.", "I glanced at the clock.",
    "{P} and {Q} are talking about the weather.", "I scrolled through the news.", "I wiped the table.",
    "The cat runs through the {room}.", "{P} closes the door of the {room}.", "I followed {P} to the {room}.",
    "We are all laughing.", "I scratch my head.", "{P} pointed at the {object}.", "I moved my chair a little.",
)  # fmt: skip
_SAID = (
    "Hm, okay.", "Did you sleep well?", "What time is it?", "It's so warm today.", "Have you seen the {object}?",
    "I think the {object} might be in the {room}, but I'm not sure.", "Maybe I'll {base} later.",
    "You already {past} yesterday, right?", "Who is going to {base} tomorrow?", "We should {base} at some point.",
    "Yes, exactly.", "No, not today.", "Shall we put the {object} in the {room}?", "Haha, of course.",
    "Could you pass me the salt?", "I was at the {shop} last week, it was so full.", "Let me think about it.",
    "If it rains, the {object} must come inside.", "I never {base} on holidays.", "Wait a second.", "That sounds good.",
    "Do we need {grocery}?", "My {shop} closes early these days.", "Alright, see you in a bit.",
)  # fmt: skip


def tell(dice: random.Random, life: Life, *, chatter_every_s: float) -> list[Line]:
    """Lines of the whole life in order of time; sets `span_s` of every happening to the lines that tell it."""
    lines: list[Line] = []
    for one in life.happenings:
        told = _lines_of(dice, one)
        one.span_s = (told[0].start, told[-1].end)
        lines += told
    taken = [one.span_s for one in life.happenings]
    lines += _chatter(dice, life, taken, every_s=chatter_every_s)
    return sorted(lines, key=lambda line: (line.start, line.end, line.text))


def _lines_of(dice: random.Random, one: Happening) -> list[Line]:
    wording = dice.choice(_wordings(one))
    is_said = wording.startswith("say: ")
    actor, other = one.actor, one.other
    words = {
        "A": actor,
        "A_is": _is(actor),
        "A_is_low": _is(actor),
        "A_obj": "me" if actor == ME else actor,
        "B": "me" if other == ME else other,
        "B_obj": "me" if other == ME else POSSESSIVE_OBJECT.get(other, other),
        "thing": one.thing,
        "place": one.place,
        "total": str(one.total),
        "n": _number(abs(one.amount)),
        "past": one.deed.past if one.deed else "",
        "ing": one.deed.ing if one.deed else "",
        "why": one.other,
        "fix": one.other.format(it=f"the {one.thing}") if one.story == "repair" else "",
    }
    if one.kind == "rare":
        text = f"{actor} {cast.RARE[one.number][0]}."
    else:
        text = wording.removeprefix("say: ").format_map(words)
    if other == ME and text.startswith("me "):
        text = "I " + text.removeprefix("me ")
    if is_said:
        line = Line(start=one.t_s, end=one.t_s + dice.randint(2, 4), kind="transcript", text=f"{_voice(actor)}: {text}")
    else:
        line = Line(start=one.t_s, end=one.t_s + dice.randint(1, 4), kind="caption", text=text)
    if dice.random() < 0.25:
        start = line.end
        reply = dice.choice(("Okay, thanks.", "Great.", "Ah, good.", "Mm-hm.", "Alright."))
        return [line, Line(start=start, end=start + 1, kind="transcript", text=f"{cast.NARRATOR}: {reply}")]
    return [line]


POSSESSIVE_OBJECT = {name: "her" if pronoun == "she" else "him" for name, pronoun, _ in cast.PEOPLE}


def _wordings(one: Happening) -> tuple[str, ...]:
    if one.story is not None:
        return _STORIES[one.story, one.kind == "story_start"]
    if one.kind == "stock":
        return _COUNTED if one.total is not None else _BOUGHT if one.amount > 0 else _USED
    if one.kind == "list":
        return _LISTED if one.amount > 0 else _CROSSED
    return {
        "move": _MOVED, "hand": _HANDED, "chore": _CHORE, "pastime": _PASTIME, "errand": _ERRAND, "rare": ("",),
    }[one.kind]  # fmt: skip


def _is(actor: str) -> str:
    return "I'm" if actor == ME else f"{actor} is"


def _voice(actor: str) -> str:
    return cast.NARRATOR if actor == ME else actor


def _number(count: int) -> str:
    names = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return names[count]


def _chatter(dice: random.Random, life: Life, taken: list[tuple[int, int]], *, every_s: float) -> Iterator[Line]:
    """Lines that mean nothing, inside the waking parts of active days, never across a line that does."""
    others = [one for one in life.people if one != ME]
    things = sorted({one.thing for one in life.happenings if one.kind == "move"})
    deeds = sorted({habit.deed.base for habit in life.habits})
    past = {habit.deed.base: habit.deed.past for habit in life.habits}
    busy = {second for start, end in taken for second in range(start - 1, end + 2)}
    for day in life.active_days:
        for part in range(len(cast.DAY_PARTS)):
            from_hour, to_hour = hours_of(part)
            t_s = (day - 1) * DAY_S + from_hour * 3600
            until_s = (day - 1) * DAY_S + to_hour * 3600
            while (t_s := t_s + dice.expovariate(1.0 / every_s)) < until_s:
                start = int(t_s)
                end = start + dice.randint(1, 3)
                if busy.intersection(range(start, end + 1)):
                    continue
                base = dice.choice(deeds)
                first, second = dice.sample(others, 2)
                words = {
                    "P": first, "Q": second, "room": dice.choice(life.rooms), "object": dice.choice(things or ["cup"]),
                    "base": base, "past": past[base], "shop": dice.choice(cast.ERRANDS),
                    "grocery": dice.choice(cast.GROCERIES),
                }  # fmt: skip
                if dice.random() < 0.6:
                    yield Line(start=start, end=end, kind="caption", text=dice.choice(_NARRATED).format_map(words))
                else:
                    speaker = _voice(dice.choice(life.people))
                    said = dice.choice(_SAID).format_map(words)
                    yield Line(start=start, end=end, kind="transcript", text=f"{speaker}: {said}")
