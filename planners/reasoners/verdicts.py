"""Yes or no: what the matching lines say of it, weighed.

Nothing is claimed without a line, a picture or a detection that says so: absence from memory is not absence, and who
asks or supposes has said nothing. Of one speaker the last word counts; where speakers disagree, both are told. What is
seen or written says that it is there; only speech and captions can deny.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from planners.english.polarity import (
    Asked,
    Polarity,
    asked_of,
    asks_it,
    is_yes_no_question,
    polarity_of,
    reply_polarity,
)
from planners.english.targets import SPEECH_VERBS
from planners.english.words import same_name
from planners.matches import Match, from_observation, speakers_in
from planners.plan import ANY_SPEECH
from planners.protocols import Board, Draft
from planners.reasoners.quoting import said_after
from planners.reasoners.temporal import WEAKER_BY, by_usefulness, chosen_occurrences
from planners.reasoners.wording import listed, shown, when
from planners.relevance import NAMED
from planners.windows import Span
from streammem.types import NS_PER_S

CONVERSATION_S = 60.0
"""Who speaks so near a line is there when it is said."""
DISAGREED = 0.4
"""Confidence where one says so and another does not."""
CHANGED = 0.85
"""Factor where the same speaker said otherwise before."""
_SAYS_THAT = re.compile(rf"\b{SPEECH_VERBS}(?: \w+){{0,2}}? (?:that|he|she|they|it|I|we)\b(?! (?:about|of)\b)")
_SPEAKS = re.compile(
    r"\bspeak(?:s|ing)? (?!(?:about|of|to|with|up|at|on|in|first|last|most)\b)\w+|\btell\w* (?:a|the)\b", re.I
)
_CAN_DENY = frozenset({"speech", "caption"})
_NEGATIVE_LEAD = re.compile(r"^\w+n['\u2019]t\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    match: Match
    is_so: bool

    @property
    def source(self) -> str:
        """Whose word it is: captions, and speakers who are not known, are one source each."""
        return self.match.speaker or self.match.modality


def answer_yes_no(board: Board) -> Draft | None:
    """Yes or no with evidence; None where nothing that was found states or denies it."""
    claims = _told(board) or _answered(board)
    if not claims:
        return None
    kept = {
        id(match) for each in chosen_occurrences(board, [claim.match for claim in claims]) for match in each.matches
    }
    claims = [claim for claim in claims if id(claim.match) in kept]
    if not claims:
        return None
    last = _last_words(board, claims)
    said = {claim.is_so for claim in last.values()}
    counted = [claim for claim in claims if last[claim.source].is_so == claim.is_so]
    if len(said) > 1:
        return _both(board, counted)
    (is_so,) = said
    before = [claim for claim in claims if claim.is_so != is_so]
    is_negated = board.plan.negated and _NEGATIVE_LEAD.search(board.plan.question) is None  # "Isn't it?" "Yes, it is."
    text = f"{'Yes' if is_so != is_negated else 'No'}: {_quoted(board, counted)}."
    if before:
        text += f" Said before: {_quoted(board, before)}."
    found = by_usefulness(chosen_occurrences(board, [claim.match for claim in counted]))
    if found[0].note:
        text += f" ({found[0].note[0].upper()}{found[0].note[1:]}.)"
    confidence = found[0].use * (CHANGED if before else 1.0)
    return Draft(text=text, matches=(*found, *(claim.match for claim in before)), confidence=confidence)


def read_asked(board: Board, *, question: str, about: str) -> Asked:
    """What a question asks of the board's matches, whose words may name the same things by their meaning."""
    relevance = board.view.relevance
    names = board.finder.names_in(about)
    relevance.cover(about, " ".join(match.text for match in board.matches))  # all words at once

    def covers(wanted: str, word: str) -> bool:
        return wanted not in names and relevance.cover(wanted, word).get(wanted, 0.0) >= NAMED

    return asked_of(question, about, names=names, speakers=speakers_in(board.matches), covers=covers)


def _told(board: Board) -> list[_Claim]:
    """What the matches claim. None of them, where a question or a guess is much nearer than anything claimed: that was
    about it, and the rest only sounds alike."""
    plan = board.plan
    if plan.modalities == ANY_SPEECH and _is_of_mention(plan.question):  # to ask about it is to mention it
        return [_Claim(match=match, is_so=True) for match in board.matches]
    asked = read_asked(board, question=plan.question, about=plan.target)
    claims: list[_Claim] = []
    for match in board.matches:
        said: Polarity = "states"
        if match.modality in _CAN_DENY:
            is_to_subject = _is_said_to(board, match, asked.subjects)
            said = polarity_of(match.text, asked, speaker=match.speaker, is_to_subject=is_to_subject)
        if said == "asks" and (reply := _reply(board, match, asked)) is not None:
            claims.append(reply)
        elif said in {"states", "denies"}:
            # "I hate coffee" has no word of loving it, and answers it as fully as "I love coffee".
            whole = replace(match, coverage=1.0) if asked.attitude or said == "denies" else match
            claims.append(_Claim(match=whole, is_so=said == "states"))
    best = max((match.support for match in board.matches), default=0.0)
    return [claim for claim in claims if claim.match.support >= best - WEAKER_BY]


