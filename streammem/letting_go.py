"""The part of `Memory` that lets go: forgetting for good, and facts that fade. The door; parts do the work."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from streammem.protocols import QueryEncoder
from streammem.types import Recording

if TYPE_CHECKING:
    from streammem.semantic.beliefs import Beliefs
    from streammem.semantic.citations import Citations
    from streammem.semantic.forgetting import Faded
    from streammem.settings import ForgettingSettings
    from streammem.store.forget import Forgotten
    from streammem.store.forgetting import Forgetting
    from streammem.store.writer import Writer

logger = logging.getLogger(__name__)


class LettingGo:
    """What `Memory` brings is named first."""

    _forgetting: Forgetting
    _beliefs: Beliefs
    _citations: Citations
    _encoder: QueryEncoder | None
    _known: dict[str, set[str]]
    forgettings: int

    def _writing(self) -> Writer:
        raise NotImplementedError

    def _settle(self) -> None:
        raise NotImplementedError

    def _flush_histories(self) -> None:
        raise NotImplementedError

    def flush(self) -> None:
        """See `Memory.flush`."""
        raise NotImplementedError

    def recordings(self) -> list[Recording]:
        """See `Memory.recordings`."""
        raise NotImplementedError

    def delete_facts(self, assertion_ids: Sequence[str]) -> int:
        """Takes assertions of facts out of memory: for a policy that lets fade what is weak. Not secret: their bytes
        leave with the next `compact`, and the same event written anew would bring them back.

        Returns:
            How many there were.
        """
        from streammem.store.filters import Where
        from streammem.store.tables import FACTS

        where = Where().among("assertion_id", assertion_ids).sql()
        return self._writing().delete(FACTS, where) if where is not None and assertion_ids else 0

    def forget(
        self,
        *,
        recordings: Sequence[str] | None = None,
        after_ns: int | None = None,
        before_ns: int | None = None,
        about: str | None = None,
        text: str | None = None,
        dry_run: bool = False,
    ) -> Forgotten:
        """Forgets: gone from every table, picture, index and old version, and from the summaries that quoted it. It
        does not come back when the same file is ingested again (`remember_again`). Everything given must hold.

        Args:
            recordings: alone: these, whole.
            after_ns, before_ns: what overlaps the span between them.
            about: a person or an object: what is labelled so, said by, or names it.
            text: what says it, in any capitals.
            dry_run: only say what would go; then the memory may be open for reading.

        Raises:
            InputError: nothing is selected, or a recording is unknown.
            MemoryFullError: the disk is full. What was begun is finished when there is room, by the next open.
        """
        from streammem.store.selection import Selection

        names = None if recordings is None else tuple(recordings)
        chosen = Selection(recordings=names, after_ns=after_ns, before_ns=before_ns, about=about, text=text)
        self._settle()
        if dry_run:
            return self._forgetting.preview(chosen)
        self._flush_histories()
        done = self._forgetting.forget(self._writing(), chosen, encoder=self._encoder)
        self._known.clear()
        self.forgettings += 1
        return done

    def is_forgotten(self, fingerprint: str) -> bool:
        """Whether the recording of a file with this fingerprint was forgotten as a whole."""
        return self._forgetting.is_forgotten(fingerprint)

    def remember_again(self, fingerprint: str) -> None:
        """Takes back every forgetting of this file's recording. What is left of it in memory goes, so that ingesting
        it again remembers all of it."""
        self.flush()
        self._forgetting.lift(self._writing(), fingerprint)
        self._known.clear()

    def fade(self, settings: ForgettingSettings, *, dry_run: bool = False) -> Faded:
        """Lets go of facts that are weak by age, use and importance; off unless a config says otherwise, and nothing
        that an answer cited. Only facts go: the events they came from stay.

        Returns:
            Every fact that goes, with the reason.
        """
        from dataclasses import replace

        from streammem.semantic.forgetting import plan

        self._settle()
        now_ns = max((one.t_end_ns for one in self.recordings()), default=0)
        stated = self._beliefs.stated()
        now_ns = max([now_ns, *(last_ns for _, last_ns in stated)])
        faded = plan(stated, cited=self._citations.counts(), now_ns=now_ns, settings=settings)
        if dry_run or not settings.is_on or not faded.fading:
            return faded
        ids = self._beliefs.assertions_of([(one.fact, one.last_ns) for one in faded.fading])
        gone = self.delete_facts(ids)
        for one in faded.fading:
            logger.info("forgotten: %s", one.why)
        return replace(faded, assertions=gone)

    def cite(self, event_ids: Iterable[str]) -> None:
        """Notes that an answer cited these events; what was cited does not fade. Needs no writer."""
        self._citations.add(event_ids)
