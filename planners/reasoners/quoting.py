"""Operators that answer in the memory's own words: said, written, what, where, who, why.

Nothing is made up: every answer quotes observations or the text of events.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from planners.english.vocabulary import is_kind_of_thing
from planners.english.words import FUNCTION_WORDS, content_words, sentences_about, stem, stems_of, tokens
from planners.matches import Match, from_observation, joined_sentences
from planners.protocols import Board, Draft
from planners.reasoners.counting import named
from planners.reasoners.temporal import WEAKER_BY, by_usefulness, chosen_occurrences, strong
from planners.reasoners.wording import MOST_LISTED, listed, quote, shown, shown_at
from planners.windows import Span, window_point_ns
from streammem.types import NS_PER_S, Observation, ObservationKind

NEAR_ANCHOR_S = 30.0
"""`What happened after X?` means the next half minute, not the rest of the day."""
REPLY_WITHIN_S = 10.0
REREAD_WITHIN_S = 3.0
SAME_READING = 0.8
"""Share of letters that two readings of one text have in common, at least."""
_FURNITURE = stems_of(
    """sign signs title screen text poster banner label logo caption captions subtitle subtitles board wall
    picture page credits letters writing name paper shirt next then thing else anything something card cards slide
    stand stands film movie video trailer end start beginning"""
)
"""What writing stands on: seldom itself in memory."""

_WHERE_WORDS = r"at|in|on|near|by|around|beside|behind|with|next to"
_SENTENCES = stems_of("sentence line word remark statement utterance thing next speech else person speaker")


def answer_said(board: Board) -> Draft | None:
    """Quotes what was said: about the target, or in the span asked for."""
    return _quotes(board, board.matches, kinds=("speech", "caption"))


def answer_written(board: Board) -> Draft | None:
    """Quotes text that stood in the picture."""
    return _quotes(board, board.matches, kinds=("text_in_view", "caption"))


def is_furniture(target: str) -> bool:
    """Whether a target names only what writing stands on, or nothing: then whatever is written is meant."""
    words = content_words(target)
    return not target or (bool(words) and all(stem(word) in _FURNITURE for word in words))


def is_sentence_word(target: str) -> bool:
    """Whether a target only says "sentence", "line", "speaker": the lines themselves are meant."""
    words = content_words(target)
    return bool(words) and all(stem(word) in _SENTENCES for word in words)


def lines_in_spans(board: Board, kinds: tuple[ObservationKind, ...]) -> list[Match]:
    """Every line of these kinds inside the board's spans, the nearest to a named instant or the anchor first."""
    found: list[Match] = []
    for span in board.spans:
        found += [
            from_observation(each, support=0.85 * max(each.confidence, 0.5))
            for each in board.view.observations(kinds=kinds, span=span)
        ]
    return joined_sentences(found)


def _quotes(board: Board, matches: list[Match], *, kinds: tuple[ObservationKind, ...]) -> Draft | None:
    plan, words = board.plan, board.view.words
    matches = [match for match in matches if match.modality in kinds] or matches
    if not matches:
        return None
    matches = _without_partial_readings(strong(matches))
    in_time = sorted(matches, key=lambda match: (match.t_start_ns, match.recording, match.text))
    if plan.target and not is_furniture(plan.target):
        useful = sorted(matches, key=lambda match: (-match.use, match.t_start_ns))
    else:
        useful = _nearest_first(board, in_time)
    match plan.occurrence:
        case "first":
            useful = in_time[:1]
        case "last":
            useful = in_time[-1:]
        case "nth":
            useful = in_time[(plan.nth or 1) - 1 : plan.nth]
        case _:
            pass
    if not useful:
        return None
    kept = useful[:MOST_LISTED]
    spoken = sorted(kept, key=lambda each: (each.t_start_ns, each.recording)) if not plan.target else kept
    parts = [shown_at(each, words) for each in spoken]
    text = listed(parts, total=len(useful))
    return Draft(text=f"{text}.", matches=tuple(useful), confidence=useful[0].support)


