# SPDX-License-Identifier: MIT
"""A person compares emoji with the bot; a second login of the bot's account opens what the recovery key locks."""
import re
import subprocess

import pytest
from clients import wait_for
from e2ee_raw import RawDevice
from e2ee_sas import HandSas
from e2ee_world import CryptoChat, TwoHosts
from synapse import PASSWORD


@pytest.fixture(scope="module")
def chat(tmp_path_factory, synapse, ergo, js_peers):
    with TwoHosts(tmp_path_factory.mktemp("verify"), synapse, ergo, js_peers, "veri").running() as c:
        yield c.begin("before any verification")


@pytest.fixture(scope="module")
def hand(tmp_path_factory, synapse, ergo, js_peers):
    """A second host whose device is made by hand."""
    device = RawDevice.login(synapse, "handhost")
    c = CryptoChat(tmp_path_factory.mktemp("hand"), synapse, ergo, js_peers, "hand", hosts=[device.user_id])
    c.bring(device).start()
    with c.running():
        c.begin("before the work by hand")
        yield c, device
        device.stop()


def operator(c, how, answer):
    """The operator says what the comparison gave: as an answer to the question, or as a word of the command."""
    if how == "word":
        return c.tool("verify", answer)
    done = subprocess.run([str(c.bot.program), "verify", "-c", str(c.bot.folder)], env=c.bot.environment(), cwd=c.bot.folder,
                          input=answer + "\n", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("where, how", [("chat", "word"), ("direct", "answer")])
def test_the_same_emoji_on_both_sides_then_verified(chat, where, how):
    c = chat
    person = c.asha if where == "chat" else c.cai
    room = c.room if where == "chat" else c.direct(c.cai)
    number, sas = c.asked(person, room)
    c.shown(sas)
    c.confirmed(person, number, lambda: operator(c, how, "yes"))
    [device] = person.do("devices", user=c.user).values()
    assert device["verified"]
    c.both_ways(f"verified in the {where}")


def test_other_emoji_end_it_and_nobody_is_verified(chat):
    c = chat
    before = c.bot.rows("SELECT user, verified FROM matrix_person")
    number, sas = c.asked(c.asha)
    c.shown(sas)
    c.tool("verify", "no")
    c.mismatched(c.asha, number)
    assert c.bot.rows("SELECT user, verified FROM matrix_person") == before
    c.both_ways("after other emoji")


def test_a_verification_the_person_gives_up_is_forgotten(chat):
    c = chat
    number, sas = c.asked(c.asha)
    c.shown(sas)
    c.asha.do("cancel", id=number)
    wait_for(lambda: "Nobody verifies" in c.terminal("verify"), 30, 0.3, c.bot.tail)
    c.both_ways("after it was given up")


def test_a_participant_can_not_begin_one(chat):
    c = chat
    request = c.ben.do("verifyUser", user=c.user, room=c.room)
    c.both_ways("while a participant asks")
    assert c.ben.do("verification", id=request["id"])["phase"] in ("requested", "cancelled")
    assert c.ben.user_id not in c.terminal("verify")


def test_a_second_login_with_the_recovery_key_reads_all_that_was_said(chat, js_peers):
    c = chat
    lines = [f"old line {n}" for n in range(20)]
    for line in lines:
        c.ann.say(c.channel, line)
        c.ben.say(c.room, line + " of ben")
    c.from_bot(c.ben, lines[-1])
    c.on_irc(lines[-1] + " of ben")
    key = re.search(r"\bE[A-Za-z0-9]{3}(?: [A-Za-z0-9]{4}){11}\b", c.tool("recovery-key"))[0]
    second = js_peers.device(c.synapse, f"{c.name}bot", f"{c.name}bot2", cross_sign=False, password=PASSWORD, history=100)
    c.people.append(second)
    assert second.unreadable(c.room)
    opened = {}

    def all_read():
        opened.update(second.do("openStorage", recovery_key=key))
        return not second.unreadable(c.room)
    wait_for(all_read, 60, 1.0, lambda: f"{opened} {second.unreadable(c.room)[:3]}\n{c.bot.tail()}")
    assert opened["ready"] and opened["trusted"] == {"trusted": True, "matchesDecryptionKey": True}
    assert opened["private_keys"] == {"masterKey": True, "selfSigningKey": True, "userSigningKey": True}
    texts = second.texts(c.room)
    for line in lines:
        assert any(line in (t or "") for t in texts), line
    c.both_ways("with a second device of its own")
    assert len([d for d in c.asha.do("devices", user=c.user).values() if d["verified"]]) == 2


def test_the_recovery_key_is_shown_once_and_never_logged(chat):
    c = chat
    assert not re.search(r"\bE[A-Za-z0-9]{3}(?: [A-Za-z0-9]{4}){11}\b", c.terminal("recovery-key") + c.bot.log())


# ---- steps done wrong ----------------------------------------------------------------------------

ZERO = "A" * 43


def key_of_low_order(h):
    h.start().wait("accept")
    h.send("key", key=ZERO)


def key_that_is_no_key(h):
    h.start().wait("accept")
    h.send("key", key="é" * 20)


def method_nobody_knows(h):
    h.start(method="m.magic.v1")


def hash_nobody_knows(h):
    h.start(hashes=["md5"])


def old_mac_method_only(h):
    h.start(message_authentication_codes=["hkdf-hmac-sha256"])


def mac_before_the_key(h):
    h.start().wait("accept")
    h.send("mac", mac={"ed25519:X": "AAAA"}, keys="AAAA")


def two_starts(h):
    h.start().wait("accept")
    h.send("start", **{**h.started, "hashes": ["sha256", "sha256"]})


def wrong_mac(h):
    h.start().give_key()
    good, keys = h.macs()
    h.give_mac({name: mac[:-2] + ("AA" if mac[-2:] != "AA" else "BB") for name, mac in good.items()}, keys)


def macs_of_other_names(h):
    h.start().give_key()
    good, _ = h.macs()
    h.give_mac(good, h.macs({"ed25519:OTHER": h.device.account.ed})[1])


def mac_of_a_key_that_is_not_theirs(h):
    h.start().give_key()
    mac, keys = h.macs({f"ed25519:{h.device.device_id}": ZERO})
    h.give_mac(mac, keys)


def no_mac_at_all(h):
    h.start().give_key()
    h.give_mac({"x": "y"}, "AAAA")


WRONG = [key_of_low_order, key_that_is_no_key, method_nobody_knows, hash_nobody_knows, old_mac_method_only, mac_before_the_key,
         two_starts, wrong_mac, macs_of_other_names, mac_of_a_key_that_is_not_theirs, no_mac_at_all]


@pytest.mark.parametrize("step", WRONG, ids=[w.__name__ for w in WRONG])
def test_a_step_done_wrong_ends_it_and_nobody_is_verified(hand, step):
    c, device = hand
    h = HandSas(device, c.room, c.user).ask()
    h.wait("ready")
    step(h)
    if h.heard("key"):
        c.terminal("verify")
        c.terminal("verify", "yes")
    assert h.cancelled().startswith("m.")
    assert c.bot.value("SELECT verified FROM matrix_person WHERE user = ?", device.user_id) == 0
    c.both_ways(f"after {step.__name__.replace('_', ' ')}")


def test_all_steps_done_right_by_hand(hand):
    c, device = hand
    h = HandSas(device, c.room, c.user).ask().start().give_key()
    assert h.committed
    wait_for(lambda: all(re.search(rf"\b{n}\b", c.terminal("verify")) for n in h.decimals()), 30, 0.3,
             lambda: f"{h.decimals()}\n{c.terminal('verify')}")
    h.give_mac()
    c.tool("verify", "yes")
    h.wait("mac")
    h.send("done")
    h.wait("done")
    wait_for(lambda: c.bot.value("SELECT verified FROM matrix_person WHERE user = ?", device.user_id) == 1, message=c.bot.tail)
