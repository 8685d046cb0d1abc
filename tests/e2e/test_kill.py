# SPDX-License-Identifier: MIT
"""kill -9 at 50 random moments of an evening, on a restart loop; then every message is counted."""
import json
import random
import time

import pytest
from clients import wait_for
from harness import CHAT_START_MS, RestartLoop
from talk import MARK, Talk, counts, print_counts, rooms
from world import QUESTIONS, World

SPEED, MINUTE, KILLS, SEED = 10, 60_000, 50, 20260929
SESSION = {"length": "40m", "welcome": "3m", "question_length": "7m", "closing": "5m", "reminders": []}


@pytest.fixture(scope="module")
def evening(tmp_path_factory, ergo, ngircd, synapse):
    w = World("kill", tmp_path_factory.mktemp("kill"), ergo, ngircd, synapse, CHAT_START_MS - 5 * MINUTE, SPEED,
              session=SESSION, matrix={"rate_ms": 0, "burst": 0})
    w.x.api.unlimited = True
    w.ann, w.pat, w.mia = w.irc("ann"), w.plain("killpat"), w.matrix("mia")
    chance = random.Random(SEED)
    w.bot.start()
    w.wait_ready(w.ann, w.pat)
    w.wait_reading()
    w.clock.sleep_until(CHAT_START_MS - MINUTE // 2)
    end_ms = CHAT_START_MS + 40 * MINUTE
    with RestartLoop(w.bot, w.x.client_restarted) as loop:
        with Talk(w, SEED) as talk:
            moments = sorted(chance.uniform(CHAT_START_MS, end_ms - MINUTE) for _ in range(KILLS))
            for moment in moments:
                w.clock.sleep_until(moment)
                wait_for(lambda: w.bot.alive, 10)
                loop.kill()
            w.clock.sleep_until(end_ms - MINUTE // 2)
        w.mia.wait_text("has ended. Thank you", w.rooms[0], timeout=90)
        time.sleep(12)  # the search after the end fetches what the stream missed
        w.bot.wait_settled(120)
    w.bot.stop()
    w.talk = talk
    yield w
    w.bot.kill9()
    w.close()


def test_the_evening_is_whole_after_fifty_kills(evening, capsys):
    w = evening
    lines = counts(w, w.talk.said)
    unknown = sum(a.get("unknown", 0) for a in w.bot.accounting().values())
    with capsys.disabled():
        print(f"\n  {w.bot.starts} starts, {KILLS} kills; unknown: {unknown}")
        print_counts(lines)
    for kind, room, sent, lost, repeated, reordered, late in lines:
        assert reordered == 0, (kind, room)
        if room in ("Matrix", "Ergo"):
            assert repeated == 0, (kind, room)
        if kind in ("matrix", "post", "irc") and room in ("Matrix", "Ergo"):
            assert lost == 0, (kind, room)


def test_the_accounting_adds_up(evening):
    evening.bot.assert_accounted(unknown=10**9)
    logged = {row["text"] for row in evening.bot.rows("SELECT text FROM message WHERE state = 'live'")}
    for kind in ("matrix", "post"):
        have = {int(m[2]) for t in logged for m in MARK.finditer(t) if m[1] == kind}
        assert set(evening.talk.said[kind]) <= have, kind


def test_each_question_is_stated_and_none_twice(evening):
    for room, texts in rooms(evening).items():
        away = sum("I was away for" in t for t in texts)
        for n, question in enumerate(QUESTIONS, 1):
            times = sum(f"Question {n} of 4: {question}" in t for t in texts)
            assert times >= 1, (room, n)
            if room != "ngIRCd":  # there nobody can tell whether a line arrived
                assert times <= 1 + away, (room, n)
    posts = [p["text"].split(":")[0] for p in evening.x.own_posts]
    assert sorted(set(posts)) == sorted(posts), posts


def test_links_from_x_and_matrix_are_whole(evening):
    w = evening
    done = w.bot.command("export", "links", "-c", str(w.bot.folder), "--format", "json")
    assert done.returncode == 0, done.stderr
    listed = [link["url"] for session in json.loads(done.stdout)["sessions"] for link in session["links"]]
    assert len(listed) == len(set(listed))
    want = {link for kind, link in w.talk.links if kind in ("matrix", "post")}
    assert want <= set(listed)


def test_x_had_nothing_to_complain_about(evening):
    assert evening.x.violations == []
