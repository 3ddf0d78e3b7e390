"""Which events answers have cited: what is used is not forgotten.

One line of JSON per answer in `citations.jsonl`, event ids only, appended in one write, so a reader of the memory may
note what it cites while another process writes to it. A line that a crash cut short is skipped. A memory that may only
be read keeps no note.
"""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

logger = logging.getLogger(__name__)

CITATIONS_FILE = "citations.jsonl"


class Citations:
    """The citations of one memory folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / CITATIONS_FILE

    def add(self, event_ids: Iterable[str]) -> bool:
        """Notes one answer. Returns False where nothing could be noted."""
        cited = list(dict.fromkeys(event_ids))
        if not cited:
            return False
        line = json.dumps(cited, separators=(",", ":")) + "\n"
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            logger.info("What was cited could not be noted in %s: %s", self._path, error)
            return False
        return True

    def counts(self) -> Counter[str]:
        """How many answers cited each event."""
        found: Counter[str] = Counter()
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return found
        for line in text.splitlines():
            try:
                cited: object = json.loads(line)
            except ValueError:
                continue
            if isinstance(cited, list):
                found.update(one for one in cast(list[Any], cited) if isinstance(one, str))
        return found
