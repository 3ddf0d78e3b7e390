"""What a call did to a thing, told by the hand before and after it: taken, put down, or handed over.

The hand decides, not whether the call did all that it should: what was taken was taken. Knows no memory.
"""

from __future__ import annotations

from planners.acting.body import BodyState
from planners.acting.knowledge import Knowledge
from planners.acting.skills import Place, SkillCall
from streammem.spatial.deeds import Deed


def deed_of(was: BodyState, now: BodyState, call: SkillCall, knowledge: Knowledge) -> Deed | None:
    """None: the hand holds what it held."""
    before, after = was.held, now.held
    if after is not None and (before is None or before.identity != after.identity):
        return Deed(kind="picked up", label=after.label, identity=after.identity)
    if before is None or after is not None:
        return None
    spot = knowledge.spot(call.where) if isinstance(call, Place) else None
    if spot is not None and spot.kind == "person":
        return Deed(kind="handed over", label=before.label, identity=before.identity)
    seen = next((one.position_m for one in now.in_view if one.identity == before.identity), None)
    return Deed(
        kind="put", label=before.label, identity=before.identity, place=spot.name if spot else None,
        position_m=seen or (spot.position_m if spot else None),
    )  # fmt: skip
