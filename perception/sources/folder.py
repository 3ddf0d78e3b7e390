"""From what a user names (files, folders, cameras, addresses) to one specification per recording.

Knows names only, opens no media. A caption track beside a video or sound file with the same stem belongs to it. A
folder that is one recording (rosbag2) is one; a LeRobot dataset is one recording per episode, `FOLDER#episode=N`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from perception.sources.bags import is_bag
from perception.sources.bags.files import BAG_SUFFIXES
from perception.sources.container import (
    CAPTION_SUFFIXES,
    MEDIA_SUFFIXES,
    caption_suffix,
    check_file,
    is_network_uri,
    is_stream_uri,
    local_path,
)
from streammem.errors import SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSpec:
    """One recording to open: `open_source(spec.uri, recording=spec.recording, captions=spec.captions, settings=...)`.

    `error` tells why it cannot be opened; such entries are reported and the others go on."""

    uri: str
    recording: str
    captions: Path | None = None
    error: SourceError | None = None


def recording_name(uri: str) -> str:
    """Default name in the memory: a file's stem, `camera-0`, `stdin`, or the end of an address."""
    if uri.isdecimal():
        return f"camera-{uri}"
    if uri in {"-", "pipe:", "pipe:0"}:
        return "stdin"
    if (episode := episode_of(uri)) is not None:
        return f"{episode[0].name}-episode-{episode[1]:06d}"
    if is_network_uri(uri):
        from urllib.parse import urlparse

        parts = urlparse(uri)
        return Path(parts.path).stem or (parts.netloc.rpartition("@")[2] or "stream").replace(":", "-")
    return _stem(local_path(uri))


def episode_of(uri: str) -> tuple[Path, int] | None:
    """(folder, number) of `FOLDER#episode=N`; a LeRobot dataset's folder alone means its first episode."""
    folder, mark, number = uri.rpartition("#episode=")
    if mark and number.isdecimal() and is_lerobot(local_path(folder)):
        return local_path(folder).resolve(), int(number)
    path = local_path(uri)
    return (path.resolve(), 0) if is_lerobot(path) else None


def is_lerobot(folder: Path) -> bool:
    """Whether a folder is a LeRobot dataset, by the file that describes it."""
    try:
        return (folder / "meta" / "info.json").is_file()
    except OSError:
        return False


def captions_beside(path: Path) -> Path | None:
    """The caption track with the same stem, if there is one."""
    beside = (path.with_name(_stem(path) + suffix) for suffix in CAPTION_SUFFIXES)
    try:
        return next((found for found in beside if found.is_file()), None)
    except OSError:  # a name that is too long with another suffix
        return None


def expand_sources(uris: str | Path | int | Iterable[str | Path | int]) -> list[RecordingSpec]:
    """One specification per recording, in the order given; folders (with their subfolders) become their recordings in
    order of name. Recordings of one call have different names: a second `talk` becomes `talk-2`.

    Raises:
        SourceError: nothing was named.
    """
    given: Sequence[str | Path | int] = [uris] if isinstance(uris, str | Path | int) else list(uris)
    if not given:
        raise SourceError("No source was named; give a file, a folder, a camera number or an address.")
    specs: list[RecordingSpec] = []
    for uri in given:
        text = str(uri)
        if is_stream_uri(text) or is_network_uri(text):
            specs.append(RecordingSpec(uri=text, recording=recording_name(text)))
            continue
        path = local_path(text)
        if is_lerobot(path) or episode_of(text) is not None:
            specs.extend(_of_dataset(text))
            continue
        specs.extend(_of_folder(path) if _is_folder(path) else [_of_file(path)])
    return _with_own_names(specs)


def _of_dataset(text: str) -> list[RecordingSpec]:
    if "#episode=" in text:
        return [RecordingSpec(uri=text, recording=recording_name(text))]
    from perception.sources.lerobot import episodes_in

    folder = local_path(text).resolve()
    try:
        numbers = episodes_in(folder)
    except SourceError as error:
        return [_failed(folder, error)]
    uris = [f"{folder}#episode={number}" for number in numbers]
    return [RecordingSpec(uri=uri, recording=recording_name(uri)) for uri in uris]


def _of_folder(folder: Path) -> list[RecordingSpec]:
    if is_bag(folder):
        return [RecordingSpec(uri=str(folder.resolve()), recording=folder.name)]
    files, failed = _walk(folder)
    media = [path for path in files if path.suffix.lower() in MEDIA_SUFFIXES or path.suffix.lower() in BAG_SUFFIXES]
    media = _whole_bags(media)
    taken = {found for path in media if (found := captions_beside(path)) is not None}
    alone = [path for path in files if caption_suffix(path) is not None and path not in taken]
    chosen = sorted([*media, *alone])
    if not chosen and not failed:
        error = SourceError(f"Folder {str(folder)!r} holds no recording (video, sound or caption track).")
        return [_failed(folder, error)]
    return [*(_of_file(path) for path in chosen), *failed]


def _whole_bags(paths: Sequence[Path]) -> list[Path]:
    """The files of a rosbag2 folder become the folder."""
    whole: dict[Path, None] = {}
    for path in paths:
        whole[path.parent if path.suffix.lower() in BAG_SUFFIXES and is_bag(path.parent) else path] = None
    return list(whole)


def _walk(folder: Path) -> tuple[list[Path], list[RecordingSpec]]:
    """The files in a folder and its subfolders, hidden ones left out, and what of it cannot be listed."""
    failed: list[RecordingSpec] = []

    def note(error: OSError) -> None:
        path = Path(error.filename or folder)
        failed.append(_failed(path, SourceError(f"Folder {str(path)!r} cannot be read ({error.strerror}).")))

    files: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
    return files, failed


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # opening it as a file will say why
        return False


def _of_file(path: Path) -> RecordingSpec:
    if path.is_dir():
        return RecordingSpec(uri=str(path.resolve()), recording=path.name)
    try:
        check_file(path)
    except SourceError as error:
        return _failed(path, error)
    beside = None if caption_suffix(path) is not None else captions_beside(path)
    return RecordingSpec(uri=str(path.resolve()), recording=_stem(path), captions=beside)


def _failed(path: Path, error: SourceError) -> RecordingSpec:
    return RecordingSpec(uri=str(path), recording=_stem(path), error=error)


def _with_own_names(specs: list[RecordingSpec]) -> list[RecordingSpec]:
    seen: dict[str, int] = {}
    used = {spec.recording for spec in specs}
    named: list[RecordingSpec] = []
    for spec in specs:
        count = seen[spec.recording] = seen.get(spec.recording, 0) + 1
        name = spec.recording
        while count > 1 and (name := f"{spec.recording}-{count}") in used:
            count += 1
        used.add(name)
        named.append(
            spec
            if name == spec.recording
            else RecordingSpec(uri=spec.uri, recording=name, captions=spec.captions, error=spec.error)
        )
    return named


def _stem(path: Path) -> str:
    suffix = caption_suffix(path)
    return path.name[: -len(suffix)] if suffix else path.stem
