"""A map as rows of a LanceDB table: one row per block, bit for bit.

Saving writes the blocks that changed since the last save, in one commit: a crash leaves the table as it was before or
as it is after. A block that the map forgot is written empty, and left out when the map is read. Several maps (frames,
submaps) may share a table. Knows how to keep a map, not when.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from streammem.errors import MemoryStoreError
from streammem.spatial.blocks import CELLS, NEVER_NS
from streammem.spatial.keys import BLOCK_VOXELS
from streammem.spatial.octree import Octree, OctreeSettings
from streammem.store.filters import Where
from streammem.store.lance import arrow

VOXEL_BLOCKS = "voxel_blocks"
"""Name of the table."""


def schema() -> Any:
    """Arrow schema. `log_odds` are 512 int8 and `seen_ns` 8 little-endian int64, in Morton order; `labels` 512 uint16
    or null."""
    pa = arrow()
    return pa.schema([
        pa.field("frame", pa.string()), pa.field("block_key", pa.int64()), pa.field("voxel_m", pa.float64()),
        pa.field("log_odds", pa.binary()), pa.field("seen_ns", pa.binary()), pa.field("labels", pa.binary()),
    ])  # fmt: skip


def open_table(connection: Any) -> Any:
    """The table of maps in a LanceDB connection, made if it is not there."""
    return connection.create_table(VOXEL_BLOCKS, schema=schema(), exist_ok=True)


def save(tree: Octree, table: Any, *, frame: str = "map") -> int:
    """Writes what changed since the last save. Returns how many rows that were."""
    keys, rows, dropped = tree.blocks.changed()
    count = len(keys) + len(dropped)
    if not count:
        return 0
    pa, pool = arrow(), tree.blocks
    labels = [None if (found := pool.labels_of(int(row))) is None else found.astype("<u2").tobytes() for row in rows]
    empty, never = bytes(BLOCK_VOXELS), np.full(CELLS, NEVER_NS, dtype="<i8").tobytes()
    source = pa.table(
        {
            "frame": [frame] * count,
            "block_key": np.concatenate([keys, dropped]),
            "voxel_m": np.full(count, tree.settings.voxel_m),
            "log_odds": [pool.log_odds[row].tobytes() for row in rows] + [empty] * len(dropped),
            "seen_ns": [pool.seen_ns[row].astype("<i8").tobytes() for row in rows] + [never] * len(dropped),
            "labels": labels + [None] * len(dropped),
        },
        schema=schema(),
    )
    merge = table.merge_insert(["frame", "block_key"]).when_matched_update_all().when_not_matched_insert_all()
    merge.execute(source)
    pool.saved(rows, dropped)
    return count


def load(table: Any, settings: OctreeSettings | None = None, *, frame: str = "map") -> Octree:
    """A map as it was saved; empty where nothing was saved for this frame.

    Raises:
        MemoryStoreError: it was saved with voxels of another size, or a row is damaged.
    """
    settings = settings or OctreeSettings()
    tree = Octree(settings)
    found = table.search().where(Where().equals("frame", frame).sql()).limit(None).to_arrow()
    if not found.num_rows:
        return tree
    sizes = set(found.column("voxel_m").to_pylist())
    if sizes != {settings.voxel_m}:
        raise MemoryStoreError(f"The map {frame!r} has voxels of {sorted(sizes)} m, not {settings.voxel_m}.")
    columns = {name: found.column(name).to_pylist() for name in ("log_odds", "seen_ns", "labels")}
    joined, times = b"".join(columns["log_odds"]), b"".join(columns["seen_ns"])
    if len(joined) != found.num_rows * BLOCK_VOXELS or len(times) != found.num_rows * CELLS * 8:
        raise MemoryStoreError(f"The map {frame!r} has damaged blocks; put the memory back from a copy.")
    log_odds = np.frombuffer(joined, dtype=np.int8).reshape(-1, BLOCK_VOXELS)
    seen = np.frombuffer(times, dtype="<i8").reshape(-1, CELLS).astype(np.int64)
    keys = found.column("block_key").to_numpy()
    kept = np.flatnonzero(log_odds.any(axis=1))
    rows = tree.blocks.ensure(keys[kept])
    tree.blocks.write(rows, log_odds[kept], seen[kept])
    for row, number in zip(rows, kept.tolist(), strict=True):
        if (raw := columns["labels"][number]) is not None:
            ids = np.frombuffer(raw, dtype="<u2").astype(np.uint16)
            places = np.flatnonzero(ids)
            tree.blocks.set_labels(np.full(len(places), row, dtype=np.int32), places, ids[places])
    tree.blocks.saved(rows, np.empty(0, dtype=np.int64))
    return tree
