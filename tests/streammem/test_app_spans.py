"""Searching returns lines where few are said, half minutes where everything is described."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streammem.app import api
from streammem.app.spans import DENSE_PER_MINUTE, PASSAGE_S, lines_per_minute
from streammem.memory import Memory
from streammem.types import NS_PER_S, Observation, stable_id
from tests.bundles import EVENT_NS, WordEncoder, bundle_of, recording_of, vector_of

EVENTS = 6


@pytest.mark.parametrize("per_event", [1, 8])
def test_lines_or_half_minutes(tmp_path: Path, per_event: int) -> None:
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=WordEncoder()) as memory:
        for number in range(EVENTS):
            bundle = bundle_of(number)
            lines = [
                Observation(
                    observation_id=stable_id(number, k), event_id=bundle.event.event_id, recording="walk",
                    kind="caption", t_start_ns=bundle.event.t_start_ns + k * NS_PER_S,
                    t_end_ns=bundle.event.t_start_ns + (k + 1) * NS_PER_S, text=f"a heron stands {k}",
                    vector=vector_of(f"a heron stands {k}"),
                )
                for k in range(per_event)
            ]  # fmt: skip
            memory.write(replace(bundle, observations=tuple(lines)))
        memory.put_recording(recording_of(EVENTS, status="complete"))
        memory.flush()
        is_dense = lines_per_minute(memory) >= DENSE_PER_MINUTE
        assert lines_per_minute(memory) == pytest.approx(per_event * 60 / (EVENT_NS / NS_PER_S))
        found = api.search("a heron stands", memory=memory, k=200)
        lines_only = api.search("a heron stands", memory=memory, k=200, spans="lines")
        passages = api.search("a heron stands", memory=memory, k=200, spans="passages")
    assert is_dense is (per_event == 8)
    assert found == (passages if is_dense else lines_only)
    assert {hit.t_end_ns - hit.t_start_ns for hit in passages} == {round(PASSAGE_S * NS_PER_S)}
    assert sum(hit.t_end_ns - hit.t_start_ns == NS_PER_S for hit in lines_only) == per_event * EVENTS
