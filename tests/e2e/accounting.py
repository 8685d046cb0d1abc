# SPDX-License-Identifier: MIT
"""Talk in four networks while the bot is killed again and again and every connection is broken in every way."""
import collections
import random
import threading
import time

from clients import wait_for
from faultproxy import Answer
from harness import CHAT_START_MS, RestartLoop
from talk import Talk, counts, logged
from world import World

MINUTE = 60_000
HTML = Answer(502, "<html><body><h1>502 Bad Gateway</h1></body></html>", done=True, content_type="text/html")
HTML_200 = Answer(200, "<html><body>Please log in to this network</body></html>", content_type="text/html")
LIMITED = Answer(429, '{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":700}')
GONE = Answer(503, "", done=True)


def quick(network, match, what):
    """One fault of the next thing that matches."""
    def act(w, _):
        w.proxy[network].fault(match, what)
    return act


def whole(network, how, seconds):
    """Everything of one network for a while."""
    def act(w, stop):
        getattr(w.proxy[network], how)()
        if seconds:
            stop.wait(seconds)
            w.proxy[network].heal()
    return act


def stream(how):
    return lambda w, _: w.x.drop_stream(how)


def x_fails(endpoint, what):
    return lambda w, _: w.x.fail(endpoint, what)


def kinds():
    """(network, name, act) of everything that is done to the bot."""
    out = []
    for network in ("one", "two"):
        out += [(network, f"line {what}", quick(network, "^> .*PRIVMSG", what)) for what in ("before", "during", "after")]
        out += [(network, f"heard {what}", quick(network, "^< .*PRIVMSG", what)) for what in ("before", "during")]
        out += [(network, f"join {what}", quick(network, "^> JOIN", what)) for what in ("before", "after")]
    out += [("one", "history cut", quick("one", "^> .*CHATHISTORY", "after"))]
    for what in ("before", "during", "after", "half", "empty", HTML, HTML_200, LIMITED, GONE):
        name = what if isinstance(what, str) else f"answer {what.code}"
        out.append(("home", f"send {name}", quick("home", "PUT .*/send/", what)))
        out.append(("home", f"sync {name}", quick("home", "GET .*/sync", what)))
    for network in ("one", "two", "home", "x"):
        out += [(network, "cut", whole(network, "cut", 0)), (network, "stalled", whole(network, "stall", 3)),
                (network, "refused", whole(network, "refuse", 2))]
    out += [("x", f"stream {how}", stream(how)) for how in ("close", "reset", "told")]
    out += [("x", f"search {what}", x_fails("GET /2/tweets/search/recent", what)) for what in (503, "lost", "half", "cut")]
    return out


class Mischief:
    """Does all of `kinds` in random order, again and again, with pauses between; `done` counts by network."""

    def __init__(self, world, seed, pause):
        self.w, self.pause = world, pause
        self.done, self.moments = collections.Counter(), []  # (monotonic seconds, network, name)
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        waiting = []
        while not self._stop.wait(self._chance.uniform(*self.pause)):
            if not waiting:
                waiting = kinds()
                self._chance.shuffle(waiting)
            network, name, act = waiting.pop()
            self.done[network] += 1
            self.moments.append((time.monotonic(), network, name))
            act(self.w, self._stop)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        for proxy in self.w.proxy.values():
            proxy.heal()
        self.w.x.clear_faults()  # those of searches that have not come yet: more of them than searches otherwise


class Presence:
    """When the bot sat in the channel of a server that keeps no history: what is said there then counts."""

    MARGIN_S = 2.0  # the last lines before a break may be on their way still

    def __init__(self, w, talk, breaks):
        """breaks: monotonic seconds at which its connection or the bot may have gone."""
        offset = time.time() - time.monotonic()
        joined = [line.at - offset for line in w.pat.lines if line.command == "JOIN" and line.nick == w.nick[:9]]
        self.ends = sorted(breaks)
        self.spans = [(at, min([e for e in self.ends if e > at], default=float("inf"))) for at in joined]
        self.talk, self.heard = talk, set(logged(w, "plain"))

    def counted(self):
        """Numbers of the lines the bot must have heard: some time before the break, or it heard a later one."""
        out = []
        for begin, end in self.spans:
            said = [n for n in self.talk.said["plain"] if begin < self.talk.at["plain", n] < end]
            last = max([n for n in said if n in self.heard], default=0)
            out += [n for n in said if n < last or self.talk.at["plain", n] < end - self.MARGIN_S]
        return out


