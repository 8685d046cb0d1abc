# SPDX-License-Identifier: MIT
"""Hostile people and servers: no crash, no injected command, no stall. Sanitizers watch the bot all the while."""
import http.client
import json
import socket
import threading
import time

import pytest
from clients import MatrixError, wait_for
from world import World

BIDI = "\u202e\u202d\u2066\u2067\u2069\u200f"


class WildServer:
    """An IRC server that says dreadful things, then goes on as if nothing had happened."""

    WILD = [b":x PRIVMSG", b"::::", b"@" + b"a" * 9000 + b" PING :x", b"\0\0\0", b":a!b@c PRIVMSG #wild :" + b"z" * 20000,
            b"@tag=\xff\xfe;\\:;=;=x :n!u@h PRIVMSG #wild", b":n!u@h JOIN", b":n!u@h NICK", b"PING", b"353", b":s 353 me",
            b":s 005 me " + b"PREFIX=(" * 200, b":s 005 me CHANMODES=,,,,,, MODES=999999999999999999999 :x",
            b":n!u@h KICK #wild", b":s CAP", b":s CAP * LS * :" + b"x" * 4000, b":s AUTHENTICATE", b":s 900", b":s 433",
            b":n!u@h PRIVMSG #wild :\x01ACTION", b":n!u@h PRIVMSG #wild :\x01DCC SEND x 1 1 1\x01",
            b":n!u@h PRIVMSG #wild :\x01VERSION\x01", b":" + b"n" * 600 + b" PRIVMSG #wild :long prefix",
            b":n!u@h PRIVMSG #wild :caf\xe9 \xc3\x28 \xf0\x28\x8c\x28", b":s BATCH +", b":s BATCH -nothing", b"\r", b" ",
            b":n!u@h MODE #wild +" + b"o" * 300, b":s 352 me", b":s 354 me 1 2 3", b":n!u@h ACCOUNT", b":s 366 me"]

    def __init__(self):
        self.got = []
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.connection = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        self.connection = connection
        nick = "wildbot"
        try:
            for raw in connection.makefile("rb"):
                line = raw.rstrip(b"\r\n").decode("utf-8", "replace")
                self.got.append(line)
                word = line.split(" ")
                if word[0] == "NICK":
                    nick = word[1]
                elif word[0] == "CAP" and word[1] == "LS":
                    self.say(b":s CAP * LS :server-time message-tags")
                elif word[0] == "CAP" and word[1] == "REQ":
                    self.say(f":s CAP {nick} ACK :{line.split(':')[-1]}".encode())
                elif word[0] == "USER":
                    self.say(f":s 001 {nick} :hello".encode())
                    self.say(f":s 005 {nick} CHANTYPES=# :are supported".encode())
                    self.say(f":s 376 {nick} :end".encode())
                elif word[0] == "JOIN":
                    self.say(f":{nick}!u@h JOIN {word[1]}".encode())
                    self.say(f":s 353 {nick} = {word[1]} :{nick} n".encode())
                    self.say(f":s 366 {nick} {word[1]} :end".encode())
                elif word[0] == "PING":
                    self.say(b":s PONG s :" + line.split(" ", 1)[1].lstrip(":").encode())
        except OSError:
            pass

    def say(self, line):
        try:
            self.connection.sendall(line + b"\r\n")
        except OSError:
            pass


@pytest.fixture(scope="module")
def world(tmp_path_factory, ergo, ngircd, synapse):
    w = World.quiet("hostile", tmp_path_factory.mktemp("hostile"), ergo, ngircd, synapse)
    w.wild = WildServer()
    conf = w.bot.folder / "hostile.more"
    text = (w.bot.folder / "hashroom.conf").read_text()
    text = text.replace(f'    room "one/{w.channel}"', '    room "wild/#wild" { pace = full }\n' f'    room "one/{w.channel}"')
    (w.bot.folder / "hashroom.conf").write_text(text)
    irc = w.bot.folder / "plugins" / "irc.conf"
    irc.write_text(irc.read_text() + f'instance "wild" {{\n    server = "127.0.0.1"\n    port = {w.wild.port}\n'
                   '    tls = no\n    nick = "wildbot"\n    rate_ms = 0\n    burst = 1000\n}\n')
    assert not conf.exists()
    w.ann, w.pat, w.mia = w.irc("ann"), w.plain("hostpat"), w.matrix("mia")
    with w.running(w.ann, w.pat):
        wait_for(lambda: any(line.startswith("JOIN") for line in w.wild.got), 30)
        yield w


