# SPDX-License-Identifier: MIT
"""The clients of the encrypted tests prove themselves against each other: what they report of a room can be believed."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from clients import Matrix, wait_for
from e2ee_clients import NioMatrix, assert_no_index_twice, compare_sas
from e2ee_raw import RawDevice


@pytest.fixture(scope="module")
def pair(js_peers, synapse):
    """Two people in strict mode, in an encrypted room."""
    asha, ben = js_peers.person(synapse, "pasha"), js_peers.person(synapse, "pben")
    room = asha.create_room("encrypted", invite=[ben.user_id])
    ben.join(room)
    asha.wait_member(room, ben.user_id)
    return asha, ben, room


def test_words_arrive_without_a_shield_and_each_index_once(pair):
    asha, ben, room = pair
    for n in range(5):
        asha.say(room, f"line {n}")
        ben.assert_trusted(ben.wait_text(f"line {n}", room))
    answer = ben.reply(room, ben.wait_text("line 4", room)["event_id"], "an answer")
    asha.assert_trusted(asha.wait_text("an answer", room))
    ben.edit(room, answer, "a better answer")
    better = asha.wait(lambda e: "m.new_content" in e["content"])
    assert better["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": answer}
    ben.redact(room, answer)
    asha.wait(lambda e: e["type"] == "m.room.redaction")
    places = ben.indexes(room, asha.user_id)
    assert len(places) == 5 and [index for _, index in places] == list(range(5))
    assert_no_index_twice(places)


def test_a_strict_client_refuses_one_without_an_identity(js_peers, synapse, pair):
    asha, _, room = pair
    old = js_peers.person(synapse, "pold", cross_sign=False, strict=False)
    asha.invite(room, old.user_id)
    old.join(room)
    asha.wait_member(room, old.user_id)
    old.say(room, "from an old client")
    wait_for(lambda: any(e["failure"] == "UNSIGNED_SENDER_DEVICE" for e in asha.undecryptable(room)),
             message=lambda: str(asha.undecryptable(room)))
    asha.say(room, "not for old clients")
    wait_for(lambda: any("WITHHELD" in e["failure"] for e in old.undecryptable(room)),
             message=lambda: str(old.undecryptable(room)))
    old.do("leave", room=room)


def test_a_picture_is_the_same_on_the_other_side(pair):
    asha, ben, room = pair
    data = bytes(range(256)) * 100
    asha.attach(room, data, "ramp.png", "image/png", "A ramp beside steps")
    event = ben.wait_text("A ramp beside steps", room)
    assert "url" not in event["content"] and ben.fetch(event) == data


def test_two_people_verify_each_other_by_emoji(pair):
    asha, ben, _ = pair
    direct = asha.create_room(invite=[ben.user_id], direct=True)
    ben.join(direct)
    asha.wait_member(direct, ben.user_id)
    asked = asha.do("verifyUser", user=ben.user_id, room=direct)
    there = ben.wait_verification(lambda v: v["user"] == asha.user_id)
    ben.do("accept", id=there["id"])
    asha.wait_verification(lambda v: v["id"] == asked["id"] and v["phase"] == "ready")
    with ThreadPoolExecutor(2) as both:
        first = both.submit(asha.do, "sas", id=asked["id"], start=True)
        ben.wait_verification(lambda v: v["id"] == there["id"] and v["started"])
        second = both.submit(ben.do, "sas", id=there["id"])
        compare_sas(first.result(), second.result())
        ends = [both.submit(p.do, "confirm", id=i) for p, i in ((asha, asked["id"]), (ben, there["id"]))]
        assert [e.result()["phase"] for e in ends] == ["done", "done"]
    for one, other in ((asha, ben), (ben, asha)):
        wait_for(lambda o=one, u=other.user_id: o.do("user", user=u)["verified"], message="not verified")


def test_a_second_login_opens_the_secret_storage_and_reads_what_was_before(js_peers, synapse, pair):
    asha, ben, room = pair
    key = asha.do("secureStorage")
    ben.say(room, "before the second login")
    asha.wait_text("before the second login", room)
    second = js_peers.device(synapse, "pasha", "pasha2", cross_sign=False, history=50)
    assert second.unreadable(room)
    # what came last may still be on its way into the backup
    wait_for(lambda: second.do("openStorage", recovery_key=key) and not second.unreadable(room), 30, 0.5,
             lambda: str(second.unreadable(room)))
    assert "before the second login" in second.texts(room)
    assert second.do("openStorage", recovery_key=key)["trusted"] == {"trusted": True, "matchesDecryptionKey": True}


def test_a_device_made_by_hand_talks_with_a_strict_client(pair, synapse):
    asha, _, room = pair
    raw = RawDevice.login(synapse, "praw").start()
    asha.invite(room, raw.user_id)
    Matrix.join(raw, room)
    asha.wait_member(room, raw.user_id)
    raw.say_sealed(room, "made by hand")
    asha.assert_trusted(asha.wait_text("made by hand", room))
    asha.say(room, "understood")
    wait_for(lambda: "understood" in raw.heard(room, asha.user_id), message=lambda: str(raw.plain))
    raw.stop()


def test_the_strict_client_sees_what_a_device_made_by_hand_forges(pair, synapse):
    asha, _, room = pair
    raw = RawDevice.login(synapse, "pforge")
    asha.invite(room, raw.user_id)
    raw.join(room)
    raw.group(room)
    raw.share(room, [asha.user_id], change=lambda p: {**p, "sender": asha.user_id})
    raw.put(room, raw.seal(room, raw.words(room, "with a forged sender")))
    event = asha.wait(lambda e: e["sender"] == raw.user_id and e["failure"])
    assert event["failure"] == "MEGOLM_UNKNOWN_INBOUND_SESSION_ID"


def test_a_client_with_nio_talks_with_one_that_is_not_strict(js_peers, synapse, tmp_path):
    ben = js_peers.person(synapse, "pcarl", strict=False)
    nia = NioMatrix(tmp_path, synapse, "pnia")
    room = ben.create_room("lax", invite=[nia.user_id])
    nia.join(room)
    ben.wait_member(room, nia.user_id)
    nia.say(room, "from nio")
    ben.wait_text("from nio", room)
    ben.say(room, "to nio")
    assert nia.wait_text("to nio", room)["encrypted"]
    data = bytes(range(256)) * 40
    nia.attach(room, data, "a.png", "image/png", "a picture of nio")
    assert ben.fetch(ben.wait_text("a picture of nio", room)) == data
    ben.attach(room, data, "b.png", "image/png", "a picture for nio")
    assert nia.fetch(nia.wait_text("a picture for nio", room)) == data
    nia.stop()
