"""The node that plans: instructions in, deeds by a body, and a report out. Perception goes on beside it.

Acting blocks this node and no other: the body's steps are done by the world's node, what is seen meanwhile reaches the
memory through its own. Knows no runner.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from planners.acting.body import Body, Spot
from planners.acting.executor import ActingSettings, Report, act
from planners.acting.planner import ActionPlanner
from streammem.errors import StreamMemError
from streammem.nodes.inbox import QueueSpec
from streammem.nodes.topics import Did, Instruction, Message, Topic
from streammem.spatial.deeds import Deed
from streammem.spatial.spatial_memory import SpatialMemory

logger = logging.getLogger(__name__)


class PlannerNode:
    """Carries out one instruction after another.

    Args:
        open_memory: opens the memory for reading, anew for each instruction; None: a robot without memory.
    """

    def __init__(
        self, body: Body, *, spots: Mapping[str, Spot], planner: ActionPlanner,
        open_memory: Callable[[], AbstractContextManager[SpatialMemory]] | None, settings: ActingSettings,
    ) -> None:  # fmt: skip
        self._body = body
        self._spots = spots
        self._planner = planner
        self._open_memory = open_memory
        self._settings = settings

    @property
    def name(self) -> str:
        return "planner"

    @property
    def subscribes(self) -> Mapping[Topic, QueueSpec]:
        return {Topic.PLANNER: QueueSpec(size=16, policy="drop newest")}

    def handle(self, message: Message | None) -> Iterable[Message]:
        if not isinstance(message, Instruction) or message.is_report:
            return
        happened: queue.SimpleQueue[Did | None] = queue.SimpleQueue()

        def notice(deed: Deed) -> None:
            happened.put(Did(t_ns=self._body.sense().t_ns, deed=deed))

        # What was done is said at once, while the rest is being done: it is remembered if this node dies meanwhile.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="acting") as pool:
            report = pool.submit(self._carry_out, message.text, notice)
            report.add_done_callback(lambda _: happened.put(None))
            while (did := happened.get()) is not None:
                yield did
        yield report.result()

    def close(self) -> None:
        """Nothing stays open between instructions."""

    def _carry_out(self, text: str, notice: Callable[[Deed], None]) -> Instruction:
        said: list[str] = []
        try:
            if self._open_memory is None:
                told, done = self._act(text, None, said, notice)
            else:
                with self._open_memory() as memory:
                    told, done = self._act(text, memory, said, notice)
        except StreamMemError as error:
            told, done = str(error), False
        except Exception as error:  # whoever told it waits for a report
            logger.exception("an instruction could not be carried out")
            told, done = f"Not done: it stopped at an unexpected {type(error).__name__}, see the log.", False
        return Instruction(t_ns=self._body.sense().t_ns, text=" ".join([*said, told]), is_report=True, is_done=done)

    def _act(
        self, text: str, memory: SpatialMemory | None, said: list[str], notice: Callable[[Deed], None]
    ) -> tuple[str, bool]:
        report = act(
            text, body=self._body, spots=self._spots, memory=memory, planner=self._planner, settings=self._settings,
            speak=said.append, notice=notice,
        )  # fmt: skip
        if report.is_done:
            return f"Done: {text} ({report.steps} steps{_chosen(report)}).", True
        left = "; ".join(one.reason for one in report.goals if one.reason)
        return f"Not done: {left}{_chosen(report)}.", False


def _chosen(report: Report) -> str:
    """Who chose the calls, where a model chose any."""
    calls = report.calls_by()
    return "; calls by " + ", ".join(f"{who} {count}" for who, count in calls.items()) if "chat" in calls else ""
