# SPDX-License-Identifier: MIT
"""The simulator of a large encrypted room tells the truth about keys, and its people read what is meant for them."""
import base64

import pytest
from keysim import KeySim
from keysim_people import Person, _body
from libolm import Account, OlmError, OutboundGroup
from nacl.signing import VerifyKey


def verify(value, user, key):
    text = value["signatures"][user][f"ed25519:{key[0]}"]
    VerifyKey(base64.b64decode(key[1] + "=")).verify(_body(value), base64.b64decode(text + "=="))


@pytest.fixture(scope="module")
def sim():
    with KeySim(20, 30) as sim:
        yield sim


def ask(sim, path, body):
    code, reply = sim.answer("POST", "/_matrix/client/v3" + path, {}, body)
    assert code == 200
    return reply


def test_each_signature_holds(sim):
    got = ask(sim, "/keys/query", {"device_keys": {p.user_id: [] for p in sim.people}})
    assert sum(len(d) for d in got["device_keys"].values()) == 30
    for user, devices in got["device_keys"].items():
        [(_, master)] = got["master_keys"][user]["keys"].items()
        [(_, own)] = got["self_signing_keys"][user]["keys"].items()
        verify(got["self_signing_keys"][user], user, (master, master))
        for name, device in devices.items():
            verify(device, user, (name, device["keys"]["ed25519:" + name]))
            verify(device, user, (own, own))


def test_a_key_sent_to_a_device_opens_what_is_said(sim):
    device, account, group = sim.people[3].first(), Account(), OutboundGroup()
    claimed = ask(sim, "/keys/claim", {"one_time_keys": {device.user_id: {device.device_id: "signed_curve25519"}}})
    [key] = claimed["one_time_keys"][device.user_id][device.device_id].values()
    verify(key, device.user_id, (device.device_id, device.account.ed))
    payload = '{"type":"m.room_key","content":{"session_id":"%s","session_key":"%s"}}' % (group.id, group.key)
    kind, body = account.outbound(device.account.curve, key["key"]).encrypt(payload)
    device.take({"sender_key": account.curve, "ciphertext": {device.account.curve: {"type": kind, "body": body}}})
    assert device.read({"session_id": group.id, "ciphertext": group.encrypt('{"a":1}')}) == {"a": 1}
    other = Person("@x:y", 1).first()
    with pytest.raises(OlmError):
        other.account.inbound(account.curve, body).decrypt(kind, body)
