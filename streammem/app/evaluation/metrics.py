"""Scores of one system over the questions it was asked. Pure: records in, numbers out; percentages from 0 to 100.

A returned span counts as at most half a minute: a longer one is cut to its centre 30 s, for nobody is helped by "it was
this morning". It is a hit when it overlaps a true span (touching counts: most true spans are one second's mark), or
ends within 60 s of one for the wider figure. Spans are counted as they come: two from the same half minute use two of
the k places. What the first k cost is the sum of their lengths.

Of conversations, turns are counted instead: every returned span stands for the turns that lie in it (half of the
shorter one at least), each takes a place, and recall is the share of the true turns among the first k (as in LoCoMo,
Maharana et al., ACL 2024). Moment retrieval (QVHighlights, Lei et al., NeurIPS 2021) is in `windows`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from streammem.app.evaluation.answers import abstains, is_right, overlap_f1
from streammem.app.evaluation.dataset import Dataset, Question, Span, Unit
from streammem.app.evaluation.records import Asked, Found
from streammem.app.evaluation.windows import moment_retrieval, overlap
from streammem.types import NS_PER_S

RANKS = (1, 3, 5, 10, 50)
LONGEST_NS = 30 * NS_PER_S
WITHIN_NS = 60 * NS_PER_S
EPISODE_NS = 300 * NS_PER_S
"""A hit this near and no nearer is in the right episode, and in the wrong half minute."""

Outcome = Literal["right", "abstained", "retrieved, wrong answer", "right episode", "not retrieved", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A question with its record."""

    question: Question
    asked: Asked
    turns: tuple[tuple[Span, str], ...] = ()
    """Of a conversation: every turn on the memory's timeline."""


def cut(span: Found | Span) -> tuple[int, int]:
    """Start and end of a span, cut to its centre half minute where it is longer."""
    start, end = span.t_start_ns, max(span.t_end_ns, span.t_start_ns)
    if end - start <= LONGEST_NS:
        return start, end
    middle = (start + end) // 2
    return middle - LONGEST_NS // 2, middle + LONGEST_NS // 2


def gap_ns(span: Found, evidence: Sequence[Found]) -> int | None:
    """Nanoseconds from a (cut) span to the nearest true one in its recording; 0: they overlap. None: none there."""
    start, end = cut(span)
    gaps = [
        max(true.t_start_ns - end, start - true.t_end_ns, 0)
        for true in evidence
        if true.recording in ("", span.recording)
    ]
    return min(gaps, default=None)


def first_rank(found: Sequence[Found], evidence: Sequence[Found], *, within_ns: int = 0) -> int | None:
    """1 for the first span; None where none comes that near."""
    for rank, span in enumerate(found, start=1):
        gap = gap_ns(span, evidence)
        if gap is not None and gap <= within_ns:
            return rank
    return None


def ranked_turns(scored: Scored, found: Sequence[Found]) -> list[str]:
    """The turns that the returned spans stand for, in their order, repeated where they come again."""
    names: list[str] = []
    for span in found:
        for turn, name in scored.turns:
            shorter = min(span.t_end_ns - span.t_start_ns, turn.t_end_ns - turn.t_start_ns)
            shared = min(span.t_end_ns, turn.t_end_ns) - max(span.t_start_ns, turn.t_start_ns)
            if span.recording == turn.recording and shared * 2 >= max(shorter, 1):
                names.append(name)
    return names


