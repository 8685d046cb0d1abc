# SPDX-License-Identifier: MIT
"""300 posts and 300 lines of people, 30 kills of the bot, faults of every kind on the way: each message is counted."""
import accounting
import pytest
from talk import print_counts

KILLS, SEED = 30, 20261006
MOST = {"post": 300, "irc": 100, "plain": 100, "matrix": 100}
PAUSES = {"post": (0.1, 0.5), "irc": (0.5, 1.3), "plain": (0.5, 1.3), "matrix": (0.5, 1.3)}


@pytest.fixture(scope="module")
def counted(tmp_path_factory, ergo, ngircd, synapse):
    w = accounting.make_world(tmp_path_factory.mktemp("account"), ergo, ngircd, synapse, "account")
    accounting.start(w)
    talk, result = accounting.run(w, SEED, KILLS, MOST, PAUSES, (0.3, 1.2))
    yield w, talk, result
    w.bot.kill9()
    w.close()


def test_nothing_is_lost_repeated_or_reordered(counted, capsys):
    w, talk, result = counted
    with capsys.disabled():
        print(f"\n  {result.kills} kills, {result.starts} starts, faults: {result.faults}")
        print(f"  lines on ngIRCd while the bot was not surely there: {result.not_counted} of {len(talk.said['plain'])}")
        print_counts(result.lines)
        print(f"  outcomes: {result.outcomes}; sent again on ngIRCd: {result.again}")
    assert len(talk.said["post"]) == 300 and sum(len(talk.said[k]) for k in ("irc", "plain", "matrix")) == 300
    result.check()


def test_every_delivery_has_one_outcome(counted):
    w, _, result = counted
    w.bot.assert_accounted()
    assert not any(states.keys() - {"delivered"} for states in result.outcomes.values()), result.outcomes
    assert w.bot.value("PRAGMA integrity_check") == "ok"
