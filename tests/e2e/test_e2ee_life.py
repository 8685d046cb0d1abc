# SPDX-License-Identifier: MIT
"""What happens to keys over the years: used up, wedged, in a backup somebody tampers with, in an old copy of the database."""
import json
import os
import shutil
import urllib.parse

import pytest
from clients import Matrix, MatrixError, wait_for
from e2ee_raw import MEGOLM, RawDevice
from e2ee_world import CryptoChat
from libolm import InboundGroup, OutboundGroup, PkEncryption, unpadded
from synapse import PASSWORD


@pytest.fixture
def chat(tmp_path, synapse, ergo, js_peers, request):
    name = f"life{abs(hash(request.node.name)) % 10 ** 6}"
    c = CryptoChat(tmp_path, synapse, ergo, js_peers, name)
    yield c.start().begin("at first")
    c.bot.kill9()
    c.bot.assert_clean()
    c.close()


def newcomer(c, name):
    return c.bring(RawDevice.login(c.synapse, f"{c.name}{name}"))


def account(c):
    """Somebody else who knows the password of the bot's account, or its server."""
    got = Matrix(c.synapse.url, None, "").api("POST", "/login", {
        "type": "m.login.password", "password": PASSWORD, "identifier": {"type": "m.id.user", "user": c.user}})
    return Matrix(c.synapse.url, c.user, got["access_token"])


def claim(device, user, name):
    got = device.api("POST", "/keys/claim", {"one_time_keys": {user: {name: "signed_curve25519"}}})
    return next(iter(got["one_time_keys"].get(user, {}).get(name, {}).values()), None)


def test_one_time_keys_are_replenished_and_nobody_goes_without(chat):
    c = chat
    raw = newcomer(c, "greedy")
    [device] = raw.devices(c.user)
    taken = [claim(raw, c.user, device) for _ in range(70)]
    assert all(taken), "a device could not reach the bot"
    ordinary = [k["key"] for k in taken if not k.get("fallback")]
    assert len(ordinary) == len(set(ordinary))

    def fresh():
        key = claim(raw, c.user, device)
        return key and not key.get("fallback") and key["key"] not in ordinary
    wait_for(fresh, 40, 0.5, c.bot.tail)
    if any(k.get("fallback") for k in taken):  # it was given away: another one has to take its place
        old = next(k["key"] for k in taken if k.get("fallback"))
        for _ in range(120):
            key = claim(raw, c.user, device)
            if key.get("fallback"):
                break
        assert key["key"] != old
    raw.say_sealed(c.room, "still reachable", [c.user])
    c.on_irc("still reachable")


def test_a_device_that_can_not_be_read_gets_one_new_session(chat):
    """As if it had sessions with us from before a loss: what it sends opens nothing here."""
    c = chat
    raw = newcomer(c, "wedged").start()
    [device] = raw.devices(c.user)
    for _ in range(5):
        content = raw.olm_content(c.user, device, "no matter")
        [part] = content["ciphertext"].values()
        part.update(type=1, body=unpadded(b"\x03\x0a\x20" + os.urandom(32) + b"\x10\x05\x22\x20" + os.urandom(40)))
        raw.to_device("m.room.encrypted", c.user, device, content)
    wait_for(lambda: [s for s in raw.secrets if s["type"] == "m.dummy"], 30, 0.2, c.bot.tail)
    raw.say_sealed(c.room, "after it was mended", [c.user])
    c.on_irc("after it was mended")
    c.both_ways("to everybody")
    wait_for(lambda: any("to everybody" in (t or "") for t in raw.heard(c.room, c.user)), 30, 0.2, c.bot.tail)
    assert len([s for s in raw.secrets if s["type"] == "m.dummy"]) == 1
    raw.stop()


# ---- the backup -------------------------------------------------------------------------------

def poisoned_backup(c, server, sessions):
    """Sessions of the attacker's choice in the bot's backup: {session id: data}; data is encrypted as the format has it."""
    version = wait_for(lambda: _version(server), 30, 0.3, c.bot.tail)
    lock = PkEncryption(version["auth_data"]["public_key"])
    for session, data in sessions.items():
        text = data if isinstance(data, str) else json.dumps(data)
        server.api("PUT", f"/room_keys/keys/{urllib.parse.quote(c.room)}/{urllib.parse.quote(session, safe='')}"
                   f"?version={version['version']}", {"first_message_index": 0, "forwarded_count": 0, "is_verified": True,
                                                      "session_data": lock.encrypt(text)})


