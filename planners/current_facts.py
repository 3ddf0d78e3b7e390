"""What holds at the moment of asking, where memory knows that it changed: the facts, not the lines they were read from.

A line that says where something is stays as relevant as ever after it stopped being true; only the facts know that
another took its place, or that it is over. So a question about a state ("Where does Anna live?", "Is the mug on the
table?") is answered from the facts of its subject where they have changed, with the events that state the new value and
the old one; where two say otherwise, with what each of them said. A state that never changed, a value that was never
told, and several recordings whose clocks do not compare go the ordinary way. Reads one subject's facts: milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from planners.english.words import content_words, stem
from planners.matches import Match, from_observation
from planners.protocols import Board, Draft
from planners.reading import MemoryView
from planners.windows import Span
from streammem.semantic.consolidation import is_shared
from streammem.semantic.endings import JOB, is_ending, kind_of
from streammem.semantic.predicates import NO_LONGER, SIDE_BY_SIDE, SLOTS
from streammem.semantic.words import ROOMS
from streammem.timeline import WALL_CLOCK_FROM_NS
from streammem.types import Fact

_STILL = r"(?:(?:still|now|currently|really|actually) )?"
_IDLE = re.compile(
    r",?\s*\b(?:right now|now|currently|at the moment|at present|these days|nowadays|today|anymore|any more|still)\b",
    re.I,
)
_SUBJECT = r"(?P<subject>.{1,60}?)"
_WHEREABOUTS = SLOTS["whereabouts"]
_PLACED = r"(?P<where>in front of|next to|in|on|at|under|behind|inside|near)"
_FORMS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(rf"^{form}$", re.I), predicates)
    for form, predicates in (
        (rf"(?:where|in (?:what|which) (?:city|town|country|place)) (?:does|do|did) {_SUBJECT} live(?: in)?",
         ("lives in",)),
        (rf"(?:does|do|did) {_SUBJECT} {_STILL}live in (?P<value>.+)", ("lives in",)),
        (rf"(?:where|for (?:whom|what company)) (?:does|do|did) {_SUBJECT} work(?: at| for)?", ("works at",)),
        (rf"(?:does|do|did) {_SUBJECT} {_STILL}work (?:at|for|in) (?P<value>.+)", ("works at",)),
        (rf"what (?:does|do|did) {_SUBJECT} do for a living", ("works as",)),
        (rf"(?:does|do|did) {_SUBJECT} {_STILL}work as (?P<value>.+)", ("works as",)),
        (rf"(?:does|do|did) {_SUBJECT} {_STILL}(?:like|love|enjoy) (?P<value>.+)", ("likes", "dislikes")),
        (rf"(?:does|do|did) {_SUBJECT} {_STILL}(?:dislike|hate) (?P<value>.+)", ("dislikes", "likes")),
        (rf"(?:does|do|did) {_SUBJECT} {_STILL}(?:have|own) (?P<value>.+)", ("has", "has no")),
        (rf"where (?:is|are|was|were) {_SUBJECT}", _WHEREABOUTS),
        (rf"(?:is|are|was|were) {_SUBJECT} {_STILL}{_PLACED} (?P<value>.+)", _WHEREABOUTS),
        (rf"who (?:has|holds|is holding|had) {_SUBJECT}", _WHEREABOUTS),
    )
)  # fmt: skip
_PAST_TENSE = re.compile(r"\b(?:was|were|did|had)\b", re.I)
_ARTICLE = re.compile(r"^(?:the|a|an|this|that|some)\s+", re.I)
_ROOM = re.compile(rf"^{ROOMS}$", re.I)
_PAST = {"lives": "lived", "works": "worked", "likes": "liked", "dislikes": "disliked", "has": "had", "is": "was"}
_MOST_OLD = 2
"""Former values that an answer tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    subject: str
    predicates: tuple[str, ...]
    value: str | None
    where: str | None
    """The preposition, of a place."""


