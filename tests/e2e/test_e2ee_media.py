# SPDX-License-Identifier: MIT
"""Pictures into, out of and between encrypted rooms, by each kind of client: strict Rust crypto, lax Rust crypto, and nio. Each
of them reads whatever another one sent, hash checked."""
import pytest
from clients import wait_for
from e2ee_clients import NioMatrix
from e2ee_world import AGREE
from harness import quoted
from test_media import MediaChat, download, get, png

KINDS = ("strict", "lax", "nio")


class TwoSealed(MediaChat):
    """MediaChat with a second encrypted room; a client of each kind is a host and in both."""

    def __init__(self, folder, synapse, ergo, peers, name, **options):
        self.clients = {"lax": peers.person(synapse, f"{name}lax", strict=False), "nio": NioMatrix(folder, synapse, f"{name}nio")}
        self.other = None
        super().__init__(folder, synapse, ergo, peers, name, hosts=[p.user_id for p in self.clients.values()], **options)
        self.clients["strict"] = self.asha
        self.people.extend(self.clients[k] for k in ("lax", "nio"))
        self.other = self.asha.create_room(f"{name}other", invite=[self.user])
        for person in (self.clients["lax"], self.clients["nio"]):
            for room in (self.room, self.other):
                self.asha.invite(room, person.user_id)
                person.join(room)
                self.asha.wait_member(room, person.user_id)
        for room in (self.room, self.other):
            self.clients["nio"].knows_encrypted(room)
        self.options["invite_from"].append(self.dora.user_id)
        self.configure()

    def configure(self):
        super().configure()
        hosts = [f"home/{u}" for u in [self.asha.user_id, *self.more_hosts]]
        path = self.bot.folder / "hashroom.conf"
        text = path.read_text().replace(quoted([f"home/{self.asha.user_id}"]), quoted(hosts))
        if self.other:
            text = text.replace(f'room "home/{self.room}"', f'room "home/{self.other}" {{ pace = full }}\n    '
                                                            f'room "home/{self.room}"')
        path.write_text(text)


@pytest.fixture(scope="module")
def chat(tmp_path_factory, synapse, ergo, js_peers):
    c = TwoSealed(tmp_path_factory.mktemp("between"), synapse, ergo, js_peers, "between", media="roles", media_max_mb=1)
    with c.running():
        for room in (c.room, c.other):
            wait_for(lambda r=room: c.reads(r), 60, 0.1, c.bot.tail)
            c.asha.say(room, AGREE)
            c.from_bot(c.asha, "A host agreed", room)
        wait_for(lambda: c.reads(c.open_room), 30, 0.1, c.bot.tail)
        c.both_ways("before any picture")
        yield c
        c.bot.wait_settled()
        for room in (c.room, c.other):
            c.assert_nothing_plain(room)


def assert_everybody_has_it(c, room, words, data):
    """In an encrypted room, as the bot says it: a picture, sealed, the same bytes for each kind of client."""
    for kind, person in c.clients.items():
        event = c.from_bot(person, words, room, 60)
        content = event["content"]
        assert content["msgtype"] == "m.image" and "url" not in content, (kind, content)
        assert person.fetch(event) == data, kind
        if kind != "nio":
            person.assert_trusted(event)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sealed_picture_comes_into_the_other_rooms_and_is_linked(chat, kind):
    c, data, words = chat, png(), f"A picture from {kind}"
    c.clients[kind].attach(c.room, data, "p.png", "image/png", words)
    assert get(c.link(f"(Image: {words})"))[2] == data
    plain = c.in_open(words)["content"]
    assert plain["msgtype"] == "m.image" and download(c.dora, plain["url"]) == data
    assert_everybody_has_it(c, c.other, words, data)


def test_a_plain_picture_comes_into_both_encrypted_rooms(chat):
    c, data, words = chat, png(), "A picture from the plain room"
    c.post_open(c.open_asha, data, words)
    for room in (c.room, c.other):
        assert_everybody_has_it(c, room, words, data)


def test_what_was_sealed_for_one_room_is_sealed_anew_for_the_other(chat):
    """Neither key nor ciphertext is used twice."""
    c, data, words = chat, png(), "A picture sealed anew"
    c.asha.attach(c.room, data, "p.png", "image/png", words)
    sent = c.clients["lax"].wait(lambda e: e["content"].get("body") == words)["content"]["file"]
    came = c.from_bot(c.asha, words, c.other)["content"]["file"]
    assert came["key"]["k"] != sent["key"]["k"] and came["iv"] != sent["iv"] and came["url"] != sent["url"]
