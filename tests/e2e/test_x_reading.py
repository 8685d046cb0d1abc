# SPDX-License-Identifier: MIT
"""Reading X when it is not itself: old cursors, silent and ghost streams, a late index, edits, posts that may not be shown."""
import json
import time

import pytest
from alone import MINUTE, Alone
from clients import wait_for
from harness import CHAT_START_MS

SEARCH, STREAM, LOOKUP = "GET /2/tweets/search/recent", "GET /2/tweets/search/stream", "GET /2/tweets"
WEEK = 7 * 24 * 60 * MINUTE


@pytest.fixture
def a(tmp_path):
    """X finds at once what was posted; in the end it has nothing to complain about."""
    with Alone(tmp_path) as a:
        a.x.api.horizon_ms = 0
        yield a
    assert a.x.violations == []


def later(a, minutes):
    a.clock.set(a.clock.now_ms() + minutes * MINUTE, 1.0)


def searched(a, minutes):
    """It goes on and is searched for the first time."""
    later(a, minutes)
    wait_for(lambda: (SEARCH, 200) in a.x.calls, 30, 0.1, a.bot.tail)


def arrives(a, words):
    """Somebody posts it, and it comes."""
    a.x.post("ana", f"{words} {a.tag}")
    a.wait_post(words)


def cut_off(a):
    """The stream breaks, and the next one comes at the second try."""
    a.x.script({"fault": "drop", "how": "reset"}, {"on": STREAM, "fault": 503})
    wait_for(lambda: not a.x.stream_open(), 10)


def flags(a, part):
    return a.bot.value("SELECT flags FROM message WHERE scope = 'x' AND text LIKE ?", f"%{part}%")


def test_the_newest_post_of_last_week_is_no_start_for_this_weeks_search(a):
    with a.reading():
        searched(a, 2)
        arrives(a, "last week")
    a.x.client_restarted()
    a.clock.set(CHAT_START_MS + WEEK - 10 * MINUTE, 1.0)
    a.x.post("ana", f"this week {a.tag}")
    later(a, 1)
    with a.reading():
        later(a, 2)
        a.wait_post("this week")
    assert len(a.posts()) == 2


def test_a_since_id_that_x_calls_too_old_is_given_up_for_a_time(a):
    with a.reading():
        searched(a, 3)
        arrives(a, "seen")
        a.x.script({"on": SEARCH, "problem": "stale-since"}, {"fault": "drop"})
        later(a, 5)
        a.x.post("ana", f"more {a.tag}")
        a.wait_reading()
        later(a, 2)
        a.bot.wait_log("our last post is older than the 7 days Twitter searches")
        a.wait_post("more")
    assert len(a.posts()) == 2


def test_a_chat_that_was_missed_is_said(a):
    with a.reading():
        arrives(a, "seen")
        searched(a, 2)
        arrives(a, "seen, too")
    a.x.client_restarted()
    later(a, 400)  # over, and the time to make up for it, too
    for n in range(2):
        with a.bot:
            a.bot.wait_log("may have been missed")
            time.sleep(0.5)
    assert a.bot.log().count("may have been missed") == 1


def test_a_silent_stream_is_left_and_its_posts_are_found(a):
    with a.reading():
        a.x.script({"fault": "stale"})
        time.sleep(0.3)
        a.x.post("ana", f"nobody heard {a.tag}")
        later(a, 3)
        wait_for(lambda: a.x.calls.count((STREAM, 200)) == 2, 60, 0.2, lambda: a.bot.tail())
        a.bot.wait_log("no byte came for 30 s")
        a.x.clear_faults()
        a.wait_post("nobody heard")
        assert flags(a, "nobody heard") & 8  # it comes with its age
        arrives(a, "heard again")
        assert not flags(a, "heard again") & 8
    assert len(a.posts()) == 2


def test_what_was_taken_and_lost_in_a_crash_is_searched_at_once_after_the_start(a):
    with a.reading():
        searched(a, 2)
        arrives(a, "seen")
        a.bot.kill9()
        a.x.post("ana", f"taken and lost {a.tag}")
        a.x.client_restarted()
        a.x.script({"on": STREAM, "fault": 503, "times": 0})
        a.clock.set(a.clock.now_ms(), 0.0)  # what waits for any time never comes
        a.bot.start()
        a.wait_post("taken and lost", 60)
    assert a.posts() == [f"seen {a.tag}", f"taken and lost {a.tag}"]


def test_a_ghost_is_ended_and_its_place_taken(a):
    a.x.script({"fault": "ghost"})
    with a.reading():
        pass
    wait_for(lambda: "filtered_stream" in [name for _, name in a.x.streams.ghosts], 60, 0.05,
             "X has not seen the connection end")
    a.x.client_restarted()
    a.x.clear_faults()
    with a.bot:
        wait_for(lambda: ("DELETE /2/connections/all", 200) in a.x.calls, 60, 0.1, lambda: a.bot.tail())
        a.x.post("ana", f"meanwhile {a.tag}")
        later(a, 2)
        a.wait_post("meanwhile")  # by search
        a.wait_reading(120)
        arrives(a, "afterwards")
    assert len(a.posts()) == 2


