"""What every transformers model here shares: loading by hub id or folder, at a revision, without running its code.

Knows no role. Importing transformers costs seconds, so it is imported when a model is loaded. `trust_remote_code` is
never given. Pictures are prepared with Pillow: torchvision is not needed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from perception.models.threads import set_torch_threads, set_wait_policy
from perception.protocols import ImageRGB
from streammem.errors import ConfigError, MissingDependencyError, ModelError
from streammem.settings import ModelSettings

_BATCH = 32
INSTALL_LINE = 'pip install "streammem[transformers]"'


def load_part(class_name: str, settings: ModelSettings, **options: Any) -> Any:
    """`transformers.<class_name>.from_pretrained` for the settings' model.

    Raises:
        ConfigError: the settings name no model.
        MissingDependencyError: transformers or Pillow is not installed.
        ModelError: it is not on this machine and the hub cannot be reached, or it does not fit the role.
    """
    if settings.model is None:
        raise ConfigError(f"Model {settings.name!r} needs `model`: a hub id or a folder.")
    set_wait_policy()
    try:
        importlib.import_module("PIL")
        transformers = importlib.import_module("transformers")
    except ImportError as error:
        raise MissingDependencyError(
            f"Model {settings.name!r} needs transformers and Pillow: {INSTALL_LINE}"
        ) from error
    # A progress bar in the middle of the command line's own is noise.
    transformers.utils.logging.disable_progress_bar()
    with _one_sentence(settings):
        found: Any = getattr(transformers, class_name)
        return found.from_pretrained(settings.model, revision=settings.revision or "main", **options)


def load_network(class_name: str, settings: ModelSettings, **options: Any) -> Any:
    """The network, on the settings' device, ready for inference; safetensors only, since other files are pickles."""
    set_torch_threads(settings.threads)
    network = load_part(class_name, settings, use_safetensors=True, **options)
    with _one_sentence(settings):
        return network.eval().to(settings.device)


@contextmanager
def _one_sentence(settings: ModelSettings) -> Iterator[None]:
    """Turns whatever goes wrong while loading into one sentence. Hub, tokeniser and torch have no common error, so the
    net is wide on purpose, and the cause is kept."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ImportError) as error:
        why = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(
            f"Model {settings.name!r} cannot be loaded from {settings.model!r} (revision "
            f"{settings.revision or 'main'!r}, device {settings.device!r}); if it is a hub id, connect once to fetch "
            f"it, or give a folder: {why}"
        ) from error


def in_batches(tokenizer: Any, network: Any, *texts: Sequence[str]) -> Iterator[tuple[list[int], Any, Any]]:
    """Runs a text network over sentences, or pairs of them (each of `texts` (N,)), 32 of like length at a time.

    Yields:
        Which of them, the tokens that were read, and what the network made of them.
    """
    import torch

    order = sorted(range(len(texts[-1])), key=lambda index: len(texts[-1][index]))
    limit = min(512, int(tokenizer.model_max_length))
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        batch = tokenizer(
            *([each[index] for index in chosen] for each in texts),
            padding=True,
            truncation=True,
            max_length=limit,
            return_tensors="pt",
        ).to(network.device)
        with torch.inference_mode():
            found = network(**batch)
        yield chosen, batch, found


def to_pillow(images: Sequence[ImageRGB]) -> list[Any]:
    from PIL import Image

    return [Image.fromarray(np.ascontiguousarray(image)) for image in images]


def normalised(vectors: Any) -> npt.NDArray[np.float32]:
    """Torch (N, D) on any device -> float32 numpy with rows of length 1."""
    import torch

    return torch.nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy()
