"""The error tree. Every error a user can cause is one of these, and its text is one sentence that says what to do.

StreamMemError                    the command line prints it and exits with 2
├── InputError                    what the user gave cannot be used (a time, a question, an option, an image)
├── ConfigError                   a configuration cannot be read or names something unknown
├── MissingDependencyError        an optional package is not installed; the text holds the install line
├── ModelError                    weights are missing, were changed, or do not fit
├── SourceError                   a recording or stream cannot be opened or read
│   └── SourceBrokenError         it broke in the middle; what came before is kept
├── MemoryStoreError              the memory folder cannot be used
│   ├── MemoryNotFoundError       there is no memory in that folder
│   ├── MemoryLockedError         another process is writing to it
│   ├── MemoryVersionError        a newer StreamMem wrote it
│   └── MemoryFullError           the disk is full or not writable; nothing committed is lost
└── ReasonerError                 the planner could not answer
    └── ChatEndpointError         the chat endpoint is down, refused, or answered nonsense
"""

from __future__ import annotations


class StreamMemError(Exception):
    """Base of every error that StreamMem raises on purpose."""


class InputError(StreamMemError, ValueError):
    """What the user gave (time, question, option, image) cannot be used."""


class ConfigError(StreamMemError, ValueError):
    """A configuration cannot be read, or names something unknown."""


class MissingDependencyError(StreamMemError, ImportError):
    """An optional package is not installed."""


class ModelError(StreamMemError):
    """Model weights are missing, were changed, or do not fit their role."""


class SourceError(StreamMemError):
    """A recording or stream cannot be opened or read."""


class SourceBrokenError(SourceError):
    """A source broke in the middle; what came before it is kept."""


class MemoryStoreError(StreamMemError):
    """The memory folder cannot be used."""


class MemoryNotFoundError(MemoryStoreError):
    """There is no memory in the folder."""


class MemoryLockedError(MemoryStoreError):
    """Another process is writing to the memory."""


class MemoryVersionError(MemoryStoreError):
    """The memory was written by a newer StreamMem."""


class MemoryFullError(MemoryStoreError):
    """The disk is full or not writable; nothing committed is lost."""


class ReasonerError(StreamMemError):
    """The planner could not answer."""


class ChatEndpointError(ReasonerError):
    """The chat endpoint is down, refused the request, or answered something unusable."""
