# SPDX-License-Identifier: MIT
"""Many people with devices and identities whose keys are real: what a homeserver would tell of them, and their own view."""
import json

from libolm import Account, InboundGroup, OutboundGroup, canonical, unpadded
from nacl.signing import SigningKey

OLM, MEGOLM = "m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"


def _body(value):
    return canonical({k: v for k, v in value.items() if k not in ("signatures", "unsigned")})


class Device:
    """One device of somebody. Signed by its owner."""

    def __init__(self, user_id, device_id, self_signing):
        self.user_id, self.device_id = user_id, device_id
        self.account = Account()
        keys = {"user_id": user_id, "device_id": device_id, "algorithms": [OLM, MEGOLM],
                "keys": {f"curve25519:{device_id}": self.account.curve, f"ed25519:{device_id}": self.account.ed}}
        body = canonical(keys)
        owner = unpadded(bytes(self_signing.verify_key))
        keys["signatures"] = {user_id: {f"ed25519:{device_id}": self.account.sign(body),
                                        f"ed25519:{owner}": unpadded(self_signing.sign(body).signature)}}
        self.keys = keys
        self.olm = {}  # curve key of the other device -> session
        self.sessions = {}

    def one_time_key(self):
        [(name, key)] = self.account.one_time_keys(1).items()
        value = {"key": key}
        value["signatures"] = {self.user_id: {f"ed25519:{self.device_id}": self.account.sign(value)}}
        return {f"signed_curve25519:{name}": value}

    def take(self, content):
        """An Olm message to this device; the payload."""
        mine = content["ciphertext"][self.account.curve]
        curve = content["sender_key"]
        if curve not in self.olm or mine["type"] == 0 and not self.olm[curve].matches(curve, mine["body"]):
            self.olm[curve] = self.account.inbound(curve, mine["body"])
        payload = json.loads(self.olm[curve].decrypt(mine["type"], mine["body"]))
        if payload["type"] == "m.room_key":
            key = payload["content"]
            self.sessions[key["session_id"]] = InboundGroup(key["session_key"])
        return payload

    def read(self, content):
        """An m.room.encrypted event's payload, or None without its key."""
        session = self.sessions.get(content["session_id"])
        return session and json.loads(session.decrypt(content["ciphertext"])[0])

    def olm_for(self, other, one_time_key, kind, content):
        """content of a to-device message for somebody's device_keys object."""
        device = other["device_id"]
        curve, ed = (other["keys"][f"{name}:{device}"] for name in ("curve25519", "ed25519"))
        session = self.olm[curve] = self.account.outbound(curve, one_time_key)
        kind_no, body = session.encrypt(json.dumps({
            "type": kind, "content": content, "sender": self.user_id, "recipient": other["user_id"],
            "recipient_keys": {"ed25519": ed}, "keys": {"ed25519": self.account.ed}, "sender_device_keys": self.keys}))
        return {"algorithm": OLM, "sender_key": self.account.curve, "ciphertext": {curve: {"type": kind_no, "body": body}}}


class Person:
    def __init__(self, user_id, devices):
        self.user_id = user_id
        self.master, self.self_signing = SigningKey.generate(), SigningKey.generate()
        self.devices = {}
        for n in range(devices):
            name = f"DEVICE{n}"
            self.devices[name] = Device(user_id, name, self.self_signing)

    def _public(self, usage, key):
        public = unpadded(bytes(key.verify_key))
        value = {"user_id": self.user_id, "usage": [usage], "keys": {f"ed25519:{public}": public}}
        master = unpadded(bytes(self.master.verify_key))
        value["signatures"] = {self.user_id: {f"ed25519:{master}": unpadded(self.master.sign(_body(value)).signature)}}
        return value

    def identity(self):
        return {"master_keys": self._public("master", self.master),
                "self_signing_keys": self._public("self_signing", self.self_signing)}

    def first(self):
        return next(iter(self.devices.values()))


class GroupSender:
    """A device that speaks in a room."""

    def __init__(self, device, room):
        self.device, self.room, self.session = device, room, OutboundGroup()
        self.key = {"algorithm": MEGOLM, "room_id": room, "session_id": self.session.id, "session_key": self.session.key}

    def say(self, body):
        text = json.dumps({"type": "m.room.message", "room_id": self.room, "content": {"msgtype": "m.text", "body": body}})
        return {"algorithm": MEGOLM, "session_id": self.session.id, "ciphertext": self.session.encrypt(text)}
