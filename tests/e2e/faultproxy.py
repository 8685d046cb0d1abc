# SPDX-License-Identifier: MIT
"""A proxy on loopback between the bot and one server: passes on what it gets, and breaks it where a test says so."""
import re
import select
import socket
import ssl
import struct
import threading
import time

from peer import free_port

ALL = 1 << 30  # a fault that stays until it is healed


class Answer:
    """What the proxy says in the server's place. done: the server gets the request all the same. Values of headers may
    be functions."""

    def __init__(self, code, body=b"", done=False, **headers):
        self.code, self.done = code, done
        self.body = body if isinstance(body, bytes) else body.encode()
        self.headers = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}

    def bytes(self):
        head = "".join(f"{k}: {v() if callable(v) else v}\r\n" for k, v in self.headers.items())
        return f"HTTP/1.1 {self.code} X\r\n{head}content-length: {len(self.body)}\r\n\r\n".encode() + self.body


class Fault:
    """HTTP: `match` is searched in "METHOD /path?query"; IRC: in "> line" of the bot or "< line" of the server. Before
    that, TLS or not, in the word "connect": "before" the handshake, "during" it, "after" it.

    what: "before" nothing of it is passed on, then the connection is cut; "during": half of it; "after": all of it,
    but nothing that comes back; "silent": from here on nothing is passed on, and the connection stays;
    HTTP also: "half" of the answer, "drip" (the answer, a byte in 0.3 s), "empty" (header and no body), an Answer;
    IRC also: bytes, said in the place of that line."""

    def __init__(self, match, what, times):
        self.match, self.what, self.left = re.compile(match), what, times
        self.hits = 0
        self.met = threading.Event()


class Cut(Exception):
    """This connection ends now, with a reset."""


class Proxy:
    """protocol: "irc" or "http". tls: (certificate, key) to show to the bot, or None; may be changed at any time."""

    def __init__(self, to_port, protocol, tls=None):
        self.to_port, self.protocol, self.tls = to_port, protocol, tls
        self.port = free_port()
        self.requests = []  # (monotonic seconds, "METHOD /path?query")
        self.breaks = []    # monotonic seconds at which something stopped passing
        self._faults, self._lock = [], threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._generation = 0
        self._listener = None
        self.listen()

    # -- what tests do
    def fault(self, match, what, times=1):
        fault = Fault(match, what, times)
        with self._lock:
            self._faults.append(fault)
        return fault

    def cut(self):
        """Resets all connections."""
        self._generation += 1

    def stall(self):
        """Connections stay, new ones are taken, but no byte passes."""
        self.breaks.append(time.monotonic())
        self._flows.clear()

    def refuse(self):
        """Nobody listens any more; what is open is cut."""
        if self._listener:
            self._listener.close()
            self._listener = None
        self.cut()

    def listen(self):
        if not self._listener:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def heal(self):
        """All is as if there were no proxy."""
        with self._lock:
            self._faults.clear()
        if not self._flows.is_set():
            self.cut()  # what was held up has gone stale, as after a long outage
            self._flows.set()
        self.listen()

    def close(self):
        self.refuse()
        self._flows.set()

    # -- connections
    def _accept(self, listener):
        listener.settimeout(0.2)
        while listener.fileno() >= 0:
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=_Connection(self, client).run, daemon=True).start()

    def take_fault(self, text):
        with self._lock:
            for fault in self._faults:
                if fault.left > 0 and fault.match.search(text):
                    fault.left -= 1
                    fault.hits += 1
                    fault.met.set()
                    self.breaks.append(time.monotonic())
                    return fault.what
        return None


