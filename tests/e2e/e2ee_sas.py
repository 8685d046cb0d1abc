# SPDX-License-Identifier: MIT
"""One verification with the bot by hand, in a room, so that any step of it can be done wrong."""
import hashlib

from clients import wait_for
from libolm import Sas, canonical, unpadded

START = {"method": "m.sas.v1", "hashes": ["sha256"], "key_agreement_protocols": ["curve25519-hkdf-sha256"],
         "message_authentication_codes": ["hkdf-hmac-sha256.v2"], "short_authentication_string": ["decimal", "emoji"]}


class HandSas:
    """`device` is a RawDevice that reads (start()); the other one is `user`."""

    def __init__(self, device, room, user):
        self.device, self.room, self.user = device, room, user
        self.sas = Sas()

    # -- words on the wire
    def ask(self, **changes):
        self.txn = self.device.send_event(self.room, "m.room.message", {
            "msgtype": "m.key.verification.request", "body": "a request to verify", "from_device": self.device.device_id,
            "methods": ["m.sas.v1"], "to": self.user, **changes})
        return self

    def send(self, step, **content):
        self.device.send_event(self.room, f"m.key.verification.{step}", {
            **content, "m.relates_to": {"rel_type": "m.reference", "event_id": self.txn}})

    def heard(self, step):
        """The content of the bot's step, encrypted or not; None before it comes."""
        for event in list(self.device.events):
            relates = event["content"].get("m.relates_to", {}).get("event_id")
            if event["sender"] != self.user or relates != self.txn:
                continue
            opened = self.device.open(event) if event["type"] == "m.room.encrypted" else event
            if opened and opened["type"] == f"m.key.verification.{step}":
                return {**opened["content"], "m.relates_to": event["content"]["m.relates_to"]}
        return None

    def wait(self, step, timeout=20):
        return wait_for(lambda: self.heard(step), timeout, 0.1,
                        lambda: f"no {step}; cancelled: {self.heard('cancel')}")

    # -- by the rules, step by step
    def start(self, **changes):
        self.wait("ready")
        self.started = {**START, "from_device": self.device.device_id, **changes}
        self.send("start", **self.started)
        return self

    def give_key(self, key=None):
        self.accepted = self.wait("accept")
        self.send("key", key=key or self.sas.key)
        self.their_key = self.wait("key")["key"]
        text = self.their_key.encode() + canonical({
            **self.started, "m.relates_to": {"rel_type": "m.reference", "event_id": self.txn}})
        self.committed = self.accepted["commitment"] == unpadded(hashlib.sha256(text).digest())
        self.sas.meet(self.their_key)
        return self

    def decimals(self):
        info = "|".join(["MATRIX_KEY_VERIFICATION_SAS", self.device.user_id, self.device.device_id, self.sas.key, self.user,
                         self.their_device(), self.their_key, self.txn])
        b = self.sas.bytes(info, 5)
        return [((b[0] << 5) | (b[1] >> 3)) + 1000, (((b[1] & 7) << 10) | (b[2] << 2) | (b[3] >> 6)) + 1000,
                (((b[3] & 63) << 7) | (b[4] >> 1)) + 1000]

    def their_device(self):
        return self.wait("ready")["from_device"]

    def macs(self, keys=None):
        """{key id: mac} and that of their names, over these keys or one's own device and master key."""
        mine = keys or {f"ed25519:{self.device.device_id}": self.device.account.ed,
                        **self.device._cross("master", self.device.master)["keys"]}
        info = "".join(["MATRIX_KEY_VERIFICATION_MAC", self.device.user_id, self.device.device_id, self.user,
                        self.their_device(), self.txn])
        return ({name: self.sas.mac(key, info + name) for name, key in mine.items()},
                self.sas.mac(",".join(sorted(mine)), info + "KEY_IDS"))

    def give_mac(self, mac=None, keys=None):
        good = self.macs()
        self.send("mac", mac=mac or good[0], keys=keys or good[1])
        return self

    def cancelled(self):
        """The code with which the bot ended it."""
        return self.wait("cancel")["code"]
