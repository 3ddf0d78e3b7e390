"""The command line on memories made by hand: JSON shapes, tables, times, exit codes, and one sentence for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from streammem.memory import Memory
from streammem.timeline import parse_iso
from streammem.types import (
    Event,
    EventBundle,
    Gap,
    KeyFrame,
    Level,
    Observation,
    Recording,
    event_id_for,
    stable_id,
)
from tests.conftest import Ran

Command = Callable[..., Ran]

S = 1_000_000_000
MONDAY_NS = parse_iso("2026-11-16T09:00:00")
LINES = (  # recording start, recording, from s, to s, who, what is said
    (0, "walk", 2.0, 4.0, None, "The ferry leaves at 5 < 6 & not a minute later."),
    (0, "walk", 12.0, 15.5, "Ann", "My umbrella is blue."),
    (MONDAY_NS, "office", 1.0, 3.0, None, "The printer is out of paper again."),
)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings, one with a wall clock; three spoken lines, one event of 10 s each; one picture; one gap."""
    folder = tmp_path_factory.mktemp("by hand") / "memory"
    with Memory.open(folder, write=True, create=True) as memory:
        for name, start, end_s in (("walk", 0, 20), ("office", MONDAY_NS, 10)):
            memory.put_recording(
                Recording(
                    recording=name,
                    uri=f"/media/{name}.mp4",
                    fingerprint=name,
                    t_start_ns=start,
                    t_end_ns=start + end_s * S,
                    status="complete",
                    has_video=True,
                    has_audio=True,
                    gaps=(Gap(t_start_ns=5 * S, t_end_ns=6 * S, reason="damaged"),) if name == "walk" else (),
                    models={"speech": "whisper-tiny", "config": "0123"},
                )
            )
        for start, name, from_s, to_s, speaker, text in LINES:
            began = start + int(from_s // 10) * 10 * S
            event_id = event_id_for(name, Level.EVENT, began)
            event = Event(
                event_id=event_id,
                recording=name,
                level=Level.EVENT,
                t_start_ns=began,
                t_end_ns=began + 10 * S,
                strength=0.5,
                parent_id=None,
                text=f"Someone says: {text}",
                kinds=("speech",),
            )
            line = Observation(
                observation_id=stable_id(text),
                event_id=event_id,
                recording=name,
                kind="speech",
                t_start_ns=start + int(from_s * S),
                t_end_ns=start + int(to_s * S),
                text=text,
                speaker=speaker,
            )
            picture = KeyFrame(
                keyframe_id=stable_id("picture", event_id),
                event_id=event_id,
                recording=name,
                t_ns=began,
                thumbnail_jpeg=b"\xff\xd8not a real picture\xff\xd9",
            )
            memory.write(EventBundle(event=event, observations=(line,), keyframes=(picture,)))
    return folder


def is_one_sentence(text: str) -> bool:
    return text.startswith("streammem: ") and text.count("\n") == 1 and text.endswith(".\n") and "Traceback" not in text


# --- what is printed --------------------------------------------------------------------------------------------------


def test_timeline_as_json(memory: Path, command: Command) -> None:
    ran = command("timeline", "--memory", memory, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert [set(event) for event in ran.json] == [
        {"event_id", "recording", "level", "t_start_s", "t_end_s", "text", "kinds", "parent_id", "strength"}
    ] * 3
    spans = [(event["recording"], event["t_start_s"], event["t_end_s"]) for event in ran.json]
    assert spans == [("office", 0.0, 10.0), ("walk", 0.0, 10.0), ("walk", 10.0, 20.0)]
    assert command("timeline", "--memory", memory, "--level", "day", "--json").json == []


def test_timeline_times_count_from_the_recording(memory: Path, command: Command) -> None:
    def spans(*options: str) -> list[tuple[str, float]]:
        ran = command("timeline", "--memory", memory, "--json", *options)
        return [(event["recording"], event["t_start_s"]) for event in ran.json]

    assert spans("--recording", "office", "--after", "0:00:05") == [("office", 0.0)]
    assert spans("--recording", "office", "--after", "10") == []
    assert spans("--recording", "walk", "--before", "9.5") == [("walk", 0.0)]
    assert spans("--after", "2026-11-16T09:00:00") == [("office", 0.0)]


def test_timeline_as_a_table(memory: Path, command: Command) -> None:
    out = command("timeline", "--memory", memory).out
    assert "office, from 2026-11-16T09:00:00" in out
    assert "0:00:10\N{EN DASH}0:00:20" in out
    assert "My umbrella is blue." in out


def test_facts_say_who_said_so(tmp_path: Path, command: Command) -> None:
    lines = [
        {"start": 1, "end": 3, "kind": "speech", "speaker": "Anna", "text": "I live in Paris."},
        {"start": 61, "end": 63, "kind": "speech", "speaker": "Bob", "text": "Anna lives in Rome."},
        {"start": 121, "end": 123, "kind": "speech", "speaker": "Anna", "text": "I moved to Bern."},
    ]
    track = tmp_path / "talk.jsonl"
    track.write_text("\n".join(map(json.dumps, lines)))
    memory = tmp_path / "memory"
    assert command("ingest", track, "--memory", memory).code == 0
    ran = command("facts", "anna", "--predicate", "lives in", "--memory", memory, "--json")
    assert set(ran.json[0]) == {
        "fact_id", "recording", "subject", "predicate", "object", "t_from_s", "t_to_s", "confidence", "count",
        "said_by", "event_ids",
    }  # fmt: skip
    assert [(one["object"], one["t_from_s"], one["t_to_s"], one["said_by"]) for one in ran.json] == [
        ("Paris", 1.0, 121.0, ["Anna"]), ("Rome", 61.0, 121.0, ["Bob"]), ("Bern", 121.0, None, ["Anna"]),
    ]  # fmt: skip
    then = command("facts", "Anna", "--predicate", "lives in", "--as-of", "0:01:40", "--memory", memory, "--json").json
    assert [one["object"] for one in then] == ["Paris", "Rome"]
    out = command("facts", "--memory", memory).out
    assert "Anna lives in Rome" in out
    assert "Bob" in out
    assert command("facts", "Carla", "--memory", memory).out == "No facts there.\n"


def test_search_shape_and_filters(memory: Path, command: Command) -> None:
    ran = command("search", "umbrella", "--memory", memory, "--json")
    assert (ran.code, ran.err) == (0, "")
    first = ran.json[0]
    assert set(first) == {"recording", "t_start_s", "t_end_s", "score", "modality", "text", "event_id"}
    assert (first["recording"], first["t_start_s"], first["t_end_s"]) == ("walk", 12.0, 15.5)
    assert first["text"] == "My umbrella is blue."
    assert 0 <= first["score"] <= 1
    assert command("search", "umbrella", "--memory", memory, "--recording", "office", "--json").json != ran.json
    assert len(command("search", "umbrella", "--memory", memory, "--k", "1", "--json").json) == 1
    late = command("search", "printer", "--memory", memory, "--after", "2026-11-16T09:00:01", "--json").json
    assert late[0]["recording"] == "office"
    assert late[0]["t_start_s"] == 1.0
    assert "umbrella is blue" in command("search", "umbrella", "--memory", memory).out


def test_info(memory: Path, command: Command) -> None:
    ran = command("info", "--memory", memory, "--json")
    by_name = {one["recording"]: one for one in ran.json["recordings"]}
    assert by_name["walk"]["start"] is None
    assert by_name["office"]["start"] == "2026-11-16T09:00:00.000+00:00"
    assert by_name["walk"]["gaps"] == [{"t_start_s": 5.0, "t_end_s": 6.0, "reason": "damaged"}]
    assert by_name["walk"]["models"] == {"speech": "whisper-tiny"}
    assert ran.json["rows"]["observations"] == 3
    assert ran.json["bytes"] > 1000
    out = command("info", "--memory", memory).out
    assert "2 recordings" in out
    assert "gap in walk, 0:00:05\N{EN DASH}0:00:06: damaged" in out


def test_compact_keeps_everything(memory: Path, command: Command) -> None:
    before = command("timeline", "--memory", memory, "--json").json
    ran = command("compact", "--memory", memory, "--json")
    assert ran.code == 0
    assert ran.json["bytes_after"] > 0
    assert command("timeline", "--memory", memory, "--json").json == before


def test_export_srt(memory: Path, command: Command) -> None:
    assert command("export", "--memory", memory, "--recording", "walk").out == (
        "1\n00:00:02,000 --> 00:00:04,000\nThe ferry leaves at 5 < 6 & not a minute later.\n"
        "\n2\n00:00:12,000 --> 00:00:15,500\nAnn: My umbrella is blue.\n"
    )


def test_export_webvtt_escapes_what_would_be_markup(memory: Path, command: Command) -> None:
    out = command("export", "--memory", memory, "--recording", "walk", "--format", "vtt").out
    assert out.startswith("WEBVTT\n\n1\n00:00:02.000 --> 00:00:04.000\n")
    assert "at 5 &lt; 6 &amp; not" in out
    assert "<v Ann>My umbrella is blue." in out


def test_export_events_of_all_recordings_as_json_lines(memory: Path, command: Command) -> None:
    lines = command("export", "--memory", memory, "--what", "events", "--format", "jsonl").out.splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["recording"] for record in records] == ["office", "walk", "walk"]
    assert records[0] == {
        "start": 0.0,
        "end": 10.0,
        "kind": "caption",
        "text": "Someone says: The printer is out of paper again.",
        "recording": "office",
    }


@pytest.mark.parametrize("file_format", ["srt", "vtt", "jsonl"])
def test_exported_speech_reads_back_as_a_caption_track(
    memory: Path, command: Command, tmp_path: Path, file_format: str
) -> None:
    from perception.protocols import TrackLine
    from perception.sources import open_source
    from streammem.settings import SourceSettings

    path = tmp_path / f"walk.{file_format}"
    ran = command("export", "--memory", memory, "--recording", "walk", "--format", file_format, "--output", path)
    assert (ran.code, ran.out) == (0, "")
    assert "2 lines" in ran.err
    source = open_source(path, settings=SourceSettings())
    read = [item for item in source.stream() if isinstance(item, TrackLine)]
    source.close()
    expected = [(from_s, to_s, who, text) for _, name, from_s, to_s, who, text in LINES if name == "walk"]
    assert [(one.t_start_ns / S, one.t_end_ns / S, one.speaker, one.text) for one in read] == expected


def test_ask_shape_and_frames(memory: Path, command: Command, tmp_path: Path) -> None:
    ran = command("ask", "What colour is the umbrella?", "--memory", memory, "--json")
    assert (ran.code, ran.err) == (0, "")
    answer = ran.json
    assert set(answer) == {"text", "choice", "answerable", "confidence", "evidence", "spent", "stopped"}
    assert set(answer["spent"]) == {"model_calls", "tokens", "looked_again_s", "seconds"}
    assert answer["answerable"] is True
    assert answer["choice"] is None
    evidence = answer["evidence"][0]
    assert set(evidence) == {
        "recording",
        "t_start_s",
        "t_end_s",
        "event_ids",
        "text",
        "modality",
        "score",
        "frame",
    }
    assert (evidence["recording"], evidence["t_start_s"], evidence["t_end_s"]) == ("walk", 12.0, 15.5)
    assert "blue" in evidence["text"]
    pictures = tmp_path / "pictures"
    ran = command("ask", "What colour is the umbrella?", "--memory", memory, "--json", "--frames", pictures)
    paths = [item["frame"] for item in ran.json["evidence"] if item["frame"]]
    assert paths
    assert all(Path(path).parent == pictures and Path(path).read_bytes()[:2] == b"\xff\xd8" for path in paths)


def test_ask_chooses(memory: Path, command: Command) -> None:
    options = [word for choice in ("red", "blue", "green") for word in ("--choice", choice)]
    ran = command("ask", "What colour is the umbrella?", "--memory", memory, "--json", *options)
    assert ran.json["choice"] == 1
    human = command("ask", "What colour is the umbrella?", "--memory", memory, *options)
    assert "choice 1: blue" in human.out
    assert "0:00:12" in human.out
    assert "confidence" in human.out


def test_as_of_hides_what_came_later(memory: Path, command: Command) -> None:
    ran = command("ask", "What colour is the umbrella?", "--memory", memory, "--as-of", "11", "--json")
    assert ran.code == 0
    assert not any("umbrella" in item["text"] for item in ran.json["evidence"])
    assert all(item["t_end_s"] <= 11 for item in ran.json["evidence"])


def test_version_and_help(command: Command) -> None:
    from streammem import __version__

    assert command("--version").out == f"streammem {__version__}\n"
    for words in ([], ["--help"], ["ingest", "--help"]):
        assert "Usage: streammem" in command(*words).out


# --- bad input: one sentence, exit code 2, nothing on stdout ----------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["remember"], "'remember'"),
        (["ask", "--memory", "m"], "QUESTION"),
        (["ask", "what?"], "--memory"),
        (["ask", "what?", "--memory", "m", "--reasoner", "oracle"], "oracle"),
        (["search", "x", "--memory", "m", "--k", "0"], "--k"),
        (["timeline", "--memory", "m", "--level", "year"], "year"),
        (["info", "--memory", "m", "--loud"], "--loud"),
        (["export", "--memory", "m", "--format", "pdf"], "pdf"),
    ],
)
def test_wrong_command_lines(command: Command, words: list[str], says: str) -> None:
    ran = command(*words)
    assert (ran.code, ran.out) == (2, "")
    assert is_one_sentence(ran.err), ran.err
    assert says in ran.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ask", " "], "question is empty"),
        (["ask", "what?", "--choice", ""], "choice is empty"),
        (["ask", "what?", "--as-of", "yesterday-ish"], "'yesterday-ish' is not a time"),
        (["ask", "what?", "--as-of", "0:75:00"], "'0:75:00' is not a time"),
        (["ask", "what?", "--as-of", "0"], "Nothing was in memory yet at 0:00:00"),
        (["ask", "what?", "--as-of", "1969-07-20"], "first recording starts at 0:00:00"),
        (["ask", "what?", "--as-of", "-5"], "Nothing was in memory yet"),
        (["ask", "what?", "--config", "nosuch"], "no config named 'nosuch'"),
        (["ask", "what?", "--reasoner", "chat"], "STREAMMEM_CHAT_URL"),
        (["search"], "what to search for"),
        (["search", ""], "what to search for"),
        (["search", "x", "--after", "1:99"], "'1:99' is not a time"),
        (["search", "x", "--recording", "beach"], "'beach'"),
        (["search", "--image", "nowhere.jpg"], "'nowhere.jpg'"),
        (["search", "--image", __file__], "not a picture"),
        (["facts", "--as-of", "soon"], "'soon' is not a time"),
        (["timeline", "--before", "soon"], "'soon' is not a time"),
        (["timeline", "--recording", "beach"], "it holds 'office', 'walk'"),
        (["export"], "choose it with --recording"),
        (["export", "--recording", "walk", "--output", "/nowhere/x.srt"], "Cannot write '/nowhere/x.srt'"),
    ],
)
def test_bad_values(memory: Path, command: Command, words: list[str], says: str) -> None:
    ran = command(*words, "--memory", memory)
    assert (ran.code, ran.out) == (2, "")
    assert is_one_sentence(ran.err), ran.err
    assert says in ran.err


