"""How many: distinct tracked objects, and the most at one time; times something happened; numbers that were said.

An object that spans several events has one track id, so tracks are counted and not boxes. Trackers lose and re-find
people, so counts of more than a few are called "about".
"""

from __future__ import annotations

import re

from planners.english.words import content_words, numbers_in, stem, stems_of
from planners.finding import read_target
from planners.matches import Match, most_at_once, occurrences
from planners.protocols import Board, Draft
from planners.reasoners.temporal import by_usefulness, strong
from planners.reasoners.wording import listed, quote, when
from planners.windows import Span, window_point_ns
from streammem.types import Level

_SPOKEN_UNITS = stems_of("sentence utterance line remark statement")
_SHOTS = stems_of("shot scene event cut clip")
_PLURALS = {
    "person": "people",
    "knife": "knives",
    "mouse": "mice",
    "sheep": "sheep",
    "bus": "buses",
    "bench": "benches",
}


def named(label: str, count: int) -> str:
    """`1 person`, `3 people`."""
    if count == 1:
        return f"1 {label}"
    return f"{count} {_PLURALS.get(label, label if label.endswith('s') else label + 's')}"


def answer_how_many(board: Board) -> Draft | None:
    """Counts what the plan asks for; None where there is nothing to count."""
    plan = board.plan
    if plan.counts_times:
        return _times(board)
    words = {stem(word) for word in content_words(plan.target, keep_scaffold=True)}
    if words & _SPOKEN_UNITS:
        return _spoken(board)
    if re.search(r"\b(?:speakers?|voices?|people (?:(?:are|were) )?(?:speak|talk|spoke)\w*)\b", plan.question.lower()):
        return _speakers(board)
    if words and words <= _SHOTS:
        return _events(board)
    seen = [match for match in board.matches if match.modality == "object"]
    if seen:
        return _objects(board, seen)
    said = _number_said(board)
    if said is not None or re.search(r"^how many .*\b(?:did|does|do|has|have|had)\b", plan.question, re.I):
        return said  # how often it came up is not how many there were
    return _times(board)


def _objects(board: Board, seen: list[Match]) -> Draft:
    plan, view = board.plan, board.view
    reading = read_target(plan.target, labels=view.labels)
    lines: list[str] = []
    best: list[Match] = []
    whole_total = 0
    for labels in reading.labels:
        for label in labels:
            of_label = [match for match in seen if match.label == label]
            if not of_label:
                continue
            tracks = _tracks(of_label)
            peak, where = most_at_once([span for spans in tracks.values() for span in spans])
            count = len(tracks)
            point = next((at for span in board.spans if (at := window_point_ns(span, plan.window)) is not None), None)
            if point is not None:
                at_point = {
                    key for key, spans in tracks.items() if any(s.t_start_ns <= point <= s.t_end_ns for s in spans)
                }
                count = len(at_point) or count
                peak, where = count, None
            phrase = f"about {named(label, count)}" if count > 3 else named(label, count)
            if count > 1 and point is None:
                phrase = phrase.replace(str(count), f"{count} different", 1)
                if peak == 1:
                    phrase += ", one at a time"
                elif where is not None:
                    phrase += f", up to {peak} at once (at {view.words.point(where.recording, where.t_start_ns)})"
            lines.append(phrase)
            whole_total += count
            best += _one_per_track(of_label, where)
    if len(lines) == 1 and re.search(r"\b(?:at once|at (?:the same|any one|one) time|simultaneously)\b", plan.question):
        label = next(label for labels in reading.labels for label in labels)
        tracks = _tracks([match for match in seen if match.label == label])
        peak, where = most_at_once([span for spans in tracks.values() for span in spans])
        at = f" at {view.words.point(where.recording, where.t_start_ns)}" if where else ""
        text = f"At most {named(label, peak)} at once{at}; about {len(tracks)} different over the whole time."
        return Draft(text=text, matches=tuple(best), confidence=0.7)
    text = listed(lines)
    note = next((match.note for match in seen if match.note), "")
    confidence = 0.8 if whole_total <= 3 else 0.65
    if note:
        text += f"; {note}"
        confidence *= 0.7
    return Draft(text=f"{text[0].upper()}{text[1:]}.", matches=tuple(best), confidence=confidence)


