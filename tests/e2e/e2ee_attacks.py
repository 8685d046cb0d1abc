# SPDX-License-Identifier: MIT
"""What an attacker on the same homeserver can do to an encrypted room. Each is a function of the chat, a device made by
hand whose owner is in the room, and words that must never leave it."""
import base64
import json
import os
import urllib.parse

from e2ee_raw import MEGOLM, OLM, RawDevice, without
from libolm import Account, InboundGroup, OutboundGroup, unpadded

POINT = b"\1" + bytes(31)  # the neutral point of Ed25519
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
ZERO = "A" * 43  # a point of low order: every secret made with it is known
OTHER = unpadded(os.urandom(32))
POISON = {
    "a NUL in a key": '{"a\\u0000b":1}',
    "a number beyond 64 bits": "99999999999999999999999",
    "nesting of 3000": "[" * 3000 + "]" * 3000,
    "nesting of 900": '{"a":' * 900 + "1" + "}" * 900,
    "1e400": "1e400",
    "half a surrogate pair": '"\\ud800"',
}


def forged_key(change):
    """A room key that came through Olm with something wrong in it, then a message under that key."""
    def run(c, mal, evil):
        mal.group(c.room)
        mal.share(c.room, [c.user], change)
        mal.put(c.room, mal.seal(c.room, mal.words(c.room, evil)))
    return run


def replaced(**fields):
    return forged_key(lambda payload: {**payload, **fields})


def as_somebody_else(c, mal, evil):
    forged_key(lambda p: {**p, "sender": c.ben.user_id})(c, mal, evil)


def for_somebody_else(c, mal, evil):
    forged_key(lambda p: {**p, "recipient": c.ben.user_id})(c, mal, evil)


def device_keys_of_another_user(c, mal, evil):
    """CVE-2026-45056: the device says it is ben's; only its own signature is on it."""
    keys = {**without(mal.device_keys(), "signatures"), "user_id": c.ben.user_id}
    mine = mal.signed(keys)["signatures"][mal.user_id]
    keys["signatures"] = {c.ben.user_id: mine}
    replaced(sender_device_keys=keys)(c, mal, evil)


def device_keys_with_another_curve_key(c, mal, evil):
    name = f"curve25519:{mal.device_id}"
    replaced(sender_device_keys=mal.device_keys(keys={**mal.device_keys()["keys"], name: OTHER}))(c, mal, evil)


def device_keys_with_a_bad_signature(c, mal, evil):
    keys = mal.device_keys()
    keys["signatures"][mal.user_id][f"ed25519:{mal.device_id}"] = unpadded(os.urandom(64))
    replaced(sender_device_keys=keys)(c, mal, evil)


def lacking(name):
    return forged_key(lambda payload: without(payload, name))


def olm_text(text):
    """Something else than a payload inside of Olm."""
    return forged_key(lambda payload: text)


def olm_poison(value):
    return forged_key(lambda payload: json.dumps(payload)[:-1] + f',"v":{value}' + "}")


def plain_room_key(c, mal, evil):
    session = mal.group(c.room)
    mal.to_device("m.room_key", c.user, "*", mal.room_key(c.room, session))
    mal.put(c.room, mal.seal(c.room, mal.words(c.room, evil)))


def unasked_forwarded_key(c, mal, evil):
    session = mal.group(c.room)
    mal.send_olm(c.user, "m.forwarded_room_key", {
        "algorithm": MEGOLM, "room_id": c.room, "session_id": session.id, "session_key": InboundGroup(session.key).export(0),
        "sender_key": mal.account.curve, "sender_claimed_ed25519_key": mal.account.ed, "forwarding_curve25519_key_chain": []})
    mal.put(c.room, mal.seal(c.room, mal.words(c.room, evil)))


def key_under_another_id(c, mal, evil):
    """The key of one session announced as another's."""
    session, other = mal.group(c.room), OutboundGroup()
    mal.send_olm(c.user, "m.room_key", {**mal.room_key(c.room, session), "session_id": other.id})
    mal.put(c.room, {**mal.seal(c.room, mal.words(c.room, evil)), "session_id": other.id})


