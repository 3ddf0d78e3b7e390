"""Model roles by name: settings in, objects that keep the Protocols of `perception.protocols` out.

Knows which names exist and where their factories live; no model is imported before its role is first used.

Your own model: either `register("text", "my-encoder", factory)`, or give a dotted path as the name in the config,
`text: {name: "my_package.my_module:load"}`. A factory takes the role's `ModelSettings` and returns the model. A dotted
path is imported, never evaluated.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from perception.models.threads import set_wait_policy
from perception.protocols import (
    Captioner,
    ImageModel,
    ObjectDetector,
    SpeechToText,
    TextEncoder,
    TextReader,
    VoiceActivity,
)
from streammem.errors import ConfigError
from streammem.heap import keep_heap_small
from streammem.protocols import Reranker
from streammem.settings import ModelSettings, ModelsSettings
from streammem.types import FloatVector

Role = Literal["text", "image", "detector", "voice", "speech", "ocr", "captioner", "reranker"]
Factory = Callable[[ModelSettings], object]

_FACTORIES: dict[Role, dict[str, str | Factory]] = {
    "text": {
        "minilm-l6-v2": "perception.models.minilm:load",
        "transformers-text": "perception.models.transformers_text:load",
    },
    "image": {
        "efficientnet-lite0-conse": "perception.models.conse:load",
        "transformers-clip": "perception.models.transformers_image:load",
        "transformers-siglip": "perception.models.transformers_image:load",
    },
    "detector": {
        "ssd-mobilenet-v2-coco": "perception.models.ssd:load",
        "ssd-mobilenet-v2-coco-opencv": "perception.models.ssd_opencv:load",
    },
    "voice": {"silero": "perception.models.silero:load"},
    "speech": {
        "whisper-tiny": "perception.models.whisper:load",
        "whisper-base": "perception.models.whisper:load",
        "transformers-whisper": "perception.models.transformers_whisper:load",
    },
    "ocr": {"ppocr-v4": "perception.models.ppocr:load"},
    "captioner": {"transformers-captioner": "perception.models.transformers_captioner:load"},
    "reranker": {
        "ms-marco-minilm-l12": "perception.models.cross_encoder:load",
        "transformers-reranker": "perception.models.transformers_reranker:load",
    },
}
# The call that makes an object fit its role: a factory that returns something else is found out when it is loaded.
_MAIN_CALL: dict[Role, str] = {
    "text": "encode",
    "image": "analyse",
    "detector": "detect",
    "voice": "probabilities",
    "speech": "transcribe",
    "ocr": "read",
    "captioner": "caption",
    "reranker": "relevance",
}


def register(role: Role, name: str, factory: Factory) -> None:
    """Makes `factory` known under `name`. A name can be taken once.

    Raises:
        ConfigError: the role is unknown, or the name is taken or looks like a dotted path.
    """
    if role not in _FACTORIES:
        raise ConfigError(f"There is no model role {role!r}; roles: {', '.join(_FACTORIES)}.")
    if ":" in name or name in _FACTORIES[role]:
        raise ConfigError(f"The name {name!r} cannot be registered for role {role!r}: it is taken or has a colon.")
    _FACTORIES[role][name] = factory


def known_names(role: Role) -> tuple[str, ...]:
    """Registry names of a role."""
    return tuple(sorted(_FACTORIES[role]))


def model_identity(settings: ModelSettings) -> str:
    """What tells this model from every other, for column names and `source` fields: the registry name, and the hub id
    and revision where the model has one."""
    if settings.model is None:
        return settings.name
    return f"{settings.name}:{settings.model}@{settings.revision or 'main'}"


@dataclass(frozen=True, kw_only=True)
class Models:
    """The configured models, each loaded at its first use and kept. Safe to use from several threads; whether one
    model may be *called* from several at once is the model's own matter (only voice activity keeps a state)."""

    settings: ModelsSettings
    _loaded: dict[Role, object] = field(default_factory=dict[Role, object], repr=False)
    _locks: dict[Role, threading.Lock] = field(
        default_factory=lambda: {role: threading.Lock() for role in _FACTORIES}, repr=False
    )

    @property
    def text(self) -> TextEncoder:
        return cast(TextEncoder, self._role("text"))

    @property
    def image(self) -> ImageModel | None:
        return cast("ImageModel | None", self._role("image"))

    @property
    def detector(self) -> ObjectDetector | None:
        return cast("ObjectDetector | None", self._role("detector"))

    @property
    def voice(self) -> VoiceActivity | None:
        return cast("VoiceActivity | None", self._role("voice"))

    @property
    def speech(self) -> SpeechToText | None:
        return cast("SpeechToText | None", self._role("speech"))

    @property
    def ocr(self) -> TextReader | None:
        return cast("TextReader | None", self._role("ocr"))

    @property
    def captioner(self) -> Captioner | None:
        return cast("Captioner | None", self._role("captioner"))

    @property
    def reranker(self) -> Reranker | None:
        return cast("Reranker | None", self._role("reranker"))

    def names(self) -> dict[str, str]:
        """Role -> identity of the model, for the roles that are on. Loads nothing."""
        return {
            role: model_identity(chosen) for role in _FACTORIES if (chosen := getattr(self.settings, role)) is not None
        }

    def load(self, *roles: Role) -> None:
        """Loads these roles now, all that are on by default: for servers, and to fail before work begins."""
        for role in roles or tuple(_FACTORIES):
            self._role(role)

    def _role(self, role: Role) -> object | None:
        chosen = cast("ModelSettings | None", getattr(self.settings, role))
        if chosen is None:
            return None
        if role in self._loaded:
            return self._loaded[role]
        with self._locks[role]:
            if role not in self._loaded:
                self._loaded[role] = _load(role, chosen)
            return self._loaded[role]


