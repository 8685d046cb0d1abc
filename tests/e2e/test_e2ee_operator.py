# SPDX-License-Identifier: MIT
"""An administrator confirms by encrypted private message whom the bot verifies: only one who is verified, only from a device
that is signed, never for themselves."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from clients import Matrix, wait_for
from e2ee_world import CryptoChat
from harness import quoted
from test_e2ee_verify import asked, shown, tool


class AdminChat(CryptoChat):
    """CryptoChat whose `asha` is an administrator as well; `cai` is a host."""

    def configure(self):
        super().configure()
        with open(self.bot.folder / "hashroom.conf", "a") as file:
            file.write(f'role "admin" {{ accounts = {quoted([f"home/{self.asha.user_id}"])} }}\n')


@pytest.fixture(scope="module")
def chat(tmp_path_factory, synapse, ergo, js_peers):
    cai = js_peers.person(synapse, "operacai")
    c = AdminChat(tmp_path_factory.mktemp("operator"), synapse, ergo, js_peers, "opera", hosts=[cai.user_id])
    c.cai = cai
    c.people.append(cai)
    c.asha.invite(c.room, cai.user_id)
    cai.join(c.room)
    c.start()
    c.agree()
    c.both_ways("before any verification")
    c.admin_room = c.direct(c.asha)
    yield c
    c.bot.wait_settled()
    c.bot.assert_accounted()
    c.bot.stop()
    c.close()


def answered(c, person, room, text, part):
    """What the bot says to a private message."""
    mark = len(person.events)
    person.say(room, text)
    return c.from_bot(person, part, room, since=mark)["content"]["body"]


def confirmed(c, person, number, yes):
    """The person says yes as well; `yes` makes the bot's side say it."""
    with ThreadPoolExecutor(1) as other:
        mine = other.submit(person.do, "confirm", id=number)
        yes()
        assert mine.result()["phase"] == "done"
    wait_for(lambda: person.do("user", user=c.user)["verified"], message="their client does not call the bot verified")


def verified(c, person):
    return c.bot.value("SELECT verified FROM matrix_person WHERE user = ?", person.user_id) == 1


def test_who_was_never_compared_in_the_terminal_confirms_nobody(chat):
    c = chat
    answered(c, c.asha, c.admin_room, "!verify", "verify me yourself first")
    number, sas = asked(c, c.asha)
    answered(c, c.asha, c.admin_room, "!verify yes", "verify me yourself first")
    assert not verified(c, c.asha)
    shown(c, sas)
    confirmed(c, c.asha, number, lambda: tool(c, "verify", "yes"))
    answered(c, c.asha, c.admin_room, "!verify", "Nobody is waiting to verify me")


def test_an_administrator_sees_the_same_and_confirms(chat):
    c = chat
    number, sas = asked(c, c.cai)
    shown(c, sas)
    answered(c, c.asha, c.admin_room, "!verify yes", "Please type !verify first")  # the terminal saw it, she did not
    text = answered(c, c.asha, c.admin_room, "!verify", "wants to verify me")
    assert c.cai.user_id in text and ", ".join(str(n) for n in sas["decimal"]) in text
    assert ", ".join(name.lower() for _, name in sas["emoji"]) in text.lower()
    confirmed(c, c.cai, number, lambda: answered(c, c.asha, c.admin_room, "!verify yes", "Thank you"))
    wait_for(lambda: verified(c, c.cai), 20, 0.2, c.bot.tail)
    answered(c, c.asha, c.admin_room, "!verify yes", "Nobody is waiting")
    c.both_ways("after a confirmation by private message")


def test_other_emoji_end_it(chat):
    c = chat
    number, _ = asked(c, c.cai)
    answered(c, c.asha, c.admin_room, "!verify", "wants to verify me")
    answered(c, c.asha, c.admin_room, "!verify no", "Nothing was verified")
    ended = c.cai.wait_verification(lambda v: v["id"] == number and v["phase"] == "cancelled", 30)
    assert ended["cancelled"] == "m.mismatched_sas", ended


def test_nobody_confirms_for_themselves(chat):
    c = chat
    number, sas = asked(c, c.asha)
    shown(c, sas)
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
