from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from perception.models import registry
from perception.models.registry import ModelQueryEncoder, Models, load_models, model_identity, register
from streammem.errors import ConfigError
from streammem.settings import ModelSettings, ModelsSettings


class Letters:
    """A third party's encoder: counts letters."""

    name, dim = "letters", 26

    def encode(self, texts: list[str]) -> np.ndarray:
        counts = np.array([[text.count(chr(97 + i)) for i in range(26)] for text in texts], dtype=np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


loads: list[str] = []


def slow_factory(settings: ModelSettings) -> Letters:
    loads.append(settings.name)
    time.sleep(0.05)
    return Letters()


def _text(name: str) -> ModelsSettings:
    return ModelsSettings(text=ModelSettings(name=name))


def test_import_loads_nothing_heavy() -> None:
    code = (
        "import sys; from perception.models.registry import load_models; from streammem.settings import load_settings\n"
        "load_models(load_settings().models).names()\n"
        "print([m for m in ('torch', 'cv2', 'onnxruntime', 'transformers', 'ctranslate2') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(ConfigError, match=r"text model named 'minlm'.*minilm-l6-v2"):
        load_models(_text("minlm"))


def test_third_party_by_name_and_by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._FACTORIES, "text", dict(registry._FACTORIES["text"]))
    register("text", "letters", slow_factory)
    with pytest.raises(ConfigError, match="taken"):
        register("text", "letters", slow_factory)
    assert load_models(_text("letters")).text.dim == 26
    assert load_models(_text(f"{__name__}:slow_factory")).text.encode(["a"])[0, 0] == 1


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no_such_package:load", "cannot be imported"),
        ("math:no_such_factory", "cannot be imported"),
        ("math:pi", "cannot be called"),
        ("builtins:type", r"has no encode\(\)"),
    ],
)
def test_bad_paths_are_said(path: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        _ = load_models(_text(path)).text


def test_a_model_is_loaded_once_by_many_threads() -> None:
    loads.clear()
    chosen = load_models(_text(f"{__name__}:slow_factory"))
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(chosen.text)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert len({id(one) for one in found}) == 1


def test_identity_tells_hub_models_apart() -> None:
    assert model_identity(ModelSettings(name="minilm-l6-v2")) == "minilm-l6-v2"
    hub = ModelSettings(name="transformers-text", model="a/b", revision="c0ffee")
    assert model_identity(hub) == "transformers-text:a/b@c0ffee"


def test_roles_that_are_off_are_none() -> None:
    chosen = load_models(_text("minilm-l6-v2"))
    assert (chosen.image, chosen.speech, chosen.names()) == (None, None, {"text": "minilm-l6-v2"})
    encoder = ModelQueryEncoder(chosen)
    assert encoder.encode_text_for_images(["a"]) is None
    assert encoder.encode_image(np.zeros((8, 8, 3), dtype=np.uint8)) is None


def test_query_encoder_uses_the_models(models: Models) -> None:
    encoder = ModelQueryEncoder(models)
    assert encoder.text_model == models.text.name == "minilm-l6-v2"
    assert models.image is not None
    joint = encoder.encode_text_for_images(["a cat"])
    assert joint is not None
    assert joint.shape == (1, models.image.joint_dim)
    feature = encoder.encode_image(np.zeros((90, 160, 3), dtype=np.uint8))
    assert feature is not None
    assert feature.shape == (models.image.feature_dim,)
    assert np.linalg.norm(feature) == pytest.approx(1, abs=1e-5)
