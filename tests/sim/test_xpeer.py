# SPDX-License-Identifier: MIT
"""The simulator as a process: what it has after SIGKILL, and what it answers while it stands still."""
import os
import signal

import pytest
from test_xsim import TAG, add_rule, call, create, search
from xpeer import XPeer

RULES = "/2/tweets/search/stream/rules"


@pytest.fixture
def peer(tmp_path):
    (tmp_path / "clock").write_text("0 0 1.0\n")
    with XPeer(str(tmp_path / "clock"), rule_delay_s=0.0, unlimited=True) as process:
        yield process


def kill(peer):
    os.kill(peer.pid, signal.SIGKILL)
    assert peer.process.wait() == -signal.SIGKILL


def test_after_a_kill_it_has_its_posts_and_rules_on_the_same_port(peer):
    theirs = peer.post("ana", f"A1 poems {TAG}", photos=["Three books"])
    add_rule(peer, TAG)
    rules = call(peer, "GET", RULES)[1]["data"]
    ours = create(peer, f"Q1 {TAG}")[1]["data"]["id"]
    kill(peer)
    peer.launch()
    assert [post["id"] for post in peer.own_posts] == [ours] and call(peer, "GET", RULES)[1]["data"] == rules
    assert call(peer, "GET", "/2/tweets?ids=" + theirs["id"])[1]["data"][0]["text"] == theirs["text"]
    assert create(peer, f"Q1 {TAG}")[0] == 403  # it knows its words again
    assert int(peer.post("ana", "later")["id"]) > int(ours)


def test_what_was_done_without_an_answer_is_there_after_a_kill(peer):
    peer.script({"on": "POST /2/tweets", "fault": "lost"})
    with pytest.raises(OSError):
        create(peer, f"Q1 {TAG}")
    kill(peer)
    peer.launch()
    assert [post["text"] for post in peer.own_posts] == [f"Q1 {TAG}"]


def test_forgetting_leaves_nothing(peer):
    create(peer, f"Q1 {TAG}")
    add_rule(peer, TAG)
    kill(peer)
    peer.forget()
    peer.launch()
    assert peer.own_posts == [] and "data" not in call(peer, "GET", RULES)[1]


def test_while_it_stands_still_requests_wait(peer):
    os.kill(peer.pid, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            peer.admin("own_posts", timeout_s=0.5)
    finally:
        os.kill(peer.pid, signal.SIGCONT)
    assert search(peer)[0] == 200
