# SPDX-License-Identifier: MIT
"""Pictures of Matrix rooms: opened from IRC without an account, and carried from an encrypted room to a plain one and back."""
import base64
import json
import os
import time
import urllib.error
import urllib.request

import pytest
from clients import Matrix, wait_for
from e2ee_clients import NioMatrix
from e2ee_world import CryptoChat
from harness import quoted
from peer import free_port

DAY_MS = 24 * 3600 * 1000


def png(size=5000):
    return b"\x89PNG\r\n\x1a\n" + os.urandom(size)


def get(url, method="GET", **headers):
    """(code, headers, body) as somebody without an account sees it."""
    request = urllib.request.Request(url, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=70) as got:
            return got.status, got.headers, got.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except urllib.error.URLError:
        return 0, {}, b""  # the bot is not there yet


def upload(person, data, mimetype):
    request = urllib.request.Request(f"{person.url}/_matrix/media/v3/upload", data=data, method="POST",
                                     headers={"Authorization": f"Bearer {person.token}", "Content-Type": mimetype})
    with urllib.request.urlopen(request, timeout=30) as got:
        return json.load(got)["content_uri"]


def download(person, uri):
    code, _, body = get(f"{person.url}/_matrix/client/v1/media/download/{uri.removeprefix('mxc://')}",
                        Authorization=f"Bearer {person.token}")
    assert code == 200, body
    return body


class MediaChat(CryptoChat):
    """An encrypted room, a plain one, and a channel of one chat; `dora` is in the plain room."""

    def __init__(self, folder, synapse, *more, **options):
        self.port = free_port()
        self.dora = Matrix.register(synapse, "mediadora").start()
        self.open_room = self.dora.create_room("open")
        super().__init__(folder, synapse, *more, **options)
        self.dora.invite(self.open_room, self.user)
        self.open_asha = Matrix(synapse.url, self.asha.user_id, self.asha.token)
        self.open_asha.join(self.open_room)

    def configure(self):
        super().configure()
        self.bot.host_file(f"""
pages {{
    listen = "127.0.0.1:{self.port}"
    url = "http://127.0.0.1:{self.port}"
}}
chat "{self.name}" {{
    tag = "#{self.name}"
    room "home/{self.room}" {{ pace = full }}
    room "home/{self.open_room}" {{ pace = full }}
    room "one/{self.channel}" {{ pace = full }}
}}
role "host" {{ accounts = {quoted([f"home/{self.asha.user_id}"])}  chats = {{ "{self.name}" }} }}
""")

    def post_open(self, person, data, body, mimetype="image/png", name="p.png", **info):
        return person.send_event(self.open_room, "m.room.message",
                                 {"msgtype": "m.image", "body": body, "filename": name, "url": upload(person, data, mimetype),
                                  "info": {"mimetype": mimetype, "size": len(data), **info}})

    def link(self, words):
        """What the line on IRC links to."""
        line = self.on_irc(words)
        assert "http://127.0.0.1:" in line.text, line.text
        return line.text[line.text.index("http://"):].split()[0]

    def in_open(self, part, timeout=30):
        return self.dora.wait(lambda e: e["sender"] == self.user and e.get("room_id", self.open_room) == self.open_room
                              and part in e["content"].get("body", ""), timeout)

    def close(self):
        self.dora.stop()
        super().close()


@pytest.fixture(scope="module")
def chat(tmp_path_factory, synapse, ergo, js_peers):
    c = MediaChat(tmp_path_factory.mktemp("media"), synapse, ergo, js_peers, "media", media="roles", media_max_mb=1)
    c.options["invite_from"].append(c.dora.user_id)
    c.configure()
    with c.running():
        wait_for(lambda: c.reads(c.open_room), 30, 0.1, c.bot.tail)
        c.agree()
        yield c


def test_a_picture_of_an_encrypted_room_is_opened_without_an_account(chat):
    data = png()
    chat.asha.attach(chat.room, data, "bus.png", "image/png", "A red bus")
    url = chat.link("(Image: A red bus)")
    code, headers, body = get(url)
    assert (code, body) == (200, data)
    assert headers["Content-Type"] == "image/png"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Content-Disposition"] == "inline; filename*=UTF-8''bus.png"
    code, headers, body = get(url, "HEAD")
    assert (code, headers["Content-Length"], body) == (200, str(len(data)), b"")
    code, headers, body = get(url, Range="bytes=10-19")
    assert (code, body) == (206, data[10:20])


def test_it_comes_into_the_plain_room_as_a_picture(chat):
    data = png()
    chat.asha.attach(chat.room, data, "map.png", "image/png", "A map of the way")
    event = chat.in_open("A map of the way")
    content = event["content"]
    assert content["msgtype"] == "m.image" and content["filename"] == "map.png"
    assert content["body"].endswith("on Matrix: (Image: A map of the way)")
    assert content["info"] == {"mimetype": "image/png", "size": len(data)}
    assert download(chat.dora, content["url"]) == data


def test_a_plain_picture_comes_into_the_encrypted_room_sealed(chat):
    data = png()
    chat.post_open(chat.open_asha, data, "A ramp beside steps", w=30, h=20)
    event = chat.from_bot(chat.ben, "A ramp beside steps")
    chat.ben.assert_trusted(event)
    content = event["content"]
    assert content["msgtype"] == "m.image" and "url" not in content
    assert (content["info"]["w"], content["info"]["h"]) == (30, 20)
    assert chat.ben.fetch(event) == data
    assert download(chat.ben, content["file"]["url"]) != data  # the server has ciphertext alone
    assert get(chat.link("(Image: A ramp beside steps)"))[2] == data
    chat.assert_nothing_plain()


