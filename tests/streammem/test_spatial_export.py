"""Exports are read back by the programs that they are for: Rerun's own reader, spark_dsg, a PLY reader, Open3D."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streammem.app.cli import run
from streammem.errors import InputError
from streammem.spatial.export.contents import Contents, contents_of, heights_as_colours
from streammem.spatial.export.ply import read_points, write_points
from streammem.spatial.spatial_memory import SpatialMemory
from tests.spatial_world import CAMERA, kitchen, looking_at

AT_TABLE = looking_at(-0.8, 0.2, (1.5, 1.0, 0.7))
AT_COUNTER = looking_at(0.9, -0.3, (1.5, -2.0, 0.8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mug has gone from the table to the counter."""
    made = tmp_path_factory.mktemp("space") / "m"
    world = kitchen()
    with SpatialMemory.open(made, write=True, create=True) as space:
        for step in range(16):
            if step == 8:
                world.boxes["mug"].centre = (1.2, -1.9, 0.95)
            pose = AT_TABLE if step % 8 < 4 else AT_COUNTER
            space.observe(world.look(pose, float(step), room="kitchen"))
    return made


@pytest.fixture
def contents(folder: Path) -> Iterator[Contents]:
    with SpatialMemory.open(folder) as space:
        yield contents_of(space)


def test_contents_are_the_memory(contents: Contents) -> None:
    assert {one.label for one in contents.things} == {"table", "mug", "plate", "counter"}
    assert len(contents.places) == 2
    assert (np.diff(contents.path.t_ns) >= 0).all()
    assert [one.text for one in contents.changes if one.kind == "moved"] == [
        "the mug moved from the table to the counter"
    ]
    table = np.abs(contents.surface_m - (1.5, 1.0, 0.75)).max(axis=1) < 0.55
    assert np.count_nonzero(table) > 100


def test_a_scene_graph_is_loaded_by_spark_dsg(folder: Path, tmp_path: Path) -> None:
    import spark_dsg

    target = tmp_path / "scene.json"
    assert run(["export", "--memory", str(folder), "--format", "dsg", "--output", str(target)]) == 0
    graph = spark_dsg.DynamicSceneGraph.load(str(target))
    layers = spark_dsg.DsgLayers
    counts = {layer: graph.get_layer(layer).num_nodes() for layer in (layers.OBJECTS, layers.PLACES, layers.ROOMS)}
    assert counts == {layers.OBJECTS: 4, layers.PLACES: 2, layers.ROOMS: 1}
    objects = {node.attributes.name: node for node in graph.get_layer(layers.OBJECTS).nodes}
    mug = objects["mug"]
    with SpatialMemory.open(folder) as space:
        known = space.where("mug")[0]
    assert mug.attributes.position == pytest.approx(known.object_position)
    assert mug.attributes.metadata.get()["whereabouts"] == "on the counter in the kitchen"
    assert mug.attributes.last_update_time_ns == known.t_ns
    assert mug.has_parent()
    counter = objects["counter"]
    edge = graph.get_edge(mug.id.value, counter.id.value)
    assert edge.info.metadata.get() == {"relation": "on"}
    room = next(iter(graph.get_layer(layers.ROOMS).nodes))
    assert room.attributes.name == "kitchen"
    assert len(list(room.children())) == 2


