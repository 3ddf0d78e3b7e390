"""One schema for every setting: `configs/*.yaml`, and `STREAMMEM_*` in the environment laid over it.

Knows the names of models, never the models. `STREAMMEM_CHAT_URL`, `_MODEL` and `_KEY` set the chat endpoint.
Importing it costs pydantic (40 ms); pydantic-settings (another 90 ms) is imported when settings are loaded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from streammem.errors import ConfigError

DEFAULT_CONFIG = "embedded"

Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
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

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        """`speech: whisper-base` is short for `speech: {name: whisper-base}`."""
        return {"name": value} if isinstance(value, str) else value


class ModelsSettings(_Section):
    """Roles. None turns a role off; only `text` is needed."""

    text: ModelSettings
    image: ModelSettings | None = None
    detector: ModelSettings | None = None
    voice: ModelSettings | None = None
    speech: ModelSettings | None = None
    ocr: ModelSettings | None = None
    captioner: ModelSettings | None = None
    reranker: ModelSettings | None = None

    @field_validator("text", mode="before")
    @classmethod
    def _needed(cls, value: object) -> object:
        if value is False or value == "off":
            raise ValueError("the sentence encoder is needed and cannot be off")
        return value

    @field_validator("image", "detector", "voice", "speech", "ocr", "captioner", "reranker", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        """`off` turns a role off; YAML reads a bare `off` as false."""
        return None if value is False or value == "off" else value


class SourceSettings(_Section):
    sample_fps: Annotated[float, Field(ge=0.01, le=240, allow_inf_nan=False)] = 5.0
    """Frames per second that are looked at; cuts are placed to within one of these."""
    analysis_height: Annotated[int, Field(ge=64, le=2160)] = 288
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
    cut_min_s: Positive = 0.4
    event_max_s: Positive = 30.0
    episode_min_s: Positive = 60.0
    episode_max_s: Positive = 600.0
    hour_s: Positive = 3600.0
    day_s: Positive = 86400.0


class ObjectSettings(_Section):
    keep_identity: bool = False
    """Who or what leaves and comes back keeps the number of before (told by colours of clothes, of paint), for as long
    as a recording is ingested in one go. Off: every track has its own number. Of people alike in dress it takes one for
    another; `scripts/bench_identity.py` says how often."""


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
    is_small: bool = True
    """A model of a few billion parameters: among options its word counts half, and of people and times it is not asked
    (`planners.reasoners.chat_choices`); of a robot's instructions it reads those that the rules cannot
    (`planners.acting.chat`). Set it false for one that reads well."""
    timeout_s: Positive = 60.0


class ForgettingSettings(_Section):
    """When facts fade (`streammem.semantic.forgetting`). Events, pictures and words stay whatever is set here."""

    is_on: bool = False
    half_life_days: Positive = 60.0
    """A fact that was stated once and never used is half as strong after so long."""
    weakest: Fraction = 0.05
    """Facts weaker than this fade: at the default half-life, who was with whom once after four months."""
    spare_days: Annotated[float, Field(ge=0, le=1e6)] = 30.0
    """Nothing that was stated within so many days fades."""


class RobotSettings(_Section):
    """The robot loop (`demos/robot_loop.py`)."""

    looks_per_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """Of the world's time."""
    speed: Annotated[float, Field(ge=0, le=1000)] = 1.0
    """World seconds per second; 0: as fast as the work goes."""
    width: Annotated[int, Field(ge=32, le=4096)] = 320
    height: Annotated[int, Field(ge=24, le=4096)] = 240
    perception_queue: Annotated[int, Field(ge=1, le=1000)] = 4
    """Looks that wait; the oldest is dropped and counted, or with speed 0 the world waits."""
    memory_queue: Annotated[int, Field(ge=1, le=1000)] = 8
    flush_s: Positive = 1.0
    """What was seen is committed at least this often."""
    max_steps: Annotated[int, Field(ge=1)] = 1_500
    """Of one instruction."""
    home_seed: Annotated[int, Field(ge=0)] = 3
    planner: Literal["rules", "chat"] = "rules"


class Settings(_Section):
    """Every setting, checked. `load_settings` reads it from a config and the environment."""

    models: ModelsSettings
    source: SourceSettings = SourceSettings()
    segmentation: SegmentationSettings = SegmentationSettings()
    objects: ObjectSettings = ObjectSettings()
    store: StoreSettings = StoreSettings()
    planner: PlannerSettings = PlannerSettings()
    chat: ChatSettings = ChatSettings()
    forgetting: ForgettingSettings = ForgettingSettings()
    robot: RobotSettings = RobotSettings()
    reasoner: Literal["extractive", "chat"] = "extractive"
    facts: Literal["rules", "chat"] = "rules"
    """What reads facts out of events: rules, or the chat endpoint as well (one call per event with words)."""


