"""An older memory is read as it is, and brought to this schema by the first writer, also one that is interrupted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import lancedb
import pytest

from streammem.memory import Memory
from streammem.store import migrations
from streammem.store.filters import Where
from streammem.store.migrations import MANIFEST_FILE, Manifest, prepare_folder, read_manifest, write_manifest
from streammem.store.tables import BELIEFS, EVENTS, FACTS, LANDMARKS, OBSERVATIONS
from streammem.types import Fact, Level
from tests.bundles import WordEncoder, bundle_of


def lose_searched_lines(folder: Path) -> None:
    """As schema 3 wrote lines: their words alone are looked up."""
    table = lancedb.connect(str(folder)).open_table(OBSERVATIONS)
    table.drop_index("searched_idx")
    table.drop_columns(["searched"])
    table.create_index("text", config=lancedb.index.FTS(stem=True, remove_stop_words=True))


def step_back(folder: Path, *, to: int) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"schema_version": to, "migrations": manifest["migrations"][:to]}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """As schema 2 wrote it: moments have their text where events have it."""
    folder = tmp_path / "m"
    with Memory.open(folder, write=True, create=True, encoder=WordEncoder()) as memory:
        bundle = bundle_of(0)
        moments = tuple(replace(one, text=f"glimpse {n}") for n, one in enumerate(bundle.moments))
        memory.write(replace(bundle, moments=moments))
    table = lancedb.connect(str(folder)).open_table(EVENTS)
    table.update(where="level = 'moment'", values_sql={"text": "moment_text"})
    table.drop_columns(["moment_text"])
    lose_searched_lines(folder)
    step_back(folder, to=2)
    return folder


def check(folder: Path, *, write: bool) -> None:
    with Memory.open(folder, write=write) as memory:
        moments = memory.events(level=Level.MOMENT)
        assert [one.text for one in moments] == [f"glimpse {n}" for n in range(5)]
        assert len(memory.events()) == 1


def test_texts_of_moments_move_out_of_the_full_text_index(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(old, write=False)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "rebuild_full_text", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            Memory.open(old, write=True)
    check(old, write=False)
    check(old, write=True)
    with Memory.open(old) as memory:
        assert memory._reader.full_text(EVENTS, "glimpse", Where(), columns=["event_id"], limit=5) == []
        assert len(memory._reader.full_text(EVENTS, "heron", Where(), columns=["event_id"], limit=5)) == 1
    assert migrations.read_manifest(old).schema_version == migrations.SCHEMA_VERSION


def test_lines_are_found_by_who_said_them(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with Memory.open(folder, write=True, create=True, encoder=WordEncoder()) as memory:
        bundle = bundle_of(0)
        names = ("Wren", None, None)
        lines = [replace(one, speaker=name) for one, name in zip(bundle.observations, names, strict=True)]
        memory.write(replace(bundle, observations=tuple(lines)))

    def found(words: str) -> list[str]:
        with Memory.open(folder) as memory:
            rows = memory._reader.full_text(OBSERVATIONS, words, Where(), columns=["text"], limit=5)
            return [row["text"] for row in rows]

    assert found("wren") == [lines[0].text]
    lose_searched_lines(folder)
    step_back(folder, to=3)
    assert found("wren") == []
    assert found("heron") == [lines[0].text]
    with Memory.open(folder, write=True):
        pass
    assert found("wren") == [lines[0].text]
    assert found("harbour person") != []


def test_rooms_and_walks_are_written_to_a_memory_from_before_them(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with Memory.open(folder, write=True, create=True) as memory:
        memory.write(bundle_of(0))
    step_back(folder, to=5)
    with Memory.open(folder) as memory:
        assert memory.spatial_rows(LANDMARKS, Where()) == []
    row = {"row_id": "a", "recording": "r", "walk": "w", "label": "cafe", "said": "Cafe", "number": 0,
           "t_start_ns": 1, "t_end_ns": 1, "places": ["x", "y"], "shares": [0.25, 0.1]}  # fmt: skip
    with Memory.open(folder, write=True) as memory:
        assert memory.put_spatial_rows({LANDMARKS: [row]}) == 1
        memory.flush()
    assert migrations.read_manifest(folder).schema_version == migrations.SCHEMA_VERSION
    with Memory.open(folder) as memory:
        assert memory.spatial_rows(LANDMARKS, Where(), columns=list(row)) == [row]
        assert len(memory.events()) == 1


def test_facts_of_before_stay_and_new_ones_know_who_said_so(tmp_path: Path) -> None:
    folder = tmp_path / "m"

    def said(number: int, value: str, *by: str) -> None:
        bundle = bundle_of(number)
        fact = Fact(
            fact_id="", recording=bundle.event.recording, subject="Anna", predicate="lives in", object=value,
            t_from_ns=bundle.event.t_start_ns, t_to_ns=None, confidence=0.5, count=1,
            event_ids=(bundle.event.event_id,), stated_by=by,
        )  # fmt: skip
        with Memory.open(folder, write=True, create=True) as memory:
            memory.write(replace(bundle, facts=(fact,)))
            memory.flush()
            memory.compact()

    def homes() -> list[tuple[str, bool, tuple[str, ...]]]:
        with Memory.open(folder) as memory:
            return [(one.object, one.t_to_ns is None, one.stated_by) for one in memory.facts(subject="Anna")]

    said(0, "Paris")
    said(1, "Oslo")
    connection = lancedb.connect(str(folder))
    connection.open_table(FACTS).drop_columns(["stated_by"])
    connection.open_table(BELIEFS).drop_columns(["stated_bys", "held_by", "closes"])
    connection.open_table(BELIEFS).update(where="key <> 'watermark'", values={"key": "another"})
    step_back(folder, to=6)
    before = [("Paris", False, ()), ("Oslo", True, ())]
    assert homes() == before
    said(2, "Rome", "Bob")
    assert migrations.read_manifest(folder).schema_version == migrations.SCHEMA_VERSION
    assert homes() == [*before, ("Rome", True, ("Bob",))]
    said(3, "Bern", "Anna")
    assert homes() == [("Paris", False, ()), ("Oslo", False, ()), ("Rome", False, ("Bob",)), ("Bern", True, ("Anna",))]


def test_a_memory_that_is_made_while_one_looks_is_a_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer puts the manifest there between the look for it and the look at what else there is."""
    folder = tmp_path / "m"
    real = Path.read_text

    def late(self: Path, *args: Any, **given: Any) -> str:
        if self.name == MANIFEST_FILE and not self.exists():
            prepare_folder(folder)
            write_manifest(folder, Manifest())
            raise FileNotFoundError(self)
        return real(self, *args, **given)

    monkeypatch.setattr(Path, "read_text", late)
    assert read_manifest(folder) == Manifest()
