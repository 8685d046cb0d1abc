# SPDX-License-Identifier: MIT
"""What a network or a channel may do to the bot, on servers that differ: one line that says what to do, and the rest
goes on."""
import pytest
from clients import Irc
from test_irc import make_bot, wait_in


@pytest.fixture(params=["ngircd", "inspircd"])
def server(request):
    return request.getfixturevalue(request.param)


def bot_between(folder, server, ergo, name, **more):
    """A bot in #name of the server and of Ergo; somebody who opened #name there, and somebody on Ergo."""
    channel = f"#{name}"
    bot = make_bot(folder, {
        "there": {"server": "127.0.0.1", "port": server.port, "tls": False, "nick": f"{name}bot", **more},
        "one": {"server": "127.0.0.1", "port": ergo.port, "tls": False, "nick": f"{name}bot"},
    }, [f"there/{channel}", f"one/{channel}"])
    return bot, channel, Irc(server.port, f"{name}op").join(channel), Irc(ergo.port, f"{name}eve").join(channel)


def test_a_moderated_channel_is_a_state_until_the_bot_has_voice(tmp_path, server, ergo):
    bot, channel, op, eve = bot_between(tmp_path, server, ergo, "mod")
    with bot:
        wait_in(op, channel, "modbot")
        wait_in(eve, channel, "modbot")
        op.send(f"MODE {channel} +m")
        op.wait(lambda l: l.command == "MODE" and "+m" in " ".join(l.args))
        eve.say(channel, "not heard")
        bot.wait_log("give it voice")
        bot.wait_settled()
        op.send(f"MODE {channel} +v modbot")
        op.wait(lambda l: l.command == "MODE" and "modbot" in " ".join(l.args))
        eve.say(channel, "heard")
        op.wait_text("eve on IRC: heard")
        bot.wait_settled()
        assert bot.accounting()[f"there/{channel}"] == {"refused": 1, "delivered": 1}
    op.close()
    eve.close()


@pytest.mark.parametrize("mode,words", [("+b *!*@127.0.0.1", "banned from the channel"), ("+i", "by invitation only"),
                                        ("+k key", "wants a key"), ("+l 1", "the channel is full")])
def test_a_channel_that_does_not_let_the_bot_in_is_said_and_left_alone(tmp_path, server, ergo, mode, words):
    name = "in" + str(abs(hash((mode, server.port))) % 10000)
    bot, channel, op, eve = bot_between(tmp_path, server, ergo, name)
    op.send(f"MODE {channel} {mode}")
    op.wait(lambda l: l.command == "MODE" and mode.split()[0][1] in " ".join(l.args[1:]))
    with bot:
        bot.wait_log(words)
        wait_in(eve, channel, f"{name}bot")
        eve.say(channel, "the rest goes on")
        asked = op.mark()
        op.send(f"NAMES {channel}")
        op.wait(lambda l: l.command == "366", since=asked)
        assert f"{name}bot" not in " ".join(l.text for l in op.lines[asked:])
        assert bot.log().count(words) == 1
    op.close()
    eve.close()


def test_a_ban_by_the_network_is_said_and_not_knocked_at(tmp_path, server, ergo):
    bot, channel, op, eve = bot_between(tmp_path, server, ergo, "kline", username="klinebot")
    op.send("OPER oper secret-of-oper")
    op.wait(lambda l: l.command == "381")
    mask = "*!*klinebot@*" if server.name == "ngircd" else "*klinebot@127.0.0.1"
    op.send(f"KLINE {mask} 3600 :go away")
    probe = op.mark()
    op.send("PING :set")
    op.wait(lambda l: l.command == "PONG", since=probe)
    with bot:
        bot.wait_log("the network has banned the bot")
        bot.wait_log("next try in 1")  # 15 minutes and more
        wait_in(eve, channel, "klinebot")
        assert bot.log().count("the network has banned the bot") == 1
    op.send(f"KLINE {mask}")
    op.close()
    eve.close()
