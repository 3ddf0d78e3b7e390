"""How many threads the model runtimes use, decided in one place. Knows no model. Costs nothing at import.

Why it must be decided: every runtime here (torch, OpenCV, CTranslate2, ONNX Runtime) by default takes all cores, and
OpenMP threads spin while they wait. Two spinning runtimes on two busy cores made a 20 ms network take 555 ms. So the
wait policy is passive, and each role uses the number of threads its settings say, one by default: the pipeline runs
several models side by side, which fills the cores better than one model split over them (EfficientNet-Lite0: 17 ms on
one thread, 25 ms on two).
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime

logger = logging.getLogger(__name__)


def set_wait_policy() -> None:
    """Makes OpenMP threads sleep while they wait. OpenMP reads it once, when the first runtime is loaded; what the
    user has set stays."""
    if "torch" in sys.modules and "OMP_WAIT_POLICY" not in os.environ:
        logger.debug("torch was imported before the models: OpenMP keeps its own wait policy")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # tokenizers warns, and switches itself off, when a process forks after using it; its share of the time is small.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def set_torch_threads(threads: int) -> None:
    """Torch has one number for the process, so the roles that use it get the largest that one of them asks for."""
    import torch

    if torch.get_num_threads() != (wanted := max(threads, _torch_threads[0])):
        torch.set_num_threads(wanted)
    _torch_threads[0] = wanted


_torch_threads = [1]


def set_opencv_threads(threads: int) -> None:
    """OpenCV has one number for the process too; resizing, optical flow and the networks go by it."""
    import cv2

    cv2.setNumThreads(threads)


def onnx_session(model: str | bytes, *, threads: int, arena: bool = False) -> onnxruntime.InferenceSession:
    """Opens an ONNX model, a path or its bytes, on the CPU with that many threads, which sleep between calls.

    An arena makes networks with large maps a fifth faster, but grows to the sum of the largest shapes it saw and keeps
    it: for inputs of one size only."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = arena
    options.log_severity_level = 3  # errors: the graph optimiser warns of initialisers it removes
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
