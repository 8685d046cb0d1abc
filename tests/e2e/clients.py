# SPDX-License-Identifier: MIT
"""The people of the tests: a small IRC client (with SASL) and a small Matrix client."""
import base64
import json
import select
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request


def wait_for(what, timeout=20.0, every=0.02, message="it did not happen in time"):
    """Calls `what` until it gives something true; that is returned."""
    end = time.monotonic() + timeout
    while True:
        result = what()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(message() if callable(message) else message)
        time.sleep(every)


class Line:
    """One line from an IRC server, taken apart."""

    def __init__(self, raw):
        self.at = time.time()
        self.raw = raw
        self.tags, rest = {}, raw
        if rest.startswith("@"):
            tags, rest = rest[1:].split(" ", 1)
            for tag in tags.split(";"):
                key, _, value = tag.partition("=")
                self.tags[key] = value
        self.source = ""
        if rest.startswith(":"):
            self.source, _, rest = rest[1:].partition(" ")
        rest, colon, last = rest.partition(" :")
        words = rest.split()
        self.command = words[0].upper() if words else ""
        self.args = words[1:] + ([last] if colon else [])
        self.nick = self.source.split("!", 1)[0]

    @property
    def target(self):
        return self.args[0] if self.args else ""

    @property
    def text(self):
        return self.args[-1] if self.args else ""

    def __repr__(self):
        return f"<{self.raw}>"


class Irc:
    """A person on IRC. All lines received are kept in `lines`."""

    def __init__(self, port, nick, host="127.0.0.1", account=None, password=None, ca_file=None, certificate=None,
                 caps=(), real_name="a person of the tests"):
        self.nick, self.account = nick, account
        self.lines, self.closed = [], False
        self._lock = threading.Condition()
        sock = socket.create_connection((host, port), 10)
        if ca_file or certificate:
            context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
            if certificate:
                context.load_cert_chain(*map(str, certificate))
            sock = context.wrap_socket(sock, server_hostname=host)
        sock.settimeout(20)
        self._sock = sock
        self._io = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()
        sasl = account is not None or certificate is not None
        wanted = list(caps) + (["sasl"] if sasl else [])
        if wanted:
            self.send("CAP LS 302")
        self.send(f"NICK {nick}")
        self.send(f"USER {nick} 0 * :{real_name}")
        if wanted:
            self.wait(lambda l: l.command == "CAP" and l.args[1] == "LS" and "*" not in l.args[2:3])
            have = {c.split("=")[0] for l in self.lines if l.command == "CAP" for c in l.text.split()}
            self.caps = [c for c in wanted if c in have]
            if self.caps:
                self.send("CAP REQ :" + " ".join(self.caps))
                self.wait(lambda l: l.command == "CAP" and l.args[1] == "ACK")
            if sasl:
                self._sasl(account, password, certificate)
            self.send("CAP END")
        self.wait(lambda l: l.command == "001", 20)

    def _sasl(self, account, password, certificate):
        if certificate:
            self.send("AUTHENTICATE EXTERNAL")
            self.wait(lambda l: l.command == "AUTHENTICATE")
            self.send("AUTHENTICATE +")
        else:
            self.send("AUTHENTICATE PLAIN")
            self.wait(lambda l: l.command == "AUTHENTICATE")
            self.send("AUTHENTICATE " + base64.b64encode(f"{account}\0{account}\0{password}".encode()).decode())
        end = self.wait(lambda l: l.command in ("903", "904", "905"))
        assert end.command == "903", end

    def _read(self):
        data = b""
        while True:
            try:
                more = self._receive()
            except (OSError, ValueError):
                more = b""
            if not more:
                with self._lock:
                    self.closed = True
                    self._lock.notify_all()
                return
            data += more
            *whole, data = data.split(b"\n")
            for raw in whole:
                line = Line(raw.rstrip(b"\r").decode("utf-8", "replace"))
                if line.command == "PING":
                    self.send("PONG :" + line.text)
                    continue
                with self._lock:
                    self.lines.append(line)
                    self._lock.notify_all()

    def _receive(self):
        # One thread at a time may use a TLS socket, so waiting is done outside of the lock.
        while True:
            if not getattr(self._sock, "pending", lambda: 0)():
                select.select([self._sock], [], [])
            with self._io:
                self._sock.settimeout(0.01)
                try:
                    return self._sock.recv(65536)
                except (TimeoutError, ssl.SSLWantReadError):
                    continue
                finally:
                    self._sock.settimeout(20)

    def send(self, line):
        """One raw line; bytes go as they are."""
        data = line if isinstance(line, bytes) else line.encode()
        with self._io:
            self._sock.sendall(data + b"\r\n")

    def wait(self, match, timeout=20.0, since=0):
        """The first line (from index `since`) for which match(line) is true."""
        end = time.monotonic() + timeout
        seen = since
        with self._lock:
            while True:
                while seen < len(self.lines):
                    if match(self.lines[seen]):
                        return self.lines[seen]
                    seen += 1
                left = end - time.monotonic()
                if left <= 0 or self.closed:
                    raise AssertionError(f"{self.nick}: the line did not come; last lines: {self.lines[-12:]}")
                self._lock.wait(left)

    def join(self, channel):
        self.send(f"JOIN {channel}")
        self.wait(lambda l: l.command == "366" and l.args[1].lower() == channel.lower())
        return self

    def say(self, target, text):
        self.send(f"PRIVMSG {target} :{text}")

    def said(self, target, nick=None, kinds=("PRIVMSG", "NOTICE")):
        """Texts seen in a room (of one nick), in order."""
        with self._lock:
            return [l.text for l in self.lines if l.command in kinds and l.target.lower() == target.lower()
                    and (nick is None or l.nick == nick)]

    def wait_text(self, part, target=None, timeout=20.0, since=0):
        """The first PRIVMSG or NOTICE that contains `part`."""
        return self.wait(lambda l: l.command in ("PRIVMSG", "NOTICE") and part in l.text
                         and (target is None or l.target.lower() == target.lower()), timeout, since)

    def mark(self):
        with self._lock:
            return len(self.lines)

    def register_account(self, password):
        """Makes an Ergo account named like the nick and logs in."""
        self.send(f"NS REGISTER {password}")
        self.wait(lambda l: l.command == "NOTICE" and "logged in" in l.text)

    def close(self):
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._sock.close()


