"""What became of the questions, and every failure with its reason: the second half of the report.

Opens the memories again for what stood at the true moments and for thumbnails; costs about 20 ms for a failure, and
shows at most `MOST` of each kind. Texts that were seen or heard are escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from streammem.app.evaluation import plots
from streammem.app.evaluation.metrics import Outcome, Scored, cut, gap_ns, outcome
from streammem.app.evaluation.records import Found
from streammem.memory import Memory
from streammem.timeline import DAY_NS, WALL_CLOCK_FROM_NS, format_day, format_time
from streammem.types import NS_PER_S, Recording

if TYPE_CHECKING:
    from streammem.app.evaluation.run import Evaluation

MOST = 60
"""Failures of a kind that are shown one by one."""
_SHOWN_HITS = 5

_MEANING: dict[Outcome, tuple[str, str]] = {
    "right": ("right", "var(--good)"),
    "retrieved, wrong answer": ("the evidence was among the first ten, the answer is wrong", "var(--series-2)"),
    "right episode": ("within five minutes of the evidence, not at it: right episode, wrong half minute", "#d8a02c"),
    "not retrieved": ("nothing among the first ten was near the evidence", "var(--bad)"),
    "abstained": ("it said “not in memory”, and it was", "#8a7fb8"),
    "failed": ("an error", "#555"),
}


def failures(done: Evaluation) -> str:
    """The section as markup."""
    groups: dict[Outcome, list[Scored]] = {}
    for one in done.scored["memory"]:
        groups.setdefault(outcome(one), []).append(one)
    order: list[Outcome] = [kind for kind in _MEANING if kind in groups]
    shares: list[tuple[Outcome, int, str]] = [(kind, len(groups[kind]), _MEANING[kind][1]) for kind in order]
    legend = "".join(
        f'<span><i style="background:{colour}"></i><b>{count}</b> '
        + (f'<a href="#{_anchor(kind)}">{escape(_MEANING[kind][0])}</a>' if kind != "right" else "right")
        + "</span>"
        for kind, count, colour in shares
    )
    parts = [
        f"<section><h2>What became of the questions</h2>{plots.strip(shares, title='Outcomes')}"
        f'<p class="legend column">{legend}</p></section>'
    ]
    with _Memories(done.memories) as memories:
        for kind in order:
            if kind == "right":
                continue
            shown = groups[kind][:MOST]
            cards = "".join(_card(one, kind, memories) for one in shown)
            more = f"<p>{len(groups[kind]) - MOST} more are in the records.</p>" if len(groups[kind]) > MOST else ""
            parts.append(
                f'<section class="failures" id="{_anchor(kind)}"><h3><i style="background:{_MEANING[kind][1]}"></i>'
                f"{escape(_MEANING[kind][0])} <small>{len(groups[kind])}</small></h3>{cards}{more}</section>"
            )
    return "".join(parts)


def _card(one: Scored, kind: Outcome, memories: _Memories) -> str:
    question, asked = one.question, one.asked
    world = memories.of(question.world)
    choice = asked.reply.choice if asked.reply is not None else None
    options = "".join(
        f'<li class="{_option(place, question.answer, choice)}">{escape(text)}</li>'
        for place, text in enumerate(question.choices)
    )
    said = ""
    if asked.error is not None:
        said = f'<p class="said">{escape(asked.error)}</p>'
    elif asked.reply is not None:
        expected = f" <em>expected: {escape(' / '.join(question.references))}</em>" if question.references else ""
        said = f'<p class="said">“{escape(asked.reply.text[:400])}”{expected}</p>'
    when = f"asked at {time_label(asked.as_of_ns)}" if asked.as_of_ns is not None else "asked at the end"
    true = "".join(_moment(world, span, None, world.text_at(span)) for span in asked.evidence[:4])
    hits = "".join(
        _moment(world, span, _distance(span, asked.evidence), span.text) for span in asked.recalled[:_SHOWN_HITS]
    )
    name = escape(question.question_id, quote=True)
    shown = ""
    if question.image is not None and (data := _read(Path(question.image))):
        shown = f'<p class="moment"><img alt="" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}"></p>'
    return (
        f'<details id="q-{name}"><summary><span>{escape(question.text)}</span>'
        f"<small>{escape(', '.join(question.types))} · {escape(when)}</small></summary>"
        f'<div class="card">{shown}{f"<ol type=A>{options}</ol>" if options else ""}{said}'
        f'<div class="columns"><div><h4>The evidence</h4>{true or "<p>not published</p>"}</div>'
        f"<div><h4>What was recalled first</h4>{hits or '<p>nothing</p>'}</div></div></div></details>"
    )


def _read(path: Path) -> bytes:
    """A picture of a question; nothing where it has gone."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _option(place: int, answer: int | None, given: int | None) -> str:
    return " ".join(name for name, is_it in (("true", place == answer), ("given", place == given)) if is_it)


