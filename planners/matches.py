"""Matches: remembered things that support a target, with tight spans; grouping them into occurrences; evidence.

Knows no question. Pure functions over small lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from planners.english.words import tokens
from planners.reading import MemoryView
from planners.windows import Span
from streammem.types import NS_PER_S, Evidence, Hit, Modality, Observation

SAME_OCCURRENCE_S = 3.0
"""Matches that are closer than this belong to one occurrence: a pause of speech, a track that was lost for a moment."""

SAME_SENTENCE_S = 0.3
LONGEST_SENTENCE_S = 15.0
"""Lines without full stops are not joined for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One remembered thing and how well it supports what is looked for (`support` in [0, 1])."""

    recording: str
    t_start_ns: int
    t_end_ns: int
    event_id: str
    text: str
    modality: Modality
    support: float
    observation_id: str | None = None
    keyframe_id: str | None = None
    label: str | None = None
    track_id: str | None = None
    speaker: str | None = None
    coverage: float = 1.0
    """How many of the wanted words it covers, in [0, 1]."""
    cosine: float | None = None
    """Of its text with the target, where recall has computed it already."""
    note: str = ""
    """What it leaves open, e.g. that a detector cannot tell a man from a woman."""

    @property
    def span(self) -> Span:
        return Span(recording=self.recording, t_start_ns=self.t_start_ns, t_end_ns=self.t_end_ns)

    @property
    def use(self) -> float:
        """By which answers rank it: of two that are as near, the one with more of the wanted words tells more."""
        return self.support * (1.0 + self.coverage) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Matches that overlap or nearly touch in one recording: one time that something happened."""

    recording: str
    t_start_ns: int
    t_end_ns: int
    matches: tuple[Match, ...]

    @property
    def span(self) -> Span:
        return Span(recording=self.recording, t_start_ns=self.t_start_ns, t_end_ns=self.t_end_ns)

    @property
    def support(self) -> float:
        return max(match.support for match in self.matches)

    @property
    def best(self) -> Match:
        return min(self.matches, key=lambda match: (-match.support, match.t_start_ns))


def from_hit(hit: Hit, *, support: float) -> Match:
    return Match(
        recording=hit.recording,
        t_start_ns=hit.t_start_ns,
        t_end_ns=hit.t_end_ns,
        event_id=hit.event_id,
        text=hit.text,
        modality=hit.modality,
        support=support,
        observation_id=hit.observation_id,
        keyframe_id=hit.keyframe_id,
        speaker=hit.speaker,
    )


def from_observation(observation: Observation, *, support: float, note: str = "") -> Match:
    return Match(
        recording=observation.recording,
        t_start_ns=observation.t_start_ns,
        t_end_ns=observation.t_end_ns,
        event_id=observation.event_id,
        text=observation.text,
        modality=observation.kind,
        support=support,
        observation_id=observation.observation_id,
        label=observation.label,
        track_id=observation.track_id,
        speaker=observation.speaker,
        note=note,
    )


def with_support(match: Match, support: float, *, text: str | None = None, coverage: float | None = None) -> Match:
    """The match with another support (cut to [0, 1]) and, if given, another text and coverage."""
    return replace(
        match,
        support=min(max(support, 0.0), 1.0),
        text=match.text if text is None else text,
        coverage=match.coverage if coverage is None else coverage,
    )


def with_speaker(line: Match | Hit) -> str:
    """What a line says, behind the name of who says it."""
    return f"{line.speaker}: {line.text}" if line.speaker else line.text


def speakers_in(matches: Iterable[Match]) -> set[str]:
    """Words of the names of those who speak, lower-case."""
    return {token.lower() for match in matches if match.speaker for token in tokens(match.speaker)}


def occurrences(matches: Iterable[Match], *, gap_s: float = SAME_OCCURRENCE_S) -> list[Occurrence]:
    """Groups matches whose spans are at most `gap_s` apart, in order of (recording, start)."""
    gap_ns = round(gap_s * NS_PER_S)
    groups: list[list[Match]] = []
    end_ns = 0
    for match in sorted(matches, key=lambda each: (each.recording, each.t_start_ns, each.t_end_ns, each.text)):
        if groups and groups[-1][0].recording == match.recording and match.t_start_ns <= end_ns + gap_ns:
            groups[-1].append(match)
            end_ns = max(end_ns, match.t_end_ns)
        else:
            groups.append([match])
            end_ns = match.t_end_ns
    return [
        Occurrence(
            recording=group[0].recording,
            t_start_ns=group[0].t_start_ns,
            t_end_ns=max(match.t_end_ns for match in group),
            matches=tuple(group),
        )
        for group in groups
    ]


