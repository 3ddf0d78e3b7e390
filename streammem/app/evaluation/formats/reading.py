"""Reading published files: JSON and JSON Lines, every record checked, one sentence for the first bad one.

Knows no format. A sentence names the file, the line or record, and the field.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from streammem.errors import InputError

MEDIA = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v", ".ts", ".wav", ".mp3", ".m4a", ".flac", ".ogg")


class Row(BaseModel):
    """A published record. Fields that are not needed are let through: datasets grow columns."""

    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=True)


R = TypeVar("R", bound=BaseModel)


def read_json_lines(path: Path, model: type[R]) -> list[tuple[str, R]]:
    """Every line as `model`, with the words that name it (`line 3`).

    Raises:
        InputError: the file cannot be read, a line is no JSON, or a field is missing or wrong.
    """
    rows: list[tuple[str, R]] = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            value: object = json.loads(line)
        except ValueError as error:
            raise InputError(f"{str(path)!r}, {where}: not JSON ({error}).") from error
        rows.append((where, checked(value, model, path, where)))
    if not rows:
        raise InputError(f"{str(path)!r} holds no records.")
    return rows


def read_json(path: Path) -> Any:
    """A JSON file.

    Raises:
        InputError: it cannot be read, or is no JSON.
    """
    text = _text(path)
    try:
        return json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise InputError(f"{str(path)!r}, line {line}: not JSON ({error}).") from error


def read_json_list(path: Path, model: type[R]) -> list[tuple[str, R]]:
    """A JSON file that is a list of records, each with the words that name it (`record 3`, counted from 1).

    Raises:
        InputError: see `read_json`; not a list, or a bad record.
    """
    value = read_json(path)
    if not isinstance(value, list) or not value:
        raise InputError(f"{str(path)!r} must be a JSON list of records and not empty.")
    rows = cast(list[object], value)
    return [(f"record {n}", checked(row, model, path, f"record {n}")) for n, row in enumerate(rows, start=1)]


def checked(value: object, model: type[R], path: Path, where: str) -> R:
    """A record as `model`.

    Raises:
        InputError: one sentence with the file, the record and the field.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        steps = ".".join(str(part) for part in first["loc"])
        name = f", field {steps!r}" if steps else ""
        raise InputError(f"{str(path)!r}, {where}{name}: {first['msg'].rstrip('.')}.") from error


def bad(path: Path, where: str, field: str, problem: str) -> InputError:
    """The error for a record that is well formed and still wrong."""
    return InputError(f"{str(path)!r}, {where}, field {field!r}: {problem.rstrip('.')}.")


def letter_index(letter: str, count: int, path: Path, where: str, field: str) -> int:
    """0 for `A`, `a`, `(A)`, `A.`; within `count` choices.

    Raises:
        InputError: it is no letter of a choice.
    """
    match = re.fullmatch(r"\(?([A-Za-z])\)?[.:)]?", letter.strip())
    index = ord(match.group(1).upper()) - ord("A") if match else -1
    if not 0 <= index < count:
        last = chr(ord("A") + count - 1)
        raise bad(path, where, field, f"{letter!r} is none of the letters A to {last}")
    return index


def without_letters(options: Sequence[str]) -> tuple[str, ...]:
    """`A. red`, `(B) blue` -> `red`, `blue`, where every option begins with its own letter; else as they are."""
    stripped: list[str] = []
    for index, option in enumerate(options):
        match = re.match(rf"\s*\(?{chr(65 + index)}[.):]\s*(.+)", option, flags=re.DOTALL)
        if match is None:
            return tuple(options)
        stripped.append(match.group(1).strip())
    return tuple(stripped)


def clock_s(text: str) -> float:
    """`SS`, `MM:SS` or `HH:MM:SS` in seconds.

    Raises:
        ValueError: not a time.
    """
    seconds = 0.0
    for part in text.strip().split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def the_file(path: Path, *names: str, what: str) -> Path:
    """`path` if it is a file; else the first of `names` (patterns) in the folder.

    Raises:
        InputError: there is none; the sentence lists the names looked for.
    """
    if path.is_file():
        return path
    if not path.exists():
        raise InputError(f"{str(path)!r} does not exist; give {what}.")
    for name in names:
        found = sorted(path.glob(name))
        if found:
            return found[0]
    raise InputError(f"Folder {str(path)!r} holds none of {', '.join(names)}; give {what}.")


def find_media(folder: Path, name: str) -> Path | None:
    """The media file `name` (with or without a suffix) in a folder, its `videos/`, or any folder below."""
    for place in (folder, folder / "videos"):
        if (place / name).is_file():
            return place / name
        for suffix in MEDIA:
            if (place / f"{name}{suffix}").is_file():
                return place / f"{name}{suffix}"
    stem = Path(name).name
    wanted = {stem, *(stem + suffix for suffix in MEDIA)}
    return next((path for path in _files(folder) if path.name in wanted), None)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in MEDIA and path.is_file())


def _text(path: Path) -> str:
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return data.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{str(path)!r} cannot be read: {reason}.") from error