def _moment(world: _World, span: Found, distance: str | None, text: str) -> str:
    picture = world.picture(span)
    image = f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(picture).decode()}">' if picture else ""
    start, _ = cut(span)
    label = time_label(span.t_start_ns) + (f", {span.recording}" if span.recording else "")
    link = world.link(span, start)
    where = f'<a href="{escape(link, quote=True)}">{escape(label)}</a>' if link else escape(label)
    far = f' <span class="far{" hit" if distance == "hit" else ""}">{escape(distance)}</span>' if distance else ""
    kind = f" <small>{escape(span.modality.replace('_', ' '))} {span.score:.2f}</small>" if span.modality else ""
    return f'<div class="moment">{image}<p>{where}{far}{kind}<br>{escape(text[:300])}</p></div>'


def time_label(t_ns: int) -> str:
    """With the day, beyond the first one of a recording that starts at 0."""
    return format_day(t_ns) if DAY_NS <= t_ns < WALL_CLOCK_FROM_NS else format_time(t_ns)


def _distance(span: Found, evidence: Sequence[Found]) -> str | None:
    if not evidence:
        return None
    gap = gap_ns(span, evidence)
    if gap is None:
        return "another recording"
    if gap == 0:
        return "hit"
    seconds = gap / NS_PER_S
    if seconds < 120:
        return f"{seconds:.0f} s off"
    return f"{seconds / 60:.0f} min off" if seconds < 7200 else f"{seconds / 3600:.0f} h off"


class _Memories:
    """The worlds' memories, opened when a failure needs them. A context manager."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._open: dict[str, _World] = {}

    def __enter__(self) -> _Memories:
        return self

    def __exit__(self, *_: object) -> None:
        for world in self._open.values():
            world.memory.close()

    def of(self, world: str) -> _World:
        if world not in self._open:
            self._open[world] = _World(Memory.open(self._folders[world]))
        return self._open[world]


class _World:
    """What a card needs of one memory."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._recordings = {one.recording: one for one in memory.recordings()}

    def text_at(self, span: Found) -> str:
        """What was said, seen or written there."""
        around = 3 * NS_PER_S if span.t_end_ns - span.t_start_ns < 2 * NS_PER_S else 0
        rows = self.memory.observations(
            recordings=(span.recording,) if span.recording else None,
            after_ns=span.t_start_ns - around,
            before_ns=span.t_end_ns + around,
            limit=6,
        )
        return " / ".join(dict.fromkeys(row.text for row in rows))

    def picture(self, span: Found) -> bytes | None:
        """The thumbnail of the hit, or the first one inside the span."""
        recording = self._recordings.get(span.recording)
        if recording is None or not recording.has_video:
            return None
        if span.keyframe_id is not None:
            frames = self.memory.keyframes(keyframe_ids=[span.keyframe_id], with_thumbnails=True)
        else:
            frames = self.memory.keyframes(
                recordings=(span.recording,),
                after_ns=span.t_start_ns - 1,
                before_ns=span.t_end_ns + 1,
                with_thumbnails=True,
                limit=1,
            )
        return frames[0].thumbnail_jpeg if frames else None

    def link(self, span: Found, start_ns: int) -> str | None:
        """The file at that moment, as a media fragment; None where there is no such file here."""
        recording: Recording | None = self._recordings.get(span.recording)
        if recording is None or not recording.has_video or not Path(recording.uri).is_file():
            return None
        return f"{Path(recording.uri).resolve().as_uri()}#t={max(start_ns - recording.t_start_ns, 0) / NS_PER_S:.1f}"


def _anchor(kind: str) -> str:
    return "why-" + "".join(letter if letter.isalnum() else "-" for letter in kind)