def test_an_edit_and_a_redaction_follow_the_picture(chat):
    data = png()
    event_id = chat.post_open(chat.open_asha, data, "A dog")
    first = chat.from_bot(chat.ben, "(Image: A dog)")
    url = chat.link("(Image: A dog)")
    new = {"msgtype": "m.image", "body": "A black dog", "filename": "p.png", "url": upload(chat.open_asha, data, "image/png"),
           "info": {"mimetype": "image/png"}}
    chat.open_asha.send_event(chat.open_room, "m.room.message",
                              {**new, "body": "* A black dog", "m.new_content": new,
                               "m.relates_to": {"rel_type": "m.replace", "event_id": event_id}})
    edit = chat.from_bot(chat.ben, "A black dog")
    assert edit["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": first["event_id"]}
    assert edit["content"]["m.new_content"]["msgtype"] == "m.image"
    chat.open_asha.redact(chat.open_room, event_id)
    wait_for(lambda: get(url)[0] == 404, 30, 0.2)
    wait_for(lambda: not chat.bot.value("SELECT count(*) FROM matrix_media WHERE event = ?", event_id))


def test_who_has_no_role_is_described_and_no_more(chat):
    chat.ben.attach(chat.room, png(), "x.png", "image/png", "A stranger's picture")
    line = chat.on_irc("(Image: A stranger's picture)")
    assert "http" not in line.text
    assert chat.in_open("A stranger's picture")["content"]["msgtype"] == "m.text"


def test_what_is_not_what_it_is_called_is_not_given_out(chat):
    chat.post_open(chat.open_asha, b"<script>alert(1)</script>", "A page as a picture")
    code, headers, body = get(chat.link("A page as a picture"))
    assert code == 415 and b"script" not in body and headers["Content-Type"].startswith("text/plain")
    words = chat.from_bot(chat.ben, "A page as a picture")
    assert words["content"]["msgtype"] == "m.text" and chat.link("A page as a picture") in words["content"]["body"]


def test_what_is_no_picture_or_file_for_all_gets_no_link(chat):
    chat.post_open(chat.open_asha, b"<svg/>", "A drawing", "image/svg+xml", "a.svg")
    assert "http" not in chat.on_irc("(Image: A drawing)").text


def test_what_is_too_big_is_not_given_out(chat):
    chat.post_open(chat.open_asha, png(2 * 1024 * 1024), "A huge picture", size=1000)
    assert get(chat.link("A huge picture"))[0] == 413
    assert chat.from_bot(chat.ben, "A huge picture")["content"]["msgtype"] == "m.text"


def test_bytes_with_another_hash_are_not_given_out(chat):
    data = png()
    chat.asha.attach(chat.room, data, "y.png", "image/png", "The true one")
    chat.in_open("The true one")
    true = chat.asha.wait(lambda e: e["content"].get("body") == "The true one")
    content = {**true["content"], "body": "A changed one"}
    content["file"] = {**content["file"], "url": upload(chat.open_asha, png(), "application/octet-stream")}
    chat.asha.send_event(chat.room, "m.room.message", content)
    assert get(chat.link("A changed one"))[0] == 415
    assert chat.in_open("A changed one")["content"]["msgtype"] == "m.text"


def test_an_address_that_was_changed_leads_nowhere(chat):
    data = png()
    chat.post_open(chat.open_asha, data, "A signed one")
    url = chat.link("A signed one")
    place = url.rindex("/") + 1
    for at in (0, 5, 11, 20, 31):
        letter = "A" if url[place + at] != "A" else "B"
        assert get(url[:place + at] + letter + url[place + at + 1:])[0] == 404
    assert get(url[:-4] + ".mp4")[0] == 404
    assert get(url[:-4])[0] == 404
    assert get(url, "POST")[0] == 405
    assert get(url)[2] == data


def test_the_key_of_an_encrypted_picture_is_not_in_the_database(chat):
    chat.asha.attach(chat.room, png(), "k.png", "image/png", "A sealed one")
    chat.link("A sealed one")
    sent = chat.asha.wait(lambda e: e["content"].get("body") == "A sealed one")["content"]["file"]
    key = base64.urlsafe_b64decode(sent["key"]["k"] + "=")
    row = chat.bot.value("SELECT key FROM matrix_media ORDER BY expires_ms DESC LIMIT 1")
    assert row and key not in row
    assert sent["key"]["k"].encode() not in (chat.bot.folder / "state" / "hashroom.db").read_bytes()


def test_an_old_client_reads_the_picture_too(chat, tmp_path):
    nio = NioMatrix(tmp_path, chat.synapse, "medianio").start()
    chat.asha.invite(chat.room, nio.user_id)
    nio.join(chat.room)
    chat.asha.wait_member(chat.room, nio.user_id)
    nio.knows_encrypted(chat.room)
    data = png()
    chat.post_open(chat.open_asha, data, "For old clients")
    event = nio.wait(lambda e: "For old clients" in e["content"].get("body", ""), 60)
    assert nio.fetch(event) == data
    nio.stop()


def test_a_link_works_after_a_kill_and_ends_after_a_week(chat):
    data = png()
    chat.post_open(chat.open_asha, data, "A lasting one")
    url = chat.link("A lasting one")
    chat.bot.kill9()
    chat.bot.start()
    wait_for(lambda: get(url)[2] == data, 60, 0.5, chat.bot.tail)
    chat.bot.kill9()
    clock = chat.bot.clock
    clock.set(int(time.time() * 1000) + 8 * DAY_MS, 1.0)
    chat.bot.start()
    wait_for(lambda: get(url)[0] == 404, 60, 0.5, chat.bot.tail)
    assert chat.bot.value("SELECT count(*) FROM matrix_media WHERE event <> ''") == 0
    clock.set(int(time.time() * 1000) + 8 * DAY_MS, 1.0)
