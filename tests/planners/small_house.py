"""A small house along a corridor, as a robot that walks through it sees it; and questions asked about it."""

from __future__ import annotations

import math

from planners import ask
from planners.reasoners.extractive import ExtractiveReasoner
from streammem.memory import Memory
from streammem.settings import PlannerSettings
from streammem.spatial.observations import ObjectDetection, Observation
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.timeline import parse_iso
from streammem.types import NS_PER_S, Answer
from tests.spatial_world import pose_at

DAY1_NS = parse_iso("2026-11-25T10:00:00")
DAY2_NS = parse_iso("2026-11-26T09:00:00")
FIXED = {"table": (2.0, 1.5, 0.375), "sink": (3.5, -1.0, 0.8), "sofa": (6.0, 1.8, 0.4), "bed": (10.0, 1.5, 0.3)}
SIZES = {"table": (1.2, 0.8, 0.75), "sink": (0.6, 0.5, 0.3), "sofa": (1.8, 0.8, 0.8), "bed": (2.0, 1.4, 0.5)}
SMALL = (0.1, 0.1, 0.1)
ROOMS = {"kitchen": ((0, -3, 0), (4, 3, 3)), "hall": ((4, -3, 0), (8, 3, 3)), "bedroom": ((8, -3, 0), (13, 3, 3))}


def room_at(x: float) -> str:
    return "kitchen" if x < 4 else "hall" if x < 8 else "bedroom"


def walk(space: SpatialMemory, xs: list[float], start_ns: int, things: dict[str, tuple[float, float, float]]) -> int:
    """A step a second along x; what is within 2.5 m is seen. Returns when it ends."""
    for step, x in enumerate(xs):
        ahead = 0.0 if step + 1 >= len(xs) or xs[step + 1] >= x else math.pi
        near = {name: at for name, at in {**FIXED, **things}.items() if abs(at[0] - x) < 2.5}
        space.observe(
            Observation(
                t_ns=start_ns + step * NS_PER_S, T_map_camera=pose_at(x, 0.0, ahead), room=room_at(x),
                detections=tuple(
                    ObjectDetection(label=name.rstrip(" 0123456789"), instance_id=name, position_m=at, score=0.95,
                                    size_m=SIZES.get(name, SMALL))
                    for name, at in sorted(near.items())
                ),
            )
        )  # fmt: skip
    return start_ns + len(xs) * NS_PER_S


def answer(memory: Memory, question: str, **more: object) -> Answer:
    found = ask(memory, question, settings=PlannerSettings(), reasoner=ExtractiveReasoner(), **more)  # type: ignore[arg-type]
    assert bool(found.evidence) == found.answerable
    return found
