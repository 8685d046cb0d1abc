# SPDX-License-Identifier: MIT
"""The irc plugin in the running bot: Ergo over TLS with accounts, ngIRCd, and servers that mean harm."""
import hashlib
import pathlib
import socket
import ssl
import subprocess
import threading
import time

import pytest
from clients import Irc, irc_account, wait_for
from harness import Bot
from peer import free_port, make_authority

PASSWORD = "password-of-the-bot"


def make_bot(folder, instances, rooms, **more):
    bot = Bot(folder)
    lines = "".join(f'    room "{room}" {{ pace = full }}\n' for room in rooms)
    bot.host_file(f'chat "dpulo" {{\n    tag = "#DPULO"\n    irc_to_irc = yes\n{lines}}}\n')
    bot.plugin("irc", {title: {"rate_ms": 0, **values} for title, values in instances.items()})
    bot.plugin("relay")
    for name, text in more.items():
        bot.plugin(name, **text)
    return bot


def tls_options(ergo, bot_nick, **more):
    return {"server": "127.0.0.1", "port": ergo.tls_port, "ca_file": str(ergo.ca_file), "nick": bot_nick, **more}


def wait_in(person, channel, nick, timeout=30):
    def here():
        mark = person.mark()
        person.send(f"NAMES {channel}")
        person.wait(lambda l: l.command == "366", since=mark)
        names = " ".join(l.text for l in person.lines[mark:] if l.command == "353").split()
        return nick in [n.lstrip("~&@%+") for n in names]
    wait_for(here, timeout, 0.1, f"{nick} is not in {channel}")


def account_of(person, nick):
    mark = person.mark()
    person.send(f"WHOIS {nick}")
    person.wait(lambda l: l.command == "318", since=mark)
    return [l.args[2] for l in person.lines[mark:] if l.command == "330"]


@pytest.fixture(scope="module")
def pair(ergo, ngircd, tmp_path_factory):
    """A bot with an account on Ergo, and on ngIRCd; a person in each channel."""
    folder = tmp_path_factory.mktemp("pair")
    irc_account(ergo.port, "pairbot", PASSWORD)
    bot = Bot(folder)
    secret = bot.secret("password", PASSWORD)
    bot = make_bot(folder, {
        "one": tls_options(ergo, "pairbot", sasl="plain", sasl_account="pairbot", sasl_password_file=secret),
        "two": {"server": "127.0.0.1", "port": ngircd.port, "tls": False, "nick": "pairbot"},
    }, ["one/#pair", "two/#pair"])
    asha, ben = Irc(ergo.port, "asha", caps=["message-tags"]).join("#pair"), Irc(ngircd.port, "ben").join("#pair")
    with bot:
        wait_in(asha, "#pair", "pairbot")
        wait_in(ben, "#pair", "pairbot")
        yield bot, asha, ben
        asha.close()
        ben.close()


def test_the_bot_is_in_with_its_account(pair):
    bot, asha, _ = pair
    assert account_of(asha, "pairbot") == ["pairbot"]
    assert PASSWORD not in bot.log()


def test_lines_cross_both_ways_once_and_in_order(pair):
    bot, asha, ben = pair
    marks = asha.mark(), ben.mark()
    for n in range(30):
        asha.say("#pair", f"from asha {n}")
        ben.say("#pair", f"from ben {n}")
    ben.wait_text("from asha 29", since=marks[1])
    asha.wait_text("from ben 29", since=marks[0])
    assert [t for t in ben.said("#pair", "pairbot") if "from asha" in t] == \
        [f"asha on IRC: from asha {n}" for n in range(30)]
    assert [t for t in asha.said("#pair", "pairbot") if "from ben" in t] == \
        [f"ben on IRC: from ben {n}" for n in range(30)]
    bot.wait_settled()
    bot.assert_accounted()


