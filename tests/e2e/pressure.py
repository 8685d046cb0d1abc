# SPDX-License-Identifier: MIT
"""A busy hour on a default homeserver and a slow channel: how long what people wait for takes, and what is left out."""
import re
import signal
import statistics
import threading
import time

from clients import wait_for
from harness import CHAT_START_MS
from talk import HOME, MARK, Talk, logged, numbers
from world import World

MINUTE = 60_000
# the promises, in seconds
QUESTION_S, REPLY_S, PEOPLE_S, CATCH_UP_S = 3, 5, 20, 60
TOPIC = "The topic"


def make_world(folder, ergo, ngircd, synapse, name, pace, minutes):
    """One Matrix room with Synapse's default limits, channels at one line in 2 s; questions spread over the time."""
    count = max(2, min(12, int(minutes)))
    w = World(name, folder, ergo, ngircd, synapse, CHAT_START_MS - 20_000, chat={"pace": pace},
              irc={"rate_ms": 2000, "burst": 5}, x={"budget_day_cents": 0, "budget_month_cents": 0},
              session={"reminders": [], "welcome": "0m", "closing": "0m", "length": "8h",
                       "question_length": f"{max(60, int(minutes * 60 / count))}s",
                       "questions": [f"What is your view number {n}?" for n in range(1, count + 1)]})
    w.x.api.unlimited = True
    w.ann, w.pat, w.mia = w.irc(f"{name}ann"), w.plain(f"{name[-6:]}pat"), w.matrix("mia")
    return w


