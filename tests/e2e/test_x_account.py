# SPDX-License-Identifier: MIT
"""X refuses the account, the app or the money: one line that says what to do, and the bot goes on by itself afterwards."""
import pytest
from alone import MINUTE, Alone
from clients import wait_for
from harness import CHAT_START_MS

BOTH = "Twitter is neither read nor posted to"
STATES = {
    "credits": (BOTH, "the credits at Twitter are used up; top them up"),
    "spend-cap": (BOTH, "the spending limit of this billing cycle is reached; raise it"),
    "suspended": ("Twitter is not read", "Twitter has suspended or locked the account; sign in at x.com"),
    "not-enrolled": ("Twitter is not read", "the application has no access to the API; attach it to a project"),
    "usage-capped": ("Twitter is not read", "the month's reading allowance at Twitter is used up"),
    "unauthorized": ("Twitter is not read", "Twitter refused the credentials; check that the keys are current"),
}


def later(a, minutes=2):
    a.clock.set(a.clock.now_ms() + minutes * MINUTE, 1.0)


@pytest.mark.parametrize("state", STATES)
def test_a_refused_account_is_told_once_and_taken_up_without_a_restart(tmp_path, state):
    with Alone(tmp_path, ask_again="3s") as a:
        a.x.watch.pause_s = 3
        a.x.api.horizon_ms = 0
        what, words = STATES[state]
        with a.reading():
            a.x.post("ana", f"before {a.tag}")
            a.wait_post("before")
            a.x.script({"on": "GET *", "problem": state, "times": 0}, {"fault": "drop"})
            a.bot.wait_log(f"{what}: {words}")
            later(a)
            a.x.post("ana", f"meanwhile {a.tag}")
            asked = a.x.faults()[0]["hit"]
            wait_for(lambda: a.x.faults()[0]["hit"] > asked + 1, 30, 0.1, lambda: "X is not asked again\n" + a.bot.tail())
            assert a.bot.log().count(f"{what}: {words}") == 1, a.bot.tail()
            a.x.clear_faults()
            a.bot.wait_log("Twitter can be read again")
            a.wait_reading()
            later(a)
            a.wait_post("meanwhile")
            a.x.post("ana", f"afterwards {a.tag}")
            a.wait_post("afterwards")
            if what == BOTH:
                a.bot.wait_log("Twitter can be posted to again")
        assert [t.split()[0] for t in a.posts()] == ["before", "meanwhile", "afterwards"]
        assert a.x.violations == []


def test_questions_go_out_when_x_is_paid_again(tmp_path):
    with Alone(tmp_path, CHAT_START_MS - MINUTE, 20.0, ask_again="2s") as a:
        a.x.watch.pause_s = 2
        a.x.script({"on": "*", "problem": "credits", "times": 0})
        with a.bot:
            a.bot.wait_log("the credits at Twitter are used up")
            a.clock.sleep_until(CHAT_START_MS + 2 * MINUTE)  # what opens the chat could not go
            assert a.x.own_posts == []
            a.x.clear_faults()
            a.wait_own(1, 60)
        assert all(a.tag in p["text"].lower() for p in a.x.own_posts)
        assert len({p["text"] for p in a.x.own_posts}) == len(a.x.own_posts)
        assert a.x.violations == []
