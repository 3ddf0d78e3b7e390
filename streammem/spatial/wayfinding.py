"""What a name means in the map, and the way there: a point, a place, a route with directions.

A name is a place's id, `here`, a room, a thing's id, or what names a thing, in this order. Ways lead over the graph of
places; into a room, to the place of it that is nearest by way. Holds the newest graph's router, no state of its own.
Knows no table. Costs what `routes` costs, and one scan of things where a name is no room.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.spatial.observations import Pose, Vector3, point_from
from streammem.spatial.orientation import direction_from
from streammem.spatial.places import PlaceGraph
from streammem.spatial.records import ObjectState, Place, Route
from streammem.spatial.routes import Router, route_of
from streammem.spatial.settings import PlaceSettings

Whereto = str | Vector3 | Place | ObjectState
"""The name of a room or a thing (or `here`), an id, a point in the map, a place, or a thing."""
HERE = "here"


class KnownWorld(Protocol):
    """What is known of places and things: a `SpatialMemory`."""

    @property
    def pose(self) -> NDArray[np.float64] | None: ...

    def places_as_of(self, as_of_ns: int | None) -> PlaceGraph: ...

    def object(self, object_id: str, *, as_of_ns: int | None = None) -> ObjectState | None: ...

    def where(self, text: str, *, as_of_ns: int | None = None, limit: int = 10) -> list[ObjectState]: ...


class Wayfinder:
    """Reads names and finds ways in what is known."""

    def __init__(self, world: KnownWorld, *, settings: PlaceSettings) -> None:
        self._world = world
        self._settings = settings
        self._router: Router | None = None

    def point_of(self, where: Whereto, *, as_of_ns: int | None = None) -> Vector3:
        """See `SpatialMemory.point_of`."""
        if isinstance(where, Place):
            return where.position_m
        if isinstance(where, ObjectState):
            return where.object_position
        if not isinstance(where, str):
            return point_from(where, name="A point")
        found = self._named(where, as_of_ns)
        return found.position_m if isinstance(found, Place) else found.object_position

    def route(
        self, from_: Whereto, to: Whereto, *, pose: Pose | None = None, as_of_ns: int | None = None
    ) -> Route | None:
        """See `SpatialMemory.route`."""
        graph = self._world.places_as_of(as_of_ns)
        if not len(graph):
            return None
        router = self._router_for(graph)
        start, _ = self._endpoint(from_, graph, as_of_ns, near=None)
        goal, goal_m = self._endpoint(to, graph, as_of_ns, near=(router, start))
        found = router.path(start, goal)
        if found is None:
            return None
        name = to if isinstance(to, str) else to.label if isinstance(to, ObjectState) else "goal"
        if pose is None and from_ == HERE:
            pose = self._world.pose
        return route_of(graph, *found, goal_m=goal_m, goal=f"the {name.removeprefix('the ')}", pose=pose)

    def next_place(self, from_: Whereto, to: Whereto) -> Place | None:
        """The place to go to first; None: already there, or no way is known."""
        graph = self._world.places_as_of(None)
        router = self._router_for(graph)
        start, _ = self._endpoint(from_, graph, None, near=None)
        goal, _ = self._endpoint(to, graph, None, near=(router, start))
        found = router.next_place(start, goal)
        return None if found is None else graph.place(found)

    def direction_to(self, target: Whereto, *, pose: Pose | None = None) -> str:
        """`2.1 m away, to your left (north-west)`; from the newest pose where none is given.

        Raises:
            InputError: nothing is known by that name, or no pose is known.
        """
        here = pose if pose is not None else self._world.pose
        if here is None:
            raise InputError("No pose is known yet; give one.")
        return direction_from(here, np.asarray(self.point_of(target))).text

    # --- inside -------------------------------------------------------------------------------------------------------

    def _router_for(self, graph: PlaceGraph) -> Router:
        if self._router is None or self._router.graph is not graph:
            self._router = Router(graph)
        return self._router

    def _named(self, name: str, as_of_ns: int | None) -> Place | ObjectState:
        graph = self._world.places_as_of(as_of_ns)
        if name in graph:
            return graph.place(name)
        if name == HERE and self._world.pose is not None:
            nearest = graph.nearest(self._world.pose[:3, 3])
            if nearest is not None:
                return nearest
        room = name.casefold().removeprefix("the ")
        for known in graph.rooms:
            if known.casefold() == room:
                return graph.in_room(known)[0]
        if (thing := self._world.object(name, as_of_ns=as_of_ns)) is not None:
            return thing
        if things := self._world.where(name, as_of_ns=as_of_ns, limit=1):
            return things[0]
        raise InputError(f"No room, place or thing is known as {name!r}.")

    def _endpoint(
        self, where: Whereto, graph: PlaceGraph, as_of_ns: int | None, *, near: tuple[Router, str] | None
    ) -> tuple[str, NDArray[np.float64] | None]:
        """(a place, the point beside it that is meant). `near`: of a room's places, the one nearest by way to there."""
        if isinstance(where, str):
            room = where.casefold().removeprefix("the ")
            named = next((one for one in graph.rooms if one.casefold() == room), None)
            if named is not None and near is not None and where not in graph:
                router, start = near
                inside = graph.in_room(named)
                return min(inside, key=lambda one: router.distance_m(one.place_id, start)).place_id, None
            where = self._named(where, as_of_ns)
        if isinstance(where, Place):
            return where.place_id, None
        if isinstance(where, ObjectState):
            point = np.asarray(where.object_position)
            if where.place_id is not None and where.place_id in graph:
                seen_from = np.asarray(graph.place(where.place_id).position_m)
                if float(np.linalg.norm(seen_from - point)) <= self._settings.spacing_m:
                    return where.place_id, point
        else:
            point = np.asarray(point_from(where, name="A point"))
        room = where.room if isinstance(where, ObjectState) else None
        nearest = graph.nearest(point, room=room) or graph.nearest(point)
        assert nearest is not None
        return nearest.place_id, point
