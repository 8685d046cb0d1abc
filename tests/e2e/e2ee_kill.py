# SPDX-License-Identifier: MIT
"""kill -9 at random moments of an encrypted chat of three people, and what has to be true afterwards."""
import random
import re
import threading
import time

from clients import wait_for
from e2ee_world import CryptoChat
from harness import RestartLoop

WHO = ("asha", "ben", "ann")
MARK = re.compile(r"\b(asha|ben|ann)-(\d{4})\b")


class Talk:
    """Each of the three says a third of the messages, evenly, with pauses (least, most) in seconds."""

    def __init__(self, c, messages, pauses, seed):
        self.c, self.said, self.errors = c, dict.fromkeys(WHO, 0), []
        self._count, self._pauses, self._seed = messages // 3, pauses, seed
        say = {"asha": lambda t: c.asha.say(c.room, t), "ben": lambda t: c.ben.say(c.room, t),
               "ann": lambda t: c.ann.say(c.channel, t)}
        self.threads = [threading.Thread(target=self._run, args=(who, say[who]), daemon=True) for who in say]

    def _run(self, who, say):
        chance = random.Random(self._seed + len(who))
        try:
            for n in range(self._count):
                say(f"{who}-{n:04d}")
                self.said[who] = n + 1
                time.sleep(chance.uniform(*self._pauses))
        except BaseException as error:
            self.errors.append(error)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join()


class KilledChat(CryptoChat):
    """A room whose key changes every 40 messages. run() is the whole of it; then the checks."""

    def __init__(self, folder, synapse, ergo, peers, name):
        super().__init__(folder, synapse, ergo, peers, name, rotation={"rotation_period_msgs": 40})

    def run(self, kills, messages, pauses, moments, seed=8):
        """moments(chance): seconds until the next kill, once the bot runs again."""
        self.start()
        self.agree()
        self.both_ways("before the first kill")
        chance = random.Random(seed)
        with RestartLoop(self.bot) as loop:
            with Talk(self, messages, pauses, seed) as self.talk:
                for _ in range(kills):
                    wait_for(lambda: self.bot.alive, 20)
                    time.sleep(moments(chance))
                    loop.kill()
            wait_for(lambda: self.bot.alive, 20)
            self.both_ways("after the last kill")
            self.bot.wait_settled(120)
        self.kills = kills
        self.bot.stop()
        return self

    def arrived(self):
        """{who: numbers that came to the other side, in the order of arrival}."""
        irc = self.ann.said(self.channel, f"{self.name}bot")
        room = self.ben.said(self.room, self.user)
        return {"asha": numbers(irc, "asha"), "ben": numbers(irc, "ben"), "ann": numbers(room, "ann")}

    def report(self):
        seen = self.arrived()
        return f"{self.bot.starts} starts, {self.kills} kills; " + "; ".join(
            f"{who}: {self.talk.said[who]} said, {len(set(got))} arrived, {len(got) - len(set(got))} repeated"
            for who, got in seen.items())

    # -- promises
    def check_arrived(self):
        assert not self.talk.errors, self.talk.errors
        for who, got in self.arrived().items():
            assert got == list(range(self.talk.said[who])), who

    def check_indexes(self):
        said = self.assert_nothing_plain()
        assert len({e["content"]["session_id"] for e in said if "session_id" in e["content"]}) > 1

    def check_readable(self):
        for person in (self.asha, self.ben):
            assert not person.undecryptable(self.room), person.name
            for event in [e for e in person.events if e["sender"] == self.user and e["encrypted"]][::25]:
                person.assert_trusted(event)
        assert self.bot.value("SELECT count(*) FROM matrix_group_wait") == 0

    def check_accounting(self):
        self.bot.assert_accounted()
        texts = [row["text"] for row in self.bot.rows("SELECT text FROM message")]
        for who, count in self.talk.said.items():
            assert numbers(texts, who) == list(range(count)), who


def numbers(texts, who):
    return [int(m[2]) for t in texts for m in MARK.finditer(t) if m[1] == who]