def words_of_another_room(c, mal, evil):
    mal.group(c.room)
    mal.share(c.room, [c.user])
    mal.put(c.room, mal.seal(c.room, mal.words("!elsewhere:hs.test", evil)))


def _spoken(c, mal, text):
    """An honest message first; its wire content."""
    mal.say_sealed(c.room, "an honest line first", [c.user])
    wire = mal.seal(c.room, mal.words(c.room, text))
    mal.put(c.room, wire)
    c.on_irc(text)
    return wire


def same_ciphertext_again(c, mal, evil):
    wire = _spoken(c, mal, "once-" + evil)
    mal.put(c.room, wire)


def same_ciphertext_in_other_letters(c, mal, evil):
    """libolm leaves the top bit of each letter aside: another text, the same message."""
    wire = _spoken(c, mal, "once-" + evil)
    text = wire["ciphertext"]
    changed = next(text[:n] + pair + text[n + 2:] for n in range(len(text) - 1)
                   for pair in [_high(text[n:n + 2])] if pair)
    mal.put(c.room, {**wire, "ciphertext": changed})


def _high(two):
    """Two letters as one character of UTF-8 whose bytes are theirs with the top bit set, or None."""
    data = bytes(ord(ch) | 0x80 for ch in two)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def same_index_another_message(c, mal, evil):
    mal.say_sealed(c.room, "an honest line first", [c.user])
    twin = mal.twin(mal.group(c.room))
    mal.put(c.room, mal.seal(c.room, mal.words(c.room, "first at this index")))
    c.on_irc("first at this index")
    mal.put(c.room, mal.seal(c.room, mal.words(c.room, evil), twin))


def session_of_another_person(c, mal, evil):
    mal.say_sealed(c.room, "an honest line first", [c.user])
    c.accomplice.put(c.room, mal.seal(c.room, mal.words(c.room, evil)))


def inside(text):
    """An honest session, and something strange inside of Megolm."""
    def run(c, mal, evil):
        mal.group(c.room)
        mal.share(c.room, [c.user])
        mal.put(c.room, mal.seal(c.room, text.replace("EVIL", evil).replace("ROOM", c.room)))
    return run


def megolm_poison(value):
    return inside('{"type":"m.room.message","room_id":"ROOM","content":{"msgtype":"m.text","body":"EVIL","v":%s}}' % value)


def wire(**fields):
    """An honest session, and something strange outside of Megolm."""
    def run(c, mal, evil):
        mal.group(c.room)
        mal.share(c.room, [c.user])
        mal.put(c.room, {**mal.seal(c.room, mal.words(c.room, evil)), **fields})
    return run


def changed_keys_of_a_known_device(c, mal, evil):
    mal.say_sealed(c.room, "an honest line first", [c.user])
    c.on_irc("an honest line first")
    mal.account, mal._olm = Account(), {}
    mal.upload_device()
    mal.upload_one_time_keys(10)
    mal.sign_device()
    mal.group(c.room, renew=True)
    mal.share(c.room, [c.user])
    mal.put(c.room, mal.seal(c.room, mal.words(c.room, evil)))


def _second_device(c, mal, keys, one_time=None):
    """Another login of the attacker with keys that are not what they should be; nobody may send it anything encrypted."""
    other = RawDevice.login(c.synapse, mal.user_id, register=False, publish=False)
    other.master, other.self_signing, other.user_signing = mal.master, mal.self_signing, mal.user_signing
    (one_time or RawDevice.upload_one_time_keys)(other)
    other.upload_device(keys(other))
    mark = len(c.bot.log())
    for number in range(8):  # until the bot has heard of the device, and wanted to give it a key
        c.both_ways(f"keys for everybody {number}")
        if mal.user_id in c.bot.log()[mark:]:
            break
    assert not [m for m in other.waiting() if m["type"] == "m.room.encrypted"]


def _with_keys(**names):
    def make(device):
        keys = {**device.device_keys()["keys"], **{f"{k}:{device.device_id}": v for k, v in names.items()}}
        return device.signed(device.device_keys(keys=keys), device.self_signing)
    return make


