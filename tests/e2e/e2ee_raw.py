# SPDX-License-Identifier: MIT
"""A device made by hand: it keeps the protocol unless a test changes a field, a key or a whole message on the way out."""
import copy
import ctypes
import json
import os
import urllib.parse

from clients import Matrix, MatrixError
from libolm import Account, InboundGroup, OlmError, OutboundGroup, canonical, unpadded
from nacl.signing import SigningKey
from synapse import PASSWORD

OLM, MEGOLM = "m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"


def without(value, *names):
    return {k: v for k, v in value.items() if k not in names}


class RawDevice(Matrix):
    """One device. `sessions`: other people's Megolm sessions by their ids; `secrets`: what came through Olm."""

    def __init__(self, url, user_id, token, device_id):
        super().__init__(url, user_id, token)
        self.device_id = device_id
        self.account = Account()
        self.master, self.self_signing, self.user_signing = (SigningKey.generate() for _ in range(3))
        self.sessions, self.secrets, self.own_sessions, self.plain = {}, [], {}, []
        self._olm, self._shared = {}, {}

    @classmethod
    def login(cls, synapse, user, device_id=None, register=True, password=PASSWORD, cross_sign=True, publish=True):
        """publish=False: a login whose keys the server does not have yet."""
        if register:
            synapse.register(user, password)
        door = Matrix(synapse.url, None, "")
        got = door.api("POST", "/login", {"type": "m.login.password", "password": password,
                                          "identifier": {"type": "m.id.user", "user": user},
                                          **({"device_id": device_id} if device_id else {})})
        device = cls(synapse.url, got["user_id"], got["access_token"], got["device_id"])
        if publish:
            device.upload_device()
            device.upload_one_time_keys(20)
        if publish and cross_sign:
            device.upload_identity()
            device.sign_device()
        return device

    # -- own keys
    def signed(self, value, key=None):
        """The value with a signature of the device, or of a signing key."""
        body = canonical(without(value, "signatures", "unsigned"))
        name = unpadded(bytes(key.verify_key)) if key else self.device_id
        text = unpadded(key.sign(body).signature) if key else self.account.sign(body)
        out = copy.deepcopy(value)
        out.setdefault("signatures", {}).setdefault(self.user_id, {})["ed25519:" + name] = text
        return out

    def device_keys(self, account=None, **changes):
        account = account or self.account
        keys = {"user_id": self.user_id, "device_id": self.device_id, "algorithms": [OLM, MEGOLM],
                "keys": {f"curve25519:{self.device_id}": account.curve, f"ed25519:{self.device_id}": account.ed}}
        keys.update(changes)
        held, self.account = self.account, account
        try:
            return self.signed(keys)
        finally:
            self.account = held

    def upload_device(self, keys=None):
        return self.api("POST", "/keys/upload", {"device_keys": keys or self.device_keys()})

    def one_time_key(self, value, fallback=False):
        return self.signed({"key": value, **({"fallback": True} if fallback else {})})

    def upload_one_time_keys(self, count=20, value=None):
        """value: this key in all of them instead of true ones."""
        made = self.account.one_time_keys(count)
        self.api("POST", "/keys/upload", {"one_time_keys": {
            f"signed_curve25519:{name}{os.urandom(3).hex()}": self.one_time_key(value or key)
            for name, key in made.items()}})

    def upload_fallback(self, value):
        self.api("POST", "/keys/upload", {"fallback_keys": {
            f"signed_curve25519:F{os.urandom(3).hex()}": self.one_time_key(value, True)}})

    def _cross(self, usage, key):
        public = unpadded(bytes(key.verify_key))
        return {"user_id": self.user_id, "usage": [usage], "keys": {"ed25519:" + public: public}}

    def upload_identity(self, password=PASSWORD):
        body = {"master_key": self.signed(self._cross("master", self.master)),
                "self_signing_key": self.signed(self._cross("self_signing", self.self_signing), self.master),
                "user_signing_key": self.signed(self._cross("user_signing", self.user_signing), self.master)}
        self.authorised("POST", "/keys/device_signing/upload", body, password)

    def authorised(self, method, path, body, password=PASSWORD):
        """A request for which the server may want the password once more."""
        try:
            return self.api(method, path, body)
        except MatrixError as error:
            if error.code != 401:
                raise
            auth = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": self.user_id},
                    "password": password, "session": error.body["session"]}
            return self.api(method, path, {**body, "auth": auth})

    def sign_device(self, keys=None):
        signed = self.signed(keys or self.device_keys(), self.self_signing)
        got = self.api("POST", "/keys/signatures/upload", {self.user_id: {signed["device_id"]: signed}})
        assert not got.get("failures"), got

    def new_identity(self):
        """What somebody does who lost all devices, or who took the account over."""
        self.master, self.self_signing, self.user_signing = (SigningKey.generate() for _ in range(3))
        self.upload_identity()
        self.sign_device()

    # -- other people's devices, Olm
    def devices(self, user):
        return self.api("POST", "/keys/query", {"device_keys": {user: []}})["device_keys"].get(user, {})

    def identity(self, user):
        got = self.api("POST", "/keys/query", {"device_keys": {user: []}})
        return {k: got.get(k, {}).get(user) for k in ("master_keys", "self_signing_keys")}

    def olm(self, user, device, renew=False):
        if renew or (user, device) not in self._olm:
            curve = self.devices(user)[device]["keys"]["curve25519:" + device]
            claimed = self.api("POST", "/keys/claim", {"one_time_keys": {user: {device: "signed_curve25519"}}})
            key = next(iter(claimed["one_time_keys"][user][device].values()))["key"]
            self._olm[user, device] = curve, self.account.outbound(curve, key)
        return self._olm[user, device]

    def payload(self, user, device, kind, content):
        """What goes into Olm, by the rules."""
        ed = self.devices(user)[device]["keys"]["ed25519:" + device]
        return {"type": kind, "content": content, "sender": self.user_id, "recipient": user,
                "recipient_keys": {"ed25519": ed}, "keys": {"ed25519": self.account.ed},
                "sender_device_keys": self.device_keys()}

    def olm_content(self, user, device, text, renew=False):
        curve, session = self.olm(user, device, renew)
        kind, body = session.encrypt(text)
        return {"algorithm": OLM, "sender_key": self.account.curve, "ciphertext": {curve: {"type": kind, "body": body}}}

    def send_olm(self, user, kind, content, change=None, device=None, renew=False):
        """To one device or all of a user. change(payload) may alter the payload, or give other text in its place."""
        for name in [device] if device else self.devices(user):
            payload = self.payload(user, name, kind, content)
            payload = change(payload) or payload if change else payload
            text = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
            self.to_device("m.room.encrypted", user, name, self.olm_content(user, name, text, renew))

    def to_device(self, kind, user, device, content):
        self.api("PUT", f"/sendToDevice/{kind}/{os.urandom(8).hex()}", {"messages": {user: {device: content}}})

    def waiting(self):
        """Messages to this device that nobody has read so far."""
        return self.api("GET", "/sync?timeout=0").get("to_device", {}).get("events", [])

    # -- Megolm
    def group(self, room, renew=False):
        if renew or room not in self.own_sessions:
            self.own_sessions[room] = OutboundGroup()
            self._shared[room] = set()
        return self.own_sessions[room]

    @staticmethod
    def room_key(room, session):
        return {"algorithm": MEGOLM, "room_id": room, "session_id": session.id, "session_key": session.key}

    def share(self, room, users, change=None, session=None):
        session = session or self.group(room)
        for user in users:
            for device in self.devices(user):
                if (user, device) != (self.user_id, self.device_id):
                    self.send_olm(user, "m.room_key", self.room_key(room, session), change, device)

    def seal(self, room, text, session=None):
        session = session or self.group(room)
        return {"algorithm": MEGOLM, "sender_key": self.account.curve, "device_id": self.device_id,
                "session_id": session.id, "ciphertext": session.encrypt(text)}

    @staticmethod
    def words(room, body, **extra):
        return json.dumps({"type": "m.room.message", "room_id": room,
                           "content": {"msgtype": "m.text", "body": body, **extra}})

    def put(self, room, wire):
        return self.send_event(room, "m.room.encrypted", wire)

    def say_sealed(self, room, body, users=None):
        """As a proper client: shares the key with whoever is in the room, then sends."""
        session = self.group(room)
        new = set(users or self.members(room)) - {self.user_id} - self._shared[room]
        self.share(room, new)
        self._shared[room] |= new
        return self.put(room, self.seal(room, self.words(room, body), session))

    @staticmethod
    def twin(session):
        """The same session at the same index once more."""
        other = OutboundGroup()
        ctypes.memmove(other._memory, session._memory, len(session._memory))
        return other

    # -- hearing: keys come to this device, events are decrypted where the key is here
    def _take(self, sync):
        for message in sync.get("to_device", {}).get("events", []):
            self.plain.append(message)
            if message["type"] == "m.room.encrypted":
                self._unseal(message)
        super()._take(sync)

    def _unseal(self, message):
        mine = message["content"].get("ciphertext", {}).get(self.account.curve)
        if not mine:
            return
        curve, payload = message["content"]["sender_key"], None
        for peer, session in list(self._olm.values()):
            if peer == curve:
                try:
                    payload = session.decrypt(mine["type"], mine["body"])
                    break
                except OlmError:
                    continue
        if payload is None and mine["type"] == 0:
            session = self.account.inbound(curve, mine["body"])
            payload = session.decrypt(0, mine["body"])
            self._olm[message["sender"], curve] = curve, session
        if payload is not None:
            secret = json.loads(payload)
            self.secrets.append(secret)
            if secret["type"] == "m.room_key":
                self.sessions[secret["content"]["session_id"]] = InboundGroup(secret["content"]["session_key"])

    def open(self, event):
        """The plain payload of an m.room.encrypted event, or None without its key."""
        session = self.sessions.get(event["content"].get("session_id"))
        return session and json.loads(session.decrypt(event["content"]["ciphertext"])[0])

    def heard(self, room, sender=None):
        """Bodies that could be decrypted, in order."""
        with self._lock:
            opened = [self.open(e) for e in self.events if e["room_id"] == room and e["type"] == "m.room.encrypted"
                      and (sender is None or e["sender"] == sender)]
        return [o["content"].get("body") for o in opened if o]

    def state(self, room, kind, content, key=""):
        return self.api("PUT", f"/rooms/{urllib.parse.quote(room)}/state/{kind}/{key}", content)

