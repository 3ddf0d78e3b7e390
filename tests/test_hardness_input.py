"""Whatever a user gives: one clear sentence, exit code 2, never a traceback, and nothing lost.

What `tests/streammem/test_cli.py` and `test_app_ingest.py` hold for the usual mistakes, this holds for hostile ones.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from streammem.memory import Memory
from tests.conftest import Ran
from tests.media import Scene, chirp, corrupt, make_clip, make_sound, sine, texture, truncate
from tests.processes import all_rows, assert_same_rows, is_one_sentence, streammem

Command = Callable[..., Ran]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 s, four shots, index in front."""
    path = tmp_path_factory.mktemp("clip") / "rooms.mp4"
    scenes = [Scene(3.0, texture(seed)) for seed in range(4)]
    return make_clip(
        path, scenes, sound=chirp(), size=(160, 90), key_every=25, container_options={"movflags": "faststart"}
    )


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory, clip: Path, light_config: Path) -> Path:
    """The clip, remembered."""
    folder = tmp_path_factory.mktemp("remembered") / "m"
    assert streammem("ingest", clip, "--memory", folder, "--config", light_config).code == 0
    return folder


def refused(ran: Ran, *says: str) -> None:
    assert ran.code == 2, ran
    assert is_one_sentence(ran.err), ran.err
    assert all(word in ran.err for word in says), ran.err


# --- recordings -------------------------------------------------------------------------------------------------------


