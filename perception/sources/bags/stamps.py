"""Which times a message carries, and whose: its recorder's, its header's, those of each transform in it.

Of pictures only the first bytes are read, so that one which is not looked at is never decoded. Knows messages, and not
how time goes on (`clock.py`).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from perception.sources.bags.clock import Message
from perception.sources.bags.decoding import stamp_ns, transforms
from perception.sources.bags.definitions import MessageDecoder
from perception.sources.bags.files import Topic
from perception.sources.bags.topics import Roles
from streammem.types import NS_PER_S


def stamped(
    topic: Topic, log_ns: int, data: bytes, *, roles: Roles, decoder: MessageDecoder, offset_ns: int
) -> Message:
    """The message with its times, decoded where it is no picture.

    Raises:
        ValueError: it cannot be decoded.
    """
    decoded: Any = None
    stamps: list[tuple[Hashable, int]] = [("recorder", log_ns + offset_ns)]
    if topic in (roles.colour, roles.depth, roles.labels):
        stamp = _header_stamp_ns(topic, data)
        if stamp > 0:
            stamps.append((topic.name, stamp))
    else:
        decoded = decoder.decode(topic, data)
        if is_static(topic):
            pass
        elif topic in roles.transforms:
            each = [((topic.name, child), stamp) for _, child, stamp, _ in transforms(decoded)]
            stamps += [(whose, stamp) for whose, stamp in each if stamp is not None]
        elif topic in (roles.poses, roles.sound):
            stamp = stamp_ns(decoded)
            if stamp is not None:
                stamps.append((topic.name, stamp))
    return Message(topic=topic, log_ns=log_ns, data=data, decoded=decoded, stamps=tuple(stamps))


def is_static(topic: Topic) -> bool:
    """Whether the topic's transforms hold for the whole recording, whenever they are said to be from."""
    return "static" in topic.name


def _header_stamp_ns(topic: Topic, data: bytes) -> int:
    """Of the header that image messages begin with; 0 where it was not filled in."""
    if topic.encoding == "ros1":  # sequence number, seconds, nanoseconds
        seconds, nanoseconds = np.frombuffer(data[4:12], "<u4") if len(data) >= 12 else (0, 0)
    else:  # four bytes say how CDR is encoded; the second one its byte order
        order = "<i4" if len(data) > 1 and data[1] & 1 else ">i4"
        seconds, nanoseconds = np.frombuffer(data[4:12], order) if len(data) >= 12 else (0, 0)
    return int(seconds) * NS_PER_S + int(nanoseconds)
