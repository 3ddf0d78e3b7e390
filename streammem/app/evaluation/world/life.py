"""What happens in the generated world: weeks of one household, decided by a seed before a word is written.

Knows no sentence and no question. Routines have an owner, a part of the day and a favourite place that is kept to most
of the time; things are carried about and handed on; supplies are bought and used up; some events happen once; stories
begin on one day and end on another. Every later answer is computed from these happenings.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from streammem.app.evaluation.world import cast
from streammem.app.evaluation.world.cast import Deed

DAY_S = 86_400
Kind = Literal["move", "hand", "stock", "list", "chore", "pastime", "errand", "rare", "story_start", "story_end"]
Story = Literal["repair", "borrow", "present", "parcel"]
ME = "I"


@dataclass(slots=True, kw_only=True)
class Happening:
    """One thing that happened. `span_s` is filled in when it is put into words."""

    t_s: int
    kind: Kind
    actor: str
    thing: str = ""
    place: str = ""
    other: str = ""
    """Whom it was handed to; what for; who sent it."""
    amount: int = 0
    """Change of a supply; for `list` +1 written down, -1 crossed off."""
    total: int | None = None
    """Of a supply, where it was counted."""
    deed: Deed | None = None
    story: Story | None = None
    number: int = -1
    """Of a story: what joins its start and its end."""
    span_s: tuple[int, int] = (0, 0)

    @property
    def day(self) -> int:
        """First day is 1."""
        return self.t_s // DAY_S + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """A routine: who does it, where mostly, at what part of the day."""

    deed: Deed
    kind: Kind
    owner: str
    place: str
    part: int


@dataclass(slots=True, kw_only=True)
class Life:
    """The household and everything that happened to it, in order of time."""

    people: tuple[str, ...]
    """With `I`."""
    rooms: tuple[str, ...]
    habits: tuple[Habit, ...]
    active_days: tuple[int, ...]
    happenings: list[Happening] = field(default_factory=list[Happening])


def live(dice: random.Random, *, days: int, active_days: Iterable[int]) -> Life:
    """A life of `days` days of which only the active ones hold anything."""
    people = (ME, *(name for name, _, _ in dice.sample(cast.PEOPLE, 4)))
    rooms = tuple(dice.sample(cast.ROOMS, 8))
    life = Life(
        people=people, rooms=rooms, habits=_habits(dice, people, rooms), active_days=tuple(sorted(set(active_days)))
    )
    for happen in (_routines, _errands, _things, _handed_on, _supplies, _shopping_list, _rare, _stories):
        happen(dice, life)
    _spread(life)
    assert all(one.day <= days for one in life.happenings)
    return life


def hours_of(part: int) -> tuple[float, float]:
    return cast.DAY_PARTS[part][1]


def _habits(dice: random.Random, people: tuple[str, ...], rooms: tuple[str, ...]) -> tuple[Habit, ...]:
    habits: list[Habit] = []
    for deed, owner in zip(dice.sample(cast.CHORES, 5), people, strict=True):
        habits.append(Habit(deed=deed, kind="chore", owner=owner, place="", part=dice.randrange(4)))
    for deed, owner in zip(dice.sample(cast.PASTIMES, 7), (*people, *people), strict=False):
        habits.append(Habit(deed=deed, kind="pastime", owner=owner, place=dice.choice(rooms), part=dice.randrange(4)))
    return tuple(habits)


def _at(dice: random.Random, day: int, part: int | None = None) -> int:
    from_hour, to_hour = hours_of(dice.randrange(4) if part is None else part)
    return (day - 1) * DAY_S + int(3600 * dice.uniform(from_hour, to_hour))


def _routines(dice: random.Random, life: Life) -> None:
    """A sparse month must still show a habit: the fewer the active days, the less is left out."""
    kept = 0.72 if len(life.active_days) <= 7 else 0.8
    for habit in life.habits:
        for day in life.active_days:
            if dice.random() > kept:
                continue
            strays = dice.random() < 0.2
            actor, place, part = habit.owner, habit.place, habit.part
            if strays and habit.kind == "chore":
                actor = dice.choice([one for one in life.people if one != actor])
            elif strays:
                place = dice.choice([one for one in life.rooms if one != place])
            if dice.random() < 0.12:
                part = dice.randrange(4)
            life.happenings.append(
                Happening(t_s=_at(dice, day, part), kind=habit.kind, actor=actor, place=place, deed=habit.deed)
            )


def _errands(dice: random.Random, life: Life) -> None:
    for place in dice.sample(cast.ERRANDS, 4):
        actor = dice.choice(life.people)
        often = dice.uniform(0.25, 0.7)
        for day in life.active_days:
            if dice.random() < often:
                life.happenings.append(Happening(t_s=_at(dice, day), kind="errand", actor=actor, place=place))


def _things(dice: random.Random, life: Life) -> None:
    for thing in dice.sample(cast.THINGS, 7):
        place = ""
        for day in life.active_days:
            for _ in range(dice.choice((0, 0, 1, 1, 2))):
                place = dice.choice([one for one in life.rooms if one != place])
                actor = dice.choice((ME, ME, *life.people))
                life.happenings.append(
                    Happening(t_s=_at(dice, day), kind="move", actor=actor, thing=thing, place=place)
                )
    # Places follow the clock, not the order of making: two moves of one day may have swapped.
    last: dict[str, str] = {}
    for one in sorted((one for one in life.happenings if one.kind == "move"), key=lambda one: one.t_s):
        if last.get(one.thing) == one.place:
            one.place = dice.choice([room for room in life.rooms if room != one.place])
        last[one.thing] = one.place


def _handed_on(dice: random.Random, life: Life) -> None:
    for thing in dice.sample(cast.HANDY_THINGS, 3):
        times = sorted(_at(dice, day) for day in life.active_days for _ in range(dice.choice((0, 1, 1))))
        holder = dice.choice(life.people)
        for t_s in times:
            taker = dice.choice([one for one in life.people if one != holder])
            life.happenings.append(Happening(t_s=t_s, kind="hand", actor=holder, thing=thing, other=taker))
            holder = taker


def _supplies(dice: random.Random, life: Life) -> None:
    for item in dice.sample(cast.SUPPLIES, 3):
        times = sorted(_at(dice, day) for day in life.active_days for _ in range(dice.choice((0, 1, 1, 2))))
        left = dice.randint(6, 12)
        for number, t_s in enumerate(times):
            actor = dice.choice((ME, *life.people))
            if number == 0:
                change, total = 0, left
            elif left <= 3 or dice.random() < 0.3:
                change, total = dice.choice((4, 6, 10)), None
            else:
                change, total = -dice.randint(1, min(4, left)), None
            left += change
            life.happenings.append(
                Happening(t_s=t_s, kind="stock", actor=actor, thing=item, amount=change, total=total)
            )


def _shopping_list(dice: random.Random, life: Life) -> None:
    unused = dice.sample(cast.GROCERIES, len(cast.GROCERIES))
    listed: list[str] = []
    for t_s in sorted(_at(dice, day) for day in life.active_days for _ in range(dice.choice((1, 2, 3)))):
        actor = dice.choice(life.people)
        if unused and (len(listed) < 2 or dice.random() < 0.55):
            item, change = unused.pop(), 1
            listed.append(item)
        elif listed:
            item, change = listed.pop(dice.randrange(len(listed))), -1
        else:
            continue
        life.happenings.append(Happening(t_s=t_s, kind="list", actor=actor, thing=item, amount=change))


def _rare(dice: random.Random, life: Life) -> None:
    for number in dice.sample(range(len(cast.RARE)), 16):
        day = dice.choice(life.active_days)
        life.happenings.append(
            Happening(t_s=_at(dice, day), kind="rare", actor=dice.choice(life.people), number=number)
        )


def _stories(dice: random.Random, life: Life) -> None:
    """Three of each kind, so that every wrong answer is something that also happened."""
    number = 0
    for kind, things, whys in (
        ("repair", dice.sample(cast.BREAKABLES, 4), dice.sample(cast.REPAIRS, 4)),
        ("borrow", *zip(*dice.sample(cast.TOOLS_FROM_OUTSIDE, 4), strict=True)),
        ("present", dice.sample(cast.PRESENTS, 4), dice.sample(cast.ERRANDS, 4)),
        ("parcel", dice.sample(cast.PARCEL_CONTENTS, 4), dice.sample(cast.SENDERS, 4)),
    ):
        takers = dice.sample(life.people, 4)
        for thing, why, taker in zip(things, whys, takers, strict=True):
            days = sorted(dice.sample(life.active_days, 2))
            giver = dice.choice([one for one in life.people if one != taker])
            story: Story = kind  # type: ignore[assignment]
            for step, day in enumerate(days):
                starts = step == 0
                actor = giver if (starts or kind == "present") else taker
                if kind == "borrow":
                    actor = giver
                life.happenings.append(
                    Happening(
                        t_s=_at(dice, day), kind="story_start" if starts else "story_end", actor=actor, thing=thing,
                        other=taker if kind == "present" and not starts else why, story=story, number=number,
                    )
                )  # fmt: skip
            number += 1


def _spread(life: Life) -> None:
    """In order of time, at least half a minute apart: what is told in several lines must not overlap."""
    life.happenings.sort(key=lambda one: one.t_s)
    last = -60
    for one in life.happenings:
        one.t_s = last = max(one.t_s, last + 30)