def test_sound_of_no_length(command: Command, light_config: Path, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "nothing.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
    refused(command("ingest", tmp_path / "nothing.wav", "-m", tmp_path / "m", "-c", light_config), "nothing.wav")
    assert not (tmp_path / "m").exists()


def test_cut_in_the_middle_with_its_index_in_front(clip: Path, light_config: Path, tmp_path: Path) -> None:
    cut = truncate(Path(shutil.copy(clip, tmp_path / "cut.mp4")), keep=0.6)
    words = ("ingest", cut, "--memory", tmp_path / "m", "--config", light_config)
    first = streammem(*words)
    assert first.code == 2
    assert "cut: broken" in first.out
    assert "Traceback" not in first.err
    last = first.err.splitlines()[-1]
    assert "breaks off at 0:00:0" in last
    assert last.count("what came before is kept") == 1
    rows = all_rows(tmp_path / "m")
    with Memory.open(tmp_path / "m") as memory:
        (recording,) = memory.recordings()
        assert recording.status == "broken"
        assert recording.gaps[-1].t_end_ns == pytest.approx(12e9, abs=0.2e9)
        assert recording.gaps[-1].t_start_ns == pytest.approx(memory.events()[-1].t_end_ns, abs=1.1e9)
        assert len(memory.events()) >= 2
    assert streammem(*words).code == 2  # again: the same rows, none twice
    assert_same_rows(all_rows(tmp_path / "m"), rows)


def test_every_hole_of_a_damaged_file_is_recorded(
    command: Command, clip: Path, light_config: Path, tmp_path: Path
) -> None:
    """Sound and pictures break at about the same place: both holes are told, also where one lies inside the other."""
    damaged = corrupt(Path(shutil.copy(clip, tmp_path / "damaged.mp4")), start=0.45, end=0.55)
    ran = command("ingest", damaged, "-m", tmp_path / "m", "-c", light_config)
    assert ran.code == 0
    (recording,) = command("info", "-m", tmp_path / "m", "--json").json["recordings"]
    assert recording["status"] == "complete"
    assert {gap["reason"] for gap in recording["gaps"]} == {
        "the sound could not be decoded",
        "the pictures could not be decoded",
    }
    assert all(2 < gap["t_start_s"] < gap["t_end_s"] < 11 for gap in recording["gaps"])


def test_broken_caption_lines_are_counted_aloud(light_config: Path, tmp_path: Path) -> None:
    track = tmp_path / "talk.srt"
    track.write_text(
        "1\n00:00:01,000 --> 00:00:03,000\nThe keys are under the mat.\n\n"
        "2\nnonsense --> more\nlost\n\n3\n00:00:05,000 --> 00:00:07,000\nThe cat sleeps.\n"
    )
    ran = streammem("ingest", track, "--memory", tmp_path / "m", "--config", light_config)
    assert ran.code == 0
    assert is_one_sentence(ran.err), ran.err
    assert "talk.srt: 1 malformed lines were skipped; the first is line 6" in ran.err
    with Memory.open(tmp_path / "m") as memory:
        assert [one.text for one in memory.observations()] == ["The keys are under the mat.", "The cat sleeps."]


def _without_override() -> None:
    """Permissions count for root too, in this process."""
    if os.getuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def test_unreadable_entries_among_good_ones(command: Command, clip: Path, light_config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    for place in ("good", "closed"):
        (folder / place).mkdir(parents=True)
    shutil.copy(clip, folder / "good/a.mp4")
    make_sound(folder / "secret.wav", sine(440), duration_s=1.0).chmod(0)
    shutil.copy(clip, folder / "closed/b.mp4")
    (folder / "dangling.mp4").symlink_to("nowhere.mp4")
    (folder / "holiday.mp4").mkdir()
    os.mkfifo(folder / "pipe.mp4")
    make_sound(folder / "z.wav", sine(440), duration_s=1.0)
    (folder / "closed").chmod(0)
    try:
        ran = streammem(
            "ingest", folder, "--memory", tmp_path / "m", "-c", light_config, "--json", before=_without_override
        )
    finally:
        (folder / "closed").chmod(0o755)
    assert ran.code == 2
    assert [one["recording"] for one in ran.json["recordings"]] == ["a", "z"]
    failed = {Path(one["source"]).name: one["problem"] for one in ran.json["failed"]}
    assert set(failed) == {"secret.wav", "closed", "dangling.mp4", "pipe.mp4"}
    assert ran.err == "".join(f"streammem: {problem}\n" for problem in failed.values())
    assert all(name in problem for name, problem in failed.items())
    assert len(command("info", "-m", tmp_path / "m", "--json").json["recordings"]) == 2


def test_names_that_are_hard_to_quote(command: Command, light_config: Path, tmp_path: Path) -> None:
    name = "we\"ird 'näme'; DROP TABLE events --\n☃ [bold]%s{0}"
    film = make_clip(tmp_path / f"{name}.mp4", [Scene(2.0, texture(4))], size=(160, 90))
    for status in ("complete", "already in memory"):
        ran = command("ingest", film, "-m", tmp_path / "m", "-c", light_config, "--json")
        assert (ran.code, ran.err) == (0, "")
        assert [(one["recording"], one["status"]) for one in ran.json["recordings"]] == [(name, status)]
    assert len(command("timeline", "-m", tmp_path / "m", "-r", name, "--json").json) == 1
    assert command("search", name, "-m", tmp_path / "m", "-c", light_config, "-r", name).code == 0
    for words in (["timeline"], ["info"], ["export", "--what", "events"]):
        assert command(*words, "-m", tmp_path / "m").code == 0
    for question in (name, "?", "'", '"""', "\\", "(" * 500, "\n\t", "x" * 20_000, "AND OR NOT *", "🦜 où est-il ?"):
        ran = command("ask", question, "-m", tmp_path / "m", "-c", light_config, "--json")
        if ran.code == 0:
            assert ran.err == ""
            assert ran.json["answerable"] is False
        else:  # no word in it, or far too many
            refused(ran, "characters long" if len(question) > 10_000 else "question is empty")


def test_two_files_of_one_name_and_the_same_file_twice(command: Command, light_config: Path, tmp_path: Path) -> None:
    days: list[Path] = []
    for seed, day in enumerate(("monday", "tuesday", "other/tuesday")):
        (tmp_path / day).mkdir(parents=True)
        days.append(make_clip(tmp_path / day / "cam.mp4", [Scene(2.0, texture(seed))], size=(160, 90)))
    words = ("-m", tmp_path / "m", "-c", light_config, "--json")
    first = command("ingest", *days, days[0], *words).json["recordings"]
    names = [one["recording"] for one in first]
    assert names == ["cam", "tuesday/cam", "cam (2)", "cam"]
    assert [one["status"] for one in first] == ["complete"] * 3 + ["already in memory"]
    rows = all_rows(tmp_path / "m")
    again = command("ingest", *reversed(days), *words).json["recordings"]
    assert [one["status"] for one in again] == ["already in memory"] * 3
    assert [one["recording"] for one in again] == ["cam (2)", "tuesday/cam", "cam"]
    assert_same_rows(all_rows(tmp_path / "m"), rows)


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["search", "x", "--after", "2500-01-01"], "'2500-01-01' is out of range"),
        (["search", "x", "--before", "0001-01-01"], "'0001-01-01' is out of range"),
        (["timeline", "--after", "99999999999:00:00"], "out of range"),
        (["ask", "x", "--as-of", "1e400"], "finite"),
        (["ask", "x", "--as-of", "nan"], "finite"),
        (["ask", "x", "--as-of", ""], "'' is not a time"),
        (["search", "x", "--k", "-1"], "--k"),
        (["search", "x", "--k", "many"], "--k"),
        (["search", "--image", "."], "'.'"),
        (["search", "x", "--config", "."], "'.'"),
        (["timeline", "--recording", ""], "no recording ''"),
        (["export", "--output", "."], "'.'"),
    ],
)
def test_nonsense_values(memory: Path, command: Command, words: list[str], says: str) -> None:
    ran = command(*words, "--memory", memory)
    refused(ran, says)
    assert ran.out == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("models: {text: minilm-l6-v2}\nsorce: {sample_fps: 2}\n", "'sorce'"),
        ("models: {text: nosuch}\n", "no text model named 'nosuch'"),
        ("models: {text: minilm-l6-v2, nose: x}\n", "'models.nose'"),
        ("models: [\n", "cannot be read"),
        ("- a\n- b\n", "mapping"),
        ("", "mapping"),
        ("models: {text: minilm-l6-v2}\nsource: {sample_fps: -2}\n", "source.sample_fps"),
        ("models: {text: minilm-l6-v2}\nsource: {sample_fps: .nan}\n", "source.sample_fps"),
        ("models: {text: minilm-l6-v2}\nsource: {read_timeout_s: .inf}\n", "source.read_timeout_s"),
        ("models: {text: minilm-l6-v2}\nsource: {sample_fps: 1.0e+300}\n", "source.sample_fps"),
        ("models: !!python/object/apply:os.system ['true']\n", "cannot be read"),
    ],
)
def test_nonsense_configs(command: Command, clip: Path, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    refused(command("ingest", clip, "-m", tmp_path / "m", "-c", tmp_path / "bad.yaml"), says)
    assert not (tmp_path / "m").exists()


def test_one_choice_is_no_trap(memory: Path, command: Command) -> None:
    ran = command("ask", "What colour is the umbrella?", "-m", memory, "--choice", "blue", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["choice"] in {None, 0}


# --- memories ---------------------------------------------------------------------------------------------------------


def test_a_folder_that_may_only_be_read(memory: Path, clip: Path, light_config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(memory, folder)
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        for words in (["timeline"], ["search", "x", "-c", light_config], ["ask", "Who is there?", "-c", light_config]):
            ran = streammem(*words, "--memory", folder, before=_without_override)
            assert (ran.code, ran.err) == (0, ""), words
        for words in (["compact"], ["ingest", clip, "-c", light_config]):
            refused(streammem(*words, "--memory", folder, before=_without_override), str(folder), "Permission denied")
    finally:
        for path in paths:
            path.chmod(path.stat().st_mode | 0o200)
    assert_same_rows(all_rows(folder), all_rows(memory))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file size are POSIX")
@pytest.mark.parametrize("room", [0, 300, 3_000, 6_000])
def test_the_disk_is_full_and_then_has_room(
    memory: Path, clip: Path, light_config: Path, tmp_path: Path, room: int
) -> None:
    """No file may grow beyond so many bytes: a full disk, at four points of making and filling a memory."""
    words = ("ingest", clip, "--memory", tmp_path / "m", "--config", light_config)
    full = streammem(*words, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY)))
    refused(full, str(tmp_path / "m"), "cannot be written")
    looked = streammem("info", "--memory", tmp_path / "m")
    assert looked.code == 0 or "no memory" in looked.err
    done = streammem(*words)
    assert (done.code, done.err) == (0, "")
    assert_same_rows(all_rows(tmp_path / "m"), all_rows(memory))


def test_a_table_that_was_never_finished_reads_as_empty(memory: Path, command: Command, tmp_path: Path) -> None:
    """What a reader meets while a writer makes the folder, or after one that was killed there."""
    folder = tmp_path / "m"
    Memory.open(folder, write=True, create=True).close()
    shutil.rmtree(folder / "observations.lance")
    (folder / "observations.lance/data").mkdir(parents=True)
    assert command("info", "--memory", folder, "--json").json["rows"]["observations"] == 0
    refused(command("search", "x", "--memory", folder), "memory is empty")
    Memory.open(folder, write=True).close()  # the next writer completes it
    assert command("info", "--memory", folder, "--json").json["rows"]["observations"] == 0
    assert (folder / "observations.lance/_versions").is_dir()