def device_with_a_low_order_key(c, mal, _evil):
    _second_device(c, mal, _with_keys(curve25519=ZERO))


def device_with_letters_that_are_no_base64(c, mal, _evil):
    _second_device(c, mal, _with_keys(curve25519="é" * 21 + "="))


def device_with_a_bad_signature(c, mal, _evil):
    def make(device):
        keys = device.device_keys()
        keys["signatures"][device.user_id][f"ed25519:{device.device_id}"] = unpadded(os.urandom(64))
        return keys
    _second_device(c, mal, make)


def device_with_the_key_of_another_device(c, mal, _evil):
    """The curve key of ben's device, under the attacker's name: who keeps sessions by that key alone loses ben's."""
    [theirs] = [d for d in mal.devices(c.ben.user_id).values()][:1]
    _second_device(c, mal, _with_keys(curve25519=theirs["keys"][f"curve25519:{theirs['device_id']}"]))
    mal.api("POST", f"/rooms/{urllib.parse.quote(c.room)}/leave", {})  # so everybody needs a new key
    c.both_ways("under a new key")


def device_whose_key_signs_everything(c, mal, _evil):
    """A key of small order: one signature is good for any text, also with libolm."""
    def make(device):
        keys = device.device_keys(keys={**device.device_keys()["keys"], f"ed25519:{device.device_id}": unpadded(POINT)})
        keys["signatures"][device.user_id][f"ed25519:{device.device_id}"] = unpadded(POINT + bytes(32))
        return device.signed(keys, device.self_signing)
    _second_device(c, mal, make)


def _malleable(device):
    """The order of the group is added to the signature's number: libolm takes that, nobody should."""
    keys = {}
    for name, value in device.account.one_time_keys(20).items():
        key = keys["signed_curve25519:" + name] = device.one_time_key(value)
        theirs = key["signatures"][device.user_id]
        raw = base64.b64decode(theirs[f"ed25519:{device.device_id}"] + "==")
        number = int.from_bytes(raw[32:], "little") + GROUP_ORDER
        theirs[f"ed25519:{device.device_id}"] = unpadded(raw[:32] + number.to_bytes(32, "little"))
    device.api("POST", "/keys/upload", {"one_time_keys": keys})


def one_time_key_with_a_changed_signature(c, mal, _evil):
    _second_device(c, mal, _with_keys(), _malleable)


def _only_low_order(device):
    device.upload_one_time_keys(5, value=ZERO)
    device.upload_fallback(ZERO)


def low_order_one_time_keys(c, mal, _evil):
    _second_device(c, mal, _with_keys(), _only_low_order)


def _unsigned_one_time(device):
    keys = {}
    for name, value in device.account.one_time_keys(20).items():  # the clients of other people take some
        keys["signed_curve25519:" + name] = device.one_time_key(value)
        keys["signed_curve25519:" + name]["signatures"][device.user_id][f"ed25519:{device.device_id}"] = unpadded(os.urandom(64))
    device.api("POST", "/keys/upload", {"one_time_keys": keys})


def one_time_key_with_a_bad_signature(c, mal, _evil):
    _second_device(c, mal, _with_keys(), _unsigned_one_time)


def garbage_in_olm(c, mal, _evil):
    [[_, bot]] = mal.devices(c.user).items()
    curve = bot["keys"][f"curve25519:{bot['device_id']}"]
    for n in range(60):
        body = unpadded(b"\x03" + os.urandom(100)) if n % 2 else "not base64 é"
        mal.to_device("m.room.encrypted", c.user, bot["device_id"], {
            "algorithm": OLM, "sender_key": mal.account.curve, "ciphertext": {curve: {"type": n % 2, "body": body}}})


def replayed_olm_message(c, mal, evil):
    """The very same ciphertext twice, as a server that forgets would deliver it."""
    [[device, _]] = mal.devices(c.user).items()
    session = mal.group(c.room)
    content = mal.olm_content(c.user, device, json.dumps(mal.payload(c.user, device, "m.room_key",
                                                                     mal.room_key(c.room, session))))
    for _ in range(3):
        mal.to_device("m.room.encrypted", c.user, device, content)
    mal.put(c.room, mal.seal(c.room, mal.words(c.room, "once-" + evil)))
    c.on_irc("once-" + evil)


