# SPDX-License-Identifier: MIT
"""Nothing stands in a Matrix room twice: a removal that is refused, a line in doubt in a copy that was put back."""
import shutil

import pytest
from clients import wait_for
from faultproxy import ALL, Answer
from world import World

LIMITED = '{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests"}'
FORBIDDEN = '{"errcode":"M_FORBIDDEN","error":"You may not"}'
CROWD = 25  # more than wait for one event each


@pytest.fixture(scope="module")
def once(tmp_path_factory, ergo, ngircd, synapse):
    w = World.quiet("once", tmp_path_factory.mktemp("once"), ergo, ngircd, synapse, proxies=("home",))
    w.ann, w.mia = w.irc("onceann"), w.matrix("mia")
    with w.running(w.ann, settle_s=120):
        yield w


def bodies(w):
    return [content.get("body", "") for content in w.standing(w.mia)]


def crowd(w):
    """Numbers of the crowd's posts, in the order in which they stand there."""
    return [n for body in bodies(w) for line in body.split("\n") for n in range(CROWD) if f"crowd {n:02d}" in line]


def says_on(w, text):
    w.ann.say(w.channel, text)
    w.mia.wait_text(text, w.rooms[0], 60)


def test_a_removal_that_is_refused_leaves_each_line_there_once(once):
    w, home = once, once.proxy["home"]
    home.fault("PUT .*/send/", Answer(429, LIMITED, retry_after="1"), ALL)
    posts = [w.x.post("cai", f"crowd {n:02d} {w.tag}", name="Cai") for n in range(CROWD)]
    wait_for(lambda: w.bot.value("SELECT count(*) FROM message WHERE text LIKE 'crowd%'") == CROWD, 60)
    home.heal()
    wait_for(lambda: crowd(w) == list(range(CROWD)), 90, 0.3, lambda: f"{crowd(w)}\n{w.bot.tail()}")
    assert any("crowd 12" in body and "crowd 13" in body for body in bodies(w)), "they do not share an event"
    refusal = home.fault("PUT .*/redact/", Answer(403, FORBIDDEN), ALL)
    w.x.delete(posts[12]["id"])
    wait_for(lambda: w.bot.value("SELECT count(*) FROM delivery WHERE act = 2 AND state = 'refused'") == 1, 60, 0.1,
             lambda: w.bot.tail())
    assert refusal.hits > 0
    says_on(w, "and on it goes")
    assert crowd(w) == list(range(CROWD))
    home.heal()
    w.x.delete(posts[13]["id"])
    left = [n for n in range(CROWD) if n not in (12, 13)]
    wait_for(lambda: sorted(crowd(w)) == left, 60, 0.3, lambda: f"{crowd(w)}\n{w.bot.tail()}")
    says_on(w, "and on")
    assert sorted(crowd(w)) == left


def test_a_line_in_doubt_in_a_copy_that_was_put_back_is_said_once(once, tmp_path):
    w, home, file = once, once.proxy["home"], tmp_path / "backup.db"
    before = w.bot.value("SELECT value FROM host_meta WHERE key = 'store_id'")
    lost = home.fault("PUT .*/send/", "after", ALL)
    w.ann.say(w.channel, "did this arrive?")
    w.mia.wait_text("did this arrive?", w.rooms[0], 60)
    assert lost.met.is_set()
    done = w.bot.command("backup", "-c", str(w.bot.folder), str(file))
    assert done.returncode == 0, done.stderr
    w.bot.kill9()
    for name in ("hashroom.db", "hashroom.db-wal", "hashroom.db-shm"):
        (w.bot.state / name).unlink(missing_ok=True)
    shutil.copy(file, w.bot.state / "hashroom.db")
    home.heal()
    fresh = w.owner.api("POST", "/login", {"type": "m.login.password", "password": "a password of the tests",
                                           "identifier": {"type": "m.id.user", "user": w.matrix_bot.user_id}})
    w.bot.secret("matrix.token", fresh["access_token"])  # an old copy's device can't be used again
    w.matrix_bot.token = fresh["access_token"]
    w.x.client_restarted()
    w.bot.start()
    w.wait_ready(w.ann)
    wait_for(lambda: w.in_channel(w.ann), 60, 0.2)
    says_on(w, "it did")
    w.bot.wait_settled(90)
    assert w.bot.value("SELECT value FROM host_meta WHERE key = 'store_id'") not in (None, before)
    assert sum("did this arrive?" in body for body in bodies(w)) == 1, bodies(w)