def test_actions_and_unicode_arrive_as_words(pair):
    _, asha, ben = pair
    asha.say("#pair", "\x01ACTION waves \U0001F44B\x01")
    ben.wait_text("asha on IRC (action): waves \U0001F44B")
    ben.say("#pair", b"caf\xe9 \x02bold\x02 \x0304red".decode("latin1"))
    line = asha.wait_text("ben on IRC: caf").text
    assert not any(c < " " for c in line)


def test_a_long_line_is_split_at_words_and_loses_none(pair):
    _, asha, ben = pair
    text = " ".join(f"word{n:03}" for n in range(50)) + " https://example.org/end"
    mark = ben.mark()
    asha.say("#pair", text)
    ben.wait_text("https://example.org/end", since=mark)
    lines = [l for l in ben.lines[mark:] if l.command == "PRIVMSG"]
    assert len(lines) == 2
    assert " ".join(l.text for l in lines) == "asha on IRC: " + text
    for line in lines:
        assert len(line.raw.encode()) <= 510
        assert len(line.text.encode()) <= 350


def test_what_cannot_be_said_is_refused_aloud_and_the_rest_goes_on(pair):
    bot, asha, ben = pair
    ben.send("MODE #pair +m")
    ben.wait(lambda l: l.command == "MODE" and "+m" in l.args)
    asha.say("#pair", "into the silence")
    bot.wait_log("give it voice")
    ben.send("MODE #pair -m")
    ben.wait(lambda l: l.command == "MODE" and "-m" in l.args)
    asha.say("#pair", "heard again")
    ben.wait_text("heard again")
    assert not any("into the silence" in t for t in ben.said("#pair"))


def test_after_a_kick_the_bot_stays_out(ergo, ngircd, tmp_path):
    bot = make_bot(tmp_path, {
        "one": {"server": "127.0.0.1", "port": ergo.port, "tls": False, "nick": "kickbot"},
        "two": {"server": "127.0.0.1", "port": ngircd.port, "tls": False, "nick": "kickbot"},
    }, ["one/#kick", "two/#kick"])
    cara = Irc(ergo.port, "cara").join("#kick")
    with bot:
        wait_in(cara, "#kick", "kickbot")
        cara.send("KICK #kick kickbot :not now")
        bot.wait_log("cara removed the bot from the channel (not now)")
        cara.send("INVITE kickbot #kick")
        time.sleep(2)
        mark = cara.mark()
        cara.send("NAMES #kick")
        cara.wait(lambda l: l.command == "366", since=mark)
        assert "kickbot" not in " ".join(l.text for l in cara.lines[mark:])
    cara.close()


def test_a_taken_nick_is_regained(ergo, ngircd, tmp_path):
    holder = Irc(ngircd.port, "wantbot")
    dora = Irc(ngircd.port, "dora").join("#nick")
    bot = make_bot(tmp_path, {"two": {"server": "127.0.0.1", "port": ngircd.port, "tls": False, "nick": "wantbot",
                                      "nick_alternatives": ["altbot"]}}, ["two/#nick"])
    with bot:
        wait_in(dora, "#nick", "altbot")
        holder.join("#nick")
        holder.send("QUIT :bye")
        wait_in(dora, "#nick", "wantbot")
    holder.close()
    dora.close()


def fingerprint(certificate):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pathlib.Path(certificate).read_text())).hexdigest()


def test_sasl_external_logs_in_by_certificate(ergo, tmp_path):
    certificate, key = ergo.client_certificate("certbot")
    owner = Irc(ergo.port, "certbot")
    owner.register_account("a-password-nobody-uses")
    owner.send("NS CERT ADD " + fingerprint(certificate))
    owner.wait(lambda l: l.command == "NOTICE" and "ertificate" in l.text)
    owner.close()
    eve = Irc(ergo.port, "eve").join("#cert")
    bot = make_bot(tmp_path, {"one": tls_options(ergo, "certbot", sasl="external", cert_file=str(certificate),
                                                 key_file=str(key))}, ["one/#cert"])
    with bot:
        wait_in(eve, "#cert", "certbot")
        assert account_of(eve, "certbot") == ["certbot"]
    eve.close()


