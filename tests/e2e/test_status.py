# SPDX-License-Identifier: MIT
"""`hashroom status`, for people and for programs: all well, something down, not running."""
import json
import os
import socket

import pytest
from clients import Irc, wait_for
from harness import Bot


def new_bot(folder, port, rooms=("one/#s",)):
    bot = Bot(folder)
    listed = "".join(f'    room "{room}" {{ pace = full }}\n' for room in rooms)
    bot.host_file(f'chat "c" {{\n    tag = "#c"\n{listed}}}\n')
    bot.plugin("irc", {"one": {"server": "127.0.0.1", "port": port, "tls": False, "nick": "statbot", "rate_ms": 1000,
                               "burst": 5}})
    bot.plugin("desk")
    return bot


def status(bot, *more):
    return bot.command("status", "-c", str(bot.folder), *more)


def as_json(bot):
    done = status(bot, "--json")
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def closed_port():
    with socket.socket() as taken:  # bound, never listening: nobody else gets it
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_all_well(tmp_path, ngircd):
    ann = Irc(ngircd.port, "statann").join("#s")
    bot = new_bot(tmp_path, ngircd.port)
    with bot:
        ann.wait(lambda l: l.command == "JOIN" and l.nick == "statbot")
        wait_for(lambda: as_json(bot)[0] == 0, message="not all is well")
        code, now = as_json(bot)
        assert (code, now["running"], now["well"]) == (0, True, True)
        network = now["networks"][0]
        assert (network["name"], network["service"], network["up"], network["reason"]) == ("one", "IRC", True, "")
        assert network["budget"]["limited"] and network["budget"]["burst"] == 5
        assert 0 <= network["budget"]["level"] <= 5 and network["budget"]["from"] in ("configuration", "learned")
        room = now["rooms"][0]
        assert (room["address"], room["up"], room["waiting"], room["chat"]) == ("#s", True, 0, "c")
        assert set(now["counts"]) == {"waiting", "claimed", "delivered", "named", "expired", "refused", "unknown"}
        assert now["store"]["bytes"] > 0 and now["store"]["disk_free_bytes"] > 0
        assert now["key"]["well"] and now["process"] == bot.process.pid
        done = status(bot)
        assert done.returncode == 0 and "one (IRC) works, for " in done.stdout, done.stdout
        assert "In the last 24 hours:" in done.stdout and "NOT" not in done.stdout
    ann.close()


def test_what_is_down_is_said_with_its_reason(tmp_path, closed_port):
    bot = new_bot(tmp_path, closed_port)
    with bot:
        bot.wait_log("ready")
        wait_for(lambda: as_json(bot)[1]["networks"][0]["trouble"], message="the network has not told its trouble")
        code, now = as_json(bot)
        assert code == 1 and not now["well"] and now["running"]
        assert not now["networks"][0]["up"] and now["networks"][0]["reason"]
        done = status(bot)
        assert done.returncode == 1 and "one (IRC) does NOT work" in done.stdout


def test_a_bot_that_does_not_run_is_told_from_its_folder(tmp_path, closed_port):
    bot = new_bot(tmp_path, closed_port)
    done = status(bot)
    assert done.returncode == 2 and "the bot is not running" in done.stdout and "no database" in done.stdout
    with bot:
        bot.wait_log("ready")
    code, now = as_json(bot)
    assert code == 2 and not now["running"] and not now["well"] and "not running" in now["why"]
    assert now["store"]["bytes"] > 0 and "networks" not in now
    bot.start()
    bot.wait_log("ready", count=2)
    bot.kill9()  # its socket is still there
    assert (bot.state / "hashroom.sock").exists()
    done = status(bot)
    assert done.returncode == 2 and "What its folder says:" in done.stdout
    bot.start()
    bot.wait_log("ready", count=3)
    assert as_json(bot)[1]["running"]
    bot.stop()


def test_a_folder_with_a_very_long_name_has_a_socket_too(tmp_path, closed_port):
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    bot = new_bot(deep, closed_port)
    with bot:
        bot.wait_log("ready")
        assert as_json(bot)[1]["running"]


@pytest.mark.skipif(os.geteuid() != 0, reason="another user can be tried by root only")
def test_another_user_is_turned_away(tmp_path, closed_port):
    bot = new_bot(tmp_path, closed_port)
    with bot:
        bot.wait_log("ready")
        fd = os.open(bot.state, os.O_PATH)
        address = f"/proc/self/fd/{fd}/hashroom.sock"
        pid = os.fork()
        if pid == 0:
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as sock:
                try:
                    sock.connect(address)
                except PermissionError:
                    os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        os.close(fd)