def still_well(w, mark):
    """After what was done, a plain line still goes its ways in order."""
    assert w.bot.alive, w.bot.tail()
    w.mia.say(w.rooms[0], f"plain-{mark} from Matrix")
    assert w.ann.wait_text(f"plain-{mark} from Matrix", timeout=30)
    w.ann.say(w.channel, f"plain-{mark} from IRC")
    assert w.mia.wait_text(f"plain-{mark} from IRC", timeout=30)
    w.x.post("ben_r", f"plain-{mark} from X {w.tag}")
    assert w.pat.wait_text(f"plain-{mark} from X", timeout=30)


def send_raw(w, method, path, raw):
    """A JSON body as bytes, which the json module would not make."""
    connection = http.client.HTTPConnection("127.0.0.1", w.synapse.port, timeout=30)
    connection.request(method, "/_matrix/client/v3" + path, raw, {
        "Authorization": "Bearer " + w.mia.token, "Content-Type": "application/json"})
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.status


POISON = {
    "nul_value": rb'{"msgtype":"m.text","body":"a\u0000b"}',
    "nul_key": rb'{"msgtype":"m.text","body":"key","x\u0000y":1}',
    "big_integer": b'{"msgtype":"m.text","body":"int","n":123456789012345678901234567890}',
    "float": b'{"msgtype":"m.text","body":"float","n":1.5}',
    "deep_900": b'{"msgtype":"m.text","body":"deep","n":' + b"[" * 900 + b"]" * 900 + b"}",
    "deep_3000": b'{"msgtype":"m.text","body":"deeper","n":' + b"[" * 3000 + b"]" * 3000 + b"}",
    "surrogate": rb'{"msgtype":"m.text","body":"\ud800"}',
    "no_body": b'{"msgtype":"m.text"}',
    "body_is_a_list": b'{"msgtype":"m.text","body":["x"]}',
    "content_is_wild": b'{"msgtype":{"a":1},"body":{"b":2},"m.relates_to":"x","m.new_content":[1,2]}',
    "relates_to_itself": b'{"msgtype":"m.text","body":"* x","m.new_content":{"body":7},"m.relates_to":{"rel_type":"m.replace","event_id":5}}',
}


def test_poison_in_room_events_does_not_block_the_sync(world):
    w = world
    for name, raw in POISON.items():
        send_raw(w, "PUT", f"/rooms/{w.rooms[0]}/send/m.room.message/poison-{name}", raw)
    send_raw(w, "PUT", f"/rooms/{w.rooms[0]}/state/m.room.topic/", rb'{"topic":"a\u0000b\r\nQUIT"}')
    still_well(w, "poison")


def test_poison_to_the_device_does_not_block_the_sync(world):
    w = world
    for name, raw in POISON.items():
        body = b'{"messages":{"%s":{"*":%s}}}' % (w.matrix_bot.user_id.encode(), raw)
        send_raw(w, "PUT", f"/sendToDevice/m.room_key/device-{name}", body)
    still_well(w, "device")


def test_line_ends_make_no_second_line_on_irc(world):
    w = world
    mark, wild = w.ann.mark(), len(w.wild.got)
    w.mia.say(w.rooms[0], "first\r\nPRIVMSG #hostile :pwned-1\r\nQUIT :pwned-2\nlast line one")
    w.mia.say(w.rooms[0], "x\rQUIT :pwned-3\x00\x01\x0b\x1b[2Jlast line two")
    try:
        w.mia.api("PUT", f"/profile/{w.mia.user_id}/displayname", {"displayname": f"M\r\nQUIT :pwned-4{BIDI}\x01 on Twitter"})
    except MatrixError:
        pass
    time.sleep(0.5)
    w.mia.say(w.rooms[0], "said under another name")
    w.x.post("eve", f"post\r\nQUIT :pwned-5 {w.tag}", name=f"E\r\nQUIT :pwned-6{BIDI}", photos=["alt\r\nQUIT :pwned-7"])
    w.ann.wait_text("under another name", timeout=30)
    w.ann.wait_text("pwned-5", timeout=30)
    still_well(w, "lines")
    for line in w.ann.lines[mark:]:
        if line.nick == w.nick:
            assert line.command == "PRIVMSG", line
            assert not any(c in line.raw for c in BIDI + "\x00\x0b\x1b"), line
    assert not any(line.startswith("QUIT") for line in w.wild.got[wild:])
    assert all(line.split(" ")[0] in ("PRIVMSG", "PING", "PONG", "WHO", "CHATHISTORY", "MODE") for line in w.wild.got[wild:])
    named = w.ann.wait_text("under another name").text
    assert not named.split(":")[0].removesuffix(" on Matrix").endswith("on Twitter"), named


