# SPDX-License-Identifier: MIT
"""The matrix plugin against a real Synapse: two rooms of one chat, people in both."""
import contextlib
import http.client
import json
import re
import time
import urllib.parse

import pytest
from clients import Matrix, MatrixError, wait_for
from faultproxy import Proxy
from harness import Bot, ChatClock


class Chat:
    """A bot with a password, and rooms of one chat on one Synapse; the rooms relay to one another."""

    def __init__(self, folder, synapse, name, rooms=2, **options):
        self.synapse, self.name = synapse, name
        self.user = synapse.register(f"{name}bot")["user_id"]
        self.owner = Matrix.register(synapse, f"{name}asha").start()
        self.guest = Matrix.register(synapse, f"{name}ben").start()
        self.rooms = [self.owner.create_room(f"{name} {n}") for n in range(rooms)]
        for room in self.rooms:
            self.guest.join(room)
        self.bot = Bot(folder / name, ChatClock(folder / f"{name}.clock", int(time.time() * 1000)))
        self.options = {"rate_ms": 0, "burst": 0, **options}
        self.configure(self.rooms)

    def configure(self, rooms):
        lines = "".join(f'    room "home/{r}" {{ pace = full }}\n' for r in rooms)
        self.bot.host_file(f'chat "{self.name}" {{\n    tag = "#{self.name}"\n{lines}}}\n'
                           f'role "host" {{ accounts = {{ "home/{self.owner.user_id}" }}  chats = {{ "{self.name}" }} }}\n')
        from synapse import PASSWORD
        self.bot.plugin("matrix", {"home": {
            "homeserver": self.synapse.url, "user": self.user,
            "password_file": self.bot.secret("password", PASSWORD), **self.options}})
        self.bot.plugin("relay")

    def wait_in(self, *rooms):
        def here():
            assert self.bot.alive, self.bot.tail()
            return all(self.user in self.owner.members(r) for r in rooms or self.rooms)
        wait_for(here, 30, 0.1, lambda: "the bot is not in its rooms:\n" + self.bot.tail())
        # and reads: what is said after this counts
        wait_for(lambda: self.bot.value("SELECT count(*) FROM matrix_room WHERE last_event IS NOT NULL") >=
                 len(rooms or self.rooms), 30, 0.1, lambda: "the bot does not read its rooms:\n" + self.bot.tail())

    def relayed(self, room, part, timeout=20):
        """The bot's event in a room whose body holds `part`."""
        try:
            return self.guest.wait(lambda e: e["type"] == "m.room.message" and e["sender"] == self.user
                                   and e["room_id"] == room and part in e["content"].get("body", ""), timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.bot.tail()}") from None

    def close(self):
        self.owner.stop()
        self.guest.stop()


@contextlib.contextmanager
def chats(request, folder, server, **usual):
    """Makes chats of one test, on one server or another, and closes them."""
    made = []

    def make(server=server, **options):
        name = f"m{len(made)}{abs(hash(request.node.name)) % 10 ** 8}"
        made.append(Chat(folder, server, name, **{**usual, **options}))
        return made[-1]
    try:
        yield make
    finally:
        for one in made:
            one.close()


@pytest.fixture
def chat(request, tmp_path, synapse):
    with chats(request, tmp_path, synapse) as make:
        yield make


def test_words_go_both_ways_with_replies_edits_redactions_and_pictures(chat):
    c = chat()
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        first = c.owner.say(one, "Hello from the first room")
        there = c.relayed(two, "Hello from the first room")
        assert there["content"] == {"msgtype": "m.text", "m.mentions": {},
                                    "body": f"{c.name}asha on Matrix: Hello from the first room"}
        c.guest.say(two, "Hello back")
        c.relayed(one, f"{c.name}ben on Matrix: Hello back")

        answer = c.guest.reply(two, there["event_id"], "I am Ben")
        back = c.relayed(one, "I am Ben")
        assert back["content"]["m.relates_to"] == {"m.in_reply_to": {"event_id": first}} or "replying to" in back["content"]["body"]

        c.guest.edit(two, answer, "I am Ben, really")
        edit = c.relayed(one, "really")
        assert edit["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": back["event_id"]}
        assert edit["content"]["m.new_content"]["body"].endswith("I am Ben, really")

        c.owner.send_event(one, "m.room.message", {"msgtype": "m.image", "body": "A ramp beside steps", "filename": "a.png",
                                                   "url": "mxc://hs.test/x"})
        c.relayed(two, "(Image: A ramp beside steps)")
        c.owner.send_event(one, "m.room.message", {"msgtype": "m.image", "body": "a.png", "url": "mxc://hs.test/x"})
        c.relayed(two, "(Image with no description.)")

        c.owner.redact(one, first)
        gone = c.guest.wait(lambda e: e["type"] == "m.room.redaction" and e["room_id"] == two)
        assert gone["content"].get("redacts", gone.get("redacts")) == there["event_id"]
        c.bot.wait_settled()
    c.bot.assert_accounted()