def _tracks(matches: list[Match]) -> dict[tuple[str, str], list[Span]]:
    tracks: dict[tuple[str, str], list[Span]] = {}
    for match in matches:
        key = (match.recording, match.track_id or match.observation_id or "")
        tracks.setdefault(key, []).append(match.span)
    return {key: _joined(spans) for key, spans in tracks.items()}


def _joined(spans: list[Span]) -> list[Span]:
    """A track's pieces in neighbouring events, as one span each where they touch: it must not count twice at a cut."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: each.t_start_ns):
        if joined and span.t_start_ns <= joined[-1].t_end_ns + 1:
            last = joined[-1]
            joined[-1] = Span(
                recording=last.recording,
                t_start_ns=last.t_start_ns,
                t_end_ns=max(last.t_end_ns, span.t_end_ns),
            )
        else:
            joined.append(span)
    return joined


def _one_per_track(matches: list[Match], where: Span | None) -> list[Match]:
    """One match of each track: those at the fullest moment first, then the surest."""
    ordered = sorted(
        matches,
        key=lambda match: (
            not (
                where is not None
                and match.recording == where.recording
                and where.overlap_ns(match.t_start_ns, match.t_end_ns) >= 0
            ),
            -match.support,
            match.t_start_ns,
        ),
    )
    kept: dict[tuple[str, str], Match] = {}
    for match in ordered:
        kept.setdefault((match.recording, match.track_id or match.observation_id or ""), match)
    return list(kept.values())


def _times(board: Board) -> Draft | None:
    found = occurrences(strong(board.matches), gap_s=0.0 if "speech" in board.plan.modalities else 3.0)
    if not found:
        return None
    count = len(found)
    times = listed([when(each, board.view.words) for each in found])
    text = f"{'Once' if count == 1 else 'Twice' if count == 2 else f'{count} times'}: at {times}."
    return Draft(text=text, matches=by_usefulness(found), confidence=0.75 * max(each.support for each in found))


def _number_said(board: Board) -> Draft | None:
    """`How many apples did he buy?`: a number beside the thing, in what was said, written or captioned."""
    wanted = {stem(word) for word in content_words(board.plan.target)}
    for match in sorted(board.matches, key=lambda each: (-each.support, each.t_start_ns)):
        tokens = re.findall(r"\d+(?:\.\d+)?|[A-Za-z]+", match.text)
        for index, token in enumerate(tokens):
            value = numbers_in(token)
            near = {stem(other.lower()) for other in tokens[index + 1 : index + 4]}
            if value and near & wanted:
                at = board.view.words.point(match.recording, match.t_start_ns)
                text = f"{value[0]:g}: {quote(match.text)} (at {at})."
                return Draft(text=text, matches=(match,), confidence=0.8 * match.support)
    return None


def _spoken(board: Board) -> Draft | None:
    lines = [match for match in board.matches if match.modality == "speech"]
    if not lines:
        return None
    lines.sort(key=lambda match: (match.recording, match.t_start_ns))
    times = listed([board.view.words.point(match.recording, match.t_start_ns) for match in lines])
    heard = "1 stretch of speech was" if len(lines) == 1 else f"{len(lines)} stretches of speech were"
    text = f"{heard} heard: at {times}."
    return Draft(text=text, matches=tuple(lines), confidence=0.7)


def _speakers(board: Board) -> Draft | None:
    lines = [match for match in board.matches if match.modality == "speech"]
    speakers = list(dict.fromkeys(match.speaker for match in lines if match.speaker))
    if not speakers:
        return None
    one_each = [next(match for match in lines if match.speaker == speaker) for speaker in speakers]
    text = f"{len(speakers)}: {', '.join(speakers)}."
    return Draft(text=text, matches=tuple(one_each), confidence=0.8)


def _events(board: Board) -> Draft | None:
    events = [event for span in board.spans for event in board.view.events(span, level=Level.EVENT)]
    if not events:
        return None
    matches = tuple(
        Match(
            recording=event.recording,
            t_start_ns=event.t_start_ns,
            t_end_ns=event.t_end_ns,
            event_id=event.event_id,
            text=event.text,
            modality="summary",
            support=0.8,
        )
        for event in events
    )
    return Draft(text=f"{len(events)}, as the memory cut the recording into events.", matches=matches, confidence=0.6)