def test_sasl_scram_logs_in_without_the_password_on_the_way(ergo, tmp_path):
    irc_account(ergo.port, "scrambot", PASSWORD)
    irc_account(ergo.port, "notscram", PASSWORD)
    eve = Irc(ergo.port, "eve").join("#scram")
    bot = Bot(tmp_path)
    right, wrong = bot.secret("right", PASSWORD), bot.secret("wrong", "not-the-password")
    bot = make_bot(tmp_path, {
        "one": tls_options(ergo, "scrambot", sasl="scram", sasl_account="scrambot", sasl_password_file=right),
        "two": tls_options(ergo, "notscram", sasl="scram", sasl_account="notscram", sasl_password_file=wrong),
    }, ["one/#scram", "two/#notscram"])
    with bot:
        wait_in(eve, "#scram", "scrambot")
        assert account_of(eve, "scrambot") == ["scrambot"]
        bot.wait_log("refused the account: check sasl_account")
    eve.close()


def test_an_answer_names_the_line_of_its_own_channel(ergo, tmp_path):
    bot = make_bot(tmp_path, {"one": {"server": "127.0.0.1", "port": ergo.port, "tls": False, "nick": "replybot"}},
                   ["one/#here", "one/#there"])
    ben = Irc(ergo.port, "ben", caps=["message-tags", "echo-message"]).join("#here")
    eve = Irc(ergo.port, "eve", caps=["message-tags"]).join("#there")
    with bot:
        wait_in(ben, "#here", "replybot")
        wait_in(eve, "#there", "replybot")
        ben.say("#here", "who can come on Tuesday")
        asked = ben.wait(lambda l: l.command == "PRIVMSG" and l.nick == "ben")
        shown = eve.wait_text("who can come on Tuesday")
        for tag in ("+draft/reply", "+reply"):
            ben.send(f"@{tag}={asked.tags['msgid']} PRIVMSG #here :I can, by {tag[1:]}")
            answer = eve.wait_text(f"I can, by {tag[1:]}")
            assert "replying to ben" in answer.text
            assert answer.tags["+draft/reply"] == answer.tags["+reply"] == shown.tags["msgid"]
        bot.wait_settled()
        bot.assert_accounted()
    ben.close()
    eve.close()


def test_a_wrong_password_keeps_the_bot_out(ergo, tmp_path):
    irc_account(ergo.port, "wrongbot", PASSWORD)
    bot = Bot(tmp_path)
    secret = bot.secret("password", "not-the-password")
    bot = make_bot(tmp_path, {"one": tls_options(ergo, "wrongbot", sasl="plain", sasl_account="wrongbot",
                                                 sasl_password_file=secret)}, ["one/#wrong"])
    with bot:
        bot.wait_log("refused the account: check sasl_account")
        bot.wait_log("next try in 1")
        assert "not-the-password" not in bot.log()


def test_a_server_without_accounts_is_left_when_one_is_configured(ngircd, tmp_path):
    bot = Bot(tmp_path)
    secret = bot.secret("password", PASSWORD)
    bot = make_bot(tmp_path, {"two": {"server": "127.0.0.1", "port": ngircd.port, "tls": False, "nick": "nosasl",
                                      "sasl": "plain", "sasl_account": "x", "sasl_password_file": secret}},
                   ["two/#nosasl"])
    with bot:
        bot.wait_log("offers no login with SASL")


