# SPDX-License-Identifier: MIT
"""The bot and X alone, by the simulator: what is read, what is posted, what a fault changes. No server is needed."""
import time

import pytest
from alone import MINUTE, SHORT, Alone
from clients import wait_for
from harness import CHAT_START_MS


@pytest.fixture
def alone(tmp_path):
    with Alone(tmp_path) as a:
        yield a
    assert a.x.violations == []


def test_posts_are_read_in_words_once_and_in_order(alone):
    a = alone
    a.x.link_title("https://books.example/list?utm_source=x", "https://books.example/list", "My list")
    a.x.streams.knobs.duplicate, a.x.streams.knobs.split = 0.5, True
    with a.reading():
        a.x.post("ana", f"A1 fish & chips ☕ https://books.example/list?utm_source=x {a.tag.upper()}", photos=["Three books"])
        a.x.post("bo", "quotes it, has no tag", quote=a.x.post("bo", f"A1 second {a.tag}")["id"])
        a.x.retweet("cy", a.x.post("bo", f"A1 third {a.tag}")["id"])
        a.x.post("di", f"A1 last {a.tag}")
        a.wait_post("A1 last")
    said = a.posts()
    assert len(said) == 4, said
    assert said[0] == f"A1 fish & chips ☕ https://books.example/list {a.tag.upper()} (Image: Three books)"
    assert [s.split()[1] for s in said[1:]] == ["second", "third", "last"]


def test_a_gap_is_filled_by_search_in_order_of_time(alone):
    a = alone
    a.x.api.horizon_ms = 0
    for n in range(130):  # two pages, from the window before the bot was there
        a.x.post(f"p{n % 7}", f"early {n} {a.tag}")
    with a.reading():
        a.clock.set(a.clock.now_ms() + 2 * MINUTE, 1.0)
        a.wait_post("early 129")
        said = [t for t in a.posts() if "early" in t]
        assert said == [f"early {n} {a.tag}" for n in range(130)]
        a.x.fail("GET /2/tweets/search/stream", 503)
        a.x.drop_stream("reset")
        time.sleep(0.3)
        a.x.post("eve", f"nobody listened {a.tag}")
        a.wait_reading(30)
        a.clock.set(a.clock.now_ms() + 1 * MINUTE, 1.0)
        a.wait_post("nobody listened")
    assert sum("nobody listened" in t for t in a.posts()) == 1


def test_edits_and_deletions_are_followed(alone):
    a = alone
    with a.reading():
        first = a.x.post("fay", f"A3 I ment that {a.tag}")
        a.wait_post("I ment that")
        second = a.x.edit(first["id"], f"A3 I meant that {a.tag}")
        a.wait_post("I meant that")
        assert len(a.posts()) == 1
        wait_for(lambda: a.x.state.subscriptions and a.x.stream_open("activity_stream"), 20)
        a.x.delete(second["id"])
        wait_for(lambda: a.posts() == [""], 20, 0.1, lambda: f"{a.posts()}\n{a.bot.tail()}")


def test_a_ghost_connection_does_not_stop_the_evening(alone):
    a = alone
    a.x.streams.knobs.ghost_s = 3600
    with a.bot:
        a.wait_reading()
    a.x.client_restarted()
    with a.bot:
        wait_for(lambda: ("DELETE /2/connections/all", 200) in a.x.calls, 20, 0.1, lambda: a.bot.tail())
        assert not a.x.stream_open()
        a.bot.wait_log("another connection is still open")


def test_questions_are_posted_once_whatever_the_answer(tmp_path):
    with Alone(tmp_path, CHAT_START_MS - MINUTE, 20.0, session=SHORT) as a:
        a.x.fail("POST /2/tweets", "lost")
        own = a.play()
        assert all(a.tag in t.lower() for t in own)
        assert not any("posts made with a link" == r["kind"] for r in a.bot.rows("SELECT kind FROM twitter_ledger"))
        assert a.x.violations == []
        assert a.x.state.ledger.count("create_url") == 0
        spent = a.bot.value("SELECT sum(cost) FROM twitter_ledger WHERE kind = 'posts made'")
        assert spent == 15 * len(own)


def test_nothing_is_spent_beyond_the_budget(tmp_path):
    with Alone(tmp_path, budget_day_cents=10) as a:
        with a.reading():
            for n in range(20):
                a.x.post(f"p{n}", f"number {n} {a.tag}")
            a.bot.wait_log("reading Twitter stops: today's budget of 10 cents is used up")
            wait_for(lambda: not a.x.stream_open(), 10)
        assert 5 <= len(a.posts()) <= 20
        assert a.x.violations == []


def test_the_other_dialect_is_found(tmp_path):
    with Alone(tmp_path) as a:
        a.x.api.dialect, a.x.api.horizon_ms = "post", 0
        a.x.post("ana", f"said before {a.tag}")
        with a.reading():
            a.clock.set(a.clock.now_ms() + 2 * MINUTE, 1.0)
            a.wait_post("said before")
            a.x.post("ana", f"said after {a.tag}")
            a.wait_post("said after")
        assert a.x.violations == []
