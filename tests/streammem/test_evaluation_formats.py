"""Every reader on a small file in its published layout, and one clear sentence for the first bad record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streammem.app.evaluation.formats import FORMATS, read_dataset
from streammem.errors import InputError
from streammem.timeline import parse_iso
from tests.media import Scene, make_clip, solid

EGOMEM = {
    "videoID": "A1_JAKE_DAY1",
    "question_id": "0",
    "type": "Detail",
    "question": "What colour is the mug?",
    "options": ["A. red", "B. blue", "C. green", "D. white"],
    "answer": "B",
}
EGOLIFEQA = {
    "ID": "1",
    "query_time": {"date": "DAY1", "time": "11210217"},
    "type": "EntityLog",
    "need_audio": False,
    "need_name": True,
    "last_time": False,
    "trigger": "The table was filled with tools",
    "question": "Who used the screwdriver first?",
    "choice_a": "Tasha",
    "choice_b": "Alice",
    "choice_c": "Shure",
    "choice_d": "Lucia",
    "answer": "B",
    "target_time": {"date": "DAY1", "time": "11152408"},
    "keywords": "use screwdriver",
    "reason": "Saw Alice",
}
LOCOMO = {
    "sample_id": "conv-1",
    "conversation": {
        "speaker_a": "Ann",
        "speaker_b": "Bob",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [
            {"speaker": "Ann", "dia_id": "D1:1", "text": "I went sailing."},
            {
                "speaker": "Bob",
                "dia_id": "D1:2",
                "text": "Look!",
                "blip_caption": "a photo of a boat",
            },
        ],
        "session_2_date_time": "12:09 am on 13 September, 2023",
        "session_2": [{"speaker": "Ann", "dia_id": "D2:1", "text": "We sold the boat."}],
        "session_3_date_time": "1:00 pm on 1 October, 2023",
    },
    "qa": [
        {"question": "When did Ann sail?", "answer": 2023, "evidence": ["D1:1; D:02:01", "D9:9"], "category": 2},
        {"question": "When did Bob fly?", "adversarial_answer": "May", "evidence": ["D1:2"], "category": 5},
    ],
}
HIPPOVLOG = {
    "question_text": "What does she drink?",
    "options": {"A": "tea", "B": "coffee", "C": "milk", "D": "water"},
    "correct_answer": "C",
    "explanation": "…",
    "video_id": "HLDPA3FTUJ4",
    "category": "audio_visual",
}
M3BENCH = {
    "living_room_06": {
        "video_path": "data/videos/robot/living_room_06.mp4",
        "mem_path": "data/memory_graphs/robot/living_room_06.pkl",
        "qa_list": [
            {
                "question": "What are the drinks?",
                "answer": "Coffee.",
                "question_id": "living_room_06_Q01",
                "reasoning": "…",
                "timestamp": "16:10",
                "type": ["Cross-Modal Reasoning", "Person Understanding"],
                "before_clip": 31,
            }
        ],
    }
}
OVOBENCH = [
    {
        "id": 297,
        "task": "HLD",
        "video": "Ego4D/clips/93.mp4",
        "question": "what did I put in the bin?",
        "answer": "Unable to answer",
        "options": ["bottles", "Unable to answer", "newspapers", "food"],
        "gt": 1,
        "realtime": 371,
    },
    {
        "id": 1468,
        "task": "CRR",
        "video": "MovieNet/tt.mp4",
        "question": "What does she do to the car?",
        "answer": "She walks past it.",
        "ask_time": 297,
        "clue_time": 308,
        "test_info": [{"realtime": 297, "type": 0}, {"realtime": 310, "type": 1}],
    },
    {
        "id": 1516,
        "task": "SSR",
        "video": "COIN/x.mp4",
        "tutorial": "Hair",
        "all_steps": ["pull up", "put on"],
        "start_time": [25, 31],
        "end_time": [30, 49],
        "test_info": [{"realtime": 27, "step": "pull up", "type": 1}, {"realtime": 29, "step": "put on", "type": 0}],
    },
    {
        "id": 1558,
        "task": "REC",
        "video": "perception_test/v.mp4",
        "activity": "clap",
        "start_times": [6, 20],
        "end_times": [17, 30],
        "test_info": [{"realtime": 19, "count": 1}],
    },
]
OPENEQA = [
    {
        "question": "What is above the TV?",
        "answer": "Air conditioning unit",
        "category": "object recognition",
        "question_id": "f2e82760",
        "episode_history": "hm3d-v0/000-hm3d-BFRyYbPCCPE",
        "extra_answers": ["AC"],
    }
]
QVHIGHLIGHTS = {
    "qid": 8737,
    "query": "A family is playing basketball.",
    "duration": 126,
    "vid": "bP5KfdFJzC4_660.0_810.0",
    "relevant_windows": [[0, 16]],
    "relevant_clip_ids": [0, 1],
    "saliency_scores": [[4, 1, 1], [4, 1, 1]],
}
EGOLIFE = {
    "id": "1",
    "type": "EntityLog",
    "asked_at": 40862,
    "question": "Who?",
    "choices": ["Tasha", "Alice"],
    "answer": "B",
    "evidence": [[40524, 40524]],
}


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Writes a file below the folder of the benchmark."""

    def write(name: str, value: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    return write


Put = Callable[[str, Any], Path]


def test_egomem(put: Put, tmp_path: Path) -> None:
    event = EGOMEM | {"type": "Temporal Alignment", "question_id": "0"}
    put("EgoMem.json", [EGOMEM, event])
    video = put("videos/A1_JAKE_DAY1.mp4", "")
    dataset = read_dataset("egomem", tmp_path)
    detail, event_question = dataset.questions
    assert detail.choices == ("red", "blue", "green", "white")
    assert detail.answer == 1
    assert detail.types == ("Detail",)
    assert event_question.types == ("Event", "Temporal Alignment")
    assert dataset.worlds["A1_JAKE_DAY1"].sources[0].path == video


def test_egolifeqa(put: Put, tmp_path: Path) -> None:
    several = EGOLIFEQA | {"ID": "2", "target_time": {"date": "DAY1", "time": "11152408DAY2_09000000"}}
    listed = EGOLIFEQA | {"ID": "3", "target_time": {"date": "DAY2", "time_list": ["09000000", "10000000"]}}
    put("EgoLifeQA_A1_JAKE.json", [EGOLIFEQA, several, listed])
    put("A1_JAKE/DAY2/DAY2_A1_JAKE_11094208.mp4", "")
    dataset = read_dataset("egolifeqa", tmp_path)
    first, second, third = dataset.questions
    assert first.asked_at is not None
    assert first.asked_at.end_s == 40862  # 11:21:02, the same moment as in `egolife`
    assert [span.start_s for span in first.evidence] == [40524]
    assert [span.start_s for span in second.evidence] == [40524, 86400 + 32400]
    assert [span.start_s for span in third.evidence] == [86400 + 32400, 86400 + 36000]
    assert dataset.worlds["week"].sources[0].start_ns == (86400 + 11 * 3600 + 9 * 60 + 42) * 10**9
    assert dataset.is_one_world


def test_locomo(put: Put, tmp_path: Path) -> None:
    dataset = read_dataset("locomo", put("locomo10.json", [LOCOMO]))
    known, unknown = dataset.questions
    assert known.references == ("2023",)
    assert [span.name for span in known.evidence] == ["D1:1", "D2:1"]
    assert known.types == ("temporal",)
    assert not unknown.is_answerable
    assert "conv-1 D9:9" in dataset.notes[0]
    first, second = dataset.worlds["conv-1"].sources
    assert first.start_ns == parse_iso("2023-05-08T13:56:00")
    assert second.start_ns == parse_iso("2023-09-13T00:09:00")
    assert [line["speaker"] for line in first.lines] == ["Ann", "Bob"]
    assert "a photo of a boat" in first.lines[1]["text"]
    spans = [(turn.start_s, turn.end_s) for turn in dataset.worlds["conv-1"].turns[:2]]
    assert spans[0][1] < spans[1][0]


def test_locomo_one_file_per_conversation(put: Put, tmp_path: Path) -> None:
    put("26.json", LOCOMO["conversation"] | {"qa": LOCOMO["qa"]})
    put("30.json", LOCOMO["conversation"] | {"qa": LOCOMO["qa"]})
    dataset = read_dataset("locomo", tmp_path)
    assert set(dataset.worlds) == {"26", "30"}
    assert len({one.question_id for one in dataset.questions}) == 4
    assert set(read_dataset("locomo", tmp_path, limit=2).worlds) == {"26"}


def test_hippovlog(put: Put, tmp_path: Path) -> None:
    put("questions.jsonl", lines(HIPPOVLOG))
    video = put("videos/HLDPA3FTUJ4.webm", "")
    dataset = read_dataset("hippovlog", tmp_path)
    assert dataset.questions[0].answer == 2
    assert dataset.questions[0].types == ("audio_visual",)
    assert dataset.worlds["HLDPA3FTUJ4"].sources[0].path == video


def test_m3bench(put: Put, tmp_path: Path) -> None:
    put("data/annotations/robot.json", M3BENCH)
    video = put("data/videos/robot/living_room_06.mp4", "")
    dataset = read_dataset("m3bench", tmp_path)
    question = dataset.questions[0]
    assert question.references == ("Coffee.",)
    assert question.asked_at is not None
    assert question.asked_at.end_s == 970
    assert question.types == ("Cross-Modal Reasoning", "Person Understanding")
    assert dataset.worlds["living_room_06"].sources[0].path == video


def test_ovobench(put: Put, tmp_path: Path) -> None:
    put("ovo_bench_new.json", OVOBENCH)
    video = put("src_videos/Ego4D/clips/93.mp4", "")
    dataset = read_dataset("ovobench", tmp_path)
    by_id = {one.question_id: one for one in dataset.questions}
    assert list(by_id) == ["297", "1468/0", "1468/1", "1516/0", "1516/1", "1558/0"]
    assert (by_id["297"].is_answerable, by_id["297"].abstention) == (False, 1)
    too_early, in_time = by_id["1468/0"], by_id["1468/1"]
    assert (too_early.is_answerable, too_early.evidence) == (False, ())
    assert (in_time.only_whether, in_time.evidence[0].start_s) == (True, 308)
    assert (by_id["1516/0"].answer, by_id["1516/1"].answer) == (0, 1)
    assert by_id["1516/0"].evidence[0].end_s == 27  # what comes after the asking is no evidence
    assert by_id["1558/0"].text == "How many times did they clap?"
    assert [span.end_s for span in by_id["1558/0"].evidence] == [17]
    assert dataset.worlds["Ego4D/clips/93.mp4"].sources[0].path == video


def test_openeqa(put: Put, tmp_path: Path) -> None:
    put("open-eqa-v0.json", OPENEQA)
    video = put("videos/hm3d-v0/000-hm3d-BFRyYbPCCPE-0.mp4", "")
    dataset = read_dataset("openeqa", tmp_path)
    assert dataset.questions[0].references == ("Air conditioning unit", "AC")
    assert dataset.worlds["hm3d-v0/000-hm3d-BFRyYbPCCPE"].sources[0].path == video


def test_qvhighlights(put: Put, tmp_path: Path) -> None:
    test_split = {name: QVHIGHLIGHTS[name] for name in ("query", "duration", "vid")} | {"qid": 9}
    put("highlight_val_release.jsonl", lines(QVHIGHLIGHTS, test_split))
    video = put("videos/bP5KfdFJzC4_660.0_810.0.mp4", "")
    dataset = read_dataset("qvhighlights", tmp_path)
    assert dataset.unit == "windows"
    assert [(span.start_s, span.end_s) for span in dataset.questions[0].evidence] == [(0, 16)]
    assert not dataset.questions[1].evidence
    assert dataset.worlds["bP5KfdFJzC4_660.0_810.0"].sources[0].path == video


def test_jsonl(put: Put, tmp_path: Path) -> None:
    make_clip(tmp_path / "talk.mp4", [Scene(1.0, solid(9, 9, 9))])
    put("walk.srt", "1\n00:00:01,000 --> 00:00:02,000\nHello there.\n")
    own = {"question": "Where?", "recording": "talk", "asked_at": 1, "evidence": [[0, 1]], "answer": ["a", "b"]}
    across = {"question": "What?", "choices": ["x", "y"], "answer": "y", "type": ["p", "q"]}
    across |= {"evidence": [{"recording": "walk.srt", "start": 1, "end": 2}]}
    put("questions.jsonl", lines(own, across))
    put("questions-of-others.jsonl", lines(own))
    dataset = read_dataset("jsonl", tmp_path)
    assert [source.name for source in dataset.worlds["recordings"].sources] == ["talk", "walk"]
    assert dataset.questions[0].references == ("a", "b")
    assert dataset.questions[1].answer == 1
    assert dataset.questions[1].types == ("p", "q")
    assert dataset.questions[1].evidence[0].source == "walk"


NO_TIME = {"date": "DAY1", "time": "99000000"}
BAD: list[tuple[str, str, Any, tuple[str, ...]]] = [
    ("egolife", "questions_dev.jsonl", lines(EGOLIFE, EGOLIFE | {"id": "2", "answer": "E"}), ("line 2", "'answer'")),
    ("egolife", "questions_dev.jsonl", lines(EGOLIFE | {"evidence": [[9, 5]]}), ("line 1", "'evidence'")),
    ("egolife", "questions_dev.jsonl", lines(EGOLIFE, EGOLIFE), ("two questions", "'1'")),
    ("egolife", "questions_dev.jsonl", lines(EGOLIFE) + "{oops\n", ("line 2", "not JSON")),
    ("egomem", "EgoMem.json", [EGOMEM, EGOMEM | {"options": ["one"]}], ("record 2", "'options'")),
    (
        "egolifeqa",
        "EgoLifeQA.json",
        [EGOLIFEQA | {"query_time": NO_TIME}],
        ("query_time",),
    ),
    ("locomo", "locomo10.json", [LOCOMO | {"qa": [{"question": "?", "category": 7}]}], ("question 1", "'category'")),
    ("hippovlog", "questions.jsonl", lines(HIPPOVLOG | {"correct_answer": "E"}), ("line 1", "'correct_answer'")),
    ("m3bench", "robot.json", {"v": {"video_path": "v.mp4", "qa_list": [{}]}}, ("video 'v'", "'qa_list.0.question'")),
    ("ovobench", "ovo_bench_new.json", [OVOBENCH[0] | {"gt": 9}], ("record 1 (id 297)", "'gt'")),
    ("ovobench", "ovo_bench_new.json", [OVOBENCH[0] | {"task": "XYZ"}], ("record 1", "'task'")),
    ("openeqa", "open-eqa-v0.json", [{"question": "?"}], ("record 1", "'answer'")),
    ("qvhighlights", "highlight_val_release.jsonl", lines(QVHIGHLIGHTS | {"relevant_windows": [[5, 1]]}), ("line 1",)),
    ("jsonl", "questions.jsonl", lines({"question": "?", "anwser": "x"}), ("line 1", "'anwser'")),
]


@pytest.mark.parametrize(("name", "file", "content", "expected"), BAD)
def test_bad_records_are_named(
    put: Put, tmp_path: Path, name: str, file: str, content: Any, expected: tuple[str, ...]
) -> None:
    put(file, content)
    put("stream.jsonl", lines({"start": 0, "end": 1, "text": "hello"}))
    put("walk.srt", "1\n00:00:01,000 --> 00:00:02,000\nHello there.\n")
    with pytest.raises(InputError) as caught:
        read_dataset(name, tmp_path)
    message = str(caught.value)
    assert file in message or "two questions" in message
    assert "\n" not in message
    assert message.endswith(".")
    for part in expected:
        assert part in message


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_folder_says_what_is_missing(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no|give "):
        read_dataset(name, tmp_path)


def test_the_evaluation_data_reads(evaluation_data: Path) -> None:
    egolife = read_dataset("egolife", evaluation_data / "egolife")
    assert len(egolife.questions) == 167
    assert all(one.evidence for one in egolife.questions)
    locomo = read_dataset("locomo", evaluation_data / "locomo")
    assert len(locomo.questions) == 1986
    assert len(locomo.worlds) == 10
    assert sum(not one.is_answerable for one in locomo.questions) == 446