def config_folders() -> tuple[Path, ...]:
    """Where named configs live: in a checkout, and in an installed wheel."""
    here = Path(__file__).resolve().parent
    return (here.parent / "configs", here / "configs")


def load_settings(config: str | Path | None = None) -> Settings:
    """Reads a config by name (`embedded`) or file, and lays the environment over it.

    Environment: `STREAMMEM_<SECTION>_<FIELD>`, e.g. `STREAMMEM_CHAT_URL`, `STREAMMEM_SOURCE_SAMPLE_FPS`; and
    `STREAMMEM_MODELS_<ROLE>` with a registry name (or `off`), e.g. `STREAMMEM_MODELS_SPEECH=whisper-base`. A role named
    there keeps the config's device, threads and language, which fit any model; the rest belongs to the model replaced.
    An empty variable counts as unset.

    Raises:
        ConfigError: the config does not exist, is not YAML, or it or the environment holds an unknown or bad field.

    Example:
        >>> load_settings("embedded").models.text.name
        'minilm-l6-v2'
    """
    import yaml

    path = _find_config(str(config or DEFAULT_CONFIG))
    try:
        raw: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"Config {str(path)!r} cannot be read: {str(error).splitlines()[0]}.") from error
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in cast(dict[object, object], raw)):
        raise ConfigError(f"Config {str(path)!r} must be a mapping of sections; see configs/embedded.yaml.")
    try:
        layered = _layered_settings()(**cast(dict[str, Any], raw))
        return Settings.model_validate({name: getattr(layered, name) for name in Settings.model_fields})
    except ValidationError as error:
        first = error.errors()[0]
        steps = [str(part) for part in first["loc"]]
        variable = next((name for name in _variables(steps) if os.environ.get(name)), None)
        where = f"Environment variable {variable}" if variable else f"Config {str(path)!r}, field {'.'.join(steps)!r}"
        raise ConfigError(f"{where}: {first['msg']}.") from error


def _find_config(name: str) -> Path:
    as_file = Path(name)
    try:
        is_file = as_file.is_file()
    except OSError as error:
        raise ConfigError(f"Config file {name!r} cannot be read: {error.strerror}.") from error
    if is_file:
        return as_file
    if as_file.suffix in {".yaml", ".yml"}:
        raise ConfigError(f"Config file {name!r} does not exist.")
    for folder in config_folders():
        if (found := folder / f"{name}.yaml").is_file():
            return found
    known = sorted({p.stem for folder in config_folders() if folder.is_dir() for p in folder.glob("*.yaml")})
    raise ConfigError(f"There is no config named {name!r}; known: {', '.join(known) or 'none'}. A file path works too.")


@cache
def _layered_settings() -> type[Settings]:
    """`Settings` that reads the environment too: called with what the config file says, the environment on top."""
    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

    class LayeredSettings(Settings, BaseSettings):
        # One split: STREAMMEM_SOURCE_SAMPLE_FPS is `source.sample_fps`, and fields may have underscores of their own.
        model_config = SettingsConfigDict(
            env_prefix="STREAMMEM_",
            env_nested_delimiter="_",
            env_nested_max_split=1,
            env_ignore_empty=True,
            enable_decoding=False,  # values are plain words, not JSON
            extra="forbid",
            frozen=True,
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del settings_cls, dotenv_settings, file_secret_settings  # one place for secrets: the environment

            def from_environment() -> dict[str, Any]:
                return _with_kept_fields(env_settings(), init_settings())

            # pydantic-settings calls its sources and nothing more; a plain function is one.
            return (cast(PydanticBaseSettingsSource, from_environment), init_settings)

    return LayeredSettings


def _with_kept_fields(environment: dict[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    roles = environment.get("models")
    configured = config.get("models")
    if not isinstance(roles, dict) or not isinstance(configured, Mapping):
        return environment
    merged: dict[str, object] = {}
    for role, name in cast(dict[str, object], roles).items():
        before = cast(Mapping[str, object], configured).get(role)
        if not isinstance(name, str) or name == "off" or not isinstance(before, Mapping):
            merged[role] = name
            continue
        kept = {key: value for key, value in cast(Mapping[str, object], before).items() if key in _FIT_ANY_MODEL}
        # The sources are merged deeply, so what is not kept is reset by name.
        merged[role] = _model_defaults() | kept | {"name": name}
    return environment | {"models": merged}


_FIT_ANY_MODEL = frozenset({"device", "threads", "language"})


def _model_defaults() -> dict[str, object]:
    return {name: field.default for name, field in ModelSettings.model_fields.items() if not field.is_required()}


def _variables(steps: list[str]) -> list[str]:
    """Environment variables that could have set the field at `steps`, the longest path first."""
    return ["_".join(["STREAMMEM", *steps[:n]]).upper() for n in range(min(len(steps), 2), 0, -1)]
