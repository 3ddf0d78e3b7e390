"""Which topics of a robot recording are looked at: its best camera, that camera's depth and info, poses, sound, words.

Chooses by message type first, by name second, by number of messages third. What is left out and why is kept, so that
it can be told. Knows names and types only, reads no message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from perception.sources.bags.definitions import MessageDecoder
from perception.sources.bags.files import Topic

IMAGE_TYPES = frozenset({"sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"})
CAMERA_TYPES = frozenset({"sensor_msgs/msg/CameraInfo"})
TRANSFORM_TYPES = frozenset({"tf2_msgs/msg/TFMessage", "tf/msg/tfMessage"})
POSE_TYPES = (
    "nav_msgs/msg/Odometry",
    "geometry_msgs/msg/PoseStamped",
    "geometry_msgs/msg/PoseWithCovarianceStamped",
)
"""In order of preference."""
SOUND_TYPES = frozenset({"audio_common_msgs/msg/AudioData", "audio_common_msgs/msg/AudioDataStamped"})
SOUND_INFO_TYPES = frozenset({"audio_common_msgs/msg/AudioInfo"})
TEXT_TYPES = frozenset({"std_msgs/msg/String"})

LABEL_TABLE_TOPIC = "/camera/objects"
"""Where a recording of this program says what the numbers in a label image are called: JSON, number to name."""

ROOM_TOPIC = "/robot/room"
"""The name of the room that the robot is in, told when it changes."""

ROOM_BOXES_TOPIC = "/robot/rooms"
"""Where the rooms of its floor plan are: JSON, name to [low, high] corner in the map, told once."""

_DEPTH = re.compile(r"depth|disparity", re.I)
_LABELS = re.compile(r"label|instance|semantic|segment", re.I)
_NOT_COLOUR = re.compile(
    r"depth|disparity|label|instance|semantic|segment|mask|confidence|infra|(^|[/_])ir([/_]|$)", re.I
)
_COLOURED = re.compile(r"rgb|colou?r|image", re.I)
_SPOKEN = re.compile(r"(^|/)(speech|transcript\w*|said|say|utterances?|asr)($|/)", re.I)
_CAPTIONED = re.compile(r"(^|/)(captions?|descriptions?|narration)($|/)", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The topics of a recording by what they are for."""

    colour: Topic | None = None
    colour_info: Topic | None = None
    depth: Topic | None = None
    depth_info: Topic | None = None
    labels: Topic | None = None
    label_table: Topic | None = None
    room: Topic | None = None
    room_boxes: Topic | None = None
    """Read once, when the recording is opened."""
    transforms: tuple[Topic, ...] = ()
    poses: Topic | None = None
    sound: Topic | None = None
    sound_info: Topic | None = None
    speech: tuple[Topic, ...] = ()
    captions: tuple[Topic, ...] = ()
    unused: tuple[str, ...] = ()
    """A sentence for each topic that could have been used and is not."""

    @property
    def path(self) -> bool:
        """Whether it can be told where the robot was."""
        return self.poses is not None or any("static" not in one.name for one in self.transforms)

    @property
    def read(self) -> tuple[Topic, ...]:
        """Every topic that is read while streaming."""
        single = (
            *(self.colour, self.colour_info, self.depth, self.depth_info, self.labels, self.label_table, self.room),
            *(self.poses, self.sound, self.sound_info),
        )
        return (*(one for one in single if one is not None), *self.transforms, *self.speech, *self.captions)


def choose_topics(topics: Sequence[Topic], decoder: MessageDecoder) -> Roles:
    """The roles of a recording's topics."""
    unused: list[str] = []
    usable: list[Topic] = []
    for one in topics:
        reason = decoder.why_not(one)
        if reason is None:
            usable.append(one)
        else:
            unused.append(f"topic {one.name!r} {reason}; it is left out")
    pictures = [one for one in usable if one.type in IMAGE_TYPES]
    colours = [one for one in pictures if not _NOT_COLOUR.search(one.name)]
    colour = _best(colours, prefer=_COLOURED)
    if colour is not None:
        unused += [
            f"the pictures of {one.name!r} are left out: {colour.name!r} is looked at"
            for one in colours
            if _camera_of(one.name) != _camera_of(colour.name)
        ]
    depths = [one for one in pictures if _DEPTH.search(one.name)]
    depth = _nearest(depths, colour)
    cameras = [one for one in usable if one.type in CAMERA_TYPES]
    tables = [one for one in usable if one.type in TEXT_TYPES and one.name == LABEL_TABLE_TOPIC]
    sounds = [one for one in usable if one.type in SOUND_TYPES]
    texts = [one for one in usable if one.type in TEXT_TYPES]
    poses = [one for kind in POSE_TYPES for one in usable if one.type == kind]
    return Roles(
        colour=colour,
        colour_info=_nearest(cameras, colour),
        depth=depth,
        depth_info=_nearest(cameras, depth),
        labels=_nearest([one for one in pictures if _LABELS.search(one.name)], colour) if tables else None,
        label_table=tables[0] if tables else None,
        room=next((one for one in texts if one.name == ROOM_TOPIC), None),
        room_boxes=next((one for one in texts if one.name == ROOM_BOXES_TOPIC), None),
        transforms=tuple(one for one in usable if one.type in TRANSFORM_TYPES),
        poses=poses[0] if poses else None,
        sound=_best(sounds),
        sound_info=_best([one for one in usable if one.type in SOUND_INFO_TYPES]),
        speech=tuple(one for one in texts if _SPOKEN.search(one.name)),
        captions=tuple(one for one in texts if _CAPTIONED.search(one.name)),
        unused=tuple(unused),
    )


def _best(topics: Sequence[Topic], *, prefer: re.Pattern[str] | None = None) -> Topic | None:
    """Named as wished, raw before compressed where both have as many messages, the one with most messages."""
    return max(
        topics,
        key=lambda one: (
            bool(prefer and prefer.search(one.name)),
            one.count,
            one.type == "sensor_msgs/msg/Image",
            -len(one.name),
        ),
        default=None,
    )


def _nearest(topics: Sequence[Topic], other: Topic | None) -> Topic | None:
    """The topic whose name shares the longest beginning with another's."""
    if other is None:
        return _best(topics)
    parts = other.name.split("/")

    def shared(one: Topic) -> int:
        pairs = zip(one.name.split("/"), parts, strict=False)
        count = 0
        for left, right in pairs:
            if left != right:
                break
            count += 1
        return count

    aligned = re.compile(r"aligned|registered")
    return max(topics, key=lambda one: (bool(aligned.search(one.name)), shared(one), one.count), default=None)


def _camera_of(name: str) -> str:
    return re.sub(r"/(compressed|image\w*|rgb|colou?r)+$", "", re.sub(r"/compressed$", "", name))
