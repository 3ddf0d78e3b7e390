"""Who the tracker's tracks are: the same person or thing keeps one number over occlusions, absences and hours.

Meets `perception.tracking` at two calls: `watch` after every frame (who covers whom), `update` after every detection
(who is in view). A track is a sight until it is hidden behind another one or out of sight; what comes after is a new
sight, with a leaning towards the identity before. Sights in doubt are named by `paths`; settled ones are written into
the gallery, and from then on can be recognised.

An identity's number is that of the first sight of it. Costs per detection 0.2 ms a thing looked at and one read of the
gallery, per frame nothing to speak of. State is bounded by `max_identities`, the gallery and the tracker's tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from perception.identity.gallery import IdentityGallery
from perception.identity.looks import Look, look_at
from perception.identity.paths import Paths
from perception.protocols import ImageRGB
from perception.state import State
from perception.tracking import Track
from streammem.types import Box

_HIDDEN_FROM = 0.25
"""Share of the smaller of two boxes that is covered, from which their looks are not their own and may be exchanged."""
_OUT_OF_SIGHT_S = 2.5
"""Without a detection for longer, a track's next one is a new sight: something else may have taken its place."""
_EDGE = 0.01
"""Of the picture: a box that touches its border shows only part of the thing."""
_CANDIDATES = 4
"""Known identities that a new sight is tried as, besides a new one."""
_SETTLED_FROM = 4.0
"""Lead (log odds) of the likeliest name at which a sight is settled, once there were `_MIN_LOOKS` of it."""
_MIN_LOOKS = 2
_MAX_LOOKS = 5
"""Looks after which a sight is settled anyway."""
_STAYS = 6.0
"""Leaning towards the identity that a track had before it was hidden (log odds)."""
_KNOWN = 1.0
"""Leaning towards a new sight's being a certain known one."""
_LOOK_AGAIN_S = 3.0
"""A settled sight is looked at and remembered again after this long: light and pose change."""


@dataclass(slots=True)
class _Sight:
    """One thing, followed without doubt. `number` is its identity's if it turns out to be new."""

    number: int
    track: int
    label: str
    t_seen_ns: int
    t_looked_ns: int = 0
    before: int | None = None
    looks: list[Look] = field(default_factory=list[Look])
    identity: int | None = None
    """Once it is settled."""
    is_open: bool = False
    """Whether the paths have branched over it: at its first look."""