def test_bytes_that_are_no_text_become_text(world):
    w = world
    w.ann.send(b"PRIVMSG #hostile :caf\xe9 \xff\xfe wild-bytes \xf0\x9f\x93")
    got = w.mia.wait_text("wild-bytes", timeout=30)["content"]["body"]
    got.encode("utf-8")
    still_well(w, "bytes")


def test_very_long_lines_and_messages(world):
    w = world
    w.mia.say(w.rooms[0], "long-start " + "x" * 20_000 + " long-end")
    w.mia.say(w.rooms[0], "\n".join(f"many {n}" for n in range(500)))
    w.pat.send("PRIVMSG #hostile :" + "y" * 480)
    w.x.post("ben_r", "z " * 5000 + w.tag)
    w.ann.wait_text("long-start", timeout=30)
    still_well(w, "long")


def test_a_wild_server_does_no_harm(world):
    w = world
    for line in WildServer.WILD:
        w.wild.say(line)
    w.wild.say(b":n!u@h PRIVMSG #wild :after the storm")
    w.ann.wait_text("after the storm", timeout=60)
    still_well(w, "wild")
    for person, room in ((w.ann, w.channel), (w.pat, w.channel)):
        assert all(len(t.encode()) < 510 for t in person.said(room))


def test_commands_hidden_in_messages_do_nothing(world):
    w = world
    for text in ("!end", "!stop", "!hide last ben_r", "!q add pwned question"):
        w.mia.say(w.rooms[0], "> <@hostileowner:hs.test> " + text + "\n\nquoted")
        w.mia.say(w.rooms[0], text, msgtype="m.notice")
        w.x.post("asha", f"{text} {w.tag}")
        w.ann.say(w.channel, f"\x02{text}")
    still_well(w, "commands")
    assert w.bot.value("SELECT count(*) FROM message WHERE text LIKE '%pwned question%' AND flags & 1") == 0


def test_the_stream_in_pieces_and_out_of_order(world):
    w = world
    knobs = w.x.streams.knobs
    knobs.split = knobs.join = True
    knobs.duplicate = knobs.swap = 0.3
    for n in range(20):
        w.x.post("cai", f"piece {n:02d} 📚☕ é <&> {w.tag}")
    for n in range(20):
        w.mia.wait_text(f"piece {n:02d} 📚☕ é <&>", timeout=30)
    knobs.split = knobs.join = False
    knobs.duplicate = knobs.swap = 0.0
    for n in range(20):
        assert sum(f"piece {n:02d} " in t for t in w.mia.said(w.rooms[0])) == 1


def test_rubbish_on_the_stream_is_passed_over(world):
    w = world
    for rubbish in ({"data": None}, {"data": []}, {"data": {"id": 7, "text": {"a": 1}}}, {"unheard_of": "x" * 900_000},
                    {"data": {"id": "9" * 40, "text": "odd id"}}, {"errors": [{"title": 5}]}, [1, 2], "text", 3.5,
                    {"data": {"id": "123", "text": "no author", "entities": {"urls": [{"start": -5, "end": 10**9}]},
                              "edit_history_tweet_ids": "x"}, "includes": {"users": "none", "media": [5]}}):
        w.x.streams.send("filtered_stream", rubbish)
    w.x.streams.send("filtered_stream", json.loads("[" * 400 + "]" * 400))
    still_well(w, "rubbish")