def load_models(settings: ModelsSettings) -> Models:
    """Checks the names and returns the models, none of them loaded yet.

    Raises:
        ConfigError: a name is neither known nor a dotted path.
    """
    set_wait_policy()
    keep_heap_small()
    for role in _FACTORIES:
        chosen = cast("ModelSettings | None", getattr(settings, role))
        if chosen is not None and chosen.name not in _FACTORIES[role] and ":" not in chosen.name:
            raise ConfigError(
                f"There is no {role} model named {chosen.name!r}; known: {', '.join(known_names(role))}, "
                f"or a path 'package.module:factory'."
            )
    return Models(settings=settings)


def _load(role: Role, settings: ModelSettings) -> object:
    factory = _FACTORIES[role].get(settings.name, settings.name)
    if isinstance(factory, str):
        factory = _import_factory(role, factory)
    model = factory(settings)
    if not callable(getattr(model, _MAIN_CALL[role], None)):
        raise ConfigError(
            f"The {role} model {settings.name!r} is a {type(model).__name__}, which has no {_MAIN_CALL[role]}()."
        )
    return model


def _import_factory(role: Role, path: str) -> Factory:
    module_name, _, attribute = path.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"The {role} model {path!r} cannot be imported: {error}.") from error
    if not callable(found):
        raise ConfigError(f"The {role} model {path!r} is not a factory: it cannot be called.")
    return cast(Factory, found)


class ModelQueryEncoder:
    """`streammem.protocols.QueryEncoder` made of the configured models. Loads them at the first query that needs
    them."""

    def __init__(self, models: Models) -> None:
        self._models = models

    @property
    def text_model(self) -> str:
        return model_identity(self._models.settings.text)

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return self._models.text.encode(texts)

    def encode_text_for_images(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        return None if (image := self._models.image) is None else image.embed_text(texts)

    def encode_image(self, image_rgb: npt.NDArray[np.uint8]) -> FloatVector | None:
        return None if (image := self._models.image) is None else image.analyse([image_rgb])[0].feature


class ModelReranker:
    """`streammem.protocols.Reranker` made of the configured model, loaded at its first use."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def relevance(self, query: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        if (model := self._models.reranker) is None:
            raise ConfigError("No reranker is configured: name one under `models: reranker`.")
        return model.relevance(query, passages)
