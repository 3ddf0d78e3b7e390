"""Files that a full disk cut short, though LanceDB reported them as written: versions that name one are taken back.

LanceDB 0.40 does not hear of it when the last few hundred bytes of a data file cannot be written. It commits the file,
and every later read of the table fails. Every file of its format ends with the same four bytes: what does not is cut.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from streammem.errors import MemoryFullError, MemoryStoreError

logger = logging.getLogger(__name__)

_LAST_BYTES = b"LANC"
_MOST_VERSIONS = 2**64 - 1
"""Names of manifests count down from here, so that a listing begins with the newest."""


class CutShortError(MemoryFullError):
    """A commit that LanceDB reported as done holds a file that is not whole."""


class DataFiles:
    """The data files of one table that were looked at. Each is looked at once: they never change."""

    def __init__(self, folder: Path, name: str) -> None:
        self._memory = folder
        self._table = folder / f"{name}.lance"
        self._whole: set[str] = set()

    def check(self, table: Any) -> None:
        """Looks at the files that came since the last time. Costs 0.1 ms.

        Raises:
            CutShortError: the newest version names a file that is not whole. Call `take_back`.
        """
        if cut := self._cut(int(table.version)):
            raise CutShortError(
                f"Memory {str(self._memory)!r} cannot be written: the disk is full ({cut[0]} is cut short); make room "
                "and run the same command again, nothing committed is lost."
            )

    def take_back(self, table: Any) -> int:
        """Goes back to the newest version of a table whose files are whole. Returns how many versions that took back.

        Raises:
            MemoryStoreError: no such version is kept.
        """
        newest = int(table.version)
        if not self._cut(newest):
            return 0
        for version in range(newest - 1, 0, -1):
            if self._manifest(version).exists() and not self._cut(version):
                table.checkout(version)
                table.restore()
                logger.warning("%s: took back %d versions that a full disk cut short", self._table, newest - version)
                return newest - version
        raise MemoryStoreError(
            f"Memory {str(self._memory)!r} has a damaged table {self._table.stem!r}: restore a copy."
        )

    def _cut(self, version: int) -> list[str]:
        """Names of files that a version names and that are not whole."""
        data = self._table / "data"
        new = {path.name for path in data.iterdir()} - self._whole if data.is_dir() else set[str]()
        manifest = self._manifest(version)
        if not new or not manifest.exists():
            return []
        named = manifest.read_bytes()
        # Others are being written at this moment, or were left by a process that was killed.
        concerned = sorted(name for name in new if name.encode() in named)
        cut = [name for name in concerned if not _is_whole(data / name)]
        self._whole.update(set(concerned) - set(cut))
        return cut

    def _manifest(self, version: int) -> Path:
        return self._table / "_versions" / f"{_MOST_VERSIONS - version}.manifest"


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - len(_LAST_BYTES)))
        return file.read() == _LAST_BYTES
