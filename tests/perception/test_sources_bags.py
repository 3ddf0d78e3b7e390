"""Robot recordings, in every container and with every fault, written by the containers' own writers."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perception.protocols import AudioBlock, Look, SideGap, SourceItem, TrackLine, VideoFrame
from perception.sources import expand_sources, open_frame_reader, open_source, read_audio
from perception.watch import Watcher
from streammem.errors import SourceBrokenError, SourceError
from streammem.settings import SegmentationSettings, SourceSettings
from tests.bags import CAMERA, COLOUR, DEPTH, HEIGHT, INFO, NS, START_NS, WIDTH, Bend, drive, picture
from tests.media import truncate

SETTINGS = SourceSettings(sample_fps=5.0)

AUDIO = """uint8[] data"""
AUDIO_INFO = """uint8 channels
uint32 sample_rate
string sample_format
uint32 bitrate
string coding_format"""


def items_of(path: Path, *, from_ns: int = 0, settings: SourceSettings = SETTINGS) -> list[SourceItem]:
    with open_source(path, settings=settings) as source:
        return list(source.stream(from_ns=from_ns))


def frames_of(items: list[SourceItem]) -> list[VideoFrame]:
    return [one for one in items if isinstance(one, VideoFrame)]


def reasons(items: list[SourceItem]) -> list[str]:
    return [one.reason for one in items if isinstance(one, SideGap)]


@pytest.mark.parametrize(
    ("name", "kind"), [("run.mcap", "mcap"), ("run", "mcap-folder"), ("run", "sqlite3"), ("run.bag", "ros1")]
)
def test_every_container_gives_pictures_with_depth_and_pose(tmp_path: Path, name: str, kind: str) -> None:
    path = drive(tmp_path / name, kind=kind)
    with open_source(path, settings=SETTINGS) as source:
        info = source.info
        items = list(source.stream())
    assert (info.width, info.height, info.start_ns) == (WIDTH, HEIGHT, START_NS)
    assert info.duration_ns is not None
    assert abs(info.duration_ns - 2.9 * NS) < 1e7
    frames = frames_of(items)
    assert [one.t_ns for one in frames] == [round(index * 0.2 * NS) for index in range(15)]
    assert not reasons(items)
    for index, frame in enumerate(frames):
        assert np.array_equal(frame.image_rgb, picture(2 * index))
        assert np.array_equal(frame.original(), picture(2 * index))
        look = frame.look
        assert look is not None
        assert look.t_ns == frame.t_ns
        assert look.camera == CAMERA
        assert look.depth_m is not None
        assert np.allclose(look.depth_m, 2.0 + 0.02 * index, atol=1e-3)
        # Ahead along x at 0.5 m/s, a metre up, looking ahead: the camera's z is the map's x.
        assert np.allclose(look.T_map_camera[:3, 3], (0.1 * index, 0, 1))
        assert np.allclose(look.T_map_camera[:3, 2], (1, 0, 0))


def test_a_folder_of_recordings_is_one_recording_each(tmp_path: Path) -> None:
    drive(tmp_path / "a.mcap", seconds=0.3)
    drive(tmp_path / "b", kind="sqlite3", seconds=0.3)
    drive(tmp_path / "c.bag", kind="ros1", seconds=0.3)
    specs = expand_sources(tmp_path)
    assert [one.recording for one in specs] == ["a", "b", "c"]
    assert [open_source(one.uri, settings=SETTINGS).info.width for one in specs] == [WIDTH] * 3


def test_a_resumed_reading_gives_the_same_frames(tmp_path: Path) -> None:
    path = drive(tmp_path / "run.mcap", seconds=6)
    whole = frames_of(items_of(path))
    rest = frames_of(items_of(path, from_ns=3 * NS))
    expected = [one for one in whole if one.t_ns >= 3 * NS]
    assert [one.t_ns for one in rest] == [one.t_ns for one in expected]
    for one, other in zip(rest, expected, strict=True):
        assert np.array_equal(one.image_rgb, other.image_rgb)
        assert one.look is not None
        assert other.look is not None
        assert np.array_equal(one.look.T_map_camera, other.look.T_map_camera)


def test_odometry_alone_places_the_camera_and_says_how(tmp_path: Path) -> None:
    items = items_of(drive(tmp_path / "run.mcap", poses="odometry"))
    looks = [one.look for one in frames_of(items) if one.look is not None]
    assert len(looks) == 15
    assert np.allclose(looks[-1].T_map_camera[:3, 3], (1.4, 0, 0))
    assert any("looking ahead" in one for one in reasons(items))


def test_compressed_pictures_and_float_depth(tmp_path: Path) -> None:
    items = items_of(drive(tmp_path / "run.mcap", compressed=True, depth_encoding="32FC1"))
    frames = frames_of(items)
    assert len(frames) == 15
    assert np.abs(frames[3].image_rgb.astype(int) - picture(6)).mean() < 20
    assert frames[3].look is not None
    assert frames[3].look.depth_m is not None
    assert frames[3].look.depth_m[5, 5] == np.float32(2.06)


def test_time_comes_from_the_messages_and_else_from_the_recorder(tmp_path: Path) -> None:
    simulated = items_of(drive(tmp_path / "a.mcap", log_offset_ns=500 * NS))
    assert [one.t_ns for one in frames_of(simulated)][:3] == [0, NS // 5, 2 * NS // 5]
    unstamped = items_of(drive(tmp_path / "b.mcap", stamped=False))
    assert [one.t_ns for one in frames_of(unstamped)][:3] == [0, NS // 5, 2 * NS // 5]
    with open_source(tmp_path / "a.mcap", settings=SETTINGS) as source:
        assert source.info.start_ns == START_NS


def test_depth_that_is_empty_or_missing_is_one_gap_and_the_rest_is_kept(tmp_path: Path) -> None:
    def bend(topic: str, index: int, message: Any) -> Any:
        if topic == DEPTH and 10 <= index < 20:
            message.data = np.full(HEIGHT * WIDTH, np.nan, np.float32).view(np.uint8)
        return None if topic == DEPTH and 30 <= index < 40 else message

    items = items_of(drive(tmp_path / "run.mcap", seconds=6, depth_encoding="32FC1", bend=bend))
    gaps = {one.reason: one for one in items if isinstance(one, SideGap)}
    empty = gaps["the depth image is empty: no pixel has a distance"]
    assert (empty.t_start_ns, empty.t_end_ns) == (1 * NS, round(1.8 * NS))
    missing = gaps["there is no depth image with the picture"]
    assert 3.0 * NS <= missing.t_start_ns <= missing.t_end_ns <= 4 * NS
    frames = frames_of(items)
    assert len(frames) == 30
    assert all(one.look is not None for one in frames)
    assert sum(one.look is not None and one.look.depth_m is None for one in frames) in {9, 10}


def test_missing_intrinsics_keep_pictures_and_poses(tmp_path: Path) -> None:
    items = items_of(drive(tmp_path / "run.mcap", bend=lambda topic, _, message: None if topic == INFO else message))
    assert [one for one in reasons(items) if "no camera info" in one]
    assert all(one.look is not None and one.look.depth_m is None for one in frames_of(items))


def test_a_pose_that_jumps_for_a_moment_is_not_believed(tmp_path: Path) -> None:
    def bend(topic: str, index: int, message: Any) -> Any:
        if topic == "/tf" and 13 <= index <= 15:
            message.transforms[0].transform.translation.x += 40.0
        return message

    items = items_of(drive(tmp_path / "run.mcap", seconds=4, bend=bend))
    assert [one for one in reasons(items) if "jumped by about 40 m" in one]
    frames = frames_of(items)
    assert [one.t_ns for one in frames if one.look is None] == [round(1.4 * NS)]
    assert len(frames) == 20


def test_a_pose_that_jumps_and_stays_is_followed(tmp_path: Path) -> None:
    def bend(topic: str, index: int, message: Any) -> Any:
        if topic == "/tf" and index >= 15:
            message.transforms[0].transform.translation.x += 40.0
        return message

    items = items_of(drive(tmp_path / "run.mcap", seconds=4, bend=bend))
    assert [one for one in reasons(items) if "jumped and stayed" in one]
    last = frames_of(items)[-1].look
    assert last is not None
    assert last.T_map_camera[0, 3] == pytest.approx(41.9)


def test_poses_and_pictures_that_go_back_in_time_are_left_out(tmp_path: Path) -> None:
    def bend(topic: str, index: int, message: Any) -> Any:
        if topic == "/tf" and index == 12:
            message.transforms[0].header.stamp.sec -= 1
        if topic == COLOUR and index == 20:
            message.header.stamp.sec -= 1
        return message

    items = items_of(drive(tmp_path / "run.mcap", bend=bend))
    said = reasons(items)
    assert "a pose went back in time and was left out" in said
    assert "pictures went back in time and were left out" in said
    times = [one.t_ns for one in frames_of(items)]
    assert times == sorted(times)
    assert len(times) == 15


def test_no_poses_at_all_keeps_the_pictures(tmp_path: Path) -> None:
    items = items_of(drive(tmp_path / "run.mcap", poses="none"))
    assert len(frames_of(items)) == 15
    assert all(one.look is None for one in frames_of(items))
    assert [one for one in reasons(items) if "no poses" in one]


def test_unknown_topic_types_are_named_and_left_out(tmp_path: Path) -> None:
    path = drive(tmp_path / "run.mcap")
    # A channel whose definition nobody brought along, appended to the same file by its own writer.
    from mcap.reader import make_reader
    from mcap.writer import Writer

    other = tmp_path / "more.mcap"
    with path.open("rb") as old, other.open("wb") as new:
        writer = Writer(new)
        writer.start(profile="ros2", library="test")
        schema = writer.register_schema("acme_msgs/msg/Whisker", "ros2msg", b"")
        channel = writer.register_channel("/whiskers", "cdr", schema)
        protobuf = writer.register_channel(
            "/scan", "protobuf", writer.register_schema("foxglove.Scan", "protobuf", b"")
        )
        for number in (channel, protobuf):
            writer.add_message(number, START_NS, b"\0\1\0\0abcd", START_NS)
        known: dict[int, int] = {}
        for kind, old_channel, message in make_reader(old).iter_messages():
            if old_channel.id not in known:
                assert kind is not None
                number = writer.register_schema(kind.name, kind.encoding, kind.data)
                known[old_channel.id] = writer.register_channel(old_channel.topic, "cdr", number)
            writer.add_message(known[old_channel.id], message.log_time, message.data, message.publish_time)
        writer.finish()
    items = items_of(other)
    assert len(frames_of(items)) == 15
    said = " ".join(reasons(items))
    assert "'/whiskers' has the type 'acme_msgs/msg/Whisker'" in said
    assert "'/scan' is encoded as 'protobuf'" in said


def blind(topic: str, index: int, message: Any) -> Any:
    return None if topic in {COLOUR, DEPTH, INFO} else message


@pytest.mark.parametrize(("name", "kind"), [("run.mcap", "mcap"), ("run", "sqlite3"), ("run.bag", "ros1")])
@pytest.mark.parametrize("poses", ["tf", "odometry"])
def test_poses_alone_are_a_path(tmp_path: Path, name: str, kind: str, poses: str) -> None:
    path = drive(tmp_path / name, kind=kind, bend=blind, poses=poses)
    items = items_of(path)
    looks = [one for one in items if isinstance(one, Look)]
    assert [one.t_ns for one in looks] == [round(index * 0.2 * NS) for index in range(15)]
    for index, look in enumerate(looks):
        assert np.allclose(look.T_map_camera[:3, 3], (0.1 * index, 0, 0))
        assert np.allclose(look.T_map_camera[:3, 2], (1, 0, 0))
    assert "the recording holds no pictures: what is remembered is where the robot was" in reasons(items)
    assert [one.t_ns for one in items_of(path, from_ns=2 * NS) if isinstance(one, Look)][:1] == [2 * NS]


def test_a_bag_without_pictures_keeps_its_words_or_says_what_it_has(tmp_path: Path) -> None:
    def nothing(topic: str, index: int, message: Any) -> Any:
        return message if topic == "/tf_static" else None

    with pytest.raises(SourceError, match=r"holds no pictures, sound, words or poses.*/tf_static"):
        open_source(drive(tmp_path / "a.mcap", bend=nothing), settings=SETTINGS)

    def words(make: Any, write: Any) -> None:
        write("/speech", "std_msgs/msg/String", START_NS + NS, make.string("Anna: the keys are on the shelf"))

    items = items_of(drive(tmp_path / "b.mcap", bend=blind, extra=words))
    lines = [one for one in items if isinstance(one, TrackLine)]
    assert [(one.speaker, one.text, one.t_start_ns) for one in lines] == [("Anna", "the keys are on the shelf", NS)]
    assert len([one for one in items if isinstance(one, Look)]) == 15


def test_depth_stands_in_where_there_is_no_colour(tmp_path: Path) -> None:
    items = items_of(
        drive(tmp_path / "run.mcap", bend=lambda topic, index, message: None if topic == COLOUR else message)
    )
    assert len(frames_of(items)) == 15
    assert [one for one in reasons(items) if "depth is shown in their place" in one]


def recoded(encoding: str) -> Bend:
    """Every colour picture says that it is encoded so."""

    def bend(topic: str, index: int, message: Any) -> Any:
        if topic == COLOUR:
            message.encoding = encoding
        return message

    return bend


@pytest.mark.parametrize(("name", "kind"), [("run.mcap", "mcap"), ("run", "sqlite3"), ("run.bag", "ros1")])
def test_an_encoding_that_is_not_known_is_named_and_the_rest_kept(tmp_path: Path, name: str, kind: str) -> None:
    items = items_of(drive(tmp_path / name, kind=kind, bend=recoded("nv21")))
    assert len(frames_of(items)) == 15  # depth
    told = "the pictures of '/cam/color/image_raw' cannot be used: pictures are encoded as 'nv21', which is not known"
    assert [one for one in reasons(items) if one.startswith(told)]
    assert "there are no colour pictures: depth is shown in their place" in reasons(items)


def test_another_camera_is_looked_at_where_one_cannot_be_used(tmp_path: Path) -> None:
    def more(make: Any, write: Any) -> None:
        for index in range(30):
            t_ns = START_NS + index * NS // 10
            image = make.image(t_ns, "cam_optical", picture(index), "rgb8")
            write("/second_camera/color/image_raw", "sensor_msgs/msg/Image", t_ns, image)

    items = items_of(drive(tmp_path / "run.mcap", bend=recoded("nv21"), extra=more))
    assert np.array_equal(frames_of(items)[3].image_rgb, picture(6))
    assert [one for one in reasons(items) if "'nv21'" in one]


def test_object_numbers_become_detections_and_a_collision_is_told(tmp_path: Path) -> None:
    numbers = np.zeros((HEIGHT, WIDTH), np.uint16)
    numbers[10:20, 10:30] = 7
    numbers[40:50, 60:70] = 9

    def labels(make: Any, write: Any) -> None:
        tables = {0.0: {7: "mug", 9: "plate"}, 1.5: {7: "bowl"}}
        for t_s, table in tables.items():
            text = json.dumps({str(key): value for key, value in table.items()})
            write("/camera/objects", "std_msgs/msg/String", START_NS + round(t_s * NS), make.string(text))
        for index in range(30):
            t_ns = START_NS + index * NS // 10
            image = make.image(t_ns, "cam_optical", numbers, "16UC1")
            write("/cam/labels/image_raw", "sensor_msgs/msg/Image", t_ns, image)

    items = items_of(drive(tmp_path / "run.mcap", extra=labels))
    looks = [one.look for one in frames_of(items) if one.look is not None]
    first = {one.instance_id: one for one in looks[0].detections}
    assert {one.label for one in looks[0].detections} == {"mug", "plate"}
    assert first["mug-7"].box == (10 / WIDTH, 10 / HEIGHT, 30 / WIDTH, 20 / HEIGHT)
    assert first["mug-7"].mask is not None
    assert first["mug-7"].mask.sum() == 200
    assert {(one.label, one.instance_id) for one in looks[-1].detections} == {("bowl", "bowl-7"), ("plate", "plate-9")}
    assert [one for one in reasons(items) if "object number 7 was 'mug' and is 'bowl'" in one]


def test_sound_is_heard_at_its_rate_and_silence_fills_holes(tmp_path: Path) -> None:
    rate, packet = 8_000, 800
    tone = (8_000 * np.sin(np.arange(rate * 3) * 2 * np.pi * 440 / rate)).astype("<i2")

    path = tmp_path / "run.mcap"
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(get_types_from_msg(AUDIO, "audio_common_msgs/msg/AudioData"))
    store.register(get_types_from_msg(AUDIO_INFO, "audio_common_msgs/msg/AudioInfo"))
    data_type, info_type = (store.types[f"audio_common_msgs/msg/{one}"] for one in ("AudioData", "AudioInfo"))
    from mcap.writer import Writer

    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="ros2", library="test")

        def channel(topic: str, name: str) -> int:
            text = store.generate_msgdef(name, ros_version=2)[0]
            return writer.register_channel(topic, "cdr", writer.register_schema(name, "ros2msg", text.encode()))

        info = channel("/audio_info", "audio_common_msgs/msg/AudioInfo")
        sound = channel("/audio", "audio_common_msgs/msg/AudioData")
        stated = info_type(channels=1, sample_rate=rate, sample_format="S16LE", bitrate=0, coding_format="wave")
        raw = bytes(store.serialize_cdr(stated, "audio_common_msgs/msg/AudioInfo"))
        writer.add_message(info, START_NS, raw, START_NS)
        for index in range(30):
            if 10 <= index < 15:
                continue
            part = tone[index * packet : (index + 1) * packet].tobytes()
            message = data_type(data=np.frombuffer(part, np.uint8))
            t_ns = START_NS + index * NS // 10
            raw = bytes(store.serialize_cdr(message, "audio_common_msgs/msg/AudioData"))
            writer.add_message(sound, t_ns, raw, t_ns)
        writer.finish()
    blocks = [one for one in items_of(path) if isinstance(one, AudioBlock)]
    samples = np.concatenate([one.samples for one in blocks])
    assert blocks[0].t_ns == 0
    for one, other in pairwise(blocks):
        assert other.t_ns == one.t_ns + len(one.samples) * 62_500
    assert len(samples) == pytest.approx(3 * 16_000, abs=200)
    assert np.abs(samples[17_600:23_000]).max() == 0
    spectrum = np.abs(np.fft.rfft(samples[:16_000]))
    assert spectrum.argmax() == pytest.approx(440, abs=2)
    again = read_audio(path, 2 * NS, 3 * NS)
    assert len(again) == 16_000
    assert np.abs(again).max() > 0.1


def test_looking_again_finds_the_frame_shown(tmp_path: Path) -> None:
    path = drive(tmp_path / "run.mcap", seconds=4)
    reader = open_frame_reader(path)
    found = reader.read([0, round(1.25 * NS), 90 * NS])
    reader.close()
    assert [t for t, _ in found] == [0, round(1.2 * NS), round(3.9 * NS)]
    assert np.array_equal(found[1][1], picture(12))


def test_a_file_that_was_cut_off_gives_what_there_is(tmp_path: Path) -> None:
    path = truncate(drive(tmp_path / "run.mcap", seconds=120, fps=10), keep=0.6)
    items: list[SourceItem] = []
    with open_source(path, settings=SETTINGS) as source, pytest.raises(SourceBrokenError, match="cut off"):
        items.extend(source.stream())  # what came before the error stays in the list
    frames = frames_of(items)
    assert len(frames) > 50
    assert frames[10].look is not None


@pytest.mark.parametrize("name", ["empty.mcap", "noise.mcap", "noise.bag"])
def test_what_is_no_recording_gets_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"" if name.startswith("empty") else b"not a bag at all" * 100)
    with pytest.raises(SourceError) as caught:
        open_source(path, settings=SETTINGS)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_part_of_a_ros2_recording_names_its_folder(tmp_path: Path) -> None:
    folder = drive(tmp_path / "run", kind="sqlite3", seconds=0.3)
    with pytest.raises(SourceError, match="give its folder"):
        open_source(next(folder.glob("*.db3")), settings=SETTINGS)


def test_a_hole_in_depth_ends_no_event(tmp_path: Path) -> None:
    def bend(topic: str, index: int, message: Any) -> Any:
        return None if topic == DEPTH and 10 <= index < 60 else message

    path = drive(tmp_path / "run.mcap", seconds=8, bend=bend)
    with open_source(path, settings=SETTINGS) as source:
        watcher = Watcher(source.info, SegmentationSettings())
        items = list(source.stream())
        closed = [one for item in items for one in watcher.watch(item)] + list(watcher.finish())
    assert [one for one in reasons(items) if "no depth image" in one]
    assert [one.gap for one in closed] == [None]
    assert closed[0].t_end_ns == pytest.approx(7.9 * NS, abs=1e8)


def test_a_pose_farther_away_than_the_earth_is_no_pose(tmp_path: Path) -> None:
    def bend(topic: str, index: int, message: Any) -> Any:
        if topic == "/tf" and 10 <= index < 20:
            message.transforms[0].transform.translation.x = 1e300
        return message

    items = items_of(drive(tmp_path / "run.mcap", bend=bend))
    assert len(frames_of(items)) == 15
    looks = [one.look for one in frames_of(items) if one.look is not None]
    assert max(abs(one.T_map_camera[0, 3]) for one in looks) < 2


def test_rows_that_do_not_hold_the_picture_are_said_to(tmp_path: Path) -> None:
    def bend(topic: str, index: int, message: Any) -> Any:
        if topic == COLOUR and index % 4 == 2:
            message.width = 16_000
        return message

    said = reasons(items_of(drive(tmp_path / "run.mcap", bend=bend)))
    assert said == ["a picture whose rows of 240 bytes do not hold 16000 pixels"]


@pytest.mark.parametrize(
    "rooms", ["no rooms", '{"den": [[0, 0, 0], ["a", 1, 2]]}', '{"den": [[5, 5, 5], [0, 0, 0]]}', '{"den": 3}']
)
def test_rooms_that_are_none_cost_a_sentence(tmp_path: Path, rooms: str) -> None:
    path = drive(
        tmp_path / "run.mcap",
        extra=lambda make, write: write("/robot/rooms", "std_msgs/msg/String", START_NS, make.string(rooms)),
    )
    with open_source(path, settings=SETTINGS) as source:
        assert source.info.room_boxes is None
        assert len(frames_of(list(source.stream()))) == 15
    assert [one for one in reasons(items_of(path)) if one.startswith("the rooms of '/robot/rooms' cannot be used")]
