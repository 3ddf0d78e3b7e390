"""The embedded models on real pictures and sound."""

from __future__ import annotations

import re
import wave
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from perception.models.registry import Models
from perception.models.weights import weight_path
from streammem.errors import InputError


def _frame(path: Path, t_s: float) -> np.ndarray:
    with av.open(str(path)) as container:
        container.seek(int(t_s * 1e6))
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= t_s:
                return frame.to_ndarray(format="rgb24")
    raise AssertionError(f"no frame at {t_s}")


def _sound(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768


@pytest.fixture(scope="module")
def street(evaluation_data: Path) -> np.ndarray:
    return _frame(evaluation_data / "media" / "street_talk.mp4", 18)


@pytest.fixture(scope="module")
def bird(evaluation_data: Path) -> np.ndarray:
    return _frame(evaluation_data / "media" / "trailer_bbb.mp4", 30)


# --- sentences --------------------------------------------------------------------------------------------------------


def test_sentences_agree_with_transformers(models: Models) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    folder = str(weight_path("minilm/model").parent)
    transformers.utils.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModel.from_pretrained(folder).eval()
    texts = ["", "hello", "A man puts a red cup on the table, then leaves.", "ünïcode ☕ 12:30", "very long " * 200]
    batch = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.inference_mode():
        tokens = network(**batch).last_hidden_state
    real = batch["attention_mask"][..., None]
    wanted = torch.nn.functional.normalize((tokens * real).sum(1) / real.sum(1), dim=-1).numpy()
    found = models.text.encode(texts)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_sentences_keep_their_order_and_meaning(models: Models) -> None:
    texts = [f"word {i} " * (i % 7 + 1) for i in range(150)]
    together = models.text.encode(texts)
    np.testing.assert_allclose(together[[0, 77, 149]], models.text.encode([texts[i] for i in (0, 77, 149)]), atol=1e-5)
    cup, mug, train = models.text.encode(["a cup on a table", "a mug stands on the desk", "the train is late"])
    assert cup @ mug > cup @ train + 0.2
    assert models.text.encode([]).shape == (0, 384)


# --- reading a question and a passage together ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "passages", "right"),
    [
        ("Who broke the cup?", ["Bob drank tea.", "Anna: Sorry, the cup fell out of my hand and broke.", "a cup"], 1),
        ("How much was the rent?", ["Bob: We pay 900 a month for the flat.", "Bob: I love this flat."], 0),
        ("Where is the key?", ["Tom: The key is red.", "a key", "Tom: The key hangs on the hook by the door."], 2),
    ],
)  # fmt: skip
def test_the_passage_that_answers_is_the_most_relevant(
    models: Models, question: str, passages: list[str], right: int
) -> None:
    reranker = models.reranker
    assert reranker is not None
    logits = reranker.relevance(question, passages)
    assert (logits.shape, logits.dtype) == ((len(passages),), np.float32)
    assert int(np.argmax(logits)) == right


def test_relevance_hardly_depends_on_what_else_is_read(models: Models) -> None:
    """Int8 networks scale their numbers by the batch, so not to the last digit."""
    reranker = models.reranker
    assert reranker is not None
    passages = [
        "Anna broke the cup.",
        "Bob drank tea in the garden with his two sisters.",
        "word " * 400,
        "",
        "it rained",
    ]
    together = reranker.relevance("Who broke the cup?", passages)
    alone = [float(reranker.relevance("Who broke the cup?", [one])[0]) for one in passages]
    np.testing.assert_allclose(together, alone, atol=0.6)
    backwards = reranker.relevance("Who broke the cup?", passages[::-1])[::-1]
    np.testing.assert_allclose(together, backwards, atol=1e-4)
    assert reranker.relevance("Who broke the cup?", []).shape == (0,)
    assert np.isfinite(reranker.relevance("cup " * 2000, ["Anna broke the cup."])).all()


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_pictures_features_tags_and_text(models: Models, street: np.ndarray, bird: np.ndarray) -> None:
    assert models.image is not None
    first, second, again = models.image.analyse([street, bird, street])
    np.testing.assert_allclose(first.feature, again.feature, atol=1e-5)
    assert first.feature @ second.feature < 0.7
    for one in (first, second):
        assert one.feature.shape == (1280,)
        assert one.joint.shape == (385,)
        assert np.linalg.norm(one.joint) == pytest.approx(1, abs=1e-5)
    assert "albatross" in [tag.label for tag in second.tags]
    probabilities = [tag.probability for tag in second.tags]
    assert probabilities == sorted(probabilities, reverse=True)
    query = models.image.embed_text(["a bird"])[0]
    assert second.joint @ query > first.joint @ query + 0.1


def test_label_names_are_distinct(models: Models) -> None:
    from perception.models.imagenet import class_names

    names = class_names()
    assert len(set(names)) == 1000
    assert (names[0], names[285], names[967]) == ("tench", "Egyptian cat", "espresso")


# --- objects ----------------------------------------------------------------------------------------------------------