def test_a_notice_of_another_bot_is_no_command_and_own_words_are_not_read(chat):
    c = chat()
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        c.owner.say(one, "!help", msgtype="m.notice")
        c.owner.say(one, "end of test")
        c.relayed(two, "end of test")
        time.sleep(1)
        assert c.guest.said(one, c.user) == []
        assert len(c.guest.said(two, c.user)) <= 2


def test_the_name_of_who_speaks_stands_after_a_restart_too(chat):
    """Synapse sends the name of a speaker once to a device, for half an hour; the bot stores none."""
    c = chat()
    one, two = c.rooms
    c.owner.api("PUT", f"/profile/{c.owner.user_id}/displayname", {"displayname": "Asha of the hall"})
    with c.bot:
        c.wait_in()
        c.owner.say(one, "before")
        assert c.relayed(two, "before")["content"]["body"] == "Asha of the hall on Matrix: before"
    with c.bot:
        c.owner.say(one, "after")
        assert c.relayed(two, "after")["content"]["body"] == "Asha of the hall on Matrix: after"
        c.owner.api("PUT", f"/profile/{c.owner.user_id}/displayname", {"displayname": "Asha"})
        c.guest.wait(lambda e: e["room_id"] == one and e["content"].get("displayname") == "Asha")  # Synapse takes its time
        c.owner.say(one, "renamed")
        assert c.relayed(two, "renamed")["content"]["body"] == "Asha on Matrix: renamed"


def test_a_restart_keeps_the_session_repeats_nothing_and_fills_the_gap(chat):
    c = chat()
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        c.owner.say(one, "before")
        c.relayed(two, "before")
        c.bot.wait_settled()
    device = c.bot.value("SELECT device FROM matrix_account")
    for n in range(130):  # more than one reply of the long poll holds
        c.owner.say(one, f"meanwhile {n:03}")
    with c.bot:
        c.relayed(two, "meanwhile 129", 60)
        c.bot.wait_settled()
    assert c.bot.value("SELECT device FROM matrix_account") == device
    lines = [line for t in c.guest.said(two, c.user) for line in t.split("\n")]  # a room far behind gets several in one
    assert [line.split(": ", 1)[1] for line in lines] == ["before"] + [f"meanwhile {n:03}" for n in range(130)]
    c.bot.assert_accounted()


def test_a_killed_bot_repeats_nothing(chat):
    c = chat()
    one, two = c.rooms
    c.bot.start()
    c.wait_in()
    for n in range(60):
        c.owner.say(one, f"line {n:02}")
        if n % 15 == 7:
            c.bot.kill9()
            c.bot.start()
    c.relayed(two, "line 59", 60)
    c.bot.wait_settled()
    c.bot.stop()
    texts = [t.split(": ", 1)[1] for t in c.guest.said(two, c.user)]
    assert texts == [f"line {n:02}" for n in range(60)]
    c.bot.assert_accounted()


def test_a_server_that_restarts_is_found_again(chat, synapse):
    c = chat()
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        synapse.stop()
        time.sleep(3)
        synapse.launch()
        c.owner.say(one, "back again")
        c.relayed(two, "back again", 60)
        c.bot.wait_settled()