def _version(server):
    try:
        return server.api("GET", "/room_keys/version")
    except MatrixError:
        return None


def test_what_somebody_put_into_the_backup_proves_nobody(chat):
    c = chat
    server, asha = account(c), Matrix(c.synapse.url, c.asha.user_id, c.asha.token)
    [device] = [d for d in asha.api("POST", "/keys/query", {"device_keys": {c.asha.user_id: []}})["device_keys"][
        c.asha.user_id].values()]
    curve, ed = (device["keys"][f"{kind}:{device['device_id']}"] for kind in ("curve25519", "ed25519"))

    def data(session, **changes):
        return {"algorithm": MEGOLM, "sender_key": curve, "sender_claimed_keys": {"ed25519": ed},
                "forwarding_curve25519_key_chain": [], "session_key": InboundGroup(session.key).export(0), **changes}
    good, other, odd = OutboundGroup(), OutboundGroup(), [OutboundGroup() for _ in range(4)]
    poisoned_backup(c, server, {
        good.id: data(good), odd[0].id: data(other), odd[1].id: "no JSON", odd[2].id: '{"a\\u0000":' + "[" * 900 + "]" * 900 + "}",
        odd[3].id: data(odd[3], session_key="AAAA", algorithm="m.none")})
    for number, session in enumerate([good, *odd]):
        wire = {"algorithm": MEGOLM, "session_id": session.id, "sender_key": curve, "device_id": device["device_id"],
                "ciphertext": session.encrypt(RawDevice.words(c.room, "!stop"))}
        asha.send_event(c.room, "m.room.encrypted", wire, f"forged{number}")
    for word in ("obeyed nothing", "still nothing", "and again"):
        c.both_ways(word)
    assert c.bot.value("SELECT count(*) FROM matrix_group_in WHERE session IN (?, ?, ?, ?)", *[o.id for o in odd]) == 0


# ---- the bot's own identity ---------------------------------------------------------------------

def test_an_old_copy_of_the_database_takes_a_new_device_that_everybody_trusts(chat):
    c = chat
    c.bot.wait_settled()
    c.bot.stop()
    keep = c.bot.folder / "old"
    shutil.copytree(c.bot.state, keep)
    devices = set(c.asha.do("devices", user=c.user))
    master = c.asha.do("user", user=c.user)["master"]
    c.bot.start()
    for n in range(5):
        c.both_ways(f"later {n}")
    c.bot.wait_settled()
    c.bot.stop()
    boot = (c.bot.state / "hashroom.boot").read_bytes()
    shutil.rmtree(c.bot.state)
    shutil.copytree(keep, c.bot.state)
    (c.bot.state / "hashroom.boot").write_bytes(boot)
    c.bot.start()
    for n in range(3):
        c.both_ways(f"from the old copy {n}")
        c.asha.assert_trusted(c.from_bot(c.asha, f"from the old copy {n} from IRC"))  # it may come to her later than to Ben
    c.assert_nothing_plain()
    after = c.asha.do("devices", user=c.user)
    assert set(after) != devices and all(d["signed"] for d in after.values()), after
    assert c.asha.do("user", user=c.user)["master"] == master
    assert not c.ben.undecryptable()


def test_another_identity_on_the_server_stops_encryption_and_is_told(chat):
    c = chat
    thief = RawDevice.login(c.synapse, f"{c.name}bot", register=False, publish=False)
    thief.upload_device()
    thief.upload_identity()
    c.bot.stop()
    before = len(c.wire())
    c.bot.start()
    wait_for(lambda: "identity" in c.bot.log() or "cross-signing" in c.bot.log(), 30, 0.2, c.bot.tail)
    c.ann.say(c.channel, "must not leave")
    c.ben.say(c.room, "is read, or not")
    wait_for(lambda: c.bot.value("SELECT count(*) FROM message WHERE text = 'must not leave'") == 1, 30, 0.2, c.bot.tail)
    wait_for(lambda: c.bot.command("status", "-c", str(c.bot.folder)).stdout, 30, 0.5, c.bot.tail)
    assert len([e for e in c.wire() if "state_key" not in e]) <= before
