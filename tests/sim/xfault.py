# SPDX-License-Identifier: MIT
"""The fault script of the X simulator: what goes wrong, on which request or for how long.

    sim.script({"on": "POST /2/tweets", "fault": "lost"})                         # the next one
    sim.script({"on": "GET *", "fault": 503, "nth": 3, "times": 2},               # several at once
               {"on": "*", "problem": "credits", "for_s": 30},
               {"fault": "late-search", "seconds": 60, "for_s": 600})
    sim.faults()                                     # each with "seen" (requests it watched) and "hit" (struck)
    sim.clear_faults()
By HTTP the same: POST /admin/script {"faults": [...]}, GET /admin/faults, POST /admin/clear_faults. By hand:
python3 tests/sim/xsim.py --script FILE (a JSON list).

A fault of a request (the first that matches strikes; one fault a request):
  on         "METHOD /path/:id", with * and ? as in file names; preset "*". The endpoints are those of xapi.ROUTES
  fault      "unread"   the connection ends (reset) before a byte of the request is read
             "cut"      read, not done, closed without an answer; "reset": the same with a reset
             "hang"     read, not done, no answer until the client goes
             "lost"     done, and closed without an answer
             "half"     done, the answer ends in its middle, with the connection
             "half-json" done, a whole HTTP answer whose JSON ends in its middle
             "html"     not done; a proxy's page, with `code` (preset 502)
             "bomb"     not done; 200, gzip, `megabytes` (preset 64) once unpacked
             "drip"     done, the answer comes one byte each `seconds` (preset 1)
             "slow"     done, the answer comes after `seconds` (preset 5)
             a number   not done; that HTTP status, with the body X sends with it
  problem    instead of a number: a name of PROBLEMS, such as "suspended", "credits", "usage-capped", "not-enrolled"
  retry_after_s, reset_in_s   headers Retry-After and x-rate-limit-reset of such an answer; left out unless given
  applied    true: the request is done all the same, then refused ("html" and numbers): an error after the write
A fault of the world, which no request strikes:
  fault      "stale"        streams stay open and nothing comes, no heartbeats either
             "ghost"        a connection the client closes keeps its place for `seconds` (preset 3600)
             "late-search"  posts are found by search `seconds` (preset 60) of the simulated clock after publication
             "late-stream"  posts come on the stream after `seconds` (preset 6)
             "duplicate", "swap"   each message twice, out of order (`share`, preset 1.0)
             "drop"         streams end now; `how`: "close", "reset" or "told"
When (system's seconds, from the moment the fault was given):
  nth        the first matching request that is struck, not counting those that a fault given earlier strikes; 1 is the
             next (preset)
  times      how many are struck; preset 1, without end where for_s is given; 0: without end
  after_s, for_s   not before, and for so long (preset: 0, without end)
"""
import fnmatch
import gzip
import threading
import time