def test_a_room_that_becomes_encrypted_is_sealed_and_gets_no_plain_word(chat):
    c = chat(rooms=3)
    one, two, three = c.rooms
    with c.bot:
        c.wait_in()
        c.owner.api("PUT", f"/rooms/{urllib.parse.quote(three)}/state/m.room.encryption",
                    {"algorithm": "m.megolm.v1.aes-sha2"})
        c.guest.wait(lambda e: e["sender"] == c.user and e["room_id"] == three and e["type"] == "m.room.encrypted")
        c.owner.say(one, "for all rooms")
        c.relayed(two, "for all rooms")
        c.owner.say(three, "plain words in the encrypted room")
        c.owner.say(one, "second")
        c.relayed(two, "second")
        c.bot.wait_log("wrote in plain text")
    with c.bot:
        c.owner.say(one, "after a restart")
        c.relayed(two, "after a restart")
    assert c.guest.said(three, c.user) == []
    assert not any("plain words" in text for text in c.guest.said(two, c.user))
    assert c.bot.value("SELECT count(*) FROM message WHERE text LIKE 'plain words%'") == 0


def test_closed_rooms_are_joined_by_invite_and_an_alias_is_resolved(chat):
    c = chat()
    closed = c.owner.create_room("closed", public=False)
    named = c.owner.create_room("named", room_alias_name=c.name)
    c.rooms = [closed, named]
    c.configure([closed, f"#{c.name}:hs.test"])
    with c.bot:
        c.bot.wait_log(f"invite {c.user}")
        c.owner.invite(closed, c.user)
        c.wait_in()
        c.owner.say(closed, "from the closed room")
        c.owner.wait(lambda e: e["sender"] == c.user and e["room_id"] == named)


def test_private_rooms_are_for_members_only(chat):
    c = chat()
    stranger = Matrix.register(c.synapse, f"{c.name}zoe").start()
    with c.bot:
        c.wait_in()
        private = c.guest.create_room(public=False, invite=[c.user], is_direct=True)
        wait_for(lambda: c.user in c.guest.members(private), message=c.bot.tail)
        c.guest.say(private, "!help")
        c.guest.wait(lambda e: e["room_id"] == private and e["sender"] == c.user and e["type"] == "m.room.message")
        strange = stranger.create_room(public=False, invite=[c.user], is_direct=True)
        stranger.wait(lambda e: e["room_id"] == strange and e["type"] == "m.room.member" and e.get("state_key") == c.user
                      and e["content"]["membership"] == "leave")
        hidden = c.guest.create_room(public=False, invite=[c.user], is_direct=True, initial_state=[
            {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}])
        wait_for(lambda: c.user in c.guest.members(hidden), message=c.bot.tail)
        c.guest.say(hidden, "!help")
        c.guest.wait(lambda e: e["room_id"] == hidden and e["sender"] == c.user and e["type"] == "m.room.encrypted")
        assert c.guest.said(hidden, c.user) == []
        c.guest.api("POST", f"/rooms/{urllib.parse.quote(private)}/leave", {})
        c.bot.wait_log("Nobody else is here any more")
    stranger.stop()


def test_after_a_kick_the_bot_stays_out_until_the_host_invites_it(chat):
    c = chat()
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        c.owner.api("POST", f"/rooms/{urllib.parse.quote(two)}/kick", {"user_id": c.user, "reason": "a test"})
        c.bot.wait_log("stays out")
    with c.bot:
        time.sleep(2)
        assert c.user not in c.owner.members(two)
        c.owner.invite(two, c.user)
        wait_for(lambda: c.user in c.owner.members(two), message=c.bot.tail)
        c.owner.say(two, "you are back")
        c.relayed(one, "you are back")


def test_an_upgraded_room_is_followed(chat):
    c = chat()
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        new = c.owner.api("POST", f"/rooms/{urllib.parse.quote(two)}/upgrade", {"new_version": "12"})["replacement_room"]
        wait_for(lambda: c.user in c.owner.members(new), 30, 0.2, c.bot.tail)
        c.owner.say(one, "to the new room")
        c.owner.wait(lambda e: e["room_id"] == new and e["sender"] == c.user and "new room" in e["content"].get("body", ""),
                     40)
        c.owner.say(new, "from the new room")
        c.relayed(one, "from the new room")
    with c.bot:
        c.owner.say(new, "still here")
        c.relayed(one, "still here")


