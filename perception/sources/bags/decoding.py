"""What ROS messages mean: pictures, depth, cameras, poses, sound, words.

Takes message objects as their definitions made them and returns arrays; every function raises `ValueError` with a short
reason for a message that cannot be used. Knows no file and no time line. Depth is metres; 16-bit depth is millimetres
(REP 118). A picture of 640x480 costs 2 ms as JPEG, 0.3 ms raw.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from perception.protocols import SAMPLE_RATE_HZ, ImageRGB, Samples
from perception.sources.bags.transforms import Pose, pose_from
from streammem.spatial import Intrinsics
from streammem.types import NS_PER_S

Depth = npt.NDArray[np.float32]

_COLOUR = {
    "rgb8": ("RGB", 3), "bgr8": ("BGR", 3), "8uc3": ("BGR", 3),
    "rgba8": ("RGBA", 4), "bgra8": ("BGRA", 4), "8uc4": ("BGRA", 4),
    "mono8": ("GRAY", 1), "8uc1": ("GRAY", 1),
}  # fmt: skip
_DEEP = {"mono16": np.uint16, "16uc1": np.uint16, "32fc1": np.float32, "rgb16": np.uint16, "bgr16": np.uint16}
_LARGEST_SIDE = 16_384
_COMPRESSED_DEPTH_HEADER = 12
"""Bytes before the PNG in `compressedDepth`: a format number and two quantisation parameters."""


def stamp_ns(message: Any) -> int | None:
    """The time in a message's header; None where it has no header, or one that was never filled in."""
    header = getattr(message, "header", None)
    stamp = getattr(header, "stamp", None)
    if stamp is None:
        return None
    t_ns = int(stamp.sec) * NS_PER_S + int(stamp.nanosec)
    return t_ns if t_ns > 0 else None


def frame_of(message: Any) -> str:
    """The frame that a message speaks of, without a leading slash."""
    header = getattr(message, "header", None)
    return str(getattr(header, "frame_id", "")).lstrip("/")


# --- pictures ---------------------------------------------------------------------------------------------------------


def colour_image(message: Any) -> ImageRGB:
    """uint8 (H, W, 3) RGB of `sensor_msgs/Image` or `CompressedImage`."""
    import cv2

    if not hasattr(message, "encoding"):
        return _decoded(bytes(message.data), cv2.IMREAD_COLOR)[:, :, ::-1].copy()
    encoding = str(message.encoding).lower()
    if encoding.startswith("bayer_"):
        codes = {"rggb": cv2.COLOR_BayerRGGB2RGB, "bggr": cv2.COLOR_BayerBGGR2RGB,
                 "gbrg": cv2.COLOR_BayerGBRG2RGB, "grbg": cv2.COLOR_BayerGRBG2RGB}  # fmt: skip
        code = codes.get(encoding[6:10])
        if code is None or not encoding.endswith("8"):
            raise ValueError(f"pictures are encoded as {message.encoding!r}, which is not known here")
        return np.asarray(cv2.cvtColor(_rows(message, np.uint8, 1), code), dtype=np.uint8)
    if encoding in {"yuv422", "uyvy", "yuv422_yuy2", "yuyv"}:
        code = cv2.COLOR_YUV2RGB_UYVY if encoding in {"yuv422", "uyvy"} else cv2.COLOR_YUV2RGB_YUYV
        return np.asarray(cv2.cvtColor(_rows(message, np.uint8, 2), code), dtype=np.uint8)
    if encoding in _COLOUR:
        order, channels = _COLOUR[encoding]
        rows = _rows(message, np.uint8, channels)
        if order == "GRAY":
            return np.repeat(rows.reshape(*rows.shape[:2], 1), 3, axis=2)
        return np.ascontiguousarray(rows[:, :, :3] if order.startswith("RGB") else rows[:, :, 2::-1])
    if encoding in _DEEP:
        deep = _rows(message, _DEEP[encoding], 3 if "rgb" in encoding or "bgr" in encoding else 1)
        top = float(np.nanmax(np.where(np.isfinite(deep), deep, np.nan), initial=0.0)) or 1.0
        grey = (np.nan_to_num(deep / top) * 255).clip(0, 255).astype(np.uint8)
        if encoding.startswith("bgr"):
            return np.ascontiguousarray(grey[:, :, ::-1])
        return grey if grey.ndim == 3 else np.repeat(grey[:, :, None], 3, axis=2)
    raise ValueError(f"pictures are encoded as {message.encoding!r}, which is not known here")


