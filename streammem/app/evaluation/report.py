"""One self-contained page about an evaluation: figures, curves against the baselines, every failure with its reason.

No script and nothing fetched: SVG drawn by `plots`, thumbnails inside. The failures are
in `failures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from streammem.app.evaluation import plots
from streammem.app.evaluation.failures import failures
from streammem.app.evaluation.metrics import (
    Scored,
    recall_curve,
)
from streammem.app.evaluation.report_style import STYLE

if TYPE_CHECKING:
    from streammem.app.evaluation.run import Evaluation

_NAMES = {"memory": "StreamMem"}


def write_report(done: Evaluation, path: Path) -> None:
    """Writes the page.

    Raises:
        OSError: it cannot be written.
    """
    path.write_text(_page(done), encoding="utf-8")


def _page(done: Evaluation) -> str:
    ours = done.summaries["memory"]
    title = f"StreamMem on {done.dataset.format}"
    sections = [
        f"<header><h1>{escape(title)}</h1><p>{_subtitle(done)}</p></header>",
        _tiles(ours),
        _curves(done),
        _table(done),
        _types(done),
        _latency(done),
        failures(done),
        _notes(done),
    ]
    body = "\n".join(section for section in sections if section)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>\n"
    )


def _subtitle(done: Evaluation) -> str:
    ours = done.summaries["memory"]
    worlds = len(done.memories)
    memories = f"{worlds} memories" if worlds > 1 else "one memory"
    asked = f"{ours['questions']} questions of {memories}, each as of its own moment"
    return escape(asked + (", interrupted before the end" if done.is_interrupted else "") + ".")


def _tiles(ours: dict[str, Any]) -> str:
    near = ours["evidence_recall_within_60s"]["10"]
    abstention = ours["abstention"]
    said = f"{_number(abstention['precision'])} / {_number(abstention['recall'])}"
    tiles = [
        ("Right answers", _number(ours["accuracy"], " %"), _against_chance(ours)),
        ("Evidence in the first 10", _number(ours["evidence_recall"]["10"], " %"), f"within ±60 s: {_number(near)} %"),
        ("Reciprocal rank", _number(ours["mrr"]), f"question only: {_number(ours['mrr_question_only'])}"),
        ("Leaks", str(ours["leakage"]), "hits or evidence later than the asking"),
        ("“Not in memory”", said, f"precision / recall; said {abstention['said']} times"),
        ("Latency", _duration(ours["latency_ms"]["p50"]), f"p95: {_duration(ours['latency_ms']['p95'])}"),
        ("Language model", f"{ours['model_calls']:,} calls", f"{ours['tokens']:,} tokens"),
    ]
    if "moment_retrieval" in ours:
        found = ours["moment_retrieval"]
        tiles.insert(
            1,
            (
                "R1 at IoU 0.5 / 0.7",
                f"{_number(found['r1@0.5'])} / {_number(found['r1@0.7'])}",
                f"mAP {_number(found['map'])}",
            ),
        )
    cells = "".join(
        f'<div class="tile{" alarm" if name == "Leaks" and value != "0" else ""}"><b>{escape(value)}</b>'
        f"<span>{escape(name)}</span><small>{escape(note)}</small></div>"
        for name, value, note in tiles
    )
    return f'<section class="tiles">{cells}</section>'


def _against_chance(ours: dict[str, Any]) -> str:
    return f"{ours['outcomes'].get('abstained', 0)} abstained, {ours['errors']} errors"


def _curves(done: Evaluation) -> str:
    by_rank: list[plots.Line] = []
    by_cost: list[plots.Line] = []
    unit = done.dataset.unit
    for number, (name, scored) in enumerate(done.scored.items(), start=1):
        for question_only in (False, True) if name == "memory" and _has_choices(scored) else (False,):
            curve = recall_curve(scored, unit=unit, question_only=question_only)
            label = _NAMES.get(name, name) + (", no choices" if question_only else "")
            ranked = [(float(k), recall) for k, recall, _ in curve]
            costs = [(minutes, recall) for _, recall, minutes in curve if minutes > 0]
            for lines, points in ((by_rank, ranked), (by_cost, costs)):
                is_main = name == "memory" and not question_only
                lines.append(
                    plots.Line(name=label, points=points, colour=number, is_dashed=question_only, is_main=is_main)
                )
    if not any(line.points for line in by_rank):
        return ""
    most = max((x for line in by_cost for x, _ in line.points), default=1)
    ticks = [tick for tick in (0.1, 0.3, 1, 3, 10, 30) if tick <= max(most * 1.5, 1)]
    what = "turns" if unit == "turns" else "spans"
    left = plots.line_chart(by_rank, x_title=f"first k {what}", x_ticks=(1, 3, 5, 10, 20, 50), title="Recall at k")
    right = plots.line_chart(
        by_cost, x_title="minutes of recording in them", x_ticks=ticks, title="Recall against minutes read"
    )
    return (
        "<section><h2>Is the evidence among what is recalled?</h2><p>Percent of the questions whose evidence is known. "
        "A span counts as at most half a minute (its centre) and must overlap the evidence; the second plot says how "
        f'much one would have to watch.</p><div class="pair">{left}{right}</div></section>'
    )


def _table(done: Evaluation) -> str:
    heads = (
        "",
        "right",
        "@1",
        "@3",
        "@5",
        "@10",
        "@50",
        "±60 s @10",
        "question only @10",
        "MRR",
        "min in 10",
        "ms p50",
        "leaks",
    )
    rows: list[str] = []
    for name, each in done.summaries.items():
        recall = each["evidence_recall"]
        cells = [
            each["accuracy"],
            *(recall[k] for k in ("1", "3", "5", "10", "50")),
            each["evidence_recall_within_60s"]["10"],
            each["evidence_recall_question_only"]["10"],
            each["mrr"],
            each["minutes_read"]["10"],
            each["latency_ms"]["p50"],
        ]
        values = "".join(f"<td>{_number(value)}</td>" for value in cells) + f"<td>{each['leakage']}</td>"
        rows.append(
            f"<tr{' class=main' if name == 'memory' else ''}><th>{escape(_NAMES.get(name, name))}</th>{values}</tr>"
        )
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    return f'<section class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></section>'


def _types(done: Evaluation) -> str:
    ours = done.summaries["memory"]
    counts: dict[str, int] = ours["questions_by_type"]
    if not counts:
        return ""
    answers = [
        (name, count, [_bar(done, system, number, "accuracy_by_type", name) for number, system in _numbered(done)])
        for name, count in counts.items()
    ]
    found = [
        (
            name,
            count,
            [_bar(done, system, number, "evidence_recall_by_type", name) for number, system in _numbered(done)],
        )
        for name, count in counts.items()
    ]
    parts: list[str] = []
    if any(bar[1] is not None for _, _, bars in answers for bar in bars):
        chart = plots.bar_chart(answers, title="Accuracy by type")
        parts.append(f"<figure><figcaption>Right answers, %</figcaption>{chart}</figure>")
    if any(bar[1] is not None for _, _, bars in found for bar in bars):
        chart = plots.bar_chart(found, title="Recall at 10 by type")
        parts.append(f"<figure><figcaption>Evidence in the first 10, %</figcaption>{chart}</figure>")
    legend = "".join(
        f'<span><i style="background:var(--series-{number})"></i>{escape(_NAMES.get(system, system))}</span>'
        for number, system in _numbered(done)
    )
    if not parts:
        return ""
    head = f'<h2>By type of question</h2><p class="legend">{legend}</p>'
    return f'<section>{head}<div class="pair">{"".join(parts)}</div></section>'


def _numbered(done: Evaluation) -> list[tuple[int, str]]:
    return list(enumerate(done.summaries, start=1))


def _bar(done: Evaluation, system: str, number: int, figure: str, name: str) -> tuple[str, float | None, int]:
    value: Any = done.summaries[system][figure].get(name)
    percent: float | None = value["10"] if figure == "evidence_recall_by_type" and value else value
    return _NAMES.get(system, system), percent, number


def _latency(done: Evaluation) -> str:
    scored = done.scored["memory"]
    answers = [one.asked.reply.milliseconds for one in scored if one.asked.reply is not None]
    recalls = [one.asked.recall_milliseconds for one in scored]
    charts: list[str] = []
    for name, values, key in (("answer", answers, "latency_ms"), ("recall", recalls, "recall_latency_ms")):
        if values:
            figures = done.summaries["memory"][key]
            marks = [(p, figures[p]) for p in ("p50", "p95")]
            chart = plots.histogram(values, marks=marks, unit="milliseconds", title=f"Latency of {name}")
            charts.append(f"<figure><figcaption>Time to {name}, questions per bin</figcaption>{chart}</figure>")
    return f'<section><h2>How long it takes</h2><div class="pair">{"".join(charts)}</div></section>'


def _notes(done: Evaluation) -> str:
    notes = [escape(note) for note in done.dataset.notes]
    notes.append(f"Records, one line for every question: <code>{escape(str(done.folder))}</code>.")
    return f"<footer>{''.join(f'<p>{note}</p>' for note in notes)}</footer>"


def _has_choices(scored: Sequence[Scored]) -> bool:
    return bool(scored) and fmean(bool(one.question.choices) for one in scored) > 0


def _duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return _number(None)
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"


def _number(value: float | None, unit: str = "") -> str:
    return "–" if value is None else f"{value:,.1f}{unit}"  # noqa: RUF001 - a dash for nothing