def request_for_somebody_elses_key(c, mal, _evil):
    outsider = RawDevice.login(c.synapse, f"{mal.user_id[1:].split(':')[0]}x")
    session, _ = c.ben.indexes(c.room, c.user)[-1]
    outsider.to_device("m.room_key_request", c.user, "*", {
        "action": "request", "requesting_device_id": outsider.device_id, "request_id": "1",
        "body": {"algorithm": MEGOLM, "room_id": c.room, "session_id": session, "sender_key": OTHER}})
    c.both_ways("after a request for keys")
    assert not outsider.waiting()


def withheld_of_somebody_elses_session(c, mal, _evil):
    c.ben.say(c.room, "ben before the lie")
    session, _ = [e for e in [c.ben.wait_text("ben before the lie", c.room)]][0]["wire"]["session_id"], None
    mal.to_device("m.room_key.withheld", c.user, "*", {
        "algorithm": MEGOLM, "room_id": c.room, "session_id": session, "sender_key": OTHER, "code": "m.blacklisted",
        "reason": "\u202e" * 4000})


SECRETS = ("m.cross_signing.master", "m.cross_signing.self_signing", "m.cross_signing.user_signing", "m.megolm_backup.v1")


def request_for_secrets(c, mal, _evil):
    """In plain text and through Olm, of a device that gets nothing else from the bot: so nothing at all may come."""
    outsider = RawDevice.login(c.synapse, f"{mal.user_id[1:].split(':')[0]}s")
    for name in SECRETS:
        request = {"action": "request", "name": name, "request_id": name, "requesting_device_id": outsider.device_id}
        outsider.to_device("m.secret.request", c.user, "*", request)
        outsider.send_olm(c.user, "m.secret.request", request)
    c.both_ways("after a request for secrets")
    assert not outsider.waiting()


def secrets_nobody_asked_for(c, mal, _evil):
    before = c.bot.rows("SELECT * FROM matrix_identity")
    for name in SECRETS:
        mal.to_device("m.secret.send", c.user, "*", {"request_id": name, "secret": OTHER})
        mal.send_olm(c.user, "m.secret.send", {"request_id": name, "secret": OTHER})
    mal.to_device("m.dummy", c.user, "*", {})
    c.both_ways("after secrets nobody asked for")
    assert c.bot.rows("SELECT * FROM matrix_identity") == before


def forwarded_key_in_plain(c, mal, _evil):
    mal.to_device("m.forwarded_room_key", c.user, "*", {
        "algorithm": MEGOLM, "room_id": c.room, "session_id": OTHER, "session_key": OTHER, "sender_key": OTHER})


def stranger_asks_for_verification(c, mal, _evil):
    [[device, _]] = mal.devices(c.user).items()
    for n in range(12):
        mal.to_device("m.key.verification.request", c.user, device, {
            "from_device": mal.device_id, "methods": ["m.sas.v1"], "transaction_id": f"t{n}", "timestamp": 10**14})
        mal.send_event(c.room, "m.room.message", {
            "msgtype": "m.key.verification.request", "body": "verify me", "from_device": mal.device_id,
            "methods": ["m.sas.v1"], "to": c.user})
        mal.to_device("m.key.verification.start", c.user, device, {
            "from_device": mal.device_id, "method": "m.sas.v1", "transaction_id": f"s{n}", "hashes": ["sha256"],
            "key_agreement_protocols": ["curve25519-hkdf-sha256"], "message_authentication_codes": ["hkdf-hmac-sha256.v2"],
            "short_authentication_string": ["decimal", "emoji"]})


def edit_inside_of_the_ciphertext(c, mal, evil):
    """A relation that only the inside knows is none."""
    theirs = c.ben.say(c.room, "words of ben that stay")
    c.on_irc("words of ben that stay")
    mal.group(c.room)
    mal.share(c.room, [c.user])
    mal.put(c.room, mal.seal(c.room, mal.words(c.room, "an aside", **{
        "m.new_content": {"msgtype": "m.text", "body": evil},
        "m.relates_to": {"rel_type": "m.replace", "event_id": theirs}})))


