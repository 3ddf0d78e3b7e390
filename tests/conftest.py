"""What several test modules share: the sample clip remembered once, the evaluation data, and the command line."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "demos/sample/street_talk.mp4"

# OpenMP reads it when the first runtime is loaded, which some test modules do on import.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Whatever runs in the background ignores it, and so would the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs a command line in this process: `command("info", "--memory", folder)`."""
    from streammem.app.cli import run

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def sample_truth() -> dict[str, Any]:
    """What is said, seen and written in the sample clip, and when."""
    return json.loads(SAMPLE.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def sample_memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample clip, remembered with the default config. Read it, do not write to it."""
    from streammem import ingest
    from streammem.errors import MissingDependencyError, ModelError

    folder = tmp_path_factory.mktemp("sample") / "memory"
    try:
        done = ingest(SAMPLE, memory=folder)
    except (MissingDependencyError, ModelError) as error:
        pytest.skip(f"embedded weights are not installed: {error}")
    assert done.recordings[0].status == "complete"
    return folder


@pytest.fixture(scope="session")
def light_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config with cuts, levels and a sentence encoder, but no model that sees, hears or reads."""
    path = tmp_path_factory.mktemp("config") / "light.yaml"
    path.write_text("models: {text: minilm-l6-v2}\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def evaluation_data() -> Path:
    """The evaluation data folder (`STREAMMEM_EVAL_DATA`, else `../shared/data`), which is not part of this project."""
    given = os.environ.get("STREAMMEM_EVAL_DATA")
    folder = Path(given) if given else ROOT.parent / "shared/data"
    if not folder.is_dir():
        pytest.skip("the evaluation data folder is not here; name it in STREAMMEM_EVAL_DATA")
    return folder
