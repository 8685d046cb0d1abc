# SPDX-License-Identifier: MIT
"""An administrator confirms by encrypted private message whom the bot verifies: only one who is verified, only from a device
that is signed, never for themselves."""
import pytest
from clients import Matrix, wait_for
from e2ee_world import TwoHosts
from harness import quoted


class AdminChat(TwoHosts):
    """TwoHosts of whom `asha` is an administrator as well."""

    def configure(self):
        super().configure()
        with open(self.bot.folder / "hashroom.conf", "a") as file:
            file.write(f'role "admin" {{ accounts = {quoted([f"home/{self.asha.user_id}"])} }}\n')


@pytest.fixture(scope="module")
def chat(tmp_path_factory, synapse, ergo, js_peers):
    with AdminChat(tmp_path_factory.mktemp("operator"), synapse, ergo, js_peers, "opera").running() as c:
        c.begin("before any verification")
        c.admin_room = c.direct(c.asha)
        yield c


def answered(c, person, room, text, part):
    """What the bot says to a private message."""
    mark = len(person.events)
    person.say(room, text)
    return c.from_bot(person, part, room, since=mark)["content"]["body"]


def verified(c, person):
    return c.bot.value("SELECT verified FROM matrix_person WHERE user = ?", person.user_id) == 1


def test_who_was_never_compared_in_the_terminal_confirms_nobody(chat):
    c = chat
    answered(c, c.asha, c.admin_room, "!verify", "verify me yourself first")
    number, sas = c.asked(c.asha)
    answered(c, c.asha, c.admin_room, "!verify yes", "verify me yourself first")
    assert not verified(c, c.asha)
    c.shown(sas)
    c.confirmed(c.asha, number, lambda: c.tool("verify", "yes"))
    answered(c, c.asha, c.admin_room, "!verify", "Nobody is waiting to verify me")


def test_an_administrator_sees_the_same_and_confirms(chat):
    c = chat
    number, sas = c.asked(c.cai)
    c.shown(sas)
    answered(c, c.asha, c.admin_room, "!verify yes", "Please type !verify first")  # the terminal saw it, she did not
    text = answered(c, c.asha, c.admin_room, "!verify", "wants to verify me")
    assert c.cai.user_id in text and ", ".join(str(n) for n in sas["decimal"]) in text
    assert ", ".join(name.lower() for _, name in sas["emoji"]) in text.lower()
    c.confirmed(c.cai, number, lambda: answered(c, c.asha, c.admin_room, "!verify yes", "Thank you"))
    wait_for(lambda: verified(c, c.cai), 20, 0.2, c.bot.tail)
    answered(c, c.asha, c.admin_room, "!verify yes", "Nobody is waiting")
    c.both_ways("after a confirmation by private message")


def test_other_emoji_end_it(chat):
    c = chat
    number, _ = c.asked(c.cai)
    answered(c, c.asha, c.admin_room, "!verify", "wants to verify me")
    answered(c, c.asha, c.admin_room, "!verify no", "Nothing was verified")
    c.mismatched(c.cai, number)


def test_nobody_confirms_for_themselves(chat):
    c = chat
    number, sas = c.asked(c.asha)
    c.shown(sas)
    answered(c, c.asha, c.admin_room, "!verify", "Nobody is waiting to verify me")
    answered(c, c.asha, c.admin_room, "!verify yes", "Nobody is waiting to verify me")
    c.asha.do("cancel", id=number)


def test_hosts_plain_rooms_the_chat_and_unsigned_devices_confirm_nobody(chat, js_peers):
    c = chat
    answered(c, c.cai, c.direct(c.cai), "!verify", "Only administrators can use !verify")
    answered(c, c.asha, c.room, "!verify", "by private message alone")
    plain = Matrix(c.synapse.url, c.asha.user_id, c.asha.token).start()
    room = plain.create_room(public=False, invite=[c.user], is_direct=True)
    wait_for(lambda: c.reads(room), 30, 0.1, c.bot.tail)
    plain.say(room, "!verify yes")
    refusal = plain.wait(lambda e: e["sender"] == c.user and e.get("room_id", room) == room and
                         "body" in e["content"], 30)["content"]["body"]
    assert "in an encrypted room or private message, from a verified device" in refusal
    plain.stop()
    unsigned = js_peers.device(c.synapse, "operaasha", "operaasha2", cross_sign=False, strict=False)
    answered(c, unsigned, c.admin_room, "!verify yes", "from a verified device")
    c.both_ways("nobody was confirmed")
