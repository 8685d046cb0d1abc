# SPDX-License-Identifier: MIT
"""The bot and X alone: its only room is a hashtag of the simulator. No server is needed."""
import contextlib
import time

from clients import wait_for
from harness import CHAT_START_MS, Bot, ChatClock
from xauth import BEARER, CONSUMER_KEY, CONSUMER_SECRET, TOKEN, TOKEN_SECRET
from xsim import XSim

MINUTE = 60_000
SHORT = {"length": "20m", "welcome": "2m", "question_length": "5m", "closing": "3m"}  # a chat of 20 minutes
QUESTIONS = ["What do you read before bed?", "Who read to you as a child?"]


class Alone:
    """A bot whose only room is a hashtag, and the X it reads."""

    def __init__(self, folder, start_ms=CHAT_START_MS - 14 * MINUTE, speed=1.0, tag="#dpulo", oauth2=False, session=None,
                 **twitter):
        self.tag = tag
        self.clock = ChatClock(folder / "clock", start_ms, speed)
        self.bot = Bot(folder / "bot", self.clock)
        self.x = XSim(str(self.clock.path))
        self.x.state.rule_delay_s = 0.2
        bot = self.bot
        bot.host_file(f'chat "dpulo" {{\n    tag = "{tag.upper()}"\n    room "x/{tag}" {{ }}\n}}\n')
        self.pair = self.x.oauth2() if oauth2 else None
        login = self.oauth2(self.pair) if oauth2 else {
            "consumer_key_file": bot.secret("x.ck", CONSUMER_KEY),
            "consumer_secret_file": bot.secret("x.cs", CONSUMER_SECRET),
            "access_token_file": bot.secret("x.token", TOKEN), "access_secret_file": bot.secret("x.ts", TOKEN_SECRET)}
        bot.plugin("twitter", {"x": {"api_url": self.x.url, "bearer_file": bot.secret("x.bearer", BEARER), **login,
                                     **twitter}})
        bot.plugin("session", {"dpulo": {"rule": "FREQ=WEEKLY;BYDAY=TU", "time": "20:00", "zone": "Europe/London",
                                         "topic": "Reading", "questions": QUESTIONS, "reminders": [], **(session or {})}})

    def oauth2(self, pair):
        """Options of a login that is renewed; writes its files."""
        return {"client_id": pair["client_id"],
                "client_secret_file": self.bot.secret("x.client-secret", pair["client_secret"]),
                "refresh_token_file": self.bot.secret("x.refresh", pair["refresh_token"])}

    def __enter__(self):
        self.x.__enter__()
        return self

    def __exit__(self, *_):
        self.x.__exit__()

    def posts(self):
        """Texts of the log that came from X, in its order."""
        return [r["text"] for r in self.bot.rows("SELECT text FROM message WHERE scope = 'x' ORDER BY id")]

    def wait_post(self, part, timeout=20):
        wait_for(lambda: any(part in t for t in self.posts()), timeout, 0.1,
                 lambda: f"{part!r} did not come:\n{self.posts()}\n{self.bot.tail()}")

    def wait_reading(self, timeout=20):
        wait_for(self.x.stream_open, timeout, 0.05, lambda: "the bot does not read X:\n" + self.bot.tail())
        time.sleep(0.4)  # the rule takes effect

    @contextlib.contextmanager
    def reading(self, timeout=20):
        """The bot runs, and X has its stream open."""
        with self.bot:
            self.wait_reading(timeout)
            yield

    def play(self, wait=True):
        """A short chat from before its start to its end: all has its outcome, and each question is on X once. The texts of
        the bot's posts. wait: it has to read X before."""
        with self.bot:
            if wait:
                self.wait_reading()
            self.clock.sleep_until(CHAT_START_MS + 24 * MINUTE)
            self.bot.wait_settled()
            self.bot.assert_accounted()
        own = [p["text"] for p in self.x.own_posts]
        for question in QUESTIONS:
            assert sum(question in t for t in own) == 1, own
        return own

    def wait_own(self, count, timeout=40):
        wait_for(lambda: len(self.x.own_posts) >= count, timeout, 0.1,
                 lambda: f"{[p['text'] for p in self.x.own_posts]}\n{self.bot.tail()}")
