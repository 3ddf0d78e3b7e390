"""Answers about how many things there are, from the spatial memory: here or there, gone or moved; how many rooms.

Every thing that is counted is named with its whereabouts, and is evidence. Things that went missing are not there, so
they count only where they are asked for. With a time, things count that were there then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planners.spatial.asked.counts import EVERYTHING, ROOMS, CountQuestion
from planners.spatial.asked.numbers import Claim
from planners.spatial.changes import kinds_for
from planners.spatial.contents import EVERYWHERE, MOST_HOLDER_WORDS, NOT_KNOWN, Spot, mean, nothing_there, spot_of
from planners.spatial.view import UNSURE, SpatialView, Told
from planners.spatial.wording import MOST_TOLD, listed, plural, told_change, told_spots
from streammem.spatial.records import ObjectState


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The things of one name."""

    name: str
    """As it was asked for."""
    known: list[ObjectState]
    counted: list[ObjectState]
    """Those that are there."""


def how_many(at: SpatialView) -> Told | None:
    """How many there are, each with its whereabouts; or whether there are as many as is claimed."""
    asked = at.asked.count
    if asked is None:
        return None
    if len(asked.things) == 1 and asked.things[0].lower() in ROOMS and not asked.holders:
        return _rooms(at, asked.claims)
    kinds = [_kind(at, name) for name in asked.things]
    if not any(kinds):
        return None
    if asked.change:
        return _changed(at, asked, kinds)
    places = [name for name in asked.holders if at.room(name) is not None or name.lower() not in EVERYWHERE]
    if any(len(name.split()) > MOST_HOLDER_WORDS for name in places):
        return None  # a clause, and no place
    found = [spot_of(at, name, asked.beside) for name in places]
    spots = [one for one in found if one is not None]
    unknown = [name for name, one in zip(places, found, strict=True) if one is None]
    there = {state.object_id for one in spots for state in one.states}
    groups: list[_Group] = []
    for name, states in zip(asked.things, kinds, strict=True):
        some = [one for one in states if not one.is_missing]
        if spots:
            some = [one for one in some if (one.object_id in there) != asked.is_outside]
        groups.append(_Group(name=name, known=states, counted=some))
    counted = [one for group in groups for one in group.counted]
    if asked.claims or asked.comparison is not None:
        return _verdict(at, asked, groups, spots, unknown)
    if not counted:
        return _none(at, groups, [] if asked.is_outside else spots)
    words = listed([one.words for one in spots]) if spots else ""
    told = "; ".join(_counted(one, words=f"not {words}" if asked.is_outside and words else words) for one in groups)
    missing = "".join(f"No {name} is known. " for name in unknown)
    sure = min(at.surety(counted[0]), mean(counted)) * (UNSURE if unknown else 1.0)
    return Told(
        text=f"{missing}{told}; {at.seen_by(counted)}.", evidence=at.evidence(counted[:MOST_TOLD]), confidence=sure,
        number=len(counted),
    )  # fmt: skip


def _verdict(
    at: SpatialView, asked: CountQuestion, groups: Sequence[_Group], spots: Sequence[Spot], unknown: Sequence[str]
) -> Told:
    """Whether there are as many as is claimed; what was not looked at may hold more, and that is said."""
    counted = [one for group in groups for one in group.counted]
    counts = [len(group.counted) for group in groups]
    if asked.comparison is not None:
        holds, may_change = asked.comparison.holds(*counts), True
    else:
        pairs = list(zip(asked.claims, counts, strict=True))
        holds = all(claim.holds(count) for claim, count in pairs)
        may_change = any(claim.is_open(count) for claim, count in pairs)
    verdict = "Yes" if holds else "No"
    looked_at = bool(spots) and all(one.holder is not None for one in spots)
    is_open = may_change and not looked_at
    more = _more("more" if counted else "some") if is_open else ""
    if not counted:
        none = _none(at, groups, spots)
        if none.confidence == NOT_KNOWN:
            return none
        return replace(none, text=f"{verdict}: {none.text[0].lower()}{none.text[1:]}{more}", number=None)
    words = listed([one.words for one in spots]) if spots else ""
    is_one = len(groups[0].counted) <= 1
    there = {(False, True): "is", (False, False): "are", (True, True): "was", (True, False): "were"}[at.is_past, is_one]
    told = f"there {there} {'; '.join(_counted(one, words=words, is_sentence=True) for one in groups)}"
    sure = min(at.surety(counted[0]), mean(counted))
    if unknown:
        seen = "".join(f"no {name} was seen. " for name in unknown)
        text, sure = f"Not known: {seen}T{told[1:]}; {at.seen_by(counted)}.", NOT_KNOWN
    else:
        text = f"{verdict}: {told}; {at.seen_by(counted)}.{more}"
    return Told(
        text=text, evidence=at.evidence(counted[:MOST_TOLD]), confidence=min(sure, 0.6) if is_open else sure
    )  # fmt: skip


