# SPDX-License-Identifier: MIT
"""An encrypted room as people live in it: chat, private messages, people who come and go, other clients, a second login."""
import pytest
from clients import Matrix, wait_for
from e2ee_clients import NioMatrix
from e2ee_world import CryptoChat


def on_the_server(person, user):
    """What /keys/query says of somebody."""
    got = Matrix(person.url, person.user_id, person.token).api("POST", "/keys/query", {"device_keys": {user: []}})
    return list(got["device_keys"].get(user, {}).values()), got["self_signing_keys"].get(user)


@pytest.fixture(scope="module")
def chat(tmp_path_factory, synapse, ergo, js_peers):
    with CryptoChat(tmp_path_factory.mktemp("chat"), synapse, ergo, js_peers, "seal").running() as c:
        c.first_seen = on_the_server(c.asha, c.user)
        c.asha.say(c.room, "said before anybody agreed")
        c.ann.say(c.channel, "heard before anybody agreed")
        c.agree()
        yield c


def test_the_bot_is_cross_signed_when_it_comes(chat):
    [device], self_signing = chat.first_seen
    [key] = self_signing["keys"]
    assert key in device["signatures"][chat.user]
    [seen] = chat.asha.do("devices", user=chat.user).values()
    assert seen["signed"]


def test_words_go_both_ways_and_no_strict_client_warns(chat):
    for n in range(10):
        chat.ann.say(chat.channel, f"line {n} from IRC")
        for person in (chat.asha, chat.ben):
            person.assert_trusted(chat.from_bot(person, f"line {n} from IRC"))
        chat.ben.say(chat.room, f"line {n} from Matrix")
        chat.on_irc(f"line {n} from Matrix")
    chat.assert_nothing_plain()


def test_what_was_said_before_the_host_agreed_stays_where_it_was(chat):
    chat.both_ways("the agreement holds")
    assert not any("before anybody agreed" in t for t in chat.ann.said(chat.channel, f"{chat.name}bot"))
    assert not any("before anybody agreed" in t for t in chat.asha.said(chat.room, chat.user))
    assert chat.bot.value("SELECT count(*) FROM message WHERE text LIKE '%said before anybody agreed%'") == 0


def test_replies_edits_and_redactions_are_carried(chat):
    chat.ann.say(chat.channel, "what do you read?")
    asked = chat.from_bot(chat.ben, "what do you read?")
    answer = chat.ben.reply(chat.room, asked["event_id"], "mostly at night")
    chat.on_irc("mostly at night")
    chat.ben.edit(chat.room, answer, "only at night")
    chat.on_irc("only at night")
    gone = chat.ben.say(chat.room, "taken back soon")
    chat.on_irc("taken back soon")
    chat.ben.redact(chat.room, gone)
    wait_for(lambda: chat.bot.value("SELECT count(*) FROM message WHERE text LIKE '%taken back soon%' AND state = 'live'") == 0,
             message=chat.bot.tail)
    chat.both_ways("after all that")


def test_a_private_message_is_answered_encrypted(chat):
    for person in (chat.ben, chat.asha):
        room = chat.direct(person)
        person.say(room, "!help")
        person.assert_trusted(chat.from_bot(person, "!", room))
        mark = person.mark()
        person.say(room, "!status")
        answer = chat.from_bot(person, "", room, since=mark)
        person.assert_trusted(answer)
        assert [e["type"] for e in person.history(room) if e["sender"] == chat.user and "state_key" not in e] == \
            ["m.room.encrypted"] * len(person.said(room, chat.user))
    assert not any("!help" in t for t in chat.ann.said(chat.channel))


def test_the_host_commands_by_private_message(chat):
    room = chat.direct(chat.asha)
    chat.asha.say(room, "!hold on")
    chat.from_bot(chat.asha, "", room)
    chat.asha.say(room, "!hold off")
    chat.both_ways("after the hold")


