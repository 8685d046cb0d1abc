# SPDX-License-Identifier: MIT
"""The rows of the fault table: what is broken, what is expected, and the proof. test_faults.py runs them."""
import gzip
import time

from certificates import Authority
from clients import wait_for
from faultproxy import ALL, Answer
from harness import CHAT_START_MS

ROWS = {}   # name -> (expected, function)
GROUP = {}  # name -> rows of one group follow each other on one bot
HTML = "<html><body><h1>Bad Gateway</h1></body></html>"
BOMB = gzip.compress(b"{" + b" " * (300 << 20), 9)
NAMES = {"one": "Ergo", "two": "ngIRCd", "home": "Matrix", "x": "X"}


def row(name, expected):
    def keep(function):
        assert name not in ROWS, name
        ROWS[name] = (expected, function)
        return function
    return keep


def rows(expected, cases, group=None):
    """One row for each case; the function gets what stands there. group: of a case, from its name."""
    def keep(function):
        for name, given in cases.items():
            row(name, expected)(lambda env, title, given=given: function(env, title, *given))
            GROUP[name] = group(name) if group else name
        return function
    return keep


def bomb(code):
    return Answer(code, BOMB, done=True, content_encoding="gzip")


def once(p, match, what, kinds, times=1):
    """One fault, met by what is said then; all goes on by itself."""
    p.mark()
    fault = p.proxy.fault(match, what, times)
    p.say_all(kinds)
    wait_for(fault.met.is_set, 60, 0.02, lambda: "the fault was never met:\n" + p.bot.tail())
    begin = time.monotonic()
    p.others_go_on()
    return begin


# ---- IRC: connecting, registering, joining, saying -------------------------------------

IRC_STEPS = {"connect": "^connect$", "nick": "^> NICK", "user": "^> USER", "welcome": "^< .* 001 ", "join": "^> JOIN",
             "end of names": "^< .* 366 "}


@rows("joined again in seconds; said once on Ergo, twice at most and counted on ngIRCd", {
    f"{NAMES[n]} cut {when} {step}": (n, match, when) for n in ("one", "two") for step, match in IRC_STEPS.items()
    for when in (("before", "after") if step in ("welcome", "end of names") else ("before", "during", "after"))},
    lambda name: name.split()[0] + " " + name.split(" ", 3)[3])
def irc_comes_back(env, title, network, match, when):
    p = env.group(title, network)
    p.mark()
    fault = p.proxy.fault(match, when)
    p.away = {"plain"} if network == "two" else set()
    p.proxy.cut()
    p.say_all()
    wait_for(fault.met.is_set, 60, 0.02, lambda: "the fault was never met:\n" + p.bot.tail())
    begin = time.monotonic()
    p.others_go_on()
    p.told("next try in")
    p.back()
    p.away = set()
    p.recover(since=begin)
    p.check()


@rows("the line is looked up (Ergo) or said again and counted (ngIRCd); nothing is lost", {
    **{f"{NAMES[n]} cut {when} a line": (n, "^> .*PRIVMSG", when) for n in ("one", "two")
       for when in ("before", "during", "after")},
    "Ergo cut before an echo": ("one", "^< .*PRIVMSG", "before"),
    "Ergo cut during an echo": ("one", "^< .*PRIVMSG", "during"),
    "ngIRCd cut before a PONG": ("two", "^< .*PONG", "before")}, lambda name: name.split()[0] + name[-4:])
def irc_line(env, title, network, match, when):
    p = env.group(title, network)
    begin = once(p, match, when, ("irc" if network == "two" else "plain", "matrix", "post"))
    p.told("next try in")
    p.back()
    p.recover(since=begin)
    p.check()


@rows("noticed after two minutes of silence at most, then as after a cut", {
    f"{NAMES[n]} takes lines and answers nothing": (n, ) for n in ("one", "two")})
def irc_silent(env, title, network):
    p = env.place(title, network).start()
    begin = once(p, "^> .*PRIVMSG", "silent", ("irc" if network == "two" else "plain", "matrix"))
    p.told("silent for|has not answered", 180)
    p.back()
    p.recover(since=begin)
    p.check()


# ---- Matrix ------------------------------------------------------------------------------

