"""A picture of a followed route, as SVG text: streets, the reference, what was walked, and where the goal may lie.

Draws what it is given; knows no plan and no priors. Cost: a few milliseconds and some 100 kB for a neighbourhood.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from planners.navigate.follower import FollowedRoute
from planners.navigate.street_graph import StreetGraph

_WIDTH_PX = 900.0
_MARGIN_M = 60.0
_LINE_PX = 15


def route_picture(graph: StreetGraph, followed: FollowedRoute, *, reference: Sequence[int] = (), text: str = "") -> str:
    """Draws a followed route.

    Args:
        reference: the route that was meant, if it is known; drawn in green below the walked one in blue.
        text: the directions, written beneath.
    """
    shown = list({*followed.places, *reference, *followed.share_at})
    low = graph.position_m[shown].min(axis=0) - _MARGIN_M
    high = graph.position_m[shown].max(axis=0) + _MARGIN_M
    scale = _WIDTH_PX / float(max(high[0] - low[0], 1.0))
    height = float(high[1] - low[1]) * scale

    def point(place: int) -> tuple[float, float]:
        east, north = (graph.position_m[place] - low) * scale
        return round(float(east), 1), round(height - float(north), 1)

    def line(places: Sequence[int], colour: str, width: float) -> str:
        points = " ".join(f"{x},{y}" for x, y in map(point, places))
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" opacity="0.8"/>'

    inside = np.flatnonzero(np.all((graph.position_m >= low) & (graph.position_m <= high), axis=1)).tolist()
    near = set(inside)
    parts = [
        line((place, other), "#c8c8c8", 2)
        for place in inside
        for other in graph.neighbours[place]
        if place < other and other in near
    ]
    if reference:
        parts.append(line(reference, "#2e9d4c", 9))
    parts.append(line(followed.places, "#2456c9", 4))
    for goal, share in followed.share_at.items():
        if share > 0.005:
            x, y = point(goal)
            parts.append(f'<circle cx="{x}" cy="{y}" r="{4 + 22 * share**0.5:.1f}" fill="#e08a1e" opacity="0.55"/>')
    for place, label in (
        (followed.places[0], "start"),
        (followed.places[-1], "stop"),
        *(((reference[-1], "goal"),) if reference else ()),
    ):
        x, y = point(place)
        below = 15 if label == "goal" else -6
        parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="#111"/><text x="{x + 7}" y="{y + below}">{label}</text>')
    words = _wrapped(text) if text else []
    for number, row in enumerate(words):
        parts.append(f'<text x="12" y="{height + _LINE_PX * (number + 1.5):.0f}">{escape(row)}</text>')
    total = height + _LINE_PX * (len(words) + 2)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH_PX:.0f} {total:.0f}" font-family="sans-serif" '
        f'font-size="13"><rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )


def _wrapped(text: str, columns: int = 120) -> list[str]:
    rows = [""]
    for word in text.split():
        if len(rows[-1]) + len(word) > columns:
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    return rows
