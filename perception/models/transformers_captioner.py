"""A vision-language model of transformers as `Captioner`: one sentence of what is seen in a key frame.

Knows no event. Pictures go through one by one: the number of image tokens differs with their shape.
"""

from __future__ import annotations

from collections.abc import Sequence

from perception.models.registry import model_identity
from perception.models.transformers_loading import load_network, load_part, to_pillow
from perception.protocols import ImageRGB
from streammem.settings import ModelSettings

PROMPT = "Describe what is happening in this picture in one sentence, naming people, objects, actions and the place."
MAX_NEW_TOKENS = 80


class TransformersCaptioner:
    def __init__(self, settings: ModelSettings) -> None:
        self.name = model_identity(settings)
        self._processor = load_part("AutoProcessor", settings, backend="pil")
        self._network = load_network("AutoModelForImageTextToText", settings)

    def caption(self, images: Sequence[ImageRGB]) -> list[str]:
        """One caption per picture, in their order."""
        return [self._caption(picture) for picture in to_pillow(images)]

    def _caption(self, picture: object) -> str:
        import torch

        if getattr(self._processor, "chat_template", None):
            turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": PROMPT}]}
            text = self._processor.apply_chat_template([turn], add_generation_prompt=True)
            batch = self._processor(images=[picture], text=[text], return_tensors="pt")
        else:  # a plain captioner (BLIP) takes the picture alone
            batch = self._processor(images=[picture], return_tensors="pt")
        batch = batch.to(self._network.device)
        with torch.inference_mode():
            tokens = self._network.generate(**batch, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
        # Chat models repeat the prompt before their answer.
        prompt = batch["input_ids"].shape[1] if "input_ids" in batch else 0
        words = self._processor.batch_decode(tokens[:, prompt:], skip_special_tokens=True)[0]
        return " ".join(words.split())


def load(settings: ModelSettings) -> TransformersCaptioner:
    return TransformersCaptioner(settings)
