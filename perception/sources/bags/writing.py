"""Records what a robot sees to one MCAP file that ROS 2, Foxglove and this program read.

Pictures as JPEG, depth as 32FC1 and object numbers as 16UC1 (so what is ingested from the file is, to the bit, what was
seen), camera info, transforms, the table of object numbers, words. Knows no robot. Costs 3 ms per 320x240 frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from perception.labelled import Thing, room_boxes_to_json, things_to_json
from perception.protocols import ImageRGB
from perception.sources.bags.topics import LABEL_TABLE_TOPIC, ROOM_BOXES_TOPIC, ROOM_TOPIC
from perception.sources.bags.transforms import Pose
from streammem.errors import InputError, MissingDependencyError
from streammem.spatial import Intrinsics
from streammem.spatial.observations import Vector3
from streammem.types import NS_PER_S

CAMERA_FRAME = "camera_optical_frame"
MAP_FRAME = "map"

_TYPES = {
    "/camera/color/image_raw/compressed": "sensor_msgs/msg/CompressedImage",
    "/camera/depth/image_raw": "sensor_msgs/msg/Image",
    "/camera/labels/image_raw": "sensor_msgs/msg/Image",
    "/camera/color/camera_info": "sensor_msgs/msg/CameraInfo",
    "/camera/depth/camera_info": "sensor_msgs/msg/CameraInfo",
    "/tf": "tf2_msgs/msg/TFMessage",
    LABEL_TABLE_TOPIC: "std_msgs/msg/String",
    ROOM_TOPIC: "std_msgs/msg/String",
    ROOM_BOXES_TOPIC: "std_msgs/msg/String",
    "/robot/say": "std_msgs/msg/String",
    "/robot/caption": "std_msgs/msg/String",
}


def quaternion_xyzw(pose: Pose) -> tuple[float, float, float, float]:
    """The rotation of a pose, w not negative."""
    turn = pose[:3, :3]
    candidates = np.array([
        1 + turn[0, 0] - turn[1, 1] - turn[2, 2], 1 - turn[0, 0] + turn[1, 1] - turn[2, 2],
        1 - turn[0, 0] - turn[1, 1] + turn[2, 2], 1 + np.trace(turn),
    ])  # fmt: skip
    largest = int(candidates.argmax())
    q = np.empty(4)
    q[largest] = np.sqrt(candidates[largest]) / 2
    rest = 1 / (4 * q[largest])
    sums = {
        (0, 1): turn[1, 0] + turn[0, 1],
        (0, 2): turn[0, 2] + turn[2, 0],
        (1, 2): turn[2, 1] + turn[1, 2],
        (0, 3): turn[2, 1] - turn[1, 2],
        (1, 3): turn[0, 2] - turn[2, 0],
        (2, 3): turn[1, 0] - turn[0, 1],
    }
    for (one, other), value in sums.items():
        if largest in (one, other):
            q[other if largest == one else one] = value * rest
    q = q if q[3] >= 0 else -q
    x, y, z, w = (float(one) for one in q / np.linalg.norm(q))
    return x, y, z, w


class MessageMaker:
    """ROS messages of one typestore: ROS 2 by default, ROS 1 for tests and old bags."""

    def __init__(self, store: Any) -> None:
        self._types = store.types
        self._is_ros1 = "seq" in store.types["std_msgs/msg/Header"].__dataclass_fields__

    def time(self, t_ns: int) -> Any:
        return self._types["builtin_interfaces/msg/Time"](sec=t_ns // NS_PER_S, nanosec=t_ns % NS_PER_S)

    def header(self, t_ns: int, frame: str) -> Any:
        more = {"seq": 0} if self._is_ros1 else {}
        return self._types["std_msgs/msg/Header"](stamp=self.time(t_ns), frame_id=frame, **more)

    def image(self, t_ns: int, frame: str, pixels: npt.NDArray[Any], encoding: str) -> Any:
        """`sensor_msgs/Image` of an array (H, W) or (H, W, C) whose bytes are as `encoding` says."""
        height, width = pixels.shape[:2]
        return self._types["sensor_msgs/msg/Image"](
            header=self.header(t_ns, frame), height=height, width=width, encoding=encoding, is_bigendian=0,
            step=pixels.nbytes // height, data=np.ascontiguousarray(pixels).reshape(-1).view(np.uint8),
        )  # fmt: skip

    def compressed(self, t_ns: int, frame: str, data: bytes, kind: str) -> Any:
        return self._types["sensor_msgs/msg/CompressedImage"](
            header=self.header(t_ns, frame), format=kind, data=np.frombuffer(data, np.uint8)
        )

    def jpeg(self, t_ns: int, frame: str, image_rgb: ImageRGB, *, quality: int = 90) -> Any:
        import cv2

        _, data = cv2.imencode(".jpg", image_rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        return self.compressed(t_ns, frame, data.tobytes(), "rgb8; jpeg compressed bgr8")

    def camera_info(self, t_ns: int, frame: str, camera: Intrinsics, *, width: int, height: int) -> Any:
        matrix = np.array([camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1], dtype=np.float64)
        projection = np.array([camera.fx, 0, camera.cx, 0, 0, camera.fy, camera.cy, 0, 0, 0, 1, 0], dtype=np.float64)
        region = self._types["sensor_msgs/msg/RegionOfInterest"](
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        )
        names = ("D", "K", "R", "P") if self._is_ros1 else ("d", "k", "r", "p")
        values = (np.zeros(5), matrix, np.eye(3).reshape(-1), projection)
        return self._types["sensor_msgs/msg/CameraInfo"](
            header=self.header(t_ns, frame), height=height, width=width, distortion_model="plumb_bob",
            binning_x=0, binning_y=0, roi=region, **dict(zip(names, values, strict=True)),
        )  # fmt: skip

    def transforms(self, t_ns: int, poses: Mapping[tuple[str, str], Pose]) -> Any:
        """`tf2_msgs/TFMessage` of {(parent, child): pose}."""
        made = [
            self._types["geometry_msgs/msg/TransformStamped"](
                header=self.header(t_ns, parent),
                child_frame_id=child,
                transform=self._types["geometry_msgs/msg/Transform"](
                    translation=self._vector("Vector3", pose), rotation=self._rotation(pose)
                ),
            )
            for (parent, child), pose in poses.items()
        ]
        return self._types["tf2_msgs/msg/TFMessage"](transforms=made)

    def odometry(self, t_ns: int, parent: str, child: str, pose: Pose) -> Any:
        types, zero = self._types, np.zeros(3)
        still = types["geometry_msgs/msg/Twist"](
            linear=types["geometry_msgs/msg/Vector3"](x=zero[0], y=zero[1], z=zero[2]),
            angular=types["geometry_msgs/msg/Vector3"](x=zero[0], y=zero[1], z=zero[2]),
        )
        return types["nav_msgs/msg/Odometry"](
            header=self.header(t_ns, parent),
            child_frame_id=child,
            pose=types["geometry_msgs/msg/PoseWithCovariance"](
                pose=types["geometry_msgs/msg/Pose"](
                    position=self._vector("Point", pose), orientation=self._rotation(pose)
                ),
                covariance=np.zeros(36),
            ),
            twist=types["geometry_msgs/msg/TwistWithCovariance"](twist=still, covariance=np.zeros(36)),
        )

    def string(self, text: str) -> Any:
        return self._types["std_msgs/msg/String"](data=text)

    def _vector(self, kind: str, pose: Pose) -> Any:
        x, y, z = (float(one) for one in pose[:3, 3])
        return self._types[f"geometry_msgs/msg/{kind}"](x=x, y=y, z=z)

    def _rotation(self, pose: Pose) -> Any:
        x, y, z, w = quaternion_xyzw(pose) if np.isfinite(pose).all() else (np.nan,) * 4
        return self._types["geometry_msgs/msg/Quaternion"](x=x, y=y, z=z, w=w)


class RobotRecorder:
    """Writes one MCAP. A context manager; a file that was not closed is read as far as it goes."""

    def __init__(self, path: Path, *, room_boxes: Mapping[str, tuple[Vector3, Vector3]] | None = None) -> None:
        """
        Args:
            room_boxes: corners (low, high) of rooms in the map, where they are known.

        Raises:
            MissingDependencyError: the writers are not installed.
            InputError: the file cannot be written.
        """
        try:
            from mcap.writer import Writer
            from rosbags.typesys import Stores, get_typestore
        except ImportError as error:
            raise MissingDependencyError('Recording a robot needs: pip install "streammem[robot]".') from error
        self._store = get_typestore(Stores.ROS2_HUMBLE)
        self._make = MessageMaker(self._store)
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise InputError(f"Nothing can be recorded to {str(path)!r}: {error.strerror}.") from error
        self._writer: Any = Writer(self._file)
        self._writer.start(profile="ros2", library="streammem")
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self._things: dict[int, Thing] = {}
        self._room: str | None = None
        self._boxes = dict(room_boxes or {})
        self._is_open = True

    def write(
        self,
        t_ns: int,
        *,
        image_rgb: ImageRGB,
        depth_m: npt.NDArray[np.float32],
        camera: Intrinsics,
        T_map_camera: Pose,
        numbers: npt.NDArray[np.integer] | None = None,
        things: Mapping[int, Thing] | None = None,
        room: str | None = None,
    ) -> None:
        """One look at the world. `numbers`: (H, W) the object of every pixel; `things`: what they are."""
        make, height, width = self._make, depth_m.shape[0], depth_m.shape[1]
        self._put("/tf", t_ns, make.transforms(t_ns, {(MAP_FRAME, CAMERA_FRAME): T_map_camera}))
        info = make.camera_info(t_ns, CAMERA_FRAME, camera, width=width, height=height)
        self._put("/camera/color/camera_info", t_ns, info)
        self._put("/camera/depth/camera_info", t_ns, info)
        if things is not None and dict(things) != self._things:
            self._things = dict(things)
            self._put(LABEL_TABLE_TOPIC, t_ns, make.string(things_to_json(self._things)))
        if numbers is not None:
            labels = make.image(t_ns, CAMERA_FRAME, np.clip(numbers, 0, 65_535).astype(np.uint16), "16UC1")
            self._put("/camera/labels/image_raw", t_ns, labels)
        if self._boxes:
            self._put(ROOM_BOXES_TOPIC, t_ns, make.string(room_boxes_to_json(self._boxes)))
            self._boxes.clear()
        if room != self._room:
            self._room = room
            self._put(ROOM_TOPIC, t_ns, make.string(room or ""))
        depth = make.image(t_ns, CAMERA_FRAME, depth_m.astype(np.float32), "32FC1")
        self._put("/camera/depth/image_raw", t_ns, depth)
        self._put("/camera/color/image_raw/compressed", t_ns, make.jpeg(t_ns, CAMERA_FRAME, image_rgb))

    def say(self, t_ns: int, text: str) -> None:
        """Words that the robot spoke."""
        self._put("/robot/say", t_ns, self._make.string(text))

    def caption(self, t_ns: int, text: str) -> None:
        """Words about what happens."""
        self._put("/robot/caption", t_ns, self._make.string(text))

    def close(self) -> None:
        """Writes the index. Idempotent."""
        if self._is_open:
            self._is_open = False
            self._writer.finish()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, topic: str, t_ns: int, message: Any) -> None:
        name = _TYPES[topic]
        if topic not in self._channels:
            if name not in self._schemas:
                text = self._store.generate_msgdef(name, ros_version=2)[0]
                self._schemas[name] = self._writer.register_schema(name, "ros2msg", text.encode())
            self._channels[topic] = self._writer.register_channel(topic, "cdr", self._schemas[name])
        data = bytes(self._store.serialize_cdr(message, name))
        self._writer.add_message(self._channels[topic], t_ns, data, t_ns)
