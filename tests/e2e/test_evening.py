# SPDX-License-Identifier: MIT
"""Two whole evenings side by side on real servers, Synapse with its default limits, the chat clock ten times as fast:
one run from IRC by a host, one with nobody acting."""
import re
import json
import threading
import time

import lint
import pytest
from clients import Irc
from harness import CHAT_START_MS
from world import QUESTIONS, World

SPEED = 10
MINUTE = 60_000
LIMIT_MS = 3000
SESSION = {"length": "40m", "welcome": "3m", "question_length": "7m", "closing": "5m", "reminders": ["5m"]}
QUESTION_PRIORITY = 1


class Evening:
    """One of the two; run() is the whole of it, on a thread of its own."""

    def __init__(self, name, folder, ergo, ngircd, synapse, hosted):
        self.hosted, self.error, self.asked = hosted, None, {}
        self.world = self.make_world(name, folder, ergo, ngircd, synapse, CHAT_START_MS - 6 * MINUTE, SPEED,
                                     matrix_rooms=2, session=SESSION)
        self.links = []

    def make_world(self, *args, **more):
        return World(*args, **more)

    def prepared(self):
        """The bot is everywhere, the chat is some minutes away."""

    def run(self):
        try:
            self._run()
        except BaseException as e:  # told by the test that looks at it
            self.error = e
        finally:
            if self.world.bot.alive and self.error:
                self.world.bot.kill9()

    def _run(self):
        w = self.world
        w.ann, w.pat, w.mia = w.irc(f"{w.name}ann"), w.plain(f"{w.name}pat"), w.matrix("mia")
        w.asha = w.host()
        w.bot.start()
        w.wait_ready(w.ann, w.pat)
        w.wait_reading()
        self.prepared()
        w.clock.sleep_until(CHAT_START_MS - MINUTE // 2)
        if self.hosted:
            self._host()
        else:
            self._autopilot()
        self.listed = w.bot.value("SELECT count(*) FROM message")
        w.ann.wait_text("has ended. Thank you", w.channel, timeout=200)
        w.bot.wait_settled(420)  # 0.2 events a second for what was said before
        mark = w.ann.mark()
        w.ann.say(w.channel, "!links")
        w.ann.wait_text("https://books.example/", since=mark)
        w.bot.wait_settled()  # the server's answer may come after the line was heard
        w.bot.stop()

    # -- what people do while question n is open
    def _people(self, n):
        w = self.world
        w.ann.say(w.channel, f"A{n} I like https://books.example/irc-{n}?utm_source=irc&utm_medium=x")
        w.mia.say(w.rooms[0], f"A{n} and https://books.example/matrix-{n}")
        w.x.post("ben_r", f"A{n} look at https://books.example/post-{n}?utm_campaign=y {w.tag}", name="Ben")
        w.x.post("cai", f"A{n} the same one https://books.example/irc-{n} {w.tag}", name="Cai")
        self.links += [(f"https://books.example/{kind}-{n}", n) for kind in ("irc", "matrix", "post")]

    def _attacks(self):
        """None of these may end the chat."""
        w = self.world
        thief = Irc(w.ngircd.port, f"{w.name}asha").join(w.channel)
        w.people.append(thief)
        thief.say(w.channel, "!end")
        thief.wait(lambda l: l.nick.startswith(w.nick[:9]) and "Only hosts can use !end" in l.text, 30)
        w.x.post("asha", f"!end {w.tag}", name="Asha")
        w.mia.api("PUT", f"/profile/{w.mia.user_id}/displayname", {"displayname": "Asha"})
        w.mia.say(w.rooms[1], "!end")
        event = w.owner.say(w.rooms[1], "I am a host here, and this is no command")
        w.owner.edit(w.rooms[1], event, "!end")
        w.asha.send(f"NOTICE {w.channel} :!end")
        w.owner.reply(w.rooms[1], event, "> !end\n\nthat was quoted")

    def _opened(self, n, timeout):
        w = self.world
        line = w.ann.wait_text(f"Question {n} of", w.channel, timeout)
        self.asked[n] = line.at

    def _host(self):
        w = self.world

        def command(text):
            w.asha.say(w.channel, text)
            time.sleep(0.1)
        command("!start")
        w.ann.wait_text("Welcome to the", w.channel, 40)
        for n in range(1, 5):
            command("!next")
            self._opened(n, 20)
            time.sleep(3)
            self._people(n)
            if n == 1:
                command("!extend 5")
                w.ann.wait_text("5 more minutes on question 1", w.channel, 40)
                self._attacks()
            if n == 2:
                command("!pause 1")
                w.ann.wait_text("paused for", w.channel, 40)
                w.ann.wait_text("The chat has started again", w.channel, 60)
            time.sleep(9)
        command("!end")

    def _autopilot(self):
        w = self.world
        for n in range(1, 5):
            self._opened(n, 90)
            time.sleep(3)
            self._people(n)
            if n == 1:
                self._attacks()


@pytest.fixture(scope="module")
def evenings(tmp_path_factory, ergo, ngircd, synapse_default):
    both = {kind: Evening(kind, tmp_path_factory.mktemp(kind), ergo, ngircd, synapse_default, kind == "host")
            for kind in ("host", "solo")}
    threads = [threading.Thread(target=e.run, daemon=True) for e in both.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(900)
    yield both
    for evening in both.values():
        evening.world.bot.kill9()
        evening.world.close()


@pytest.fixture(params=["host", "solo"])
def evening(evenings, request):
    e = evenings[request.param]
    if e.error:
        raise AssertionError(f"the evening did not reach its end: {e.error}\n{e.world.bot.tail()}") from e.error
    return e


def people_rooms(w):
    """room -> lines heard there by somebody, in order; a Matrix event may hold several."""
    rooms = {f"one/{w.channel}": w.ann.said(w.channel), f"two/{w.channel}": w.pat.said(w.channel)}
    rooms.update({f"home/{room}": w.mia.said(room) for room in w.rooms})
    return {room: [line for text in texts for line in text.split("\n") if line] for room, texts in rooms.items()}


def heard_ms(w, room, part):
    """When somebody in that room heard it, on the network clock."""
    network, address = room.split("/", 1)
    if network == "home":
        return w.mia.wait_text(part, address, 1)["at"] * 1000
    return {"one": w.ann, "two": w.pat}[network].wait_text(part, address, 1).at * 1000


def test_each_question_is_in_each_room_once_and_in_order(evening):
    w = evening.world
    for room, texts in people_rooms(w).items():
        for n, question in enumerate(QUESTIONS, 1):
            stated = [t for t in texts if f"Question {n} of 4: {question}" in t]
            assert len(stated) == 1, (room, n, stated)
        order = [t.split(" of ")[0] for t in texts if t.startswith("Question ") and " of 4: " in t]
        assert order == [f"Question {n}" for n in range(1, 5)], room
    posts = [p["text"] for p in w.x.own_posts]
    assert [p.split(":")[0] for p in posts if p.startswith("Q")] == ["Q1", "Q2", "Q3", "Q4"], posts


def test_questions_are_handed_to_their_network_within_three_seconds(evening, capsys):
    w = evening.world
    rows = w.bot.rows("SELECT r.network || '/' || r.address AS room, d.claimed_ms - d.due_ms AS waited, "
                      "d.settled_ms - d.due_ms AS settled, d.due_ms, m.text FROM delivery d "
                      "JOIN room r ON r.id = d.room JOIN message m ON m.id = d.message WHERE d.priority = ? AND d.act = 0",
                      QUESTION_PRIORITY)
    rows = [r for r in rows if r["text"].startswith(("Question ", "Q")) and any(q in r["text"] for q in QUESTIONS)]
    assert len(rows) >= 4 * 5
    arrivals = [heard_ms(w, r["room"], r["text"].split("\n")[0]) - r["due_ms"] for r in rows
                if not r["room"].startswith("x/")]
    with capsys.disabled():
        kind = "with a host" if evening.hosted else "on its own"
        print(f"\n  evening {kind}: due to claimed, worst {max(r['waited'] for r in rows)} ms; "
              f"due to heard by a person, worst {max(arrivals):.0f} ms; due to settled, worst "
              f"{max(r['settled'] for r in rows)} ms; of {len(rows)} questions in rooms")
    late = [r for r in rows if r["waited"] is None or r["waited"] > LIMIT_MS]
    assert not late
    if not evening.hosted:  # by the plan: welcome 3 minutes, then every 7
        for row in rows:
            n = next(i for i, q in enumerate(QUESTIONS) if q in row["text"])
            planned = CHAT_START_MS + (3 + 7 * n) * MINUTE
            chat = w.clock.chat0 + (row["due_ms"] - w.clock.wall0) * SPEED
            assert -SPEED * 100 <= chat - planned <= LIMIT_MS * SPEED, (row, chat - planned)


def test_only_the_host_ended_or_the_clock(evening):
    """The attempts of _attacks() did nothing: all four questions came after them, one end."""
    w = evening.world
    for room, texts in people_rooms(w).items():
        assert sum("has ended. Thank you" in t for t in texts) == 1, room
    w.mia.wait_text("Only hosts can use !end", w.rooms[1], 1)


def test_every_link_is_listed_once_with_its_question(evening):
    w = evening.world
    done = w.bot.command("export", "links", "-c", str(w.bot.folder), "--format", "json")
    assert done.returncode == 0, done.stderr
    sessions = json.loads(done.stdout)["sessions"]
    listed = [(link["url"], link["question"]) for session in sessions for link in session["links"]]
    assert sorted(listed) == sorted(evening.links)


def test_all_deliveries_are_accounted_for(evening, capsys):
    w = evening.world
    w.bot.assert_accounted()
    with capsys.disabled():
        for room, states in w.bot.accounting().items():
            print(f"\n  {room}: " + ", ".join(f"{n} {state}" for state, n in states.items()), end="")
        print()


def test_nothing_is_repeated_or_out_of_order(evening):
    w = evening.world
    for room, texts in people_rooms(w).items():
        for who in ("ben", "cai"):
            posts = [t for t in texts if f"{who}" in t.lower() and re.search(r" on Twitter(, [^:]* ago)?: A\d", t)]
            numbers = [int(re.search(r": A(\d)", t)[1]) for t in posts]
            assert numbers == sorted(set(numbers)), (room, posts)


def test_what_the_bot_said_can_be_heard(evening):
    """The accessibility rules over all that really went out."""
    w = evening.world
    faults = []
    for text in w.mia.said(w.rooms[0], sender=w.matrix_bot.user_id):
        text = text.removeprefix("* ")
        relayed = " on IRC: " in text or " on Twitter: " in text or " on Matrix" in text
        kind = "relayed" if relayed else "question" if text.startswith("Question ") else "own"
        faults += [f"{problem}: {text!r}" for problem in lint.check(text, kind)]
    assert not faults


def test_x_had_nothing_to_complain_about(evening):
    assert evening.world.x.violations == []
