# SPDX-License-Identifier: MIT
"""The bot's own keys on a real Synapse: signed before any room is joined, always enough of them, none lost by a crash."""
import random
import shutil
import time

import pytest
from clients import Matrix, wait_for
from e2ee_raw import RawDevice
from libolm import canonical, padded
from nacl.signing import VerifyKey
from sealed import matrix_token
from synapse import PASSWORD
from test_matrix import Chat, chats


@pytest.fixture
def chat(request, tmp_path, synapse):
    with chats(request, tmp_path, synapse, rooms=1) as make:
        yield make


@pytest.fixture
def stranger(synapse, request):
    return RawDevice.login(synapse, f"s{abs(hash(request.node.name)) % 10 ** 9}")


def shown(who, user):
    """What everybody sees of the account's keys."""
    return who.api("POST", "/keys/query", {"device_keys": {user: []}})


def verify(value, user, name, key):
    body = canonical({k: v for k, v in value.items() if k not in ("signatures", "unsigned")})
    VerifyKey(padded(key)).verify(body, padded(value["signatures"][user]["ed25519:" + name]))


def only_key(value):
    return next(iter(value["keys"].values()))


def assert_signed(who, user, device):
    got = shown(who, user)
    keys, master = got["device_keys"][user][device], got["master_keys"][user]
    self_signing = got["self_signing_keys"][user]
    verify(keys, user, device, keys["keys"]["ed25519:" + device])
    verify(self_signing, user, only_key(master), only_key(master))
    verify(keys, user, only_key(self_signing), only_key(self_signing))
    return only_key(master), keys["keys"]["curve25519:" + device]


def token_of(c):
    return Matrix(c.synapse.url, c.user, matrix_token(c.bot))


def count(c):
    return token_of(c).api("POST", "/keys/upload", {})["one_time_key_counts"].get("signed_curve25519", 0)


def device_of(c):
    return c.bot.value("SELECT device FROM matrix_account")


def reads(c, who, device):
    """A new Olm session with a key of the server; the bot can read what comes with it."""
    before = c.bot.value("SELECT count(*) FROM matrix_olm WHERE curve = ?", who.account.curve)
    who.send_olm(c.user, "m.dummy", {}, device=device, renew=True)
    seen = "SELECT count(*) FROM matrix_olm_seen"
    wait_for(lambda: c.bot.value("SELECT count(*) FROM matrix_olm WHERE curve = ?", who.account.curve) > before
             or before == 5 and c.bot.value(seen) > 0, 30, 0.1, c.bot.tail)
    assert "can't be read" not in c.bot.log(), c.bot.tail()


def claim(who, user, device):
    got = who.api("POST", "/keys/claim", {"one_time_keys": {user: {device: "signed_curve25519"}}})
    return next(iter(got["one_time_keys"][user][device].items()))


def test_the_device_is_signed_before_any_room_is_joined(chat, stranger):
    c = chat()
    with c.bot:
        c.wait_in()
        master, curve = assert_signed(stranger, c.user, device_of(c))
        assert count(c) == 50
        log = c.bot.log()
        assert log.index("is signed by our identity") < log.index("joined") if "joined" in log else True
    with c.bot:  # nothing is made or uploaded again
        c.bot.wait_log("connected", 60, 2)
        wait_for(lambda: assert_signed(stranger, c.user, device_of(c)) == (master, curve), 30)
        assert c.bot.log().count("is signed by our identity") == 1, c.bot.log()
    assert len(shown(stranger, c.user)["device_keys"][c.user]) == 1


