"""Caption tracks: formats, speakers, malformed lines, order, starting anywhere, size."""

from __future__ import annotations

import gzip
import json
import logging
import os
import time
from pathlib import Path

import pytest

from perception.protocols import TrackLine
from perception.sources import open_source
from streammem.errors import SourceError
from streammem.settings import SourceSettings
from streammem.types import NS_PER_S

SETTINGS = SourceSettings()


def lines_of(path: Path, *, from_ns: int = 0) -> list[TrackLine]:
    with open_source(path, settings=SETTINGS) as source:
        assert source.info.has_captions
        assert not source.info.has_video
        assert not source.info.has_audio
        return [line for line in source.stream(from_ns=from_ns) if isinstance(line, TrackLine)]


def seconds(line: TrackLine) -> tuple[float, float]:
    return line.t_start_ns / NS_PER_S, line.t_end_ns / NS_PER_S


def test_subrip(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(
        "\ufeff1\r\n00:00:01,500 --> 00:00:02,000\r\n<i>Hello</i>\r\nthere\r\n\r\n"
        "2\r\n01:00:03,000 --> 01:00:04,250 X1:0\r\nJake: Look at this: a dog.\r\n".encode()
    )
    first, second = lines_of(path)
    assert (seconds(first), first.text, first.kind, first.speaker) == ((1.5, 2.0), "Hello there", "speech", None)
    assert (seconds(second), second.text, second.speaker) == ((3603.0, 3604.25), "Look at this: a dog.", "Jake")
    assert first.source == "a.srt"


def test_webvtt(tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    path.write_text(
        "WEBVTT - talk\n\nNOTE nothing\nof interest\n\nSTYLE\n::cue {}\n\n"
        "intro\n00:01.000 --> 00:02.500 align:start\n<v Mary Ann>Good <b>morning</b>\n\n"
        "00:00:03.000 --> 00:00:04.000\nat 12:30 sharp: lunch\n"
    )
    first, second = lines_of(path)
    assert (seconds(first), first.text, first.speaker) == ((1.0, 2.5), "Good morning", "Mary Ann")
    assert (second.text, second.speaker) == ("at 12:30 sharp: lunch", None)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_json_lines_in_order_from_anywhere(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        json.dumps({"start": 5, "end": 6.5, "kind": "caption", "text": "Note: a cup"}),
        "not json",
        json.dumps({"start": 3, "end": 4, "kind": "transcript", "text": "Jake: yes"}),
        json.dumps({"start": 9, "end": 8, "kind": "caption", "text": "backwards"}),
        json.dumps({"start": 9, "end": 10, "kind": "weather", "text": "rain"}),
        json.dumps({"start": 7, "text": "no end", "kind": "speech"}),
    ]
    data = "\n".join(rows).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    with caplog.at_level(logging.WARNING):
        lines = lines_of(path)
    assert [(seconds(line), line.kind, line.speaker, line.text) for line in lines] == [
        ((3, 4), "speech", "Jake", "yes"),
        ((5, 6.5), "caption", None, "Note: a cup"),
        ((7, 7), "speech", None, "no end"),
    ]
    assert len(caplog.records) == 1
    assert "3 malformed" in caplog.text
    assert "line 2" in caplog.text
    assert lines_of(path, from_ns=5 * NS_PER_S) == lines[1:]


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.srt", "nothing\nhere\n\nat all"), ("a.vtt", "WEBVTT\n\n"), ("a.jsonl", "[1]\n{}\n"), ("a.jsonl.gz", "raw")],
)
def test_nothing_usable(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SourceError, match=r"a\.(srt|vtt|jsonl)") as caught:
        open_source(path, settings=SETTINGS)
    assert "\n" not in str(caught.value)


def test_three_days_are_read_in_seconds() -> None:
    folder = Path(os.environ.get("STREAMMEM_EVAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    path = folder / "egolife" / "stream.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"the evaluation data folder has no egolife/{path.name}; set STREAMMEM_EVAL_DATA")
    started = time.process_time()
    lines = lines_of(path)
    print(f"{len(lines)} lines in {time.process_time() - started:.2f} s")
    assert len(lines) == 124_613
    starts = [line.t_start_ns for line in lines]
    assert starts == sorted(starts)
    assert {line.kind for line in lines} == {"speech", "caption"}
    assert sum(line.speaker is not None for line in lines) > 10_000