def joined_sentences(matches: Sequence[Match]) -> list[Match]:
    """Speech lines joined where one sentence runs on into the next line: recognisers break long sentences."""
    joined: list[Match] = []
    for match in sorted(matches, key=lambda each: (each.recording, each.modality, each.t_start_ns, each.t_end_ns)):
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.modality == match.modality == "speech"
            and (last.recording, last.speaker) == (match.recording, match.speaker)
            and 0 <= match.t_start_ns - last.t_end_ns <= SAME_SENTENCE_S * NS_PER_S
            and match.t_end_ns - last.t_start_ns <= LONGEST_SENTENCE_S * NS_PER_S
            and not last.text.rstrip().endswith((".", "?", "!", "…", ".”"))
        ):
            text = f"{last.text.rstrip()} {match.text.lstrip()}"
            joined[-1] = replace(last, t_end_ns=match.t_end_ns, text=text, cosine=None)
        else:
            joined.append(match)
    return joined


def union_spans(spans: Iterable[Span]) -> list[Span]:
    """Overlapping and touching spans of each recording merged, in order."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.recording, each.t_start_ns, each.t_end_ns)):
        if merged and merged[-1].recording == span.recording and span.t_start_ns <= merged[-1].t_end_ns:
            merged[-1] = replace(merged[-1], t_end_ns=max(merged[-1].t_end_ns, span.t_end_ns))
        else:
            merged.append(span)
    return merged


def clip(matches: Iterable[Match], spans: Sequence[Span]) -> list[Match]:
    """Matches that overlap one of the spans."""
    return [
        match
        for match in matches
        if any(
            span.recording == match.recording and span.overlap_ns(match.t_start_ns, match.t_end_ns) >= 0
            for span in spans
        )
    ]


def most_at_once(spans: Sequence[Span]) -> tuple[int, Span | None]:
    """The largest number of spans of one recording that overlap, and the first stretch where they do."""
    best, where = 0, None
    for recording in sorted({span.recording for span in spans}):
        changes = sorted(
            change
            for span in spans
            if span.recording == recording
            for change in ((span.t_start_ns, 1), (max(span.t_end_ns, span.t_start_ns + 1), -1))
        )
        running = 0
        for index, (t_ns, change) in enumerate(changes):
            running += change
            if running > best and change > 0:
                best = running
                where = Span(recording=recording, t_start_ns=t_ns, t_end_ns=changes[index + 1][0])
    return best, where


def evidence_from(matches: Sequence[Match], *, view: MemoryView, k: int) -> tuple[Evidence, ...]:
    """Evidence in the order given, each span and text once, at most `k`, each with the picture nearest to it."""
    found: list[Evidence] = []
    seen: list[Match] = []
    for match in matches:
        if len(found) >= k:
            break
        if any(_repeats(match, other) for other in seen):
            continue
        seen.append(match)
        middle_ns = (match.t_start_ns + match.t_end_ns) // 2
        found.append(
            Evidence(
                recording=match.recording,
                t_start_ns=match.t_start_ns,
                t_end_ns=match.t_end_ns,
                event_ids=(match.event_id,) if match.event_id else (),
                text=match.text,
                modality=match.modality,
                score=round(min(max(match.support, 0.0), 1.0), 4),
                keyframe_id=match.keyframe_id
                or view.nearest_keyframe((match.event_id,) if match.event_id else (), middle_ns),
            )
        )
    return tuple(found)


def _repeats(match: Match, other: Match) -> bool:
    if match.recording != other.recording:
        return False
    if match.observation_id is not None and match.observation_id == other.observation_id:
        return True
    same_span = (match.t_start_ns, match.t_end_ns) == (other.t_start_ns, other.t_end_ns)
    if same_span and (match.text == other.text or match.modality == "summary"):
        return True
    # A summary that holds evidence already shown adds nothing but a wider span.
    return match.modality == "summary" and other.event_id == match.event_id