LIMITED = '{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests"%s}'
ANSWERS = {
    "429 with Retry-After": Answer(429, LIMITED % "", retry_after="2"),
    "429 with retry_after_ms": Answer(429, LIMITED % ',"retry_after_ms":1500'),
    "429 without Retry-After": Answer(429, LIMITED % ""),
    "500": Answer(500, '{"errcode":"M_UNKNOWN","error":"Internal server error"}'),
    "503 though it was done": Answer(503, "", done=True),
    "HTML from a proxy": Answer(502, HTML, done=True, content_type="text/html"),
    "HTML with code 200": Answer(200, HTML, done=True, content_type="text/html"),
    "half a JSON": "half", "no body": "empty", "a gzip bomb": bomb(200), "an answer lost": "after",
    "cut before": "before", "cut during": "during",
}


@rows("sent again with the same transaction: once in the room", {
    f"Matrix send: {name}": (what,) for name, what in ANSWERS.items()}, lambda name: name if "429" in name else "send")
def matrix_send(env, title, what):
    p = env.group(title, "home")
    begin = once(p, "PUT .*/send/", what, ("irc", "plain", "post"))
    if "429" not in title and "cut" not in title:  # a pause is no news, nor a kept connection that is gone
        p.told("could not be sent")
    p.recover(since=begin)
    p.check()


@rows("read on from the same place: once everywhere", {
    f"Matrix sync: {name}": (what,) for name, what in ANSWERS.items()}, lambda name: "sync")
def matrix_sync(env, title, what):
    p = env.group(title, "home")
    begin = once(p, "GET .*/sync", what, ("irc", "plain", "matrix", "post"))
    if "cut" not in title:
        p.told("cannot read from")
    p.recover(since=begin)
    p.check()


@rows("joined at the next try, then all goes on", {
    f"Matrix join: {name}": (what,) for name, what in ANSWERS.items()
    if name not in ("429 with retry_after_ms", "503 though it was done", "HTML with code 200", "no body", "a gzip bomb")})
def matrix_join(env, title, what):
    p = env.place(title, "home")
    p.mark()
    fault = p.proxy.fault("POST .*/join", what)
    begin = time.monotonic()
    p.start()
    assert fault.hits == 1
    p.recovery_s = time.monotonic() - begin
    p.check()


@row("Matrix send: an answer in drips", "given up after 30 s, sent again with the same transaction: once in the room")
def matrix_drip(env, title):
    p = env.place(title, "home").start()
    begin = once(p, "PUT .*/send/", "drip", ("irc", "plain", "post"))
    p.recover(since=begin)
    p.told("could not be sent")
    p.check()


@row("Matrix send: 403", "sent once more a moment later: a passing 403 loses nothing")
def matrix_forbidden(env, title):
    p = env.place(title, "home").start()
    begin = once(p, "PUT .*/send/", Answer(403, '{"errcode":"M_FORBIDDEN","error":"You may not"}'), ("irc", "plain"))
    p.recover(since=begin)
    p.check()


@row("Matrix send: 403 for good", "refused, with its reason; the next lines go on")
def matrix_forbidden_always(env, title):
    p = env.place(title, "home").start()
    p.mark()
    p.proxy.fault("PUT .*/send/", Answer(403, '{"errcode":"M_FORBIDDEN","error":"You may not"}'), ALL)
    p.w.ann.say(p.w.channel, "this one is refused")
    wait_for(lambda: p.bot.value("SELECT count(*) FROM delivery WHERE state = 'refused'") == 1, 60, 0.1,
             lambda: f"not refused: {p.bot.accounting()}\n{p.bot.tail()}")
    p.told("may not speak|refused")
    p.proxy.heal()
    p.others_go_on()
    p.recover()
    p.check(("delivered", "refused"))


@row("Matrix: 401, the token is revoked", "Matrix stops and says what to do; back with a new token and a restart")
def matrix_revoked(env, title):
    p = env.place(title, "home").start()
    p.mark()
    p.w.matrix_bot.api("POST", "/logout", {})
    p.told("no longer accepts the token")
    p.say_all(("irc", "plain", "post"))
    p.others_go_on()
    fresh = p.w.owner.api("POST", "/login", {"type": "m.login.password", "password": "a password of the tests",
                                             "identifier": {"type": "m.id.user", "user": p.w.matrix_bot.user_id}})
    p.bot.secret("matrix.token", fresh["access_token"])
    p.w.matrix_bot.token = fresh["access_token"]
    begin = time.monotonic()
    p.restart()
    p.recover(since=begin)
    p.check()


