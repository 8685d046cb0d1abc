# SPDX-License-Identifier: MIT
"""Attacks on an encrypted room, one row each: refused, told to the operator once, and the chat goes on."""
import re
import urllib.parse

import pytest
from clients import Matrix, wait_for
from e2ee_attacks import ATTACKS
from e2ee_raw import RawDevice
from e2ee_world import CryptoChat

# What honest clients do as well, or what can't be told from it: no line in the log is due.
SILENT = {
    "an Olm message delivered three times", "an edit that only the inside knows", "secrets in plain text",
    "a withheld notice for another person's session", "a stranger's request for keys", "a room key in plain text",
    "a message of a session nobody knows", "state inside of a message", *(name for name in ATTACKS if name.startswith("a payload with ")),
    *(name for name in ATTACKS if name.startswith("a message with ")),
}
SPOKEN = {name for name in ATTACKS if name.startswith(("a payload with ", "a message with "))}  # odd, but theirs to say
FLOODS = {"changed keys of a known device": 2, "sixty messages no session opens": 9, "a stranger who asks for verification": 12}  # lines in the log, at most
EACH_RUN = 25  # the log has place for so many refusals of one run, and a flood would hide the next


@pytest.fixture(scope="module")
def chat(tmp_path_factory, synapse, ergo, js_peers):
    c = CryptoChat(tmp_path_factory.mktemp("attack"), synapse, ergo, js_peers, "attack")
    c.accomplice = newcomer(c, "attackmate")
    c.start()
    c.agree()
    c.both_ways("before all attacks")
    c.number = 0
    yield c
    c.bot.wait_settled()
    c.bot.assert_accounted()
    c.assert_nothing_plain()
    c.bot.stop()
    c.close()


def newcomer(c, name):
    """The attacker: a cross-signed device of somebody in the room, so far like any other."""
    device = RawDevice.login(c.synapse, name)
    c.asha.invite(c.room, device.user_id)
    device.join(c.room)
    return device


def lines_about(text, *users):
    """What the operator is told of somebody, but for what has no key yet."""
    return [line for line in text.splitlines() if any(u in line for u in users) and "its key was not sent" not in line]


@pytest.mark.parametrize("name", ATTACKS)
def test_refused_told_once_and_the_chat_goes_on(chat, name):
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
    if name not in SPOKEN:
        assert not any(re.search(rf"(?<!once-){evil}", t) for t in c.ann.said(c.channel)), c.bot.tail()
        assert c.bot.value("SELECT count(*) FROM message WHERE text LIKE ? AND text NOT LIKE ?", f"%{evil}%",
                           f"%once-{evil}%") == 0
    assert sum(f"once-{evil}" in t for t in c.ann.said(c.channel)) <= 1
    told = lines_about(c.bot.log()[before:], mal.user_id, c.accomplice.user_id)
    if name in FLOODS:
        assert 1 <= len(told) <= FLOODS[name], told
    elif name not in SILENT:
        assert len(told) == 1, told
    assert not [e for e in c.ben.undecryptable() if e["sender"] == c.user]


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
    assert c.bot.log().count("plain text") == 1, c.bot.tail()


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