def answer_from_current_facts(board: Board, choices: Sequence[str] = ()) -> Draft | None:
    """See the module; None where no fact that changed matches plainly. Of given options the one that holds is chosen,
    also where nothing has changed; None where none of them is it."""
    asked = _read(board)
    if asked is None:
        return None
    told = _told(board.view, asked)
    holding = _holding(board.view, asked, told)
    former = [one for one in told if one not in holding]
    if len({(one.predicate, one.object.casefold()) for one in holding}) > 1:
        return _in_two_ways(board.view, holding) if not choices else None
    if not holding or not (former or choices):
        return None
    current = holding[-1]
    draft = _told_of(board, asked, current, former)
    if not choices:
        return draft
    choice = _choice(asked, current, draft, choices)
    return (
        replace(draft, text=f"{choices[choice]} ({draft.text.rstrip('.')})", choice=choice)
        if draft and choice is not None
        else None
    )


def _choice(asked: _Asked, current: Fact, draft: Draft | None, choices: Sequence[str]) -> int | None:
    """The one option that names the value that holds, or says yes or no as the draft does."""
    if asked.value is not None:
        lead = re.match(r"(?:yes|no)\b", draft.text if draft else "", re.I)
        wanted = lead.group().lower() if lead else ""
        fitting = [at for at, choice in enumerate(choices) if wanted and re.match(rf"{wanted}\b", choice.strip(), re.I)]
        return fitting[0] if len(fitting) == 1 else None
    if is_ending(current.predicate):
        return None  # no value holds
    value = {stem(word) for word in content_words(current.object)}
    fitting = [
        at
        for at, choice in enumerate(choices)
        if (words := {stem(word) for word in content_words(choice)}) and (words <= value or value <= words)
    ]
    if len(fitting) > 1:  # "on the table", "under the table"
        where = current.predicate.removeprefix("is ")
        fitting = [at for at in fitting if re.search(rf"\b{re.escape(where)}\b", choices[at], re.I)]
    return fitting[0] if len(fitting) == 1 else None


def _told_of(board: Board, asked: _Asked, current: Fact, former: Sequence[Fact]) -> Draft | None:
    """What holds, since when, and what held before."""
    since = board.view.words.point(current.recording, current.t_from_ns)
    now, facts = _said(current), [current, *reversed(former)]
    if asked.value is None:
        text = f"Since {since} {now}; {_were(former)} before that." if former else f"Since {since} {now}."
    elif _is_value(current, asked):
        text = f"Yes: since {since} {now}."
    else:
        once = [one for one in former if _is_value(one, asked)]
        if not once:
            return None  # never told: nothing says that it is not so as well
        facts = [current, *reversed(once)]
        text = f"since {since} {now}; {_were(once[-1:])} before that."
        # What stands in the sink may still be in the kitchen.
        is_inside = _ROOM.match(asked.value) and not _ROOM.match(current.object)
        text = f"What was told last is that {text}" if is_inside else f"No: {text}"
    matches = tuple(match for fact in facts[: 1 + _MOST_OLD] for match in _evidence(board.view, fact))
    return Draft(text=text, matches=matches, confidence=round(min(current.confidence, 0.95), 3), cites_all=True)


def _in_two_ways(view: MemoryView, sides: Sequence[Fact]) -> Draft | None:
    """What each of several people said; None where it is not known to be theirs: the ordinary way quotes both sides."""
    if not all(one.stated_by for one in sides) or len({one.stated_by for one in sides}) < len(sides):
        return None
    matches, told = list[Match](), list[str]()
    for fact in sides:
        matches += _evidence(view, fact)
        at = view.words.point(fact.recording, fact.t_from_ns)
        told.append(f"{_said(fact)} (said by {' and '.join(fact.stated_by)} at {at})")
    return Draft(text=f"It is told in two ways: {'; '.join(told)}.", matches=tuple(matches), confidence=0.5,
                 cites_all=True)  # fmt: skip


def _read(board: Board) -> _Asked | None:
    question = re.sub(r"\b(where|who|what)['\u2019]s\b", r"\1 is", board.plan.question, flags=re.I)
    bare = " ".join(_IDLE.sub("", question).strip(" ?.!").split())
    if board.plan.anchor is not None or (_PAST_TENSE.search(bare) and board.view.as_of_ns is None):
        return None  # of the past, as seen from the end of memory: of some time that the facts do not know
    for form, predicates in _FORMS:
        if (found := form.match(bare)) is None:
            continue
        groups = found.groupdict()
        subject, value = groups["subject"], groups.get("value")
        if subject and not re.search(r"\b(?:and|or|not)\b", subject):
            where = groups.get("where")
            return _Asked(
                subject=_bare(subject),
                predicates=predicates,
                value=value and _bare(value),
                where=where and where.lower(),
            )
    return None