EVERY_READER = [
    ["ask", "what?"],
    ["search", "x"],
    ["facts"],
    ["timeline"],
    ["info"],
    ["compact"],
    ["export"],
]


@pytest.mark.parametrize("words", EVERY_READER, ids=lambda words: words[0])
def test_no_memory_there(command: Command, tmp_path: Path, words: list[str]) -> None:
    ran = command(*words, "--memory", tmp_path / "nothing")
    assert (ran.code, ran.out) == (2, "")
    assert is_one_sentence(ran.err), ran.err
    assert "nothing" in ran.err
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("words", EVERY_READER, ids=lambda words: words[0])
def test_empty_memory(command: Command, tmp_path: Path, words: list[str]) -> None:
    Memory.open(tmp_path / "empty", write=True, create=True).close()
    ran = command(*words, "--memory", tmp_path / "empty")
    if words[0] in {"info", "compact"}:
        assert (ran.code, ran.err) == (0, "")
    else:
        assert (ran.code, ran.out) == (2, "")
        assert is_one_sentence(ran.err), ran.err
        assert "memory is empty" in ran.err


@pytest.mark.parametrize("words", EVERY_READER, ids=lambda words: words[0])
def test_memory_of_a_newer_version(command: Command, tmp_path: Path, words: list[str]) -> None:
    Memory.open(tmp_path / "new", write=True, create=True).close()
    manifest = tmp_path / "new/manifest.json"
    content = json.loads(manifest.read_text())
    content["schema_version"] += 1
    manifest.write_text(json.dumps(content))
    ran = command(*words, "--memory", tmp_path / "new")
    assert (ran.code, ran.out) == (2, "")
    assert is_one_sentence(ran.err), ran.err
    assert "newer" in ran.err


