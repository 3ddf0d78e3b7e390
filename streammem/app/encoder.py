"""The models that queries are embedded with, as the memory asks for them. Loaded when the first query needs them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from streammem.settings import ModelsSettings
from streammem.types import FloatVector

if TYPE_CHECKING:
    from perception.models.registry import Models


class LazyEncoder:
    """A `streammem.protocols.QueryEncoder` over the configured sentence and image models.

    Args:
        settings: which models; names are read from here, so that opening a memory loads none.
        models: already loaded ones, where perception runs in the same process.
    """

    def __init__(self, settings: ModelsSettings, models: Models | None = None) -> None:
        self._settings = settings
        self._given = models

    @cached_property
    def _models(self) -> Models:
        if self._given is not None:
            return self._given
        from perception.models.registry import load_models

        return load_models(self._settings)

    @property
    def text_model(self) -> str:
        """Name of the sentence encoder."""
        return self._settings.text.name

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, D), L2-normalised."""
        return self._models.text.encode(texts)

    def encode_text_for_images(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """(N, Dj), L2-normalised; None where no image model is configured."""
        if self._settings.image is None or self._models.image is None:
            return None
        return self._models.image.embed_text(texts)

    def encode_image(self, image_rgb: npt.NDArray[np.uint8]) -> FloatVector | None:
        """(Df,), L2-normalised; None where no image model is configured."""
        if self._settings.image is None or self._models.image is None:
            return None
        return self._models.image.analyse([image_rgb])[0].feature
