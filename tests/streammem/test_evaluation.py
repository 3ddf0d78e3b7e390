"""Evaluation end to end on a small stream: figures, the cut at the asking, going on after a kill, nothing mixed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streammem import evaluate
from streammem.app.evaluation.baselines import spread
from streammem.app.evaluation.records import Asked, Header, RecordFile
from streammem.errors import InputError
from tests.conftest import Ran

Command = Callable[..., Ran]

THINGS = ("keys", "umbrella", "ladder", "teapot", "violin", "bicycle", "lantern", "compass", "anchor", "basket")
PLACES = ("mat", "table", "roof", "stairs", "piano", "garage", "window", "drawer", "boat", "cellar")
ISSUE_KEYS = {
    *("format", "questions", "accuracy", "accuracy_by_type", "evidence_recall", "evidence_recall_question_only"),
    *("mrr", "leakage", "abstention", "latency_ms", "model_calls", "tokens"),
}


def write_stream(folder: Path, *, repeats: int = 1) -> Path:
    """Ten things said a minute apart, each asked for right after; one thing is asked for before it is said."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        {"start": 60 * n + 5, "end": 60 * n + 8, "kind": "speech", "text": f"The {thing} is under the {PLACES[n]}."}
        for n, thing in enumerate(THINGS)
    ]
    (folder / "stream.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    questions: list[dict[str, Any]] = []
    for time_round in range(repeats):
        for n, thing in enumerate(THINGS):
            choices = [PLACES[(n + step) % len(PLACES)] for step in range(4)]
            questions.append(
                {
                    "id": f"{time_round}-{n}",
                    "type": "early" if n < 5 else "late",
                    "asked_at": 60 * n + 50,
                    "question": f"Where is the {thing}?",
                    "choices": [f"under the {place}" for place in choices],
                    "answer": "A",
                    "evidence": [[60 * n + 5, 60 * n + 5]],
                }
            )
    (folder / "questions_dev.jsonl").write_text("".join(json.dumps(one) + "\n" for one in questions))
    return folder


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stream(tmp_path_factory.mktemp("stream"))


@pytest.fixture(scope="module")
def memory(stream: Path, light_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stream, remembered by an evaluation that found no memory."""
    folder = tmp_path_factory.mktemp("memory") / "memory"
    evaluate("egolife", stream, memory=folder, config=light_config, reasoner="none", limit=1)
    return folder


def test_json_has_the_promised_keys_and_the_figures_are_right(
    command: Command, stream: Path, memory: Path, light_config: Path, tmp_path: Path
) -> None:
    ran = command(
        *("eval", "egolife", stream, "--memory", memory, "--config", light_config, "--report", tmp_path / "report"),
        *("--baseline", "text", "--baseline", "dense", "--baseline", "uniform", "--json"),
    )
    assert ran.code == 0, ran.err
    summary = ran.json
    assert set(summary) >= ISSUE_KEYS
    assert summary["questions"] == 10
    assert set(summary["evidence_recall"]) == {"1", "3", "5", "10", "50"}
    assert summary["leakage"] == 0
    # Every sentence is said once and holds the asked word: full text cannot miss it, nor can what stands on it.
    assert summary["evidence_recall"]["1"] == 100.0
    assert summary["accuracy"] == 100.0
    assert set(summary["accuracy_by_type"]) == {"early", "late"}
    assert summary["baselines"]["text"]["evidence_recall"]["1"] == 100.0
    # Halves first: the newest half minute is not the middle one, except where there are one or two.
    assert summary["baselines"]["uniform"]["evidence_recall"]["1"] < 50
    assert summary["baselines"]["uniform"]["evidence_recall"]["50"] == 100.0
    assert summary["minutes_read"]["1"] <= 0.5
    assert summary["latency_ms"]["p95"] >= summary["latency_ms"]["p50"] > 0


def test_nothing_later_than_the_asking_is_used(memory: Path, light_config: Path, tmp_path: Path) -> None:
    folder = write_stream(tmp_path / "asked-too-early")
    early = [json.loads(line) for line in (folder / "questions_dev.jsonl").read_text().splitlines()]
    for one in early:
        one["asked_at"] = 30  # before all but the first are said
    (folder / "questions_dev.jsonl").write_text("".join(json.dumps(one) + "\n" for one in early))
    done = evaluate(
        "egolife", folder, memory=memory, config=light_config, reasoner="none", baselines=("text", "dense", "uniform")
    )
    for summary in done.summaries.values():
        assert summary["leakage"] == 0
        assert summary["evidence_recall"]["50"] <= 10.0


def test_page_stands_alone_and_shows_what_failed_and_why(
    memory: Path, light_config: Path, stream: Path, tmp_path: Path
) -> None:
    questions = [json.loads(line) for line in (stream / "questions_dev.jsonl").read_text().splitlines()]
    questions[3]["answer"] = "C"  # now the right answer is wrong
    questions[4] |= {"question": "Where is the <b>zebra</b>?", "evidence": [[5, 5]], "answer": "C"}
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in questions))
    report = tmp_path / "report"
    done = evaluate("egolife", stream, memory=memory, questions=file, config=light_config, report=report)
    page = (report / "report.html").read_text()
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!data:|#|file:)', page)
    assert "&lt;b&gt;zebra" in page
    assert "<b>zebra" not in page
    assert 'id="q-0-3"' in page
    assert done.summary["outcomes"]["retrieved, wrong answer"] >= 1
    assert json.loads((report / "summary.json").read_text()) == json.loads(json.dumps(done.summary))


def test_killed_it_goes_on_where_it_stopped(memory: Path, light_config: Path, tmp_path: Path) -> None:
    folder = write_stream(tmp_path / "long", repeats=6)
    report = tmp_path / "report"
    words = ["eval", "egolife", folder, "--memory", memory, "--config", light_config, "--report", report]
    words += ["--reasoner", "none", "--baseline", "text"]
    program = "import sys; from streammem.app.cli import run; sys.exit(run(sys.argv[1:]))"
    process = subprocess.Popen([sys.executable, "-c", program, *map(str, words)], stderr=subprocess.DEVNULL)
    records = report / "memory.jsonl"
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if records.exists() and records.read_bytes().count(b"\n") > 10:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "it was done before it could be killed"
    kept = records.read_bytes()
    with records.open("ab") as file:
        file.write(b'{"question_id": "torn')
    seen: list[tuple[str, int, int]] = []
    done = evaluate(
        *("egolife", folder),
        memory=memory,
        config=light_config,
        report=report,
        reasoner="none",
        baselines=("text",),
        progress=lambda at: seen.append((at.system, at.done, at.reused)),
    )
    assert records.read_bytes().startswith(kept)
    assert done.summary["questions"] == 60
    reused = max(reused for system, _, reused in seen if system == "memory")
    assert 10 <= reused < 60
    lines = [json.loads(line)["question_id"] for line in records.read_text().splitlines()[1:]]
    assert len(lines) == len(set(lines)) == 60


def test_changed_settings_are_noticed_and_not_mixed(
    memory: Path, light_config: Path, stream: Path, tmp_path: Path
) -> None:
    notices: list[str] = []
    calls: list[int] = []

    def ask(reasoner: Any, questions: Path | None = None) -> None:
        evaluate(
            *("egolife", stream),
            memory=memory,
            questions=questions,
            config=light_config,
            reasoner=reasoner,
            report=tmp_path,
            limit=3,
            notice=notices.append,
            progress=lambda at: calls.append(at.reused),
        )

    ask("none")
    ask("none")
    assert calls == [0, 0, 0, 1, 2, 3]
    assert not notices
    changed = tmp_path / "changed.jsonl"
    changed.write_text(
        (stream / "questions_dev.jsonl").read_text().replace("Where is the umbrella", "Where's the umbrella")
    )
    ask("none", changed)
    assert calls[6:] == [1, 1, 2]  # the second question is another one now
    ask("extractive")
    assert calls[9:] == [0, 0, 0]
    assert "reasoner" in notices[0]
    assert len(list(tmp_path.glob("memory.*.jsonl"))) == 1


def test_bad_input_is_one_sentence(command: Command, stream: Path, tmp_path: Path, memory: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text((stream / "questions_dev.jsonl").read_text() + '{"id": "x", "type": "t", "asked_at": "noon"}\n')
    cases = {
        ("egolife", tmp_path / "nowhere"): "does not exist",
        ("egolife", stream, "--questions", broken): "line 11, field 'asked_at'",
        ("egolife", stream, "--limit", "0"): "limit of 0",
        ("egolife", stream, "--baseline", "magic"): "no baseline 'magic'",
        ("egolife", stream, "--baseline", "context"): "--reasoner chat",
    }
    for words, expected in cases.items():
        ran = command("eval", *words, "--memory", memory, "--report", tmp_path / "report")
        assert ran.code == 2, words
        assert expected in ran.err
        assert ran.err.count("\n") == 1


def test_only_one_evaluation_writes_to_a_folder(memory: Path, stream: Path, tmp_path: Path, light_config: Path) -> None:
    from streammem.store.lock import WriterLock

    lock = WriterLock(tmp_path)
    try:
        with pytest.raises(InputError, match="Another evaluation"):
            evaluate("egolife", stream, memory=memory, report=tmp_path, config=light_config, reasoner="none")
    finally:
        lock.release()


def test_records_that_failed_are_asked_again(tmp_path: Path) -> None:
    header = Header(format="egolife", system="memory", settings={})
    asked = {"question": "q", "memory": "m", "as_of_ns": None, "evidence": (), "recalled": ()}
    asked |= {"recalled_question_only": (), "recall_milliseconds": 1.0}
    with RecordFile(tmp_path / "memory.jsonl", header) as file:
        file.add(Asked(question_id="good", **asked))
        file.add(Asked(question_id="bad", error="KeyError: 'x'", **asked))
    with RecordFile(tmp_path / "memory.jsonl", header) as file:
        assert file.known("good", question="q", memory="m") is not None
        assert file.known("good", question="other", memory="m") is None
        assert file.known("good", question="q", memory="other") is None
        assert file.known("bad", question="q", memory="m") is None


@pytest.mark.parametrize("count", [0, 1, 2, 7, 50, 6223])
def test_uniform_takes_places_once_and_evenly(count: int) -> None:
    places = spread(count, 50)
    assert len(places) == len(set(places)) == min(count, 50)
    assert all(0 <= place < count for place in places)
    if count > 1000:
        assert abs(places[0] - count / 2) <= 1
        assert max(b - a for a, b in zip(sorted(places[:31]), sorted(places[:31])[1:], strict=False)) < count / 16
