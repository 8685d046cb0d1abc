# SPDX-License-Identifier: MIT
"""Rows of the fault table: the peer's process is killed (SIGKILL) or stands still (SIGSTOP). test_faults.py runs them."""
import os
import signal
import time

from clients import wait_for
from ergo import Ergo
from faultplace import KIND
from faultrows import NAMES, row, rows
from harness import CHAT_START_MS
from ngircd import Ngircd
from synapse import Synapse
from xpeer import XPeer

SEARCH, CREATE = "GET /2/tweets/search/recent", "POST /2/tweets"
OURS = "SELECT count(*) FROM part p JOIN room r ON r.id = p.room WHERE r.network = 'x' "


def own_server(env, title, network):
    """A server for this row alone, and the row on it."""
    made = {"one": Ergo, "two": Ngircd, "home": Synapse}[network]().start()
    env.servers.append(made)
    return made, env.place(title, None, **{made.name: made})


@rows("noticed at once; back when it is; an Ergo without its history may leave unknown what was on its way", {
    f"SIGKILL of {NAMES[n]}": (n,) for n in ("one", "two", "home")})
def killed(env, title, network):
    server, p = own_server(env, title, network)
    p.start()
    p.broken = network
    p.mark()
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    p.say_all(set(KIND.values()) - {KIND[network]})
    p.others_go_on()
    p.told("next try|cannot read")
    server.launch()
    begin = time.monotonic()
    p.people_return()
    p.back()
    p.recover(150, begin)
    p.check(("delivered", "unknown") if network == "one" else ("delivered",), repeated=1 if network == "one" else 0)


@rows("nothing is noticed but the pause; afterwards everything is there", {
    f"SIGSTOP of {NAMES[n]} for 20 s": (n,) for n in ("one", "two", "home")})
def stopped(env, title, network):
    server, p = own_server(env, title, network)
    p.start()
    p.broken = network
    p.mark()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        p.say_all(set(KIND.values()) - {KIND[network]})
        p.others_go_on()
        time.sleep(max(0.0, begin + 20 - time.monotonic()))
    finally:
        os.kill(server.pid, signal.SIGCONT)
    p.recover()
    p.check()


# ---- the process of X --------------------------------------------------------------------

def nothing(_):
    pass


def search(p):
    """It is being answered, a byte each second."""
    p.w.x.script({"on": SEARCH, "fault": "drip"})
    p.w.x.drop_stream("reset")
    met(p, SEARCH)


def chat_begins(p):
    """Q1 is due in a minute."""
    p.w.clock.set(CHAT_START_MS - 1000, p.w.clock.speed)


def post_done(p):
    """It is there, and no answer leaves."""
    p.w.x.script({"on": CREATE, "fault": "slow", "seconds": 3600})
    chat_begins(p)
    wait_for(lambda: p.w.x.own_posts, 120, 0.05, lambda: "nothing was posted:\n" + p.bot.tail())


def post_comes(p):
    """The bot posts to an X that is dead or stands still."""
    chat_begins(p)
    wait_for(lambda: p.bot.value(OURS + "AND p.attempts > 0"), 120, 0.05, lambda: "nothing was posted:\n" + p.bot.tail())


def post_read(p):
    """It is read, and not done."""
    p.w.x.script({"on": CREATE, "fault": "hang"})
    chat_begins(p)
    met(p, CREATE)


def met(p, endpoint):
    wait_for(lambda: any(f["hit"] for f in p.w.x.faults() if f.get("on") == endpoint), 120, 0.05,
             lambda: f"no {endpoint}:\n" + p.bot.tail())


LEFT, SILENT = "posts on Twitter: .*connecting again in", "posts on Twitter: .*no byte came for 30 s"
SEARCHES, DOUBT = "search for .*again in", "not clear whether a post came out"
# name -> (what is done before X dies or stands still, and after that; what the bot says when it dies; when it stands still)
X_SCENES = {"its stream is open": (nothing, nothing, LEFT, SILENT),
            "it answers a search": (search, nothing, SEARCHES, SEARCHES),
            "our post is done": (post_done, nothing, DOUBT, DOUBT),
            "our post is read": (post_read, nothing, DOUBT, DOUBT),
            "our post comes": (nothing, post_comes, LEFT, DOUBT)}


def own_x(env, title):
    """The row on an X of its own. A post there is not on the stream: what X has not passed on is lost with a connection."""
    p = env.place(title, None, speed=6.0, simulator=XPeer,
                  session={"questions": ["Which book helped you most?"], "welcome": "1m"}).start()
    p.broken = "x"
    p.mark()
    p.w.x.script({"fault": "late-stream", "seconds": 3600})
    p.say("post")
    return p


def x_recovers(p, begin, scene, asked):
    """Each post of people and of the bot is there, once. asked: requests that this process of X has had for one that was
    done before."""
    posts = "post" in scene
    if posts:
        wait_for(lambda: p.bot.value(OURS + "AND p.state = 'delivered'"), 150, 0.05,
                 lambda: f"the question has no outcome: {p.bot.accounting()}\n{p.bot.tail()}")
    found = time.monotonic()
    p.recover(150, begin)
    p.recovery_s = max(p.recovery_s, found - begin)
    if posts:
        p.bot.wait_settled(120)
        assert ["Q1" in post["text"] for post in p.w.x.own_posts] == [True], p.w.x.own_posts
    if scene == "our post is done":
        assert sum(endpoint == CREATE for endpoint, _ in p.w.x.calls) == asked, p.w.x.calls
    p.check()


@rows("back with its posts: those the stream missed are searched for, ours are looked up; each is there once", {
    **{f"SIGKILL of X while {scene}": (scene, 0) for scene in X_SCENES},
    "SIGKILL of X for 80 s while our post is read": ("our post is read", 80)})
def x_killed(env, title, scene, away_s):
    before, after, words, _ = X_SCENES[scene]
    p = own_x(env, title)
    before(p)
    os.kill(p.w.x.pid, signal.SIGKILL)
    p.w.x.process.wait()
    after(p)
    p.others_go_on()
    p.told(words)
    time.sleep(away_s)
    p.w.x.launch()
    x_recovers(p, time.monotonic(), scene, 0)


@row("SIGKILL of X, back without posts and rules", "the rules are set again; nothing is repeated")
def x_forgets(env, title):
    p = env.place(title, None, speed=6.0, simulator=XPeer).start()
    p.broken = "x"
    p.mark()
    os.kill(p.w.x.pid, signal.SIGKILL)
    p.w.x.process.wait()
    p.w.x.forget()
    p.others_go_on()
    p.w.x.launch()
    begin = time.monotonic()
    p.told("lost our rules")
    p.x_is_read()
    p.recover(150, begin)
    p.check()


@rows("given up after 30 s; those the stream missed are searched for, ours are looked up; each is there once", {
    **{f"SIGSTOP of X for 40 s while {scene}": (scene, 40) for scene in X_SCENES},
    "SIGSTOP of X for 2 minutes while our post comes": ("our post comes", 120)})
def x_stopped(env, title, scene, away_s):
    before, after, _, words = X_SCENES[scene]
    p = own_x(env, title)
    before(p)
    begin = time.monotonic()
    os.kill(p.w.x.pid, signal.SIGSTOP)
    try:
        after(p)
        p.others_go_on()
        p.told(words, 90)
        time.sleep(max(10.0, begin + away_s - time.monotonic()))  # what the bot tries next is waiting there, too
    finally:
        os.kill(p.w.x.pid, signal.SIGCONT)
    begin = time.monotonic()
    p.w.x.clear_faults()
    x_recovers(p, begin, scene, 1)
