# SPDX-License-Identifier: MIT
"""One row of the fault table: a bot in four networks, one broken; numbered lines that must arrive once, in order."""
import collections
import functools
import mmap
import os
import pathlib
import re
import shutil
import struct
import subprocess
import time

from clients import wait_for
from harness import CHAT_START_MS
from talk import HOME, bot_said, numbers, rooms
from world import World
from xsim import XSim

MINUTE = 60_000
PEOPLE_S = 20  # so long a line of people may take where nothing is broken
ROOM = {"one": "Ergo", "two": "ngIRCd", "home": "Matrix", "x": None}
KIND = {"one": "irc", "two": "plain", "home": "matrix", "x": "post"}


class Shim:
    """Clock, names and disk of a bot (shim.c)."""

    FIELDS = ("clock_offset_s", "names", "writes_left", "writes_seen")

    def __init__(self, folder):
        source, library = pathlib.Path(__file__).with_name("shim.c"), folder / "shim.so"
        subprocess.run([shutil.which("cc"), "-std=c17", "-O1", "-fPIC", "-shared", "-o", library, source, "-ldl"],
                       check=True)
        control = folder / "shim.control"
        control.write_bytes(struct.pack("4q", 0, 0, -1, 0))
        with open(control, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        asan = os.environ.get("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=0:exitcode=99")
        self.environment = {"LD_PRELOAD": str(library), "HASHROOM_SHIM": str(control),
                            "ASAN_OPTIONS": asan + ":verify_asan_link_order=0"}

    def set(self, field, value):
        struct.pack_into("q", self._map, 8 * self.FIELDS.index(field), value)

    def get(self, field):
        return struct.unpack_from("q", self._map, 8 * self.FIELDS.index(field))[0]


class Place:
    """A row at work. `broken`: the network the row is about ("one" Ergo, "two" ngIRCd, "home" Matrix, "x"), or None."""

    def __init__(self, env, name, broken, speed=1.0, session=None, start_ms=CHAT_START_MS - 14 * MINUTE,
                 simulator=XSim, **more):
        folder = env.folder / name
        folder.mkdir()
        servers = [more.pop(s, getattr(env, s)) for s in ("ergo", "ngircd", "synapse")]
        self.w = World(name, folder, *servers, start_ms, speed, proxies=(broken,) if broken else (),
                       session={"reminders": [], "questions": [], **(session or {})},
                       matrix={"rate_ms": 0, "burst": 0, **more.pop("matrix", {})},
                       simulator=functools.partial(simulator, unlimited=True), **more)
        self.broken, self.name, self.bot = broken, name, self.w.bot
        self.proxy = self.w.proxy.get(broken)
        self.shim = None
        self.said = collections.defaultdict(list)
        self.number = collections.Counter()
        self.away = set()       # kinds whose lines need not arrive: nobody can fetch them
        self.breaks = 1         # how often lines on ngIRCd may have come into doubt
        self.recovery_s = None
        self.line = ""          # what the operator was told
        self._mark = 0

    def with_shim(self):
        self.shim = Shim(self.bot.folder)
        self.bot.more_environment = self.shim.environment
        return self

    # -- life
    def start(self, wait=True):
        w = self.w
        w.ann, w.pat, w.mia = w.irc(f"{self.name}ann"), w.plain(f"{self.name[-6:]}pat"), w.matrix("mia")
        self.bot.start()
        if wait:
            self.ready()
            self.say_all()
            self.wait_all()
        return self

    def ready(self):
        self.w.wait_ready(self.w.ann, self.w.pat)
        self.x_is_read()

    def x_is_read(self):
        self.w.wait_reading(90)
        time.sleep(0.5)  # the simulator's rules take hold a little later, as X's do

    def restart(self):
        if self.bot.process is not None and self.bot.process.poll() is not None:
            self.bot.process = None
        if self.bot.alive:
            self.bot.stop()
        self.w.x.client_restarted()
        self.bot.start()

    def close(self):
        self.bot.kill9()
        self.w.close()

    def back(self, timeout=90):
        """The bot sits in both channels again."""
        for person in (self.w.ann, self.w.pat):
            wait_for(lambda who=person: self.w.in_channel(who), timeout, 0.2, lambda: "not back:\n" + self.bot.tail())

    def people_return(self):
        """Those whose server had died; what they read before is not forgotten."""
        w = self.w
        for name, again in (("ann", lambda old: w.irc(old.nick)), ("pat", lambda old: w.plain(old.nick))):
            old = getattr(w, name)
            if old.closed:
                fresh = again(old)
                fresh.lines[:0] = old.lines
                setattr(w, name, fresh)

    # -- talk
    def say(self, kind):
        w, text = self.w, f"{kind}-{self.number[kind] + 1:04d}"
        self.number[kind] += 1
        {"irc": lambda: w.ann.say(w.channel, text), "plain": lambda: w.pat.say(w.channel, text),
         "matrix": lambda: w.mia.say(w.rooms[0], text),
         "post": lambda: w.x.post("ben_r", f"{text} {w.tag}", name="Ben")}[kind]()
        if kind not in self.away:
            self.said[kind].append(self.number[kind])
        return text

    def say_all(self, kinds=("irc", "plain", "matrix", "post")):
        for kind in kinds:
            self.say(kind)

    def heard(self, room):
        w = self.w
        if room == "Matrix":
            return w.mia.said(w.rooms[0], w.matrix_bot.user_id)
        return bot_said(w.ann if room == "Ergo" else w.pat, w.channel, w.nick)

    def missing(self, kinds=tuple(HOME), where=("Ergo", "ngIRCd", "Matrix")):
        return {(kind, room): lost for room in where for kind in kinds if HOME[kind] != room
                and (lost := set(self.said[kind]) - set(numbers(self.heard(room), kind)))}

    def wait_all(self, timeout=60, kinds=tuple(HOME), where=("Ergo", "ngIRCd", "Matrix")):
        wait_for(lambda: not self.missing(kinds, where), timeout, 0.05,
                 lambda: f"not there: {self.missing(kinds, where)}\n{self.bot.tail()}")

    # -- the course of a row
    def mark(self):
        """What the bot logs from now on is about the fault."""
        self._mark = len(self.bot.log())

    def others_go_on(self):
        """Lines cross between the networks that are not broken, in the time that holds without any fault."""
        kinds = [k for k in ("irc", "plain", "matrix") if k != KIND[self.broken or "x"]]
        kinds = kinds + ["post"] if self.broken not in ("x", None) else kinds
        where = [r for r in ("Ergo", "ngIRCd", "Matrix") if r != ROOM[self.broken or "x"]]
        begin = time.monotonic()
        self.say_all(kinds)
        self.wait_all(PEOPLE_S + 10, kinds, where)
        assert time.monotonic() - begin < PEOPLE_S, "the other networks were held up"

    def told(self, words, timeout=60):
        """The operator reads one plain line about it."""
        def found():
            return next((line for line in self.bot.log()[self._mark:].splitlines() if re.search(words, line)), None)
        self.line = wait_for(found, timeout, 0.1, lambda: f"nothing about {words!r}:\n{self.bot.tail()}")

    def recover(self, timeout=90, since=None):
        """From now, or `since` (monotonic seconds), until all that was said is there, and what is said then."""
        since = time.monotonic() if since is None else since
        self.wait_all(timeout)
        self.recovery_s = time.monotonic() - since
        self.say_all()
        self.wait_all(timeout)

    def check(self, outcomes=("delivered",), repeated=0):
        """Each line once and in order, each delivery with one outcome."""
        self.bot.wait_settled(90)
        texts = rooms(self.w)
        for room, said in texts.items():
            for kind in HOME:
                seen = numbers(said, kind)
                again = len(seen) - len(set(seen))
                assert again <= (2 * self.breaks if room == "ngIRCd" else repeated), (kind, room, seen)
                first = list(dict.fromkeys(seen))
                assert kind == "post" or first == sorted(first), (kind, room, seen)
        self.bot.assert_accounted(unknown=10**6 if "unknown" in outcomes else 0)
        states = {state for room in self.bot.accounting().values() for state in room}
        assert states <= set(outcomes), (states, self.bot.accounting())
        assert self.bot.alive, "the bot has ended"
        noise = [line for line in self.bot.log()[self._mark:].splitlines() if re.search(r"\b(warn|error)", line, re.I)]
        assert len(noise) < 40, "the log is flooded:\n" + "\n".join(noise[:60])