def _none(at: SpatialView, groups: Sequence[_Group], spots: Sequence[Spot]) -> Told:
    """There is none: there, or any more."""
    seen = [one for group in groups for one in group.known]
    if spots:
        label = seen[0].label if len(groups) == 1 and groups[0].name.lower() not in EVERYTHING else "thing"
        told = nothing_there(at, spots, what=f"No {label}")
        return told if told.confidence == NOT_KNOWN else replace(told, number=0)
    since = at.view.words.instant(seen[0].t_ns)
    text = f"None that is still there; the {seen[0].label} {seen[0].whereabouts()} was last seen at {since}."
    return Told(text=text, evidence=at.evidence(seen[:MOST_TOLD]), confidence=at.surety(seen[0]), number=0)


def _more(word: str) -> str:
    return f" There may be {word} where nobody looked."


def _kind(at: SpatialView, name: str) -> list[ObjectState]:
    """The things of a name, the missing ones too."""
    if name.lower() in EVERYTHING:
        return at.timed(at.space.query().with_missing()).newest_first().run()
    return at.things(name, every_kind=True)


def _counted(group: _Group, *, words: str, is_sentence: bool = False) -> str:
    """`3 cups: 2 on the table in the kitchen and 1 on the sofa in the hall`; in a sentence, `one cup on the table`."""
    some = group.counted
    if not some:
        label = group.known[0].label if group.known else group.name
        return f"no {label}{f' {words}' if words else ' that is still there' if group.known else ''}"
    labels = {one.label for one in some}
    if group.name.lower() in EVERYTHING:
        kinds = [plural(label, sum(one.label == label for one in some)) for label in sorted(labels)]
        head = f"{len(some)} things" if len(some) > 1 else "1 thing"
        return f"{head}{f' {words}' if words else ''}: {listed(kinds[:MOST_TOLD])}"
    return told_spots(some, name=group.name, one="one" if is_sentence else "1", is_sentence=is_sentence)


def _changed(at: SpatialView, asked: CountQuestion, kinds: Sequence[Sequence[ObjectState]]) -> Told | None:
    """How many went missing and have not been found since, or moved."""
    ids = {one.object_id for states in kinds for one in states}
    wanted = kinds_for(asked.change) or ("moved",)
    changes = {one.object_id: one for one in at.changes(wanted) if one.object_id in ids}  # the newest of each thing
    if wanted == ("missing",) and at.asked.window is None:
        gone = {one.object_id for states in kinds for one in states if one.is_missing}
        changes = {object_id: one for object_id, one in changes.items() if object_id in gone}
    if not changes:
        seen = [one for states in kinds for one in states]
        text = f"None that was seen: no {seen[0].label} is known to have changed so."
        return Told(text=text, evidence=at.evidence(seen[:MOST_TOLD]), confidence=0.6, number=0)
    found = sorted(changes.values(), key=lambda one: one.t_ns)
    told = "; ".join(told_change(one, at.view.words) for one in found[-MOST_TOLD:])
    return Told(
        text=f"{len(found)}: {told}.",
        evidence=at.change_evidence(found[-MOST_TOLD:]),
        confidence=0.9,
        number=len(found),
    )


def _rooms(at: SpatialView, claims: Sequence[Claim]) -> Told | None:
    path, steps = at.steps()
    passed: dict[str, list[int]] = {}
    for number in steps:
        if (room := path.rooms[number]) is not None:
            passed.setdefault(room, []).append(int(path.t_ns[number]))
    if not passed:
        return None
    spans = [
        at.span(times[0], times[-1], text=f"the camera was in the {room}", event_ids=())
        for room, times in passed.items()
    ]
    count = len(passed)
    text = f"{plural('room', count) if count > 1 else '1 room'}: {listed([f'the {one}' for one in passed])}."
    if not claims:
        return Told(text=text, evidence=tuple(spans[:MOST_TOLD]), confidence=0.9, number=count)
    verdict, more = ("Yes" if claims[0].holds(count) else "No"), _more("more") if claims[0].is_open(count) else ""
    return Told(text=f"{verdict}, {text}{more}", evidence=tuple(spans[:MOST_TOLD]), confidence=0.6 if more else 0.9)
