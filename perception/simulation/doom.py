"""ViZDoom as a world for the robot: `Environment` with colour, depth and the true number and place of every object.

One adapter beside the household, to show what one takes (`pip install "streammem[vizdoom]"`). A metre is 32 map units,
as Doom's players are 56 units tall. Its depth image has steps of 0.23 m and ends at 14 m, so things are placed where
the game says that they are. Nothing can be taken or put down here. Draws several hundred looks a second on one core.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from perception.labelled import Thing
from perception.simulation.environment import (
    FORWARD_M,
    TURN_RAD,
    Action,
    Grasp,
    Move,
    Outcome,
    Release,
    Sensed,
    camera_pose,
)
from streammem.errors import InputError, MissingDependencyError
from streammem.spatial import Intrinsics
from streammem.types import NS_PER_S

UNITS_PER_M = 32.0
_DEPTH_STEP_UNITS = 7.43
"""Map units per step of the depth image: measured on 23 objects whose distance the game states, within 2 %."""
_FARTHEST_STEP = 63
_EYE_M = 41 / UNITS_PER_M
_STEP_TICS = 17
"""Tics of half a second, which is what a step takes."""
_PLAYER = "DoomPlayer"


class DoomWorld:
    """One scenario of ViZDoom. A context manager."""

    def __init__(self, scenario: str = "health_gathering", *, width: int = 320, height: int = 240) -> None:
        """Raises:
        MissingDependencyError: ViZDoom is not installed.
        InputError: there is no such scenario, or the game has no such picture size.
        """
        try:
            import vizdoom
        except ImportError as error:
            raise MissingDependencyError('This world needs: pip install "streammem[vizdoom]".') from error
        self._doom: Any = vizdoom
        config = Path(vizdoom.scenarios_path, f"{scenario}.cfg")
        size = getattr(vizdoom.ScreenResolution, f"RES_{width}X{height}", None)
        if not config.is_file() or size is None:
            raise InputError(f"ViZDoom has no scenario {scenario!r}, or no pictures of {width}x{height}.")
        game: Any = vizdoom.DoomGame()
        game.load_config(str(config))
        self._scratch = tempfile.TemporaryDirectory()
        game.set_doom_config_path(f"{self._scratch.name}/vizdoom.ini")  # else it writes one where it was started
        game.set_window_visible(False)
        game.set_screen_resolution(size)
        game.set_screen_format(vizdoom.ScreenFormat.RGB24)
        game.set_render_hud(False)
        game.set_depth_buffer_enabled(True)
        game.set_labels_buffer_enabled(True)
        game.set_episode_timeout(0)
        game.set_available_buttons([vizdoom.Button.MOVE_FORWARD, vizdoom.Button.TURN_LEFT_RIGHT_DELTA])
        variables = vizdoom.GameVariable
        game.set_available_game_variables(
            [variables.POSITION_X, variables.POSITION_Y, variables.POSITION_Z, variables.ANGLE, variables.HEALTH]
        )
        self._game = game
        self._is_running = False
        self._tics = 0
        # The field of view is 90 degrees across.
        self._camera = Intrinsics(fx=width / 2, fy=width / 2, cx=(width - 1) / 2, cy=(height - 1) / 2)
        self.reset(seed=0)

    def reset(self, *, seed: int) -> None:
        """Begins the scenario anew."""
        if self._is_running:
            self._game.close()
        self._game.set_seed(seed)
        self._game.init()
        self._game.new_episode()
        self._is_running = True
        self._tics = 0

    def step(self, action: Action) -> Outcome:
        """Half a second of the game."""
        if isinstance(action, Grasp | Release):
            self._pass(_STEP_TICS)
            return Outcome(problem="nothing can be taken or put down in this world")
        if self._game.is_episode_finished():
            return Outcome(problem="the game is over; reset it")
        if not isinstance(action, Move):
            self._pass(_STEP_TICS)
            return Outcome()
        turn = float(np.clip(action.turn_rad, -TURN_RAD, TURN_RAD))
        wanted = float(np.clip(action.forward_m, 0.0, FORWARD_M)) * UNITS_PER_M
        self._act(0, -math.degrees(turn))
        x, y = self._position()
        if wanted > 0:
            self._act(1, 0.0)  # one push; the player slides on for the rest of the step, some 0.3 m
        self._pass(_STEP_TICS - 1 - (wanted > 0))
        over = self._game.is_episode_finished()
        moved = wanted == 0 or over or math.dist(self._position(), (x, y)) > wanted / 4
        return Outcome() if moved else Outcome(problem="something is in the way")

    def sense(self) -> Sensed:
        """
        Raises:
            InputError: the game is over.
        """
        state = self._game.get_state()
        if state is None:
            raise InputError("The game is over; reset it to go on.")
        x, y, z, angle, health = (float(one) for one in state.game_variables)
        position, yaw = (x / UNITS_PER_M, y / UNITS_PER_M), math.radians(angle)
        steps = np.asarray(state.depth_buffer, dtype=np.float32)
        depth = steps * np.float32(_DEPTH_STEP_UNITS / UNITS_PER_M)
        depth[steps >= _FARTHEST_STEP] = np.inf
        return Sensed(
            t_ns=self._tics * NS_PER_S // 35,
            image_rgb=np.ascontiguousarray(state.screen_buffer, dtype=np.uint8),
            depth_m=depth,
            numbers=np.asarray(state.labels_buffer, dtype=np.int32),
            things={
                int(one.value): Thing(
                    label=_in_words(one.object_name),
                    identity=f"{one.object_name}-{one.object_id}",
                    position_m=(
                        one.object_position_x / UNITS_PER_M,
                        one.object_position_y / UNITS_PER_M,
                        one.object_position_z / UNITS_PER_M,
                    ),
                    size_m=(0.5, 0.5, 0.5),
                )
                for one in state.labels
                if one.object_name != _PLAYER
            },
            camera=self._camera,
            T_map_camera=camera_pose(position, yaw, height_m=z / UNITS_PER_M + _EYE_M, pitch_rad=0.0),
            position_m=position,
            yaw_rad=(yaw + math.pi) % (2 * math.pi) - math.pi,
            facts={"health": health},
        )

    def close(self) -> None:
        """Ends the game. Idempotent."""
        if self._is_running:
            self._is_running = False
            self._game.close()
            self._scratch.cleanup()

    def __enter__(self) -> DoomWorld:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _act(self, forward: int, turn_right_deg: float) -> None:
        if not self._game.is_episode_finished():
            self._game.make_action([forward, turn_right_deg], 1)
            self._tics += 1

    def _pass(self, tics: int) -> None:
        for _ in range(max(0, tics)):
            self._act(0, 0.0)

    def _position(self) -> tuple[float, float]:
        variables = self._doom.GameVariable
        return (
            float(self._game.get_game_variable(variables.POSITION_X)),
            float(self._game.get_game_variable(variables.POSITION_Y)),
        )


def _in_words(name: str) -> str:
    """`GreenArmor` -> `green armor`."""
    return "".join(f" {one.lower()}" if one.isupper() else one for one in name).strip()
