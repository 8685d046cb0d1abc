# SPDX-License-Identifier: MIT
"""People whose messages are encrypted: clients with Element's Rust crypto, all in one Node process (tests/env/jsclient)."""
import base64
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.parse

from clients import Matrix, wait_for
from nioclient import NioClient
from peer import ENV, ROOT, Missing, _die_with_parent
from synapse import PASSWORD

NODE = ENV / "venv" / "bin" / "node"
HOME = ENV / "jsclient"


class JsError(Exception):
    """What the client answered instead of doing it."""


class JsPeers:
    """The Node process. `with JsPeers(folder) as peers: asha = peers.person(synapse, "asha")`."""

    def __init__(self, folder):
        self.log_path = pathlib.Path(folder) / "jsclient.log"
        self.people = {}
        self._answers, self._lock, self._number = {}, threading.Condition(), 0
        self._process = None

    def start(self):
        if not NODE.exists() or not (HOME / "stamp").exists():
            raise Missing("the Matrix client with Rust crypto is not there: run tests/env/deps.sh check")
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                [str(NODE), str(ROOT / "tests" / "env" / "jsclient" / "peer.mjs")], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, preexec_fn=_die_with_parent,
                env={**os.environ, "JSCLIENT_HOME": str(HOME)})
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self):
        for line in self._process.stdout:
            said = json.loads(line)
            if "n" in said:
                with self._lock:
                    self._answers[said["n"]] = said
                    self._lock.notify_all()
            elif "client" in said:
                self.people[said["client"]].take(said)
        with self._lock:
            self._answers[None] = True
            self._lock.notify_all()

    def ask(self, client, what, options, timeout=60):
        with self._lock:
            self._number += 1
            number = self._number
            line = json.dumps({"n": number, "client": client, "do": what, "with": options}) + "\n"
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
            end = time.monotonic() + timeout
            while number not in self._answers:
                if None in self._answers:
                    raise AssertionError("the client's process ended:\n" + self.log()[-3000:])
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{client}: no answer to {what} {options}\n" + self.log()[-3000:])
                self._lock.wait(left)
            answer = self._answers.pop(number)
        if "error" in answer:
            raise JsError(f"{client}: {what}: {answer['error']}\n{answer.get('stack', '')}")
        return answer["ok"]

    def log(self):
        return self.log_path.read_text(errors="replace")

    def person(self, synapse, name, register=True, **login):
        """Somebody new, logged in, with an identity of her own. cross_sign=False: without one, as old clients."""
        if register:
            synapse.register(name)
        return self.device(synapse, name, name, **login)

    def device(self, synapse, user, name, cross_sign=True, strict=True, password=PASSWORD, **login):
        """A login of an account that exists. name: what this device is called in the process."""
        person = JsMatrix(self, name, synapse.url)
        self.people[name] = person
        got = person.do("login", url=synapse.url, user=user, password=password, strict=strict, **login)
        person.user_id, person.token, person.device_id = got["user_id"], got["access_token"], got["device_id"]
        if cross_sign:
            person.do("crossSign")
        return person

    def stop(self):
        if self._process and self._process.poll() is None:
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        self.stop()
        if kind is not None:
            print("--- the Rust crypto client's log ---\n" + self.log()[-4000:])


