"""What lines say of the state of things: where something was put, who has it, how many are left, what is on a list.

A state is what the last telling made it; the one before is what the last different telling made it. Knows English verbs
of moving, handing on, using up and getting more; no memory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from planners.aggregates import Aggregate
from planners.english.words import NUMBER_WORDS, stem, stems_of
from planners.happenings import WEARER, Happening, people_in
from planners.matches import Match
from planners.moments import Moments, holding
from planners.protocols import Draft
from planners.reasoners.options import Option
from planners.reasoners.wording import shown

MOVES = stems_of(
    """put place set lay leave carry move bring take go hang store return park stick shove drop hide bring shift roll
    push pull stand lean stow tuck pack"""
)
_HANDS = stems_of("give hand pass leave take lend return bring throw get receive borrow")
_MORE = stems_of("buy bring add come get receive more fresh fetch pick deliver refill restock collect fill")
_LESS = stems_of("use eat take throw break drink consume burn lose sell give finish spend empty drop spoil")
_COUNTED = re.compile(r"\b(?:there (?:are|is)|(?:we|i|they) (?:have|still have|'ve got)|counted|count)\b", re.I)
_OFF = re.compile(
    r"\b(?:cross(?:ed|es|ing)?|str(?:ike|ikes|uck|iking)|tick(?:ed|s)?|remov\w+|delet\w+|eras\w+|wip\w+|scratch\w*|"
    r"off the|from the)\b",
    re.I,
)
_TAKEN_OFF = re.compile(r"\b(?:off|cross\w*|remov\w*|struck|strike|tick\w*|taken|delet\w*|eras\w*)\b", re.I)
_PLACE = re.compile(
    r"\b(?:in|into|inside|on|onto|to|at|under|behind|near|beside|next to)\s+(?:the|my|our|his|her|their|a|an)\s+"
    r"(?P<place>[a-z][a-z-]*(?:\s[a-z][a-z-]*)?)",
    re.I,
)
_RECEIVED = re.compile(r"\b(?:unwrap\w*|receiv\w*|accept\w*|was (?:given|handed)|were (?:given|handed))\b", re.I)
_NOT_OF_PLACES = (
    "and or now again where while with for too then it there so but when that just in on at to of from into onto by"
)
_NO_PLACE_WORD = frozenset(_NOT_OF_PLACES.split())


def place_in(text: str, *, thing: Set[str]) -> str | None:
    """The place that a line names, without its article; never the thing itself."""
    for found in _PLACE.finditer(text):
        words: list[str] = []
        for word in found["place"].lower().split():
            if word in _NO_PLACE_WORD:
                break
            words.append(word)
        if words and not {stem(word) for word in words} <= thing:
            return " ".join(words)
    return None


def taker_in(happening: Happening, *, people: Set[str]) -> str | None:
    """Who has a thing after a line: of `A gave B`, `A left it with B` it is B; of `B took it from A` and
    `B unwrapped what A gave` too."""
    if _RECEIVED.search(happening.text):
        return happening.doer
    text = re.split(r"\bfrom\s+(?:[A-Z]\w+|me)\b", happening.text)[0]
    if text != happening.text:
        return happening.doer
    others = [person for person in people_in(text, people=people) if person != happening.doer]
    return others[0] if others else happening.doer


def moved(happenings: Sequence[Happening]) -> list[Happening]:
    return [each for each in happenings if each.stems & MOVES]


def answer_state(aggregate: Aggregate, moments: Moments, options: Sequence[Option], *, who: bool) -> Draft | None:
    """Where a thing is or who has it: now, or before that."""
    told = holding(moments.about(aggregate.about), aggregate.stems)
    thing = frozenset(aggregate.stems)
    states: list[tuple[str, Happening]] = []
    for each in told:
        if who:
            state = taker_in(each, people=moments.people | _speakers(told)) if each.stems & _HANDS else None
        else:
            state = _place_of(each, options, thing=thing) if each.stems & MOVES else None
        if state is not None and (not states or states[-1][0].lower() != state.lower()):
            states.append((state, each))
    wanted = 1 if aggregate.kind == "now" else 2
    if len(states) < wanted:
        return None
    state, happening = states[-wanted]
    matches = tuple(each.match for _, each in reversed(states[-wanted:]))
    choice = _person_option(state, options) if who else _place_option(state, options)
    if options and choice is None:
        return None
    label = _spoken(state) if who else f"in the {state}" if _is_bare(state) else state
    return Draft(text=f"{label[0].upper()}{label[1:]}: {shown(happening.match)}.", matches=matches, confidence=0.8,
                 choice=choice, cites_all=True)  # fmt: skip


def answer_places(aggregate: Aggregate, moments: Moments) -> Draft | None:
    """In how many different places a thing has been put."""
    thing = frozenset(aggregate.stems)
    firsts: dict[str, Happening] = {}
    told = [
        (place, each)
        for each in moved(holding(moments.about(aggregate.about), aggregate.stems))
        if (place := place_in(each.text, thing=thing)) is not None
    ]
    for place, each in told:
        firsts.setdefault(place, each)
    if not firsts:
        return None
    matches = tuple(dict.fromkeys(each.match for _, each in told))
    text = f"{len(firsts)}: {', '.join(firsts)}."
    return Draft(text=text, matches=matches, confidence=0.75, cites_all=True)


def answer_left(aggregate: Aggregate, moments: Moments) -> Draft | None:
    """What is left: the last count, with what came and went since."""
    left: int | None = None
    used: list[Match] = []
    for each in holding(moments.about(aggregate.about), aggregate.stems):
        amount = _amount(each.text)
        if amount is None:
            continue
        if _COUNTED.search(each.text) and not each.stems & (_MORE | _LESS):
            left, used = amount, [each.match]
        elif left is not None and each.stems & (_MORE | _LESS):
            # "took three out and used them up", "came back with ten and put them away": what is used up is less.
            left += amount if each.stems & _MORE and not each.stems & (_LESS - stems_of("take bring give")) else -amount
            used.append(each.match)
    if left is None:
        return None
    text = f"{max(left, 0)} left, counted from {len(used)} {'line' if len(used) == 1 else 'lines'}."
    return Draft(text=text, matches=tuple(reversed(used)), confidence=0.75, cites_all=True)


def answer_listed(aggregate: Aggregate, moments: Moments, options: Sequence[Option]) -> Draft | None:
    """Which option is on a list, or was taken off it: its last telling decides."""
    wants_off = _TAKEN_OFF.search(aggregate.about) is not None
    container = [word for word in aggregate.stems if word in stems_of("list board menu plan schedule")]
    on_it: list[tuple[int, Happening]] = []
    for number, option in enumerate(options):
        asked = f"{option.text} {' '.join(container)}"
        told = [each for each in moments.about(asked) if {*option.stems, *container} <= each.stems]
        if told and (_OFF.search(told[-1].text) is not None) == wants_off:
            on_it.append((number, told[-1]))
    if len(on_it) != 1:
        return None
    number, last = on_it[0]
    return Draft(text=f"{options[number].text}: {shown(last.match)}.", matches=(last.match,), confidence=0.8,
                 choice=number, cites_all=True)  # fmt: skip


def _amount(text: str) -> int | None:
    for word in re.findall(r"[A-Za-z]+|\d+", text):
        if word.isdigit():
            return int(word)
        if word.lower() in NUMBER_WORDS and word.lower() != "one":
            return NUMBER_WORDS[word.lower()]
    return 1 if re.search(r"\b(?:one|an?|another)\b", text, re.I) else None


def _place_of(happening: Happening, options: Sequence[Option], *, thing: Set[str]) -> str | None:
    held = [option for option in options if option.stems and frozenset(option.stems) <= happening.stems]
    if held:
        return max(held, key=lambda option: len(option.stems)).text
    return place_in(happening.text, thing=thing)


def _place_option(state: str, options: Sequence[Option]) -> int | None:
    return next((number for number, option in enumerate(options) if option.text == state), None)


def _person_option(person: str, options: Sequence[Option]) -> int | None:
    for number, option in enumerate(options):
        who = people_in(option.text, people=frozenset({person.lower()}))
        if who == [person]:
            return number
    return None


def person_option(person: str, options: Sequence[Option]) -> int | None:
    """The option that is this person alone."""
    return _person_option(person, options)


def _spoken(person: str) -> str:
    return "the wearer of the camera (\u201cI\u201d)" if person == WEARER else person


def _is_bare(state: str) -> bool:
    return not re.match(r"(?:in|on|at|under|behind|near|the|next)\b", state, re.I)


def _speakers(told: Sequence[Happening]) -> frozenset[str]:
    return frozenset(each.doer.lower() for each in told if each.doer is not None)
