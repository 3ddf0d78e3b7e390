"""StreamMem watches video, sound and captions, remembers them for days, and answers about them with evidence.

Example:
    >>> import streammem
    >>> _ = streammem.ingest("demos/sample/street_talk.mp4", memory="my-memory")  # doctest: +SKIP
    >>> streammem.ask("When did a bird appear?", memory="my-memory").text  # doctest: +SKIP
    'At 0:00:30.'

Importing this costs under 0.1 s: every name below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streammem.app.api import Ingested as Ingested
    from streammem.app.api import ask as ask
    from streammem.app.api import forget as forget
    from streammem.app.api import ingest as ingest
    from streammem.app.api import open_memory as open_memory
    from streammem.app.api import search as search
    from streammem.app.evaluation.evaluate import evaluate as evaluate
    from streammem.errors import StreamMemError as StreamMemError
    from streammem.memory import Memory as Memory
    from streammem.settings import Settings as Settings
    from streammem.settings import load_settings as load_settings
    from streammem.types import Answer as Answer
    from streammem.types import Event as Event
    from streammem.types import Evidence as Evidence
    from streammem.types import Hit as Hit
    from streammem.types import KeyFrame as KeyFrame
    from streammem.types import Level as Level
    from streammem.types import Observation as Observation
    from streammem.types import Query as Query
    from streammem.types import Recording as Recording

__version__ = "0.1.0"

_HOME = {
    "Answer": "streammem.types",
    "Event": "streammem.types",
    "Evidence": "streammem.types",
    "Hit": "streammem.types",
    "Ingested": "streammem.app.api",
    "KeyFrame": "streammem.types",
    "Level": "streammem.types",
    "Memory": "streammem.memory",
    "Observation": "streammem.types",
    "Query": "streammem.types",
    "Recording": "streammem.types",
    "Settings": "streammem.settings",
    "StreamMemError": "streammem.errors",
    "ask": "streammem.app.api",
    "evaluate": "streammem.app.evaluation.evaluate",
    "forget": "streammem.app.api",
    "ingest": "streammem.app.api",
    "load_settings": "streammem.settings",
    "open_memory": "streammem.app.api",
    "search": "streammem.app.api",
}
"""Public name -> the module it is loaded from."""

__all__ = [  # noqa: RUF022 - the verbs first
    "ingest",
    "ask",
    "search",
    "forget",
    "evaluate",
    "open_memory",
    "load_settings",
    "Memory",
    "Settings",
    "Ingested",
    "Answer",
    "Evidence",
    "Event",
    "Hit",
    "KeyFrame",
    "Level",
    "Observation",
    "Query",
    "Recording",
    "StreamMemError",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        value: object = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'streammem' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