def test_who_comes_later_reads_on_and_who_leaves_reads_no_more(chat):
    cai = chat.peers.person(chat.synapse, f"{chat.name}cai")
    chat.asha.invite(chat.room, cai.user_id)
    cai.join(chat.room)
    chat.ann.say(chat.channel, "welcome, newcomer")
    cai.assert_trusted(chat.from_bot(cai, "welcome, newcomer"))
    before = chat.ben.indexes(chat.room, chat.user)[-1][0]
    cai.do("leave", room=chat.room)
    wait_for(lambda: cai.user_id not in chat.asha.members(chat.room))
    chat.both_ways("after one left")
    assert chat.ben.indexes(chat.room, chat.user)[-1][0] != before


def test_a_new_device_reads_on_and_one_logged_out_reads_no_more(chat):
    second = chat.peers.device(chat.synapse, f"{chat.name}ben", f"{chat.name}ben2", cross_sign=False, strict=False)
    # the server tells of a device at about the time it has its keys: soon, not at once
    wait_for(lambda: chat.both_ways("hello second device") and "hello second device" in str(second.said(chat.room, chat.user)),
             30, 0.3, lambda: f"{second.events[-3:]}\n{chat.bot.tail()}")
    before = chat.ben.indexes(chat.room, chat.user)[-1][0]
    second.do("logout")
    chat.both_ways("after a logout")
    wait_for(lambda: (chat.both_ways("another key") and
                      chat.ben.indexes(chat.room, chat.user)[-1][0] != before), 20, 0.3, chat.bot.tail)


def test_a_restart_keeps_device_and_keys(chat):
    device = chat.asha.do("devices", user=chat.user)
    chat.both_ways("before the restart")
    chat.bot.stop()
    chat.ben.say(chat.room, "said while it was away")
    chat.bot.start()
    chat.on_irc("said while it was away")
    chat.both_ways("after the restart")
    assert chat.asha.do("devices", user=chat.user) == device
    chat.assert_nothing_plain()


def test_nothing_was_unreadable_for_anybody(chat):
    assert not chat.asha.undecryptable() and not chat.ben.undecryptable()


# ---- not strict: old clients ----------------------------------------------------------------

@pytest.fixture(scope="module")
def lax(tmp_path_factory, synapse, ergo, js_peers):
    folder = tmp_path_factory.mktemp("lax")
    c = CryptoChat(folder, synapse, ergo, js_peers, "lax", strict_people=False)
    c.nia = NioMatrix(folder / "nio", synapse, "laxnia")
    c.people.append(c.bring(c.nia))
    with c.running():
        c.agree()
        yield c


def test_clients_that_are_not_strict_see_no_warning_either(lax):
    lax.both_ways("not strict")


def test_a_client_with_nio_chats(lax):
    lax.ann.say(lax.channel, "for nio")
    assert lax.from_bot(lax.nia, "for nio")["encrypted"]
    lax.nia.say(lax.room, "from nio")
    lax.on_irc("from nio")
    lax.both_ways("with nio in the room")


def test_a_client_with_nio_is_answered_in_private(lax):
    room = lax.nia.api("POST", "/createRoom", {
        "preset": "trusted_private_chat", "invite": [lax.user], "is_direct": True, "initial_state": [
            {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]})["room_id"]
    wait_for(lambda: lax.reads(room) and lax.nia.knows_encrypted(room), 30, 0.1, lax.bot.tail)
    lax.nia.say(room, "!help")
    assert lax.from_bot(lax.nia, "!", room)["encrypted"]


# ---- strict: the bot refuses who is not cross-signed --------------------------------------------

def test_a_strict_bot_gives_no_key_to_a_device_nobody_signed(tmp_path, synapse, ergo, js_peers):
    c = CryptoChat(tmp_path, synapse, ergo, js_peers, "strict", strict=True)
    old = js_peers.person(synapse, "strictold", cross_sign=False, strict=False)
    c.people.append(c.bring(old))
    with c.running():
        c.begin("strict")
        wait_for(lambda: any(e["failure"] == "MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE"
                             for e in old.undecryptable(c.room)), message=lambda: str(old.undecryptable(c.room)))
        old.say(c.room, "from a device nobody signed")
        c.both_ways("still strict")
        assert not any("nobody signed" in t for t in c.ann.said(c.channel))