def depth_image(message: Any) -> Depth:
    """float32 (H, W) in metres; 0 and NaN are no measurement."""
    import cv2

    if not hasattr(message, "encoding"):
        data = bytes(message.data)
        kind = str(getattr(message, "format", "")).lower()
        if "compresseddepth" in kind:
            if "32fc1" in kind:
                return _inverse_depth(data)
            data = data[_COMPRESSED_DEPTH_HEADER:]
        deep = _decoded(data, cv2.IMREAD_UNCHANGED)
        if deep.dtype != np.uint16 or deep.ndim != 2:
            raise ValueError("depth is compressed in a way that loses it (it must be a 16-bit PNG)")
        return np.asarray(deep, dtype=np.float32) / np.float32(1000)
    encoding = str(message.encoding).lower()
    if encoding in {"16uc1", "mono16"}:
        return np.asarray(_rows(message, np.uint16, 1), dtype=np.float32) / np.float32(1000)
    if encoding == "32fc1":
        return _rows(message, np.float32, 1).astype(np.float32)
    raise ValueError(f"depth is encoded as {message.encoding!r}; 16UC1 (mm) and 32FC1 (m) are known")


def label_image(message: Any) -> npt.NDArray[np.int32]:
    """int32 (H, W): the number of the object that every pixel belongs to."""
    encoding = str(getattr(message, "encoding", "")).lower()
    kinds = {"16uc1": np.uint16, "mono16": np.uint16, "32sc1": np.int32, "8uc1": np.uint8, "mono8": np.uint8}
    if encoding not in kinds:
        raise ValueError(f"object numbers are encoded as {encoding!r}; 8UC1, 16UC1 and 32SC1 are known")
    return _rows(message, kinds[encoding], 1).astype(np.int32)


def intrinsics(message: Any) -> tuple[Intrinsics, tuple[int, int]]:
    """The pinhole camera of `sensor_msgs/CameraInfo`, and its picture's (width, height)."""
    matrix = np.asarray(getattr(message, "K", None) if hasattr(message, "K") else message.k, dtype=np.float64).ravel()
    if len(matrix) != 9 or not np.isfinite(matrix).all() or matrix[0] <= 0 or matrix[4] <= 0:
        raise ValueError("the camera info is empty: its focal lengths are not positive")
    camera = Intrinsics(fx=float(matrix[0]), fy=float(matrix[4]), cx=float(matrix[2]), cy=float(matrix[5]))
    return camera, (int(message.width), int(message.height))


def scaled(camera: Intrinsics, size: tuple[int, int], shape: tuple[int, int]) -> Intrinsics:
    """The same camera for a picture of another size; `size` is (width, height), `shape` (height, width)."""
    across = shape[1] / size[0] if size[0] > 0 else 1.0
    down = shape[0] / size[1] if size[1] > 0 else 1.0
    return Intrinsics(
        fx=camera.fx * across, fy=camera.fy * down,
        cx=(camera.cx + 0.5) * across - 0.5, cy=(camera.cy + 0.5) * down - 0.5,
    )  # fmt: skip


def _inverse_depth(data: bytes) -> Depth:
    """`compressedDepth` of 32FC1: a 16-bit PNG of quantised inverse depth, its two parameters in the header."""
    import cv2

    if len(data) <= _COMPRESSED_DEPTH_HEADER:
        raise ValueError("a compressed depth image without content")
    scale, offset = np.frombuffer(data[4:12], dtype="<f4")
    coded = _decoded(data[_COMPRESSED_DEPTH_HEADER:], cv2.IMREAD_UNCHANGED).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(coded > 0, scale / (coded - offset), 0).astype(np.float32)


def _decoded(data: bytes, flag: int) -> npt.NDArray[Any]:
    import cv2

    image = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data else None
    if image is None:
        raise ValueError("a compressed picture that is damaged or in an unknown format")
    return np.asarray(image)


