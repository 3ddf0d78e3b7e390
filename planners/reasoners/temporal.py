"""Operators about time: when and how long. Each turns a board into a draft, or None for "nothing".

Knows matches, grouped into occurrences; reads nothing further but the recordings' spans.
"""

from __future__ import annotations

from collections.abc import Sequence

from planners.english.told_times import ToldTime, told_length, told_time
from planners.matches import SAME_OCCURRENCE_S, Match, Occurrence, occurrences, union_spans
from planners.plan import ANY_SPEECH
from planners.protocols import Board, Draft
from planners.reasoners.wording import MOST_LISTED, listed, shown, when
from planners.windows import duration_words

WEAKER_BY = 0.22
"""Matches this much weaker than the best one are another thing that sounds alike, when all occurrences are wanted."""
LESS_COVERED_BY = 0.25
"""Matches that lack this much more of the wanted words say something else: walking up to a tripod is not holding it."""
CAPTIONS_GAP_S = 60.0
"""Captions tell of something now and then while it goes on: between two that are so near, it did."""
THROUGHOUT = 0.9
"""Share of the recording from which on something is said to be there throughout."""


def strong(matches: Sequence[Match]) -> list[Match]:
    """The matches that come near the best one, in the order given."""
    best = max((match.support for match in matches), default=0.0)
    near = [match for match in matches if match.support >= best - WEAKER_BY]
    fullest = max((match.coverage for match in near), default=0.0)
    return [match for match in near if match.coverage >= fullest - LESS_COVERED_BY]


def chosen_occurrences(board: Board, matches: Sequence[Match]) -> list[Occurrence]:
    """The occurrences that the plan asks for: all, the first, the last, the n-th (none when there are fewer)."""
    plan = board.plan
    found = occurrences(strong(matches))
    found.sort(key=lambda each: (each.t_start_ns, each.recording))
    match plan.occurrence:
        case "first":
            return found[:1]
        case "last":
            return found[-1:]
        case "nth":
            assert plan.nth is not None
            return found[plan.nth - 1 : plan.nth]
        case _:
            return found


def by_usefulness(found: Sequence[Occurrence]) -> tuple[Match, ...]:
    """The best match of each occurrence, best first, then the others in order of use."""
    tops = sorted((each.best for each in found), key=lambda match: (-match.use, match.t_start_ns))
    rest = sorted(
        (match for each in found for match in each.matches if match is not each.best),
        key=lambda match: (-match.use, match.t_start_ns),
    )
    return (*tops, *rest)


def answer_when(board: Board) -> Draft | None:
    """The times of the occurrences asked for, with what was noticed there; where somebody tells when it was, that."""
    found = chosen_occurrences(board, board.matches)
    if not found:
        return None
    if board.plan.occurrence not in {"first", "last", "nth"} and (told := _told_when(board, found)):
        return told
    words, plan = board.view.words, board.plan
    lead = {"first": "First at ", "last": "Last at ", "nth": f"Time number {plan.nth}: "}.get(plan.occurrence, "At ")
    if asks_how_long_ago(board):
        found = found[-1:]
        ago = _ago(board, found[0].t_end_ns)
        lead = f"{ago[0].upper()}{ago[1:]}, {lead[0].lower()}{lead[1:]}"
    if plan.occurrence in {"first", "last", "nth"}:
        only = found[0]
        edge = min(only.matches, key=lambda match: match.t_start_ns)
        if plan.occurrence == "last":
            edge = max(only.matches, key=lambda match: match.t_end_ns)
        text = f"{lead}{when(only, words)}: {shown(edge)}."
        others = tuple(match for match in by_usefulness(found) if match is not edge)
        return Draft(text=text, matches=(edge, *others), confidence=only.support)
    if len(found) == 1 and _is_throughout(board, found[0]):
        text = f"Throughout, from {when(found[0], words)}: {shown(found[0].best)}."
    else:
        parts = [f"{when(each, words)} ({shown(each.best)})" for each in found[:MOST_LISTED]]
        text = f"{lead}{listed(parts, total=len(found))}."
    if found[0].best.note:
        text += f" ({found[0].best.note[0].upper()}{found[0].best.note[1:]}.)"
    return Draft(text=text, matches=by_usefulness(found), confidence=max(each.support for each in found))


