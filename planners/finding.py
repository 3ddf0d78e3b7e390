"""Finding what supports a target: objects by their labels, words by coarse-to-fine recall, pictures by their tags.

Coarse to fine: recall over days, hours, episodes and events with a beam, descend into the best, and merge the flat
hits of the finest level, so that a bad summary cannot hide a detail. In small scopes every line is read, so nothing
can be missed. Knows plans' targets and the memory view; decides nothing about the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planners.english.vocabulary import is_kind_of_person, labels_for_word, names_thing
from planners.english.words import content_words, same_name, stem, without_address
from planners.matches import Match, clip, from_hit, from_observation, joined_sentences, union_spans, with_support
from planners.reading import MemoryView
from planners.relevance import NAMED, PRESENCE, SUPPORT_ENOUGH, VETOED
from planners.windows import Span
from streammem.types import Fact, Hit, KeyFrame, Level, Modality, ObservationKind

READ_ALL_UP_TO = 120
"""Lines in a scope up to which every one is judged; above, those that recall brings (encoding a line costs 2-4 ms)."""
RECALLED = 48
"""Hits taken from each recall; about what can be judged in 0.2 s."""
RECALLED_OF_SPEAKER = 160
"""The same where only one speaker's lines count: recall does not know who spoke."""
TAG_PROBABILITY = 0.15
"""A whole-picture tag below this says nothing: ImageNet classifiers spread their doubt over hundreds of classes."""
TAG_PROBABILITY_THING = 0.35
"""For things that the detector knows: it would have found them, so a tag alone must be rather sure."""
PICTURE_NAMED = 0.5
"""Score of a recalled picture from which on something in it is called what is looked for."""
DETECTION_CONFIDENCE = 0.5
"""An object seen in one track is believed from here on (the detector's own threshold is lower)."""

