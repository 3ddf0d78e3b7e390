"""Robot recordings as files: rosbag1, rosbag2 (SQLite and MCAP) and MCAP, message by message, without ROS.

Knows containers and message definitions, not what a message means. Every topic decodes on its own: one with an unknown
or damaged definition is told once and left out, the others go on. A file that was cut off (an MCAP without its summary)
is read forward as far as it goes. Opening reads the index; reading costs what the storage costs.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Protocol

from perception.sources.bags.written import (
    Written,
    mcap_written,
    ros1_as_written,
    ros1_written,
    sqlite_messages,
    sqlite_written,
)
from streammem.errors import MissingDependencyError, SourceBrokenError, SourceError
from streammem.types import NS_PER_S

logger = logging.getLogger(__name__)

BAG_SUFFIXES = frozenset({".bag", ".mcap", ".db3"})
_SCAN_MESSAGES = 4000
"""An MCAP without a summary names its topics as it goes; those of so many messages are known when it is opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One stream of messages. `type` is written as ROS 2 does: `sensor_msgs/msg/Image`."""

    name: str
    type: str
    count: int
    """Messages in the file; 0 where it does not say."""
    encoding: str
    """`cdr`, `ros1`, or what else the file names."""
    definition: str
    """The message's definition in text; empty where the file has none."""
    is_idl: bool = False


class BagFile(Protocol):
    """An opened recording."""

    topics: tuple[Topic, ...]
    start_ns: int
    end_ns: int
    is_even: bool
    """Whether the recorder's clock went on evenly, as far as the indexes tell. Else messages come as they were written,
    and `end_ns` is what it would be without the jumps."""

    def messages(self, topics: Collection[Topic], *, from_ns: int | None = None) -> Iterator[tuple[Topic, int, bytes]]:
        """(topic, time of recording, bytes) in order of that time, those from `from_ns` on.

        Raises:
            SourceBrokenError: the file is damaged here."""
        ...


def is_bag(path: Path) -> bool:
    """Whether the path is a robot recording: by its suffix, or a folder as ROS 2 writes it."""
    try:
        return path.suffix.lower() in BAG_SUFFIXES if not path.is_dir() else (path / "metadata.yaml").is_file()
    except OSError:
        return False


def bag_files(path: Path) -> list[Path]:
    """The files that a recording consists of."""
    return sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]


def open_bag(path: Path, stack: ExitStack) -> BagFile:
    """Opens a recording; what it holds open is closed with `stack`.

    Raises:
        MissingDependencyError: the readers are not installed.
        SourceError: it is damaged, empty, or of another kind.
    """
    try:
        import mcap  # noqa: F401
        import rosbags  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            'Robot recordings need two small readers: pip install "streammem[robot]".'
        ) from error
    if path.suffix.lower() == ".db3" and not path.is_dir():
        raise SourceError(f"{str(path)!r} is part of a ROS 2 recording; give its folder, which holds metadata.yaml.")
    if path.suffix.lower() == ".mcap":
        return McapFile(path, stack)
    return RosbagFile(path, stack)


