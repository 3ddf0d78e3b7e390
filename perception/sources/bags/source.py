"""A robot recording as a `Source`: pictures with depth and pose, sound and words, in order of time.

Times are those in the messages' headers; where a message has none, the time it was recorded at, shifted by what lies
between the two clocks. Nothing is dropped for speed; what cannot be used is told as a gap (`notes.py`), the rest kept.
One pass, forward; a picture waits `_HOLD_NS` for the depth and the poses that belong to it. Only pictures on the
sampling grid are decoded. After a resume pictures are the same; sound may begin up to a packet apart. Where a clock
jumped (`clock.py`), a resume reads from the beginning: only from there is it known by how much.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from perception.labelled import room_boxes_from_json
from perception.protocols import ImageRGB, SourceInfo, SourceItem
from perception.sources.bags.assembly import Assembly
from perception.sources.bags.decoding import colour_image, stamp_ns
from perception.sources.bags.definitions import MessageDecoder
from perception.sources.bags.files import BagFile, Topic, bag_files, open_bag
from perception.sources.bags.notes import Notes
from perception.sources.bags.topics import Roles, choose_topics
from perception.sources.bags.written import NO_CLOCK_NS
from perception.sources.bounded_queue import BoundedQueue, Worker
from perception.sources.fingerprint import fingerprint_file, fingerprint_together
from streammem.errors import SourceBrokenError, SourceError
from streammem.settings import SourceSettings
from streammem.spatial.observations import Vector3
from streammem.types import NS_PER_S

logger = logging.getLogger(__name__)

_QUEUE_BYTES = 128 * 1024 * 1024
_LOOK_BACK_NS = 2 * NS_PER_S
"""How much earlier than asked for reading begins, so that poses and depth are there."""
_EVEN_NS = NS_PER_S // 2
_TRY_PICTURES = 20


class BagSource:
    """`Source` over rosbag1, rosbag2 or MCAP. Times count from the first message that is used."""

    def __init__(self, path: Path, *, settings: SourceSettings, recording: str) -> None:
        """Looks into the recording and closes it.

        Raises:
            MissingDependencyError: the readers are not installed.
            SourceError: it cannot be read, or holds nothing that can be remembered.
        """
        self._path = path
        self._settings = settings
        self._workers: list[Worker] = []
        self._decoder: MessageDecoder | None = None
        with ExitStack() as stack:
            bag = open_bag(path, stack)
            self._decoder = MessageDecoder()
            self._roles, size = self._with_pictures(bag)
            if self._roles.colour is None and self._roles.sound is None and not self._texts and not self._roles.path:
                names = ", ".join(sorted(f"{one.name} ({one.type})" for one in bag.topics)[:8])
                raise SourceError(
                    f"{str(path)!r} holds no pictures, sound, words or poses that can be read; it has {names}."
                )
            boxes = self._room_boxes(bag)
            self._offset_ns, self._origin_ns = self._clock(bag)
            self._end_ns = bag.end_ns
            is_whole = not getattr(bag, "is_cut", False)
        self._info = SourceInfo(
            recording=recording,
            uri=str(path),
            fingerprint=fingerprint_together(*(fingerprint_file(one) for one in bag_files(path))),
            has_video=size is not None,
            has_audio=self._roles.sound is not None,
            has_captions=bool(self._texts),
            is_live=False,
            duration_ns=max(0, self._end_ns + self._offset_ns - self._origin_ns) if is_whole else None,
            width=size[0] if size else None,
            height=size[1] if size else None,
            start_ns=self._origin_ns if self._origin_ns > NO_CLOCK_NS else None,
            room_boxes=boxes,
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def dropped(self) -> int:
        """Always 0: files wait."""
        return 0

    @property
    def roles(self) -> Roles:
        """Which topics are read."""
        return self._roles

    @property
    def origin_ns(self) -> int:
        """The time in the messages that counts as 0."""
        return self._origin_ns

    @property
    def offset_ns(self) -> int:
        """What to add to a message's time of recording to get the time on the messages' own clock."""
        return self._offset_ns

    def is_even_until(self, bag: BagFile, t_ns: int) -> bool:
        """Whether messages of a time can be looked up by their time of recording: no clock jumped or drifted before."""
        if not bag.is_even or bag.end_ns <= bag.start_ns:  # converters write no time of recording, or one for all
            return False
        for topic in (self._roles.colour, self._roles.depth, self._roles.poses):
            if topic is None:
                continue
            begun = self._delay_ns(bag, topic, None)
            t_ns = min(t_ns, self._info.duration_ns or t_ns)
            back_ns, there = _LOOK_BACK_NS, None
            while begun is not None and there is None and back_ns < 4 * (t_ns + _LOOK_BACK_NS):
                there = self._delay_ns(bag, topic, self._origin_ns - self._offset_ns + t_ns - back_ns)
                back_ns *= 4
            return begun is None or there is None or abs(there - begun) < _EVEN_NS
        return True

    def _delay_ns(self, bag: BagFile, topic: Topic, from_ns: int | None) -> int | None:
        """From the stamp of a topic's first message to its recording; None where there is no such message or stamp."""
        decoder = MessageDecoder()
        try:
            for _, log_ns, data in bag.messages([topic], from_ns=from_ns):
                stamp = stamp_ns(decoder.decode(topic, data))
                return log_ns - stamp if stamp is not None else None
        except (ValueError, SourceBrokenError):
            return None
        return None

    def stream(self, *, from_ns: int = 0) -> Iterator[SourceItem]:
        """See `Source.stream`."""
        items = self._settings.queue_items
        if self._info.width and self._info.height:
            items = max(4, min(items, _QUEUE_BYTES // (self._info.width * self._info.height * 7)))
        worker = Worker(lambda queue: self._produce(queue, max(0, from_ns)), items=items, drop=False, name="bag")
        self._workers.append(worker)
        try:
            yield from worker.queue
        finally:
            worker.close()
            if worker in self._workers:
                self._workers.remove(worker)

    def close(self) -> None:
        while self._workers:
            self._workers.pop().close()

    def __enter__(self) -> BagSource:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _produce(self, queue: BoundedQueue, from_ns: int) -> None:
        decoder = MessageDecoder()
        notes = Notes(self._path.name)
        for sentence in self._roles.unused:
            notes.always(sentence)
        broken: SourceBrokenError | None = None
        with ExitStack() as stack:
            bag = open_bag(self._path, stack)
            assembly = Assembly(
                self._roles, decoder, notes, settings=self._settings, origin_ns=self._origin_ns, from_ns=from_ns,
                offset_ns=self._offset_ns,
            )  # fmt: skip
            begin_ns = None
            if from_ns > 0 and self.is_even_until(bag, from_ns):
                begin_ns = self._origin_ns - self._offset_ns + from_ns - _LOOK_BACK_NS
                self._read_what_stays(bag, assembly)
            try:
                for topic, log_ns, data in bag.messages(self._roles.read, from_ns=begin_ns):
                    assembly.take(topic, log_ns, data)
                    for item in assembly.ready():
                        if not queue.put(item):
                            return
            except SourceBrokenError as error:
                broken = error
            for item in assembly.finish():
                if not queue.put(item):
                    return
        if broken is not None:
            raise broken

    def _read_what_stays(self, bag: BagFile, assembly: Assembly) -> None:
        """Static transforms and tables are told once, at the beginning, and hold for all of the recording."""
        stay = [one for one in self._roles.transforms if "static" in one.name]
        roles = self._roles
        others = (roles.label_table, roles.room, roles.colour_info, roles.depth_info, roles.sound_info)
        stay += [one for one in others if one is not None]
        seen: dict[str, int] = {}
        for topic, log_ns, data in bag.messages(stay):
            assembly.take_ahead(topic, log_ns, data)
            seen[topic.name] = seen.get(topic.name, 0) + 1
            if len(seen) == len(stay) and max(seen.values()) > 100:
                return

    # --- looking into it ----------------------------------------------------------------------------------------------

    @property
    def _texts(self) -> tuple[object, ...]:
        return (*self._roles.speech, *self._roles.captions)

    def _with_pictures(self, bag: BagFile) -> tuple[Roles, tuple[int, int] | None]:
        """The roles with a camera whose pictures can be decoded, and their (width, height). Depth stands in where
        there is no colour."""
        assert self._decoder is not None
        useless: list[Topic] = []
        told: list[str] = []
        while True:
            roles = choose_topics([one for one in bag.topics if one not in useless], self._decoder)
            topic = roles.colour or roles.depth
            if topic is None:
                if not told:
                    more = ": what is remembered is where the robot was" if roles.path else ""
                    told.append(f"the recording holds no pictures{more}")
                return replace(roles, labels=None, unused=(*roles.unused, *told)), None
            found = self._first_picture(bag, topic)
            if not isinstance(found, str):
                break
            useless.append(topic)
            told.append(f"the pictures of {topic.name!r} cannot be used: {found}")
        if roles.colour is None:
            told.append("there are no colour pictures: depth is shown in their place")
            roles = replace(roles, colour=roles.depth, colour_info=roles.depth_info)
        return replace(roles, unused=(*roles.unused, *told)), (found.shape[1], found.shape[0])

    def _first_picture(self, bag: BagFile, topic: Topic) -> ImageRGB | str:
        """Or why there is none."""
        assert self._decoder is not None
        problem = "there are none"
        try:
            for count, (_, _, data) in enumerate(bag.messages([topic])):
                if count >= _TRY_PICTURES:
                    break
                try:
                    return colour_image(self._decoder.decode(topic, data))
                except ValueError as error:
                    problem = str(error)
        except SourceBrokenError as error:
            problem = str(error)
        return problem

    def _room_boxes(self, bag: BagFile) -> dict[str, tuple[Vector3, Vector3]] | None:
        """The first that is told."""
        assert self._decoder is not None
        topic = self._roles.room_boxes
        if topic is None:
            return None
        try:
            for _, _, data in bag.messages([topic]):
                return room_boxes_from_json(str(self._decoder.decode(topic, data).data))
        except SourceBrokenError:
            return None
        except ValueError as error:
            told = f"the rooms of {topic.name!r} cannot be used: {error}"
            self._roles = replace(self._roles, unused=(*self._roles.unused, told))
        return None

    def _clock(self, bag: BagFile) -> tuple[int, int]:
        """(what to add to a time of recording to get the messages' clock, the time that counts as 0)."""
        assert self._decoder is not None
        stamped = [one for one in (self._roles.colour, self._roles.depth, self._roles.poses) if one is not None]
        earliest: int | None = None
        offset_ns: int | None = None
        for topic in stamped:
            try:
                for count, (_, log_ns, data) in enumerate(bag.messages([topic])):
                    if count >= _TRY_PICTURES:
                        break
                    try:
                        t_ns = stamp_ns(self._decoder.decode(topic, data))
                    except ValueError:
                        continue
                    if t_ns is None:
                        break
                    if offset_ns is None:
                        # A second or less is the way from the sensor to the recorder, not another clock.
                        offset_ns = t_ns - log_ns if abs(t_ns - log_ns) > NS_PER_S else 0
                    earliest = t_ns if earliest is None else min(earliest, t_ns)
                    break
            except SourceBrokenError:
                continue
        offset_ns = offset_ns or 0
        first_ns = bag.start_ns + offset_ns
        if earliest is not None and abs(earliest - first_ns) < 3600 * NS_PER_S:
            first_ns = min(first_ns, earliest)
        return offset_ns, first_ns