def _without_partial_readings(matches: list[Match]) -> list[Match]:
    """Of several readings of one text (a title that fades in, a letter misread) the longest, over all their time."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda each: (-len(each.text), each.t_start_ns)):
        for index, other in enumerate(kept):
            if match.modality == "text_in_view" == other.modality and _is_reading_of(match, other):
                kept[index] = replace(
                    other,
                    t_start_ns=min(match.t_start_ns, other.t_start_ns),
                    t_end_ns=max(match.t_end_ns, other.t_end_ns),
                )
                break
        else:
            kept.append(match)
    return kept


def _is_reading_of(part: Match, whole: Match) -> bool:
    apart_ns = max(part.t_start_ns - whole.t_end_ns, whole.t_start_ns - part.t_end_ns)
    if part.recording != whole.recording or apart_ns > REREAD_WITHIN_S * NS_PER_S:
        return False
    short, long = (re.sub(r"\W", "", each.text).lower() for each in (part, whole))
    return long.startswith(short) or SequenceMatcher(None, short, long).ratio() >= SAME_READING


def _nearest_first(board: Board, matches: list[Match]) -> list[Match]:
    """By distance to the named instant; next to the anchor, only what is near it."""
    plan = board.plan
    for span in board.spans:
        point = window_point_ns(span, plan.window)
        if point is not None:
            exact = [match for match in matches if match.t_start_ns <= point <= match.t_end_ns]
            return exact or sorted(matches, key=lambda match: _distance_ns(match, point))
    if plan.anchor is not None and board.anchor is not None:
        if plan.anchor.relation == "after":
            at_ns = board.anchor.t_end_ns
            near = sorted(matches, key=lambda match: match.t_start_ns)
        elif plan.anchor.relation == "before":
            at_ns = board.anchor.t_start_ns
            near = sorted(matches, key=lambda match: -match.t_end_ns)
        else:
            return matches
        close = [match for match in near if _distance_ns(match, at_ns) <= NEAR_ANCHOR_S * NS_PER_S]
        most = 2 if plan.kind == "said" else 4
        return (close or near)[:most] if not re.search(r"\b(?:all|everything)\b", plan.question.lower()) else near
    return matches


def _distance_ns(match: Match, t_ns: int) -> int:
    return max(match.t_start_ns - t_ns, t_ns - match.t_end_ns, 0)


def answer_what(board: Board) -> Draft | None:
    """What is known of the target; without one, what happened in the span: the text of its events, speech included."""
    if board.plan.target:
        if not board.matches:
            return None
        if (seen := _kinds_seen(board)) is not None:
            return seen
        telling = [match for match in board.matches if match.modality != "object"] or board.matches
        if "speech" not in board.plan.modalities:
            telling, question = _told_apart(board, telling)
            if question is not None and (reply := _reply(board, question)) is not None:
                return reply
        found = chosen_occurrences(board, telling)
        if not found:
            return None
        useful = by_usefulness(found)
        kept = useful[:3]
        words = board.view.words
        parts = [shown_at(each, words) for each in kept]
        return Draft(text=f"{listed(parts, total=len(parts))}.", matches=useful, confidence=0.8 * useful[0].support)
    return _describe_spans(board)


def _kinds_seen(board: Board) -> Draft | None:
    """`What animals are there?`: each kind that was seen, and when first."""
    seen = sorted((match for match in board.matches if match.label), key=lambda match: match.t_start_ns)
    firsts: dict[str, Match] = {}
    for match in seen:
        firsts.setdefault(match.label or "", match)
    words = content_words(board.plan.target)
    if not firsts or not words or not is_kind_of_thing(words[0]) or len(words) > 1:
        return None
    at = board.view.words
    parts = [f"{label} (first at {at.point(match.recording, match.t_start_ns)})" for label, match in firsts.items()]
    matches = (*firsts.values(), *(match for match in board.matches if match not in firsts.values()))
    return Draft(text=f"Seen: {listed(parts)}.", matches=matches, confidence=0.7)


def _describe_spans(board: Board) -> Draft | None:
    words = board.view.words
    events = [
        Match(
            recording=event.recording,
            t_start_ns=event.t_start_ns,
            t_end_ns=event.t_end_ns,
            event_id=event.event_id,
            text=event.text,
            modality="summary",
            support=0.7,
        )
        for span in board.spans
        for event in board.view.events(span)
        if event.text
    ]
    lines = lines_in_spans(board, ("speech", "caption", "text_in_view")) if board.narrowed else []
    if not events and not lines:
        return None
    if board.narrowed:
        near = _nearest_first(board, _beside_anchor(board, events))
        said = _nearest_first(board, lines)
        is_narrated = any(match.modality == "caption" for match in said[:4])  # then lines are finer than events
        if is_narrated and board.plan.anchor is not None and _is_beside_anchor(board, said[0]):
            return _tell(board, said[:4], rest=near)
        texts = [f"{words.span(each.recording, each.t_start_ns, each.t_end_ns)}: {shown(each)}" for each in near[:4]]
        return Draft(
            text=f"{listed(texts, total=len(near))}." if texts else f"{listed([shown(each) for each in said])}.",
            matches=(*said[:3], *near, *said[3:]),
            confidence=0.7,
        )
    overview = _overview(board)
    parts = [f"{words.point(each.recording, each.t_start_ns)}: {_short(each.text)}" for each in events[:MOST_LISTED]]
    text = f"{overview} {listed(parts, total=len(events))}." if overview else f"{listed(parts, total=len(events))}."
    return Draft(text=text, matches=tuple(events), confidence=0.6)


def _is_beside_anchor(board: Board, match: Match) -> bool:
    assert board.anchor is not None
    apart_ns = max(match.t_start_ns - board.anchor.t_end_ns, board.anchor.t_start_ns - match.t_end_ns, 0)
    return apart_ns <= NEAR_ANCHOR_S * NS_PER_S


def _tell(board: Board, lines: list[Match], *, rest: list[Match]) -> Draft:
    """Lines in order of time: finer than the events they belong to."""
    words = board.view.words
    in_time = sorted(lines, key=lambda each: (each.t_start_ns, each.t_end_ns))
    texts = [f"{words.span(each.recording, each.t_start_ns, each.t_end_ns)}: {shown(each)}" for each in in_time]
    return Draft(text=f"{listed(texts)}.", matches=(*lines, *rest), confidence=0.7)


def _beside_anchor(board: Board, events: list[Match]) -> list[Match]:
    """Events before or after the anchor, without the one that holds it, where there are others."""
    if board.anchor is None or board.plan.anchor is None or board.plan.anchor.relation == "during":
        return events
    middle_ns = (board.anchor.t_start_ns + board.anchor.t_end_ns) // 2
    return [event for event in events if not event.t_start_ns <= middle_ns < event.t_end_ns] or events


def _short(text: str) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= 120 else clean[:119].rsplit(" ", 1)[0] + "…"


def _overview(board: Board) -> str:
    counts: dict[str, set[str]] = {}
    for each in board.view.objects():
        if each.label:
            counts.setdefault(each.label, set()).add(f"{each.recording}/{each.track_id or each.observation_id}")
    most = sorted(counts.items(), key=lambda item: (-len(item[1]), item[0]))[:4]
    return f"Seen in all: {', '.join(named(label, len(ids)) for label, ids in most)}." if most else ""


_PLACE = re.compile(
    r"\b(?:in|on|at|under|behind|beside|near|inside|outside|upstairs|downstairs|over|against|between|next to|here|"
    r"there|into|onto)\b",
    re.I,
)


def says_where(match: Match) -> bool:
    """Whether words could tell a place; a question asks for one instead."""
    if match.modality == "object":
        return True
    return _PLACE.search(match.text) is not None and not match.text.rstrip().endswith("?")


_SIDES = ("on the left", "on the right", "in the middle")


def literal_matches(matches: Sequence[Match], target: str) -> list[Match]:
    """The lines that name the thing itself: a cup is told of as a mug too, but the cup is not the mug."""
    wanted = {stem(word) for word in content_words(target)}
    return [match for match in matches if wanted <= {stem(word) for word in content_words(match.text)}]


def answer_where(board: Board) -> Draft | None:
    """Where the target was: by captions and facts in their words, by objects their side of the picture."""
    telling = [
        match
        for match in strong(literal_matches(board.matches, board.plan.target) or board.matches)
        if says_where(match)
    ]
    found = chosen_occurrences(board, telling or board.matches)
    if not found:
        return None
    matches = [match for each in found for match in each.matches]
    places = [match for match in matches if match.modality in {"caption", "fact", "speech", "summary"}]
    useful = sorted(places or matches, key=lambda match: (not says_where(match), -match.support, -match.t_start_ns))
    best = useful[0]
    words = board.view.words
    at = words.span(best.recording, best.t_start_ns, best.t_end_ns)
    side = next((side for side in _SIDES if side in best.text), None)
    where = (
        f"{side} of the picture".replace("in the middle of", "in the middle of")
        if side and best.modality == "object"
        else shown(best)
    )
    lead = "Last seen" if board.plan.occurrence == "last" else "Seen"
    rest = tuple(match for match in matches if match is not best)
    text = f"{lead} at {at}: {where}." if best.modality != "speech" else f"At {at}: {where}."
    return Draft(text=text, matches=(best, *rest), confidence=0.8 * best.support)


def answer_who(board: Board) -> Draft | None:
    """The speaker of what matches, a name in it, or the people that were seen."""
    plan = board.plan
    if not plan.target or set(content_words(plan.target)) <= {"speaking", "talking", "person"}:
        return _people(board)
    if re.match(rf"(?:{_WHERE_WORDS})\b", plan.target, re.I):
        return _people_around(board)
    asks_speaker = "speech" in plan.modalities
    statements, question = (board.matches, None) if asks_speaker else _told_apart(board, board.matches)
    if question is not None:
        return _reply(board, question)
    found = chosen_occurrences(board, statements)
    if not found:
        return None
    useful = by_usefulness(found)
    if plan.occurrence == "first":
        useful = tuple(sorted(useful, key=lambda match: match.t_start_ns))
    best = useful[0]
    known = frozenset(token for match in board.matches if match.speaker for token in tokens(match.speaker))
    if not asks_speaker:  # captions tell who did it; the words of somebody seldom do
        naming = [m for m in useful if m.support >= best.support - WEAKER_BY and _name_in(m, plan.target, known)]
        best = next((match for match in naming if match.modality == "caption"), naming[0] if naming else best)
        useful = (best, *(match for match in useful if match is not best))
    at = board.view.words.span(best.recording, best.t_start_ns, best.t_end_ns)
    if best.speaker and asks_speaker:
        return Draft(text=f"{best.speaker}: {quote(best.text)} (at {at}).", matches=useful, confidence=best.support)
    name = None if asks_speaker else _name_in(best, plan.target, known)
    if name and best.speaker and name.startswith("The wearer"):
        name = best.speaker  # "I" is who speaks
    if name:
        return Draft(text=f"{name}: {shown(best)} (at {at}).", matches=useful, confidence=0.8 * best.support)
    if best.modality == "object":
        count = len({match.track_id for match in useful})
        return Draft(text=f"{named('person', count)}, not known by name (at {at}).", matches=useful, confidence=0.5)
    lead = "A voice that is not known by name" if best.modality == "speech" and not best.speaker else "Not named"
    return Draft(text=f"{lead}: {shown(best)} (at {at}).", matches=useful, confidence=0.6 * best.support)


def _people_around(board: Board) -> Draft | None:
    """`Who was at the table?`: who is named or heard around the times that are about the place."""
    found = strong(board.matches)
    known = frozenset(token for match in found if match.speaker for token in tokens(match.speaker))
    people: dict[str, list[Match]] = {}
    for match in found:
        near = Span(
            recording=match.recording,
            t_start_ns=match.t_start_ns - round(REPLY_WITHIN_S * NS_PER_S),
            t_end_ns=match.t_end_ns + round(REPLY_WITHIN_S * NS_PER_S),
        )
        for each in board.view.observations(kinds=("speech",), span=near):
            if each.speaker:
                people.setdefault(each.speaker, []).append(match)
        if match.modality == "caption" and (name := _name_in(match, board.plan.target, known | set(people))):
            people.setdefault(name, []).append(match)
    if not people:
        return _people(board) if any(match.modality == "object" for match in found) else None
    names = sorted(people, key=lambda name: -len(people[name]))
    text = f"Named or heard around then: {', '.join(names)} ({shown(found[0])})."
    return Draft(text=text, matches=tuple(found), confidence=0.5)


def _told_apart(board: Board, matches: Sequence[Match]) -> tuple[list[Match], Match | None]:
    """What is stated, and the question that somebody asked, where that is nearer to what is looked for than anything
    stated: then what was said to it answers."""
    target = board.plan.target
    statements = [
        match
        for match in matches
        if match.modality != "speech" or not all(each.endswith("?") for each in sentences_about(match.text, target))
    ]
    asked = max((match for match in matches if match not in statements), key=lambda match: match.support, default=None)
    if asked is not None and asked.support > max((match.support for match in statements), default=0.0) + 0.1:
        return statements, asked
    return statements, None


def said_after(board: Board, line: Match) -> list[Observation]:
    """What was said within ten seconds after a line, in order of time."""
    after = Span(
        recording=line.recording,
        t_start_ns=line.t_end_ns,
        t_end_ns=line.t_end_ns + round(REPLY_WITHIN_S * NS_PER_S),
    )
    spoken = board.view.observations(kinds=("speech",), span=after)
    return [each for each in spoken if each.t_start_ns >= line.t_end_ns]


def _reply(board: Board, question: Match) -> Draft | None:
    """The same question was asked in the recording: what was said to it within ten seconds."""
    said = next(iter(said_after(board, question)), None)
    if said is None:
        return None
    reply = from_observation(said, support=0.7 * question.support)
    at = board.view.words.point(reply.recording, reply.t_start_ns)
    who = reply.speaker if reply.speaker and re.match(r"(?:I|Me|We)\b", reply.text) else "The answer given"
    return Draft(
        text=f"{who}: asked {quote(question.text)}, {shown(reply)} (at {at}).",
        matches=(reply, question),
        confidence=0.6 * question.support,
    )


def _people(board: Board) -> Draft | None:
    speech_only = "speech" in board.plan.modalities
    lines = lines_in_spans(board, ("speech",))
    speakers = list(dict.fromkeys(match.speaker for match in lines if match.speaker))
    seen = [] if speech_only else board.finder.objects("person", spans=board.spans)
    parts: list[str] = []
    matches: list[Match] = []
    if speakers:
        parts.append(f"speaking: {', '.join(speakers)}")
        matches += [next(match for match in lines if match.speaker == speaker) for speaker in speakers]
    elif speech_only and lines:
        parts.append("a voice that is not known by name")
        matches += lines
    if seen:
        tracks = {(match.recording, match.track_id) for match in seen}
        parts.append(f"{'about ' if len(tracks) > 3 else ''}{named('person', len(tracks))} seen, not known by name")
        kept = {(match.recording, match.track_id): match for match in reversed(seen)}
        matches += sorted(kept.values(), key=lambda match: (-match.support, match.t_start_ns))
    if not parts:
        return None
    text = "; ".join(parts)
    return Draft(text=f"{text[0].upper()}{text[1:]}.", matches=tuple(matches), confidence=0.6)


_WATCHING = re.compile(r"^(?:I\b.{0,12}?|.{0,12}?)\b(?:watch|look|see|saw|hear|listen|notic|observ|star)\w*", re.I)


def _name_in(match: Match, target: str, known: frozenset[str]) -> str | None:
    """The person that a line names: `Katrina: ...`, `I moved ...`, or a capitalised word not asked about."""
    text = match.text
    if lead := re.match(r"^([A-Z][\w'\u2019-]+(?: [A-Z][\w'\u2019-]+)?)\s*:", text):
        return lead[1]
    asked = {token.lower() for token in tokens(target)}
    spoken = tokens(text)
    for index, token in enumerate(spoken):
        if token in {"I", "I'm", "I\u2019m", "I've", "I'll", "My", "my"}:
            if _WATCHING.search(text) and not _WATCHING.search(f"I {target}"):
                continue  # "I watch Shure write": it is not I who writes
            return "The wearer of the camera (“I”)"
        if index == 0 and token.lower() in {"we", "we've", "we\u2019ve"} and match.speaker:
            return f"{match.speaker} (“we”)"
        if not token[0].isupper() or token.lower() in asked | FUNCTION_WORDS or len(token) < 2:
            continue
        following = spoken[index + 1] if index + 1 < len(spoken) else ""
        starts = index == 0 or re.search(rf"[.?!]\W*{re.escape(token)}\b", text) is not None
        # The first word of a sentence is a name if it is known as one, or does something: "Bob opens", not "Put the".
        # What is said begins with orders: "Buy eggs".
        acts = match.modality == "caption" and re.search(r"(?:[a-z]s|ed)$|^and$", following)
        if not starts or token in known or acts:
            return token
    return None


def answer_why(board: Board) -> Draft | None:
    """A reason cannot be reckoned without a model: quotes what was said nearest to it, reasons (`because`) first."""
    if not board.matches:
        return None
    useful = sorted(
        board.matches,
        key=lambda match: (
            -match.support
            - 0.2
            * bool(
                re.search(
                    r"\bbecause|\bso "
                    r"that\b|\bsince\b",
                    match.text,
                )
            ),
            match.t_start_ns,
        ),
    )
    best = useful[0]
    at = board.view.words.span(best.recording, best.t_start_ns, best.t_end_ns)
    return Draft(
        text=f"The nearest in memory: {shown(best)} (at {at}).", matches=tuple(useful), confidence=0.5 * best.support
    )
