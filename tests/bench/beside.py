#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hashroom and matterbridge by turns between the same servers, in one run: `make bench BESIDE=PROGRAM`.

PROGRAM is a matterbridge that somebody built; it gets rooms of its own and its smallest delays. It keeps nothing on
disk, hashroom writes each message down first: with that the ratio has to be read. Nothing passes or fails by the clock.
"""
import argparse
import contextlib
import pathlib
import subprocess
import tempfile
import time

from bench import Bot, Ear, Ergo, Irc, Matrix, Synapse, configure, drive, irc_ear, matrix_ear, wait_for

IRC = """[irc.{name}]
Server = "127.0.0.1:{port}"
Nick = "beside"
MessageDelay = 1
MessageQueue = 10000
MessageLength = 400
RemoteNickFormat = "<{{NICK}}> "
"""
MATRIX = """[matrix.home]
Server = "{url}"
MxID = "{user}"
Token = "{token}"
RemoteNickFormat = "<{{NICK}}> "
NoHomeServerSuffix = true
"""
GATEWAY = """[[gateway]]
name = "{name}"
enable = true
"""
INOUT = """[[gateway.inout]]
account = "{account}"
channel = "{channel}"
"""


def configure_beside(folder, one, two, synapse, account, room):
    text = IRC.format(name="one", port=one.port) + IRC.format(name="two", port=two.port)
    text += MATRIX.format(url=synapse.url, user=account["user_id"], token=account["access_token"])
    gateways = {"b": [("irc.one", "#b"), ("irc.two", "#b")], "n": [("irc.one", "#n"), ("matrix.home", room)]}
    for name, ends in gateways.items():
        text += GATEWAY.format(name=name) + "".join(INOUT.format(account=a, channel=c) for a, c in ends)
    path = folder / "beside.toml"
    path.write_text(text)
    return path


@contextlib.contextmanager
def running(program, config, log):
    with open(log, "w") as out:
        process = subprocess.Popen([program, "-conf", str(config)], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(20)


def show(name, us, it):
    print(f"{name}: CPU a message {us['us']:.0f} us beside {it['us']:.0f} us, {it['us'] / us['us']:.1f} times less")
    print(f"    p50 {us['p50']:.2f} beside {it['p50']:.2f} ms, p99 {us['p99']:.2f} beside {it['p99']:.2f} ms; "
          f"out of order {us['disorder']} beside {it['disorder']}; delivered {us['delivered']} beside "
          f"{it['delivered']} of {us['sent']}; resident {us['rss']} beside {it['rss']} kB", flush=True)


def measure(program, scale, folder):
    with Ergo(network="one") as one, Ergo(network="two") as two, Synapse() as synapse:
        owner = Matrix.register(synapse, "owner").start()
        accounts = [synapse.register(name) for name in ("bench", "beside")]
        rooms = [owner.create_room(f"room {n}", invite=[a["user_id"]]) for n, a in enumerate(accounts)]
        Matrix(synapse.url, accounts[1]["user_id"], accounts[1]["access_token"]).join(rooms[1])
        bot = Bot(folder / "bot")
        configure(bot, one, two, synapse, accounts[0]["access_token"], accounts[0]["user_id"],
                  {"a": ["one/#a", "two/#a"], "m": ["one/#m", f"home/{rooms[0]}"]})
        config = configure_beside(folder, one, two, synapse, accounts[1], rooms[1])
        ann, ben = Irc(one.port, "ann").join("#a").join("#b"), Irc(two.port, "ben").join("#a").join("#b")
        amy = Irc(one.port, "amy").join("#m").join("#n")
        at_ben, at_owner, at_amy = Ear(), Ear(), Ear()
        irc_ear(ben, at_ben), matrix_ear(owner, at_owner), irc_ear(amy, at_amy)
        paths = [("IRC to IRC, 100 a second", ann, at_ben, "#a", "#b", 2000, 100),
                 ("IRC to IRC, one burst", ann, at_ben, "#a", "#b", 2000, 0),
                 ("IRC to Matrix, 10 a second", amy, at_owner, "#m", "#n", 400, 10),
                 ("Matrix to IRC, 10 a second", owner, at_amy, *rooms, 400, 10)]
        with bot, running(program, config, folder / "beside.log") as pid:
            for nick in ("bench", "beside"):
                for person in (ann, ben):
                    person.wait(lambda l, n=nick: l.command == "JOIN" and l.nick == n, 60)
            wait_for(lambda: accounts[0]["user_id"] in owner.members(rooms[0]), 60)
            time.sleep(5)
            for name, who, ear, here, there, count, rate in paths:
                count = int(count * scale)
                show(name, drive(lambda t: who.say(here, t), ear, bot.process.pid, count, rate),
                     drive(lambda t: who.say(there, t), ear, pid, count, rate))
        for person in (ann, ben, amy):
            person.close()
        owner.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("program", help="matterbridge")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hashroom-beside-") as folder:
        measure(args.program, 0.1 if args.quick else 1, pathlib.Path(folder))


if __name__ == "__main__":
    main()
