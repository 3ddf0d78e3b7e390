"""Live streams over real sockets and pipes: order, drops, breaking off, and files behind HTTP."""

from __future__ import annotations

import functools
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest

from perception.protocols import AudioBlock, VideoFrame
from perception.sources import open_source
from perception.sources.live import camera_frame
from streammem.errors import SourceBrokenError, SourceError
from streammem.settings import SourceSettings
from streammem.types import Gap
from tests.media import Scene, chirp, counter, make_clip, read_counter
from tests.rtsp_camera import Published, publish, rtsp_camera

SETTINGS = SourceSettings(sample_fps=5, analysis_height=90, open_timeout_s=5, read_timeout_s=1)


@pytest.fixture(scope="module")
def stream_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of MPEG-TS."""
    path = tmp_path_factory.mktemp("live") / "cam.ts"
    return make_clip(path, [Scene(6.0, counter())], sound=chirp(), key_every=25)


@contextmanager
def sender(path: Path, *, seconds: float, keep: float = 1.0, then_silent_s: float = 0.0) -> Iterator[str]:
    """Sends a file over TCP, paced over `seconds`; then closes, after a silence if asked."""
    server = socket.create_server(("127.0.0.1", 0))
    data = path.read_bytes()
    data = data[: int(len(data) * keep)]
    done = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            pieces = [data[start : start + 1880] for start in range(0, len(data), 1880)]
            for piece in pieces:
                try:
                    connection.sendall(piece)
                except OSError:
                    return
                if done.wait(seconds / len(pieces)):
                    return
            done.wait(then_silent_s)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
    finally:
        done.set()
        server.close()
        thread.join()


def test_tcp_stream_is_seen_as_it_comes(stream_file: Path) -> None:
    with sender(stream_file, seconds=3.0) as uri, open_source(uri, settings=SETTINGS) as source:
        assert source.info.is_live
        items = list(source.stream())
    frames = [item for item in items if isinstance(item, VideoFrame)]
    assert len(frames) >= 29
    assert [read_counter(frame.image_rgb) for frame in frames] == sorted(
        {read_counter(frame.image_rgb) for frame in frames}
    )
    assert sum(len(item.samples) for item in items if isinstance(item, AudioBlock)) > 5.5 * 16_000
    assert source.dropped == 0
    with pytest.raises(SourceError, match="second time"):
        next(source.stream())


def test_slow_consumer_loses_old_pictures_but_no_sound(stream_file: Path) -> None:
    settings = SETTINGS.model_copy(update={"queue_items": 4})
    frames, sound = [], 0
    with sender(stream_file, seconds=0.5) as uri, open_source(uri, settings=settings) as source:
        for item in source.stream():
            if isinstance(item, VideoFrame):
                frames.append(item)
                time.sleep(0.15)
            elif isinstance(item, AudioBlock):
                sound += len(item.samples)
        dropped = source.dropped
    assert dropped > 5
    assert len(frames) + dropped >= 29
    assert sound > 5.5 * 16_000


def test_stream_that_falls_silent_keeps_what_was_seen(stream_file: Path) -> None:
    items = []
    with (
        sender(stream_file, seconds=0.5, keep=0.6, then_silent_s=20) as uri,
        open_source(uri, settings=SETTINGS) as source,
    ):
        stream = source.stream()
        with pytest.raises(SourceBrokenError, match="broke off after 0:00:0"):
            _collect(stream, items)
    assert sum(isinstance(item, VideoFrame) for item in items) >= 12
    assert isinstance(items[-1], Gap)


def test_udp_has_no_end_so_silence_breaks_it_off(stream_file: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = stream_file.read_bytes()
    datagrams = [data[at : at + 7 * 188] for at in range(0, len(data), 7 * 188)]

    def send() -> None:
        time.sleep(0.5)  # until somebody listens
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            for datagram in datagrams:
                sending.sendto(datagram, ("127.0.0.1", port))
                time.sleep(2.0 / len(datagrams))

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    items: list[object] = []
    with (
        open_source(f"udp://127.0.0.1:{port}", settings=SETTINGS) as source,
        pytest.raises(SourceBrokenError, match="broke off after 0:00:0"),
    ):
        _collect(source.stream(), items)
    thread.join()
    frames = [item for item in items if isinstance(item, VideoFrame)]
    assert len(frames) >= 27
    assert sum(len(item.samples) for item in items if isinstance(item, AudioBlock)) > 5 * 16_000
    gap = items[-1]
    assert isinstance(gap, Gap)
    assert gap.t_end_ns - gap.t_start_ns > 0.9 * SETTINGS.read_timeout_s * 1e9  # as long as was waited in vain


def _collect(stream: Iterator[object], into: list[object]) -> None:
    for item in stream:  # one by one: what came before an error is kept
        into.append(item)


def test_closing_a_live_stream_ends_its_thread(stream_file: Path) -> None:
    before = threading.active_count()
    with sender(stream_file, seconds=8.0) as uri, open_source(uri, settings=SETTINGS) as source:
        next(source.stream())
        source.close()
        source.close()
    assert threading.active_count() == before


def test_standard_input(stream_file: Path) -> None:
    code = (
        "from perception.sources import open_source\n"
        "from streammem.settings import SourceSettings\n"
        "with open_source('-', settings=SourceSettings(queue_items=4096)) as source:\n"
        "    print(source.info.recording, sum(hasattr(item, 'image_rgb') for item in source.stream()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=stream_file.read_bytes(), capture_output=True, timeout=30, check=True
    )
    name, count = done.stdout.split()
    assert name == b"stdin"
    assert int(count) >= 29


def test_file_behind_http(tmp_path: Path) -> None:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...

        def copyfile(self, source: object, outputfile: object) -> None:
            try:
                super().copyfile(source, outputfile)  # type: ignore[arg-type]
            except OSError:
                self.close_connection = True  # the reader left early

    make_clip(
        tmp_path / "talk.mp4", [Scene(3.0, counter())], sound=chirp(), container_options={"movflags": "faststart"}
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        with open_source(f"{base}/talk.mp4", settings=SETTINGS) as source:
            assert source.info.recording == "talk"
            frames = [item for item in source.stream() if isinstance(item, VideoFrame)]
        with pytest.raises(SourceError, match=r"gone\.mp4.*does not exist on its server"):
            open_source(f"{base}/gone.mp4", settings=SETTINGS)
        server.shutdown()
    assert [read_counter(frame.image_rgb) for frame in frames] == [round(frame.t_ns / 1e9 * 25) for frame in frames]
    assert len(frames) == 15


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SourceError, match="cannot be opened"):
        open_source(f"tcp://127.0.0.1:{port}", settings=SETTINGS)


def test_sender_that_sends_nothing_times_out() -> None:
    settings = SETTINGS.model_copy(update={"open_timeout_s": 0.5, "read_timeout_s": 0.5})
    with socket.create_server(("127.0.0.1", 0)) as server:
        started = time.monotonic()
        with pytest.raises(SourceError, match="did not answer"):
            open_source(f"tcp://127.0.0.1:{server.getsockname()[1]}", settings=settings)
    assert time.monotonic() - started < 5


def test_camera_picture_is_turned_into_a_frame() -> None:
    import numpy as np

    image_bgr = np.zeros((480, 640, 3), np.uint8)
    image_bgr[..., 0] = 200  # blue
    frame = camera_frame(7, image_bgr, height=120)
    assert frame.image_rgb.shape == (120, 160, 3)
    assert frame.image_rgb[0, 0].tolist() == [0, 0, 200]
    assert frame.original().shape == (480, 640, 3)
    assert not os.path.exists("/dev/video99")  # noqa: PTH110


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Six seconds as a camera sends them: H.264 and AAC as RTP over RTSP."""
    path = tmp_path_factory.mktemp("rtsp") / "cam.mp4"
    return publish(make_clip(path, [Scene(6.0, counter())], sound=chirp(), key_every=25, options={"bf": "0"}))


