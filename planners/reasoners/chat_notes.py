"""What a language model is shown before it chooses: the few scenes that matter, each as its few telling lines.

For each option the scene that speaks most for it, then the likeliest; of a scene the lines whose rare words are those
of the question and, half as much, of the options. Pure; milliseconds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set

import numpy as np

from planners.matches import Match, with_speaker
from planners.reasoners.chat_prompts import escape
from planners.reasoners.choices import Weighed
from planners.reasoners.options import read_options, word_stems
from planners.reasoners.scenes import Scene, stems_of_line
from planners.reasoners.signals import bm25
from planners.windows import TimeWords

READ_SCENES = 6
SCENE_CHARACTERS = 240
"""Six of 240 characters hold the evidence almost as often as eight of 300 (45 and 48 of 100 questions) at 0.6 of the
cost."""
_HOLDS = 4.0
"""How much an option's words count against a scene's chance, in units of its logarithm."""
_OPTION_WORDS = 0.5


def notes_of(question: str, choices: Sequence[str], weighed: Weighed, *, words: TimeWords) -> str:
    """One line per scene, in order of time; empty where there are no scenes."""
    scenes = _chosen(question, choices, weighed)
    asked = frozenset(word_stems(question, first_person=True))
    told = frozenset(word for option in read_options(choices) for word in option.stems) - asked
    rarity = _rarity(weighed.found.scenes)
    worth = {word: rarity.get(word, 0.0) for word in asked} | {
        word: _OPTION_WORDS * rarity.get(word, 0.0) for word in told
    }
    return "\n".join(
        f"[{words.point(scene.recording, scene.t_start_ns)}] {escape(' '.join(_telling(scene, worth)))}"
        for scene in sorted(scenes, key=lambda each: (each.recording, each.t_start_ns))
    )


def _chosen(question: str, choices: Sequence[str], weighed: Weighed) -> list[Scene]:
    found = weighed.found
    if not found.scenes:
        return []
    kept: dict[int, None] = {}
    asked = word_stems(question, first_person=True)
    likely = np.log(found.chances + 1e-6)
    for option in read_options(choices):
        held = bm25([*asked, *option.stems], found.scenes)
        kept.setdefault(int(np.argmax(likely + held / max(float(held.max()), 1e-6) * _HOLDS)))
    for place in np.argsort(-found.chances, kind="stable"):
        if len(kept) >= READ_SCENES:
            break
        kept.setdefault(int(place))
    return [found.scenes[place] for place in list(kept)[:READ_SCENES]]


def _telling(scene: Scene, worth: Mapping[str, float]) -> list[str]:
    """Its lines of most worth that fit, in their order, each once."""
    said = [with_speaker(line) for line in scene.lines]
    values = [sum(worth.get(word, 0.0) for word in _stems(line)) for line in scene.lines]
    kept: list[int] = []
    room = SCENE_CHARACTERS
    for number in sorted(range(len(said)), key=lambda each: (-values[each], each)):
        if len(said[number]) < room and not any(said[number] == said[each] for each in kept):
            kept.append(number)
            room -= len(said[number]) + 1
    if not kept:
        return [said[max(range(len(said)), key=lambda each: values[each])][:SCENE_CHARACTERS]]
    return [said[number] for number in sorted(kept)]


def _stems(line: Match) -> Set[str]:
    return stems_of_line(line.text, line.speaker, is_caption=line.modality == "caption")


def _rarity(scenes: Sequence[Scene]) -> dict[str, float]:
    """Of each word, over the lines of all scenes: the logarithm of how many lines there are to one that has it."""
    holding: Counter[str] = Counter()
    lines = 0
    for scene in scenes:
        for line in scene.lines:
            holding.update(_stems(line))
            lines += 1
    return {word: math.log((lines + 1) / (count + 0.5)) for word, count in holding.items()}
