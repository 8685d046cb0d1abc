#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A server that behaves badly on request, for http_test and stream_test.

hostile.py DIR: listens on loopback, prints "NAME PORT" for each door, then "ready"; ends when stdin
closes. DIR holds the certificates the test made: good, wrong, expired, unknown (.pem: key and
certificate) and ca.pem.
"""
import gzip
import os
import socket
import ssl
import struct
import sys
import threading
import time

DIR = sys.argv[1]
PATIENCE = 30  # seconds a silent connection is kept
seen = {"post": 0, "quit": 0, "open": 0}
lock = threading.Lock()


def count(name, by=1):
    with lock:
        seen[name] += by
        return seen[name]


class Peer:
    """One connection, with buffered reads."""

    def __init__(self, sock):
        self.sock, self.rest = sock, b""

    def send(self, data):
        self.sock.sendall(data)

    def until(self, end):
        while end not in self.rest:
            more = self.sock.recv(65536)
            if not more:
                return None
            self.rest += more
        head, self.rest = self.rest.split(end, 1)
        return head + end

    def exactly(self, size):
        while len(self.rest) < size:
            more = self.sock.recv(65536)
            if not more:
                break
            self.rest += more
        body, self.rest = self.rest[:size], self.rest[size:]
        return body

    def wait_closed(self):
        self.sock.settimeout(PATIENCE)
        try:
            while self.sock.recv(65536):
                pass
        except OSError:
            pass

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


# ---- HTTP ---------------------------------------------------------------------

def reply(peer, body=b"", code="200 OK", headers=(), length=None):
    lines = [f"HTTP/1.1 {code}", f"Content-Length: {len(body) if length is None else length}", *headers]
    peer.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def do_hello(peer, head, body, rest):
    reply(peer, b"hello", headers=["X-Strange-Name:  kept \x01clean "])


def do_echo(peer, head, body, rest):
    reply(peer, head + body)


def do_status(peer, head, body, rest):
    code, _, retry = rest.partition("/")
    headers = [f"Retry-After: {retry}"] if retry else []
    reply(peer, b"told", f"{code} Status", headers)


def do_half(peer, head, body, rest):
    reply(peer, b"half of it", length=100)
    return "close"


def do_stall(peer, head, body, rest):
    reply(peer, b"some", length=100)
    peer.wait_closed()
    return "close"


def do_silent(peer, head, body, rest):
    peer.wait_closed()
    return "close"


def do_close(peer, head, body, rest):
    return "close"


def do_reset(peer, head, body, rest):
    peer.reset()
    return "gone"


def do_big(peer, head, body, rest):
    reply(peer, b"x" * int(rest))


def do_chunked(peer, head, body, rest):
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(int(rest)):
        peer.send(b"4000\r\n" + b"y" * 0x4000 + b"\r\n")
    peer.send(b"0\r\n\r\n")


def do_bomb(peer, head, body, rest):
    reply(peer, gzip.compress(b"\0" * int(rest)), headers=["Content-Encoding: gzip"])


def do_packed(peer, head, body, rest):
    reply(peer, gzip.compress(b"unpacked words"), headers=[f"Content-Encoding: {rest or 'gzip'}"])


def do_header(peer, head, body, rest):
    reply(peer, b"", headers=[f"X-{i}: " + "h" * 1000 for i in range(int(rest))])


def do_line(peer, head, body, rest):
    reply(peer, b"", headers=["X-Long: " + "l" * int(rest)])


def do_interim(peer, head, body, rest):
    for _ in range(int(rest)):
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: " + b"i" * 500 + b"\r\n\r\n")
    reply(peer, b"after all")


def do_redirect(peer, head, body, rest):
    """redirect/2: two more of this host, then /hello; redirect/to/URL: there."""
    if rest.startswith("to/"):
        target = rest[3:]
    else:
        target = f"/redirect/{int(rest) - 1}" if int(rest) > 1 else "/hello"
    reply(peer, b"elsewhere", "302 Found", [f"Location: {target}"])


def do_drip(peer, head, body, rest):
    """A stream: pieces with pauses, then the end."""
    pieces, pause_ms = (int(n) for n in rest.split("/"))
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for i in range(pieces):
        time.sleep(pause_ms / 1000)
        data = b"piece %d\n" % i
        peer.send(b"%x\r\n%s\r\n" % (len(data), data))
    peer.send(b"0\r\n\r\n")


def do_late(peer, head, body, rest):
    time.sleep(int(rest) / 1000)
    reply(peer, b"late")


def do_post(peer, head, body, rest):
    """Counted, then answered or, on a connection that was used before, dropped without a word."""
    count("post")
    if peer.used and rest == "drop":
        return "close"
    reply(peer, b"posted")


def do_count(peer, head, body, rest):
    reply(peer, str(seen[rest]).encode())


def do_garbage(peer, head, body, rest):
    peer.send(b"\xff\xfe\0 no HTTP at all\r\n\r\n")
    return "close"


HTTP = {name[3:]: run for name, run in globals().items() if name.startswith("do_")}


def serve_http(peer):
    peer.used = False
    while True:
        head = peer.until(b"\r\n\r\n")
        if head is None:
            return
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = peer.exactly(length)
        path = head.split(b" ")[1].decode("latin-1")
        name, _, rest = path.partition("?")[0].lstrip("/").partition("/")
        end = HTTP[name](peer, head, body, rest)
        if end == "gone":
            return
        if end == "close":
            break
        peer.used = True
    peer.sock.close()


# ---- lines -----------------------------------------------------------------------

def serve_lines(peer):
    received = 0
    while True:
        line = peer.until(b"\n")
        if line is None:
            return
        received += len(line)
        word, _, rest = line.strip().decode("latin-1").partition(" ")
        if word == "echo":
            peer.send(rest.encode("latin-1") + b"\n")
        elif word == "flood":
            for _ in range(int(rest)):
                peer.send(b"f" * 1023 + b"\n")
        elif word == "half":
            peer.send(b"half a li")
            return
        elif word == "slow":
            for byte in rest.encode() + b"\n":
                time.sleep(0.02)
                peer.send(bytes([byte]))
        elif word == "deaf":
            time.sleep(PATIENCE)
        elif word == "reset":
            peer.reset()
            return
        elif word == "last":
            peer.send(b"ERROR :last words\n")
            return
        elif word == "QUIT":
            count("quit", received)
            return
        elif word == "seen":
            peer.send(b"%d\n" % seen["quit"])


def serve_greeting(peer):
    peer.send(b":server NOTICE * :no TLS here\r\n")
    peer.wait_closed()


def serve_nothing(peer):
    peer.wait_closed()


def serve_slam(peer):
    return


# ---- doors --------------------------------------------------------------------------

def context(name, client=False):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(os.path.join(DIR, name + ".pem"))
    if client:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(os.path.join(DIR, "ca.pem"))
    return made


def one(sock, serve, tls):
    try:
        if tls:
            sock = tls.wrap_socket(sock, server_side=True)
        serve(Peer(sock))
    except (OSError, ValueError):
        pass
    finally:
        try:
            sock.close()
        except OSError:
            pass


def door(name, serve, tls=None):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    print(name, listener.getsockname()[1], flush=True)

    def accept():
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=one, args=(sock, serve, tls), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def main():
    door("http", serve_http)
    door("lines", serve_lines)
    door("greeting", serve_greeting)
    door("silent", serve_nothing)
    door("slam", serve_slam)
    for name in ("good", "wrong", "expired", "unknown"):
        door("https_" + name, serve_http, context(name))
        door("tls_" + name, serve_lines, context(name))
    door("tls_client", serve_lines, context("good", client=True))
    print("ready", flush=True)
    sys.stdin.read()


main()
