# SPDX-License-Identifier: MIT
"""A Matrix account's life on a real Synapse: tokens that end, logouts, a proxy that stumbles, locked and closed accounts."""
import http.client
import http.server
import json
import sqlite3
import threading
import time
import urllib.parse

import pytest
from clients import Matrix, MatrixError, wait_for
from sealed import matrix_token
from synapse import PASSWORD, Synapse
from test_matrix import Chat, chats


@pytest.fixture(scope="module")
def short_lived():
    """Tokens end after 3 seconds unless they are renewed."""
    with Synapse(extra={"refreshable_access_token_lifetime": "3s"}) as server:
        server.admin = Matrix.register(server, "admin", admin=True)
        yield server


@pytest.fixture
def chat(request, tmp_path, short_lived):
    with chats(request, tmp_path, short_lived) as make:
        yield make


def admin(server, method, path, body=None):
    return server.admin.api(method, path, body, prefix="/_synapse/admin")


def devices(server, user):
    return [d["device_id"] for d in admin(server, "GET", f"/v2/users/{urllib.parse.quote(user)}/devices")["devices"]]


def test_a_session_outlives_many_tokens_on_one_device_and_over_restarts(chat, short_lived):
    c = chat()
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        tokens = set()
        for n in range(4):
            tokens.add(matrix_token(c.bot))
            c.owner.say(one, f"line {n}")
            c.relayed(two, f"line {n}")
            wait_for(lambda: matrix_token(c.bot) not in tokens, 30, 0.1, c.bot.tail)
    wait_for(lambda: c.bot.value("SELECT expires_ms FROM matrix_account") < time.time() * 1000, 30, 0.2)
    with c.bot:
        c.owner.say(one, "after the restart")
        c.relayed(two, "after the restart")
        c.bot.wait_settled()
    assert c.bot.log().count("logged in as") == 1, c.bot.log()
    assert "ended the session" not in c.bot.log()
    own = devices(short_lived, c.user)
    assert len(own) == 2 and c.bot.value("SELECT device FROM matrix_account") in own  # the other one registered
    c.bot.assert_accounted()


def test_a_pair_killed_between_two_steps_is_renewed_or_logged_in_again_on_the_same_device(chat):
    c = chat()
    one, two = c.rooms
    c.bot.start()
    c.wait_in()
    device = c.bot.value("SELECT device FROM matrix_account")
    for n in range(12):
        c.owner.say(one, f"line {n:02}")
        c.bot.kill9()
        c.bot.start()
        c.relayed(two, f"line {n:02}", 60)
    c.bot.wait_settled()
    c.bot.stop()
    assert c.bot.value("SELECT device FROM matrix_account") == device
    assert [t.split(": ", 1)[1] for t in c.guest.said(two, c.user)] == [f"line {n:02}" for n in range(12)]
    c.bot.assert_accounted()


def test_a_device_that_was_signed_out_is_replaced_by_a_new_one(chat, short_lived):
    c = chat()
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        device = c.bot.value("SELECT device FROM matrix_account")
        admin(short_lived, "DELETE", f"/v2/users/{urllib.parse.quote(c.user)}/devices/{device}")
        c.bot.wait_log("is a new device of", 60, count=2)
        assert c.bot.value("SELECT device FROM matrix_account") != device
        c.owner.say(one, "on another device")
        c.relayed(two, "on another device", 60)
        c.bot.wait_settled()
    c.bot.assert_accounted()


def test_a_deactivated_account_stops_in_one_plain_line(chat, short_lived):
    c = chat()
    with c.bot:
        c.wait_in()
        admin(short_lived, "POST", f"/v1/deactivate/{urllib.parse.quote(c.user)}", {})
        wait_for(lambda: "is deactivated" in c.bot.log() or "was refused" in c.bot.log(), 60, 0.2, c.bot.tail)
        assert c.bot.alive
    told = [line for line in c.bot.log().splitlines() if "is deactivated" in line or "was refused" in line]
    print(told)
    assert len(told) == 1, told


def test_a_session_that_may_not_be_renewed_is_opened_again_with_the_password(tmp_path):
    with Synapse(extra={"session_lifetime": "6s", "refreshable_access_token_lifetime": "3s",
                        "nonrefreshable_access_token_lifetime": "6s"}) as server:
        c = Chat(tmp_path, server, "short")
        one, two = c.rooms
        try:
            with c.bot:
                c.wait_in()
                device = c.bot.value("SELECT device FROM matrix_account")
                c.bot.wait_log("the server ended the session", 60)
                c.bot.wait_log("logged in as", 60, count=2)
                renewed = server.register("shortcarl")
                carl = Matrix(server.url, renewed["user_id"], renewed["access_token"])
                carl.join(one)
                carl.say(one, "still reading")
                carl.join(two)
                wait_for(lambda: any("still reading" in e.get("content", {}).get("body", "") for e in carl.history(two)
                                     if e["sender"] == c.user), 20, 0.3, c.bot.tail)
                assert (c.bot.value("SELECT device FROM matrix_account") == device) == (
                    c.bot.log().count("is a new device") == 1)
        finally:
            c.close()


