"""What speaks for a route given a plan: sparse named features, and where its goal lies on the block.

Features are names (`leg counted +1`); what each is worth is learned. Knows no weights. Cost: about 20 microseconds a
route.
"""

from __future__ import annotations

import math

from planners.navigate.alignment import Alignment, align
from planners.navigate.candidates import Crossing, Route
from planners.navigate.route_plan import Leg, RoutePlan

LINK_BINS = (0, 1, 2, 3, 4, 5, 6, 8, 11)
"""Lower ends of the bins for links since the last crossing and to the next."""
SHARE_BINS = 8
"""Bins for the share of the block walked."""
_BLOCK = (0, 6, 9, 13, 18, 24)


def route_features(plan: RoutePlan, route: Route, alignment: Alignment | None = None) -> list[str]:
    """Names of what holds for a route under a plan; a name may come more than once."""
    alignment = alignment or align(plan, route)
    names = [f"hops {min(60, max(20, route.hops))}"]
    for number, (leg, laid) in enumerate(zip(plan.turns, alignment.legs, strict=False)):
        if laid.crossing is None:
            names.append("turn missing")
            continue
        crossing = route.crossings[laid.crossing]
        names += _turn_features(leg, crossing)
        off = max(-3, min(4, laid.crossings - leg.junctions))
        names.append(f"leg {leg.counting} {off:+d}")
        names.append(f"leg {leg.counting} {min(leg.junctions, 4)} {off:+d}")
        real = sum(_is_real(c) for c in route.crossings[laid.first_crossing : laid.crossing]) + 1
        names.append(f"leg real {leg.counting} {max(-3, min(4, real - leg.junctions)):+d}")
        if number == 0:
            names.append(f"first leg {leg.counting} {off:+d}")
            names.append(f"first gap {min(4, crossing.gap)} {leg.counting}")
    for index in alignment.straight_turns:
        angle = abs(route.crossings[index].turn_deg)
        if not math.isnan(angle) and angle >= 25:
            names.append(f"straight at {_angle(angle)}")
    names += _stop_features(plan, route, alignment)
    return names


def _turn_features(leg: Leg, crossing: Crossing) -> list[str]:
    names = [f"t {leg.ends_street} goes on {crossing.goes_on}"]
    if math.isnan(crossing.turn_deg):
        return [*names, "turn at goal"]
    angle = crossing.turn_deg if leg.turn == "right" else -crossing.turn_deg
    names.append(f"turn {'slight' if leg.is_slight else 'full'} {_angle(angle)}")
    names.append(f"turn at {leg.turn_kind} ways {crossing.ways}")
    return names


def _stop_features(plan: RoutePlan, route: Route, alignment: Alignment) -> list[str]:
    stop, last = plan.stop, plan.legs[-1]
    laid = alignment.legs[-1]
    in_crossing = route.since == 0 and laid.crossings > 0
    passed = laid.crossings - in_crossing
    off = max(-3, min(4, passed - stop.passed))
    said = "unsaid" if last.counting == "unsaid" else "said"
    key = f"stop {stop.kind}{' reaches' if stop.reaches else ''}"
    real = sum(_is_real(c) for c in route.crossings[laid.first_crossing :]) - in_crossing
    share = min(SHARE_BINS - 1, int(SHARE_BINS * route.since / max(1, route.since + route.ahead)))
    since, ahead = _bin(route.since), _bin(route.ahead)
    names = [
        f"passed {said} {off:+d}",
        f"passed real {said} {max(-3, min(4, real - stop.passed)):+d}",
        f"{key} passed {said} {off:+d} {'in' if in_crossing else 'out'}",
        f"{key} since {since}",
        f"{key} ahead {ahead}",
        f"{key} share {share}",
        f"stop {stop.kind} since {since}",
        f"stop {stop.kind} ahead {ahead}",
        f"stop {stop.kind} share {share}",
        f"{key} turned {laid.crossings == 0} since {min(3, route.since)}",
        f"block {max(b for b in _BLOCK if b <= route.since + route.ahead)}",
    ]
    for cue in stop.cues:
        names += [f"cue {cue} since {since}", f"cue {cue} ahead {ahead}", f"cue {cue} share {share}"]
    if route.ends_dead:
        names.append("dead end")
    if stop.part is not None:
        names.append(f"part {stop.part} share {share}")
    return names


def _is_real(crossing: Crossing) -> bool:
    """Whether people would count it: four ways, and not on the heels of another."""
    return crossing.ways >= 3 and crossing.gap > 2


def _angle(angle_deg: float) -> str:
    for low in (120, 75, 55, 40, 25, 10):
        if angle_deg >= low:
            return f">{low}"
    return "<10"


def _bin(links: int) -> int:
    return max(index for index, low in enumerate(LINK_BINS) if low <= links)
