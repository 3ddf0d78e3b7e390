"""The verbs: ingest, ask, search, facts, forget, timeline. What `import streammem`, the command line and the
servers call.

Checks what the user gave, puts the parts together through `streammem.app.compose`, and calls them. A memory can be
given as a folder, or open already: then asking again costs no opening.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from streammem.app import compose
from streammem.app.spans import SpanChoice, passage_length_s
from streammem.app.subtitles import Cue
from streammem.errors import InputError, SourceError
from streammem.memory import Memory
from streammem.settings import Settings, load_settings
from streammem.timeline import format_time, ns_to_seconds, parse_iso, parse_time
from streammem.types import Answer, Event, Fact, Hit, Level, Query, Recording

if TYPE_CHECKING:
    from perception.pipeline import IngestProgress, IngestReport
    from streammem.store.forget import Forgotten

MemoryLike = str | Path | Memory
ConfigLike = str | Path | Settings | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedSource:
    """A source that could not be opened, and why."""

    source: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What one `ingest` did: a report per recording, in order, and what could not be opened."""

    recordings: tuple[IngestReport, ...]
    starts_ns: tuple[int, ...]
    """Start of each recording on the memory's timeline."""
    failed: tuple[FailedSource, ...] = ()
    is_interrupted: bool = False


def ingest(
    sources: str | Path | Sequence[str | Path],
    *,
    memory: MemoryLike,
    config: ConfigLike = None,
    start: str | None = None,
    again: bool = False,
    progress: Callable[[IngestProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Ingested:
    """Watches recordings and remembers them; makes the memory where there is none.

    What is in memory already is left alone, and what was interrupted is continued, so the same call may be repeated.

    Args:
        sources: files, folders of them, camera numbers, URLs.
        memory: a folder, or a memory opened for writing.
        config: name or file of a config, or settings; None is the default, `embedded`.
        start: when the recordings began, ISO-8601; `recorded` takes it from each file. None: times count from 0.
        again: remember anew what was forgotten of these recordings, or all of them.
        progress: called about ten times a second.
        cancel: set it from elsewhere to stop at a clean point. A file is continued by the next call, a stream ends.

    Raises:
        SourceError: none of the sources could be opened. Where some could, the others are in `failed`.
        MemoryLockedError: another process is writing to the memory.
        InputError: `start` is not a time.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> track = folder / "talk.jsonl"
        >>> _ = track.write_text('{"start": 5, "end": 7, "kind": "speech", "text": "The keys are under the mat."}')
        >>> ingest(track, memory=folder / "memory").recordings[0].status
        'complete'
        >>> ingest(track, memory=folder / "memory").recordings[0].status
        'already in memory'
    """
    settings = _settings(config)
    start_ns = parse_iso(start) if start not in {None, "recorded"} and start is not None else None
    given = [sources] if isinstance(sources, str | Path) else list(sources)
    if not given:
        raise InputError("Name at least one source: a file, a folder, a camera's number or a URL.")
    from perception.sources import expand_sources
    from perception.sources.container import without_password

    batch = compose.IngestBatch(settings, memory, again=again, progress=progress, cancel=cancel or threading.Event())
    reports: list[IngestReport] = []
    starts: list[int] = []
    failed: list[FailedSource] = []
    first_error: SourceError | None = None
    is_interrupted = False
    with batch:
        for spec in expand_sources(given):
            if batch.is_cancelled:
                is_interrupted = True
                break
            try:
                report, began_ns = batch.run(spec, start_ns=start_ns, use_recorded_start=start == "recorded")
            except SourceError as error:
                first_error = first_error or error
                failed.append(FailedSource(source=without_password(spec.uri), problem=str(error)))
                continue
            reports.append(report)
            starts.append(began_ns)
    if first_error is not None and not reports and len(failed) == 1:
        raise first_error
    return Ingested(
        recordings=tuple(reports),
        starts_ns=tuple(starts),
        failed=tuple(failed),
        is_interrupted=is_interrupted or any(report.status == "interrupted" for report in reports),
    )


def open_memory(path: str | Path, *, write: bool = False, create: bool = False, config: ConfigLike = None) -> Memory:
    """Opens a memory folder with the config's encoders, which are loaded when the first query needs them.

    Raises:
        MemoryNotFoundError, MemoryLockedError, MemoryVersionError: see `streammem.errors`.

    Example:
        >>> import tempfile
        >>> with open_memory(tempfile.mkdtemp(), write=True, create=True) as memory:
        ...     memory.recordings()
        []
    """
    return compose.open_memory(path, _settings(config), write=write, create=create)


def ask(
    question: str,
    *,
    memory: MemoryLike,
    choices: Sequence[str] = (),
    as_of: str | None = None,
    reasoner: Literal["extractive", "chat"] | None = None,
    config: ConfigLike = None,
) -> Answer:
    """Answers a question from what was remembered, with evidence, or says that it is not in memory.

    Args:
        choices: possible answers; the answer's `choice` is the index of one of them.
        as_of: the moment of asking: seconds or `H:MM:SS` from where the recordings start, or ISO-8601. Nothing that
            ended later is used.
        reasoner: None takes the config's.

    Raises:
        InputError: an empty question, a bad time, an empty memory, or nothing in memory yet at `as_of`.
        ChatEndpointError: the chat reasoner's endpoint cannot be used.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> track = folder / "talk.jsonl"
        >>> _ = track.write_text('{"start": 5, "end": 7, "kind": "speech", "text": "The keys are under the mat."}')
        >>> _ = ingest(track, memory=folder / "memory")
        >>> answer = ask("Where are the keys?", memory=folder / "memory")
        >>> answer.evidence[0].text, answer.evidence[0].t_start_ns
        ('The keys are under the mat.', 5000000000)
        >>> ask("When did a dog appear?", memory=folder / "memory").answerable
        False
    """
    if not question.strip():
        raise InputError("The question is empty.")
    if any(not choice.strip() for choice in choices):
        raise InputError("A choice is empty.")
    settings = _settings(config)
    if reasoner is not None:
        settings = settings.model_copy(update={"reasoner": reasoner})
    with _opened(memory, settings) as opened:
        recordings = _recordings(opened)
        as_of_ns = parse_time(as_of, origin_ns=_origin_ns(recordings)) if as_of is not None else None
        if as_of_ns is not None and not opened.events(level=None, as_of_ns=as_of_ns, limit=1):
            first = min(recording.t_start_ns for recording in recordings)
            raise InputError(
                f"Nothing was in memory yet at {format_time(as_of_ns)}: the first recording starts at "
                f"{format_time(first)}, and an event is in memory once it has ended."
            )
        return compose.ask(question, opened, settings, choices=tuple(choices), as_of_ns=as_of_ns)


def search(
    text: str | None = None,
    *,
    memory: MemoryLike,
    k: int = 10,
    image: str | Path | None = None,
    after: str | None = None,
    before: str | None = None,
    recording: str | None = None,
    spans: SpanChoice = "auto",
    config: ConfigLike = None,
) -> list[Hit]:
    """Finds spans by what was said, seen or written in them, or by how they look, best first.

    Args:
        text, image: what to look for; at least one of them. `image` is the path of a picture.
        spans: `lines` returns every line and picture that matches, with its own times; `passages` half minutes around
            what matches, each once, with their best line; `auto` passages where lines are dense (`app.spans`).
        after, before: as `as_of` in `ask`; with `recording`, counted from that recording's start.

    Raises:
        InputError: nothing to look for, a bad time, an unreadable picture, an unknown recording, an empty memory.

    Example:
        >>> search("keys", memory="my-memory", k=1)[0].text  # doctest: +SKIP
        'The keys are under the mat.'
    """
    if not (text and text.strip()) and image is None:
        raise InputError("Say what to search for: a text, or a picture with --image.")
    picture = compose.read_image(Path(image)) if image is not None else None
    settings = _settings(config)
    with _opened(memory, settings) as opened:
        chosen = _recordings(opened, recording)
        return opened.recall(
            Query(
                text=text or None,
                image_rgb=picture,
                after_ns=_time(after, chosen),
                before_ns=_time(before, chosen),
                recordings=(recording,) if recording is not None else None,
                passage_s=passage_length_s(opened, spans) if text else None,
                k=k,
            )
        )


def facts(
    subject: str | None = None,
    *,
    memory: MemoryLike,
    predicate: str | None = None,
    as_of: str | None = None,
    recording: str | None = None,
) -> list[Fact]:
    """What is known of people and things, with since when and until when it held, who said so and every event it comes
    from, in order of recording and time.

    Args:
        subject: of whom or what; None is everything that is known.
        as_of: as in `ask`: only what held then, as it was known then. None: what no longer holds is among them.

    Raises:
        InputError: a bad time, an unknown recording, an empty memory.
    """
    with _opened(memory, None) as opened:
        chosen = _recordings(opened, recording)
        return opened.facts(
            subject=subject,
            predicate=predicate,
            as_of_ns=_time(as_of, chosen),
            recordings=(recording,) if recording is not None else None,
        )


def forget(
    *,
    memory: MemoryLike,
    recording: str | None = None,
    after: str | None = None,
    before: str | None = None,
    about: str | None = None,
    text: str | None = None,
    dry_run: bool = False,
    config: ConfigLike = None,
) -> Forgotten:
    """Forgets for good: gone from every table, picture, index and old version, and not coming back by itself.

    Args:
        recording: alone, all of it; otherwise everything that is given must hold.
        after, before: as in `search`: what overlaps the span between them.
        about: a person or an object. text: what was said or read.
        dry_run: only say what would go.

    Raises:
        InputError: nothing selected, a bad time, an unknown recording, an empty memory.
        MemoryLockedError: another process is writing to the memory.
    """
    settings = _settings(config)
    with ExitStack() as stack:
        if isinstance(memory, Memory):
            opened = memory
        else:
            opened = stack.enter_context(compose.open_memory(memory, settings, write=not dry_run))
        chosen = _recordings(opened, recording)
        return opened.forget(
            recordings=(recording,) if recording is not None else None,
            after_ns=_time(after, chosen),
            before_ns=_time(before, chosen),
            about=about,
            text=text,
            dry_run=dry_run,
        )


def timeline(
    *,
    memory: MemoryLike,
    level: Level = Level.EVENT,
    after: str | None = None,
    before: str | None = None,
    recording: str | None = None,
) -> list[Event]:
    """The segments of one level, in order of recording and time.

    Raises:
        InputError: a bad time, an unknown recording, an empty memory.
    """
    with _opened(memory, None) as opened:
        chosen = _recordings(opened, recording)
        return opened.events(
            level=level,
            recordings=(recording,) if recording is not None else None,
            after_ns=_time(after, chosen),
            before_ns=_time(before, chosen),
        )


def cues(
    *, memory: MemoryLike, what: Literal["speech", "events"], recording: str | None = None, one_recording: bool = True
) -> list[Cue]:
    """Speech or events as lines of text with times, for subtitles.

    Raises:
        InputError: an unknown recording, an empty memory, or several recordings where only one fits.
    """
    with _opened(memory, None) as opened:
        chosen = _recordings(opened, recording)
        if one_recording and len(chosen) > 1:
            names = ", ".join(repr(one.recording) for one in chosen)
            raise InputError(f"Subtitles are for one recording; choose it with --recording: {names}.")
        starts = {one.recording: one.t_start_ns for one in chosen}
        found = (
            opened.observations(kinds=("speech",), recordings=tuple(starts))
            if what == "speech"
            else [event for event in opened.events(level=Level.EVENT, recordings=tuple(starts)) if event.text.strip()]
        )
        return [
            Cue(
                recording=one.recording,
                start_s=ns_to_seconds(one.t_start_ns - starts[one.recording]),
                end_s=ns_to_seconds(one.t_end_ns - starts[one.recording]),
                kind="caption" if isinstance(one, Event) else "speech",
                text=one.text,
                speaker=None if isinstance(one, Event) else one.speaker,
            )
            for one in found
        ]


def export_space(
    *,
    memory: MemoryLike,
    file_format: Literal["rrd", "dsg", "ply"],
    output: Path,
    recording: str | None = None,
) -> tuple[int, str]:
    """Writes what a robot knows of space to a file: a Rerun recording, a spark_dsg scene graph, a point cloud.

    Returns:
        How many of what the file holds: (12, "node").

    Raises:
        InputError: nothing was observed in space, there are several recordings to choose from, or no map for a cloud.
        MissingDependencyError: the format's package is not installed.
    """
    from streammem.spatial.export.contents import contents_of
    from streammem.spatial.spatial_memory import SpatialMemory

    with _opened(memory, None) as opened:
        known = SpatialMemory.recordings(opened)
        if recording is None and len(known) > 1:
            names = ", ".join(repr(name) for name in known)
            raise InputError(f"Several recordings were observed in space; choose one with --recording: {names}.")
        if not known or (recording is not None and recording not in known):
            raise InputError("Nothing was observed in space here: a robot's depth, poses and detections make it.")
        with SpatialMemory.open(opened, recording=recording or known[0], write=False) as space:
            contents = contents_of(space)
    match file_format:
        case "rrd":
            from streammem.spatial.export.rerun_file import write_rrd

            return write_rrd(contents, output), "moment"
        case "dsg":
            from streammem.spatial.export.dsg import write_dsg

            return write_dsg(contents, output), "node"
        case "ply":
            from streammem.spatial.export.ply import write_ply

            return write_ply(contents, output), "point"


def _settings(config: ConfigLike) -> Settings:
    return config if isinstance(config, Settings) else load_settings(config)


@contextmanager
def _opened(memory: MemoryLike, settings: Settings | None) -> Generator[Memory]:
    """An open memory is lent and stays open; a folder is opened here, without models where none are needed."""
    if isinstance(memory, Memory):
        yield memory
        return
    opened = Memory.open(memory) if settings is None else compose.open_memory(memory, settings)
    with opened:
        yield opened


def _recordings(memory: Memory, name: str | None = None) -> list[Recording]:
    """The recordings to look at: all, or the one that was named."""
    recordings = memory.recordings()
    if not recordings:
        raise InputError("The memory is empty; fill it with `streammem ingest SOURCE --memory DIR`.")
    if name is None:
        return recordings
    chosen = [one for one in recordings if one.recording == name]
    if not chosen:
        names = ", ".join(repr(one.recording) for one in recordings[:20])
        raise InputError(f"There is no recording {name!r} in the memory; it holds {names}.")
    return chosen


def _origin_ns(recordings: Sequence[Recording]) -> int:
    return min(recording.t_start_ns for recording in recordings)


def _time(text: str | None, recordings: Sequence[Recording]) -> int | None:
    return None if text is None else parse_time(text, origin_ns=_origin_ns(recordings))