class RosbagFile:
    """rosbag1, and rosbag2 folders with either storage."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        from rosbags.interfaces import MessageDefinitionFormat
        from rosbags.rosbag1 import Reader as Reader1
        from rosbags.rosbag2 import Reader as Reader2

        self._path = path
        is_ros1 = path.suffix.lower() == ".bag"
        try:
            self._reader: Any = stack.enter_context(Reader1(path) if is_ros1 else Reader2(path))
        except Exception as error:  # the readers raise what their parsers raise
            raise SourceError(
                f"{str(path)!r} cannot be read as a ROS recording ({short(error)}); "
                + ("repair it with `rosbag reindex`." if is_ros1 else "repair it with `ros2 bag reindex`.")
            ) from error
        if not self._reader.message_count:
            raise SourceError(f"{str(path)!r} holds no messages; check the topics that were recorded.")
        self._connections: dict[int, Any] = {}
        topics: dict[tuple[str, str], Topic] = {}
        self._of_topic: dict[tuple[str, str], list[Any]] = {}
        for one in self._reader.connections:
            key = (str(one.topic), _ros2_name(one.msgtype))
            known = topics.get(key)
            topics[key] = Topic(
                name=key[0],
                type=key[1],
                count=one.msgcount + (known.count if known else 0),
                encoding="ros1" if is_ros1 else "cdr",
                definition=one.msgdef.data,
                is_idl=one.msgdef.format == MessageDefinitionFormat.IDL,
            )
            self._of_topic.setdefault(key, []).append(one)
        self.topics: tuple[Topic, ...] = tuple(topics.values())
        self.start_ns = int(self._reader.start_time)
        self.end_ns = int(self._reader.end_time)
        self._parts: list[_Part] = []
        self.is_even = True
        try:
            if is_ros1:
                self._look_at_order_of_ros1()
            else:
                self._look_at_order_of_ros2()
        except Exception as error:  # the readers raise what their parsers raise; reading will tell
            logger.debug("in which order %s was written cannot be told: %s", path, error)

    def _look_at_order_of_ros1(self) -> None:
        written = ros1_written(self._reader.indexes)
        if written is not None:
            self.is_even = False
            self.start_ns, self.end_ns = written.start_ns, written.start_ns + written.duration_ns
            self._reader.indexes = ros1_as_written(self._reader.indexes)

    def _look_at_order_of_ros2(self) -> None:
        storage = self._reader.storage
        if storage.metadata.compression_mode == "message":
            return
        self._parts = [_Part.of(one) for one in storage.storages]
        self.is_even = all(one.written is None for one in self._parts) and all(
            later.start_ns > one.end_ns - NS_PER_S for one, later in pairwise(self._parts)
        )
        if not self.is_even:
            self.start_ns = self._parts[0].start_ns
            self.end_ns = self.start_ns + sum(one.duration_ns for one in self._parts)

    def messages(self, topics: Collection[Topic], *, from_ns: int | None = None) -> Iterator[tuple[Topic, int, bytes]]:
        wanted = {(one.name, one.type): one for one in topics}
        connections = [one for key in wanted for one in self._of_topic[key]]
        if not connections:
            return
        try:
            if not self.is_even and self._parts:
                for name, t_ns, data in chain.from_iterable(one.messages() for one in self._parts):
                    topic = next((one for one in wanted.values() if one.name == name), None)
                    if topic is not None and (from_ns is None or t_ns >= from_ns):
                        yield topic, t_ns, data
                return
            for connection, t_ns, data in self._reader.messages(connections=connections, start=from_ns):
                yield wanted[(connection.topic, _ros2_name(connection.msgtype))], t_ns, data
        except GeneratorExit:
            raise
        except Exception as error:
            raise SourceBrokenError(
                f"{str(self._path)!r} is damaged ({short(error)}); what came before is kept."
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One file of a ROS 2 recording."""

    path: Path
    start_ns: int
    end_ns: int
    written: Written | None
    """None where its clock goes on evenly."""

    @classmethod
    def of(cls, storage: Any) -> _Part:
        path = Path(storage.path)
        if _is_mcap(path):
            from mcap.reader import SeekingReader

            with path.open("rb") as file:
                summary = SeekingReader(file).get_summary()
            written = mcap_written(path, summary) if summary is not None else None
        else:
            written = sqlite_written(path)
        start_ns = written.start_ns if written is not None else int(storage.metadata.start_time)
        return cls(path=path, start_ns=start_ns, end_ns=int(storage.metadata.end_time), written=written)

    @property
    def duration_ns(self) -> int:
        return self.written.duration_ns if self.written is not None else max(0, self.end_ns - self.start_ns)

    def messages(self) -> Iterator[tuple[str, int, bytes]]:
        """(topic, time, bytes) as they were written."""
        if not _is_mcap(self.path):
            yield from sqlite_messages(self.path)
            return
        topics: dict[int, Topic] = {}
        for channel_id, t_ns, data in _forward(self.path, topics):
            if channel_id in topics:
                yield topics[channel_id].name, t_ns, data


