# SPDX-License-Identifier: MIT
"""An IRC server with one channel that asks the bot for a sign of life all the time: how long its loop was busy."""
import pathlib
import queue
import socket
import threading
import time


class PingingIrc:
    """`pauses`: (seconds until the answer, of these on the processor in the bot's main thread) for each PING."""

    def __init__(self, nick="largebot", channel="#large"):
        self.nick, self.channel = nick, channel
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pauses, self.lines, self.pid = [], [], None
        self.joined = threading.Event()
        self._pongs, self._client, self._stop = queue.Queue(), None, False
        self._write = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            self._client, _ = self.listener.accept()
        except OSError:
            return
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        while not self._stop:
            try:
                more = self._client.recv(65536)
            except OSError:
                return
            if not more:
                return
            *whole, data = (data + more).split(b"\r\n")
            for line in whole:
                self._answer(line.decode("utf-8", "replace"))

    def _answer(self, line):
        self.lines.append(line)
        words = line.split()
        if words[:2] == ["CAP", "LS"]:
            self.send(":s CAP * LS :")
        elif words[0] == "USER":
            self.send(f":s 001 {self.nick} :Welcome", f":s 376 {self.nick} :End")
        elif words[0] == "JOIN":
            self.send(f":{self.nick}!b@h JOIN {self.channel}", f":s 353 {self.nick} = {self.channel} :{self.nick} ann",
                      f":s 366 {self.nick} {self.channel} :End")
            self.joined.set()
        elif words[0] == "PING":
            self.send(f":s PONG s {words[1]}")
        elif words[0] == "PONG":
            self._pongs.put(words[1].lstrip(":"))

    def send(self, *lines):
        with self._write:
            self._client.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def say(self, text, nick="ann"):
        self.send(f":{nick}!a@h PRIVMSG {self.channel} :{text}")
        return time.monotonic()

    def _ran(self):
        """Seconds the loop's thread was on a processor, and seconds it could have been and others were."""
        try:
            ran, queued = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/schedstat").read_text().split()[:2]
            return int(ran) / 1e9, int(queued) / 1e9
        except OSError:
            return 0.0, 0.0

    def watch(self, pid):
        """Begins to ask."""
        self.pid = pid

        def loop():
            number = 0
            while not self._stop:
                number += 1
                ran, start = self._ran(), time.monotonic()
                try:
                    self.send(f"PING :probe{number}")
                    while self._pongs.get(timeout=30) != f"probe{number}":
                        pass
                except (OSError, queue.Empty):
                    return
                took = time.monotonic() - start
                now = self._ran()
                self.pauses.append((took, min(took, now[0] - ran[0]), min(took, now[1] - ran[1])))
                time.sleep(0.003)
        threading.Thread(target=loop, daemon=True).start()

    def report(self, since=0):
        """(asked, waited p50, p99, longest; longest on the processor, longest with no processor to be had), in ms."""
        waited = sorted(p[0] * 1000 for p in self.pauses[since:])
        busy = max(p[1] * 1000 for p in self.pauses[since:])
        queued = max(p[2] * 1000 for p in self.pauses[since:])
        return len(waited), waited[len(waited) // 2], waited[int(len(waited) * 0.99)], waited[-1], busy, queued

    def close(self):
        self._stop = True
        self.listener.close()
        if self._client:
            self._client.close()