def test_a_token_that_nobody_told_the_end_of_is_renewed_when_it_is_refused(chat, short_lived):
    c = chat()
    one, two = c.rooms
    with c.bot:
        c.wait_in()
    with sqlite3.connect(c.bot.state / "hashroom.db") as db:  # as if the server had not said expires_in_ms
        db.execute("UPDATE matrix_account SET expires_ms = 0")
    db.close()
    old = matrix_token(c.bot)
    probe = Matrix(short_lived.url, c.user, old)

    def ended():
        try:
            probe.api("GET", "/account/whoami")
            return False
        except MatrixError as error:
            print(error.body)
            return error.body["errcode"] == "M_UNKNOWN_TOKEN"
    wait_for(ended, 30, 0.3)
    with c.bot:
        c.owner.say(one, "soft logout")
        c.relayed(two, "soft logout")
    assert c.bot.log().count("logged in as") == 1
    assert PASSWORD not in c.bot.log() and old not in c.bot.log()


def part_in_doubt(bot, hours, content):
    """Makes the last part one that was claimed `hours` ago, when the process died. (Settled parts keep no words.)"""
    db = sqlite3.connect(bot.state / "hashroom.db")
    part = db.execute("SELECT max(id) FROM part").fetchone()[0]
    body = json.dumps({"content": content, "type": "m.room.message"}).encode()
    db.execute("UPDATE part SET state = 'claimed', remote_id = NULL, settled_ms = NULL, body = ?, "
               "first_ms = first_ms - ? WHERE id = ?", (body, hours * 3_600_000, part))
    db.execute("UPDATE delivery SET state = 'claimed', settled_ms = NULL WHERE id IN "
               "(SELECT delivery FROM delivery_part WHERE part = ?)", (part,))
    db.commit()
    db.close()


def forget_transactions(server):
    """As Synapse does after a day."""
    db = sqlite3.connect(server.folder / "homeserver.db", timeout=30)
    db.execute("DELETE FROM event_txn_id_device_id")
    db.commit()
    db.close()


def test_a_line_in_doubt_for_a_day_is_found_in_the_rooms_history(chat, synapse):
    c = chat(synapse)
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        for n in range(3):
            c.owner.say(one, f"line {n}")
        said = c.relayed(two, "line 2")
        c.bot.wait_settled()
    part_in_doubt(c.bot, 30, said["content"])
    for n in range(120):  # it is not on the first page
        c.guest.send_event(two, "org.example.noise", {"n": n})
    synapse.stop()
    forget_transactions(synapse)
    synapse.launch()
    with c.bot:
        c.bot.wait_log("a line that was in doubt is in", 60)
        c.bot.wait_settled()
    assert [t.split(": ", 1)[1] for t in c.guest.said(two, c.user)] == ["line 0", "line 1", "line 2"]
    c.bot.assert_accounted()


def test_a_line_in_doubt_for_a_day_that_never_arrived_is_said(chat, synapse):
    c = chat(synapse)
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        c.owner.say(one, "said before")
        c.relayed(two, "said before")
        c.owner.say(one, "never arrived")
        said = c.relayed(two, "never arrived")
        c.bot.wait_settled()
    part_in_doubt(c.bot, 30, {**said["content"], "body": "this arrives now"})
    synapse.stop()
    forget_transactions(synapse)
    synapse.launch()
    with c.bot:
        c.relayed(two, "arrives now", 60)
        c.bot.wait_settled()
    assert "is not in" in c.bot.log() and "it is said again" in c.bot.log()
    c.bot.assert_accounted()


def levels(c, room, **changes):
    path = f"/rooms/{urllib.parse.quote(room)}/state/m.room.power_levels"
    c.owner.api("PUT", path, {**c.owner.api("GET", path), **changes})