_BLANK = {"type": "about:blank"}
_OLD = "https://api.twitter.com/2/problems/"
PROBLEMS = {  # name -> (HTTP status, body)
    "unauthorized": (401, {**_BLANK, "title": "Unauthorized", "status": 401, "detail": "Unauthorized"}),
    "credits": (402, {"account_id": 1500000000000000001, "title": "CreditsDepleted", "type": _OLD + "credits", "detail":
                      "Your enrolled account [1500000000000000001] does not have any credits to fulfill this request."}),
    "spend-cap": (403, {"title": "SpendCapReached", "reset_date": "2026-12-12", "type": _OLD + "credits", "detail":
                        "Your enrolled account reached its billing cycle spend cap."}),
    "suspended": (403, {"title": "Forbidden", "status": 403, "type": _OLD + "user-suspended",
                        "detail": "The user used for authentication is suspended"}),
    "not-enrolled": (403, {
        "title": "Client Forbidden", "reason": "client-not-enrolled", "type": _OLD + "client-forbidden",
        "required_enrollment": "Appropriate Level of API Access", "detail":
        "When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from a Twitter "
        "developer App that is attached to a Project.",
        "registration_url": "https://developer.twitter.com/en/portal/opt-in"}),
    "unsupported": (403, {"errors": [{
        "title": "Unsupported Authentication", "status": 403, "type": _OLD + "unsupported-authentication", "detail":
        "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported authentication types "
        "are [OAuth 1.0a User Context, OAuth 2.0 User Context]."}]}),
    "forbidden": (403, {**_BLANK, "title": "Forbidden", "status": 403,
                        "detail": "You are not permitted to perform this action."}),
    "duplicate-text": (403, {**_BLANK, "title": "Forbidden", "status": 403,
                        "detail": "You are not allowed to create a Tweet with duplicate content."}),
    "stale-since": (400, {
        "errors": [{"parameters": {"since_id": ["2102000000000000000"]}, "message": "'since_id' must be a tweet id created "
                    "after 2026-09-22T18:45Z. Please use a 'since_id' that is larger than 2102469225477046272"}],
        "title": "Invalid Request", "detail": "One or more parameters to your request was invalid.",
        "type": _OLD + "invalid-request"}),
    "rate": (429, {**_BLANK, "title": "Too Many Requests", "detail": "Too Many Requests", "status": 429}),
    "rate-v1": (429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}),
    "too-many-connections": (429, {
        "title": "ConnectionException", "connection_issue": "TooManyConnections",
        "detail": "This stream is currently at the maximum allowed connection limit.",
        "type": "https://api.x.com/2/problems/streaming-connection"}),
    "usage-capped": (429, {
        "title": "UsageCapExceeded", "detail": "Usage cap exceeded: Monthly product cap", "period": "Monthly",
        "type": _OLD + "usage-capped", "scope": "Product", "account_id": "1500000000000000001",
        "product_name": "standard-basic"}),
    "invalid-token": (400, {"error": "invalid_request",
                            "error_description": "Value passed for the token was invalid."}),
}
TITLES = {400: "Invalid Request", 401: "Unauthorized", 402: "CreditsDepleted", 403: "Forbidden", 404: "Not Found",
          429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
          504: "Gateway Timeout"}
NOT_DONE = {"unread", "cut", "reset", "hang", "html", "bomb"}
DONE = {"lost", "half", "half-json", "drip", "slow"}
WORLD = {"stale", "ghost", "late-search", "late-stream", "duplicate", "swap", "drop"}
PAGE = b"<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center><hr>proxy</body>\r\n</html>\r\n"


class Fault:
    def __init__(self, fields):
        self.given, self.at = dict(fields), time.monotonic()
        unknown = fields.keys() - {"on", "fault", "problem", "code", "megabytes", "seconds", "share", "how", "nth", "times",
                                   "after_s", "for_s", "retry_after_s", "reset_in_s", "applied"}
        what = fields.get("fault", fields.get("problem"))
        if unknown or "problem" in fields and fields["problem"] not in PROBLEMS or \
                not isinstance(what, int) and what not in NOT_DONE | DONE | WORLD | set(PROBLEMS):
            raise ValueError(f"no such fault: {fields}")
        self.what, self.on = what, fields.get("on", "*")
        self.nth, self.times = fields.get("nth", 1), fields.get("times", 0 if "for_s" in fields else 1)
        self.after_s, self.for_s = fields.get("after_s", 0), fields.get("for_s", float("inf"))
        self.seen = self.hit = 0

    @property
    def world(self):
        return self.what in WORLD

    @property
    def done_first(self):
        """The request is carried out before the fault."""
        return self.what in DONE or bool(self.given.get("applied"))

    def running(self):
        return self.after_s <= time.monotonic() - self.at < self.after_s + self.for_s

    def strikes(self, endpoint):
        if self.world or not self.running() or not fnmatch.fnmatchcase(endpoint, self.on):
            return False
        self.seen += 1
        if self.seen < self.nth or self.times and self.hit >= self.times:
            return False
        self.hit += 1
        return True

    def answer(self):
        """(status, body) where the fault is an answer of X."""
        if self.what in PROBLEMS:
            return PROBLEMS[self.what]
        same = next((p for p in PROBLEMS.values() if p[0] == self.what and p[0] in (401, 402, 429)), None)
        title = TITLES.get(self.what, "Error")
        return same or (self.what, {**_BLANK, "title": title, "detail": title, "status": self.what})

    def headers(self):
        out = {}
        if "retry_after_s" in self.given:
            out["retry-after"] = self.given["retry_after_s"]
        if "reset_in_s" in self.given:
            out.update({"x-rate-limit-remaining": 0, "x-rate-limit-reset": int(time.time() + self.given["reset_in_s"])})
        return out

    def told(self):
        return {**self.given, "seen": self.seen, "hit": self.hit, "running": self.running()}


