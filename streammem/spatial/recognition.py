"""Who is who: which known thing a sighting is, where it should be, elsewhere, or under another name.

`associate` asks where things were; `recognise` asks, of what is left over, for those whose place was found empty;
`twin_of` asks later whether something taken for new was one that had gone. Labels must agree; looks decide where
there are some, else only what is alone of its kind is known again. Changes nothing. Costs what `association` costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from streammem.spatial.association import assign, cosines, pair_costs
from streammem.spatial.backprojection import Sighting
from streammem.spatial.known_objects import Known
from streammem.spatial.visibility import Verdict


def associate(
    sightings: Sequence[Sighting], known_by_id: Mapping[str, Known], ids_by_instance: Mapping[str, str], *,
    gate_m: float,
) -> list[tuple[Known, int]]:  # fmt: skip
    """(known thing, number of the sighting): by the id that the source gave, else by what is cheapest as a whole."""
    pairs: list[tuple[Known, int]] = []
    taken: set[str] = set()
    rest: list[int] = []
    for number, one in enumerate(sightings):
        object_id = ids_by_instance.get(one.instance_id or "")
        if object_id is not None and object_id not in taken:
            pairs.append((known_by_id[object_id], number))
            taken.add(object_id)
        else:
            rest.append(number)
    known = [one for one in known_by_id.values() if one.object_id not in taken]
    if not rest or not known:
        return pairs
    centres = np.stack([one.centre_m for one in known])
    at = np.stack([sightings[number].centre_m for number in rest])
    reach = gate_m + max(float(one.size_m.max()) for one in known) / 2 + 3.0
    near = np.flatnonzero(((centres >= at.min(axis=0) - reach) & (centres <= at.max(axis=0) + reach)).all(axis=1))
    known = [known[index] for index in near.tolist()]
    if not known:
        return pairs
    fits = np.array([[_may_be(sightings[number], one) for one in known] for number in rest])
    costs = pair_costs(
        at, np.stack([sightings[number].size_m for number in rest]), centres[near],
        np.stack([one.size_m for one in known]), gate_m=gate_m, same_label=fits,
        looks=cosines([sightings[number].embedding for number in rest], [one.embedding for one in known]),
    )  # fmt: skip
    return pairs + [(known[column], rest[row]) for row, column in assign(costs)]


def recognise(
    left: Sequence[Sighting], unseen: Sequence[Known], verdicts: Mapping[str, Verdict], *, same_looks: float
) -> dict[int, Known]:
    """Sightings that fit no known thing where it was, but one whose place is empty."""
    gone = [one for one in unseen if one.is_missing or verdicts.get(one.object_id) == "empty"]
    if not left or not gone:
        return {}
    looks = cosines([one.embedding for one in left], [one.embedding for one in gone])
    costs = np.full((len(left), len(gone)), np.inf)
    for row, one in enumerate(left):
        fitting = [column for column, other in enumerate(gone) if _may_be(one, other)]
        alike = sum(_names(one.label, other.label) for other in left)
        for column in fitting:
            if np.isnan(looks[row, column]):
                # Without looks, only the one of its kind, among the gone and among the new, is known again.
                costs[row, column] = 0.5 if len(fitting) == alike == 1 else np.inf
            elif looks[row, column] >= same_looks:
                costs[row, column] = 1.0 - looks[row, column]
    return {row: gone[column] for row, column in assign(costs)}


def twin_of(known: Known, others: Iterable[Known], *, same_looks: float) -> Known | None:
    """A thing like this one that was first seen after this one was last seen: it may be this one, elsewhere."""
    fitting = [
        other
        for other in others
        if other is not known and other.t_created_ns > known.t_seen_ns and not other.is_missing
        and _names(other.label, known.label) and other.instance_id is None and other.moving_from is None
    ]  # fmt: skip
    if not fitting:
        return None
    looks = cosines([known.embedding], [other.embedding for other in fitting])[0]
    if np.isnan(looks).all():
        return fitting[0] if len(fitting) == 1 else None
    best = int(np.nanargmax(looks))
    return fitting[best] if looks[best] >= same_looks else None


def _may_be(one: Sighting, known: Known) -> bool:
    if one.instance_id is not None and known.instance_id is not None and one.instance_id != known.instance_id:
        return False
    return _names(one.label, known.label)


def _names(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
