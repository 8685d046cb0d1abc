# SPDX-License-Identifier: MIT
"""InspIRCd 3 with Atheme: SASL through services, echo and labels, roles by account, its default flood penalties."""
import time

import pytest
from clients import Irc
from harness import Bot
from test_irc import account_of, wait_in

PASSWORD = "password-of-the-bot"
CHANNEL = "#insp"


def register(server, nick, password):
    """An account at NickServ for whoever has this nick."""
    person = Irc(server.port, nick)
    person.send(f"PRIVMSG NickServ :REGISTER {password} {nick}@insp.test")
    person.wait(lambda l: l.command == "NOTICE" and "is now registered" in l.text)
    person.send("QUIT :done")
    person.close()
    time.sleep(0.2)


@pytest.fixture(scope="module")
def world(tmp_path_factory, inspircd, ergo):
    """A bot with its account on InspIRCd at the rate of the presets, and on Ergo; people in both channels."""
    register(inspircd, "inspbot", PASSWORD)
    register(inspircd, "asha", "secret-of-asha")
    bot = Bot(tmp_path_factory.mktemp("insp"))
    bot.host_file(f"""
chat "c" {{
    tag = "#C"
    irc_to_irc = yes
    room "insp/{CHANNEL}" {{ pace = full }}
    room "ergo/{CHANNEL}" {{ pace = full }}
}}
role "host" {{ accounts = {{ "insp/asha" }}  names = {{ "Asha" }}  chats = {{ "c" }} }}
""")
    bot.plugin("irc", {
        "insp": {"server": "127.0.0.1", "port": inspircd.tls_port, "ca_file": str(inspircd.ca_file), "nick": "inspbot",
                 "sasl": "plain", "sasl_account": "inspbot", "sasl_password_file": bot.secret("password", PASSWORD)},
        "ergo": {"server": "127.0.0.1", "port": ergo.port, "tls": False, "nick": "inspbot", "rate_ms": 0},
    })
    for plugin in ("relay", "desk"):
        bot.plugin(plugin)
    bot.plugin("moderation", flood_pace="0")
    ben = Irc(inspircd.port, "ben", caps=["message-tags", "account-tag"]).join(CHANNEL)
    eve = Irc(ergo.port, "eve").join(CHANNEL)
    with bot:
        wait_in(ben, CHANNEL, "inspbot")
        wait_in(eve, CHANNEL, "inspbot")
        yield bot, ben, eve
        bot.wait_settled()
        bot.assert_accounted()
        ben.close()
        eve.close()


def test_the_bot_is_in_with_its_account(world):
    bot, ben, _ = world
    assert account_of(ben, "inspbot") == ["inspbot"]
    assert PASSWORD not in bot.log()


def test_an_echo_settles_each_line_with_its_id(world):
    bot, ben, eve = world
    for n in range(3):
        eve.say(CHANNEL, "the same")
    for n in range(3):
        eve.say(CHANNEL, f"number {n}")
    ben.wait_text("number 2", timeout=40)
    bot.wait_settled()
    ids = [row["remote_id"] for row in bot.rows(
        "SELECT p.remote_id FROM part p JOIN room r ON r.id = p.room WHERE r.network = 'insp'")]
    assert len(ids) == len(set(ids)) == 6
    assert all(i and i.startswith("1AA~") for i in ids)  # as this server makes them


def test_a_role_follows_the_account_and_not_the_nick(world, inspircd):
    bot, ben, _ = world
    asha = Irc(inspircd.tls_port, "another", ca_file=inspircd.ca_file, account="asha",
               password="secret-of-asha").join(CHANNEL)
    impostor = Irc(inspircd.port, "asha").join(CHANNEL)
    impostor.say(CHANNEL, "!stop")
    impostor.wait_text("Only hosts", timeout=30)
    asha.say(CHANNEL, "!hold")
    asha.wait_text("Posts do not wait", timeout=30)
    accounts = {row["name"]: row["account"] for row in bot.rows("SELECT name, account FROM message WHERE text LIKE '!%'")}
    assert accounts == {"another": "asha", "asha": ""}
    for person in (asha, impostor):
        person.close()


def test_forty_lines_at_the_preset_rate_are_no_flood(world):
    bot, ben, eve = world
    for n in range(40):
        eve.say(CHANNEL, f"line {n:02}")
    ben.wait_text("line 39", timeout=120)
    assert [t.split(": ")[1] for t in ben.said(CHANNEL, "inspbot") if "line " in t] == [f"line {n:02}" for n in range(40)]
    assert not [l for l in ben.lines if l.command == "QUIT" and l.nick == "inspbot"]
    bot.wait_settled()
    assert bot.accounting()["insp/" + CHANNEL].keys() == {"delivered"}
