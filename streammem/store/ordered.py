"""The first few rows in order of (recording, time) or of time, without sorting the table.

LanceDB sorts by reading every row that passes: 3.3 s for the first of a million events. Recordings are known by name,
so they are gone through in order, each in slices of time that double, which the scalar indexes find at once. Exact: the
slices cover all of time. Gives up (None) where that is no shorter: a recording that the table of recordings does not
know, or a filter that passes next to nothing. Costs a few milliseconds a slice.
"""

from __future__ import annotations

from typing import Any

from streammem.store import lance
from streammem.store.filters import Where, quoted

LARGE_ROWS = 50_000
"""Of smaller tables all rows are sorted: 20 ms."""
MOST_ROWS = 2_000
"""Of more rows than these most of the time goes into reading them, however they are found."""
MOST_SLICES = 40
FIRST_SLICE_NS = 600 * 1_000_000_000


def is_worth_it(handle: Any, order: tuple[str, ...], limit: int) -> bool:
    """Whether `first_rows` is asked. `order`: the columns of the order."""
    times = order[1:] if order[:1] == ("recording",) else order
    return limit <= MOST_ROWS and bool(times) and times[0].endswith("_ns") and int(handle.count_rows()) > LARGE_ROWS


def first_rows(
    handle: Any, condition: str | None, where: Where, columns: list[str], *, order: tuple[str, ...], limit: int,
    recordings: list[tuple[str, int]],
) -> Any | None:  # fmt: skip
    """The first `limit` rows as an Arrow table; None where it gives up.

    Args:
        condition: of `where`, and of what is committed.
        recordings: (name, start in nanoseconds), every one there is.
    """
    names = [("", min((start for _, start in recordings), default=0))]
    by_recording = order[0] == "recording"
    if by_recording:
        names = sorted(recordings)
        for column, values in where.memberships:
            if column == "recording":
                names = [one for one in names if one[0] in values]
        known = ", ".join(quoted(name) for name, _ in names)
        unknown = f"recording NOT IN ({known})" if known else None
        if _rows(handle, _joined(condition, unknown), columns[:1], None, 1) is not None:
            return None
    time = order[1] if by_recording else order[0]
    found: list[Any] = []
    missing, slices = limit, 0
    while names:
        of_part = None
        if by_recording:
            names = names[_first_with_rows(handle, condition, [name for name, _ in names]) :]
            if not names:
                break
            of_part = f"recording = {quoted(names[0][0])}"
        start_ns, names = names[0][1], names[1:]
        low, length = None, FIRST_SLICE_NS
        while (
            low is None
            or _rows(handle, _joined(condition, of_part, f"{time} >= {low}"), columns[:1], None, 1) is not None
        ):
            slices += 1
            if slices > MOST_SLICES:
                return None
            high = (start_ns if low is None else low) + length
            since = None if low is None else f"{time} >= {low}"
            rows = _rows(handle, _joined(condition, of_part, since, f"{time} < {high}"), columns, order, missing)
            if rows is not None:
                found.append(rows)
                missing -= rows.num_rows
            if not missing:
                return lance.arrow().concat_tables(found)
            low, length = high, 2 * length
    return lance.arrow().concat_tables(found) if found else None


def _first_with_rows(handle: Any, condition: str | None, names: list[str]) -> int:
    """The first of these recordings that has rows; their number if none has. Halves them again and again."""
    low, high = 0, len(names)
    while low < high:
        middle = low if low == 0 else (low + high) // 2  # mostly the very first has
        some = ", ".join(quoted(name) for name in names[low : middle + 1])
        if _rows(handle, _joined(condition, f"recording IN ({some})"), ["recording"], None, 1) is not None:
            high = middle
        else:
            low = middle + 1
    return low


def _rows(
    handle: Any, condition: str | None, columns: list[str], order: tuple[str, ...] | None, limit: int
) -> Any | None:
    """None where there are none."""
    query = handle.search().select(columns)
    if condition is not None:
        query = query.where(condition)
    if order is not None:
        query = query.order_by(lance.orderings(order))
    found = query.limit(limit).to_arrow()
    return found if found.num_rows else None


def _joined(*clauses: str | None) -> str | None:
    return " AND ".join(f"({clause})" for clause in clauses if clause is not None) or None