def _rows(message: Any, kind: Any, channels: int) -> npt.NDArray[Any]:
    """(H, W) or (H, W, C) view of a raw image, its row padding left out."""
    height, width, step = int(message.height), int(message.width), int(message.step)
    if not (0 < height <= _LARGEST_SIDE and 0 < width <= _LARGEST_SIDE):
        raise ValueError(f"a picture of {width}x{height} pixels")
    item = np.dtype(kind).newbyteorder(">" if message.is_bigendian else "<")
    row = width * channels * item.itemsize
    step = step or row
    data = np.frombuffer(memoryview(message.data), np.uint8)
    if step < row:
        raise ValueError(f"a picture whose rows of {step} bytes do not hold {width} pixels")
    if len(data) < step * height:
        raise ValueError(f"a picture with {len(data)} bytes where {step * height} are stated")
    packed = np.ascontiguousarray(data[: step * height].reshape(height, step)[:, :row]).view(item)
    return packed.reshape(height, width, channels) if channels > 1 else packed.reshape(height, width)


# --- poses ------------------------------------------------------------------------------------------------------------


def transforms(message: Any) -> list[tuple[str, str, int | None, Pose]]:
    """(parent, child, time, pose) of `tf2_msgs/TFMessage`; what is not finite is left out."""
    found: list[tuple[str, str, int | None, Pose]] = []
    for one in message.transforms:
        try:
            pose = pose_from(_xyz(one.transform.translation), _xyzw(one.transform.rotation))
        except ValueError:
            continue
        found.append((frame_of(one), str(one.child_frame_id).lstrip("/"), stamp_ns(one), pose))
    return found


def pose_of(message: Any) -> tuple[str, str, Pose]:
    """(parent, child, pose) of odometry and stamped poses; the child is empty where the message names none."""
    pose = message.pose
    while hasattr(pose, "pose"):  # PoseWithCovariance, Odometry
        pose = pose.pose
    made = pose_from(_xyz(pose.position), _xyzw(pose.orientation))
    return frame_of(message), str(getattr(message, "child_frame_id", "")).lstrip("/"), made


def _xyz(vector: Any) -> tuple[float, float, float]:
    return float(vector.x), float(vector.y), float(vector.z)


def _xyzw(turn: Any) -> tuple[float, float, float, float]:
    return float(turn.x), float(turn.y), float(turn.z), float(turn.w)


# --- sound ------------------------------------------------------------------------------------------------------------


class SoundDecoder:
    """Turns the packets of an audio topic into 16 kHz mono: raw samples as its `AudioInfo` states them, or MP3."""

    def __init__(self, *, coding: str = "", sample_format: str = "", rate_hz: int = 0, channels: int = 0) -> None:
        self._coding = coding.lower()
        self._format = (sample_format or "S16LE").upper()
        self._rate_hz = rate_hz or SAMPLE_RATE_HZ
        self._channels = channels or 1
        self._codec: Any = None
        self._resampler: Any = None

    def decode(self, data: bytes) -> Samples:
        """float32 (N,) in [-1, 1]; the samples of a packet may come with the next one."""
        import av

        if self._resampler is None:
            self._resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
        frames = self._compressed(data) if self._coding in {"mp3", "mpeg"} else self._raw(data)
        parts: list[npt.NDArray[np.float32]] = []
        for frame in frames:
            frame.pts = None
            parts += [one.to_ndarray().ravel() for one in self._resampler.resample(frame)]
        return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)

    def _compressed(self, data: bytes) -> list[Any]:
        import av
        import av.error

        if self._codec is None:
            self._codec = av.CodecContext.create("mp3", "r")
        try:
            return [frame for packet in self._codec.parse(data) for frame in self._codec.decode(packet)]
        except av.error.FFmpegError as error:
            raise ValueError("sound that cannot be decoded") from error

    def _raw(self, data: bytes) -> list[Any]:
        import av

        kinds = {"S16LE": ("<i2", "s16"), "S32LE": ("<i4", "s32"), "F32LE": ("<f4", "flt"), "U8": ("u1", "u8")}
        if self._format not in kinds:
            raise ValueError(f"sound is stored as {self._format!r}; S16LE, S32LE, F32LE, U8 and MP3 are known")
        kind, name = kinds[self._format]
        width = np.dtype(kind).itemsize * self._channels
        values = np.frombuffer(data[: len(data) // width * width], dtype=kind)
        if not len(values):
            return []
        layout = "mono" if self._channels == 1 else "stereo"
        if self._channels > 2:
            values = np.ascontiguousarray(values.reshape(-1, self._channels)[:, :2]).ravel()
        frame = av.AudioFrame.from_ndarray(values.reshape(1, -1), format=name, layout=layout)
        frame.sample_rate = self._rate_hz
        return [frame]
