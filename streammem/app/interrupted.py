"""Live recordings whose ingest was killed: what was seen is kept and closed, and said to be interrupted.

A file is gone on with from its checkpoint; a stream cannot be. So the next writer gives the events that were committed
the coarser levels they lack, and the recording the status `interrupted` with a gap at its end. Costs nothing where
there is none, else an embedding per event.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from streammem.episodic.levels import LevelBuilder
from streammem.memory import Memory
from streammem.settings import SegmentationSettings
from streammem.types import Gap, Recording

logger = logging.getLogger(__name__)

_LIVE = "live-"
"""How the fingerprint of a stream begins."""


def close_interrupted(memory: Memory, settings: SegmentationSettings) -> list[str]:
    """Closes the live recordings that an earlier writer left open; returns their names.

    Args:
        memory: open for writing: its lock says that no ingest is running.
        settings: limits of the levels.
    """
    left = [one for one in memory.recordings() if one.status == "ingesting" and one.fingerprint.startswith(_LIVE)]
    for recording in left:
        _close(memory, recording, settings)
    if left:
        memory.flush()
    return [one.recording for one in left]


def _close(memory: Memory, recording: Recording, settings: SegmentationSettings) -> None:
    events = memory.events(recordings=[recording.recording])
    texts = [event.text for event in events]
    vectors = memory.encoder.encode_text(texts) if memory.encoder is not None and texts else None
    levels = LevelBuilder(recording.recording, settings)
    for index, event in enumerate(events):
        has_vector = vectors is not None and bool(event.text)
        _, coarser = levels.add(replace(event, vector=vectors[index] if vectors is not None and has_vector else None))
        memory.write_segments(coarser)
    memory.write_segments(levels.finish())
    end_ns = max((event.t_end_ns for event in events), default=recording.t_start_ns)
    gap = Gap(t_start_ns=end_ns, t_end_ns=end_ns, reason="the ingest was killed; the rest was not seen")
    memory.put_recording(
        replace(recording, status="interrupted", t_end_ns=end_ns, gaps=(*recording.gaps, gap), checkpoint=None)
    )
    logger.info("%r was interrupted: its ingest was killed", recording.recording)
