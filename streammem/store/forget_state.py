"""Forgetting in the tables of state and the places' histories: a recording goes; of a span, what was learned in it.

Nothing is chosen row by row: which recordings and which span is enough to do it, to note it without content, and to do
it again after a crash. A person, an object or a text selects nothing here: these tables have no words. Costs the
reading of the rows that overlap the span.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from streammem.spatial.place_history import HISTORY_FOLDER, count_histories, forget_histories
from streammem.store.filters import Where
from streammem.store.reader import Reader
from streammem.store.selection import Selection
from streammem.store.state import STATE, live
from streammem.store.writer import Writer

ROWS_AT_ONCE = 50_000
"""Rows rewritten together: 30 MB of a map."""
_ALWAYS_NS = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What goes: what was learned in [after, before) (None: without end), of some recordings, or of all (None)."""

    recordings: tuple[str, ...] | None = None
    after_ns: int | None = None
    before_ns: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whole recordings."""
        return self.after_ns is None and self.before_ns is None

    def where(self) -> Where:
        return live(Where().among("recording", self.recordings).overlaps(self.after_ns, self.before_ns, None))


def cut_of(selection: Selection) -> Cut | None:
    """None where words are among the conditions."""
    if selection.has_words:
        return None
    return Cut(recordings=selection.recordings, after_ns=selection.after_ns, before_ns=selection.before_ns)


def count_concerned(reader: Reader, cut: Cut | None) -> dict[str, int]:
    """Rows that a cut removes or may shorten, by table; tables without any are left out."""
    if cut is None:
        return {}
    counts = {name: reader.count(name, cut.where()) for name in STATE}
    counts[HISTORY_FOLDER] = count_histories(reader.folder, cut.recordings, cut.after_ns, cut.before_ns)
    return {name: count for name, count in counts.items() if count}


def carry_out(writer: Writer, cut: Cut) -> set[str]:
    """Forgets; may be repeated. Returns the tables concerned: their bytes leave with `Writer.purge`."""
    where = cut.where()
    with writer.exclusive() as tables:
        held = [name for name in STATE if name in tables]
        for name in held:
            if cut.is_whole:
                writer.delete(name, where.sql() or "true")
                continue
            rows = writer.reader.arrow(name, where)
            start_ns = -_ALWAYS_NS if cut.after_ns is None else cut.after_ns
            end_ns = _ALWAYS_NS if cut.before_ns is None else cut.before_ns
            for begin in range(0, 0 if rows is None else int(rows.num_rows), ROWS_AT_ONCE):
                part: Any = rows.slice(begin, ROWS_AT_ONCE)  # type: ignore[union-attr]
                writer.upsert(name, STATE[name].without_span(part, start_ns, end_ns))
        forget_histories(writer.folder, cut.recordings, cut.after_ns, cut.before_ns)
    return set(held)


def as_note(cut: Cut | None) -> dict[str, Any] | None:
    """For the note of a forgetting that is under way."""
    return None if cut is None else asdict(cut)


def of_note(note: dict[str, Any] | None) -> Cut | None:
    if note is None:
        return None
    names: list[str] | None = note["recordings"]
    return Cut(
        recordings=None if names is None else tuple(names), after_ns=note["after_ns"], before_ns=note["before_ns"]
    )
