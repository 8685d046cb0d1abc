# SPDX-License-Identifier: MIT
"""Where a network keeps its history: nothing is said twice after a crash, and what was said meanwhile is fetched."""
import random
import signal
import socket
import threading
import time

import pytest
from clients import Irc, wait_for
from harness import Bot
from test_irc import wait_in

CAPS = ["message-tags", "server-time"]


@pytest.fixture(scope="module")
def other():
    """A second network with history."""
    from ergo import Ergo
    with Ergo(network="two") as server:
        yield server


class Wire:
    """A proxy in front of a server: it can swallow what the server says, and cut the connection."""

    def __init__(self, port):
        self.target, self.deaf, self._pairs = port, False, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.deaf = False
            server = socket.create_connection(("127.0.0.1", self.target))
            self._pairs.append((client, server))
            threading.Thread(target=self._carry, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, True), daemon=True).start()

    def _carry(self, source, sink, down):
        try:
            while data := source.recv(65536):
                if not (down and self.deaf):
                    sink.sendall(data)
        except OSError:
            pass
        self._end(source, sink)

    @staticmethod
    def _end(*ends):
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)  # close() alone would not wake who reads
            except OSError:
                pass

    def cut(self):
        for pair in self._pairs:
            self._end(*pair)
        self._pairs.clear()

    def close(self):
        self._listener.close()
        self.cut()


class Pair:
    """A bot between two networks that both keep their history; asha on the one, ben on the other."""

    def __init__(self, folder, ergo, other, name):
        self.wire = Wire(other.port)
        self.channel, self.nick = f"#{name}", f"{name}bot"
        self.bot = Bot(folder)
        self.bot.host_file(f'chat "c" {{\n    tag = "#C"\n    irc_to_irc = yes\n'
                           f'    room "one/{self.channel}" {{ pace = full }}\n'
                           f'    room "two/{self.channel}" {{ pace = full }}\n}}\n')
        self.bot.plugin("irc", {title: {"server": "127.0.0.1", "port": server.port, "tls": False, "nick": self.nick,
                                        "rate_ms": 0} for title, server in (("one", ergo), ("two", self.wire))})
        self.bot.plugin("relay")
        self.asha = Irc(ergo.port, f"{name}asha", caps=CAPS).join(self.channel)
        self.ben = Irc(other.port, f"{name}ben", caps=CAPS).join(self.channel)

    def wait_here(self, timeout=30):
        wait_in(self.asha, self.channel, self.nick, timeout)
        wait_in(self.ben, self.channel, self.nick, timeout)

    def heard(self, part):
        return [t for t in self.ben.said(self.channel, self.nick) if part in t]

    def claimed(self):
        return self.bot.value("SELECT count(*) FROM part WHERE state = 'claimed'")

    def close(self):
        self.bot.kill9()
        self.wire.close()
        self.asha.close()
        self.ben.close()


@pytest.fixture
def pair(request, tmp_path, ergo, other):
    made = Pair(tmp_path, ergo, other, "h" + str(abs(hash(request.node.name)) % 10000))
    yield made
    made.close()


def test_lines_that_arrived_unnoticed_are_not_said_twice(pair, other):
    """The server takes some of the lines while it stands still; the bot dies before it can be told."""
    p = pair
    p.bot.start()
    p.wait_here()
    p.asha.say(p.channel, "the first")
    p.ben.wait_text("the first")
    p.bot.wait_settled()
    other.process.send_signal(signal.SIGSTOP)
    try:
        for n in range(6):
            p.asha.say(p.channel, f"unnoticed {n % 3}")  # some of them alike
        wait_for(lambda: p.claimed() == 6, 20, message=lambda: p.bot.tail())
        p.bot.kill9()
    finally:
        other.process.send_signal(signal.SIGCONT)
    p.ben.wait(lambda l: l.command == "QUIT" and l.nick == p.nick)
    assert p.heard("unnoticed")
    p.bot.start()
    p.asha.say(p.channel, "the last")
    p.ben.wait_text("the last", timeout=40)
    p.bot.wait_settled()
    assert [t.split(": ")[1] for t in p.heard("unnoticed")] == [f"unnoticed {n % 3}" for n in range(6)]
    assert p.bot.accounting() == {f"two/{p.channel}": {"delivered": 8}}
    p.bot.stop()


def test_a_cut_connection_is_looked_up_too(pair):
    """Lines arrive, the answers to them don't, and then the connection ends; the bot lives on."""
    p = pair
    p.bot.start()
    p.wait_here()
    p.asha.say(p.channel, "the first")
    p.ben.wait_text("the first")
    p.bot.wait_settled()
    p.wire.deaf = True
    for n in range(5):
        p.asha.say(p.channel, f"unanswered {n % 2}")
    wait_for(lambda: len(p.heard("unanswered")) == 5)
    p.ben.say(p.channel, "nobody hears me")
    assert p.claimed() == 5
    p.wire.cut()
    p.asha.say(p.channel, "in between")
    p.ben.wait_text("in between", timeout=40)
    p.asha.wait_text("nobody hears me")
    p.bot.wait_settled()
    assert [t.split(": ")[1] for t in p.heard("un")] == [f"unanswered {n % 2}" for n in range(5)]
    assert len([t for t in p.asha.said(p.channel) if "nobody hears me" in t]) == 1
    p.bot.assert_accounted()
    p.bot.stop()


def test_what_was_said_while_the_bot_was_away_is_carried_once(pair):
    p = pair
    p.bot.start()
    p.wait_here()
    p.asha.say(p.channel, "before")
    p.ben.wait_text("before")
    p.bot.wait_settled()
    p.bot.kill9()
    for n in range(5):
        p.asha.say(p.channel, f"meanwhile {n}")
    p.asha.say(p.channel, "!status")
    time.sleep(0.5)
    mark = p.asha.mark()
    p.bot.start()
    p.ben.wait_text("meanwhile 4", timeout=40)
    p.asha.say(p.channel, "after")
    p.ben.wait_text("after")
    p.bot.wait_settled()
    assert [t.split(": ")[1] for t in p.heard("meanwhile")] == [f"meanwhile {n}" for n in range(5)]
    assert len(p.heard("before")) == 1 and len(p.heard("after")) == 1
    assert not p.heard("joined the channel")
    assert not [l for l in p.asha.lines[mark:] if l.command == "PRIVMSG"]  # a command of the past is not answered
    p.bot.stop()


def test_ten_kills_repeat_nothing_and_lose_nothing(pair):
    p, chance = pair, random.Random(4)
    p.bot.start()
    p.wait_here()
    said = []
    for _ in range(10):
        for _ in range(6):
            said.append(f"line {len(said):02}")
            p.asha.say(p.channel, said[-1])
            time.sleep(chance.choice([0, 0, 0.002, 0.01]))
        time.sleep(chance.uniform(0, 0.06))
        p.bot.kill9()
        time.sleep(0.2)
        p.bot.start()
        if chance.random() < 0.7:
            p.wait_here()
        else:
            time.sleep(chance.uniform(0.1, 1.5))
    p.ben.wait_text(said[-1], timeout=60)
    p.bot.wait_settled()
    heard = [t.split(": ")[1] for t in p.heard("line ")]
    print(f"lost {len(set(said) - set(heard))}, repeated {len(heard) - len(set(heard))}")
    assert heard == said
    p.bot.assert_accounted()
    p.bot.stop()