# ---- whole outages: connections refused, nothing passes, cut ------------------------------

@rows("the others go on; afterwards everything said meanwhile is there", {
    f"{NAMES[n]} {word} for {s} s": (n, how, s) for n in ("one", "two", "home", "x")
    for word, how, s in (("refuses connections", "refuse", 6), ("passes nothing", "stall", 12))})
def outage(env, title, network, how, seconds):
    p = env.place(title, network, speed=6.0 if network == "x" else 1.0).start()
    p.mark()
    p.away = {"plain"} if network == "two" else set()
    getattr(p.proxy, how)()
    begin = time.monotonic()
    p.say_all()
    p.others_go_on()
    if how == "refuse":
        p.told("next try|cannot read from|again in")
    time.sleep(max(0.0, begin + seconds - time.monotonic()))
    p.proxy.heal()
    begin = time.monotonic()
    p.back()
    p.away = set()
    p.recover(150, begin)
    p.check()


# ---- X ----------------------------------------------------------------------------------

X_ANSWERS = {
    "429 with a time": Answer(429, '{"title":"Too Many Requests"}', x_rate_limit_remaining="0",
                              x_rate_limit_reset=lambda: int(time.time()) + 70),
    "429 without a time": Answer(429, '{"title":"Too Many Requests"}'),
    "401": Answer(401, '{"title":"Unauthorized","status":401}'),
    "500": Answer(500, '{"title":"Internal Server Error"}'),
    "503 though it was done": Answer(503, "", done=True),
    "HTML from a proxy": Answer(502, HTML, content_type="text/html"),
    "HTML with code 200": Answer(200, HTML, content_type="text/html"),
    "half a JSON": "half", "no body": "empty", "a gzip bomb": bomb(200), "an answer lost": "after",
    "cut before": "before", "cut during": "during",
}


@rows("asked again at X's pace; each post once, those of meanwhile too", {
    f"X search: {name}": (what,) for name, what in X_ANSWERS.items()})
def x_search(env, title, what):
    p = env.place(title, "x", speed=6.0).start()
    p.mark()
    fault = p.proxy.fault("GET /2/tweets/search/recent", what)
    p.proxy.fault(r"GET /2/tweets/search/stream\?", "before", 3)  # the post is said while nothing streams
    p.w.x.drop_stream("reset")
    p.say_all()
    wait_for(fault.met.is_set, 90, 0.05, lambda: "the bot did not search:\n" + p.bot.tail())
    begin = time.monotonic()
    p.others_go_on()
    p.recover(150, begin)
    p.check()


@rows("connected again at X's pace; each post once, those of meanwhile too", {
    f"X stream: {name}": (what,) for name, what in X_ANSWERS.items()
    if name not in ("half a JSON", "no body", "a gzip bomb", "an answer lost")})
def x_stream(env, title, what):
    p = env.place(title, "x", speed=6.0).start()
    p.mark()
    fault = p.proxy.fault(r"GET /2/tweets/search/stream\?", what)
    p.w.x.drop_stream("close")
    p.say_all()
    wait_for(fault.met.is_set, 60, 0.05, lambda: "the bot did not connect again:\n" + p.bot.tail())
    begin = time.monotonic()
    p.others_go_on()
    p.told("connecting again|connecting in|next try")
    p.recover(150, begin)
    p.check()


@rows("looked up before it is said again: the question is on X once", {
    f"X post: {name}": (what,) for name, what in X_ANSWERS.items() if name != "401"})
def x_post(env, title, what):
    p = env.place(title, "x", speed=6.0, start_ms=CHAT_START_MS - 2 * 60_000,
                  session={"questions": ["Which book helped you most?"], "welcome": "1m"}).start()
    p.mark()
    fault = p.proxy.fault("POST /2/tweets$", what)
    wait_for(fault.met.is_set, 90, 0.05, lambda: "nothing was posted:\n" + p.bot.tail())
    begin = time.monotonic()
    wait_for(lambda: any("Q1" in post["text"] for post in p.w.x.own_posts), 150, 0.05,
             lambda: "the question is not on X:\n" + p.bot.tail())
    p.recovery_s = time.monotonic() - begin
    p.others_go_on()
    p.bot.wait_settled(120)
    assert sum("Q1" in post["text"] for post in p.w.x.own_posts) == 1, p.w.x.own_posts
    p.w.clock.set(p.w.clock.now_ms(), 0.0)  # the session says no more
    p.check(("delivered", "expired"))


