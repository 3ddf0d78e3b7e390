"""Puts messages together: a picture with the depth, the pose and the object numbers that belong to it; sound; words.

Takes messages in the order they were recorded and gives items in order of their own time, `_HOLD_NS` later. Knows
the roles of topics and what messages mean, no files and no threads. Memory: the messages of two seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from perception.labelled import Thing, labelled_detections, things_from_json
from perception.protocols import SAMPLE_RATE_HZ, AudioBlock, ImageRGB, Look, SourceItem, TrackLine, VideoFrame
from perception.sources.bags.clock import Message, RecordingClock
from perception.sources.bags.decoding import (
    SoundDecoder,
    colour_image,
    depth_image,
    frame_of,
    intrinsics,
    label_image,
    pose_of,
    scaled,
    transforms,
)
from perception.sources.bags.definitions import MessageDecoder
from perception.sources.bags.files import Topic
from perception.sources.bags.notes import Notes
from perception.sources.bags.poses import CameraPoses
from perception.sources.bags.stamps import is_static, stamped
from perception.sources.bags.topics import Roles
from perception.sources.merge import ReorderBuffer
from streammem.settings import SourceSettings
from streammem.types import NS_PER_S, Gap

_HOLD_NS = 300_000_000
"""How long a picture waits for what belongs to it: recorders write messages up to a few frames late."""
_SAME_MOMENT_NS = 100_000_000
"""A depth image this far from a picture in time belongs to it; at 10 Hz neighbours are as far apart."""
_KEEP_NS = 2 * NS_PER_S
_LINE_NS = 2 * NS_PER_S
"""A line of text has a time and no length."""
_SAMPLE_NS = NS_PER_S // SAMPLE_RATE_HZ
_SOUND_SLACK_NS = 80_000_000
"""Packets come with jitter; sound is taken as continuous within this."""
_LONGEST_SILENCE_NS = 5 * NS_PER_S


@dataclass(frozen=True, slots=True)
class _Held:
    t_ns: int
    topic: Topic
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Original:
    """A picture, decoded at full size when called."""

    decoder: MessageDecoder
    topic: Topic
    data: bytes

    def __call__(self) -> ImageRGB:
        return colour_image(self.decoder.decode(self.topic, self.data))


class Assembly:
    """One reading of one recording."""

    def __init__(
        self, roles: Roles, decoder: MessageDecoder, notes: Notes, *, settings: SourceSettings, origin_ns: int,
        offset_ns: int, from_ns: int,
    ) -> None:  # fmt: skip
        self._roles, self._decoder, self._notes = roles, decoder, notes
        self._origin_ns, self._offset_ns, self._from_ns = origin_ns, offset_ns, from_ns
        self._height = settings.analysis_height
        self._period_ns = NS_PER_S / settings.sample_fps
        self._next_ns = -(-from_ns // self._period_ns) * self._period_ns
        self._last_picture_ns = -1
        self._pictures: deque[_Held] = deque()
        self._depths: deque[_Held] = deque()
        self._labels: deque[_Held] = deque()
        self._clock = RecordingClock(notes, origin_ns=origin_ns)
        self._poses = CameraPoses(notes)
        self._cameras: dict[str, Any] = {}
        self._things: dict[int, Thing] = {}
        self._rooms: list[tuple[int, str | None]] = []
        self._sound: SoundDecoder | None = None
        self._sound_ns: int | None = None
        self._order = ReorderBuffer(hold_ns=0)
        self._now_ns = 0

    # --- taking -------------------------------------------------------------------------------------------------------

    def take(self, topic: Topic, log_ns: int, data: bytes) -> None:
        """The next message."""
        message = self._stamped(topic, log_ns, data)
        if message is not None:
            for known in self._clock.take(message):
                self._use(known)

    def take_ahead(self, topic: Topic, log_ns: int, data: bytes) -> None:
        """A message that is read before the others, so that it says nothing about how time goes on."""
        message = self._stamped(topic, log_ns, data)
        if message is not None:
            message.times_ns = tuple(stamp_ns - self._origin_ns for _, stamp_ns in message.stamps)
            self._use(message)

    def _stamped(self, topic: Topic, log_ns: int, data: bytes) -> Message | None:
        try:
            return stamped(topic, log_ns, data, roles=self._roles, decoder=self._decoder, offset_ns=self._offset_ns)
        except ValueError as error:
            self._notes.at(max(0, self._now_ns), str(error))
            return None

    def _use(self, known: Message) -> None:
        roles, topic, message, t_ns = self._roles, known.topic, known.decoded, known.t_ns
        self._now_ns = max(self._now_ns, known.recorded_ns)
        try:
            if topic in (roles.colour, roles.depth, roles.labels):
                self._take_image(topic, t_ns, known.data)
            elif topic in roles.transforms:
                self._take_transforms(topic, known)
            elif topic is roles.poses:
                parent, child, pose = pose_of(message)
                self._poses.add_pose(parent, child, t_ns, pose)
            elif topic in (roles.colour_info, roles.depth_info):
                self._cameras[topic.name] = intrinsics(message)
            elif topic is roles.sound_info:
                self._sound = SoundDecoder(
                    coding=str(message.coding_format), sample_format=str(message.sample_format),
                    rate_hz=int(message.sample_rate), channels=int(message.channels),
                )  # fmt: skip
            elif topic is roles.sound:
                payload = getattr(message, "audio", message)
                self._take_sound(t_ns, bytes(payload.data))
            elif topic is roles.room:
                self._rooms.append((t_ns, str(message.data) or None))
            elif topic is roles.label_table:
                self._take_things(str(message.data), t_ns)
            else:
                self._take_words(topic, str(message.data), t_ns)
        except ValueError as error:
            self._notes.at(max(0, self._now_ns), str(error))

    def _take_image(self, topic: Topic, t_ns: int, data: bytes) -> None:
        if topic is self._roles.colour:
            if t_ns <= self._last_picture_ns:
                self._notes.at(self._last_picture_ns, "pictures went back in time and were left out")
            elif t_ns >= self._next_ns:
                self._next_ns = (t_ns // self._period_ns + 1) * self._period_ns
                self._pictures.append(_Held(t_ns, topic, data))
            self._last_picture_ns = max(self._last_picture_ns, t_ns)
            self._now_ns = max(self._now_ns, t_ns)
        if topic is self._roles.depth:
            self._depths.append(_Held(t_ns, topic, data))
        if topic is self._roles.labels:
            self._labels.append(_Held(t_ns, topic, data))
        for held in (self._depths, self._labels):
            while held and held[0].t_ns < t_ns - _KEEP_NS:
                held.popleft()

    def _take_transforms(self, topic: Topic, known: Message) -> None:
        does_stay = is_static(topic)
        times = iter(known.times_ns[1:])
        for parent, child, stamp, pose in transforms(known.decoded):
            t_ns = known.recorded_ns if stamp is None or does_stay else next(times)
            self._poses.add_transform(parent, child, t_ns, pose, is_static=does_stay)

    def _take_sound(self, t_ns: int, data: bytes) -> None:
        if self._sound is None:
            self._sound = SoundDecoder()
        samples = self._sound.decode(data)
        if not len(samples):
            return
        if self._sound_ns is None or t_ns > self._sound_ns + _LONGEST_SILENCE_NS:
            if self._sound_ns is not None:
                self._add(Gap(t_start_ns=self._sound_ns, t_end_ns=t_ns, reason="there is no sound"))
            self._sound_ns = max(0, t_ns) // _SAMPLE_NS * _SAMPLE_NS
        elif t_ns > self._sound_ns + _SOUND_SLACK_NS:
            missing = (t_ns - self._sound_ns) // _SAMPLE_NS
            self._add(AudioBlock(t_ns=self._sound_ns, samples=np.zeros(missing, np.float32)))
            self._sound_ns += missing * _SAMPLE_NS
        self._add(AudioBlock(t_ns=self._sound_ns, samples=samples))
        self._sound_ns += len(samples) * _SAMPLE_NS

    def _take_things(self, text: str, t_ns: int) -> None:
        """The table of what is what."""
        for number, thing in things_from_json(text).items():
            known = self._things.get(number)
            if known is not None and known.label != thing.label:
                self._notes.at(
                    max(0, t_ns),
                    f"object number {number} was {known.label!r} and is {thing.label!r} from here on; they are "
                    "remembered as two things",
                )
                if known.identity == thing.identity:
                    thing = replace(thing, identity=f"{thing.label}-{number}")
            self._things[number] = thing

    def _take_words(self, topic: Topic, text: str, t_ns: int) -> None:
        text = text.strip()
        if not text or t_ns < self._from_ns:
            return
        kind = "speech" if topic in self._roles.speech else "caption"
        speaker, colon, rest = text.partition(": ")
        has_speaker = bool(colon) and len(speaker) < 30 and speaker.replace(" ", "").isalpha()
        self._add(
            TrackLine(
                t_start_ns=max(0, t_ns),
                t_end_ns=max(0, t_ns) + _LINE_NS,
                kind=kind,
                text=rest if has_speaker else text,
                speaker=speaker if has_speaker else None,
                source=topic.name,
            )
        )

    # --- giving -------------------------------------------------------------------------------------------------------

    def ready(self) -> Iterator[SourceItem]:
        """Items that nothing can come before any more."""
        self._follow_path(self._now_ns - _HOLD_NS)
        while self._pictures and self._pictures[0].t_ns + _HOLD_NS <= self._now_ns:
            self._release(self._pictures.popleft())
        for gap in self._notes.closed(self._now_ns):
            self._add(gap)
        if self._now_ns > 2 * _HOLD_NS:
            yield from self._order.ready([self._now_ns - 2 * _HOLD_NS])

    def finish(self) -> Iterator[SourceItem]:
        """The rest, at the end of the recording."""
        for known in self._clock.finish():
            self._use(known)
        self._follow_path(self._now_ns)
        while self._pictures:
            self._release(self._pictures.popleft())
        if self._roles.colour is None and self._roles.path and self._poses.begun_ns is None:
            self._notes.always("nothing in its transforms moves: where the robot was is not known")
        self._poses.finish()
        for gap in self._notes.rest(self._now_ns):
            self._add(gap)
        yield from self._order.rest()

    def _add(self, item: SourceItem) -> None:
        if isinstance(item, AudioBlock):
            behind = (self._from_ns - item.t_ns) // _SAMPLE_NS
            if behind >= len(item.samples):
                return
            if behind > 0:
                item = AudioBlock(t_ns=item.t_ns + behind * _SAMPLE_NS, samples=item.samples[behind:])
        if isinstance(item, Gap) and item.t_end_ns <= self._from_ns:
            return
        self._order.add(item)

    def _follow_path(self, until_ns: int) -> None:
        """Where there are no pictures to say where they were taken: the robot's own pose, as often."""
        if self._roles.colour is not None:
            return
        while self._next_ns <= until_ns:
            begun_ns = self._poses.begun_ns
            if begun_ns is None or begun_ns > until_ns:
                return
            # Nothing is known of the time before: a recording can begin long before its poses do.
            self._next_ns = max(self._next_ns, begun_ns // self._period_ns * self._period_ns)
            t_ns = round(self._next_ns)
            self._next_ns += self._period_ns
            pose = self._poses.of_robot(t_ns) if t_ns >= begun_ns else None
            if pose is not None:
                self._order.add(Look(t_ns=t_ns, T_map_camera=pose, room=self._room_at(t_ns)))

    def _release(self, picture: _Held) -> None:
        try:
            message = self._decoder.decode(picture.topic, picture.data)
            image = colour_image(message)
        except ValueError as error:
            self._notes.at(picture.t_ns, str(error))
            return
        look = self._look(picture.t_ns, frame_of(message), image.shape[:2])
        height, width = image.shape[:2]
        if height > self._height:
            size = (max(2, round(width * self._height / height)), self._height)
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        original = _Original(decoder=self._decoder, topic=picture.topic, data=picture.data)
        self._order.add(VideoFrame(t_ns=picture.t_ns, image_rgb=image, original=original, look=look))

    def _look(self, t_ns: int, frame: str, shape: tuple[int, int]) -> Look | None:
        """Where the picture was taken from and what it shows; None where the pose is not known."""
        roles = self._roles
        if not roles.transforms and roles.poses is None:
            if roles.depth is not None:
                self._notes.always("there are no poses (tf, odometry): depth cannot be put into a map")
            return None
        pose = self._poses.at(t_ns, frame)
        if pose is None:
            return None
        depth = self._depth_at(t_ns)
        camera = None
        if depth is not None:
            info = roles.depth_info or roles.colour_info
            known = self._cameras.get(info.name) if info is not None else None
            if known is None:
                self._notes.always("there is no camera info for the depth images: they are not put into the map")
                depth = None
            else:
                camera = scaled(known[0], known[1], (depth.shape[0], depth.shape[1]))
        detections = ()
        held = _nearest(self._labels, t_ns)
        if held is not None and self._things:
            numbers = label_image(self._decoder.decode(held.topic, held.data))
            if depth is None or numbers.shape == depth.shape:
                detections = labelled_detections(numbers, self._things)
            else:
                self._notes.at(t_ns, "the image of object numbers is not as large as the depth image; it is left out")
        return Look(
            t_ns=t_ns, T_map_camera=pose, depth_m=depth, camera=camera, detections=detections, room=self._room_at(t_ns)
        )

    def _room_at(self, t_ns: int) -> str | None:
        return next((room for since_ns, room in reversed(self._rooms) if since_ns <= t_ns), None)

    def _depth_at(self, t_ns: int) -> Any:
        if self._roles.depth is None:
            return None
        held = _nearest(self._depths, t_ns)
        if held is None:
            self._notes.at(t_ns, "there is no depth image with the picture")
            return None
        try:
            depth = depth_image(self._decoder.decode(held.topic, held.data))
        except ValueError as error:
            self._notes.at(t_ns, f"a depth image cannot be used: {error}")
            return None
        with np.errstate(invalid="ignore"):
            if not (np.isfinite(depth) & (depth > 0)).any():
                self._notes.at(t_ns, "the depth image is empty: no pixel has a distance")
                return None
        return depth


def _nearest(held: deque[_Held], t_ns: int) -> _Held | None:
    best = min(held, key=lambda one: abs(one.t_ns - t_ns), default=None)
    return best if best is not None and abs(best.t_ns - t_ns) <= _SAME_MOMENT_NS else None