def test_keys_that_were_taken_come_back_and_a_used_fallback_key_is_renewed(chat, stranger):
    c = chat()
    with c.bot:
        c.wait_in()
        device = device_of(c)
        for _ in range(3):
            reads(c, stranger, device)
        c.owner.say(c.rooms[0], "a sync comes of this")
        wait_for(lambda: count(c) == 50, 60, 0.3, c.bot.tail)
        taken = [claim(stranger, c.user, device) for _ in range(51)]
        names, objects = zip(*taken)
        assert len(set(names)) == 51 or objects[-1].get("fallback"), "a key was given away twice"
        wait_for(lambda: count(c) == 50, 60, 0.3, c.bot.tail)
        if objects[-1].get("fallback"):
            fallback = names[-1]
            wait_for(lambda: (c.owner.say(c.rooms[0], "again"),
                              c.bot.value("SELECT count(*) FROM matrix_crypto WHERE fallback_ms > 0"))[1] == 1, 10)
            seen = set()

            def renewed():
                got = [claim(stranger, c.user, device) for _ in range(51)][-1]
                seen.add(got[0])
                return got[0] != fallback
            wait_for(renewed, 60, 1, lambda: f"{fallback} {seen}\n{c.bot.tail()}")
        reads(c, stranger, device)


def test_no_key_is_lost_when_the_bot_is_killed_while_it_uploads(chat, stranger):
    c = chat()
    dice = random.Random(5)
    for _ in range(8):
        c.bot.start()
        time.sleep(dice.uniform(0.05, 1.2))  # anywhere in login, upload, signing
        c.bot.kill9()
    with c.bot:
        c.wait_in()
        device = device_of(c)
        assert_signed(stranger, c.user, device)
        wait_for(lambda: count(c) == 50, 60, 0.3, c.bot.tail)
        for _ in range(12):
            reads(c, stranger, device)
        assert "already exists" not in c.bot.log() and "did not take" not in c.bot.log(), c.bot.tail()
    assert len(shown(stranger, c.user)["device_keys"][c.user]) == 1  # one device through all of it


def test_an_older_copy_of_the_database_leads_to_a_new_device_with_the_same_identity(chat, stranger):
    c = chat()
    with c.bot:
        c.wait_in()
        master, curve = assert_signed(stranger, c.user, device_of(c))
        old = device_of(c)
    copy = c.bot.folder / "copy"
    shutil.copytree(c.bot.state, copy, ignore=shutil.ignore_patterns("*.mark", "boot*"))
    with c.bot:
        c.bot.wait_log("connected", 60, 2)
    database = c.bot.state / "hashroom.db"
    for name in ("hashroom.db-wal", "hashroom.db-shm"):
        (c.bot.state / name).unlink(missing_ok=True)
    shutil.copy(copy / "hashroom.db", database)
    with c.bot:
        wait_for(lambda: device_of(c) not in (None, old), 60, 0.2, c.bot.tail)
        c.bot.wait_log("is signed by our identity", 60, 2)
        new_master, new_curve = assert_signed(stranger, c.user, device_of(c))
        assert new_master == master and new_curve != curve
        own_view = shown(token_of(c), c.user)  # others don't see which of our devices vouch for the identity
        verify(own_view["master_keys"][c.user], c.user, device_of(c),
               own_view["device_keys"][c.user][device_of(c)]["keys"]["ed25519:" + device_of(c)])
        c.owner.say(c.rooms[0], "hello")
        reads(c, stranger, device_of(c))


def test_a_second_bot_with_the_same_device_stops(chat, tmp_path):
    c = chat()
    with c.bot:
        c.wait_in()
        token, device = matrix_token(c.bot), device_of(c)
        other = Chat(tmp_path, c.synapse, c.name + "x", rooms=0)
        other.user = c.user
        other.options.update(password_file="", token_file=other.bot.secret("token", token))
        other.configure(c.rooms)
        try:
            with other.bot:
                other.bot.wait_log("has keys that this database does not have", 30)
                assert device in other.bot.log()
        finally:
            other.close()
        c.owner.say(c.rooms[0], "still here")


def test_an_account_with_an_identity_of_its_own_keeps_it(chat, synapse):
    c = chat()
    person = RawDevice.login(synapse, c.user.split(":")[0][1:], register=False)
    master = only_key(shown(person, c.user)["master_keys"][c.user])
    with c.bot:
        c.wait_in()  # rooms that are not encrypted work
        c.bot.wait_log("recovery-key use", 30)
        assert only_key(shown(person, c.user)["master_keys"][c.user]) == master
    assert PASSWORD not in c.bot.log()