def irc_account(port, name, password, certificate=None, tls_port=None, ca_file=None):
    """Makes an account on Ergo; with a certificate, ties that to it (SASL EXTERNAL)."""
    person = Irc(port, name)
    person.register_account(password)
    person.close()
    if certificate:
        person = Irc(tls_port, name + "-cert", ca_file=ca_file, account=name, password=password)
        # the certificate's fingerprint is what NickServ wants to be told
        fingerprint = certificate_fingerprint(certificate[0])
        mark = person.mark()
        person.send(f"NS CERT ADD {fingerprint}")
        person.wait(lambda l: l.command == "NOTICE" and l.nick.lower() == "nickserv", since=mark)
        person.close()


def certificate_fingerprint(path):
    import hashlib
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(open(path).read())).hexdigest()


class MatrixError(Exception):
    def __init__(self, code, body):
        super().__init__(f"{code}: {body}")
        self.code, self.body = code, body


class Matrix:
    """A person on Matrix. Timeline events of all joined rooms are kept in `events`."""

    def __init__(self, url, user_id, token):
        self.url, self.user_id, self.token = url, user_id, token
        self.events, self.invites = [], set()
        self._lock = threading.Condition()
        self._seen = set()
        self._stop = False
        self._number = 0
        self._thread = None

    @classmethod
    def register(cls, synapse, name, admin=False):
        got = synapse.register(name, admin=admin)
        return cls(synapse.url, got["user_id"], got["access_token"])

    def api(self, method, path, body=None, timeout=40, prefix="/_matrix/client/v3"):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + prefix + path, data, method=method, headers={
            "Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as e:
            text = e.read().decode("utf-8", "replace")
            try:
                raise MatrixError(e.code, json.loads(text)) from None
            except ValueError:
                raise MatrixError(e.code, text) from None

    def patient(self, method, path, body=None):
        """As api(), but obeys the server's request to wait."""
        while True:
            try:
                return self.api(method, path, body)
            except MatrixError as e:
                if e.code != 429:
                    raise
                time.sleep(e.body.get("retry_after_ms", 1000) / 1000)

    # -- rooms
    def create_room(self, name=None, invite=(), public=True, **extra):
        body = {"preset": "public_chat" if public else "private_chat", "invite": list(invite), **extra}
        if name:
            body["name"] = name
        return self.api("POST", "/createRoom", body)["room_id"]

    def join(self, room):
        self.api("POST", "/join/" + urllib.parse.quote(room), {})

    def invite(self, room, user_id):
        self.api("POST", f"/rooms/{urllib.parse.quote(room)}/invite", {"user_id": user_id})

    def members(self, room):
        return set(self.api("GET", f"/rooms/{urllib.parse.quote(room)}/joined_members")["joined"])

    # -- saying
    def send_event(self, room, kind, content, txn=None):
        self._number += 1
        txn = txn or f"t{id(self)}.{self._number}"
        return self.patient("PUT", f"/rooms/{urllib.parse.quote(room)}/send/{kind}/{txn}", content)["event_id"]

    def say(self, room, text, msgtype="m.text", **extra):
        return self.send_event(room, "m.room.message", {"msgtype": msgtype, "body": text, **extra})

    def reply(self, room, event_id, text):
        return self.say(room, text, **{"m.relates_to": {"m.in_reply_to": {"event_id": event_id}}})

    def edit(self, room, event_id, text):
        return self.say(room, "* " + text, **{
            "m.new_content": {"msgtype": "m.text", "body": text},
            "m.relates_to": {"rel_type": "m.replace", "event_id": event_id}})

    def redact(self, room, event_id):
        self._number += 1
        self.patient("PUT", f"/rooms/{urllib.parse.quote(room)}/redact/{urllib.parse.quote(event_id)}/r{id(self)}."
                     f"{self._number}", {})

    # -- hearing
    def start(self):
        """Reads on in the background from now."""
        since = self.api("GET", "/sync?timeout=0")["next_batch"]

        def loop(since):
            while not self._stop:
                try:
                    got = self.api("GET", f"/sync?timeout=10000&since={since}", timeout=30)
                except (OSError, MatrixError):
                    if self._stop:
                        return
                    time.sleep(0.3)
                    continue
                since = got["next_batch"]
                self._take(got)

        self._thread = threading.Thread(target=loop, args=(since,), daemon=True)
        self._thread.start()
        return self

    def _take(self, sync):
        now = time.time()
        with self._lock:
            rooms = sync.get("rooms", {})
            self.invites |= set(rooms.get("invite", {}))
            for room, data in rooms.get("join", {}).items():
                for event in data.get("timeline", {}).get("events", []):
                    if event["event_id"] not in self._seen:
                        self._seen.add(event["event_id"])
                        event["room_id"], event["at"] = room, now
                        self.events.append(event)
            self._lock.notify_all()

    def wait(self, match, timeout=20.0, since=0):
        end = time.monotonic() + timeout
        seen = since
        with self._lock:
            while True:
                while seen < len(self.events):
                    if match(self.events[seen]):
                        return self.events[seen]
                    seen += 1
                left = end - time.monotonic()
                if left <= 0:
                    tail = [e.get("content", {}).get("body") for e in self.events[-12:]]
                    raise AssertionError(f"{self.user_id}: the event did not come; last texts: {tail}")
                self._lock.wait(left)

    def wait_text(self, part, room=None, timeout=20.0, since=0):
        return self.wait(lambda e: e["type"] == "m.room.message" and part in e["content"].get("body", "")
                         and (room is None or e["room_id"] == room), timeout, since)

    def said(self, room, sender=None):
        with self._lock:
            return [e["content"].get("body", "") for e in self.events if e["room_id"] == room
                    and e["type"] == "m.room.message" and (sender is None or e["sender"] == sender)]

    def mark(self):
        with self._lock:
            return len(self.events)

    def history(self, room, limit=1000):
        """All message events of a room as the server keeps them, oldest first."""
        out, start = [], None
        while len(out) < limit:
            path = f"/rooms/{urllib.parse.quote(room)}/messages?dir=b&limit=100"
            got = self.api("GET", path + (f"&from={urllib.parse.quote(start)}" if start else ""))
            out += got["chunk"]
            start = got.get("end")
            if not start or not got["chunk"]:
                break
        return out[::-1]

    def stop(self):
        self._stop = True
