"""Gets a world's recordings into a memory before questions are asked, and says where they lie in it.

What is in memory already is left alone and what was interrupted goes on, as with `streammem ingest`. A memory that has
every recording is opened for reading only, so that several evaluations can share it. Lines that a dataset gives as
records (conversations) are written as a caption track beside the evaluation's own records, and ingested from there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from streammem.app import compose
from streammem.app.evaluation.dataset import Dataset, Place, Source, World
from streammem.errors import InputError, MemoryNotFoundError, SourceError
from streammem.memory import Memory
from streammem.settings import Settings
from streammem.types import Recording, stable_id

if TYPE_CHECKING:
    from perception.pipeline import IngestProgress
    from perception.sources import RecordingSpec

MANIFEST = "manifest.json"


class Interrupted(Exception):
    """Stopped on request; everything committed is kept."""


def memory_folder(dataset: Dataset, world: World, memory: Path) -> Path:
    """One memory where everything is one world, else a folder of memories, one per world.

    Raises:
        InputError: the folder is one memory and the dataset needs several.
    """
    if len(dataset.worlds) == 1 and (dataset.is_one_world or (memory / MANIFEST).exists()):
        return memory
    if (memory / MANIFEST).exists():
        raise InputError(
            f"{str(memory)!r} is a memory, and {dataset.format!r} asks about {len(dataset.worlds)} recordings one at a "
            "time; name another folder with --memory, a memory of each is made in it."
        )
    return memory / safe_name(world.name)


def safe_name(name: str) -> str:
    """A name that any file system takes; different names stay different."""
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name).strip(".")
    return kept if kept == name and len(kept) <= 100 else f"{kept[:80]}-{stable_id(name)[:8]}"


def prepare(
    dataset: Dataset,
    world: World,
    folder: Path,
    settings: Settings,
    *,
    tracks: Path,
    progress: Callable[[IngestProgress], None] | None,
    cancel: threading.Event,
) -> Place:
    """Ingests what is missing, and returns where every source lies.

    Args:
        tracks: folder for caption tracks that are written from the dataset's records.

    Raises:
        SourceError: a recording that is not in memory cannot be opened, or broke in the middle.
        Interrupted: `cancel` was set.
    """
    known = _known(folder)
    found: dict[str, Recording] = {}
    missing: list[Source] = []
    for source in world.sources:
        match = next((one for one in known if one.status == "complete" and _is(one, source)), None)
        if match is None:
            missing.append(source)
        else:
            found[source.name] = match
    if not missing:
        return Place(recordings=found)
    with compose.IngestBatch(settings, folder, progress=progress, cancel=cancel) as batch:
        for source in missing:
            spec = _spec(dataset, world, source, tracks)
            report, _ = batch.run(spec, start_ns=source.start_ns, use_recorded_start=False)
            if batch.is_cancelled:
                raise Interrupted
            if report.problem is not None:
                raise SourceError(report.problem)
            found[source.name] = Recording(
                recording=report.recording, uri="", fingerprint="", t_start_ns=0, t_end_ns=0, status="complete"
            )
    by_name = {one.recording: one for one in _known(folder)}
    return Place(recordings={name: by_name[one.recording] for name, one in found.items()})


def memory_fingerprint(memory: Memory) -> str:
    """Changes with what the memory holds: answers from another state of it are asked again."""
    recordings = [(one.recording, one.fingerprint, one.t_end_ns, one.status) for one in memory.recordings()]
    return stable_id(json.dumps([recordings, sorted(memory.info()["rows"].items())], default=str))


def _known(folder: Path) -> list[Recording]:
    try:
        with Memory.open(folder) as memory:
            return memory.recordings()
    except MemoryNotFoundError:
        return []


def _is(recording: Recording, source: Source) -> bool:
    """The same content, or the same name where there is no file to compare with."""
    if source.path is None or not source.path.exists():
        return recording.recording == source.name
    return Path(recording.uri) == source.path.resolve() or _fingerprint(source.path) == recording.fingerprint


def _fingerprint(path: Path) -> str:
    from perception.sources import open_source
    from streammem.settings import SourceSettings

    source = open_source(path, settings=SourceSettings())
    try:
        return source.info.fingerprint
    finally:
        source.close()


def _spec(dataset: Dataset, world: World, source: Source, tracks: Path) -> RecordingSpec:
    from perception.sources import RecordingSpec, captions_beside

    if source.lines:
        path = tracks / safe_name(world.name) / f"{safe_name(source.name)}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(dict(line)) + "\n" for line in source.lines), encoding="utf-8")
    elif source.path is None or not source.path.is_file():
        raise SourceError(
            f"Recording {source.name!r} of {dataset.format!r} is neither in memory nor at "
            f"{str(source.path or dataset.path)!r}; put the file there."
        )
    else:
        path = source.path
    return RecordingSpec(uri=str(path.resolve()), recording=path.stem, captions=captions_beside(path))
