"""An RTSP server on loopback, as a camera has one: real RTP from FFmpeg's own packetiser, over TCP (RFC 2326).

FFmpeg publishes a file once (ANNOUNCE, RECORD); what it sent, packets with their times, is played to everybody who asks
(DESCRIBE, SETUP, PLAY). So a test decides how the stream ends: with BYE, with a closed connection, or never.
"""

from __future__ import annotations

import base64
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Ending = Literal["bye", "closed", "silent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What FFmpeg sent: the description, and interleaved packets with the time of the stream at which they were."""

    sdp: bytes
    packets: list[tuple[float, bytes]]


@dataclass(slots=True)
class _Connection:
    """RTSP over one socket: requests, answers, and interleaved packets between them."""

    sock: socket.socket
    buffer: bytes = b""
    is_playing: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> tuple[str, dict[str, str], bytes] | bytes | None:
        """A request (first line, headers, body), an interleaved packet, or None at the end."""
        while True:
            if self.buffer[:1] == b"$":
                if len(self.buffer) >= 4 and len(self.buffer) >= 4 + int.from_bytes(self.buffer[2:4], "big"):
                    end = 4 + int.from_bytes(self.buffer[2:4], "big")
                    packet, self.buffer = self.buffer[:end], self.buffer[end:]
                    return packet
            elif b"\r\n\r\n" in self.buffer:
                head, _, rest = self.buffer.partition(b"\r\n\r\n")
                first, *lines = head.decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                length = int(headers.get("content-length", 0))
                if len(rest) >= length:
                    self.buffer = rest[length:]
                    return first, headers, rest[:length]
            try:
                more = self.sock.recv(65536)
            except OSError:
                return None
            if not more:
                return None
            self.buffer += more

    def answer(self, headers: dict[str, str], status: str = "200 OK", body: bytes = b"", **more: str) -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {headers['cseq']}", "Session: 1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + body)

    def send(self, data: bytes) -> None:
        with self.lock:
            self.sock.sendall(data)


_PUBLISH = """
import sys, av
with av.open(sys.argv[1]) as source:
    with av.open(sys.argv[2], "w", format="rtsp", options={"rtsp_transport": "tcp"}) as target:
        streams = {one.index: target.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                print(float(packet.dts * packet.time_base))
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
"""


def publish(path: Path) -> Published:
    """Lets FFmpeg publish a file over RTSP, as fast as it can, and keeps what it sends."""
    server = socket.create_server(("127.0.0.1", 0))
    sdp: list[bytes] = []
    packets: list[bytes] = []

    def receive() -> None:
        sock, _ = server.accept()
        with sock:
            connection = _Connection(sock)
            while (got := connection.read()) is not None:
                if isinstance(got, bytes):
                    packets.append(got)
                    continue
                _, headers, body = got
                if body:
                    sdp.append(body)
                connection.answer(headers, **_transport(headers))

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    # In a process of its own: PyAV holds the interpreter while the muxer waits for this server's answers.
    address = f"rtsp://127.0.0.1:{server.getsockname()[1]}/x"
    done = subprocess.run([sys.executable, "-c", _PUBLISH, str(path), address], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    times = [float(word) for word in done.stdout.split()]
    thread.join(10)
    server.close()
    assert sdp
    assert packets
    # The muxer sends as it is fed, so packets and times run side by side.
    return Published(
        sdp=sdp[0],
        packets=[(times[index * len(times) // len(packets)] - times[0], one) for index, one in enumerate(packets)],
    )


def _transport(headers: dict[str, str]) -> dict[str, str]:
    return {"Transport": headers["transport"]} if "transport" in headers else {}


@contextmanager
def rtsp_camera(
    published: Published,
    *,
    times_real_time: float = 1.0,
    keep: float = 1.0,
    ending: Ending = "bye",
    login: str | None = None,
) -> Iterator[str]:
    """Plays at `/door` to everybody who asks, from the beginning.

    Args:
        keep: how much of it is played before it ends in the way of `ending`.
        login: `name:password` that is asked for.
    """
    server = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()
    threads: list[threading.Thread] = []
    packets = published.packets[: int(len(published.packets) * keep)]

    def play(connection: _Connection) -> None:
        before = 0.0
        try:
            for at_s, packet in packets:
                if at_s > before and done.wait((at_s - before) / times_real_time):
                    return
                before = max(before, at_s)
                connection.send(packet)
            if ending == "bye":
                for channel in (1, 3):
                    # A compound packet, as RFC 3550 wants it: an empty receiver report, then BYE.
                    goodbye = struct.pack(">BBHIBBHI", 0x80, 201, 1, channel, 0x81, 203, 1, channel)
                    connection.send(struct.pack(">cBH", b"$", channel, len(goodbye)) + goodbye)
            elif ending == "closed":
                connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def serve(sock: socket.socket) -> None:
        with sock:
            connection = _Connection(sock)
            while (got := connection.read()) is not None and not done.is_set():
                if isinstance(got, bytes):
                    continue  # receiver reports
                try:
                    _obey(connection, *got[:2])
                except OSError:
                    return

    def _obey(connection: _Connection, first: str, headers: dict[str, str]) -> None:
        method, uri, _ = first.split()
        wanted = f"Basic {base64.b64encode(login.encode()).decode()}" if login else None
        if method == "OPTIONS":
            connection.answer(headers, Public="OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN")
        elif wanted is not None and headers.get("authorization") != wanted:
            connection.answer(headers, "401 Unauthorized", WWW_Authenticate='Basic realm="door"')
        elif not re.search(r"/door(/|$)", uri):
            connection.answer(headers, "404 Not Found")
        elif method == "DESCRIBE":
            connection.answer(headers, body=published.sdp, Content_Type="application/sdp", Content_Base=f"{uri}/")
        elif method == "PLAY":
            connection.answer(headers, Range="npt=0-")
            if not connection.is_playing:
                connection.is_playing = True
                playing = threading.Thread(target=play, args=(connection,), daemon=True)
                threads.append(playing)
                playing.start()
        else:
            connection.answer(headers, **_transport(headers))

    def accept() -> None:
        while True:
            try:
                sock, _ = server.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(sock,), daemon=True))
            threads[-1].start()
            sockets.append(sock)

    sockets: list[Any] = []
    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"rtsp://127.0.0.1:{server.getsockname()[1]}/door"
    finally:
        done.set()
        server.close()
        for sock in sockets:
            sock.close()
        for thread in list(threads):
            thread.join(5)