def _answered(board: Board) -> list[_Claim]:
    """Yes and no of whom is asked about to questions that others put to them: those do not name them."""
    plan = board.plan
    asked = read_asked(board, question=plan.question, about=plan.target)
    if not asked.subjects or asked.predicate is None or plan.modalities == ANY_SPEECH:
        return []
    rest = " ".join(word for word in plan.target.split() if word.lower() not in asked.subjects)
    questions = board.finder.find(rest, spans=board.spans, modalities=("speech",), narrowed=board.narrowed)
    asked = replace(asked, others=asked.others | speakers_in(questions))
    return [claim for each in questions if (claim := _reply(board, each, asked)) is not None]


def _is_of_mention(question: str) -> bool:
    """Whether it is asked if something was spoken of, rather than whether it is so, or a language is spoken."""
    return _SAYS_THAT.search(question) is None and _SPEAKS.search(question) is None


def _is_said_to(board: Board, line: Match, subjects: Sequence[str]) -> bool:
    """Whether a line says `you` to whom is asked about: by name, or since nobody else speaks with them then."""
    if not subjects or line.speaker is None or re.search(r"\byou", line.text, re.I) is None:
        return True
    if any(same_name(line.text, name) for name in subjects):
        return True
    near_ns = round(CONVERSATION_S * NS_PER_S)
    near = Span(recording=line.recording, t_start_ns=line.t_start_ns - near_ns, t_end_ns=line.t_end_ns + near_ns)
    heard = {each.speaker for each in board.view.observations(kinds=("speech",), span=near) if each.speaker}
    return all(speaker == line.speaker or any(same_name(speaker, name) for name in subjects) for speaker in heard)


def _reply(board: Board, question: Match, asked: Asked) -> _Claim | None:
    """What another said to a question within ten seconds, where that is a yes or a no."""
    if question.modality != "speech" or not is_yes_no_question(question.text):
        return None
    reply = next((each for each in said_after(board, question) if each.speaker != question.speaker), None)
    if reply is None:
        return None
    said: Polarity = reply_polarity(reply.text)
    if not asks_it(question.text, asked, speaker=question.speaker):
        return None
    of_another = asked.subjects and not any(same_name(reply.speaker, name) for name in asked.subjects)
    if said not in {"states", "denies"} or (of_another and re.search(r"\byou", question.text, re.I)):
        return None
    return _Claim(match=from_observation(reply, support=0.9 * question.support), is_so=said == "states")


def _last_words(board: Board, claims: Sequence[_Claim]) -> dict[str, _Claim]:
    """The claim of each source that counts: the last one. Of what was seen, and of captions, one that it was so counts
    where it is asked whether it ever was: they tell of one moment each."""
    is_past = re.match(r"(?:did|was|were|has|have|had)", board.plan.question, re.I) is not None
    last: dict[str, _Claim] = {}
    for claim in sorted(claims, key=lambda each: (each.match.t_start_ns, each.match.recording)):
        known = last.get(claim.source)
        if known is None or claim.is_so or not (known.is_so and is_past and claim.match.speaker is None):
            last[claim.source] = claim
    return last


def _both(board: Board, claims: Sequence[_Claim]) -> Draft:
    so, not_so = ([claim for claim in claims if claim.is_so is side] for side in (True, False))
    matches = sorted((claim.match for claim in claims), key=lambda match: (-match.use, match.t_start_ns))
    return Draft(
        text=f"Told both ways. That it is so: {_quoted(board, so)}. That it is not: {_quoted(board, not_so)}.",
        matches=tuple(matches),
        confidence=DISAGREED * matches[0].support,
    )


def _quoted(board: Board, claims: Sequence[_Claim]) -> str:
    """The claims in words, the most useful first."""
    found = chosen_occurrences(board, [claim.match for claim in claims])
    found.sort(key=lambda each: (-each.best.use, each.t_start_ns))
    return listed([f"{shown(each.best)} (at {when(each, board.view.words)})" for each in found[:3]], total=len(found))
