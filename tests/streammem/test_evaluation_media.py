"""Questions about videos: a memory for each, needles made and found, QVHighlights scored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from streammem import evaluate
from streammem.app.evaluation.synth import synthesise
from streammem.errors import InputError
from tests.conftest import Ran
from tests.media import Scene, make_clip, moving_square, silence, sine, solid, texture

SRT = "1\n00:00:02,000 --> 00:00:04,000\nThe bakery opens at seven.\n"


def test_every_video_has_a_memory_of_its_own(tmp_path: Path, light_config: Path) -> None:
    (tmp_path / "data").mkdir()
    for name, line in (("one", "The parcel is under the stairs."), ("two", "The parcel is behind the church.")):
        make_clip(tmp_path / "data" / f"{name}.mp4", [Scene(6.0, solid(90, 90, 90))], frames_per_s=5)
        (tmp_path / "data" / f"{name}.srt").write_text(f"1\n00:00:01,000 --> 00:00:03,000\n{line}\n")
    options = {"A": "under the stairs", "B": "behind the church", "C": "in the well", "D": "on the roof"}
    rows = [
        {"question_text": "Where is the parcel?", "options": options, "video_id": name, "category": "audio"}
        | {"correct_answer": answer}
        for name, answer in (("one", "A"), ("two", "B"))
    ]
    (tmp_path / "data/questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = evaluate("hippovlog", tmp_path / "data", memory=tmp_path / "memories", config=light_config)
    assert done.summary["accuracy"] == 100.0  # in one memory for both, one of them would be wrong
    assert sorted(path.name for path in (tmp_path / "memories").iterdir()) == ["one", "two"]
    with pytest.raises(InputError, match="is a memory"):
        evaluate("hippovlog", tmp_path / "data", memory=tmp_path / "memories/one", config=light_config)


def test_needles_lie_where_the_questions_say(tmp_path: Path, command: Callable[..., Ran]) -> None:
    """The background is dark and still, the needles bright patchworks: the made video tells them apart by itself."""
    background = make_clip(tmp_path / "background.mp4", [Scene(24.0, solid(10, 10, 10))], frames_per_s=10)
    needle = make_clip(
        tmp_path / "needle.mp4",
        [Scene(11.0, texture(1)), Scene(11.0, texture(2))],
        frames_per_s=10,
        sound=sine(440),
    )
    needle.with_suffix(".srt").write_text(SRT)
    words = ["eval", "synth", background, "--needle", needle, "--hours", "0.025", "--needles", "1", "--seed", "3"]
    ran = command(*words, "--out", tmp_path / "test", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["background_repeated"] == pytest.approx(80 / 24, abs=0.01)
    questions = [json.loads(line) for line in (tmp_path / "test/questions.jsonl").read_text().splitlines()]
    (start_s, end_s) = questions[0]["evidence"][0]
    assert end_s - start_s == 10
    heard = questions[1]
    assert heard["question"] == "When does someone say: The bakery opens at seven."
    assert heard["evidence"] == [[start_s + 1.0, start_s + 3.0]]
    bright, length_s = _bright_seconds(tmp_path / "test/haystack.mp4")
    assert bright == list(range(start_s, end_s))
    assert length_s == pytest.approx(90, abs=0.5)
    record = json.loads((tmp_path / "test/provenance.json").read_text())
    assert record["needles"][0]["at_s"] == start_s
    assert len(record["background"][0]["sha256"]) == 64
    again = synthesise([background], out=tmp_path / "again", hours=0.025, needles=1, seed=3, needle_videos=[needle])
    assert (again.folder / "questions.jsonl").read_text() == (tmp_path / "test/questions.jsonl").read_text()
    refused = command(*words, "--out", tmp_path / "test")
    assert refused.code == 2
    assert "not an empty folder" in refused.err


def _bright_seconds(path: Path) -> tuple[list[int], float]:
    """Seconds in whose middle the picture is bright, and the length; every packet's time must grow."""
    import av

    with av.open(str(path)) as container:
        bright = {
            int(frame.time or 0): frame.to_ndarray(format="gray").mean() > 40
            for frame in container.decode(video=0)
            if abs((frame.time or 0) % 1 - 0.52) < 0.021
        }
        length_s = (container.duration or 0) / 1e6
    with av.open(str(path)) as container:
        last: dict[int, int] = {}
        for packet in container.demux():
            if packet.dts is not None:
                assert packet.dts > last.get(packet.stream.index, -(10**9))
                last[packet.stream.index] = packet.dts
    return [second for second, is_bright in sorted(bright.items()) if is_bright], length_s


@pytest.mark.parametrize(
    ("hours", "needles", "expected"),
    [(0.0, 1, "0 hours"), (0.01, 0, "0 needles"), (0.005, 5, "do not fit"), (0.1, 20, "were asked for")],
)
def test_tests_that_cannot_be_made_are_refused(tmp_path: Path, hours: float, needles: int, expected: str) -> None:
    video = make_clip(tmp_path / "a.mp4", [Scene(4.0, moving_square())], frames_per_s=5, sound=silence())
    with pytest.raises(InputError, match=expected):
        synthesise([video], out=tmp_path / "out", hours=hours, needles=needles)


def test_moments_are_scored_by_overlap(tmp_path: Path, light_config: Path) -> None:
    make_clip(tmp_path / "v_0.0_60.0.mp4", [Scene(20.0, solid(10, 10, 10))], frames_per_s=5)
    (tmp_path / "v_0.0_60.0.srt").write_text(
        "1\n00:00:02,000 --> 00:00:08,000\nA family plays basketball.\n\n"
        "2\n00:00:12,000 --> 00:00:18,000\nThe rain falls on the tents.\n"
    )
    row = {"qid": 1, "query": "A family is playing basketball", "duration": 20, "vid": "v_0.0_60.0"}
    (tmp_path / "highlight_val_release.jsonl").write_text(json.dumps(row | {"relevant_windows": [[2, 8]]}))
    done = evaluate("qvhighlights", tmp_path, memory=tmp_path / "memory", config=light_config)
    assert done.summary["moment_retrieval"]["r1@0.5"] == 100.0
    assert done.summary["accuracy"] is None
    assert done.summary["model_calls"] == 0