class Script:
    """The faults given so far."""

    def __init__(self, sim):
        self.sim, self.faults, self.lock = sim, [], threading.Lock()

    def add(self, faults):
        made = [Fault(f) for f in faults]
        with self.lock:
            self.faults += made
        for fault in made:
            if fault.world:
                self._later(fault.after_s, self._world, fault, True)
                if fault.for_s != float("inf"):
                    self._later(fault.after_s + fault.for_s, self._world, fault, False)

    def clear(self):
        with self.lock:
            gone, self.faults = self.faults, []
        for fault in gone:
            if fault.world:
                self._set(fault, False)

    def told(self):
        with self.lock:
            return [f.told() for f in self.faults]

    def next(self, endpoint):
        """The fault that strikes this request, or None."""
        with self.lock:
            return next((f for f in self.faults if endpoint and f.strikes(endpoint)), None)

    # -- faults of the world
    @staticmethod
    def _later(seconds, fn, *args):
        if seconds <= 0:
            fn(*args)
            return
        timer = threading.Timer(seconds, fn, args)
        timer.daemon = True
        timer.start()

    def _world(self, fault, on):
        with self.lock:
            there = fault in self.faults
        if there:
            fault.hit += on
            self._set(fault, on)

    def _set(self, fault, on):
        knobs, given = self.sim.streams.knobs, fault.given
        if fault.what == "stale":
            knobs.stall = on
        elif fault.what == "ghost":
            knobs.ghost_s = given.get("seconds", 3600.0) if on else 0.0
        elif fault.what == "late-search":
            self.sim.api.index_delay_ms = int(given.get("seconds", 60) * 1000) if on else 0
        elif fault.what == "late-stream":
            knobs.latency_s = given.get("seconds", 6.0) if on else 0.0
        elif fault.what in ("duplicate", "swap"):
            setattr(knobs, fault.what, given.get("share", 1.0) if on else 0.0)
        elif on:
            for name in self.sim.streams.open:
                self.sim.streams.disconnect(name, given.get("how", "close"))


# -- how a fault looks on the wire ------------------------------------------------------------

def strike(fault, handler):
    """A fault that is no answer of X, before the request is done."""
    if fault.what == "hang":
        while handler.connection.recv(1024):
            pass
    elif fault.what == "html":
        code = fault.given.get("code", 502)
        raw(handler, code, PAGE % (code, code), {"content-type": "text/html", **fault.headers()})
        return code
    elif fault.what == "bomb":
        packed = _bomb(fault.given.get("megabytes", 64))
        raw(handler, 200, packed, {"content-type": "application/json", "content-encoding": "gzip"})
        return 200
    handler.vanish(reset=fault.what in ("reset", "unread"))
    return 0


def spoil(fault, handler, code, body, headers):
    """The answer to a request that was done. Returns the status the client can have seen, 0: none."""
    if fault.what == "lost":
        handler.vanish()
        return 0
    if fault.what == "half":
        raw(handler, code, body[:max(1, len(body) // 2)], headers, length=len(body))
        handler.vanish()
    elif fault.what == "half-json":
        raw(handler, code, body[:max(1, len(body) // 2)], headers)
    elif fault.what == "drip":
        raw(handler, code, b"", headers, length=len(body))
        for n in range(len(body)):
            time.sleep(fault.given.get("seconds", 1))
            handler.wfile.write(body[n:n + 1])
            handler.wfile.flush()
    else:
        time.sleep(fault.given.get("seconds", 5))
        raw(handler, code, body, headers)
    return code


def raw(handler, code, data, headers, length=None):
    handler.send_response(code)
    for name, value in {"content-type": "application/json; charset=utf-8", **headers}.items():
        handler.send_header(name, str(value))
    handler.send_header("content-length", str(len(data) if length is None else length))
    handler.end_headers()
    handler.wfile.write(data)
    handler.wfile.flush()


_bombs = {}


def _bomb(megabytes):
    if megabytes not in _bombs:
        _bombs[megabytes] = gzip.compress(b" " * (megabytes << 20), 9)
    return _bombs[megabytes]
