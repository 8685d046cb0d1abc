# SPDX-License-Identifier: MIT
"""The two long answers: filtered stream and activity stream. One JSON object a line, heartbeats, chosen mischief."""
import collections
import json
import random
import socket
import threading
import time
import uuid

from xstate import Refused, iso


ENDPOINTS = {"GET /2/tweets/search/stream": "filtered_stream", "GET /2/activity/stream": "activity_stream"}


class Knobs:
    """How the streams behave; tests change it while they run."""

    def __init__(self):
        self.heartbeat_s = 20.0
        self.latency_s = 0.0       # from publication to delivery
        self.split = False         # pieces of random size, also inside of a character
        self.join = False          # several messages in one segment
        self.duplicate = 0.0       # share of messages that come twice
        self.swap = 0.0            # share of messages that come after the next one
        self.stall = False         # nothing goes out any more, not even heartbeats
        self.ghost_s = 0.0         # a closed connection keeps its place so long
        self.second = "refuse"     # or "replace": the new connection closes the old one
        self.random = random.Random(1)


def too_many():
    return Refused(429, {"title": "ConnectionException", "detail":
                         "This stream is currently at the maximum allowed connection limit.",
                         "connection_issue": "TooManyConnections",
                         "type": "https://api.x.com/2/problems/streaming-connection"})


def no_rules():
    return Refused(409, {"title": "ConnectionException", "detail":
                         "You must define rules before you connect to the stream.",
                         "connection_issue": "RuleConfigurationIssue",
                         "type": "https://api.x.com/2/problems/streaming-connection"})


class Connection:
    """One client on one stream. serve() runs on the thread of its request."""

    def __init__(self, sock, name, clock, wrap):
        self.sock, self.name, self.wrap = sock, name, wrap
        self.id = str(uuid.UUID(int=random.Random(time.monotonic_ns()).getrandbits(128)))
        self.connected_at = iso(clock.now_ms())
        self.since_ms = clock.now_ms()
        self.beats = 0
        self.drip_s = 0.0  # above 0: a byte at a time
        self._queue = collections.deque()
        self._wake = threading.Condition()
        self._end = None  # bytes to send before the end, when it shall end

    def put(self, due, line):
        with self._wake:
            if self._end is None:  # what comes after its end is lost
                self._queue.append((due, line))
            self._wake.notify()

    def end(self, last=b"", reset=False):
        """Ends it from this side: after `last`, or at once with a reset."""
        with self._wake:
            if self._end is None:
                self._end = (last, reset)
            self._wake.notify()

    def alive(self):
        """False as soon as the client has closed its side."""
        if self._end is not None:
            return False
        try:
            return self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _send(self, data, knobs):
        frame = b"%x\r\n%s\r\n" % (len(data), data)
        for n in range(len(frame) if self.drip_s else 0):
            self.sock.sendall(frame[n:n + 1])
            time.sleep(self.drip_s)
        if self.drip_s or not knobs.split:
            self.sock.sendall(b"" if self.drip_s else frame)
            return
        at = 0
        while at < len(frame):
            size = knobs.random.randint(1, 40)
            self.sock.sendall(frame[at:at + size])
            at += size
            time.sleep(0.0005)

    def _due(self, knobs):
        """Lines whose time has come."""
        lines, now = [], time.monotonic()
        while self._queue and self._queue[0][0] <= now:
            lines.append(self._queue.popleft()[1])
            if knobs.duplicate and knobs.random.random() < knobs.duplicate:
                lines.append(lines[-1])
        if len(lines) > 1 and knobs.swap:
            for n in range(len(lines) - 1):
                if knobs.random.random() < knobs.swap:
                    lines[n], lines[n + 1] = lines[n + 1], lines[n]
        return lines

    def serve(self, knobs):
        """Until the client goes or end() is called. Returns "client" or "server"."""
        beat = time.monotonic() + knobs.heartbeat_s
        while True:
            with self._wake:
                lines = [] if knobs.stall else self._due(knobs)
                if not lines and self._end is None:
                    self._wake.wait(0.05)
                    lines = [] if knobs.stall else self._due(knobs)
                end = self._end
            try:
                if lines and knobs.join:
                    self._send(b"".join(lines), knobs)
                else:
                    for line in lines:
                        self._send(line, knobs)
                if end:
                    return self._finish(*end)
                if time.monotonic() >= beat and not knobs.stall:
                    self._send(b"\r\n", knobs)
                    self.beats += 1
                    beat = time.monotonic() + knobs.heartbeat_s
            except OSError:
                return "client"
            if not lines and not self.alive():
                return "client"

    def _finish(self, last, reset):
        if reset:
            half = last or b'{"data":{"id":"1'
            self.sock.sendall(b"%x\r\n%s" % (len(half) + 100, half))
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        else:
            if last:
                self.sock.sendall(b"%x\r\n%s\r\n" % (len(last), last))
            self.sock.sendall(b"0\r\n\r\n")
        return "server"


class Streams:
    """All connections, and who may open one."""

    PLACES = {"filtered_stream": 1, "activity_stream": 2}

    def __init__(self, clock, watch):
        self.clock, self.watch = clock, watch
        self.knobs = Knobs()
        self.open = {"filtered_stream": [], "activity_stream": []}
        self.ghosts = []  # (until, name)
        self.history = []
        self.lock = threading.Lock()

    def healthy_since(self):
        with self.lock:
            return min((c.since_ms for c in self.open["filtered_stream"]), default=None)

    def enter(self, connection):
        name = connection.name
        with self.lock:
            self.ghosts = [g for g in self.ghosts if g[0] > time.monotonic()]
            here = [c for c in self.open[name] if c.alive()]
            taken = len(here) + sum(g[1] == name for g in self.ghosts)
            if taken >= self.PLACES[name]:
                if here and len(here) >= self.PLACES[name]:
                    self.watch.second_stream(name)
                if self.knobs.second != "replace" or not here:
                    raise too_many()
                here[0].end()
            self.open[name].append(connection)

    def leave(self, connection, how):
        with self.lock:
            self.open[connection.name].remove(connection)
            self.history.append(connection)
            if how == "client" and self.knobs.ghost_s:
                self.ghosts.append((time.monotonic() + self.knobs.ghost_s, connection.name))
        if how == "server":
            self.watch.stream_ended(connection.name, "drop", lived=connection.beats > 0)

    def kill(self, name=None):
        """The connections API. Returns how many were open."""
        with self.lock:
            self.ghosts = [g for g in self.ghosts if name and g[1] != name]
            killed = [c for n, cs in self.open.items() if name in (None, n) for c in cs]
        for connection in killed:
            connection.end()
        return [c.id for c in killed]

    def send(self, name, data):
        """data: object, or function(connection) -> object or None."""
        due = time.monotonic() + self.knobs.latency_s
        with self.lock:
            for connection in self.open[name]:
                made = data(connection) if callable(data) else data
                if made is not None:
                    line = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode() + b"\r\n"
                    connection.put(due, line)

    def disconnect(self, name="filtered_stream", how="close"):
        """how: "close", "reset" (in the middle of a line), "told" (operational-disconnect, then close)."""
        told = {"errors": [{"title": "operational-disconnect", "disconnect_type": "UpstreamOperationalDisconnect",
                            "detail": "This stream has been disconnected upstream for operational reasons.",
                            "type": "https://api.x.com/2/problems/operational-disconnect"}]}
        with self.lock:
            connections = list(self.open[name])
        for connection in connections:
            connection.end(json.dumps(told).encode() + b"\r\n" if how == "told" else b"", reset=how == "reset")
        return len(connections)
