"""Records real exchanges with a chat endpoint for `test_chat.py`: run by hand when a prompt changes, never in tests.

    STREAMMEM_CHAT_URL=http://127.0.0.1:8089/v1 python tests/planners/record_chat.py

Asks the questions below of the street and kitchen memories of `conftest.py` and writes every request and response, as
they were, to `fixtures/chat_exchanges.json`. The fixture in the repository was recorded from
Qwen2.5-Coder-1.5B-Instruct (Q4_K_M) on llama.cpp's server.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from planners import ask
from planners.reasoners.chat import ChatReasoner
from planners.reasoners.chat_client import ChatClient
from streammem.memory import Memory
from streammem.settings import ChatSettings, PlannerSettings
from tests.planners.conftest import KITCHEN, STREET, SentenceEncoder

QUESTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("street", "When does someone talk about a cold-hearted person?", ()),
    ("kitchen", "Why are we using the grill?", ()),
    ("kitchen", "What do we need for the cake?", ("meat", "eggs and flour", "flowers")),
)
TARGET = Path(__file__).parent / "fixtures" / "chat_exchanges.json"


def main() -> None:
    """Asks every question and writes the exchanges."""
    encoder = SentenceEncoder()
    settings = ChatSettings(url=os.environ["STREAMMEM_CHAT_URL"], model="qwen2.5-coder-1.5b-instruct", timeout_s=280)
    recorded: list[dict[str, Any]] = []
    exchanges: list[dict[str, Any]] = []
    post = ChatClient._post

    def recording_post(self: ChatClient, body: dict[str, Any], budget: Any) -> object:
        reply = post(self, body, budget)
        exchanges.append({"request": body, "response": reply})
        return reply

    ChatClient._post = recording_post  # pyright: ignore[reportAttributeAccessIssue]
    with tempfile.TemporaryDirectory() as folder:
        for script in (STREET, KITCHEN):
            with Memory.open(Path(folder) / script.recording, write=True, create=True, encoder=encoder) as memory:
                script.write(memory, encoder)
        for name, question, choices in QUESTIONS:
            exchanges.clear()
            with (
                Memory.open(Path(folder) / name, encoder=encoder) as memory,
                ChatReasoner(settings) as reasoner,
            ):
                limits = PlannerSettings(deadline_s=600)
                answer = ask(memory, question, choices=choices, settings=limits, reasoner=reasoner)
            print(question, "->", answer.text, answer.choice, answer.stopped, answer.spent, flush=True)
            asked = {"memory": name, "question": question, "choices": list(choices)}
            recorded.append({**asked, "exchanges": list(exchanges)})
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
