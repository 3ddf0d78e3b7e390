"""The skills of a robot as typed calls: what a planner, of rules or of words, may ask for, and nothing else.

Validated here once: unknown skills, missing or superfluous parameters and endless texts are refused with a sentence
that a model can act on. Knows no world.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from planners.json_schema import object_schema
from streammem.errors import InputError

MOST_WAIT_S = 60.0
"""Of one call: between two of them the world and the budgets are looked at."""
Name = Annotated[str, Field(min_length=1, max_length=80)]


class _Call(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GoTo(_Call):
    """Drive to a room, a piece of furniture, a person or a thing."""

    skill: Literal["go_to"] = "go_to"
    target: Name


class LookAt(_Call):
    """Turn towards something near."""

    skill: Literal["look_at"] = "look_at"
    target: Name


class Find(_Call):
    """Look for a thing, first where it is remembered, until it is in view."""

    skill: Literal["find"] = "find"
    what: Name


class Pick(_Call):
    """Take a thing that is in view and within reach."""

    skill: Literal["pick"] = "pick"
    what: Name


class Place(_Call):
    """Put down what is held."""

    skill: Literal["place"] = "place"
    where: Name


class Say(_Call):
    """Speak."""

    skill: Literal["say"] = "say"
    text: Annotated[str, Field(min_length=1, max_length=400)]


class Wait(_Call):
    """Let time pass."""

    skill: Literal["wait"] = "wait"
    seconds: Annotated[float, Field(gt=0, le=MOST_WAIT_S, allow_inf_nan=False)]


SkillCall = Annotated[GoTo | LookAt | Find | Pick | Place | Say | Wait, Field(discriminator="skill")]

_ADAPTER: TypeAdapter[GoTo | LookAt | Find | Pick | Place | Say | Wait] = TypeAdapter(SkillCall)


def parse_call(value: object) -> GoTo | LookAt | Find | Pick | Place | Say | Wait:
    """A call from JSON (text) or a mapping.

    Raises:
        InputError: it is no call of a skill that there is; the sentence says why.
    """
    try:
        return _ADAPTER.validate_json(value) if isinstance(value, str | bytes) else _ADAPTER.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the call"
        raise InputError(f"Not a skill call ({where}: {first['msg']}).") from error


def schema_of(calls: Sequence[GoTo | LookAt | Find | Pick | Place | Say | Wait]) -> dict[str, Any]:
    """JSON schema that only these calls fit: a variant per skill, with an enum of what it may be given."""
    given: dict[str, dict[str, list[object]]] = {}
    for call in calls:
        parameters = given.setdefault(call.skill, {})
        for name, value in call.model_dump(exclude={"skill"}).items():
            parameters.setdefault(name, []).append(value)
    return {
        "anyOf": [
            object_schema(skill={"const": skill}, **{name: {"enum": values} for name, values in parameters.items()})
            for skill, parameters in given.items()
        ]
    }


def in_words(call: GoTo | LookAt | Find | Pick | Place | Say | Wait) -> str:
    """`go_to(kitchen)`: a call as it is logged."""
    arguments = [str(value) for name, value in call.model_dump().items() if name != "skill"]
    return f"{call.skill}({', '.join(arguments)})"
