# SPDX-License-Identifier: MIT
"""Posts into rooms and rooms into rooms, on Ergo over TLS with SASL, ngIRCd, Synapse and the X simulator."""
import time

import pytest
from clients import wait_for
from world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory, ergo, ngircd, synapse):
    w = World.quiet("bridge", tmp_path_factory.mktemp("bridge"), ergo, ngircd, synapse)
    w.x.link_title("https://books.example/my-list?utm_source=x&id=4", "https://books.example/my-list?id=4", "My list")
    w.ann, w.plainer, w.mia = w.irc("ann"), w.plain("pat"), w.matrix("mia")
    with w.running(w.ann, w.plainer):
        yield w
    assert w.x.violations == []


def in_every_room(w, part, timeout=20):
    """The texts that contain `part`: on Ergo, ngIRCd and Matrix."""
    return [w.ann.wait_text(part, w.channel, timeout).text, w.plainer.wait_text(part, w.channel, timeout).text,
            w.mia.wait_text(part, w.rooms[0], timeout)["content"]["body"]]


def test_a_post_appears_in_every_room_in_words(world):
    w = world
    w.x.post("ben_r", f"A1 fish & chips <3 at https://books.example/my-list?utm_source=x&id=4 {w.tag}", name="Ben R.",
             photos=["Three paperbacks on a bedside table"])
    for text in in_every_room(w, "fish & chips"):
        assert text.startswith("Ben R. (@ben_r) on Twitter: A1 fish & chips <3 at https://books.example/my-list"), text
        assert "t.co" not in text and "&amp;" not in text and w.tag in text
        assert "Three paperbacks on a bedside table" in text
    w.x.post("ben_r", f"A1 the second {w.tag}")
    for text in in_every_room(w, "the second"):
        assert text == f"Ben R. on Twitter: A1 the second {w.tag}"
    assert "href=\"https://x.com/ben_r/status/" in w.mia.wait_text("the second")["content"]["formatted_body"]


def test_posts_come_in_order_and_once(world):
    w = world
    w.x.streams.knobs.duplicate = 1.0
    for n in range(10):
        w.x.post("cai", f"number {n} of ten {w.tag}")
    in_every_room(w, "number 9 of ten", 40)
    w.x.streams.knobs.duplicate = 0.0
    want = [f"number {n} of ten" for n in range(10)]
    for said in (w.ann.said(w.channel), w.plainer.said(w.channel), w.mia.said(w.rooms[0])):
        assert [t[t.find("number"):t.find("number") + len(want[0])] for t in said if "of ten" in t] == want


def test_a_long_post_comes_whole(world):
    w = world
    words = " ".join(f"word{n}" for n in range(70))
    w.x.post("dee", f"A2 {words} the last one {w.tag}")
    whole = w.mia.wait_text("the last one", timeout=20)["content"]["body"]
    assert words in whole and "t.co" not in whole
    w.ann.wait_text("the last one")
    lines = [t for t in w.ann.said(w.channel) if "word0 " in t or "the last one" in t or "word3" in t]
    assert " ".join(lines).count("word69") == 1


def test_what_the_stream_missed_is_fetched(world):
    w = world
    w.x.api.horizon_ms = 0
    w.x.streams.knobs.ghost_s = 0
    w.x.fail("GET /2/tweets/search/stream", 503)
    w.x.drop_stream("reset")
    time.sleep(0.2)
    w.x.post("eve", f"said while nobody listened {w.tag}")
    w.clock.set(w.clock.now_ms(), 5)  # the search waits until what was posted can be found
    in_every_room(w, "while nobody listened", 40)
    w.clock.set(w.clock.now_ms(), 1)
    w.wait_reading()
    assert sum("while nobody listened" in t for t in w.ann.said(w.channel)) == 1