class JsMatrix(Matrix):
    """One client. What it received is in `events`, each as it stands after its last attempt at decryption:
    event_id, room_id, sender, type, content, encrypted, failure (the code), shield (NONE, GREY, RED), reason, wire."""

    def __init__(self, peers, name, url):
        super().__init__(url, None, None)
        self.peers, self.name = peers, name
        self.device_id = None
        self.verifications, self.memberships = {}, {}
        self._place = {}

    def do(self, what, timeout=60, **options):
        return self.peers.ask(self.name, what, options, timeout)

    def start(self):
        return self  # it reads from its login on

    def take(self, said):
        with self._lock:
            if "event" in said:
                event = said["event"]
                event["at"] = time.time()
                place = self._place.get(event["event_id"])
                if place is None:
                    self._place[event["event_id"]] = len(self.events)
                    self.events.append(event)
                else:
                    event["at"] = self.events[place]["at"]
                    self.events[place] = event
            elif "verification" in said:
                self.verifications[said["verification"]["id"]] = said["verification"]
            elif "membership" in said:
                one = said["membership"]
                self.memberships[one["room"]] = one["membership"]
                (self.invites.add if one["membership"] == "invite" else self.invites.discard)(one["room"])
            self._lock.notify_all()

    def wait(self, match, timeout=20.0, since=0):
        """The first event for which match(event) is true; those already here are asked again, as they may have been
        decrypted since."""
        end = time.monotonic() + timeout
        with self._lock:
            while True:
                for event in self.events[since:]:
                    if match(event):
                        return event
                left = end - time.monotonic()
                if left <= 0:
                    tail = [(e["sender"], e["content"].get("body"), e["failure"]) for e in self.events[-12:]]
                    raise AssertionError(f"{self.user_id}: the event did not come; last: {tail}")
                self._lock.wait(left)

    # -- rooms
    def create_room(self, name=None, invite=(), public=False, encrypted=True, direct=False, rotation=None, **options):
        if public:
            options = {"preset": "public_chat", **options}
        return self.do("createRoom", name=name, invite=list(invite), encrypted=encrypted, direct=direct,
                       rotation=rotation or {}, options=options)

    def join(self, room):
        self.do("join", room=room)
        return self

    def invite(self, room, user_id):
        self.do("invite", room=room, user=user_id)

    def wait_member(self, room, user_id, timeout=30):
        wait_for(lambda: user_id in self.members(room), timeout, 0.1, lambda: f"{user_id} is not in {room}")

    # -- saying
    def send_event(self, room, kind, content, txn=None):
        return self.do("send", room=room, type=kind, content=content)

    def redact(self, room, event_id):
        return self.do("redact", room=room, event=event_id)

    def react(self, room, event_id, key):
        return self.send_event(room, "m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": event_id,
                                                                     "key": key}})

    def attach(self, room, data, name, mimetype, body, msgtype="m.image"):
        return self.do("attach", room=room, data=base64.b64encode(data).decode(), name=name, mimetype=mimetype, body=body,
                       msgtype=msgtype)

    def fetch(self, event):
        """The decrypted bytes of an event's attachment."""
        return base64.b64decode(self.do("fetch", file=event["content"]["file"]))

    # -- judging
    def look(self, event):
        """The same event, its shield and its state asked anew."""
        return self.do("look", room=event["room_id"], event=event["event_id"])

    def undecryptable(self, room=None):
        with self._lock:
            return [e for e in self.events if e["failure"] and (room is None or e["room_id"] == room)]

    def assert_trusted(self, event, timeout=10):
        """Encrypted, readable, and no warning shield: device lists may arrive a moment after the event."""
        last = []

        def good():
            last[:] = [self.look(event)]
            return last[0]["encrypted"] and not last[0]["failure"] and last[0]["shield"] == "NONE"
        wait_for(good, timeout, 0.1, lambda: f"{self.name} sees a warning: {last}")

    def old(self, room, back=0):
        """All events of a room that this device can reach, each tried again; back: so many further back."""
        return self.do("events", room=room, back=back)

    def unreadable(self, room, back=0):
        return [e for e in self.old(room, back) if e["failure"]]

    def texts(self, room, back=0):
        return [e["content"].get("body") for e in self.old(room, back) if e["type"] == "m.room.message"]

    def indexes(self, room, sender):
        """(session id, message index) of each encrypted event of a sender, in the order received."""
        with self._lock:
            return [megolm_place(e["wire"]) for e in self.events
                    if e["encrypted"] and e["room_id"] == room and e["sender"] == sender and e["wire"].get("ciphertext")]

    # -- verification
    def wait_verification(self, match, timeout=20.0):
        """The first verification in a state that matches."""
        found = []

        def look():
            with self._lock:
                found[:] = [v for v in self.verifications.values() if match(v)]
            return found
        wait_for(look, timeout, 0.05, lambda: f"{self.name}: {self.verifications}")
        return found[0]

    def stop(self):
        self.do("stop")


class NioMatrix(Matrix):
    """Somebody with matrix-nio: a lax client without cross-signing. Events as in JsMatrix, without shields."""

    def __init__(self, folder, synapse, name):
        synapse.register(name)
        super().__init__(synapse.url, None, None)
        self._nio = NioClient(folder, synapse.url, name, PASSWORD, self._event, self.invites.add)
        self.user_id, self.token, self.device_id = self._nio.user_id, self._nio.token, self._nio.device_id

    def start(self):
        return self

    def _event(self, event):
        with self._lock:
            event["at"] = time.time()
            self.events.append(event)
            self._lock.notify_all()

    def knows_encrypted(self, room):
        return self._nio.knows_encrypted(room)

    def join(self, room):
        self._nio.join(room)
        wait_for(lambda: room in self._nio.client.rooms, message="nio does not see the room")
        return self

    def send_event(self, room, kind, content, txn=None):
        return self._nio.send(room, kind, content)

    def attach(self, room, data, name, mimetype, body, msgtype="m.image"):
        file = self._nio.upload(data)
        return self.send_event(room, "m.room.message", {
            "msgtype": msgtype, "body": body, "filename": name, "file": file,
            "info": {"mimetype": mimetype, "size": len(data)}})

    def fetch(self, event):
        return self._nio.download(event["content"]["file"])

    def stop(self):
        self._nio.stop()


def megolm_place(wire):
    """(session id, message index), read from the message itself: version 3, then field 1, a varint."""
    data = base64.b64decode(wire["ciphertext"] + "==")
    assert data[:2] == b"\x03\x08", data[:4]
    index, shift = 0, 0
    for byte in data[2:]:
        index |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            break
    return wire["session_id"], index


def assert_no_index_twice(places):
    twice = [p for p in set(places) if places.count(p) > 1]
    assert not twice, f"message indexes used twice: {twice}"


def room_path(room, *more):
    return "/rooms/" + "/".join([urllib.parse.quote(room, safe="")] + list(more))


def compare_sas(one, other):
    """The same pictures and numbers on both sides."""
    assert one["emoji"] == other["emoji"] and len(one["emoji"]) == 7, (one, other)
    assert one["decimal"] == other["decimal"], (one, other)
