# SPDX-License-Identifier: MIT
"""People who say numbered lines in all rooms at once, and the count of what arrived where."""
import collections
import random
import re
import threading
import time

MARK = re.compile(r"\b(irc|plain|matrix|post)-(\d{4,6})\b")
HOME = {"irc": "Ergo", "plain": "ngIRCd", "matrix": "Matrix", "post": None}  # where each kind is said


class Talk:
    """Each kind says a numbered line after a pause of its own, with a link now and then, whether the bot is there or
    not. The world has people w.ann (Ergo), w.pat (ngIRCd), w.mia (Matrix). most: so many of a kind, then it is quiet."""

    def __init__(self, world, seed, pauses=None, most=None, links=True):
        self.w, self.said, self.links = world, collections.defaultdict(list), []
        self.at = {}  # (kind, number) -> time.monotonic() when it was said
        self._seed, self._pauses, self._most, self._with_links = seed, pauses or {}, most or {}, links
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(kind, speak), daemon=True) for kind, speak in [
            ("irc", lambda t: world.ann.say(world.channel, t)),
            ("plain", lambda t: world.pat.say(world.channel, t)),
            ("matrix", lambda t: world.mia.say(world.rooms[0], t)),
            ("post", lambda t: world.x.post("ben_r", f"{t} {world.tag}", name="Ben"))]]

    def _run(self, kind, speak):
        chance = random.Random(f"{self._seed} {kind}")
        pause = self._pauses.get(kind, (0.5, 1.6))
        n = 0
        while n < self._most.get(kind, 10**6) and not self._stop.wait(chance.uniform(*pause)):
            n += 1
            text = f"{kind}-{n:04d}"
            if self._with_links and n % 5 == 0:
                link = f"https://books.example/{kind}/{n}"
                text += " " + link
                self.links.append((kind, link))
            self.at[kind, n] = time.monotonic()
            speak(text)
            self.said[kind].append(n)

    def done(self):
        """Everybody has said all they had to say."""
        return not any(thread.is_alive() for thread in self._threads)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def numbers(texts, kind):
    return [int(m[2]) for t in texts for m in MARK.finditer(t) if m[1] == kind]


def logged(w, kind):
    """Numbers in the order of the log. A post that the stream missed comes into it later, by search."""
    return numbers([row["text"] for row in w.bot.rows("SELECT text FROM message WHERE flags & 1 = 0 ORDER BY id")], kind)


def count(sent, seen, log):
    """(lost, repeated, reordered, late): reordered against the log, late against the order they were said in."""
    first, place = list(dict.fromkeys(seen)), {n: at for at, n in enumerate(log)}
    places = [place[n] for n in first]
    return (len(set(sent) - set(seen)), len(seen) - len(first), sum(a > b for a, b in zip(places, places[1:])),
            sum(a > b for a, b in zip(first, first[1:])))


def bot_said(person, channel, nick):
    """Texts of the bot, also of one that had to come back as nick_ while its dead connection held the nick."""
    return [line.text for line in list(person.lines) if line.command in ("PRIVMSG", "NOTICE")
            and line.nick.startswith(nick[:8]) and line.target.lower() == channel.lower()]


def rooms(w):
    """What the bot said in each room, as people and servers have it."""
    return {"Ergo": bot_said(w.ann, w.channel, w.nick), "ngIRCd": bot_said(w.pat, w.channel, w.nick),
            "Matrix": [e["content"].get("body", "") for e in w.owner.history(w.rooms[0], 10**6)
                       if e["type"] == "m.room.message" and e["sender"] == w.matrix_bot.user_id]}


def print_counts(lines):
    """lines: (kind, room, sent, lost, repeated, reordered, late)."""
    for kind, room, sent, lost, repeated, reordered, late in lines:
        print(f"  {kind:6} to {room:6}: {sent} sent, {lost} lost, {repeated} repeated, {reordered} reordered, {late} late")


def counts(w, said):
    """One line for each kind and each room that it goes to."""
    return [(kind, room, len(said[kind]), *count(said[kind], numbers(texts, kind), logged(w, kind)))
            for room, texts in rooms(w).items() for kind in HOME if HOME[kind] != room]
