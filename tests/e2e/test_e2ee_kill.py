# SPDX-License-Identifier: MIT
"""kill -9 at 60 random moments of an encrypted chat of three people: no message index twice, nothing that stays
unreadable, nothing repeated, every message accounted for. At full length: make soak, part "sealed"."""
import pytest
from e2ee_kill import KilledChat

KILLS, MESSAGES = 60, 600


@pytest.fixture(scope="module")
def killed(tmp_path_factory, synapse, ergo, js_peers):
    c = KilledChat(tmp_path_factory.mktemp("kill"), synapse, ergo, js_peers, "ekill")
    # from before it is logged in to the middle of its work
    yield c.run(KILLS, MESSAGES, (0.1, 0.5), lambda chance: chance.uniform(0.05, 1.9))
    c.close()


def test_everything_arrived_once_and_in_order(killed, capsys):
    with capsys.disabled():
        print("\n  " + killed.report())
    killed.check_arrived()


def test_no_message_index_was_used_twice(killed):
    killed.check_indexes()


def test_nothing_stayed_unreadable(killed):
    killed.check_readable()


def test_the_accounting_is_whole(killed):
    killed.check_accounting()
