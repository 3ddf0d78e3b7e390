"""Plots of an evaluation as SVG text: lines, bars, a histogram, a strip of shares. No library, no script.

Numbers in, markup out; knows no question and no record. Colours are the page's CSS variables (`--series-1` …), so that
light and dark both read well. Every text goes through `escape`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 620, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 150, 14, 42
_LABEL_GAP = 15
"""Pixels between the labels at the ends of lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A named series of (x, y in percent). `colour` is the number of a CSS variable."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int
    is_dashed: bool = False
    is_main: bool = False


def line_chart(lines: Sequence[Line], *, x_title: str, x_ticks: Sequence[float], title: str) -> str:
    """Percent over a logarithmic x, each line named at its right end."""
    lines = [line for line in lines if line.points]
    low, high = math.log(min(x_ticks)), math.log(max(x_ticks))
    top = max((y for line in lines for _, y in line.points), default=0.0)
    roof = min(100, max(20, 20 * math.ceil(top / 20)))

    def x_of(value: float) -> float:
        share = (math.log(min(max(value, min(x_ticks)), max(x_ticks))) - low) / (high - low)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y_of(percent: float) -> float:
        return HEIGHT - _BOTTOM - percent / roof * (HEIGHT - _TOP - _BOTTOM)

    parts = [_axes(roof, y_of)]
    for tick in x_ticks:
        parts.append(f'<text class="tick" x="{x_of(tick):.1f}" y="{HEIGHT - _BOTTOM + 18}">{tick:g}</text>')
        parts.append(_rule(x_of(tick), HEIGHT - _BOTTOM, x_of(tick), HEIGHT - _BOTTOM + 4))
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(f'<text class="title" x="{middle:.0f}" y="{HEIGHT - 4}">{escape(x_title)}</text>')
    for line in sorted(lines, key=lambda each: each.is_main):
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line.points)
        dashes = ' stroke-dasharray="5 4"' if line.is_dashed else ""
        weight = 2.6 if line.is_main else 1.7
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="var(--series-{line.colour})" stroke-width="{weight}"'
            f'{dashes} stroke-linejoin="round"><title>{escape(line.name)}</title></polyline>'
        )
    wanted = sorted(((y_of(line.points[-1][1]), line) for line in lines), key=lambda each: each[0])
    for y, (_, line) in zip(_apart([y for y, _ in wanted]), wanted, strict=True):
        label = f"{line.name} {line.points[-1][1]:.0f}"
        x = x_of(line.points[-1][0]) + 8
        weight = "600" if line.is_main else "400"
        parts.append(
            f'<text x="{x:.1f}" y="{y + 4:.1f}" fill="var(--series-{line.colour})" font-weight="{weight}">'
            f"{escape(label)}</text>"
        )
    return _svg(parts, WIDTH, HEIGHT, title)


def bar_chart(rows: Sequence[tuple[str, int, Sequence[tuple[str, float | None, int]]]], *, title: str) -> str:
    """Per row: a name, how many questions, and bars (series, percent, colour)."""
    label, thick, gap = 190, 13, 14
    height = 26 + sum(len(bars) * thick + gap for _, _, bars in rows)
    span = WIDTH - label - 60

    def x_of(percent: float) -> float:
        return label + percent / 100 * span

    parts = [f'<text class="tick" x="{x_of(each):.0f}" y="12">{each}</text>' for each in (0, 25, 50, 75, 100)]
    parts += [_rule(x_of(each), 18, x_of(each), height, css="grid") for each in (0, 25, 50, 75, 100)]
    y = 24.0
    for name, count, bars in rows:
        middle = y + len(bars) * thick / 2 + 4
        parts.append(
            f'<text x="{label - 10}" y="{middle:.1f}" text-anchor="end">{escape(_short(name, 22))} '
            f'<tspan class="faint">{count}</tspan></text>'
        )
        for series, percent, colour in bars:
            if percent is not None:
                width = max(x_of(percent) - label, 1)
                parts.append(
                    f'<rect x="{label}" y="{y:.1f}" width="{width:.1f}" height="{thick - 2}" rx="2" '
                    f'fill="var(--series-{colour})"><title>{escape(series)}: {percent:.1f} %</title></rect>'
                    f'<text class="value" x="{label + width + 5:.1f}" y="{y + thick - 3.5:.1f}">{percent:.0f}</text>'
                )
            y += thick
        y += gap
    return _svg(parts, WIDTH, round(height), title)


