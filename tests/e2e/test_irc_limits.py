# SPDX-License-Identifier: MIT
"""Servers with their own flood limits, nothing of it configured: a queue of lines arrives whole, nobody is thrown out."""
import pytest
from clients import Irc
from harness import Bot
from test_irc import wait_in

CHANNEL = "#limits"
LINES = 100


@pytest.fixture
def strict():
    """ngIRCd with the penalties it has when nothing is said about them."""
    from ngircd import Ngircd
    with Ngircd(penalty=True) as peer:
        yield peer


@pytest.fixture
def lagging():
    """Ergo that holds back who writes fast, as its own configuration has it."""
    from ergo import Ergo
    with Ergo(fakelag=True) as peer:
        yield peer


def bot_on(folder, networks, source):
    """Lines of the source's channel go to the channels of the others."""
    bot = Bot(folder)
    rooms = "\n".join(f'    room "{name}/{CHANNEL}" {{ pace = full }}' for name in (*networks, "source"))
    bot.host_file(f"""
chat "c" {{
    tag = "#C"
    irc_to_irc = yes
{rooms}
}}
role "host" {{ accounts = {{ "source/asha" }} }}
""")
    bot.plugin("irc", {**networks, "source": {"server": "127.0.0.1", "port": source.port, "tls": False,
                                              "nick": "limitbot", "rate_ms": 0}})
    bot.plugin("relay")
    bot.plugin("desk")
    return bot


def test_a_hundred_lines_at_the_preset_rate_are_a_flood_nowhere(tmp_path, strict, inspircd, ergo):
    networks = {name: {"server": "127.0.0.1", "port": peer.port, "tls": False, "nick": "limitbot"}
                for name, peer in (("strict", strict), ("insp", inspircd))}
    readers = [Irc(peer.port, f"reader{i}").join(CHANNEL) for i, peer in enumerate((strict, inspircd))]
    eve = Irc(ergo.port, "eve").join(CHANNEL)
    with bot_on(tmp_path, networks, ergo) as bot:
        for reader in (*readers, eve):
            wait_in(reader, CHANNEL, "limitbot")
        for n in range(LINES):
            eve.say(CHANNEL, f"line {n:03} of a long queue of words that came at once and waits for its turn")
        for reader in readers:
            reader.wait_text(f"line {LINES - 1:03}", timeout=400)
            said = [text.split("line ")[1][:3] for text in reader.said(CHANNEL, "limitbot")]
            assert said == [f"{n:03}" for n in range(LINES)]
            assert not [l for l in reader.lines if l.command == "QUIT" and l.nick == "limitbot"]
        bot.wait_settled()
        bot.assert_accounted()
        assert bot.value("SELECT count(*) FROM irc_rate") == 0
        for reader in (*readers, eve):
            reader.close()


def test_a_server_that_holds_lines_back_sets_the_pace_and_status_says_so(tmp_path, lagging, ergo):
    networks = {"lag": {"server": "127.0.0.1", "port": lagging.port, "tls": False, "nick": "limitbot", "rate_ms": 50,
                        "burst": 100}}
    reader = Irc(lagging.port, "reader").join(CHANNEL)
    asha = Irc(ergo.port, "asha")
    asha.register_account("secret-of-asha")
    asha.join(CHANNEL)
    with bot_on(tmp_path, networks, ergo) as bot:
        wait_in(reader, CHANNEL, "limitbot")
        wait_in(asha, CHANNEL, "limitbot")
        for n in range(40):
            asha.say(CHANNEL, f"line {n:03}")
        reader.wait_text("line 039", timeout=120)
        assert [text.split("line ")[1] for text in reader.said(CHANNEL, "limitbot")] == [f"{n:03}" for n in range(40)]
        bot.wait_log("holds the bot's lines back", timeout=30)
        assert 400 <= bot.value("SELECT line_ms FROM irc_rate WHERE network = 'lag'") <= 2000
        asha.say(CHANNEL, "!status")
        asha.wait_text("takes fewer lines than configured", timeout=30)
        bot.wait_settled()
        bot.assert_accounted()
        reader.close()
        asha.close()
