# SPDX-License-Identifier: MIT
"""kill -9 at 60 random moments of an encrypted chat of three people: no message index twice, nothing that stays
unreadable, nothing repeated, every message accounted for. At full length: make soak."""
import os
import random
import re
import threading
import time

import pytest
from clients import wait_for
from e2ee_world import CryptoChat
from harness import RestartLoop

SOAK = os.environ.get("SOAK") == "1"
KILLS, MESSAGES, SEED = (500, 5000, 8) if SOAK else (60, 600, 8)
MARK = re.compile(r"\b(asha|ben|ann)-(\d{4})\b")


class Talk:
    """Each of the three says a third of the messages, evenly, until the killing is over."""

    def __init__(self, c):
        self.c, self.said, self.errors = c, {"asha": 0, "ben": 0, "ann": 0}, []
        self.over = threading.Event()
        say = {"asha": lambda t: c.asha.say(c.room, t), "ben": lambda t: c.ben.say(c.room, t),
               "ann": lambda t: c.ann.say(c.channel, t)}
        self.threads = [threading.Thread(target=self._run, args=(who, say[who]), daemon=True) for who in say]

    def _run(self, who, say):
        chance = random.Random(SEED + len(who))
        try:
            for n in range(MESSAGES // 3):
                say(f"{who}-{n:04d}")
                self.said[who] = n + 1
                time.sleep(chance.uniform(0.1, 0.5))
        except BaseException as error:
            self.errors.append(error)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join()


@pytest.fixture(scope="module")
def killed(tmp_path_factory, synapse, ergo, js_peers):
    c = CryptoChat(tmp_path_factory.mktemp("kill"), synapse, ergo, js_peers, "ekill", rotation={"rotation_period_msgs": 40})
    c.start()
    c.agree()
    c.both_ways("before the first kill")
    chance = random.Random(SEED)
    with RestartLoop(c.bot) as loop:
        with Talk(c) as talk:
            for _ in range(KILLS):
                wait_for(lambda: c.bot.alive, 20)
                time.sleep(chance.uniform(0.05, 1.9))  # from before it is logged in to the middle of its work
                loop.kill()
        wait_for(lambda: c.bot.alive, 20)
        c.both_ways("after the last kill")
        c.bot.wait_settled(120)
    c.bot.stop()
    c.talk = talk
    yield c
    c.close()


def numbers(texts, who):
    return [int(m[2]) for t in texts for m in MARK.finditer(t) if m[1] == who]


def test_everything_arrived_once_and_in_order(killed, capsys):
    c = killed
    assert not c.talk.errors
    irc = c.ann.said(c.channel, f"{c.name}bot")
    room = c.ben.said(c.room, c.user)
    seen = {"asha": numbers(irc, "asha"), "ben": numbers(irc, "ben"), "ann": numbers(room, "ann")}
    with capsys.disabled():
        print(f"\n  {c.bot.starts} starts, {KILLS} kills; " + "; ".join(
            f"{who}: {c.talk.said[who]} said, {len(set(seen[who]))} arrived, {len(seen[who]) - len(set(seen[who]))} repeated"
            for who in seen))
    for who, got in seen.items():
        assert got == list(range(c.talk.said[who])), who


def test_no_message_index_was_used_twice(killed):
    said = killed.assert_nothing_plain()
    assert len({e["content"]["session_id"] for e in said if "session_id" in e["content"]}) > 1


def test_nothing_stayed_unreadable(killed):
    c = killed
    for person in (c.asha, c.ben):
        assert not [e for e in person.undecryptable(c.room)], person.name
        for event in [e for e in person.events if e["sender"] == c.user and e["encrypted"]][::25]:
            person.assert_trusted(event)
    assert c.bot.value("SELECT count(*) FROM matrix_group_wait") == 0


def test_the_accounting_is_whole(killed):
    killed.bot.assert_accounted()
    texts = [row["text"] for row in killed.bot.rows("SELECT text FROM message")]
    for who, count in killed.talk.said.items():
        assert numbers(texts, who) == list(range(count)), who
