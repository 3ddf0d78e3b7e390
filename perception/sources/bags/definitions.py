"""Message definitions: turns the bytes of a topic into message objects, by what the recording brought along.

Knows ROS 1 and ROS 2 serialisation through `rosbags`, and not what a message means. A topic whose definition is missing
or damaged is decoded by the usual one of that name, where there is one.
"""

from __future__ import annotations

import logging
from typing import Any

from perception.sources.bags.files import Topic, short

logger = logging.getLogger(__name__)


class MessageDecoder:
    """Turns bytes of topics into message objects, by the definitions that the recording brought along."""

    def __init__(self) -> None:
        from rosbags.typesys import Stores, get_typestore

        self._stores: dict[Topic, Any] = {}
        self._usual: dict[str, Any] = {}
        self._get_typestore = get_typestore
        self._store_names = {"cdr": Stores.ROS2_HUMBLE, "ros1": Stores.ROS1_NOETIC}

    def why_not(self, topic: Topic) -> str | None:
        """Why messages of this topic cannot be decoded; None where they can."""
        if topic.encoding not in self._store_names:
            return f"is encoded as {topic.encoding!r}, which is not a ROS encoding"
        store = self._store(topic)
        if topic.type not in store.fielddefs:
            return f"has the type {topic.type!r}, whose definition is neither in the recording nor a usual one"
        return None

    def decode(self, topic: Topic, data: bytes) -> Any:
        """
        Raises:
            ValueError: the bytes are no such message.
        """
        store = self._store(topic)
        try:
            return (store.deserialize_ros1 if topic.encoding == "ros1" else store.deserialize_cdr)(data, topic.type)
        except Exception as error:  # struct errors, index errors, asserts of the generated parsers
            raise ValueError(f"a message of {topic.name!r} cannot be decoded ({short(error)})") from error

    def _store(self, topic: Topic) -> Any:
        known = self._stores.get(topic)
        if known is not None:
            return known
        usual = self._usual_store(topic.encoding)
        store = usual
        if topic.definition:
            from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg

            try:
                own = (
                    get_types_from_idl(topic.definition)
                    if topic.is_idl
                    else get_types_from_msg(topic.definition, topic.type)
                )
                store = self._get_typestore(Stores.EMPTY)
                store.register(own)
            except Exception as error:
                logger.debug("the definition of %s cannot be read: %s", topic.name, error)
                store = usual
        self._stores[topic] = store
        return store

    def _usual_store(self, encoding: str) -> Any:
        if encoding not in self._usual:
            self._usual[encoding] = self._get_typestore(self._store_names[encoding])
        return self._usual[encoding]