ATTACKS = {
    "a room key whose payload names another sender": as_somebody_else,
    "a room key meant for another user": for_somebody_else,
    "a room key meant for another device": replaced(recipient_keys={"ed25519": OTHER}),
    "a room key signed by another key": replaced(keys={"ed25519": OTHER}),
    "device keys of another user (CVE-2026-45056)": device_keys_of_another_user,
    "device keys with another curve key": device_keys_with_another_curve_key,
    "device keys with a bad signature": device_keys_with_a_bad_signature,
    **{f"a payload without {name}": lacking(name) for name in ("sender", "recipient", "recipient_keys", "keys", "type", "content")},
    "a payload that is no JSON": olm_text("not JSON at all"),
    "a payload that is no object": olm_text("[1, 2]"),
    **{f"a payload with {name}": olm_poison(value) for name, value in POISON.items()},
    "a room key in plain text": plain_room_key,
    "a forwarded key nobody asked for": unasked_forwarded_key,
    "a key under another session's id": key_under_another_id,
    "words of another room": words_of_another_room,
    "the same ciphertext again": same_ciphertext_again,
    "the same ciphertext in other letters": same_ciphertext_in_other_letters,
    "the same index with another message": same_index_another_message,
    "a session used by another person": session_of_another_person,
    **{f"a message with {name} inside": megolm_poison(value) for name, value in POISON.items()},
    "a message that is no JSON inside": inside("EVIL"),
    "a message that is no object inside": inside('["EVIL"]'),
    "a message without content inside": inside('{"type":"m.room.message","room_id":"ROOM","body":"EVIL"}'),
    "a message without a room inside": inside('{"type":"m.room.message","content":{"msgtype":"m.text","body":"EVIL"}}'),
    "a message without a type inside": inside('{"room_id":"ROOM","content":{"msgtype":"m.text","body":"EVIL"}}'),
    "a message encrypted twice": inside('{"type":"m.room.encrypted","room_id":"ROOM","content":{"body":"EVIL"}}'),
    "state inside of a message": inside('{"type":"m.room.encryption","room_id":"ROOM","state_key":"","content":{}}'),
    "a message of another algorithm": wire(algorithm="m.megolm.v2"),
    "a message of a session nobody knows": wire(session_id=OTHER),
    "a message without a session": wire(session_id=None),
    "a message that is cut off": wire(ciphertext="AwgA"),
    "a message with an index far ahead": wire(ciphertext=unpadded(b"\x03\x08\xff\xff\xff\xff\x0f\x12\x10" + bytes(90))),
    "an edit that only the inside knows": edit_inside_of_the_ciphertext,
    "changed keys of a known device": changed_keys_of_a_known_device,
    "a device with a key of low order": device_with_a_low_order_key,
    "a device with a key that is no base64": device_with_letters_that_are_no_base64,
    "a device with a bad signature": device_with_a_bad_signature,
    "a device whose key signs everything": device_whose_key_signs_everything,
    "a one-time key with a signature made another": one_time_key_with_a_changed_signature,
    "one-time keys of low order": low_order_one_time_keys,
    "a one-time key with a bad signature": one_time_key_with_a_bad_signature,
    "sixty messages no session opens": garbage_in_olm,
    "an Olm message delivered three times": replayed_olm_message,
    "a stranger's request for keys": request_for_somebody_elses_key,
    "a withheld notice for another person's session": withheld_of_somebody_elses_session,
    "a stranger's request for secrets": request_for_secrets,
    "secrets nobody asked for": secrets_nobody_asked_for,
    "a forwarded key in plain text": forwarded_key_in_plain,
    "a stranger who asks for verification": stranger_asks_for_verification,
    # The last one, because it cuts Rust crypto 0.19 off: sessions with one curve key are one to it.
    "a device with the key of somebody else's": device_with_the_key_of_another_device,
}
