# SPDX-License-Identifier: MIT
"""What a well-behaved client never does. The simulator writes each fault down; tests assert that there is none."""
import hashlib
import re
import time

from xstate import snowflake_ms

SEVEN_DAYS_MS = 7 * 24 * 3600 * 1000


class Watch:
    def __init__(self, clock):
        self.clock = clock
        self.violations = []
        self.pause_s = 3600        # so long nothing is asked again that X refused for the account's sake
        self.lost_texts = {}       # text of a post whose answer was lost -> times sent again
        self.restarted()

    def restarted(self):
        """The client is a new process: it can't know what its forerunner was told."""
        self._refused = {}         # request -> (code, when, is it for the account's sake)
        self._stream_end = {}      # endpoint -> (how, when, times in a row)
        self._searches = []
        self._looked_up = set()

    def fault(self, text):
        self.violations.append(text)

    def request(self, endpoint, method, target, headers, body):
        """Each request, before it is answered. Returns its identity for refused()."""
        if not headers.get("User-Agent"):
            self.fault(f"{endpoint}: no User-Agent")
        if "#" in target:
            self.fault(f"{endpoint}: an unencoded # in {target}")
        if not headers.get("Authorization") and b"client_id=" not in (body or b""):
            self.fault(f"{endpoint}: called without authorization")
        identity = hashlib.sha256(f"{method} {target} ".encode() + (body or b"")).hexdigest()
        code, when, account = self._refused.get(identity, (0, 0, False))
        if code and (not account or time.monotonic() - when < self.pause_s * 0.9):
            self.fault(f"{endpoint}: sent again unchanged after {code}: {target} {(body or b'')[:120]!r}")
        return identity

    def refused(self, identity, code, account):
        if code in (400, 402, 403):
            self._refused[identity] = (code, time.monotonic(), account)

    def search(self, since_id, next_token, stream_since):
        """stream_since: simulated time since when a stream is healthy, or None."""
        if since_id and self.clock.now_ms() - snowflake_ms(since_id) > SEVEN_DAYS_MS:
            self.fault(f"search: since_id {since_id} is older than the window")
        if next_token:
            return
        now = self.clock.now_ms()
        if stream_since and now - stream_since > 15_000 and self._searches and now - self._searches[-1] < 15_000:
            self.fault("search: asked more than once in 15 s while the stream is healthy")
        self._searches.append(now)

    def lookup(self, post_id):
        mark = (self.clock.now_ms() // 86_400_000, post_id)
        if mark in self._looked_up:
            self.fault(f"lookup: post {post_id} read more than once in a day")
        self._looked_up.add(mark)

    def created(self, text):
        """A post was asked for. Faulty if its first answer was lost and the text came nevertheless."""
        key = re.sub(r"\s+", " ", text).strip()
        if key in self.lost_texts:
            self.lost_texts[key] += 1
            self.fault(f"create: the same text sent again after a lost answer: {key[:60]!r}")

    def answer_lost(self, text):
        self.lost_texts[re.sub(r"\s+", " ", text).strip()] = 0

    # -- streams
    def stream_ended(self, endpoint, how, lived=False):
        """how: "drop" (connection ended), "http" (5xx), "429", "refused" (other 4xx). lived: saw a heartbeat."""
        before = self._stream_end.get(endpoint)
        again = before[2] + 1 if before and before[0] == how and not lived else 1
        self._stream_end[endpoint] = (how, time.monotonic(), again)

    def stream_asked(self, endpoint):
        how, when, times = self._stream_end.get(endpoint, (None, 0, 0))
        if how is None:
            return
        waited = time.monotonic() - when
        need = {"drop": min(0.25 * (times - 1), 16), "http": min(5 * 2 ** (times - 1), 320),
                "429": min(60 * 2 ** (times - 1), 900)}.get(how, 0)
        if waited < need * 0.9 - 0.02:
            self.fault(f"{endpoint}: asked again {waited:.2f} s after '{how}' number {times}; {need:.2f} s is the least")

    def second_stream(self, endpoint):
        self.fault(f"{endpoint}: a second connection while the first is open")