def _is_mcap(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(5) == b"\x89MCAP"


class McapFile:
    """A single MCAP, whoever wrote it."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        from mcap.exceptions import McapError
        from mcap.reader import SeekingReader

        self._path = path
        self.is_cut = False
        file = stack.enter_context(path.open("rb"))
        self._reader: Any = None
        summary: Any = None
        try:
            self._reader = SeekingReader(file)
            summary = self._reader.get_summary()
        except (McapError, OSError, ValueError, EOFError, IndexError) as error:
            logger.debug("%s has no summary that can be read: %s", path, error)
        self._topics: dict[int, Topic] = {}
        if summary is not None and summary.statistics is not None and summary.channels:
            statistics = summary.statistics
            for channel in summary.channels.values():
                count = statistics.channel_message_counts.get(channel.id, 0)
                self._topics[channel.id] = _mcap_topic(channel, summary.schemas.get(channel.schema_id), count)
            self.start_ns, self.end_ns = statistics.message_start_time, statistics.message_end_time
            if not statistics.message_count:
                raise SourceError(f"{str(path)!r} holds no messages; check the topics that were recorded.")
            written = mcap_written(path, summary)
            self.is_even = written is None
            if written is not None:
                self.start_ns, self.end_ns = written.start_ns, written.start_ns + written.duration_ns
        else:
            self.is_even = False
            self.is_cut = True
            self._scan()
        self.topics: tuple[Topic, ...] = tuple(dict.fromkeys(self._topics.values()))

    def messages(self, topics: Collection[Topic], *, from_ns: int | None = None) -> Iterator[tuple[Topic, int, bytes]]:
        wanted = {one: one for one in topics}
        if not self.is_even:
            for channel_id, t_ns, data in _forward(self._path, self._topics):
                topic = wanted.get(self._topics[channel_id]) if channel_id in self._topics else None
                if topic is not None and (from_ns is None or t_ns >= from_ns):
                    yield topic, t_ns, data
            if not self.is_cut:
                return
            raise SourceBrokenError(f"{str(self._path)!r} was cut off; what could be read is kept.")
        names = sorted({one.name for one in wanted})
        try:
            for _, channel, message in self._reader.iter_messages(topics=names, starting_at=from_ns):
                topic = wanted.get(self._topics[channel.id]) if channel.id in self._topics else None
                if topic is not None:
                    yield topic, message.log_time, message.data
        except GeneratorExit:
            raise
        except Exception as error:
            raise SourceBrokenError(
                f"{str(self._path)!r} is damaged ({short(error)}); what came before is kept."
            ) from error

    def _scan(self) -> None:
        """Topics and times of a file without a summary, from its first messages."""
        times: list[int] = []
        counts: dict[int, int] = {}
        for channel_id, t_ns, _ in _forward(self._path, self._topics):
            times.append(t_ns)
            counts[channel_id] = counts.get(channel_id, 0) + 1
            if len(times) >= _SCAN_MESSAGES:
                break
        if not times:
            raise SourceError(f"{str(self._path)!r} is not an MCAP recording, or is cut off before its first message.")
        self.start_ns, self.end_ns = (min(times) if min(times) > times[0] - NS_PER_S else times[0]), max(times)


def _forward(path: Path, topics: dict[int, Topic]) -> Iterator[tuple[int, int, bytes]]:
    """(channel, time, bytes) as they stand in an MCAP, until it ends or is damaged; `topics` learns its channels."""
    from mcap.records import Channel, Message, Schema
    from mcap.stream_reader import StreamReader

    schemas: dict[int, Any] = {}
    with path.open("rb") as file:
        records = iter(StreamReader(file).records)
        while True:
            try:
                record = next(records)
            except StopIteration:
                return
            except Exception as error:  # whatever the parser trips over, the file is of no use from here on
                logger.debug("%s: reading stops: %s", path, error)
                return
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Channel):
                if record.id not in topics:
                    topics[record.id] = _mcap_topic(record, schemas.get(record.schema_id), 0)
            elif isinstance(record, Message):
                yield record.channel_id, record.log_time, record.data


def _mcap_topic(channel: Any, schema: Any, count: int) -> Topic:
    return Topic(
        name=channel.topic,
        type=_ros2_name(schema.name) if schema is not None else "unknown",
        count=count,
        encoding=channel.message_encoding,
        definition=schema.data.decode("utf-8", "replace") if schema is not None else "",
        is_idl=schema is not None and schema.encoding == "ros2idl",
    )


def _ros2_name(name: str) -> str:
    parts = name.split("/")
    return f"{parts[0]}/msg/{parts[1]}" if len(parts) == 2 else name


def short(error: BaseException) -> str:
    """What a parser said, in one line."""
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:160].rstrip(".")