# ---- certificates --------------------------------------------------------------------------

@rows("no word leaves; right again, it goes on (IRC within three minutes)", {
    f"{NAMES[n]}: certificate {fault}": (n, fault) for n in ("one", "home", "x")
    for fault in ("expired", "for another name", "of an unknown authority")})
def certificate(env, title, network, fault):
    p = env.tls_place(title, network)
    trusted, other = Authority(p.bot.folder), Authority(p.bot.folder, "somebody")
    wrong = {"expired": lambda: trusted.certificate("old", days=-3),
             "for another name": lambda: trusted.certificate("elsewhere", ("elsewhere.test",)),
             "of an unknown authority": lambda: other.certificate("stranger")}[fault]
    p.proxy.tls = wrong()
    p.mark()
    p.start(wait=False)
    p.told({"expired": "expired", "for another name": "for another",
            "of an unknown authority": "authority"}[fault], 60)
    others_alone(p)
    assert not p.proxy.requests, p.proxy.requests
    p.proxy.tls = trusted.certificate("right")
    begin = time.monotonic()
    if network == "one":
        p.back(240)
    p.ready()
    p.recover(150, begin)
    p.check()


def others_alone(p):
    """The broken network never came up: only the people's rooms of the others are there."""
    for person in [p.w.ann] * (p.broken != "one") + [p.w.pat]:
        wait_for(lambda who=person: p.w.in_channel(who), 60, 0.2)
    if p.broken != "home":
        wait_for(lambda: p.w.matrix_bot.user_id in p.w.owner.members(p.w.rooms[0]), 60, 0.2)
    if p.broken != "x":
        p.x_is_read()
    p.others_go_on()


# ---- names --------------------------------------------------------------------------------

@rows("tried again; nothing else waits for it; back when the name is", {
    f"{NAMES[n]}: its name {word}": (n, mode) for n in ("one", "home", "x")
    for word, mode in (("is gone", 1), ("gets no answer", 2), ("cannot be looked up", 3))})
def names(env, title, network, mode):
    p = env.tls_place(title, network, name="server.test").with_shim()
    p.proxy.tls = Authority(p.bot.folder).certificate("right", ("server.test",))
    p.shim.set("names", mode)
    p.mark()
    p.start(wait=False)
    p.told("no machine named|can't look up|can't be found|in time", 90)
    others_alone(p)
    p.shim.set("names", 0)
    begin = time.monotonic()
    p.ready()
    p.recover(150, begin)
    p.check()


# ---- clocks --------------------------------------------------------------------------------

@rows("lines of people cross as if nothing were; posts again when the clock is right", {
    f"the clock jumps a day {word}": (days,) for word, days in (("forward", 1), ("back", -1))})
def clock(env, title, days):
    p = env.place(title, None).with_shim()
    p.start()
    p.mark()
    p.shim.set("clock_offset_s", days * 86400)
    time.sleep(1)
    begin = time.monotonic()
    p.others_go_on()
    p.recovery_s = time.monotonic() - begin
    p.shim.set("clock_offset_s", 0)
    p.x_is_read()
    p.recover()
    p.check()


# ---- the disk ------------------------------------------------------------------------------

@rows("the bot ends with one plain line; after a restart each line is there once", {
    f"the disk is full at writes {first} to {first + 5}": (first,) for first in (0, 6, 12, 18)})
def disk(env, title, first):
    p = env.place(title, None, speed=6.0).with_shim()
    p.start()
    p.mark()
    took = []
    for n in range(first, first + 6):
        p.bot.wait_settled(180)
        p.shim.set("writes_left", n)
        p.say_all(("irc", "matrix", "post"))
        assert p.bot.process.wait(180) == 1, p.bot.tail()
        p.shim.set("writes_left", -1)
        begin = time.monotonic()
        p.restart()
        p.wait_all(240)
        took.append(time.monotonic() - begin)
        p.breaks += 1
    p.told("disk is full")
    p.back(180)  # what is said on ngIRCd while the bot is away is lost
    p.recover(240)
    p.recovery_s = max(took)
    p.check()