_WORDS: tuple[ObservationKind, ...] = ("speech", "caption", "text_in_view", "sound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A target taken apart for searching among the labels that were ever seen."""

    things: tuple[str, ...]
    """Words that name things a detector knows or labels that were seen."""
    labels: tuple[tuple[str, ...], ...]
    """For each thing, the labels seen that it names; empty where it was never seen."""
    modifiers: tuple[str, ...]
    """What is said of the things beyond being there: `red`, `laughing`."""
    together: bool
    """The things are wanted at the same time (`a man with a dog`), not one or the other (`cars and bicycles`)."""


def read_target(target: str, *, labels: frozenset[str]) -> Reading:
    """Which of a target's words name things, and what is left."""
    words = content_words(target)
    named: list[str] = []
    found: list[tuple[str, ...]] = []
    used: set[str] = set()
    for label in sorted(labels):
        parts = label.lower().split()
        if len(parts) > 1 and all(any(stem(word) == stem(part) for word in words) for part in parts):
            named.append(label)
            found.append((label,))
            used |= {word for word in words if stem(word) in {stem(part) for part in parts}}
    for word in words:
        if word in used:
            continue
        matching = labels_for_word(word, known=labels)
        if matching or names_thing(word):
            named.append(word)
            found.append(matching)
            used.add(word)
    modifiers = tuple(word for word in words if word not in used and stem(word) not in PRESENCE)
    either = f" {target.lower()} "
    return Reading(
        things=tuple(named),
        labels=tuple(found),
        modifiers=modifiers,
        together=len(named) > 1 and " and " not in either and " or " not in either,
    )


class Finder:
    """Searches one memory view; every method returns matches in order of time."""

    def __init__(self, view: MemoryView, *, beam: int) -> None:
        self.view = view
        self.beam = beam
        self.names: frozenset[str] = frozenset()
        """Words of the question that are written as names, lower-case."""

    def find(
        self,
        target: str,
        *,
        spans: Sequence[Span],
        modalities: tuple[Modality, ...] = (),
        narrowed: bool = False,
        speaker: str | None = None,
        is_thing: bool = False,
    ) -> list[Match]:
        """What supports the target inside the spans, with support of at least `SUPPORT_ENOUGH`.

        Args:
            speaker: only what was said by them, where the memory knows its speakers.
            is_thing: a thing is looked for: what only resembles it does not count.
            modalities: kinds of evidence that count; empty: any.
            narrowed: the spans are less than everything, so recall is asked inside each of them.
        """
        found: list[Match] = []
        if not target.strip():
            return found
        if not modalities or "object" in modalities:
            found += self.objects(target, spans=spans)
        wanted_words: tuple[ObservationKind, ...] = tuple(
            kind for kind in _WORDS if not modalities or kind in modalities
        )
        if wanted_words:
            found += self._in_words(
                target, spans=spans, kinds=wanted_words, narrowed=narrowed, speaker=speaker, is_thing=is_thing
            )
        if is_thing:  # to be named in writing or in words is less than to be seen
            found = [
                with_support(match, 0.9 * match.support) if match.modality in {"text_in_view", "speech"} else match
                for match in found
            ]
        if not any(match.modality == "object" for match in found):  # a track says more, and when
            if not modalities or "visual" in modalities:
                found += self._in_pictures(target, spans=spans, narrowed=narrowed)
            if not modalities or "fact" in modalities:
                found += self._in_facts(target, spans=spans)
        kept = [match for match in found if match.support >= SUPPORT_ENOUGH]
        return sorted(kept, key=lambda each: (each.recording, each.t_start_ns, each.t_end_ns, each.text))

    # --- things seen ---

    def objects(self, target: str, *, spans: Sequence[Span], strict: bool = True) -> list[Match]:
        """Object observations that the target names, with all of its things and nothing said of them beyond that.

        Args:
            strict: False also returns them where something further is said that a detector cannot see.
        """
        reading = read_target(target, labels=self.view.labels)
        if not reading.things or (reading.modifiers and strict):
            return []
        per_thing = [
            self._objects_of(labels, word=word, spans=spans)
            for word, labels in zip(reading.things, reading.labels, strict=True)
        ]
        if reading.together:
            if not all(per_thing):
                return []
            shared = per_thing[-1]
            for others in per_thing[:-1]:
                seen = union_spans(match.span for match in others)
                shared = clip(shared, seen)
            return shared
        return [match for matches in per_thing for match in matches]

    def _objects_of(self, labels: tuple[str, ...], *, word: str, spans: Sequence[Span]) -> list[Match]:
        if not labels:
            return []
        seen = self.view.objects(labels)
        sure = {
            (each.recording, each.track_id or each.observation_id)
            for each in seen
            if each.confidence >= DETECTION_CONFIDENCE or len(labels) > 1
        }
        note = "the detector sees a person, not whether man, woman or child" if is_kind_of_person(word) else ""
        support = 0.75 if note else 0.95
        matches = [
            from_observation(each, support=support * (0.7 + 0.3 * each.confidence), note=note)
            for each in seen
            if (each.recording, each.track_id or each.observation_id) in sure
        ]
        return clip(matches, spans)

    # --- words heard, read or written ---

    def _in_words(
        self,
        target: str,
        *,
        spans: Sequence[Span],
        kinds: tuple[ObservationKind, ...],
        narrowed: bool,
        speaker: str | None,
        is_thing: bool,
    ) -> list[Match]:
        recalled = RECALLED if speaker is None else RECALLED_OF_SPEAKER
        candidates = self.lines(spans=spans, kinds=kinds, target=target, narrowed=narrowed, recalled=recalled)
        if speaker is not None and any(match.speaker for match in candidates):
            candidates = [match for match in candidates if same_name(match.speaker, speaker)]
        names = self.names_in(target)
        texts = [
            f"{match.speaker}: {without_address(match.text, names)}" if match.speaker else match.text
            for match in candidates
        ]
        known = {text: match.cosine for text, match in zip(texts, candidates, strict=True) if match.cosine is not None}
        supports = self.view.relevance.supports(
            target,
            texts,
            cosines=known,
            is_thing=is_thing,
            among=len(candidates) if narrowed else self.view.text_count,
            names=names,
        )
        return [
            with_support(
                match,
                judged.score * (VETOED if _is_of_change(match) and judged.weakest < NAMED else 1.0),
                coverage=judged.coverage,
            )
            for match, judged in zip(candidates, supports, strict=True)
        ]

    def names_in(self, target: str) -> frozenset[str]:
        """Words of a target that the question writes as names, lower-case."""
        return self.names & frozenset(content_words(target))

    def lines(
        self,
        *,
        spans: Sequence[Span],
        kinds: tuple[ObservationKind, ...],
        target: str,
        narrowed: bool,
        recalled: int = RECALLED,
    ) -> list[Match]:
        """The lines worth judging: all of them in a small scope, else those that recall brings, coarse to fine."""
        lines: dict[str, Match] = {}
        for span in spans:
            for each in self.view.observations(kinds=kinds, span=span, limit=READ_ALL_UP_TO + 1):
                lines.setdefault(each.observation_id, from_observation(each, support=0.0))
            if len(lines) > READ_ALL_UP_TO:
                break
        else:
            return joined_sentences(list(lines.values()))
        lines.clear()
        modalities: tuple[Modality, ...] = kinds
        hits = self.coarse_to_fine(target, spans=spans, modalities=modalities, narrowed=narrowed, recalled=recalled)
        inside = list(dict.fromkeys(hit.event_id for hit in hits))
        whole = {each.observation_id: each for each in self.view.observations_in(inside, kinds=kinds)}
        for hit in hits:
            known = whole.get(hit.observation_id or "")
            match = from_hit(hit, support=hit.score) if known is None else from_observation(known, support=0.0)
            lines.setdefault(hit.observation_id or hit.event_id, replace(match, cosine=hit.similarity))
        for each in self.view.extra:
            if each.kind in kinds:
                lines.setdefault(each.observation_id, from_observation(each, support=0.0))
        return clip(joined_sentences(list(lines.values())), spans)

    def coarse_to_fine(
        self,
        target: str,
        *,
        spans: Sequence[Span],
        modalities: tuple[Modality, ...] | None,
        narrowed: bool,
        recalled: int = RECALLED,
    ) -> list[Hit]:
        """Hits of the finest level: inside the best events found by descending, merged with the flat ones."""
        hits: dict[tuple[str, str | None, str | None], Hit] = {}
        for span in spans if narrowed else (None,):
            inside: tuple[str, ...] | None = None
            for level in (Level.DAY, Level.HOUR, Level.EPISODE, Level.EVENT):
                best = self.view.recall(target, k=self.beam, span=span, event_ids=inside, level=level)
                if best:
                    inside = tuple(dict.fromkeys(hit.event_id for hit in best))
            for scope in (inside, None) if inside else (None,):
                for hit in self.view.recall(target, k=recalled, span=span, modalities=modalities, event_ids=scope):
                    hits.setdefault((hit.event_id, hit.observation_id, hit.keyframe_id), hit)
        return sorted(hits.values(), key=lambda hit: (-hit.score, hit.recording, hit.t_start_ns, hit.text))

    # --- pictures ---

    def _in_pictures(self, target: str, *, spans: Sequence[Span], narrowed: bool) -> list[Match]:
        """Key frames found by the joint image-text space, believed only where a tag of the picture bears it out: the
        space always has a nearest picture, also for things that are nowhere."""
        found: list[Match] = []
        for span in spans if narrowed else (None,):
            for hit in self.view.recall(target, k=RECALLED // 2, span=span, modalities=("visual",)):
                if hit.keyframe_id is None:
                    continue
                frame = self.view.keyframe(hit.keyframe_id)
                support, label = self._picture_support(target, frame) if frame else (0.0, "")
                if hit.score >= PICTURE_NAMED:  # recall names pictures by their tags and detections
                    support, label = max((support, label), (0.5 + 0.45 * hit.score, label or hit.text))
                if support >= SUPPORT_ENOUGH:
                    match = from_hit(hit, support=hit.score)
                    found.append(with_support(match, support, text=f"the picture looks like: {label}"))
        return clip(found, spans)

    def _picture_support(self, target: str, frame: KeyFrame) -> tuple[float, str]:
        words = content_words(target)
        tags = [tag for tag in frame.tags if tag.probability >= TAG_PROBABILITY]
        if not words or not tags:
            return 0.0, ""
        covered: dict[str, tuple[float, str]] = {word: (0.0, "") for word in words}  # noqa: C420, typed so
        for tag in tags:
            named = [stem(part) for part in content_words(tag.label, keep_scaffold=True)]
            judged = self.view.relevance.cover(target, tag.label)
            for word in words:
                floor = TAG_PROBABILITY_THING if names_thing(word) else TAG_PROBABILITY
                if tag.probability < floor:
                    continue
                share = 1.0 if stem(word) in named else judged.get(word, 0.0)
                if share >= 0.6 and share * tag.probability > covered[word][0]:
                    covered[word] = (share * tag.probability, tag.label)
        needed = [word for word in words if stem(word) not in PRESENCE] or words
        if not all(covered[word][0] for word in needed):
            return 0.0, ""
        weakest = min(covered[word][0] for word in needed)
        return min(0.5 + 0.45 * weakest, 0.95), ", ".join(dict.fromkeys(covered[word][1] for word in needed))

    # --- facts ---

    def _in_facts(self, target: str, *, spans: Sequence[Span]) -> list[Match]:
        facts = [each for each in self.view.facts() if not _is_sighting(each)]
        if not facts or len(facts) > 500:
            return []
        texts = [f"{fact.subject} {fact.predicate} {fact.object}".replace("_", " ") for fact in facts]
        supports = self.view.relevance.supports(target, texts, among=len(texts), names=self.names_in(target))
        found = [
            Match(
                recording=fact.recording,
                t_start_ns=fact.t_from_ns,
                t_end_ns=fact.t_to_ns if fact.t_to_ns is not None else fact.t_from_ns,
                event_id=fact.event_ids[0] if fact.event_ids else "",
                text=text,
                modality="fact",
                support=0.9 * judged.score * fact.confidence,  # what it was learned from is better evidence
            )
            for fact, text, judged in zip(facts, texts, supports, strict=True)
            if judged.coverage >= 0.6
        ]
        return clip(found, spans)


def _is_of_change(match: Match) -> bool:
    """Whether a line tells that a thing came, went or moved: it says nothing else of that thing."""
    return match.modality == "caption" and match.track_id is not None


def _is_sighting(fact: Fact) -> bool:
    """Whether a fact only says that something was seen or written: the observation itself is the better evidence."""
    return fact.predicate == "is seen in" or fact.subject == "text in view"
