"""Loading and running transformers models, on tiny random ones saved to disk: their words are nonsense, their path is
the one real models take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perception.models.registry import Models, load_models
from perception.models.weights import weight_path
from streammem.errors import ConfigError, ModelError
from streammem.settings import ModelSettings, ModelsSettings, load_settings

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", reason="the transformers extra is not installed")
pytest.importorskip("PIL", reason="the transformers extra is not installed")

WORDS = [
    "<pad>",
    "<bos>",
    "<eos>",
    "<unk>",
    "<image>",
    "a",
    "photo",
    "of",
    "the",
    "man",
    "woman",
    "cup",
    "red",
    "train",
]
NOISE = np.random.default_rng(0).integers(0, 255, (90, 160, 3), dtype=np.uint8)
DARK = np.zeros((120, 100, 3), dtype=np.uint8)


def _tokenizer(folder: Path, *, limit: int = 32, **extra: Any) -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    words = Tokenizer(WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = WhitespaceSplit()
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<eos>",
        unk_token="<unk>",
        model_max_length=limit,
        **extra,
    )
    made.save_pretrained(folder)
    return made


def _save(network: Any, folder: Path) -> None:
    network.save_pretrained(folder, safe_serialization=True)


SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
SEEING: dict[str, Any] = SMALL | {"image_size": 32, "patch_size": 8}
READING: dict[str, Any] = SMALL | {"vocab_size": len(WORDS), "max_position_embeddings": 32}
PIXELS: dict[str, Any] = {"size": {"height": 32, "width": 32}}


def _clip(folder: Path) -> None:
    torch.manual_seed(0)
    ends = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    config = transformers.CLIPConfig(text_config=READING | ends, vision_config=SEEING, projection_dim=12)
    _save(transformers.CLIPModel(config), folder)
    transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=PIXELS["size"]).save_pretrained(folder)
    _tokenizer(folder)


def _siglip(folder: Path) -> None:
    torch.manual_seed(0)
    config = transformers.SiglipConfig(text_config=READING, vision_config=SEEING)
    _save(transformers.SiglipModel(config), folder)
    transformers.SiglipImageProcessorPil(**PIXELS).save_pretrained(folder)
    _tokenizer(folder)


def _one(role: str, name: str, folder: Path, **more: Any) -> Models:
    chosen = {role: ModelSettings(name=name, model=str(folder), **more)}
    return load_models(ModelsSettings(**({"text": ModelSettings(name="minilm-l6-v2")} | chosen)))


def test_text(tmp_path: Path) -> None:
    torch.manual_seed(0)
    _save(transformers.BertModel(transformers.BertConfig(**READING)), tmp_path)
    _tokenizer(tmp_path)
    text = _one("text", "transformers-text", tmp_path).text
    alone = text.encode(["red cup"])
    found = text.encode(["the man of the train", "red cup", "a " * 100])
    assert (text.dim, found.shape) == (16, (3, 16))
    np.testing.assert_allclose(found[1], alone[0], atol=1e-5)  # padding changes nothing
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert text.name == f"transformers-text:{tmp_path}@main"


def _cross_encoder(folder: Path, *, classes: int = 1) -> None:
    torch.manual_seed(0)
    config = transformers.BertConfig(**READING, num_labels=classes)
    _save(transformers.BertForSequenceClassification(config), folder)
    _tokenizer(folder)


def test_reranking(tmp_path: Path) -> None:
    _cross_encoder(tmp_path)
    reranker = _one("reranker", "transformers-reranker", tmp_path).reranker
    assert reranker is not None
    passages = ["the man of the train", "red cup", "a " * 100]
    found = reranker.relevance("a photo of the cup", passages)
    assert (found.shape, found.dtype) == ((3,), np.float32)
    assert len(set(found.tolist())) == 3
    alone = [float(reranker.relevance("a photo of the cup", [one])[0]) for one in passages]
    np.testing.assert_allclose(found, alone, atol=1e-5)  # neither order nor padding changes anything
    assert abs(reranker.relevance("the train", ["red cup"])[0] - found[1]) > 1e-6  # the question counts
    assert reranker.relevance("a", []).shape == (0,)


def test_a_classifier_is_no_reranker(tmp_path: Path) -> None:
    _cross_encoder(tmp_path, classes=3)
    with pytest.raises(ConfigError, match="has 3 classes, not one score"):
        _ = _one("reranker", "transformers-reranker", tmp_path).reranker


@pytest.mark.parametrize(
    ("name", "save", "dim"), [("transformers-clip", _clip, 12), ("transformers-siglip", _siglip, 16)]
)
def test_images(models: Models, tmp_path: Path, name: str, save: Callable[[Path], None], dim: int) -> None:
    save(tmp_path)
    image = _one("image", name, tmp_path).image
    assert image is not None
    first, second, again = image.analyse([NOISE, DARK, NOISE])
    assert (image.feature_dim, image.joint_dim) == (dim, dim)
    assert first.feature.shape == first.joint.shape == (dim,)
    np.testing.assert_allclose(first.joint, again.joint, atol=1e-5)
    assert abs(first.joint @ second.joint) < 0.9999
    texts = image.embed_text(["a red cup", "the train", "a " * 100])
    assert texts.shape == (3, dim)
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(image.embed_text(["the train"])[0], texts[1], atol=1e-5)


def test_images_match_the_model_itself(models: Models, tmp_path: Path) -> None:
    """The joint vectors are those that CLIP compares: its own logits come out of them."""
    _clip(tmp_path)
    image = _one("image", "transformers-clip", tmp_path).image
    assert image is not None
    network = transformers.CLIPModel.from_pretrained(tmp_path).eval()
    pixels = transformers.CLIPImageProcessorPil.from_pretrained(tmp_path)(NOISE, return_tensors="pt")
    ids = transformers.AutoTokenizer.from_pretrained(tmp_path)(["a red cup"], return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        wanted = network(input_ids=ids, pixel_values=pixels["pixel_values"]).logits_per_image
    found = (
        image.analyse([NOISE])[0].joint @ image.embed_text(["a red cup"])[0] * float(network.logit_scale.detach().exp())
    )
    assert found == pytest.approx(float(wanted), abs=1e-3)


def test_speech(models: Models, tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer = transformers.WhisperTokenizerFast(tokenizer_file=str(weight_path("whisper-base/tokenizer.json")))
    tokenizer.add_tokens([f"<|{step * 0.02:.2f}|>" for step in range(1501)])
    config = transformers.WhisperConfig(
        vocab_size=len(tokenizer), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_target_positions=32,
        bos_token_id=50257, eos_token_id=50257, pad_token_id=50257, decoder_start_token_id=50258,
    )  # fmt: skip
    network = transformers.WhisperForConditionalGeneration(config)
    ids = {word: tokenizer.convert_tokens_to_ids(word) for word in ("<|en|>", "<|transcribe|>", "<|notimestamps|>")}
    # What a published Whisper's generation_config.json says of its tokens.
    said: dict[str, Any] = {
        "_from_model_config": False,  # else the file is made anew from the network's own config
        "is_multilingual": True,
        "lang_to_id": {"<|en|>": ids["<|en|>"]},
        "task_to_id": {"transcribe": ids["<|transcribe|>"]},
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "max_length": 24,
    }
    _save(network, tmp_path)
    written = tmp_path / "generation_config.json"
    written.write_text(json.dumps(json.loads(written.read_text()) | said))
    transformers.WhisperProcessor(transformers.WhisperFeatureExtractor(), tokenizer).save_pretrained(tmp_path)
    speech = _one("speech", "transformers-whisper", tmp_path, language="en").speech
    assert speech is not None
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000 * 3).astype(np.float32)
    assert speech.transcribe(sound) == []  # a random network is sure of nothing, and that is left out
    import perception.models.transformers_whisper as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MIN_LOG_PROBABILITY", -1e9)
        heard = speech.transcribe(sound)
    assert heard
    assert all(0 <= one.t_start_s <= one.t_end_s <= 3 and 0 < one.confidence <= 1 for one in heard)


def test_captions(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer = _tokenizer(tmp_path, limit=512, extra_special_tokens={"image_token": "<image>"})
    text = transformers.LlamaConfig(**READING | {"max_position_embeddings": 512}, pad_token_id=0)
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**SEEING), text_config=text, image_token_index=4
    )
    _save(transformers.LlavaForConditionalGeneration(config), tmp_path)
    transformers.LlavaProcessor(
        transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=PIXELS["size"]),
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token="<image>",
        chat_template=(
            "{% for m in messages %}{% for c in m.content %}"
            "{{ '<image> ' if c.type == 'image' else c.text }}{% endfor %}{% endfor %}"
        ),
    ).save_pretrained(tmp_path)
    captioner = _one("captioner", "transformers-captioner", tmp_path).captioner
    assert captioner is not None
    found = captioner.caption([NOISE, DARK])
    assert len(found) == 2
    assert all(set(words.split()) <= set(WORDS) for words in found)
    assert any(found)
    assert all("Describe" not in words for words in found)


def test_what_cannot_be_loaded_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="needs `model`"):
        _ = load_models(ModelsSettings(text=ModelSettings(name="transformers-text"))).text
    with pytest.raises(ModelError, match="cannot be loaded from"):
        _ = _one("text", "transformers-text", tmp_path / "nothing").text


def test_an_unreachable_hub_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    chosen = ModelsSettings(text=ModelSettings(name="transformers-text", model="nobody/nothing-here"))
    with pytest.raises(ModelError, match="connect once to fetch") as found:
        _ = load_models(chosen).text
    assert "\n" not in str(found.value)


def test_the_config_names_known_models() -> None:
    settings = load_settings("transformers").models
    assert load_models(settings).names()["image"] == "transformers-siglip:google/siglip-base-patch16-224@main"
