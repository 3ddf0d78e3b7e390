"""What became of what: a clause names a moment (`what Ingrid broke on day 1`), that moment names a thing, and the
question is about that thing at another time.

Two hops over happenings. Which line the clause means is told by its words and who did it; the words of that line which
the clause does not have are the thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from planners.aggregates import Aggregate
from planners.english.time_expressions import find_time
from planners.english.words import SCAFFOLD_WORDS, stem, stems_of
from planners.happenings import Happening, people_in
from planners.matches import Match
from planners.moments import Moments
from planners.protocols import Draft
from planners.reasoners.options import Option, word_stems
from planners.reasoners.ordering import FOUND
from planners.reasoners.states import person_option, taker_in
from planners.reasoners.wording import shown
from planners.relevance import LIGHT
from planners.windows import Span, has_wall_clock, resolve_window

_EMPTY = stems_of("old new own thing just now came come put bring brought take took unopened hid away home")
"""Words of a line that name no thing to follow."""
_SAYS_LITTLE = _EMPTY | LIGHT | frozenset(stem(word) for word in SCAFFOLD_WORDS)
_RECEIVES = re.compile(r"\b(?:given|got|gets?|received?|handed|passed|to whom|for whom)\b", re.I)
_MOST_TRIED = 4


def answer_linked(aggregate: Aggregate, moments: Moments, options: Sequence[Option]) -> Draft | None:
    """None where the clause's moment, or what came of its thing, is not found."""
    clause = aggregate.clause[0]
    found = find_time(clause)
    text = found.remaining if found is not None else clause
    view = moments.board.view
    spans = resolve_window(found.window if found else None, recordings=view.recordings, now_ns=view.now_ns)
    for named in _named_by(moments, text, spans)[:_MOST_TRIED]:
        draft = _followed(aggregate, moments, options, named=named, clause=text)
        if draft is not None:
            return draft
    return None


def _named_by(moments: Moments, clause: str, spans: Sequence[Span]) -> list[Happening]:
    """The happenings that the clause may mean, best first."""
    people = moments.people
    doers = people_in(clause, people=people)
    wanted = [word for word in word_stems(clause, first_person=False) if word not in {name.lower() for name in doers}]
    if not wanted:
        return []
    ranked: list[tuple[float, int, Happening]] = []
    for number, each in enumerate(moments.about(clause, spans=spans)):
        share = sum(word in each.stems for word in wanted) / len(wanted)
        if share >= FOUND and (not doers or each.doer in doers):
            ranked.append((-share, number, each))
    return [each for _, _, each in sorted(ranked, key=lambda item: item[:2])]


def _followed(
    aggregate: Aggregate, moments: Moments, options: Sequence[Option], *, named: Happening, clause: str
) -> Draft | None:
    people = moments.people
    names = {name.lower() for name in people}
    said = frozenset(word_stems(clause, first_person=False))
    thing = frozenset(word for word in named.stems if word not in said | names | _EMPTY)
    # Of a thing that the clause names itself (`the parcel that I put there`), the line says which one it is.
    own = thing or said
    whole = (*moments.board.view.whole(),)
    asked = frozenset(word_stems(aggregate.about, first_person=False)) - names
    best: tuple[float, Happening, int | None] | None = None
    for each in moments.about(f"{aggregate.about} {' '.join(sorted(own))} {clause}", spans=whole):
        if each.match == named.match:
            continue
        shared = len(own & each.stems) / len(own)
        if not (own & each.stems) - _SAYS_LITTLE:
            continue
        if not options and not _comes_later(moments, each.match, named.match):
            continue
        choice = _choice(aggregate, each, options, moments)
        if options and choice is None:
            continue
        later = 0.3 if each.match.t_start_ns > named.match.t_start_ns else 0.0
        score = shared + 0.5 * len(asked & each.stems) / max(len(asked), 1) + later
        score += 0.2 * len(said & each.stems) / max(len(said), 1)
        if best is None or score > best[0]:
            best = (score, each, choice)
    if best is None or best[0] < FOUND:
        return None
    _, last, choice = best
    text = options[choice].text if choice is not None else shown(last.match)
    earlier, later_on = sorted((named.match, last.match), key=lambda match: (match.t_start_ns, match.t_end_ns))
    return Draft(
        text=f"{text.rstrip('.')}: first {shown(earlier)}, then {shown(later_on)}.",
        matches=(last.match, named.match),
        confidence=0.65,
        choice=choice,
        cites_all=True,
    )


def _comes_later(moments: Moments, later: Match, earlier: Match) -> bool:
    """Whether one line begins when the other has ended, by one clock: times of recordings without a wall clock count
    from each one's start."""
    known = {each.recording: each for each in moments.board.view.recordings}
    by_one_clock = later.recording == earlier.recording or all(
        has_wall_clock(known[line.recording]) for line in (later, earlier)
    )
    return by_one_clock and later.t_start_ns >= earlier.t_end_ns


def _choice(aggregate: Aggregate, happening: Happening, options: Sequence[Option], moments: Moments) -> int | None:
    if re.match(r"(?:to |by |with |for )?who", aggregate.about, re.I):
        receives = _RECEIVES.search(aggregate.about) is not None
        person = taker_in(happening, people=moments.people) if receives else happening.doer
        return None if person is None else person_option(person, options)
    held = [
        (share, -number)
        for number, option in enumerate(options)
        if option.stems
        and (share := sum(word in happening.stems for word in option.stems) / len(option.stems)) >= FOUND
    ]
    return -max(held)[1] if held else None
