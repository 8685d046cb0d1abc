# SPDX-License-Identifier: MIT
"""The session at a real Synapse as the disk has it: sealed, found again after a restart, gone when it serves nobody."""
import sqlite3

import pytest
from clients import wait_for
from sealed import files_with, matrix_token
from synapse import PASSWORD, Synapse
from test_matrix import chats


@pytest.fixture(scope="module")
def renewing():
    """Gives a pair of tokens, of which the second renews the first."""
    with Synapse(extra={"refreshable_access_token_lifetime": "2m"}) as server:
        yield server


@pytest.fixture
def chat(request, tmp_path, renewing):
    with chats(request, tmp_path, renewing) as make:
        yield make()


def pair(c):
    return matrix_token(c.bot), matrix_token(c.bot, "refresh")


def speaks(c, words):
    c.owner.say(c.rooms[0], words)
    c.relayed(c.rooms[1], words)


def change(c, *statements):
    db = sqlite3.connect(c.bot.state / "hashroom.db")
    for sql, *args in statements:
        db.execute(sql, args)
    db.commit()
    db.close()


def test_a_sealed_session_goes_on_after_a_restart_and_no_file_holds_it(chat):
    c = chat
    with c.bot:
        c.wait_in()
        speaks(c, "before")
        first = pair(c)
        assert all(len(token) > 20 for token in first)
        assert (c.bot.state / "hashroom.db-wal").stat().st_size > 0 and files_with(c.bot, *first) == []
        c.bot.kill9()  # its log of changes stays
        assert (c.bot.state / "hashroom.db-wal").stat().st_size > 0 and files_with(c.bot, *first) == []
        c.bot.start()
        speaks(c, "after")
        c.bot.wait_settled()
    seen = {*first, *pair(c)}
    assert files_with(c.bot, *seen) == [] and not any(token in c.bot.log() for token in seen)
    assert c.bot.log().count("logged in as") == 1
    c.bot.assert_accounted()


def test_a_session_that_an_earlier_version_stored_plain_is_sealed(chat):
    c = chat
    with c.bot:
        c.wait_in()
    tokens = pair(c)
    change(c, ("UPDATE matrix_account SET token = ?, refresh = ?", *tokens),
           ("ALTER TABLE matrix_account DROP COLUMN sealed",),  # the last step
           ("UPDATE host_schema SET step = step - 1 WHERE owner = 'matrix'",))
    assert files_with(c.bot, *tokens) == ["hashroom.db"]
    with c.bot:
        speaks(c, "as before")
        c.bot.wait_settled()
    assert pair(c) == tokens and files_with(c.bot, *tokens) == []
    assert c.bot.log().count("logged in as") == 1


def test_a_session_whose_key_was_given_up_is_replaced_aloud(chat):
    c = chat
    with c.bot:
        c.wait_in()
    old, device = pair(c), c.bot.value("SELECT device FROM matrix_account")
    (c.bot.state / "hashroom.key").unlink()
    refused = c.bot.command("run", "-c", str(c.bot.folder))
    assert refused.returncode == 2 and "is missing, the key to what stands encrypted in the database" in refused.stderr
    given_up = c.bot.command("new-key", "-c", str(c.bot.folder))
    assert given_up.returncode == 0, given_up.stderr
    with c.bot:
        c.bot.wait_log(f"the login of {c.user} was encrypted with a store key that was given up; it is replaced")
        c.bot.wait_log("logged in as", count=2)
        speaks(c, "with another key")
        c.bot.wait_settled()
    assert c.bot.value("SELECT device FROM matrix_account") != device
    assert not set(old) & set(pair(c)) and files_with(c.bot, *old, *pair(c)) == []


def test_the_tokens_of_an_instance_that_was_taken_out_are_erased(chat):
    c = chat
    here = {"homeserver": c.synapse.url, "user": c.user, "password_file": c.bot.secret("password", PASSWORD), **c.options}
    there = {**here, "user": c.synapse.register(f"{c.name}second")["user_id"]}
    c.bot.plugin("matrix", {"home": here, "second": there})

    def stored(instance):
        return c.bot.value("SELECT token <> '' OR refresh IS NOT NULL FROM matrix_account WHERE instance = ?", instance)
    with c.bot:
        c.wait_in()
        wait_for(lambda: stored("second"), 30, 0.1, c.bot.tail)
    c.bot.plugin("matrix", {"home": here})
    with c.bot:
        c.bot.wait_log('"second" is no longer in plugins/matrix.conf: the login of ' + there["user"] + " is erased")
        speaks(c, "on its own")
        c.bot.wait_settled()
    assert stored("second") == 0 and stored("home") == 1
    assert c.bot.log().count("logged in as") == 2 and c.bot.log().count("is erased") == 1
    c.bot.plugin("matrix", {"home": here, "second": there})
    device = c.bot.value("SELECT device FROM matrix_account WHERE instance = 'second'")
    with c.bot:  # put back it logs in by its password, as the same device
        c.bot.wait_log("logged in as", count=3)
        wait_for(lambda: stored("second"), 30, 0.1, c.bot.tail)
    assert c.bot.value("SELECT device FROM matrix_account WHERE instance = 'second'") == device
