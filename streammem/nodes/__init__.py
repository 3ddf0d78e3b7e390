"""Nodes joined by topics: how a robot's parts run beside each other, in threads or (in the app) as Ray actors.

`topics` is what is said, `inbox` how it waits (bounded, with a stated policy and a counter of what was dropped),
`clock` whose time it is, `node` what a part must do, `local` runs parts in threads of one process.
"""

from streammem.nodes.clock import PacedClock
from streammem.nodes.inbox import Inbox, QueueSpec
from streammem.nodes.local import LocalRunner
from streammem.nodes.node import Node
from streammem.nodes.topics import Topic

__all__ = ["Inbox", "LocalRunner", "Node", "PacedClock", "QueueSpec", "Topic"]