def test_the_servers_default_limits_are_kept_without_a_429(tmp_path, synapse_default):
    c = Chat(tmp_path, synapse_default, "limits", rate_ms=5000, burst=10)
    one, two = c.rooms
    try:
        with c.bot:
            c.wait_in()
            for n in range(8):
                c.owner.say(one, f"line {n}")
            c.relayed(two, "line 7", 90)
            c.bot.wait_settled(90)
            assert "limits this account further" not in c.bot.log()
        said = "\n".join(c.guest.said(two, c.user)).split("\n")  # lines that waited for a token share an event
        assert [t.split(": ", 1)[1] for t in said] == [f"line {n}" for n in range(8)]
    finally:
        c.close()


def test_a_429_is_obeyed_and_nothing_is_lost(tmp_path):
    from synapse import Synapse
    with Synapse(extra={"rc_message": {"per_second": 1, "burst_count": 3}}) as server:
        c = Chat(tmp_path, server, "slow")
        one, two = c.rooms
        try:
            with c.bot:
                c.wait_in()
                for n in range(12):
                    c.owner.say(one, f"line {n:02}")
                c.relayed(two, "line 11", 60)
                c.bot.wait_settled()
            said = "\n".join(c.guest.said(two, c.user)).split("\n")  # a second 429 makes lines share an event
            assert [t.split(": ", 1)[1] for t in said] == [f"line {n:02}" for n in range(12)]
            c.bot.assert_accounted()
        finally:
            c.close()


# ---- poison, sent for real -----------------------------------------------------------------

def raw(server, token, method, path, body):
    """A request whose body is bytes, for JSON that no encoder writes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(method, "/_matrix/client/v3" + path, body,
                       {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.status


POISON = {
    "NUL in a value": b'"a\\u0000b"',
    "NUL in a key": b'{"a\\u0000b":1}',
    "integer beyond int64": b"99999999999999999999999",
    "2^53 + 1": b"9007199254740993",
    "float": b"1.5",
    "1e400": b"1e400",
    "lone surrogate": b'"\\ud800"',
    "nested 900": b'{"a":' * 900 + b"1" + b"}" * 900,
    "nested 3000": b"[" * 3000 + b"]" * 3000,
}


def test_poisoned_events_of_rooms_and_devices_do_not_stop_the_reading(chat):
    c = chat()
    one, two = c.rooms
    accepted = []
    with c.bot:
        c.wait_in()
        room = urllib.parse.quote(one)
        for number, (name, value) in enumerate(POISON.items()):
            event = b'{"msgtype":"m.text","body":"odd","v":' + value + b"}"
            if raw(c.synapse, c.owner.token, "PUT", f"/rooms/{room}/send/m.room.message/poison{number}", event) == 200:
                accepted.append("room: " + name)
            device = b'{"messages":{"' + c.user.encode() + b'":{"*":{"v":' + value + b"}}}}"
            if raw(c.synapse, c.owner.token, "PUT", f"/sendToDevice/m.odd/poison{number}", device) == 200:
                accepted.append("device: " + name)
            try:
                c.owner.say(one, f"after {name}")
            except MatrixError as error:
                raise AssertionError(f"{name}: {error}") from None
            wait_for(lambda n=name: c.bot.value("SELECT count(*) FROM message WHERE text = ?", f"after {n}") == 1, 20, 0.1,
                     lambda n=name: f"{n}: reading stopped\n{c.bot.tail()}")
        c.bot.wait_settled()
    print("accepted by the server:", json.dumps(accepted, indent=1))
    assert {"room: NUL in a key", "device: integer beyond int64", "device: nested 900"} <= set(accepted)


def test_reading_goes_on_by_a_filter_that_the_server_keeps(chat, synapse):
    with contextlib.closing(Proxy(synapse.port, "http")) as proxy:
        c = chat(homeserver=f"http://127.0.0.1:{proxy.port}")
        one, two = c.rooms
        by_id = lambda: [name for _, name in proxy.requests if re.search(r"/sync\?.*&filter=\d+$", name)]  # noqa: E731
        with c.bot:
            c.wait_in()
            n = 0
            while len(by_id()) < 3:  # each line answers one request
                c.owner.say(one, f"by the filter {n}")
                c.relayed(two, f"by the filter {n}")
                n += 1
                assert n < 200, proxy.requests[-5:]
                time.sleep(0.1)
            c.bot.wait_settled()
