"""Robot recordings for tests, written here in every container: a camera that drives past coloured walls.

    drive(tmp_path / "run.mcap", seconds=3)                    # one MCAP
    drive(tmp_path / "run", kind="sqlite3"); drive(tmp_path / "run.bag", kind="ros1")

What is written can be bent message by message: `bend(topic, index, message) -> message | None` (None leaves it out).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from perception.sources.bags.transforms import OPTICAL_AHEAD
from perception.sources.bags.writing import MessageMaker
from streammem.spatial import Intrinsics

NS = 1_000_000_000
START_NS = 1_700_000_000 * NS
CAMERA = Intrinsics(fx=80.0, fy=80.0, cx=39.5, cy=29.5)
WIDTH, HEIGHT = 80, 60
COLOUR, DEPTH, INFO = "/cam/color/image_raw", "/cam/depth/image_raw", "/cam/depth/camera_info"

Bend = Callable[[str, int, Any], Any]

TYPES = {
    COLOUR: "sensor_msgs/msg/Image",
    DEPTH: "sensor_msgs/msg/Image",
    INFO: "sensor_msgs/msg/CameraInfo",
    "/tf": "tf2_msgs/msg/TFMessage",
    "/tf_static": "tf2_msgs/msg/TFMessage",
    "/odom": "nav_msgs/msg/Odometry",
    "/speech": "std_msgs/msg/String",
}


def base_pose(index: int, fps: float) -> np.ndarray:
    """Ahead along x at 0.5 m/s."""
    pose = np.eye(4)
    pose[0, 3] = 0.5 * index / fps
    return pose


def camera_on_base() -> np.ndarray:
    """A metre up, looking ahead."""
    up = np.eye(4)
    up[2, 3] = 1.0
    return up @ OPTICAL_AHEAD


def picture(index: int) -> np.ndarray:
    """uint8 (60, 80, 3) RGB: what frame it is can be read from its red."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[:, :, 0] = 20 + index * 5 % 220
    image[:, ::8, 1] = 180
    return image


def drive(
    path: Path,
    *,
    kind: str = "mcap",
    seconds: float = 3.0,
    fps: float = 10.0,
    depth_encoding: str = "16UC1",
    compressed: bool = False,
    poses: str = "tf",
    bend: Bend = lambda topic, index, message: message,
    extra: Callable[[Any, Callable[[str, str, int, Any], None]], None] | None = None,
    stamped: bool = True,
    log_offset_ns: int = 0,
    clock: Callable[[int], int] = lambda t_ns: t_ns,
    log_clock: Callable[[int], int] = lambda t_ns: t_ns,
) -> Path:
    """Writes a recording and returns its path. `kind`: mcap (one file), mcap-folder, sqlite3, ros1. `clock` and
    `log_clock`: what the robot's and the recorder's clock say at a time."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    is_ros1 = kind == "ros1"
    store = get_typestore(Stores.ROS1_NOETIC if is_ros1 else Stores.ROS2_HUMBLE)
    if is_ros1:  # the usual types of ROS 1 leave it out
        store.register(get_types_from_msg("geometry_msgs/TransformStamped[] transforms", TYPES["/tf"]))
    make = MessageMaker(store)
    put, close = _writer(path, kind, store)

    def write(topic: str, type_name: str, t_ns: int, message: Any) -> None:
        serialise = store.serialize_ros1 if is_ros1 else store.serialize_cdr
        put(topic, type_name, log_clock(t_ns) + log_offset_ns, bytes(serialise(message, type_name)))

    try:
        static = bend("/tf_static", 0, make.transforms(START_NS, {("base_link", "cam_optical"): camera_on_base()}))
        if poses == "tf" and static is not None:
            write("/tf_static", TYPES["/tf_static"], START_NS, static)
        for index in range(round(seconds * fps)):
            t_ns = START_NS + round(index * NS / fps)
            stamp = clock(t_ns) if stamped else 0
            pose = base_pose(index, fps)
            made: dict[str, Any] = {}
            if poses == "tf":
                made["/tf"] = make.transforms(clock(t_ns), {("odom", "base_link"): pose})
            elif poses == "odometry":
                made["/odom"] = make.odometry(clock(t_ns), "odom", "base_link", pose)
            made[INFO] = make.camera_info(stamp, "cam_optical", CAMERA, width=WIDTH, height=HEIGHT)
            depth = np.full((HEIGHT, WIDTH), 2.0 + 0.01 * index, np.float32)
            if depth_encoding == "16UC1":
                made[DEPTH] = make.image(stamp, "cam_optical", (depth * 1000).round().astype(np.uint16), "16UC1")
            else:
                made[DEPTH] = make.image(stamp, "cam_optical", depth, "32FC1")
            if compressed:
                made[COLOUR + "/compressed"] = make.jpeg(stamp, "cam_optical", picture(index))
            else:
                made[COLOUR] = make.image(stamp, "cam_optical", picture(index)[:, :, ::-1], "bgr8")
            for topic, message in made.items():
                bent = bend(topic, index, message)
                if bent is not None:
                    write(topic, TYPES.get(topic, "sensor_msgs/msg/CompressedImage"), t_ns, bent)
        if extra is not None:
            extra(make, write)
    finally:
        close()
    return path


def _writer(path: Path, kind: str, store: Any) -> tuple[Callable[[str, str, int, bytes], None], Callable[[], None]]:
    if kind == "mcap":
        return _mcap_writer(path, store)
    from rosbags.rosbag1 import Writer as Writer1
    from rosbags.rosbag2 import StoragePlugin
    from rosbags.rosbag2 import Writer as Writer2

    writer: Any
    if kind == "ros1":
        writer = Writer1(path)
    else:
        plugin = StoragePlugin.MCAP if kind == "mcap-folder" else StoragePlugin.SQLITE3
        writer = Writer2(path, version=9, storage_plugin=plugin)
    writer.open()
    connections: dict[str, Any] = {}

    def put(topic: str, type_name: str, t_ns: int, data: bytes) -> None:
        if topic not in connections:
            connections[topic] = writer.add_connection(topic, type_name, typestore=store)
        writer.write(connections[topic], t_ns, data)

    return put, writer.close


def _mcap_writer(path: Path, store: Any) -> tuple[Callable[[str, str, int, bytes], None], Callable[[], None]]:
    from mcap.writer import Writer

    file = path.open("wb")
    writer = Writer(file)
    writer.start(profile="ros2", library="test")
    channels: dict[str, int] = {}

    def put(topic: str, type_name: str, t_ns: int, data: bytes) -> None:
        if topic not in channels:
            known = type_name in store.fielddefs
            text = store.generate_msgdef(type_name, ros_version=2)[0] if known else ""
            schema = writer.register_schema(type_name, "ros2msg", text.encode())
            channels[topic] = writer.register_channel(topic, "cdr", schema)
        writer.add_message(channels[topic], t_ns, data, t_ns)

    def close() -> None:
        writer.finish()
        file.close()

    return put, close