def histogram(values: Sequence[float], *, marks: Sequence[tuple[str, float]], unit: str, title: str) -> str:
    """Counts in logarithmic bins, with named marks."""
    positive = [max(value, 0.1) for value in values]
    if not positive:
        return ""
    low, high = math.floor(4 * math.log10(min(positive))), math.ceil(4 * math.log10(max(positive)) + 1e-9)
    high = max(high, low + 4)
    counts = [0] * (high - low)
    for value in positive:
        counts[min(max(math.floor(4 * math.log10(value)) - low, 0), len(counts) - 1)] += 1
    height, bottom, top = 236, 42, 46
    wide = (WIDTH - _LEFT - 20) / len(counts)

    def x_of(value: float) -> float:
        return _LEFT + (4 * math.log10(max(value, 0.1)) - low) * wide

    parts: list[str] = []
    for place, count in enumerate(counts):
        tall = count / max(counts) * (height - top - bottom)
        parts.append(
            f'<rect x="{_LEFT + place * wide + 1:.1f}" y="{height - bottom - tall:.1f}" width="{wide - 2:.1f}" '
            f'height="{tall:.1f}" fill="var(--series-1)"><title>{count}</title></rect>'
        )
        if count:
            parts.append(
                f'<text class="value" text-anchor="middle" x="{_LEFT + (place + 0.5) * wide:.1f}" '
                f'y="{height - bottom - tall - 4:.1f}">{count}</text>'
            )
    parts.append(_rule(_LEFT, height - bottom, WIDTH - 20, height - bottom))
    for step in range(low, high + 1):
        if step % 4 == 0 or high - low <= 6:
            value = 10 ** (step / 4)
            text = f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
            parts.append(f'<text class="tick" x="{x_of(value):.1f}" y="{height - bottom + 18}">{text}</text>')
    for name, value in marks:
        parts.append(_rule(x_of(value), top - 20, x_of(value), height - bottom, css="mark"))
        parts.append(f'<text class="tick" x="{x_of(value):.1f}" y="{top - 26}">{escape(name)}</text>')
    parts.append(f'<text class="title" x="{WIDTH / 2}" y="{height - 4}">{escape(unit)}</text>')
    return _svg(parts, WIDTH, height, title)


def strip(shares: Sequence[tuple[str, int, str]], *, title: str) -> str:
    """One bar cut into named parts (name, count, CSS colour)."""
    total = sum(count for _, count, _ in shares) or 1
    parts: list[str] = []
    x = 0.0
    for name, count, colour in shares:
        wide = count / total * 1000
        parts.append(
            f'<rect x="{x:.1f}" y="0" width="{max(wide - 2, 1):.1f}" height="34" rx="3" fill="{colour}">'
            f"<title>{escape(name)}: {count}</title></rect>"
        )
        if wide > 45:
            parts.append(f'<text class="inside" x="{x + wide / 2:.1f}" y="22">{count}</text>')
        x += wide
    return _svg(parts, 1000, 34, title)


def _axes(roof: int, y_of: Callable[[float], float]) -> str:
    parts: list[str] = []
    for percent in range(0, roof + 1, 20):
        y = y_of(percent)
        parts.append(_rule(_LEFT, y, WIDTH - _RIGHT, y, css="grid"))
        parts.append(f'<text class="tick" style="text-anchor:end" x="{_LEFT - 8}" y="{y + 4:.1f}">{percent}</text>')
    return "".join(parts)


def _apart(ys: Sequence[float]) -> list[float]:
    """Label places pushed apart, in order, none below the plot."""
    placed: list[float] = []
    for y in ys:
        placed.append(max(y, placed[-1] + _LABEL_GAP) if placed else y)
    excess = placed[-1] - (HEIGHT - _BOTTOM) if placed else 0
    return [y - excess for y in placed] if excess > 0 else placed


def _rule(x1: float, y1: float, x2: float, y2: float, *, css: str = "axis") -> str:
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _svg(parts: Sequence[str], width: int, height: int, title: str) -> str:
    label = escape(title, quote=True)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