class Result:
    """What was said, done and counted."""

    def __init__(self, w, talk, mischief, kills):
        self.kills, self.faults, self.starts = len(kills), dict(mischief.done), w.bot.starts
        said = dict(talk.said)
        said["plain"] = Presence(w, talk, kills + w.proxy["two"].breaks).counted()
        self.not_counted = len(talk.said["plain"]) - len(said["plain"])
        self.breaks_of_two = len(kills) + self.faults.get("two", 0)
        self.lines = counts(w, said)
        self.outcomes = w.bot.accounting()
        self.again = w.bot.value(
            "SELECT coalesce(sum(p.attempts - 1), 0) FROM part p JOIN room r ON r.id = p.room WHERE r.network = 'two'"
            " AND p.attempts > 1")

    def total(self, column, rooms=("Ergo", "Matrix", "ngIRCd")):
        return sum(line[column] for line in self.lines if line[1] in rooms)

    def check(self):
        """The promises."""
        assert self.total(3) == 0, ("lost", self.lines)
        assert self.total(4, ("Ergo", "Matrix")) == 0, ("repeated", self.lines)
        assert self.total(5) == 0, ("reordered", self.lines)
        repeated = self.total(4, ("ngIRCd",))
        assert repeated <= 2 * self.breaks_of_two and repeated <= self.again, (repeated, self.breaks_of_two, self.again)


def make_world(folder, ergo, ngircd, synapse, name, speed=6.0, length="2h", **more):
    w = World(name, folder, ergo, ngircd, synapse, CHAT_START_MS - MINUTE, speed,
              session={"length": length, "reminders": [], "questions": []}, matrix={"rate_ms": 0, "burst": 0},
              x={"budget_day_cents": 0, "budget_month_cents": 0}, proxies=("one", "two", "home", "x"), **more)
    w.x.api.unlimited = True
    w.ann, w.pat, w.mia = w.irc(f"{name}ann"), w.plain(f"{name[-6:]}pat"), w.matrix("mia")
    return w


def start(w):
    w.bot.start()
    w.wait_ready(w.ann, w.pat)
    w.wait_reading()


def wait_logged(w, talk, timeout):
    """All posts and the lines of servers with history are in the log (X shows late what its stream lost)."""
    def all_there():
        if not w.bot.alive:
            w.bot.start()  # it ended as it should with a fault of the last moment
        return all(set(talk.said[kind]) <= set(logged(w, kind)) for kind in ("irc", "matrix", "post"))

    def missing():
        return "; ".join(f"{kind}: {sorted(set(talk.said[kind]) - set(logged(w, kind)))[:20]}"
                         for kind in ("irc", "matrix", "post")) + "\n" + w.bot.tail()
    wait_for(all_there, timeout, 0.5, lambda: "not in the log: " + missing())


def run(w, seed, kills, most, pauses, fault_pause):
    """most: so many of each kind of line; the kills are spread over the time that takes."""
    chance = random.Random(seed)
    seconds = max(most[kind] * sum(pauses[kind]) / 2 for kind in most)
    moments = sorted(chance.uniform(0, seconds * 0.95) for _ in range(kills))
    killed = []
    with RestartLoop(w.bot, w.x.client_restarted) as loop:
        with Talk(w, seed, pauses, most, links=False) as talk, Mischief(w, seed, fault_pause) as mischief:
            begin = time.monotonic()
            for moment in moments:
                time.sleep(max(0.0, begin + moment - time.monotonic()))
                wait_for(lambda: w.bot.alive, 10)
                loop.kill()
                killed.append(time.monotonic())
            wait_for(talk.done, seconds + 120, 0.2)
    wait_logged(w, talk, 150)
    w.bot.wait_settled(120)
    w.bot.stop()
    return talk, Result(w, talk, mischief, killed)