def summarise(dataset: Dataset, scored: Sequence[Scored], *, system: str) -> dict[str, Any]:
    """Every figure of one system: what `streammem eval --json` prints."""
    replied = [one for one in scored if one.asked.reply is not None]
    times = [one.asked.reply.milliseconds for one in replied if one.asked.reply is not None]
    recall_times = [one.asked.recall_milliseconds for one in scored]
    summary: dict[str, Any] = {
        "format": dataset.format,
        "system": system,
        "questions": len(scored),
        "accuracy": _accuracy(replied),
        "accuracy_by_type": _by_type(replied, _accuracy),
        "questions_by_type": _by_type(scored, len),
        "evidence_questions": sum(bool(one.asked.evidence) for one in scored),
        "evidence_recall": _recalls(scored, _with_choices, unit=dataset.unit),
        "evidence_recall_question_only": _recalls(scored, _question_only, unit=dataset.unit),
        "evidence_recall_within_60s": _recalls(scored, _with_choices, unit="spans", within_ns=WITHIN_NS),
        "evidence_recall_question_only_within_60s": _recalls(scored, _question_only, unit="spans", within_ns=WITHIN_NS),
        "minutes_read": _minutes(scored, _with_choices),
        "minutes_read_question_only": _minutes(scored, _question_only),
        "mrr": _mrr(scored, _with_choices),
        "mrr_question_only": _mrr(scored, _question_only),
        "temporal_iou": _percent([value for one in scored if (value := _answer_iou(one)) is not None]),
        "evidence_recall_by_type": _by_type(scored, lambda some: _recalls(some, _with_choices, unit=dataset.unit)),
        "leakage": sum(leaked(one.asked) for one in scored),
        "abstention": _abstention(replied),
        "answer_f1": _percent(
            [
                overlap_f1(one.asked.reply.text if one.asked.reply.answerable else "", one.question.references)
                for one in replied
                if one.asked.reply is not None and one.question.references and not one.question.choices
            ]
        ),
        "outcomes": _outcomes(scored),
        "latency_ms": _percentiles(times or recall_times),
        "recall_latency_ms": _percentiles(recall_times),
        "model_calls": sum(one.asked.reply.model_calls for one in replied if one.asked.reply is not None),
        "tokens": sum(one.asked.reply.tokens for one in replied if one.asked.reply is not None),
        "looked_again_s": round(sum(one.asked.reply.looked_again_s for one in replied if one.asked.reply), 1),
        "errors": sum(one.asked.error is not None for one in scored),
    }
    if dataset.unit == "windows":
        summary["moment_retrieval"] = moment_retrieval([one.asked for one in scored])
    return summary


def recall_curve(scored: Sequence[Scored], *, unit: Unit, question_only: bool) -> list[tuple[int, float, float]]:
    """For k from 1 to the longest list: (k, recall in percent, mean minutes of recording in the first k)."""
    choose = _question_only if question_only else _with_choices
    ranks = range(1, max((len(choose(one.asked)) for one in scored), default=0) + 1)
    recalls, minutes = _recalls(scored, choose, unit=unit, ranks=ranks), _minutes(scored, choose, ranks=ranks)
    known = [(k, recalls[str(k)], minutes[str(k)]) for k in ranks]
    return [(k, recall, cost) for k, recall, cost in known if recall is not None and cost is not None]


def leaked(asked: Asked) -> int:
    """Hits and pieces of evidence that end after the moment of asking: there must be none."""
    if asked.as_of_ns is None:
        return 0
    shown = [*asked.recalled, *asked.recalled_question_only, *(asked.reply.evidence if asked.reply else ())]
    return sum(span.t_end_ns > asked.as_of_ns for span in shown)


def outcome(one: Scored) -> Outcome:
    """What became of a question: the reason that the report gives."""
    asked, question = one.asked, one.question
    if asked.error is not None:
        return "failed"
    if asked.reply is not None and question.is_scored:
        if is_right(question, asked.reply):
            return "right"
        if question.is_answerable and abstains(question, asked.reply):
            return "abstained"
    near = [gap for span in asked.recalled[:10] if (gap := gap_ns(span, asked.evidence)) is not None]
    nearest = min(near, default=None)
    if nearest == 0:
        return "right" if asked.reply is None else "retrieved, wrong answer"
    return "right episode" if nearest is not None and nearest <= EPISODE_NS else "not retrieved"


# --- inside -----------------------------------------------------------------------------------------------------------

_Choose = Callable[[Asked], Sequence[Found]]


def _with_choices(asked: Asked) -> Sequence[Found]:
    return asked.recalled


def _question_only(asked: Asked) -> Sequence[Found]:
    return asked.recalled_question_only


