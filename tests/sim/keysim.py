# SPDX-License-Identifier: MIT
"""A homeserver with one large encrypted room, as much of it as one account needs: the keys in it are real.

    with KeySim(members=2000, devices=3000) as sim:     # sim.url, sim.user, sim.room
        sim.say(sim.people[0], "!help")                 # encrypted for the account
        sim.sent                                        # what it sent: Sent(at, type, content)
        sim.read_by(person, sim.sent[0])                # as that person's device reads it
"""
import collections
import http.server
import json
import re
import threading
import time
import urllib.parse

from keysim_people import MEGOLM, GroupSender, Person

Sent = collections.namedtuple("Sent", "at event_id type content")
NOT_FOUND = (404, {"errcode": "M_NOT_FOUND", "error": "not here"})


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def _do(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}") if length else {}
        target = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(target.query))
        code, reply = self.server.sim.answer(self.command, urllib.parse.unquote(target.path), query, body)
        data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = _do


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that goes is nothing to tell


class KeySim:
    def __init__(self, members=2000, devices=3000, user="@bot:sim.test"):
        self.user, self.room, self.token = user, "!large:sim.test", "a token"
        extra = devices - members
        self.people = [Person(f"@member{n:04d}:sim.test", 2 if n < extra else 1) for n in range(members)]
        self._by_id = {p.user_id: p for p in self.people}
        self.sent, self.calls, self.to_devices = [], collections.Counter(), {}
        self.own = {"devices": {}, "one_time": {}, "identity": {}, "account_data": {}, "backup": None}
        self._lock = threading.Condition()
        self._stream = []  # ("to_device" | "timeline", event): its place is its number
        self._senders, self._txns = {}, {}
        self._state = self._room_state()
        self._routes = [(re.compile(p.replace("ROOM", re.escape(self.room)) + "$"), f) for p, f in self._table()]

    def _room_state(self):
        admin = self.people[0].user_id

        def state(kind, content, sender=admin, key=""):
            return {"type": kind, "state_key": key, "sender": sender, "content": content, "origin_server_ts": 1,
                    "event_id": f"${kind}.{key}"}
        return [state("m.room.create", {"room_version": "11", "creator": admin}),
                state("m.room.power_levels", {"users": {admin: 100, self.user: 50}}),
                state("m.room.encryption", {"algorithm": MEGOLM}),
                state("m.room.history_visibility", {"history_visibility": "shared"}),
                state("m.room.member", {"membership": "join"}, self.user, self.user),
                state("m.room.member", {"membership": "join"}, admin, admin)]

    # -- requests
    def _table(self):
        v3 = "/_matrix/client/v3"
        return [
            (v3 + "/login", self._login), (v3 + "/account/whoami", self._whoami), (v3 + "/sync", self._sync),
            (v3 + "/keys/upload", self._keys_upload), (v3 + "/keys/query", self._keys_query),
            (v3 + "/keys/claim", self._keys_claim), (v3 + "/keys/device_signing/upload", self._identity),
            (v3 + "/keys/signatures/upload", self._signatures), (v3 + r"/keys/changes", self._nothing),
            (v3 + r"/sendToDevice/([^/]+)/([^/]+)", self._send_to_device),
            (v3 + r"/rooms/ROOM/send/([^/]+)/([^/]+)", self._send), (v3 + r"/rooms/ROOM/members", self._members),
            (v3 + r"/rooms/ROOM/joined_members", self._joined), (v3 + r"/join/ROOM", self._join),
            (v3 + r"/joined_rooms", lambda *_: (200, {"joined_rooms": [self.room]})),
            (v3 + r"/rooms/ROOM/messages", lambda *_: (200, {"chunk": [], "start": "s0"})),
            (v3 + r"/rooms/ROOM/state/([^/]+)/?(.*)", self._one_state),
            (v3 + r"/user/[^/]+/account_data/([^/]+)", self._account_data),
            (v3 + r"/room_keys/version/?.*", self._backup), (v3 + r"/room_keys/keys.*", self._backed_up),
        ]

    def answer(self, method, path, query, body):
        for pattern, run in self._routes:
            match = pattern.match(path)
            if match:
                with self._lock:
                    self.calls[method, run.__name__] += 1
                return run(method, match.groups(), query, body)
        with self._lock:
            self.calls[method, path] += 1
        return NOT_FOUND

    def _login(self, *_):
        return 200, {"user_id": self.user, "access_token": self.token, "device_id": "BOTDEVICE"}

    def _whoami(self, *_):
        return 200, {"user_id": self.user, "device_id": "BOTDEVICE"}

    def _nothing(self, *_):
        return 200, {}

    def _join(self, *_):
        return 200, {"room_id": self.room}

    def _members(self, *_):
        member = {"type": "m.room.member", "content": {"membership": "join"}, "origin_server_ts": 1}
        everybody = [*self._by_id, self.user]
        return 200, {"chunk": [{**member, "state_key": u, "sender": u, "event_id": "$m." + u, "room_id": self.room}
                               for u in everybody]}

    def _joined(self, *_):
        return 200, {"joined": {u: {} for u in [*self._by_id, self.user]}}

    def _one_state(self, method, match, _query, body):
        with self._lock:
            if method == "PUT":
                self._push("timeline", {"type": match[0], "state_key": match[1], "sender": self.user, "content": body})
                return 200, {"event_id": f"$state{len(self._stream)}"}
            found = [e for e in self._state if e["type"] == match[0] and e["state_key"] == match[1]]
        return (200, found[0]["content"]) if found else NOT_FOUND

    def _account_data(self, method, match, _query, body):
        data = self.own["account_data"]
        if method == "PUT":
            data[match[0]] = body
            return 200, {}
        return (200, data[match[0]]) if match[0] in data else NOT_FOUND

    def _backup(self, method, _match, _query, body):
        if method == "POST":
            self.own["backup"] = {**body, "version": "1", "count": 0, "etag": "0"}
            return 200, {"version": "1"}
        return (200, self.own["backup"]) if self.own["backup"] else NOT_FOUND

    def _backed_up(self, *_):
        return 200, {"etag": "1", "count": 1}

    # -- keys
    def _keys_upload(self, _method, _match, _query, body):
        with self._lock:
            if "device_keys" in body:
                self.own["devices"][body["device_keys"]["device_id"]] = body["device_keys"]
            self.own["one_time"].update(body.get("one_time_keys", {}))
            return 200, {"one_time_key_counts": {"signed_curve25519": len(self.own["one_time"])}}

    def _identity(self, _method, _match, _query, body):
        self.own["identity"] = body
        return 200, {}

    def _signatures(self, _method, _match, _query, body):
        for user, objects in body.items():
            for name, value in objects.items():
                stored = self.own["devices"].get(name) if user == self.user else None
                if stored:
                    for signer, signatures in value["signatures"].items():
                        stored.setdefault("signatures", {}).setdefault(signer, {}).update(signatures)
        return 200, {"failures": {}}

    def _keys_query(self, _method, _match, _query, body):
        out = {"device_keys": {}, "master_keys": {}, "self_signing_keys": {}, "failures": {}}
        for user in body["device_keys"]:
            person = self._by_id.get(user)
            if person:
                out["device_keys"][user] = {name: d.keys for name, d in person.devices.items()}
                for kind, key in person.identity().items():
                    out[kind][user] = key
            elif user == self.user:
                out["device_keys"][user] = self.own["devices"]
                for kind in ("master", "self_signing", "user_signing"):
                    if f"{kind}_key" in self.own["identity"]:
                        out.setdefault(f"{kind}_keys", {})[user] = self.own["identity"][f"{kind}_key"]
        return 200, out

    def _keys_claim(self, _method, _match, _query, body):
        out = {}
        for user, devices in body["one_time_keys"].items():
            for device in devices:
                if user in self._by_id and device in self._by_id[user].devices:
                    out.setdefault(user, {})[device] = self._by_id[user].devices[device].one_time_key()
        return 200, {"one_time_keys": out, "failures": {}}

    def _send_to_device(self, _method, match, _query, body):
        with self._lock:
            if match not in self._txns:
                self._txns[match] = True
                for user, devices in body["messages"].items():
                    for device, content in devices.items():
                        self.to_devices.setdefault((user, device), []).append((match[0], content))
        return 200, {}

    # -- the room
    def _send(self, _method, match, _query, body):
        with self._lock:
            if match not in self._txns:
                event_id = f"$sent{len(self.sent)}"
                self._txns[match] = event_id
                self.sent.append(Sent(time.monotonic(), event_id, match[0], body))
                self._push("timeline", {"type": match[0], "sender": self.user, "content": body, "event_id": event_id,
                                        "unsigned": {"transaction_id": match[1]}})
            return 200, {"event_id": self._txns[match]}

    def _push(self, kind, event):
        event.setdefault("event_id", f"$event{len(self._stream)}")
        event.setdefault("origin_server_ts", int(time.time() * 1000))
        self._stream.append((kind, event))
        self._lock.notify_all()

    def _sync(self, _method, _match, query, _body):
        end = time.monotonic() + int(query.get("timeout", 0)) / 1000
        since = query.get("since")
        place = int(since[1:]) if since else 0
        with self._lock:
            while since and len(self._stream) <= place and time.monotonic() < end:
                self._lock.wait(max(0.0, end - time.monotonic()))
            news = self._stream[place:]
            now = len(self._stream)
            counts = {"signed_curve25519": len(self.own["one_time"])}
        of_room = [e for kind, e in news if kind == "timeline"]
        out = {"next_batch": f"s{now}", "device_one_time_keys_count": counts,
               "device_unused_fallback_key_types": ["signed_curve25519"], "device_lists": {"changed": [], "left": []},
               "to_device": {"events": [e for kind, e in news if kind == "to_device"]}}
        if of_room or not since or query.get("full_state") == "true":
            out["rooms"] = {"join": {self.room: {
                "state": {"events": self._state if not since or query.get("full_state") == "true" else []},
                "timeline": {"events": of_room, "limited": False, "prev_batch": f"s{place}"},
                "summary": {"m.joined_member_count": len(self.people) + 1}}}}
        return 200, out

    # -- what people do
    def say(self, person, body):
        """Something encrypted, from a person's first device; its key goes to the account the first time."""
        device = person.first()
        with self._lock:
            if person.user_id not in self._senders:
                self._senders[person.user_id] = GroupSender(device, self.room)
                for other in self.own["devices"].values():
                    name = next(iter(self.own["one_time"]))
                    key = self.own["one_time"].pop(name)["key"]
                    self._push("to_device", {"type": "m.room.encrypted", "sender": person.user_id, "content":
                               device.olm_for(other, key, "m.room_key", self._senders[person.user_id].key)})
            event = {"type": "m.room.encrypted", "sender": person.user_id,
                     "content": self._senders[person.user_id].say(body)}
            self._push("timeline", event)
            return time.monotonic()

    def read_by(self, device, sent):
        """The payload as one device reads it, with the keys that were sent to it."""
        for kind, content in self.to_devices.pop((device.user_id, device.device_id), []):
            if kind == "m.room.encrypted":
                device.take(content)
        return device.read(sent.content)

    # -- life
    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.sim = self
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
