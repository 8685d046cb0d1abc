# SPDX-License-Identifier: MIT
"""Rooms under pressure: calm ones, lines that share an event at a default homeserver, what is left out aloud."""
import concurrent.futures
import time

import pressure
import pytest
from clients import wait_for
from synapse import Synapse
from world import World

MINUTE = 60_000


@pytest.fixture(scope="module")
def calm(tmp_path_factory, ergo, ngircd, synapse):
    w = World.quiet("calm", tmp_path_factory.mktemp("calm"), ergo, ngircd, synapse, chat={"pace": "calm"})
    w.ann, w.mia = w.irc("calmann"), w.matrix("mia")
    with w.running(w.ann):
        yield w


def test_what_a_calm_room_has_no_time_for_is_left_out_aloud_and_can_be_read(calm):
    w = calm
    w.clock.set(w.clock.now_ms(), 0.01)  # else a slow machine shows a second one
    for n in range(9):
        w.x.post("ben_r", f"busy post {n} {w.tag}", name="Ben")
    w.ann.wait_text("busy post 0", w.channel, 60)
    w.mia.wait_text("busy post 0", w.rooms[0], 60)
    wait_for(lambda: w.bot.value("SELECT count(*) FROM message WHERE text LIKE 'busy post%'") == 9, 60)
    mark = w.ann.mark()
    w.ann.say(w.channel, "people are not held back")
    w.mia.wait_text("people are not held back", w.rooms[0], 10)
    w.clock.set(w.clock.now_ms() + 11 * MINUTE, 1.0)
    w.ann.wait_text("I left out 8 older messages from Twitter. To see them, type !missed", w.channel, 60)
    w.mia.wait_text("I left out 8 older messages from Twitter", w.rooms[0], 60)
    w.ann.say(w.channel, "!missed")
    w.ann.wait_text("There are 3 more. To see them, type !missed", w.channel, 60, mark)
    w.ann.say(w.channel, "!missed")
    w.ann.wait_text("busy post 8", w.channel, 60, mark)
    shown = [t for t in w.ann.said(w.channel) if "busy post" in t]
    assert [t.split("post ")[1][0] for t in shown] == [str(n) for n in range(9)], shown
    w.ann.say(w.channel, "!missed")
    w.ann.wait_text("you have seen them all", w.channel, 60, mark)
    outcomes = w.bot.accounting()
    assert outcomes[f"one/{w.channel}"]["named"] == 8, outcomes


@pytest.fixture(scope="module")
def pressed(tmp_path_factory, ergo, ngircd, synapse_default):
    """Synapse with its default limits: one event in 5 s."""
    w = World.quiet("press", tmp_path_factory.mktemp("press"), ergo, ngircd, synapse_default, matrix={})
    w.ann, w.mia = w.irc("pressann"), w.matrix("mia")
    with w.running(w.ann, settle_s=120):
        yield w


def test_lines_share_an_event_when_the_budget_is_small(pressed):
    w = pressed
    for n in range(30):
        w.ann.say(w.channel, f"line number {n:02d} of a busy minute")
    start = time.monotonic()
    w.mia.wait_text("line number 29", w.rooms[0], 60)
    print(f"\n  30 lines through a default homeserver: {time.monotonic() - start:.1f} s")
    bodies = [t for t in w.mia.said(w.rooms[0]) if "line number" in t]
    lines = [line for body in bodies for line in body.split("\n")]
    assert [line for line in lines] == [f"pressann on IRC: line number {n:02d} of a busy minute" for n in range(30)]
    assert len(bodies) < 30


def test_taking_one_back_takes_its_words_out_of_the_room(pressed):
    w = pressed
    posts = [w.x.post("cai", f"merged post {n} {w.tag}", name="Cai") for n in range(5)]
    w.mia.wait_text("merged post 4", w.rooms[0], 90)
    w.bot.wait_settled(60)
    together = [t for t in w.mia.said(w.rooms[0]) if "merged post 2" in t]
    assert together and "merged post 3" in together[0], together
    w.x.delete(posts[2]["id"])
    wait_for(lambda: not any("merged post 2" in str(content) for content in w.standing(w.mia)), 120, 0.5,
             lambda: "the words are still in the room:\n" + w.bot.tail())
    w.bot.wait_settled(60)
    for n in (0, 1, 3, 4):
        assert sum(f"merged post {n}" in str(content.get("body")) for content in w.standing(w.mia)) == 1, n


# ---- minutes of everything at once -----------------------------------------------------

@pytest.fixture(scope="module")
def busy(tmp_path_factory, ergo, ngircd, synapse_default):
    """Full rooms, calm ones, and full ones whose homeserver stands still for a while: side by side, two minutes."""
    with Synapse(limits=True) as stopped:
        made = {name: pressure.make_world(tmp_path_factory.mktemp(name), ergo, ngircd, server, name, pace, 2)
                for name, server, pace in (("busyfull", synapse_default, "full"), ("busycalm", synapse_default, "calm"),
                                           ("busystall", stopped, "full"))}
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for w in made.values():
                w.bot.start()
            runs = {name: pool.submit(pressure.Pressure(w, 2, 70 if name == "busystall" else 0).run)
                    for name, w in made.items()}
            done = {name: run.result() for name, run in runs.items()}
        yield done
        for run in done.values():
            run.w.bot.stop()
            run.w.close()


@pytest.mark.parametrize("pace", ["full", "calm"])
def test_people_and_questions_overtake_a_flood_of_posts(busy, pace, capsys):
    run = busy["busy" + pace]
    run.leave_out()
    with capsys.disabled():
        print()
        run.table()
    run.check_posts()
    run.check_missed()
    run.w.bot.wait_settled(60)
    run.w.bot.assert_accounted()
    run.check_times()


def test_a_homeserver_that_stands_still_changes_nothing_on_irc(busy, capsys):
    run = busy["busystall"]
    people, posts = run.catch_up()
    with capsys.disabled():
        print()
        run.table()
        print(f"  stalled for {run.stalled[1] - run.stalled[0]:.0f} s; caught up after: people {people:.1f} s, "
              f"posts {posts:.1f} s")
    run.check_times(("Ergo", "ngIRCd"))
    assert people < pressure.CATCH_UP_S and posts < pressure.CATCH_UP_S
