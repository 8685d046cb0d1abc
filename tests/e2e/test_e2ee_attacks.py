# SPDX-License-Identifier: MIT
"""Attacks on an encrypted room, one row each: refused, told to the operator once, and the chat goes on."""
import re
import urllib.parse

import pytest
from clients import Matrix, wait_for
from e2ee_attacks import ATTACKS, SECRETS
from e2ee_raw import RawDevice
from e2ee_world import CryptoChat

# No line in the log is due, and why: what honest clients and servers do as well can't be told from an attack, and a line
# for it would let anybody fill the log.
SILENT = {
    "an Olm message delivered three times": "a server that crashed delivers twice; the hash says that it was read",
    "an edit that only the inside knows": "the message itself is honest, and carried; the relation inside means nothing",
    "a withheld notice for another person's session": "whose session it is is not known before its key is here",
    "a stranger's request for keys": "every new login of anybody asks everybody; who may have none gets no answer",
    "a stranger's request for secrets": "every new login asks its account's devices; the bot answers none",
    "secrets nobody asked for": "a bot asks for none, and keeps none that come",
    "a message of a session nobody knows": "keys come late or never from honest clients; told as such if it never comes",
    "state inside of a message": "an event of a kind the bot has no use for, like any other",
}
FLOODS = {"changed keys of a known device": 2, "sixty messages no session opens": 9, "a stranger who asks for verification": 12}  # lines in the log, at most
EACH_RUN = 25  # the log has place for so many refusals of one run, and a flood would hide the next


@pytest.fixture(scope="module")
def chat(tmp_path_factory, synapse, ergo, js_peers):
    c = CryptoChat(tmp_path_factory.mktemp("attack"), synapse, ergo, js_peers, "attack")
    c.accomplice = newcomer(c, "attackmate")
    with c.running():
        c.begin("before all attacks")
        c.number = 0
        yield c
        c.bot.wait_settled()
        c.assert_nothing_plain()


def newcomer(c, name):
    """The attacker: a cross-signed device of somebody in the room, so far like any other."""
    return c.bring(RawDevice.login(c.synapse, name))


def lines_about(text, *users):
    """What the operator is told of somebody, but for what has no key yet."""
    return [line for line in text.splitlines() if any(u in line for u in users) and "its key was not sent" not in line]


@pytest.mark.parametrize("name", ATTACKS)
def test_refused_told_once_and_the_chat_goes_on(chat, name):
    """... but for the rows of SILENT: refused as well, but nobody is told; the reason stands there."""
    c = chat
    c.number += 1
    if c.number % EACH_RUN == 0:
        c.bot.stop()
        c.bot.start()
        c.both_ways(f"restarted before number {c.number}")
    evil = f"EVIL{c.number:03}"
    mal = newcomer(c, f"attacker{c.number:03}")
    before = len(c.bot.log())
    ATTACKS[name](c, mal, evil)
    c.both_ways(f"after number {c.number}")
    assert not any(re.search(rf"(?<!once-){evil}", t) for t in c.ann.said(c.channel)), c.bot.tail()
    assert c.bot.value("SELECT count(*) FROM message WHERE text LIKE ? AND text NOT LIKE ?", f"%{evil}%",
                       f"%once-{evil}%") == 0
    assert sum(f"once-{evil}" in t for t in c.ann.said(c.channel)) <= 1
    told = lines_about(c.bot.log()[before:], mal.user_id, c.accomplice.user_id)
    if name in FLOODS:
        assert 1 <= len(told) <= FLOODS[name], told
    elif name not in SILENT:
        assert len(told) == 1, told
    else:
        assert not told, told
    assert not [e for e in c.ben.undecryptable() if e["sender"] == c.user]


def test_each_silent_row_is_one():
    assert set(SILENT) <= set(ATTACKS)


def test_another_login_of_the_bots_account_gets_no_secrets(chat):
    """A device that nobody signed, of our own account: whoever got hold of the password, and not of the recovery key."""
    c = chat
    other = RawDevice.login(c.synapse, c.user, register=False, cross_sign=False).start()
    c.both_ways("while another login of the bot looks on")
    [device] = [d for d in other.devices(c.user) if d != other.device_id]
    for name in SECRETS:
        request = {"action": "request", "name": name, "request_id": name, "requesting_device_id": other.device_id}
        other.to_device("m.secret.request", c.user, device, request)
        other.send_olm(c.user, "m.secret.request", request, device=device)
    c.both_ways("after it asked for secrets")
    c.both_ways("and once more")
    other.stop()
    assert other.secrets or not other.plain  # what came was opened
    assert not [s for s in other.secrets if s["type"].startswith("m.secret")]
    assert not [m for m in other.plain if m["type"].startswith("m.secret")]
    other.api("POST", "/logout", {})


# ---- rows that need the room itself ------------------------------------------------------------

@pytest.mark.parametrize("content", [{}, {"algorithm": "m.none"}, {"algorithm": "m.megolm.v1.aes-sha2",
                                                                  "rotation_period_msgs": -1, "rotation_period_ms": 1}])
def test_a_room_that_drops_its_encryption_stays_encrypted(chat, content):
    c = chat
    Matrix(c.synapse.url, c.asha.user_id, c.asha.token).api(
        "PUT", f"/rooms/{urllib.parse.quote(c.room)}/state/m.room.encryption", content)
    c.both_ways("after the change of the room")
    c.bot.stop()
    c.bot.start()
    c.both_ways("after a restart")
    c.assert_nothing_plain()
    Matrix(c.synapse.url, c.asha.user_id, c.asha.token).api(
        "PUT", f"/rooms/{urllib.parse.quote(c.room)}/state/m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})


def test_a_command_in_plain_text_is_not_obeyed_in_an_encrypted_room(chat):
    c = chat
    raw = Matrix(c.synapse.url, c.asha.user_id, c.asha.token)  # her own account: a server could forge this
    raw.say(c.room, "!stop")
    raw.say(c.room, "plain words of the host")
    c.on_irc("plain words of the host")
    c.both_ways("nothing was stopped")
    assert c.bot.log().count("wrote in plain text") == 1, c.bot.tail()


def test_another_identity_is_told_once_and_gets_no_keys_until_it_is_accepted(chat):
    c = chat
    victim = newcomer(c, "attackvictim").start()
    victim.say_sealed(c.room, "before the new identity", [c.user])
    c.on_irc("before the new identity")
    wait_for(lambda: c.both_ways("for the victim, too") and "for the victim" in str(victim.heard(c.room, c.user)), 30, 0.3)
    before = len(c.bot.log())
    victim.new_identity()
    wait_for(lambda: c.both_ways("while the server tells of it") and lines_about(c.bot.log()[before:], victim.user_id), 30, 0.2)
    c.both_ways("not for the new identity")
    assert len(lines_about(c.bot.log()[before:], victim.user_id)) == 1
    assert not any("not for the new identity from IRC" in (t or "") for t in victim.heard(c.room, c.user))
    done = c.bot.command("verify", "accept", victim.user_id, "-c", str(c.bot.folder))
    assert done.returncode == 0, done.stderr
    wait_for(lambda: c.both_ways("accepted again") and "accepted again" in str(victim.heard(c.room, c.user)), 30, 0.3,
             c.bot.tail)
    victim.stop()
