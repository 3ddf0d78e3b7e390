"""Visual memory after XMem (Cheng and Schwing, ECCV 2022): bounded, preallocated, exact.

    sensory.py        what an object looked like a moment ago: a hidden state, overwritten every frame
    elements.py       the table of remembered elements: working memory and long-term memory, preallocated
    similarity.py     anisotropic distance of queries to elements, and the softmax over the nearest of them
    consolidation.py  policy: what becomes a prototype, what a prototype holds, what is let go
    memory.py         `VisualMemory`, the one class to use

Needs torch, so it is imported where it is used. Knows no network: keys, values and hidden states come from outside.
"""

from streammem.visual.memory import VisualMemory, VisualMemorySettings
from streammem.visual.sensory import SensoryMemory

__all__ = ["SensoryMemory", "VisualMemory", "VisualMemorySettings"]