def test_what_the_index_has_late_is_found_once(a):
    a.x.script({"fault": "late-search", "seconds": 120})
    with a.reading():
        arrives(a, "first")
        cut_off(a)
        a.x.post("bo", f"in the gap {a.tag}")
        a.wait_reading(30)
        searches = a.x.calls.count((SEARCH, 200))
        later(a, 1)  # the search of the gap finds nothing yet
        wait_for(lambda: a.x.calls.count((SEARCH, 200)) > searches, 20, 0.1, lambda: a.bot.tail())
        a.x.post("cy", f"live {a.tag}")
        a.wait_post("live")
        assert not any("in the gap" in t for t in a.posts())
        later(a, 4)
        a.wait_post("in the gap")
    assert sorted(t.split()[0] for t in a.posts()) == ["first", "in", "live"]


def test_an_edit_in_a_gap_is_followed(a):
    with a.reading():
        first = a.x.post("ana", f"A1 I ment that {a.tag}")
        a.wait_post("I ment that")
        cut_off(a)
        a.x.edit(first["id"], f"A1 I meant that {a.tag}")
        a.wait_reading(30)
        later(a, 2)
        a.wait_post("I meant that")
    assert a.posts() == [f"A1 I meant that {a.tag}"]


def test_what_may_not_be_shown_is_not_and_goes_when_it_becomes_so(tmp_path):
    with Alone(tmp_path, deletions=True) as a:
        a.x.api.horizon_ms = 0
        a.x.protect("shy")
        with a.reading():
            a.x.post("shy", f"for followers {a.tag}")
            kept = a.x.post("ana", f"stays {a.tag}")
            ids = {name: a.x.post(name, f"by {name} {a.tag}")["id"] for name in ("bo", "cy", "di", "eve")}
            a.wait_post("by eve")
            assert not any("for followers" in t for t in a.posts())
            a.x.protect("bo")
            a.x.suspend("cy")
            a.x.withhold(ids["di"])
            with a.x.api.lock:
                a.x.state.delete(ids["eve"])  # and nobody tells
            a.x.edit(kept["id"], f"stays, edited {a.tag}")
            a.wait_post("stays, edited")
            spent = a.x.state.ledger.count("post_read")
            a.clock.set(CHAT_START_MS + 100 * MINUTE, 1.0)  # the chat is over
            a.bot.wait_log("no longer reading Twitter")
            later(a, 2)
            wait_for(lambda: a.posts() == [f"stays, edited {a.tag}", "", "", "", ""], 30, 0.1,
                     lambda: f"{a.posts()}\n{a.x.calls}\n{a.bot.tail()}")
            assert a.x.state.ledger.count("post_read") == spent  # the second look is free
        assert a.x.calls.count((LOOKUP, 200)) == 1 and a.x.violations == []


def test_costs_are_counted_as_x_counts_them(tmp_path):
    kinds = {"posts read": "post_read", "people read": "user_read", "own posts read": "owned_read", "posts made": "create"}
    with Alone(tmp_path, CHAT_START_MS - 3 * MINUTE, 20.0) as a:
        a.x.script({"fault": "duplicate"}, {"on": STREAM, "fault": "half", "nth": 2})
        a.x.api.horizon_ms = 0
        a.x.post("early", f"before the bot came {a.tag}", photos=[None])
        with a.reading():
            for n in range(12):
                a.x.post(f"p{n % 5}", f"number {n} {a.tag}", photos=[None] if n == 3 else ())
            a.wait_post("number 11")
            a.x.drop_stream("reset")
            a.wait_reading(40)
            a.clock.sleep_until(CHAT_START_MS + 20 * MINUTE)
            a.wait_post("before the bot came")
            a.wait_own(2)
            wait_for(lambda: a.bot.value("SELECT sum(count) FROM twitter_ledger WHERE kind = 'posts made'")
                     == a.x.state.ledger.count("create"), 20, 0.2)
        ours = {r["kind"]: r["count"] for r in a.bot.rows("SELECT kind, count FROM twitter_ledger")}
        theirs = {ours_name: a.x.state.ledger.count(kind) for ours_name, kind in kinds.items()}
        assert {k: ours.get(k, 0) for k in kinds} == theirs, json.dumps([ours, theirs])
        assert a.bot.value("SELECT sum(cost) FROM twitter_ledger") == round(a.x.state.ledger.dollars * 1000)
        said = a.posts()
        assert any("(Image with no description.)" in t for t in said) and a.x.violations == []
