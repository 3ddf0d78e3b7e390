"""Configs by name and by file, the environment over them, and what is said when either is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streammem.errors import ConfigError
from streammem.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("STREAMMEM_")]:
        monkeypatch.delenv(name)


def write(folder: Path, text: str) -> Path:
    path = folder / "my.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_shipped_config_loads_and_default_is_embedded() -> None:
    shipped = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
    assert "embedded" in [path.stem for path in shipped]
    for path in shipped:
        assert isinstance(load_settings(path.stem), Settings)
    assert load_settings() == load_settings("embedded")
    assert type(load_settings()) is Settings


def test_file_by_path_gets_defaults(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "models: {text: minilm-l6-v2}\nsource: {sample_fps: 2}\n"))
    assert settings.models.text.name == "minilm-l6-v2"
    assert settings.models.image is None
    assert settings.source.sample_fps == 2.0
    assert settings.source.queue_items == 64


def test_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMMEM_CHAT_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("STREAMMEM_CHAT_KEY", "secret-word")
    monkeypatch.setenv("STREAMMEM_CHAT_MODEL", "")  # empty counts as unset
    monkeypatch.setenv("STREAMMEM_SOURCE_SAMPLE_FPS", "1.5")
    monkeypatch.setenv("STREAMMEM_PLANNER_LOOK_AGAIN", "false")
    monkeypatch.setenv("STREAMMEM_REASONER", "chat")
    settings = load_settings()
    assert settings.chat.url == "http://127.0.0.1:9/v1"
    assert settings.chat.model == "default"
    assert settings.chat.key is not None
    assert settings.chat.key.get_secret_value() == "secret-word"
    assert "secret-word" not in repr(settings)
    assert settings.source.sample_fps == 1.5
    assert settings.planner.look_again is False
    assert settings.reasoner == "chat"


def test_variables_that_are_no_settings_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMMEM_DEBUG", "1")
    assert load_settings() == load_settings("embedded")


def test_role_by_name_keeps_what_fits_any_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(
        tmp_path,
        "models:\n"
        "  text: minilm-l6-v2\n"
        "  speech: {name: whisper-tiny, language: en, threads: 2, model: some/where, revision: abc, threshold: 0.4}\n"
        "  ocr: ppocr-v4\n",
    )
    monkeypatch.setenv("STREAMMEM_MODELS_SPEECH", "whisper-base")
    monkeypatch.setenv("STREAMMEM_MODELS_OCR", "off")
    monkeypatch.setenv("STREAMMEM_MODELS_TEXT", "another-encoder")
    models = load_settings(path).models
    assert models.ocr is None
    assert models.text.name == "another-encoder"
    assert models.speech is not None
    assert models.speech.model_dump() == {
        "name": "whisper-base",
        "language": "en",
        "threads": 2,
        "device": "cpu",
        "model": None,
        "revision": None,
        "threshold": None,
    }


def test_bare_off_in_yaml_turns_a_role_off(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "models: {text: minilm-l6-v2, speech: off}\n"))
    assert settings.models.speech is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("models: {text: a}\nsorce: {}\n", "'sorce'"),
        ("models: {text: a}\nsource: {sample_fps: 0}\n", "'source.sample_fps'"),
        ("source: {}\n", "'models'"),
        ("models: {text: off}\n", "'models.text'"),
        ("- a list\n", "must be a mapping"),
        ("1: 2\n", "must be a mapping"),
        ("a: [\n", "cannot be read"),
        ("", "must be a mapping"),
    ],
)
def test_bad_file_is_named_with_the_field(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, text))
    assert says in str(caught.value)
    assert "my.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STREAMMEM_SOURCE_SAMPLE_FPS", "fast"),
        ("STREAMMEM_SOURCE_FRAME_RATE", "3"),
        ("STREAMMEM_REASONER", "oracle"),
        ("STREAMMEM_SOURCE", "5"),
        ("STREAMMEM_MODELS_SPEECH_NAME", "whisper-base"),
        ("STREAMMEM_MODELS_TEXT", "off"),
    ],
)
def test_bad_environment_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=rf"{name}\b"):
        load_settings()


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(ConfigError, match=r"known: .*embedded"):
        load_settings("embeded")
    with pytest.raises(ConfigError, match=r"'nowhere\.yaml' does not exist"):
        load_settings("nowhere.yaml")