def _recalls(
    scored: Sequence[Scored],
    choose: _Choose,
    *,
    unit: Unit,
    within_ns: int = 0,
    ranks: Iterable[int] = RANKS,
) -> dict[str, float | None]:
    """Of the questions whose evidence is known. Spans: the share with a hit among the first k."""
    known = [one for one in scored if one.asked.evidence]
    if unit == "turns" and not within_ns:
        shares = [(ranked_turns(one, choose(one.asked)), {true.text for true in one.asked.evidence}) for one in known]
        return {str(k): _percent([len(true & set(names[:k])) / len(true) for names, true in shares]) for k in ranks}
    firsts = [first_rank(choose(one.asked), one.asked.evidence, within_ns=within_ns) for one in known]
    return {str(k): _percent([float(rank is not None and rank <= k) for rank in firsts]) for k in ranks}


def _minutes(scored: Sequence[Scored], choose: _Choose, *, ranks: Iterable[int] = RANKS) -> dict[str, float | None]:
    """Mean minutes of recording in the first k spans."""
    lengths = [[end - start for start, end in map(cut, choose(one.asked))] for one in scored]
    return {
        str(k): round(fmean(sum(each[:k]) / NS_PER_S / 60 for each in lengths), 2) if lengths else None for k in ranks
    }


def _mrr(scored: Sequence[Scored], choose: _Choose) -> float | None:
    """Mean of 1 / rank of the first hit, 0 where there is none among those returned."""
    known = [one.asked for one in scored if one.asked.evidence]
    ranks = [first_rank(choose(asked), asked.evidence) for asked in known]
    return _percent([1 / rank if rank else 0.0 for rank in ranks])


def _answer_iou(one: Scored) -> float | None:
    """Of what is shown first (the answer's first evidence, else the first hit) with the true span it meets best; only
    where true spans have a length: a mark of one moment overlaps nothing."""
    true = [(span.t_start_ns, span.t_end_ns, span.recording) for span in one.asked.evidence]
    true = [each for each in true if each[1] - each[0] >= NS_PER_S]
    if not true:
        return None
    answered = one.asked.reply.evidence if one.asked.reply is not None else ()
    shown = (answered or one.asked.recalled)[:1]
    return max(
        (
            overlap(cut(span), (start, end))
            for span in shown
            for start, end, name in true
            if name in ("", span.recording)
        ),
        default=0.0,
    )


def _accuracy(scored: Sequence[Scored]) -> float | None:
    return _percent(
        [
            float(is_right(one.question, one.asked.reply))
            for one in scored
            if one.asked.reply is not None and one.question.is_scored
        ]
    )


def _abstention(scored: Sequence[Scored]) -> dict[str, float | int | None]:
    """Of "not in memory": how often it was right to say so, and how many of those it fits got it."""
    said = [one for one in scored if one.asked.reply is not None and abstains(one.question, one.asked.reply)]
    right = sum(not one.question.is_answerable for one in said)
    fitting = sum(not one.question.is_answerable for one in scored)
    precision = 100 * right / len(said) if said else None
    recall = 100 * right / fitting if fitting else None
    f1 = 2 * precision * recall / (precision + recall) if precision and recall else (0.0 if fitting and said else None)
    return {
        "precision": None if precision is None else round(precision, 1),
        "recall": None if recall is None else round(recall, 1),
        "f1": None if f1 is None else round(f1, 1),
        "said": len(said),
        "unanswerable": fitting,
    }


def _outcomes(scored: Sequence[Scored]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for one in scored:
        counts[outcome(one)] += 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _by_type(scored: Sequence[Scored], score: Callable[[Sequence[Scored]], Any]) -> dict[str, Any]:
    """A question of several types counts in each."""
    groups: dict[str, list[Scored]] = defaultdict(list)
    for one in scored:
        for name in one.question.types:
            groups[name].append(one)
    return {name: score(groups[name]) for name in sorted(groups)}


def _percentiles(values: Sequence[float]) -> dict[str, float | None]:
    ordered = sorted(values)
    if not ordered:
        return {"p50": None, "p95": None}
    return {f"p{p}": round(ordered[math.ceil(p / 100 * len(ordered)) - 1], 1) for p in (50, 95)}


def _percent(values: Iterable[float]) -> float | None:
    listed = list(values)
    return round(100 * fmean(listed), 1) if listed else None