def test_memory_in_use_by_another_process(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "busy"
    holder = (
        "import sys; from streammem.memory import Memory\n"
        f"with Memory.open({str(folder)!r}, write=True, create=True): print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        ran = command("compact", "--memory", folder)
        assert (ran.code, ran.out) == (2, "")
        assert is_one_sentence(ran.err), ran.err
        assert str(folder) in ran.err
    finally:
        other.communicate()
    assert command("compact", "--memory", folder).code == 0


def test_an_unexpected_error_is_one_sentence_unless_debugging(
    command: Command, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr("streammem.app.api.timeline", breaks)
    ran = command("timeline", "--memory", memory)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("\n") == 1
    assert "RuntimeError: first line (run again with --debug" in ran.err
    for words, variable in ((["--debug"], ""), ([], "1")):
        monkeypatch.setenv("STREAMMEM_DEBUG", variable)
        with pytest.raises(RuntimeError):
            command("timeline", "--memory", memory, *words)


def test_output_is_utf8_json_even_where_the_terminal_is_not(memory: Path) -> None:
    for encoding in ("utf-8", "ascii"):
        run = subprocess.run(
            [sys.executable, "-c", "from streammem.app.cli import main; main()", "info", "--memory", memory, "--json"],
            env={"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=True,
        )
        assert len(json.loads(run.stdout)["recordings"]) == 2
