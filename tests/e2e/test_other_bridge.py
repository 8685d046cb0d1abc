# SPDX-License-Identifier: MIT
"""Another bridge between two of our rooms: nothing goes round and round, nothing is doubled for long, and it is said."""
import threading
import time

import pytest
from clients import Irc
from harness import Bot
from test_irc import wait_in

ONE, TWO = "#bridged-one", "#bridged-two"


class OtherBridge:
    """Copies what others say, as relaying bots do: "<ben> hello"."""

    def __init__(self, port, nick="copycat"):
        self.nick, self.on = nick, True
        self.client = Irc(port, nick).join(ONE)
        self.client.join(TWO)
        self._seen = self.client.mark()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self.client.closed:
            for line in self.client.lines[self._seen:]:
                self._seen += 1
                if self.on and line.command == "PRIVMSG" and line.nick != self.nick and line.target in (ONE, TWO):
                    self.client.say(TWO if line.target == ONE else ONE, f"<{line.nick}> {line.text}")
            time.sleep(0.01)


@pytest.fixture
def world(tmp_path, ergo):
    bot = Bot(tmp_path / "bot")
    bot.host_file(f"""
chat "c" {{
    tag = "#C"
    irc_to_irc = yes
    room "ergo/{ONE}" {{ pace = full }}
    room "ergo/{TWO}" {{ pace = full }}
}}
role "host" {{ accounts = {{ "ergo/asha" }} }}
""")
    bot.plugin("irc", {"ergo": {"server": "127.0.0.1", "port": ergo.port, "tls": False, "nick": "ourbot", "rate_ms": 0}})
    bot.plugin("relay")
    ann, ben = Irc(ergo.port, "ann").join(ONE), Irc(ergo.port, "ben").join(TWO)
    other = OtherBridge(ergo.port)
    with bot:
        wait_in(ann, ONE, "ourbot")
        wait_in(ben, TWO, "ourbot")
        yield bot, ann, ben, other
        for person in (ann, ben, other.client):
            person.close()


def copies(person, room, words):
    return [text for text in person.said(room) if text.endswith(words)]


def test_the_way_is_left_to_the_other_bridge_until_that_is_gone(world):
    bot, ann, ben, other = world
    for n in range(4):
        ann.say(ONE, f"ann says number {n}")
        ben.wait_text(f"<ann> ann says number {n}")
        ben.say(TWO, f"ben says number {n}")
        ann.wait_text(f"<ben> ben says number {n}")
    for person, room in ((ann, ONE), (ben, TWO)):
        person.wait_text("Another bridge already shows messages from IRC here.", timeout=30)
    bot.wait_settled()
    ann.say(ONE, "this comes once")
    ben.say(TWO, "and this, too")
    ben.wait_text("<ann> this comes once")
    ann.wait_text("<ben> and this, too")
    ben.say(TWO, "end of the bridged part")  # what was doubled would stand before it
    ann.wait_text("<ben> end of the bridged part")
    bot.wait_settled()
    assert copies(ben, TWO, "this comes once") == ["<ann> this comes once"]
    assert copies(ann, ONE, "and this, too") == ["<ben> and this, too"]
    for n in range(4):  # no turn round and round: at most ours and theirs, and ours given back
        assert len(copies(ben, TWO, f"ann says number {n}")) <= 4
        assert len(copies(ann, ONE, f"ben says number {n}")) <= 4
    other.on = False
    for n in range(7):
        ann.say(ONE, f"is anybody there {n}")
    ben.wait_text("The other bridge is silent. I show messages from IRC here again.", timeout=30)
    ben.wait_text("ann on IRC: is anybody there 6", timeout=30)
    bot.wait_settled()
    bot.assert_accounted()