class IdentityKeeper:
    """Names tracks.

    Args:
        max_identities: bound on who is remembered.
        max_paths: hypotheses side by side; 1 decides at once.
    """

    def __init__(self, *, max_identities: int = 255, max_paths: int = 6) -> None:
        self._gallery = IdentityGallery(max_identities=max_identities)
        self._paths = Paths(max_paths=max_paths)
        self._sights: dict[int, _Sight] = {}  # track -> its sight
        self._departed: dict[int, _Sight] = {}  # of the tracks that the last detection found dead
        self._in_view: set[int] = set()  # tracks that were detected last
        self._hidden: set[int] = set()  # tracks that were covered since their last look
        self._next_number = 1

    @property
    def memory_bytes(self) -> int:
        return self._gallery.memory_bytes

    def identity_of(self, track: int) -> int:
        """The identity of a track, as far as is known now: of one that is alive, or was until the last detection."""
        sight = self._sights.get(track) or self._departed[track]
        if sight.identity is not None:
            return sight.identity
        if sight.is_open:  # and so in every path
            return self._paths.best.names[sight.number]
        return sight.number if sight.before is None else sight.before

    def sight_of(self, track: int) -> int:
        """The number of a detected track's sight. Its identity may be known better by the time the sight ends."""
        return self._sights[track].number

    def watch(self, tracks: Sequence[Track]) -> None:
        """Notes who covers whom, in any frame. Only of those detected last: the boxes of others have drifted."""
        tracks = [track for track in tracks if track.number in self._in_view]
        for place, track in enumerate(tracks):
            for other in tracks[:place]:
                if _covered(track.box, other.box) >= _HIDDEN_FROM:
                    self._hidden |= {track.number, other.number}

    def update(self, seen: Sequence[Track], tracks: Sequence[Track], image_rgb: ImageRGB, *, t_ns: int) -> None:
        """Takes what was detected in this frame.

        Args:
            seen: the tracks that were detected now.
            tracks: all that are alive.
        """
        self._bury({track.number for track in tracks})
        self._in_view = {track.number for track in seen}
        covered = {
            number
            for place, track in enumerate(seen)
            for other in seen[:place]
            if _covered(track.box, other.box) >= _HIDDEN_FROM
            for number in (track.number, other.number)
        }
        looked: list[_Sight] = []
        boxes: list[Box] = []
        for track in seen:
            sight = self._sight(track, t_ns)
            sight.t_seen_ns = t_ns
            due = sight.identity is None or t_ns - sight.t_looked_ns >= _LOOK_AGAIN_S * 1e9
            if due and track.is_confirmed and track.number not in covered and not _is_cut_off(track.box):
                looked.append(sight)
                boxes.append(track.box)
        if not looked:
            return
        looks = look_at(image_rgb, boxes)
        likelihoods = self._gallery.likelihoods(looks)
        for sight, look, (fits, stranger) in zip(looked, looks, likelihoods, strict=True):
            sight.t_looked_ns = t_ns
            if sight.identity is not None:
                self._gallery.remember(sight.identity, sight.label, [look])
                continue
            self._consider(sight, look, fits.get(sight.label, {}), stranger)
            if self._is_settled(sight):
                self._settle(sight)

    # --- resuming -----------------------------------------------------------------------------------------------------

    def get_state(self) -> State:
        """Who is in view now, and which numbers are taken. What everyone looked like (megabytes) is not in it: those
        who come back after a resume are new."""
        names = [[s.track, self.identity_of(s.track), s.label, s.t_seen_ns] for s in self._sights.values()]
        return {"next_number": self._next_number, "names": names}

    def set_state(self, state: State) -> None:
        self._next_number = state["next_number"]
        for track, identity, label, t_seen_ns in state["names"]:
            sight = _Sight(number=identity, track=track, label=label, t_seen_ns=t_seen_ns, identity=identity)
            self._sights[track] = sight

    # --- sights -------------------------------------------------------------------------------------------------------

    def _sight(self, track: Track, t_ns: int) -> _Sight:
        """The track's sight; a new one where it was hidden or out of sight, and is in view again."""
        sight = self._sights.get(track.number)
        if sight is not None:
            lost = t_ns - sight.t_seen_ns > _OUT_OF_SIGHT_S * 1e9
            if not (lost or track.number in self._hidden):
                return sight
            self._settle(sight)
            before = sight.identity if sight.identity is not None else sight.before
        else:
            before = None
        self._hidden.discard(track.number)
        sight = _Sight(number=self._next_number, track=track.number, label=track.label, t_seen_ns=t_ns, before=before)
        self._next_number += 1
        self._sights[track.number] = sight
        return sight

    def _consider(self, sight: _Sight, look: Look, fits: dict[int, float], stranger: float) -> None:
        sight.looks.append(look)
        others = [one for one in self._sights.values() if one is not sight and one.track in self._in_view]
        taken = frozenset(one.identity for one in others if one.identity is not None)
        if not sight.is_open:
            sight.is_open = True
            likely = sorted((i for i in fits if i not in taken), key=lambda i: -fits[i])[:_CANDIDATES]
            priors = {sight.number: 0.0} | dict.fromkeys(likely, _KNOWN)
            if sight.before is not None and sight.before not in taken:
                priors[sight.before] = _STAYS
            odds = {identity: prior + fits.get(identity, stranger) for identity, prior in priors.items()}
            together = frozenset(one.number for one in others if one.is_open and one.identity is None)
            self._paths.begin(sight.number, odds, together=together, taken=taken)
        else:
            self._paths.look(sight.number, fits, stranger=stranger)

    def _is_settled(self, sight: _Sight) -> bool:
        count = len(sight.looks)
        return count >= _MAX_LOOKS or (count >= _MIN_LOOKS and self._paths.margin(sight.number) >= _SETTLED_FROM)

    def _settle(self, sight: _Sight) -> None:
        if sight.identity is not None or not sight.is_open:
            return
        sight.identity = self._paths.settle(sight.number)
        self._gallery.remember(sight.identity, sight.label, sight.looks)
        sight.looks = []

    def _bury(self, alive: set[int]) -> None:
        self._departed = {number: sight for number, sight in self._sights.items() if number not in alive}
        for number, sight in self._departed.items():
            self._settle(sight)
            del self._sights[number]
        self._hidden &= alive


def _covered(first: Box, second: Box) -> float:
    """Share of the smaller box that the other one covers."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return width * height / max(1e-12, min(areas))


def _is_cut_off(box: Box) -> bool:
    return box[0] < _EDGE or box[1] < _EDGE or box[2] > 1 - _EDGE or box[3] > 1 - _EDGE
