"""One schema for every setting: `configs/*.yaml`, then `STREAMMEM_*` in the environment, then the command line.

Knows the names of models, never the models. `STREAMMEM_CHAT_URL`, `_MODEL` and `_KEY` set the chat endpoint.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from streammem.errors import ConfigError

DEFAULT_CONFIG = "embedded"

Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSettings(_Section):
    """One model role. `name` is a registry name (`perception.models.registry`)."""

    name: str
    model: str | None = None
    """Hub id or folder, for the models that take one."""
    revision: str | None = None
    device: str = "cpu"
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    threshold: Fraction | None = None
    language: str | None = None
    """ISO 639-1 code for speech; None detects it."""


class ModelsSettings(_Section):
    """Roles. None turns a role off; only `text` is needed."""

    text: ModelSettings
    image: ModelSettings | None = None
    detector: ModelSettings | None = None
    voice: ModelSettings | None = None
    speech: ModelSettings | None = None
    ocr: ModelSettings | None = None
    captioner: ModelSettings | None = None


class SourceSettings(_Section):
    sample_fps: Positive = 5.0
    """Frames per second that are looked at; cuts are placed to within one of these."""
    analysis_height: Annotated[int, Field(ge=64, le=2160)] = 180
    """Frames are scaled to this height for segmentation; key frames are read at full size."""
    queue_items: Annotated[int, Field(ge=2, le=4096)] = 64
    """Bound of the queue between decoder and perception. Files wait when it is full; live sources drop the oldest."""
    open_timeout_s: Positive = 10.0
    read_timeout_s: Positive = 10.0
    """A live source that is silent for longer counts as broken."""


class SegmentationSettings(_Section):
    moment_max_s: Positive = 2.0
    event_min_s: Positive = 2.0
    """Hard cuts may cut shorter than this, down to `cut_min_s`."""
    cut_min_s: Positive = 0.8
    event_max_s: Positive = 30.0
    episode_min_s: Positive = 60.0
    episode_max_s: Positive = 600.0
    hour_s: Positive = 3600.0
    day_s: Positive = 86400.0


class StoreSettings(_Section):
    batch_rows: Annotated[int, Field(ge=1)] = 256
    batch_s: Positive = 1.0
    optimise_every_commits: Annotated[int, Field(ge=1)] = 64
    keep_old_versions_s: Annotated[float, Field(ge=0)] = 600.0
    vector_index_from_rows: Annotated[int, Field(ge=1)] = 50_000


class PlannerSettings(_Section):
    beam: Annotated[int, Field(ge=1)] = 6
    evidence_k: Annotated[int, Field(ge=1)] = 5
    max_model_calls: Annotated[int, Field(ge=0)] = 4
    max_tokens: Annotated[int, Field(ge=0)] = 16_000
    deadline_s: Positive = 60.0
    look_again: bool = True
    look_again_max_s: Positive = 20.0
    """At most this much of the recording is decoded again for one question."""


class ChatSettings(_Section):
    """An OpenAI-compatible endpoint, e.g. `http://127.0.0.1:8089/v1`."""

    url: str | None = None
    model: str = "default"
    key: SecretStr | None = None
    timeout_s: Positive = 60.0


class Settings(_Section):
    models: ModelsSettings
    source: SourceSettings = SourceSettings()
    segmentation: SegmentationSettings = SegmentationSettings()
    store: StoreSettings = StoreSettings()
    planner: PlannerSettings = PlannerSettings()
    chat: ChatSettings = ChatSettings()
    reasoner: Literal["extractive", "chat"] = "extractive"


def config_folders() -> tuple[Path, ...]:
    """Where named configs live: in a checkout, and in an installed wheel."""
    here = Path(__file__).resolve().parent
    return (here.parent / "configs", here / "configs")


def load_settings(config: str | Path | None = None) -> Settings:
    """Reads a config by name (`embedded`) or file, and lays the environment over it.

    Environment: `STREAMMEM_<SECTION>_<FIELD>`, e.g. `STREAMMEM_CHAT_URL`, `STREAMMEM_SOURCE_SAMPLE_FPS`; and
    `STREAMMEM_MODELS_<ROLE>` with a registry name (or `off`), e.g. `STREAMMEM_MODELS_SPEECH=whisper-base`.

    Raises:
        ConfigError: the config does not exist, is not YAML, or holds an unknown or bad field.
    """
    import yaml

    path = _find_config(str(config or DEFAULT_CONFIG))
    try:
        raw: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"Config {str(path)!r} cannot be read: {str(error).splitlines()[0]}.") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"Config {str(path)!r} must be a mapping of sections; see configs/embedded.yaml.")
    try:
        return Settings.model_validate(_with_environment(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"Config {str(path)!r}, field {where!r}: {first['msg']}.") from error


def _find_config(name: str) -> Path:
    as_file = Path(name)
    if as_file.suffix in {".yaml", ".yml"} or as_file.is_file():
        if not as_file.is_file():
            raise ConfigError(f"Config file {name!r} does not exist.")
        return as_file
    for folder in config_folders():
        if (found := folder / f"{name}.yaml").is_file():
            return found
    known = sorted({p.stem for folder in config_folders() if folder.is_dir() for p in folder.glob("*.yaml")})
    raise ConfigError(f"There is no config named {name!r}; known: {', '.join(known) or 'none'}. A file path works too.")


def _with_environment(raw: dict[Any, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {key: dict(value) if isinstance(value, dict) else value for key, value in raw.items()}
    for section, info in Settings.model_fields.items():
        kind = info.annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            continue
        for field_name in kind.model_fields:
            value = os.environ.get(f"STREAMMEM_{section}_{field_name}".upper())
            if value is None or value == "":
                continue
            if kind is ModelsSettings:
                merged.setdefault(section, {})[field_name] = None if value == "off" else {"name": value}
            else:
                merged.setdefault(section, {})[field_name] = value
    return merged