def _told_when(board: Board, found: Sequence[Occurrence]) -> Draft | None:
    """When it was by what was said of it, the best line that tells so first; None where none does."""
    if board.plan.modalities == ANY_SPEECH:  # when it was spoken of is asked
        return None
    told: list[tuple[ToldTime, Match]] = []
    for match in by_usefulness(found):
        if match.modality == "speech":
            time = told_time(match.text, said_ns=match.t_start_ns, about=board.plan.target)
            if time is not None and time.words not in {each.words for each, _ in told}:
                told.append((time, match))
    if not told:
        return None
    words, matches = board.view.words, [match for _, match in told]
    parts = [
        f"{time.words} (told at {words.span(match.recording, match.t_start_ns, match.t_end_ns)}: {shown(match)})"
        for time, match in told[:MOST_LISTED]
    ]
    text = listed(parts, total=len(told))
    if asks_how_long_ago(board):
        first = told[0][0]
        text = f"{_ago(board, (first.t_start_ns + first.t_end_ns) // 2, units=1)}, {text}"
    rest = [match for match in by_usefulness(found) if match not in matches]
    return Draft(text=f"{text[0].upper()}{text[1:]}.", matches=(*matches, *rest), confidence=matches[0].support)


def _is_throughout(board: Board, occurrence: Occurrence) -> bool:
    whole = next((span for span in board.spans if span.recording == occurrence.recording), None)
    length_ns = occurrence.t_end_ns - occurrence.t_start_ns
    return whole is not None and whole.duration_ns > 0 and length_ns >= THROUGHOUT * whole.duration_ns


def answer_how_long(board: Board) -> Draft | None:
    """Length of the union of the spans; of the recording itself when nothing in it is asked for."""
    plan, view = board.plan, board.view
    matches = strong(board.matches)
    if not matches and not plan.target and "speech" not in plan.modalities:
        return _length_of_recordings(board)
    if plan.occurrence in {"first", "last", "nth"}:
        matches = [match for each in chosen_occurrences(board, matches) for match in each.matches]
    if not matches:
        return None
    if plan.modalities != ANY_SPEECH:
        seen = [match for match in matches if match.modality != "speech"]
        if not seen:
            return _told_how_long(board, matches)
        matches = seen  # what is said of it does not last as long
    is_told = all(match.modality == "caption" for match in matches)
    found = occurrences(matches, gap_s=CAPTIONS_GAP_S if is_told else SAME_OCCURRENCE_S)
    spans = union_spans(each.span for each in (found if is_told else matches))
    if board.narrowed and plan.window is not None:
        cut = [
            (max(span.t_start_ns, window.t_start_ns), min(span.t_end_ns, window.t_end_ns))
            for span in spans
            for window in board.spans
            if window.recording == span.recording
        ]
        total_ns = sum(max(end_ns - start_ns, 0) for start_ns, end_ns in cut)
    else:
        total_ns = sum(span.duration_ns for span in spans)
    text = f"About {duration_words(total_ns)}"
    if len(found) == 1:
        text += f", from {when(found[0], view.words)}"
    else:
        text += f" in all, over {len(found)} stretches: {listed([when(each, view.words) for each in found])}"
    text += f" ({shown(found[0].best)})."
    return Draft(text=text, matches=by_usefulness(found), confidence=0.85 * max(each.support for each in found))


def asks_how_long_ago(board: Board) -> bool:
    return board.plan.question.lower().startswith("how long ago")


def _ago(board: Board, t_ns: int, *, units: int = 2) -> str:
    length = duration_words(max(board.view.now_ns - t_ns, 0)).split()
    return f"about {' '.join(length[: 2 * units])} ago"


def _told_how_long(board: Board, matches: Sequence[Match]) -> Draft | None:
    """What is only spoken of lasted as long as somebody says, not as long as they spoke."""
    for match in sorted(matches, key=lambda each: (-each.use, each.t_start_ns)):
        if length := told_length(match.text, about=board.plan.target):
            at = board.view.words.span(match.recording, match.t_start_ns, match.t_end_ns)
            rest = tuple(each for each in matches if each is not match)
            text = f"{length[0].upper()}{length[1:]} (told at {at}: {shown(match)})."
            return Draft(text=text, matches=(match, *rest), confidence=0.85 * match.support)
    return None


def _length_of_recordings(board: Board) -> Draft | None:
    parts: list[str] = []
    matches: list[Match] = []
    for span in board.spans:
        events = board.view.events(span)
        if not events:
            continue
        parts.append(f"{span.recording}: {duration_words(span.duration_ns)}")
        for event in (events[0], events[-1])[: len(events)]:
            matches.append(
                Match(
                    recording=event.recording,
                    t_start_ns=event.t_start_ns,
                    t_end_ns=event.t_end_ns,
                    event_id=event.event_id,
                    text=event.text,
                    modality="summary",
                    support=0.9,
                )
            )
    if not matches:
        return None
    return Draft(text=f"{listed(parts)}.", matches=tuple(matches), confidence=0.9)
