# SPDX-License-Identifier: MIT
"""The whole evening in encrypted rooms: the co-host leads it by encrypted private message, all clients are strict."""
import time

import pytest
from clients import wait_for
from e2ee_clients import assert_no_index_twice, megolm_place
from e2ee_world import AGREE
from test_evening import (  # noqa: F401 - the same questions are asked of this evening
    Evening, test_all_deliveries_are_accounted_for, test_each_question_is_in_each_room_once_and_in_order,
    test_every_link_is_listed_once_with_its_question, test_nothing_is_repeated_or_out_of_order,
    test_only_the_host_ended_or_the_clock, test_questions_are_handed_to_their_network_within_three_seconds,
    test_what_the_bot_said_can_be_heard, test_x_had_nothing_to_complain_about)
from world import World


class SealedWorld(World):
    """World with encrypted rooms, its people on Matrix with strict Rust crypto."""

    def __init__(self, peers, *args, **more):
        self.peers = peers
        super().__init__(*args, **more)

    def somebody(self, name):
        return self.peers.person(self.synapse, f"{self.name}{name}")


class SealedEvening(Evening):
    def __init__(self, peers, name, folder, ergo, ngircd, synapse):
        self.peers = peers
        super().__init__(name, folder, ergo, ngircd, synapse, True)

    def make_world(self, *args, **more):
        return SealedWorld(self.peers, *args, matrix={"rate_ms": 0, "burst": 0}, **more)

    def prepared(self):
        w = self.world
        for room in w.rooms:  # what is said before the bot has read the room is nothing to it, and it says there first what consent is
            wait_for(lambda r=room: w.bot.value("SELECT count(*) FROM matrix_room WHERE room_id = ? AND last_event IS NOT NULL",
                                                r), 60, 0.1, w.bot.tail)
            w.owner.say(room, AGREE)
            w.owner.wait(lambda e, r=room: e["room_id"] == r and e["sender"] == w.matrix_bot.user_id and
                         "A host agreed" in e["content"].get("body", ""), 30)
        self.direct = w.owner.create_room(invite=[w.matrix_bot.user_id], direct=True)
        w.owner.wait_member(self.direct, w.matrix_bot.user_id)

    def _host(self):
        w = self.world

        def command(text, part, timeout=40):
            w.owner.say(self.direct, text)
            return w.ann.wait_text(part, w.channel, timeout)
        command("!start", "Welcome to the")
        for n in range(1, 5):
            w.owner.say(self.direct, "!next")
            self._opened(n, 20)
            time.sleep(3)
            self._people(n)
            if n == 1:
                command("!extend 5", "5 more minutes on question 1")
                self._attacks()
            if n == 2:
                command("!pause 1", "paused for")
                w.ann.wait_text("The chat has started again", w.channel, 60)
            time.sleep(9)
        w.owner.say(self.direct, "!end")


@pytest.fixture(scope="module")
def evening(tmp_path_factory, ergo, ngircd, synapse, js_peers):
    e = SealedEvening(js_peers, "enc", tmp_path_factory.mktemp("enc"), ergo, ngircd, synapse)
    e.run()
    yield e
    e.world.bot.kill9()
    e.world.close()


def test_the_evening_reached_its_end(evening):
    if evening.error:
        raise AssertionError(f"{evening.error}\n{evening.world.bot.tail()}") from evening.error


def test_all_that_was_said_left_encrypted_and_without_a_warning(evening):
    w = evening.world
    bot = w.matrix_bot.user_id
    for room in [*w.rooms, evening.direct]:
        said = [e for e in w.owner.history(room, 3000) if e["sender"] == bot and "state_key" not in e]
        assert {e["type"] for e in said} <= {"m.room.encrypted", "m.room.redaction", "m.reaction"}, room
        assert_no_index_twice([megolm_place(e["content"]) for e in said if e["content"].get("ciphertext")])
    for person in (w.owner, w.mia):
        assert not person.undecryptable()
        for event in [e for e in person.events if e["sender"] == bot and e["encrypted"]]:
            person.assert_trusted(event)
