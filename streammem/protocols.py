"""What the memory and the planners ask of others. Implemented in `perception`, joined in `streammem.app`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streammem.types import Event, Fact, FloatVector, Observation


class QueryEncoder(Protocol):
    """Turns a query into the vectors the memory was written with. Every vector is float32 and L2-normalised."""

    @property
    def text_model(self) -> str:
        """Name of the sentence encoder, e.g. `minilm-l6-v2`: part of the column it is stored in."""
        ...

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Sentence embeddings, (N, D)."""
        ...

    def encode_text_for_images(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """Vectors (N, Dj) in the joint image-text space; None where no image model is configured."""
        ...

    def encode_image(self, image_rgb: npt.NDArray[np.uint8]) -> FloatVector | None:
        """Image-to-image feature (Df,) of one uint8 (H, W, 3) RGB picture; None where no image model is configured."""
        ...


class Reranker(Protocol):
    """Reads a question and a passage together, and says how well the one answers the other."""

    def relevance(self, query: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N,) logits in the order of the passages: 0 is an even chance, 4 near certainty."""
        ...


class LookAgain(Protocol):
    """Reads a span of a recording a second time, closer, with the question in mind."""

    def look(
        self, *, recording: str, t_start_ns: int, t_end_ns: int, question: str, deadline_s: float
    ) -> tuple[Observation, ...]:
        """Returns what a denser read of the span noticed. Empty where the source is gone or cannot be read again
        (a live stream). Written back to memory by the caller."""
        ...


class FactExtractor(Protocol):
    """Reads facts out of what was noticed in an event. `streammem.semantic` has one of rules and one with a model."""

    def extract(self, event: Event, observations: Sequence[Observation]) -> tuple[Fact, ...]:
        """Each statement once, naming the event."""
        ...


class ChatModel(Protocol):
    """A chat model that answers in JSON."""

    def complete_json(
        self, system: str, user: str, *, schema_name: str, schema: dict[str, Any], max_tokens: int
    ) -> str:
        """The reply's text.

        Raises:
            ChatEndpointError: it does not answer.
        """
        ...