def test_a_rerun_file_is_read_by_reruns_own_reader(folder: Path, contents: Contents, tmp_path: Path) -> None:
    """Every number that was written comes back, at the time it belongs to."""
    from rerun.chunk import RrdReader

    target = tmp_path / "scene.rrd"
    assert run(["export", "--memory", str(folder), "--format", "rrd", "--output", str(target)]) == 0
    reader = RrdReader(target)
    assert [(one.application_id, one.kind) for one in reader.recordings()] == [("streammem", "recording")]
    rows: dict[str, list[dict[str, Any]]] = {}
    for chunk in reader.stream().to_chunks():
        batch = chunk.to_record_batch()
        columns = {name: batch.column(name) for name in batch.schema.names}
        if "time" in columns:
            columns["time"] = columns["time"].cast("int64")
        table = {name: column.to_pylist() for name, column in columns.items()}
        found = rows.setdefault(chunk.entity_path, [])
        found += [{name: table[name][row] for name in table} for row in range(chunk.num_rows)]
    (surface,) = rows["/world/map"]
    assert np.array(surface["Points3D:positions"]) == pytest.approx(contents.surface_m.astype(np.float32))
    (places,) = rows["/world/places"]
    assert places["Points3D:labels"] == ["kitchen", "kitchen"]
    cameras = sorted(rows["/world/camera"], key=lambda row: row["time"])
    assert [row["time"] for row in cameras] == contents.path.t_ns.tolist()
    for row, pose in zip(cameras, contents.path.poses, strict=True):
        assert np.array(row["Transform3D:translation"][0]) == pytest.approx(pose[:3, 3], abs=1e-6)
        turned = np.array(row["Transform3D:mat3x3"][0]).reshape(3, 3).T  # Rerun stores columns
        assert turned == pytest.approx(pose[:3, :3], abs=1e-6)
    told = sorted((row["time"], row["TextLog:text"][0]) for row in rows["/changes"])
    assert told == sorted((one.t_ns, one.text) for one in contents.changes if one.kind != "same as")
    (mug_path,) = (path for path in rows if path.startswith("/world/things/mug/"))
    mug = max(rows[mug_path], key=lambda row: row["time"])
    known = next(one for one in contents.things if one.label == "mug")
    assert np.array(mug["Boxes3D:centers"][0]) == pytest.approx(known.object_position, abs=1e-5)
    assert mug["Boxes3D:labels"] == ["mug"]


def test_a_cloud_is_the_surface(folder: Path, contents: Contents, tmp_path: Path) -> None:
    target = tmp_path / "scene.ply"
    assert run(["export", "--memory", str(folder), "--format", "ply", "--output", str(target)]) == 0
    points, colours = read_points(target)
    assert points == pytest.approx(contents.surface_m.astype(np.float32))
    assert colours.shape == points.shape
    assert target.read_bytes().startswith(b"ply\nformat binary_little_endian 1.0\n")


def test_what_cannot_be_exported_is_said_in_a_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from streammem.memory import Memory

    empty = tmp_path / "empty"
    Memory.open(empty, write=True, create=True).close()
    cases = [
        (["--memory", str(empty), "--format", "ply", "--output", str(tmp_path / "a")], "Nothing was observed in space"),
        (["--memory", str(folder), "--format", "ply"], "say where with --output"),
        (["--memory", str(folder), "--format", "dsg", "--output", str(tmp_path / "a.dsg")], "name the file 'a.json'"),
        (["--memory", str(folder), "-f", "dsg", "-o", str(tmp_path / "no" / "a.json")], "Cannot write"),
        (["--memory", str(folder), "--format", "ply", "--output", str(tmp_path / "no" / "a")], "Cannot write"),
        (["--memory", str(folder), "-f", "rrd", "-o", str(tmp_path / "no" / "a")], "Cannot write"),
    ]
    for arguments, words in cases:
        assert run(["export", *arguments]) == 2
        assert words in capsys.readouterr().err, arguments
    with pytest.raises(InputError, match="not a point cloud"):
        read_points(write_text(tmp_path / "other.ply", "ply\n"))


def write_text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_points_survive_the_round_trip(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    colours = heights_as_colours(points.astype(np.float64))
    assert write_points(points, colours, tmp_path / "a.ply") == 100
    again, same = read_points(tmp_path / "a.ply")
    assert np.array_equal(again, points)
    assert np.array_equal(same, colours)
    assert heights_as_colours(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.skipif(
    importlib.util.find_spec("open3d") is None, reason="Open3D is not installed (it needs system libraries)"
)
def test_clouds_are_aligned_by_open3d() -> None:
    from streammem.spatial.export.clouds import align, points_of_depth

    look = kitchen().look(AT_TABLE, 0.0)
    assert look.depth_m is not None
    fixed = points_of_depth(look.depth_m, CAMERA, AT_TABLE)
    off = np.eye(4)
    off[:2, :2] = [[np.cos(0.03), -np.sin(0.03)], [np.sin(0.03), np.cos(0.03)]]
    off[:3, 3] = (0.06, -0.04, 0.03)
    moving = fixed @ off[:3, :3].T + off[:3, 3]
    found = align(moving, fixed)
    assert np.abs(found.T_fixed_moving @ off - np.eye(4)).max() < 0.01
    assert found.overlap > 0.95