def test_lines_wait_while_the_bot_may_not_speak_and_the_rest_goes_on(chat, synapse):
    c = chat(synapse, rooms=3)
    one, two, three = c.rooms
    with c.bot:
        c.wait_in()
        levels(c, two, events_default=50)
        c.bot.wait_log("takes power level 50, and it has 0")
        c.owner.say(one, "not for the second room yet")
        c.relayed(three, "not for the second room yet")
        assert c.guest.said(two, c.user) == []
        levels(c, two, events_default=0)
        c.relayed(two, "not for the second room yet")
        c.bot.wait_settled()
    assert c.bot.log().count("takes power level") == 1
    c.bot.assert_accounted()


def test_a_room_that_is_deleted_by_the_server_is_told_once_and_the_rest_goes_on(chat, short_lived):
    c = chat(rooms=3)
    one, two, three = c.rooms
    with c.bot:
        c.wait_in()
        admin(short_lived, "DELETE", f"/v1/rooms/{urllib.parse.quote(two)}", {"purge": True, "force_purge": True})
        c.owner.say(one, "without the second room")
        c.relayed(three, "without the second room")
        c.bot.wait_log("the room is gone", 60)
        c.owner.say(one, "and again")
        c.relayed(three, "and again")
    told = [line for line in c.bot.log().splitlines() if two in line and "warning" in line and "a line was" not in line]
    assert len(told) == 1, told


def test_one_person_opens_three_private_rooms_and_quiet_ones_are_left(chat, synapse):
    c = chat(synapse)
    day = 86_400_000
    with c.bot:
        c.wait_in()
        rooms = [c.guest.create_room(public=False, invite=[c.user], is_direct=True) for _ in range(3)]
        for room in rooms:
            wait_for(lambda r=room: c.user in c.guest.members(r), 30, 0.2, c.bot.tail)
        fourth = c.guest.create_room(public=False, invite=[c.user], is_direct=True)
        no = c.guest.wait(lambda e: e["room_id"] == fourth and e["type"] == "m.room.member" and e.get("state_key") == c.user
                          and e["content"]["membership"] == "leave", 30)
        assert "3 conversations" in no["content"]["reason"]
        c.bot.clock.set(c.bot.clock.now_ms() + 20 * day, 1)

        def heard_on_that_day():  # the bot looks at its clock now and then only
            c.guest.say(rooms[0], "help")
            with c.bot.database() as db:
                [[active_ms]] = db.execute("SELECT active_ms FROM matrix_room WHERE room_id = ?", (rooms[0],)).fetchall()
            return active_ms > c.bot.clock.now_ms() - day

        wait_for(heard_on_that_day, 30, 0.3, c.bot.tail)
        c.guest.wait(lambda e: e["room_id"] == rooms[0] and e["sender"] == c.user and e["type"] == "m.room.message", 30)
        c.bot.clock.set(c.bot.clock.now_ms() + 11 * day, 1)
        for room in rooms[1:]:
            wait_for(lambda r=room: c.user not in c.guest.members(r), 60, 0.3, c.bot.tail)
        assert c.user in c.guest.members(rooms[0])


