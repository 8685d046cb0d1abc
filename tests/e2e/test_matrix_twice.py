# SPDX-License-Identifier: MIT
"""Nothing stands in a Matrix room twice: a removal that is refused."""
import time

import pytest
from clients import wait_for
from faultproxy import ALL, Answer
from harness import CHAT_START_MS
from world import World

LIMITED = '{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests"}'
FORBIDDEN = '{"errcode":"M_FORBIDDEN","error":"You may not"}'
CROWD = 25  # more than wait for one event each


@pytest.fixture(scope="module")
def once(tmp_path_factory, ergo, ngircd, synapse):
    w = World("once", tmp_path_factory.mktemp("once"), ergo, ngircd, synapse, CHAT_START_MS - 14 * 60_000,
              session={"reminders": [], "questions": []}, matrix={"rate_ms": 0, "burst": 0}, proxies=("home",))
    w.ann, w.mia = w.irc("onceann"), w.matrix("mia")
    with w.bot:
        w.wait_ready(w.ann)
        wait_for(w.x.stream_open, 60)
        time.sleep(0.5)
        yield w
        w.proxy["home"].heal()
        w.bot.wait_settled(120)
        w.bot.assert_accounted()
    w.close()


def bodies(w):
    """What stands in the room now, oldest first, as a newcomer reads it."""
    chunk = w.mia.api("GET", f"/rooms/{w.rooms[0]}/messages?dir=b&limit=200")["chunk"]
    return [e["content"].get("body", "") for e in reversed(chunk) if e["sender"] == w.matrix_bot.user_id]


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