def test_objects_in_the_street(models: Models, street: np.ndarray) -> None:
    assert models.detector is not None
    (found,) = models.detector.detect([street])
    labels = [one.label for one in found]
    assert labels.count("person") >= 4
    assert "car" in labels
    assert set(labels) <= set(models.detector.labels)
    assert len(models.detector.labels) == 80
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert 0 <= one.box[0] < one.box[2] <= 1
        assert 0 <= one.box[1] < one.box[3] <= 1
        assert one.score >= 0.4


def test_boxes_follow_the_picture(models: Models, street: np.ndarray) -> None:
    """On a canvas twice as wide, the boxes lie in its left half."""
    assert models.detector is not None
    wide = np.zeros((street.shape[0], street.shape[1] * 2, 3), dtype=np.uint8)
    wide[:, : street.shape[1]] = street
    found = [one for one in models.detector.detect([wide])[0] if one.label == "person"]
    assert found
    assert all(one.box[2] < 0.55 for one in found)


# --- voice ------------------------------------------------------------------------------------------------------------


def _speech(evaluation_data: Path) -> np.ndarray:
    files = sorted((evaluation_data / "media" / "speech").glob("*.wav"))
    sound = np.concatenate([np.zeros(32_000, np.float32), _sound(files[0]), np.zeros(32_000, np.float32)])
    return sound[: len(sound) // 512 * 512]


def test_voice_is_heard_where_it_is(models: Models, evaluation_data: Path) -> None:
    assert models.voice is not None
    models.voice.set_state(None)
    sound = _speech(evaluation_data)
    found = models.voice.probabilities(sound)
    assert found.shape == (len(sound) // 512,)
    assert found[:55].max() < 0.3
    assert (found[70:-70] > 0.5).mean() > 0.8
    assert found[-40:].max() < 0.3


def test_voice_is_the_same_to_the_bit_however_it_is_cut(models: Models, evaluation_data: Path) -> None:
    voice = models.voice
    assert voice is not None
    sound = _speech(evaluation_data)
    voice.set_state(None)
    whole = voice.probabilities(sound)
    voice.set_state(None)
    parts: list[np.ndarray] = []
    for start in range(0, 100 * 512, 7 * 512):
        parts.append(voice.probabilities(sound[start : min(start + 7 * 512, 100 * 512)]))
        kept = voice.get_state()
        voice.probabilities(np.ones(512, dtype=np.float32))  # another stream in between
        voice.set_state(kept)
    parts.append(voice.probabilities(sound[100 * 512 :]))
    assert np.array_equal(np.concatenate(parts), whole)
    with pytest.raises(InputError, match="512"):
        voice.probabilities(sound[:500])


# --- speech -----------------------------------------------------------------------------------------------------------


def test_speech_words_and_times(models: Models, evaluation_data: Path) -> None:
    assert models.speech is not None
    sound = _sound(sorted((evaluation_data / "media" / "speech").glob("*0920.wav"))[0])
    pause = np.zeros(3 * 16_000, dtype=np.float32)
    heard = models.speech.transcribe(np.concatenate([pause, sound]))
    text = re.sub(r"[^a-z ]", "", " ".join(one.text for one in heard).lower())
    assert "had he married a more amiable woman" in text
    assert 2.5 < heard[0].t_start_s < 3.6
    assert heard[-1].t_end_s <= 3 + len(sound) / 16_000 + 0.1
    assert all(0 < one.confidence <= 1 for one in heard)


def test_no_words_in_noise_and_silence(models: Models) -> None:
    assert models.speech is not None
    noise = np.random.default_rng(0).normal(0, 0.05, 5 * 16_000).astype(np.float32)
    assert models.speech.transcribe(noise) == []
    assert models.speech.transcribe(np.zeros(0, dtype=np.float32)) == []


# --- text in view -----------------------------------------------------------------------------------------------------


def _sign() -> np.ndarray:
    image = np.full((480, 854, 3), 230, dtype=np.uint8)
    cv2.putText(image, "Platform 9 closes at 17:45", (60, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 2, 16)
    cv2.putText(image, "EXIT", (600, 400), cv2.FONT_HERSHEY_DUPLEX, 1.2, (200, 30, 30), 2, 16)
    return image


def test_text_is_read_and_placed(models: Models) -> None:
    assert models.ocr is not None
    found = models.ocr.read(_sign())
    assert [one.text for one in found] == ["Platform 9 closes at 17:45", "EXIT"]
    x1, y1, x2, y2 = found[1].box
    assert 0.66 < x1 < 0.72 < x2 < 0.86
    assert 0.72 < y1 < 0.79 < y2 < 0.88
    assert all(one.score > 0.9 for one in found)


def test_tilted_text_is_read(models: Models) -> None:
    assert models.ocr is not None
    turn = cv2.getRotationMatrix2D((427, 240), 12, 1.0)
    image = cv2.warpAffine(_sign(), turn, (854, 480), borderValue=(230, 230, 230))
    assert "Platform 9 closes at 17:45" in [one.text for one in models.ocr.read(np.asarray(image, dtype=np.uint8))]


def test_titles_of_a_film_and_none_where_none_are(models: Models, evaluation_data: Path, street: np.ndarray) -> None:
    assert models.ocr is not None
    title = _frame(evaluation_data / "media" / "trailer_bbb.mp4", 12)
    assert "An unlucky bird" in [one.text for one in models.ocr.read(title)]
    assert models.ocr.read(street) == []