def test_doctor_with_a_password_leaves_no_session_and_with_a_token_keeps_it(chat, short_lived):
    c = chat()
    before = devices(short_lived, c.user)
    done = c.bot.command("doctor", "-c", str(c.bot.folder), timeout=90)
    assert done.returncode == 0 and "home (Matrix) works" in done.stdout, done.stdout + done.stderr
    assert devices(short_lived, c.user) == before
    shown = c.owner.api("POST", "/keys/query", {"device_keys": {c.user: []}})
    assert c.user not in shown.get("master_keys", {}), "a visit gave the account an identity that nobody has the keys of"
    own = short_lived.register(c.name + "tokenbot")
    c.bot.plugin("matrix", {"home": {"homeserver": short_lived.url, "user": own["user_id"],
                                     "token_file": c.bot.secret("token", own["access_token"])}})
    done = c.bot.command("doctor", "-c", str(c.bot.folder), timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    assert Matrix(short_lived.url, own["user_id"], own["access_token"]).api("GET", "/account/whoami")


def test_a_locked_account_keeps_its_session(chat, short_lived):
    c = chat()
    one, two = c.rooms
    path = f"/v2/users/{urllib.parse.quote(c.user)}"
    with c.bot:
        c.wait_in()
        admin(short_lived, "PUT", path, {"locked": True})
        c.bot.wait_log("has locked the account", 60)
    admin(short_lived, "PUT", path, {"locked": False})
    with c.bot:
        c.owner.say(one, "unlocked")
        c.relayed(two, "unlocked", 40)
    assert c.bot.log().count("logged in as") == 1
    c.bot.assert_accounted()


def test_a_ban_is_a_state_until_somebody_known_invites(chat, synapse):
    c = chat(synapse, rooms=3)
    one, two, three = c.rooms
    room = urllib.parse.quote(two)
    with c.bot:
        c.wait_in()
        c.owner.api("POST", f"/rooms/{room}/ban", {"user_id": c.user, "reason": "a test"})
        c.bot.wait_log("banned by")
        c.owner.say(one, "without the second room")
        c.relayed(three, "without the second room")
        c.owner.api("POST", f"/rooms/{room}/unban", {"user_id": c.user})
        c.owner.invite(two, c.user)
        wait_for(lambda: c.user in c.owner.members(two), 30, 0.2, c.bot.tail)
        c.owner.say(two, "back")
        c.relayed(one, "back")
    assert c.bot.log().count("banned by") == 1


def test_a_line_in_doubt_from_a_device_that_was_signed_out_is_not_said_twice(chat, short_lived):
    c = chat()
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        c.owner.say(one, "said once")
        said = c.relayed(two, "said once")
        c.bot.wait_settled()
        device = c.bot.value("SELECT device FROM matrix_account")
    part_in_doubt(c.bot, 0, said["content"])
    admin(short_lived, "DELETE", f"/v2/users/{urllib.parse.quote(c.user)}/devices/{device}")
    with c.bot:
        c.bot.wait_log("a line that was in doubt is in", 60)
        c.bot.wait_settled()
    assert len(c.guest.said(two, c.user)) == 1
    c.bot.assert_accounted()


class Proxy:
    """A reverse proxy before a homeserver: passes on, or answers itself with a page of HTML."""

    def __init__(self, target):
        proxy = self
        self.code, self.answered = None, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def relay(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if proxy.code:
                    proxy.answered += 1
                    return self.reply(proxy.code, "text/html", b"<html><h1>Please come back later</h1></html>")
                there = http.client.HTTPConnection("127.0.0.1", target, timeout=90)
                try:
                    there.request(self.command, self.path, body, {
                        k: v for k, v in self.headers.items() if k.lower() in ("authorization", "content-type")})
                    got = there.getresponse()
                    data = got.read()
                except OSError:
                    return self.reply(502, "text/html", b"<html>Bad Gateway</html>")
                finally:
                    there.close()
                if proxy.code:
                    proxy.answered += 1
                    return self.reply(proxy.code, "text/html", b"<html>the answer got lost</html>")
                return self.reply(got.status, got.headers.get("Content-Type", ""), data)

            def reply(self, code, kind, data):
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            do_GET = do_POST = do_PUT = relay

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass
        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_pages_of_a_proxy_cost_no_line_and_no_session(chat, short_lived):
    proxy = Proxy(short_lived.port)
    c = chat(homeserver=proxy.url)
    one, two = c.rooms
    expected = []
    try:
        proxy.code = 404  # at the login, too
        with c.bot:
            c.bot.wait_log("cannot log in to")
            proxy.code = None
            c.wait_in()
            for code in (502, 404, 403, 200, 503):
                proxy.code, proxy.answered = code, 0
                expected += [f"while {code}", f"after {code}"]
                c.owner.say(one, f"while {code}")
                wait_for(lambda: proxy.answered > 2, 60, 0.1, c.bot.tail)  # a token ends after three seconds
                proxy.code = None
                c.owner.say(one, f"after {code}")
                c.relayed(two, f"after {code}", 90)
            c.bot.wait_settled()
        assert [t.split(": ", 1)[1] for t in "\n".join(c.guest.said(two, c.user)).split("\n")] == expected
        assert c.bot.log().count("logged in as") == 1
        c.bot.assert_accounted()
    finally:
        proxy.close()


def test_after_a_very_long_absence_the_room_is_told_once_what_is_missing(chat, synapse):
    c = chat(synapse)
    one, two = c.rooms
    with c.bot:
        c.wait_in()
        c.owner.say(one, "before")
        c.relayed(two, "before")
        c.bot.wait_settled()
    c.owner.say(one, "too old")
    for n in range(290):  # 8 MiB of a room are kept, or 1,000 events; these say nothing and weigh 40 kB each
        c.owner.send_event(one, "m.room.message", {"msgtype": "m.key.verification.request", "body": "x" * 40_000})
    c.owner.say(one, "the newest")
    with c.bot:
        c.relayed(two, "the newest", 100)
        c.bot.wait_settled()
        c.relayed(one, "I was away", 40)
        note = [t for t in c.guest.said(one, c.user) if "I was away" in t]
    assert note == ["I was away. The newest lines from here reach the other rooms now. Older ones do not."]
    assert not any("too old" in t for t in c.guest.said(two, c.user))
    c.bot.assert_accounted()