def _told(view: MemoryView, asked: _Asked) -> list[Fact]:
    """What was ever told of it by the moment of asking, in order of time; none where clocks do not compare."""
    names = [recording.recording for recording in view.recordings]
    facts = [
        fact
        for fact in view.memory.facts(subject=asked.subject, recordings=names)
        if _is_about(fact, asked)
        and view.events(Span(recording=fact.recording, t_start_ns=fact.t_from_ns, t_end_ns=fact.t_from_ns + 1))
    ]
    if len({fact.recording for fact in facts}) > 1 and any(fact.t_from_ns < WALL_CLOCK_FROM_NS for fact in facts):
        return []
    return sorted(facts, key=lambda fact: (fact.t_from_ns, fact.object))


def _is_about(fact: Fact, asked: _Asked) -> bool:
    base = fact.predicate.removeprefix(NO_LONGER)
    kind = kind_of(fact.predicate, fact.object)
    is_without_work = base == "has" and kind == "work" == kind_of(asked.predicates[0], "")
    if base not in asked.predicates and not is_without_work:
        return False
    is_one_of_many = kind in SIDE_BY_SIDE or "has" in asked.predicates
    return not is_one_of_many or _is_same(fact.object, asked.value or "")


def _holding(view: MemoryView, asked: _Asked, told: Sequence[Fact]) -> list[Fact]:
    """Of what was told, what holds at the moment of asking; where recordings stay apart, by the latest that tells of
    it."""
    held = view.memory.facts(subject=asked.subject, as_of_ns=view.as_of_ns)
    open_ids = {fact.fact_id for fact in held if view.as_of_ns is not None or fact.t_to_ns is None}
    holding = [fact for fact in told if fact.fact_id in open_ids]
    return [fact for fact in holding if is_shared(fact) or fact.recording == holding[-1].recording]


def _is_value(fact: Fact, asked: _Asked) -> bool:
    """Whether the fact is what a yes says."""
    if asked.value is None or not _is_same(fact.object, asked.value):
        return False
    return fact.predicate == (asked.predicates[0] if asked.where is None else f"is {asked.where}")


def _is_same(told: str, asked: str) -> bool:
    """`kitchen table` is a table; `table` need not be the one in the kitchen."""
    told_words, asked_words = _bare(told).casefold().split(), asked.casefold().split()
    return bool(asked_words) and told_words[-len(asked_words) :] == asked_words


def _bare(phrase: str) -> str:
    return _ARTICLE.sub("", phrase.strip(" ,"))


def _said(fact: Fact) -> str:
    return f"{_named(fact.subject)} {fact.predicate} {_object(fact)}"


def _were(facts: Sequence[Fact]) -> str:
    parts: list[str] = []
    for fact in list(dict.fromkeys(reversed(facts)))[:_MOST_OLD]:
        verb, _, rest = fact.predicate.partition(" ")
        parts.append(" ".join(f"{_named(fact.subject)} {_PAST.get(verb, verb)} {rest} {_object(fact)}".split()))
    return ", and earlier ".join(parts)


def _object(fact: Fact) -> str:
    if (fact.predicate, fact.object) == (f"{NO_LONGER}has", JOB):
        return f"a {JOB}"
    is_definite = fact.predicate.startswith(("is ", "works at", NO_LONGER))
    return _named(fact.object) if is_definite else fact.object


def _named(phrase: str) -> str:
    """With its article again, which facts leave out."""
    first = phrase.split()[0]
    return phrase if first[0].isupper() or "'" in first or first in {"my", "your", "our", "their"} else f"the {phrase}"


def _evidence(view: MemoryView, fact: Fact) -> list[Match]:
    """The lines that state it; where there are none, the fact itself, over the event it came from."""
    lines = [
        from_observation(one, support=1.0)
        for one in view.observations_in(fact.event_ids, kinds=("speech", "caption"))
        if fact.object.casefold().split()[-1] in one.text.casefold()
        and one.t_start_ns >= fact.t_from_ns
        and (fact.t_to_ns is None or one.t_start_ns < fact.t_to_ns)
    ]
    return lines or [
        Match(
            recording=fact.recording, t_start_ns=fact.t_from_ns, t_end_ns=fact.t_from_ns, event_id=fact.event_ids[0],
            text=_said(fact), modality="fact", support=1.0,
        )
    ]  # fmt: skip