def test_rtsp_that_says_goodbye_is_complete(published: Published) -> None:
    with rtsp_camera(published, times_real_time=3.0) as uri, open_source(uri, settings=SETTINGS) as source:
        assert source.info.is_live
        assert source.info.recording == "door"
        items = list(source.stream())
    frames = [item for item in items if isinstance(item, VideoFrame)]
    assert len(frames) >= 29
    # Time 0 is the sound's start, which the encoder's priming puts up to a picture before the first picture.
    assert all(abs(read_counter(frame.image_rgb) - frame.t_ns / 1e9 * 25) < 1.5 for frame in frames)
    assert sum(len(item.samples) for item in items if isinstance(item, AudioBlock)) > 5.5 * 16_000
    assert not any(isinstance(item, Gap) for item in items)


@pytest.mark.parametrize(("ending", "waited_s"), [("closed", 0.2), ("silent", SETTINGS.read_timeout_s)])
def test_rtsp_that_vanishes_is_broken_off(
    published: Published, ending: Literal["closed", "silent"], waited_s: float
) -> None:
    """A closed connection without BYE is no end, and the gap lasts as long as was waited, not a fixed time."""
    items: list[object] = []
    settings = SETTINGS.model_copy(update={"open_timeout_s": SETTINGS.read_timeout_s})
    with (
        rtsp_camera(published, times_real_time=3.0, keep=0.6, ending=ending) as uri,
        open_source(uri, settings=settings) as source,
        pytest.raises(SourceBrokenError, match="broke off after 0:00:0"),
    ):
        _collect(source.stream(), items)
    assert sum(isinstance(item, VideoFrame) for item in items) >= 15
    gap = items[-1]
    assert isinstance(gap, Gap)
    # In silence the demuxer waits twice: it gives out what it held back in between.
    assert waited_s * 0.9 <= (gap.t_end_ns - gap.t_start_ns) / 1e9 < (2 if ending == "silent" else 1) * waited_s + 0.7


def test_rtsp_refusals_name_what_to_do_and_no_password(published: Published) -> None:
    with rtsp_camera(published, times_real_time=6.0, login="eve:sesame") as uri:
        with pytest.raises(SourceError, match="refuses access; write the right name and password") as refused:
            open_source(uri.replace("//", "//eve:wrongword@"), settings=SETTINGS)
        assert "wrongword" not in str(refused.value)
        with pytest.raises(SourceError, match="does not exist on its server"):
            open_source(uri.replace("//", "//eve:sesame@").replace("door", "attic"), settings=SETTINGS)
        with open_source(uri.replace("//", "//eve:sesame@"), settings=SETTINGS) as source:
            assert "sesame" not in repr(source.info)
            assert isinstance(next(source.stream()), VideoFrame | AudioBlock)


def test_transfer_cut_inside_a_packet_is_broken_off(tmp_path: Path) -> None:
    """FLV states the size of each packet: a sender that crashed is told from one that was done."""
    path = tmp_path / "cam.flv"
    make_clip(path, [Scene(4.0, counter())], sound=chirp(), key_every=25, audio_channels=1)
    with sender(path, seconds=0.5) as uri, open_source(uri, settings=SETTINGS) as source:
        assert not any(isinstance(item, Gap) for item in source.stream())
    items: list[object] = []
    with (
        sender(path, seconds=0.5, keep=0.61) as uri,
        open_source(uri, settings=SETTINGS) as source,
        pytest.raises(SourceBrokenError),
    ):
        _collect(source.stream(), items)
    assert isinstance(items[-1], Gap)
