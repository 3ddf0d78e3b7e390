"""EfficientNet-Lite0 as a torch module: the network alone, no labels, no weights file, no joint space.

Batch normalisation is folded into the convolutions when the weights are read, which saves a third of the time.
Tan and Le, "EfficientNet" (2019), in the Lite form: no squeeze-and-excitation, ReLU6, stem and head not scaled.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

INPUT_SIZE = 224
FEATURE_DIM = 1280
NORM_EPSILON = 1e-3
"""Of the TensorFlow original; torch's own default is another."""


@dataclass(frozen=True, slots=True)
class _Stage:
    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


class EfficientNetLite0(nn.Module):
    """Images (B, 3, 224, 224) float32, `(x - 127) / 128` -> features (B, 1280) and ImageNet logits (B, 1000)."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.stem = _Conv(weights, "_conv_stem", "_bn0", stride=2, size=INPUT_SIZE)
        size, channels = INPUT_SIZE // 2, 32
        blocks: list[_Block] = []
        for stage in _STAGES:
            for repeat in range(stage.repeats):
                stride = stage.stride if repeat == 0 else 1
                shortcut = stride == 1 and channels == stage.channels
                prefix = f"_blocks.{len(blocks)}."
                blocks.append(
                    _Block(weights, prefix, stride=stride, size=size, expand=stage.expand > 1, shortcut=shortcut)
                )
                size, channels = -(-size // stride), stage.channels
        self.blocks = nn.Sequential(*blocks)
        self.head = _Conv(weights, "_conv_head", "_bn1", stride=1, size=size)
        self.classify = nn.Linear(FEATURE_DIM, 1000)
        self.classify.load_state_dict({"weight": weights["_fc.weight"], "bias": weights["_fc.bias"]})

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.head(self.blocks(self.stem(images))).mean(dim=(2, 3))  # (B, 1280)
        return features, self.classify(features)


class _Block(nn.Module):
    """Mobile inverted bottleneck: widen, convolve each channel, narrow."""

    def __init__(
        self,
        weights: dict[str, torch.Tensor],
        prefix: str,
        *,
        stride: int,
        size: int,
        expand: bool,
        shortcut: bool,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if expand:
            layers.append(_Conv(weights, f"{prefix}_expand_conv", f"{prefix}_bn0", stride=1, size=size))
        layers.append(_Conv(weights, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride=stride, size=size))
        layers.append(_Conv(weights, f"{prefix}_project_conv", f"{prefix}_bn2", stride=1, size=size, clip=False))
        self.layers = nn.Sequential(*layers)
        self.shortcut = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x) if self.shortcut else self.layers(x)


class _Conv(nn.Module):
    """Convolution with its normalisation folded in, TensorFlow's SAME padding (more on the right and below)."""

    def __init__(
        self, weights: dict[str, torch.Tensor], conv: str, norm: str, *, stride: int, size: int, clip: bool = True
    ) -> None:
        super().__init__()
        kernel = weights[f"{conv}.weight"]
        scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + NORM_EPSILON)
        self.kernel = nn.Parameter(
            (kernel * scale[:, None, None, None]).contiguous(memory_format=torch.channels_last), requires_grad=False
        )
        self.bias = nn.Parameter(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale, requires_grad=False)
        self.stride, self.clip = stride, clip
        # Every kernel that is one channel deep is a depthwise one: no layer here has a single input channel.
        self.groups = kernel.shape[0] if kernel.shape[1] == 1 else 1
        total = max((-(-size // stride) - 1) * stride + kernel.shape[-1] - size, 0)
        before, after = total // 2, total - total // 2
        self.pad = (before, after, before, after)
        self.padding = before if before == after else 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.padding != self.pad[1]:
            x = nn.functional.pad(x, self.pad)
        x = nn.functional.conv2d(x, self.kernel, self.bias, self.stride, self.padding, 1, self.groups)
        return x.clamp_(0, 6) if self.clip else x