def test_lines_travel_between_irc_networks_and_matrix(world):
    w = world
    w.ann.say(w.channel, "good evening é from one")
    assert w.plainer.wait_text("from one").text == "ann on IRC: good evening é from one"
    assert w.mia.wait_text("from one")["content"]["body"] == "ann on IRC: good evening é from one"
    w.plainer.say(w.channel, "and from two")
    assert w.ann.wait_text("from two").text == "pat on IRC: and from two"
    assert w.mia.wait_text("from two")["content"]["body"] == "pat on IRC: and from two"
    w.mia.say(w.rooms[0], "hello from Matrix")
    assert w.ann.wait_text("from Matrix").text == "bridgemia on Matrix: hello from Matrix"
    assert w.plainer.wait_text("from Matrix").text == "bridgemia on Matrix: hello from Matrix"
    assert not any("from one" in t for t in w.ann.said(w.channel, nick=w.nick))


def test_a_matrix_edit_is_a_correction_on_irc(world):
    w = world
    event = w.mia.say(w.rooms[0], "I ment this")
    w.ann.wait_text("I ment this")
    w.mia.edit(w.rooms[0], event, "I meant this")
    assert w.ann.wait_text("I meant this").text == "Correction: bridgemia on Matrix: I meant this"


def test_a_matrix_reply_says_whom_it_answers(world):
    w = world
    w.ann.say(w.channel, "who has read it?")
    question = w.mia.wait_text("who has read it?")
    w.mia.reply(w.rooms[0], question["event_id"], "I have")
    assert w.ann.wait_text("I have").text == "bridgemia on Matrix, replying to ann: I have"


def test_a_redaction_is_one_neutral_line_on_irc(world):
    w = world
    event = w.mia.say(w.rooms[0], "something private by mistake")
    w.ann.wait_text("private by mistake")
    w.mia.redact(w.rooms[0], event)
    assert w.ann.wait_text("was removed").text == "A message from bridgemia on Matrix was removed."


def test_an_edit_on_x_is_an_edit_on_matrix(world):
    w = world
    first = w.x.post("fay", f"A3 I ment that one {w.tag}", name="Fay")
    seen = w.mia.wait_text("I ment that one")
    w.x.edit(first["id"], f"A3 I meant that one {w.tag}")
    edit = w.mia.wait(lambda e: e["type"] == "m.room.message" and "meant that one" in e["content"]["body"])
    assert edit["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": seen["event_id"]}
    assert w.ann.wait_text("I meant that one").text.startswith("Correction: Fay (@fay) on Twitter: A3 I meant")


def test_a_deletion_on_x_is_a_redaction_on_matrix(world):
    w = world
    post = w.x.post("gil", f"A4 posted too soon {w.tag}", name="Gil")
    seen = w.mia.wait_text("posted too soon")
    wait_for(lambda: any(s["filter"]["user_id"] == post["author_id"] for s in w.x.state.subscriptions.values()), 20,
             message="nobody asked to hear of this author's deletions")
    wait_for(lambda: w.x.stream_open("activity_stream"), 20)
    w.x.delete(post["id"])
    gone = w.mia.wait(lambda e: e["type"] == "m.room.redaction")
    while (gone.get("redacts") or gone["content"].get("redacts")) != seen["event_id"]:
        gone = w.mia.wait(lambda e: e["type"] == "m.room.redaction", since=w.mia.events.index(gone) + 1)
    assert w.ann.wait_text("A message from Gil (@gil) on Twitter was removed.", timeout=20)


def test_commands_and_notices_stay_where_they_are(world):
    w = world
    mark = w.plainer.mark()
    w.ann.say(w.channel, "!when")
    w.ann.wait(lambda l: l.command in ("PRIVMSG", "NOTICE") and l.nick == w.nick and "chat is" in l.text)
    w.ann.send(f"NOTICE {w.channel} :!end")
    w.ann.say(w.channel, "after the command")
    w.plainer.wait_text("after the command", since=mark)
    assert not any("!when" in l.text for l in w.plainer.lines[mark:])


def test_a_burst_of_lines_keeps_its_order(world):
    w = world
    for n in range(100):
        w.ann.say(w.channel, f"burst {n:03d}")
    w.mia.wait_text("burst 099", timeout=60)
    w.plainer.wait_text("burst 099", timeout=60)
    want = [f"ann on IRC: burst {n:03d}" for n in range(100)]
    lines = [line for t in w.mia.said(w.rooms[0]) for line in t.split("\n")]  # what waits long shares an event
    assert [line for line in lines if "burst" in line] == want
    assert [t for t in w.plainer.said(w.channel) if "burst" in t] == want