class _Connection:
    """One client and its own connection to the server; one thread."""

    def __init__(self, proxy, client):
        self.proxy, self.client, self.server = proxy, client, None
        self.generation = proxy._generation
        self.buffer = b""  # HTTP: read from the client, not used yet

    def run(self):
        try:
            self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.flow()
            broken = self.proxy.take_fault("connect")
            if broken == "during":
                self.client.settimeout(2)
                self.client.recv(10)
            if broken in ("before", "during"):
                raise Cut
            if self.proxy.tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*map(str, self.proxy.tls))
                self.client.settimeout(20)
                self.client = context.wrap_socket(self.client, server_side=True)
            if broken:
                raise Cut
            self.client.settimeout(30)
            (self.http if self.proxy.protocol == "http" else self.irc)()
        except (Cut, OSError, ValueError):
            pass
        finally:
            self.proxy.breaks.append(time.monotonic())
            for sock in (self.client, self.server):
                if sock:
                    try:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        sock.close()
                    except OSError:
                        pass

    def flow(self):
        """Waits while nothing may pass; ends a connection that was cut."""
        while not self.proxy._flows.wait(0.05):
            self.check()
        self.check()

    def check(self):
        if self.generation != self.proxy._generation:
            raise Cut

    def silent(self):
        while True:
            self.check()
            time.sleep(0.05)

    def connect(self):
        self.server = socket.create_connection(("127.0.0.1", self.proxy.to_port), 10)
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.settimeout(30)

    def ready(self, *socks):
        """Those with something to read; waits for one."""
        while True:
            self.check()
            self.flow()
            now = [s for s in socks if getattr(s, "pending", lambda: 0)()]
            now = now or select.select(socks, [], [], 0.05)[0]
            if now:
                return now

    # -- IRC: lines
    def irc(self):
        self.connect()
        rest = {self.client: b"", self.server: b""}
        while True:
            for sock in self.ready(self.client, self.server):
                data = sock.recv(65536)
                if not data:
                    return
                *lines, rest[sock] = (rest[sock] + data).split(b"\n")
                for line in lines:
                    self.irc_line(sock, line + b"\n")

    def irc_line(self, source, line):
        other = self.server if source is self.client else self.client
        sign = "> " if source is self.client else "< "
        what = self.proxy.take_fault(sign + line.decode("utf-8", "replace").rstrip())
        if what is None:
            other.sendall(line)
        elif isinstance(what, bytes):
            other.sendall(what)
        elif what == "silent":
            self.silent()
        elif what == "before":
            raise Cut
        elif what == "during":
            other.sendall(line[:len(line) // 2])
            time.sleep(0.1)
            raise Cut
        else:  # "after": the server has done it before the connection goes
            other.sendall(line)
            time.sleep(0.3)
            raise Cut

    # -- HTTP: requests
    def read_client(self):
        self.ready(self.client)
        data = self.client.recv(65536)
        if not data:
            raise Cut
        self.buffer += data

    def http(self):
        while True:
            while b"\r\n\r\n" not in self.buffer:
                self.read_client()
            head = self.buffer[:self.buffer.index(b"\r\n\r\n") + 4]
            length = _length(head) or 0
            while len(self.buffer) < len(head) + length:
                self.read_client()
            request, self.buffer = self.buffer[:len(head) + length], self.buffer[len(head) + length:]
            name = " ".join(head.split(b"\r\n", 1)[0].decode("latin1").split(" ")[:2])
            self.proxy.requests.append((time.monotonic(), name))
            self.exchange(request, self.proxy.take_fault(name))

    def exchange(self, request, what):
        self.flow()
        if what == "before":
            raise Cut
        if isinstance(what, Answer) and not what.done:
            self.client.sendall(what.bytes())
            return
        self.send(request[:len(request) // 2] if what == "during" else request)
        if what == "during":
            time.sleep(0.1)
            raise Cut
        if what == "silent":
            self.silent()
        if what is None:
            self.relay(self.client.sendall)
            return
        answer = []
        self.relay(answer.append)
        self.broken(b"".join(answer), what)

    def broken(self, answer, what):
        body = answer.index(b"\r\n\r\n") + 4
        if isinstance(what, Answer):
            self.client.sendall(what.bytes())
        elif what == "drip":
            for n in range(len(answer)):
                self.flow()
                self.client.sendall(answer[n:n + 1])
                time.sleep(0.3)
        else:  # "after" (nothing of it), "half" or "empty"
            self.client.sendall({"after": b"", "empty": answer[:body]}.get(what, answer[:(body + len(answer)) // 2]))
            time.sleep(0.05)
            raise Cut

    def send(self, data):
        """To the server; a kept connection may have been closed there meanwhile."""
        if self.server and select.select([self.server], [], [], 0)[0]:
            self.server.close()
            self.server = None
        if not self.server:
            self.connect()
        self.server.sendall(data)

    def read_server(self):
        while True:
            for sock in self.ready(self.server, self.client):
                if sock is self.client:
                    more = self.client.recv(65536)
                    if not more:
                        raise Cut  # the bot no longer wants it
                    self.buffer += more
                else:
                    return self.server.recv(65536)

    def relay(self, out):
        """The server's answer, piece by piece."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.read_server()
            if not more:
                raise Cut
            data += more
        head, data = data[:data.index(b"\r\n\r\n") + 4], data[data.index(b"\r\n\r\n") + 4:]
        out(head)
        length, chunked = _length(head), b"transfer-encoding: chunked" in head.lower()
        tail = b""
        left = length
        while True:
            if data:
                out(data)
                left = None if left is None else left - len(data)
                tail = (tail + data)[-7:]
            if left == 0 or (chunked and (tail == b"\r\n0\r\n\r\n" or tail == b"0\r\n\r\n")):
                return
            data = self.read_server()
            if not data:
                raise Cut


def _length(head):
    found = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.I)
    return int(found[1]) if found else None