class Pressure:
    """60 posts, 6 lines of people and 2 commands a minute."""

    def __init__(self, w, minutes, stall_s=0):
        self.w, self.seconds, self.stall_s = w, minutes * 60, stall_s
        # nobody can say anything on a homeserver that stands still
        self.kinds, self.silent = (("irc", "plain"), "matrix") if stall_s else (("irc", "matrix"), "plain")
        self.commands = []  # (where, monotonic seconds)
        self.stalled = None  # (from, to), monotonic seconds
        self._offset = time.time() - time.monotonic()

    # -- what happens
    def run(self):
        w = self.w
        w.wait_ready(w.ann, w.pat)
        w.wait_reading()
        pauses = {"post": (1.0, 1.0), "irc": (20, 20), "plain": (20, 20), "matrix": (20, 20)}
        begin = time.monotonic()
        helper = threading.Thread(target=self._stall, daemon=True)
        with Talk(w, 1, pauses, {self.silent: 0}, links=False) as self.talk:
            if self.stall_s:
                helper.start()
            while time.monotonic() < begin + self.seconds:
                self.command(len(self.commands))
                time.sleep(max(0.0, min(30, begin + self.seconds - time.monotonic())))
        if self.stall_s:
            helper.join()
        self.end_ms = w.clock.now_ms()
        self.clock = (w.clock.wall0, w.clock.chat0)
        self.wait_people()
        return self

    def command(self, n):
        if n % 2 or self.stall_s:  # a homeserver that stands still takes none
            self.commands.append(("Ergo", time.monotonic()))
            self.w.ann.say(self.w.channel, "!topic")
        else:
            self.commands.append(("Matrix", time.monotonic()))
            self.w.mia.say(self.w.rooms[0], "!topic")

    def _stall(self):
        time.sleep(min(10, self.seconds / 4))
        begin = time.monotonic()
        self.w.synapse.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(self.stall_s)
        finally:
            self.w.synapse.process.send_signal(signal.SIGCONT)
        self.stalled = (begin, time.monotonic())

    def wait_people(self):
        """The last line of each person has crossed."""
        for kind in self.kinds:
            for room in ("Matrix", "Ergo", "ngIRCd"):
                wait_for(lambda k=kind, r=room: HOME[k] == r or set(self.talk.said[k]) <= {n for _, n in self.seen(r, k)},
                         120, 0.2, lambda: f"lines of {kind} have not come to {room}:\n" + self.w.bot.tail())

    def leave_out(self):
        """11 minutes of the chat go by at once: posts that still wait are left out and named."""
        w, said = self.w, self.talk.said["post"]
        for _ in range(5):
            for n in range(len(said) + 1, len(said) + 31):
                w.x.post("ben_r", f"post-{n:04d} {w.tag}", name="Ben")
                said.append(n)
            # What the stream lost is searched for. It must not come after the leap: it would be shown, with its age.
            wait_for(lambda: set(logged(w, "post")) >= set(said), 300, 0.2,
                     lambda: f"not in the log: {set(said) - set(logged(w, 'post'))}\n{w.bot.tail()}")
            if self.count(f"one/{w.channel}", "waiting") > 10:
                break  # else a slow machine has shown them meanwhile
        w.clock.set(w.clock.now_ms() + 11 * MINUTE, 1.0)
        w.bot.wait_settled(300)

    def count(self, room, state):
        """Deliveries of posts to a room."""
        return len(self.in_state(room, state))

    def in_state(self, room, state):
        """Numbers of the posts whose delivery to a room is in that state, as the bot has it; in its order."""
        return numbers([row["text"] for row in self.w.bot.rows(
            "SELECT m.text FROM delivery d JOIN message m ON m.id = d.message JOIN room r ON r.id = d.room"
            " WHERE r.network || '/' || r.address = ? AND d.state = ? AND d.act = 0 ORDER BY d.named, d.id",
            room, state)], "post")

    # -- what was seen
    def texts(self, room):
        """(monotonic seconds, text) of what the bot said."""
        w = self.w
        if room == "Matrix":
            found = [(e["at"], e["content"].get("body", "")) for e in list(w.mia.events)
                     if e["type"] == "m.room.message" and e["sender"] == w.matrix_bot.user_id]
        else:
            person, nick = (w.ann, w.nick) if room == "Ergo" else (w.pat, w.nick[:9])
            found = [(line.at, line.text) for line in list(person.lines) if line.nick == nick
                     and line.command in ("PRIVMSG", "NOTICE") and line.target.lower() == w.channel.lower()]
        return [(at - self._offset, text) for at, text in found]

    def seen(self, room, kind):
        """(monotonic seconds, number), in the order of the room."""
        return [(at, int(m[2])) for at, text in self.texts(room) for m in MARK.finditer(text) if m[1] == kind]

    def people(self, room):
        """Seconds that lines from elsewhere took to this room."""
        out = []
        for kind in self.kinds:
            if HOME[kind] != room:
                out += [at - self.talk.at[kind, n] for at, n in self.seen(room, kind)]
        return out

    def replies(self, room):
        asked = [at for where, at in self.commands if where == room]
        said = [at for at, text in self.texts(room) if TOPIC in text]
        return [min([s - a for s in said if s >= a], default=float("inf")) for a in asked]

    def questions(self, room):
        """From the moment each question was due to the moment it stood there."""
        wall0, chat0 = self.clock
        out = []
        for row in self.w.bot.rows("SELECT text, logged_ms FROM message WHERE flags & 1 AND text LIKE 'Question % of %'"
                                   " AND logged_ms <= ?", int(self.end_ms) - QUESTION_S * 1000):
            due = (wall0 + row["logged_ms"] - chat0) / 1000 - self._offset
            words = re.match(r"Question \d+ of \d+", row["text"])[0]
            out.append(min([at - due for at, text in self.texts(room) if words in text], default=float("inf")))
        return out

    def posts(self, room):
        """(shown, named in notes, in order?) of all that were said. The order is the log's: what the stream lost comes
        into it later."""
        shown = [n for _, n in self.seen(room, "post")]
        named = sum(int(m[1]) for _, text in self.texts(room) for m in re.finditer(r"I left out (\d+)", text))
        place = {n: at for at, n in enumerate(logged(self.w, "post"))}
        return shown, named, shown == sorted(set(shown), key=place.__getitem__)

    def table(self):
        def row(values):
            return f"{statistics.median(values):6.2f} {max(values):6.2f}" if values else "     -      -"
        print(f"  {self.w.name}: {len(self.talk.said['post'])} posts in {self.seconds:.0f} s; seconds, median and longest")
        print("  room    questions     replies       people's lines  posts shown, left out")
        for room in ("Matrix", "Ergo", "ngIRCd"):
            shown, named, _ = self.posts(room)
            print(f"  {room:7} {row(self.questions(room))} {row(self.replies(room))} {row(self.people(room))}   "
                  f"{len(shown)}, {named}")

    def check_times(self, rooms=("Matrix", "Ergo", "ngIRCd")):
        for room in rooms:
            assert max(self.questions(room), default=0) < QUESTION_S, ("questions", room, self.questions(room))
            assert max(self.replies(room), default=0) < REPLY_S, ("replies", room, self.replies(room))
            assert max(self.people(room), default=0) < PEOPLE_S, ("people", room, self.people(room))

    def check_posts(self):
        """Each post is shown, in order, or named; the bot knows which."""
        w, said = self.w, set(self.talk.said["post"])
        for room, address in (("Matrix", f"home/{w.rooms[0]}"), ("Ergo", f"one/{w.channel}"),
                              ("ngIRCd", f"two/{w.channel}")):
            left = self.in_state(address, "named")
            # who reads the room may be behind the server
            wait_for(lambda r=room: len(self.posts(r)[0]) + self.posts(r)[1] >= len(said), 60, 0.2,
                     lambda r=room, n=left: f"{r}: {len(said)} said, {len(self.posts(r)[0])} shown, {len(n)} left out, "
                                            f"{self.posts(r)[1]} named\n{w.bot.tail()}")
            shown, named, in_order = self.posts(room)
            assert in_order, (room, shown)
            assert set(shown) == said - set(left), (room, set(shown) ^ (said - set(left)))
            assert named == len(left) == len(set(left)), (room, named, left)

    def check_missed(self):
        """What was left out can be read."""
        w = self.w
        missing = self.in_state(f"one/{w.channel}", "named")
        mark = w.ann.mark()
        w.ann.say(w.channel, "!missed")
        w.ann.wait_text(f"post-{missing[0]:04d}", w.channel, 60, mark)

    def catch_up(self):
        """Seconds from the end of the stall until people's lines, and all posts, of before stood in the room."""
        end = self.stalled[1]
        def late(kind):  # those of leave_out() came much later
            return [at - end for at, n in self.seen("Matrix", kind) if self.talk.at.get((kind, n), end) < end < at]
        return max(late("irc"), default=0.0), max(late("post"), default=0.0)
