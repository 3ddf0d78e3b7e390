"""The scene graph in the format of Hydra and its tools (spark_dsg JSON): objects, places, rooms, a building.

Layers as they have them: objects 2, places 3, rooms 4, buildings 5. A thing is a child of the place it was seen from,
a place of its room, a room of the building; ways between places and relations between things are edges within their
layer. What their format has no field for (relations' names, when a thing was first seen, from where) is metadata of
the node or edge, under our names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from streammem.errors import InputError
from streammem.spatial.export.contents import Contents, optional
from streammem.spatial.records import ObjectState

ELSEWHERE = "elsewhere"
"""The room of places whose room is not known."""
_LABEL_BASE = 1


def write_dsg(contents: Contents, path: Path) -> int:
    """Writes the graph, and returns how many nodes it has.

    Raises:
        MissingDependencyError: spark_dsg is not installed.
        InputError: the file cannot be written.
    """
    if path.suffix != ".json":
        raise InputError(f"A scene graph is written as JSON; name the file {path.with_suffix('.json').name!r}.")
    graph = graph_of(contents)
    try:
        graph.save(str(path), include_mesh=False)
    except Exception as error:
        raise InputError(f"Cannot write {str(path)!r}: {error}.") from error
    if not path.exists():
        raise InputError(f"Cannot write {str(path)!r}: its folder is missing, or may not be written to.")
    return int(graph.num_nodes())


def graph_of(contents: Contents) -> Any:
    """A `spark_dsg.DynamicSceneGraph`."""
    dsg = optional("spark_dsg")
    graph, layers = dsg.DynamicSceneGraph(), dsg.DsgLayers
    building = dsg.NodeSymbol("B", 0)
    places = list(contents.places)
    positions = np.array([place.position_m for place in places]).reshape(-1, 3)
    attributes = dsg.RoomNodeAttributes()
    attributes.name = contents.recording
    attributes.position = positions.mean(axis=0) if len(places) else np.zeros(3)
    graph.add_node(layers.BUILDINGS, building, attributes)

    rooms = sorted({place.room or ELSEWHERE for place in places})
    room_symbols = {room: dsg.NodeSymbol("R", number) for number, room in enumerate(rooms)}
    for number, room in enumerate(rooms):
        attributes = dsg.RoomNodeAttributes()
        attributes.name, attributes.semantic_label = room, _LABEL_BASE + number
        inside = [place.position_m for place in places if (place.room or ELSEWHERE) == room]
        attributes.position = np.mean(inside, axis=0)
        graph.add_node(layers.ROOMS, room_symbols[room], attributes)
        graph.insert_edge(building, room_symbols[room])

    place_symbols = {place.place_id: dsg.NodeSymbol("p", number) for number, place in enumerate(places)}
    for place in places:
        attributes = dsg.PlaceNodeAttributes()
        attributes.name = place.place_id
        attributes.position = np.array(place.position_m)
        attributes.last_update_time_ns = max(place.t_last_ns, 0)
        attributes.real_place = True
        attributes.metadata.set({"t_first_ns": place.t_first_ns, "visits": place.visits})
        graph.add_node(layers.PLACES, place_symbols[place.place_id], attributes)
        graph.insert_edge(room_symbols[place.room or ELSEWHERE], place_symbols[place.place_id])
    for edge in contents.places.edges():
        info = dsg.EdgeAttributes()
        info.weighted, info.weight = True, edge.distance_m
        info.metadata.set({"traversals": edge.traversals})
        graph.insert_edge(place_symbols[edge.from_id], place_symbols[edge.to_id], info)

    labels = {label: number for number, label in enumerate(sorted({one.label for one in contents.things}), _LABEL_BASE)}
    thing_symbols = {one.object_id: dsg.NodeSymbol("O", number) for number, one in enumerate(contents.things)}
    for one in contents.things:
        symbol = thing_symbols[one.object_id]
        graph.add_node(layers.OBJECTS, symbol, _object_attributes(dsg, one, labels[one.label]))
        parent = place_symbols.get(one.place_id or "")
        if parent is None and places:
            nearest = contents.places.nearest(one.object_position)
            parent = None if nearest is None else place_symbols[nearest.place_id]
        if parent is not None:
            graph.insert_edge(parent, symbol)
    for one in contents.things:
        for link in one.relations:
            if link.object_id in thing_symbols and link.object_id != one.object_id:
                info = dsg.EdgeAttributes()
                info.metadata.set({"relation": link.kind})
                graph.insert_edge(thing_symbols[one.object_id], thing_symbols[link.object_id], info)
    graph.metadata.set({"made_by": "streammem", "recording": contents.recording, "labels": labels})
    return graph


def _object_attributes(dsg: Any, one: ObjectState, label: int) -> Any:
    attributes = dsg.ObjectNodeAttributes()
    attributes.name, attributes.semantic_label = one.label, label
    attributes.position = np.array(one.object_position)
    half = np.array(one.size_m, dtype=np.float32) / 2
    centre = np.array(one.object_position, dtype=np.float32)
    attributes.bounding_box = dsg.BoundingBox((centre - half).reshape(3, 1), (centre + half).reshape(3, 1))
    attributes.last_update_time_ns = max(one.t_ns, 0)
    attributes.is_active = not one.is_missing
    attributes.metadata.set(
        {
            "object_id": one.object_id, "t_first_ns": one.t_first_ns, "t_known_ns": one.t_known_ns,
            "observer_position": list(one.observer_position), "whereabouts": one.whereabouts(),
            "state": one.state or "", "is_missing": one.is_missing, "confidence": one.confidence,
            "sightings": one.sightings,
        }
    )  # fmt: skip
    return attributes