def test_lines_wait_for_a_server_that_is_away(ergo, tmp_path):
    from ngircd import Ngircd
    with Ngircd() as first:
        bot = make_bot(tmp_path, {
            "one": {"server": "127.0.0.1", "port": ergo.port, "tls": False, "nick": "awaybot"},
            "two": {"server": "127.0.0.1", "port": first.port, "tls": False, "nick": "awaybot"},
        }, ["one/#away", "two/#away"])
        fay, gus = Irc(ergo.port, "fay").join("#away"), Irc(first.port, "gus").join("#away")
        with bot:
            wait_in(fay, "#away", "awaybot")
            wait_in(gus, "#away", "awaybot")
            first.stop()
            bot.wait_log("next try in")
            for n in range(5):
                fay.say("#away", f"while away {n}")
            first.start()
            gus = Irc(first.port, "gus").join("#away")
            gus.wait_text("while away 4", timeout=60)
            assert [t for t in gus.said("#away") if "while away" in t] == \
                [f"fay on IRC: while away {n}" for n in range(5)]
            bot.wait_settled()
            bot.assert_accounted()
        fay.close()
        gus.close()


# ---- servers that mean harm ----------------------------------------------------------------

class Script:
    """A server that takes one client after another and lets the test speak for it."""

    def __init__(self, context=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.context = context
        self.received = b""
        self.client = None
        self.refused = 0
        self._lock = threading.Condition()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                if self.context:
                    client = self.context.wrap_socket(client, server_side=True)
            except (ssl.SSLError, OSError):
                self.refused += 1
                client.close()
                continue
            self.client = client
            while True:
                try:
                    data = client.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    break
                with self._lock:
                    self.received += data
                    self._lock.notify_all()

    def wait(self, part, timeout=20):
        end = time.monotonic() + timeout
        with self._lock:
            while part not in self.received:
                left = end - time.monotonic()
                assert left > 0, f"{part} did not come; last: {self.received[-500:]}"
                self._lock.wait(left)

    def say(self, *lines):
        self.client.sendall(b"".join(l + b"\r\n" for l in lines))

    def welcome(self, nick=b"hostbot", caps=b""):
        self.wait(b"USER ")
        self.say(b":h CAP * LS :" + caps)
        if caps:
            self.wait(b"CAP REQ")
            self.say(b":h CAP * ACK :" + caps)
        self.wait(b"CAP END")
        self.say(b":h 001 " + nick + b" :Welcome", b":h 376 " + nick + b" :End")
        self.wait(b"JOIN #evil")
        self.say(b":" + nick + b"!h@host JOIN #evil", b":h 353 " + nick + b" = #evil :@mal " + nick)

    def close(self):
        self.listener.close()
        if self.client:
            self.client.close()


HOSTILE = [
    b"NICK x", b":s NOTICE ", b":s NOTICE bob", b":s 000 x", b":bob MODE bob", b":s 251", b"QUIT", b":n QUIT", b":a ", b":a", b":",
    b"@", b"@ ", b"@a", b":" + b"a" * 1021, b"a" * 20000, b":m PRIVMSG hostbot :\x01", b":m PRIVMSG hostbot :\x01\x01",
    b":m PRIVMSG hostbot :\x01DCC SEND x 0 1 2\x01", b":m PRIVMSG hostbot :\x01FINGER\x01", b":hostbotty!u@h NICK :carol",
    b":s 1", b":s 0000 x :y", b":s 353", b":s 354", b":s 005 " + b"A " * 400, b":m!u@h KICK #evil", b":m!u@h JOIN", b"BATCH",
    b"BATCH +x", b"BATCH -", b"FAIL", b"CAP", b"CAP * LS", b"CAP * ACK", b"AUTHENTICATE", b"PONG", b"PING", b"  ", b" :x",
    b":m!u@h PRIVMSG #evil :nul\0in the middle", b":m!u@h PRIVMSG #evil :cr\rQUIT :x", b":m!u@h PRIVMSG #evil :\xff\xfe\xc3(",
    b":m!u@h PRIVMSG #evil\r\nPRIVMSG #evil :lf", b":\xff!\xfe@\xfd PRIVMSG #evil :bytes in the name",
    b"@time=9999-99-99T99:99:99Z;account=\\r\\nQUIT;msgid=\\0\\s :m!u@h PRIVMSG #evil :evil tags",
    b"@" + b"k=v;" * 3000 + b" :m!u@h PRIVMSG #evil :many tags", b":m!u@h PRIVMSG " + b"#evil," * 200 + b" :many targets",
    b":m!u@h PRIVMSG #evil :" + "\u202edecorated\u200b\u2066".encode(), b":%s%n!%n@%n PRIVMSG #evil :%s%n%n%n",
    b":h 433 hostbot hostbot :taken", b":h 001 other :again", b":h 404 hostbot #evil :no", b":h PONG h :hr-b99999999999999999999",
    b":m!u@h MODE #evil " + b"+" + b"o" * 300, b":m!u@h TOPIC #evil :", b":m!u@h INVITE hostbot #other", b":h 437 hostbot #evil",
]


def test_hostile_lines_crash_nothing_inject_nothing_stall_nothing(ngircd, tmp_path):
    server = Script()
    bot = make_bot(tmp_path, {
        "evil": {"server": "127.0.0.1", "port": server.port, "tls": False, "nick": "hostbot"},
        "two": {"server": "127.0.0.1", "port": ngircd.port, "tls": False, "nick": "hostbot"},
    }, ["evil/#evil", "two/#evil"])
    hal = Irc(ngircd.port, "hal").join("#evil")
    with bot:
        wait_in(hal, "#evil", "hostbot")
        server.welcome()
        before = len(server.received)
        for line in HOSTILE:
            server.say(line)
            server.client.sendall(b"\r\n\n")
        server.say(b":m!u@h PRIVMSG #evil :the last of them")
        hal.wait_text("the last of them")
        server.say(b"PING :still here")
        server.wait(b"PONG :still here")
        written = server.received[before:]
        assert b"QUIT" not in written and b"\0" not in written
        for line in written.split(b"\r\n"):
            assert b"\r" not in line and b"\n" not in line
            assert not line or line.split(b" ")[0] in (b"PONG", b"PART", b"CAP", b"PING", b"PRIVMSG", b"WHOIS", b"NICK"), line
        for text in hal.said("#evil", "hostbot"):
            assert "\u202e" not in text and "\u200b" not in text and "\r" not in text
        hal.say("#evil", "and back")
        server.wait(b"PRIVMSG #evil :hal on IRC: and back\r\n")
        assert bot.alive
    server.close()
    hal.close()


def test_another_ones_certificate_gets_no_byte_of_irc(tmp_path):
    """Made by the right authority, but for another name; and by an unknown authority."""
    folder = tmp_path / "tls"
    folder.mkdir()
    make_authority(folder)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", "other.key", "-out", "other.pem", "-days", "30", "-subj", "/CN=other.example",
                    "-addext", "subjectAltName=DNS:other.example"], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "other.pem", folder / "other.key")
    wrong_name, unknown = Script(context), Script(context)
    bot = make_bot(tmp_path / "bot", {
        "name": {"server": "127.0.0.1", "port": wrong_name.port, "nick": "tlsbot", "ca_file": str(folder / "other.pem")},
        "authority": {"server": "127.0.0.1", "port": unknown.port, "nick": "tlsbot", "ca_file": str(folder / "ca.pem")},
    }, ["name/#x", "authority/#x"])
    with bot:
        bot.wait_log("next try in ", count=2)
        assert wrong_name.received == b"" and unknown.received == b""
    wrong_name.close()
    unknown.close()


def test_a_port_where_nobody_listens_is_tried_again(tmp_path):
    bot = make_bot(tmp_path, {"none": {"server": "127.0.0.1", "port": free_port(), "tls": False}}, ["none/#x"])
    with bot:
        bot.wait_log("next try in", count=2)
