# SPDX-License-Identifier: MIT
"""A plugin from outside the tree: written by new-plugin, built against the installed headers alone, loaded, restarted."""
import os
import shutil
import subprocess

import pytest
from clients import Irc
from harness import BUILD, ROOT, Bot

SAN = BUILD.name == "san"


def run(*command, cwd, **more):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240, **more)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """`make install` into a folder, and the plugin `counter` made and built with what lies there."""
    place = tmp_path_factory.mktemp("installed")
    prefix = place / "usr"
    san = ["SAN=1", "DEVELOPER=1"] if SAN else []
    run("make", "-s", "install", f"PREFIX={prefix}", *san, cwd=ROOT)
    program = prefix / "bin" / "hashroom"
    env = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    run(str(program), "new-plugin", "counter", cwd=place)
    folder = place / "counter"
    env["HASHROOM_INCLUDE"] = str(prefix / "include")
    run("make", cwd=folder, env=env)
    run("make", "check", cwd=folder, env=env)
    return {"program": program, "folder": folder, "prefix": prefix, "env": env}


def make_bot(installed, ngircd, folder, channel):
    bot = Bot(folder, program=installed["program"])
    path = [str(installed["prefix"] / "lib" / "hashroom"), str(installed["folder"])]
    bot.host_file(f'chat "c" {{\n    tag = "#c"\n    room "one/{channel}" {{ pace = full }}\n}}\n', plugin_path=path)
    bot.plugin("irc", {"one": {"server": "127.0.0.1", "port": ngircd.port, "tls": False, "nick": "cbot" + channel[1:2],
                               "rate_ms": 0, "burst": 100}})
    shutil.copy(installed["folder"] / "counter.conf", bot.folder / "plugins" / "counter.conf")
    return bot


def test_it_answers_and_keeps_its_count_over_a_restart(installed, ngircd, tmp_path):
    bot = make_bot(installed, ngircd, tmp_path / "bot", "#a")
    ann = Irc(ngircd.port, "counta").join("#a")
    for start, answers in ((1, ("1", "2")), (2, ("3",))):
        with bot:
            ann.wait(lambda l: l.command == "JOIN" and l.nick == "cbota", since=ann.mark() if start == 1 else mark)
            for answer in answers:
                mark = ann.mark()
                ann.say("#a", "!counter")
                said = ann.wait(lambda l: l.nick == "cbota" and l.command in ("PRIVMSG", "NOTICE"), since=mark)
                assert answer in said.text, said
            mark = ann.mark()
    ann.close()


def test_another_abi_is_refused_in_a_plain_sentence_and_the_bot_runs_on(installed, ngircd, tmp_path):
    bot = make_bot(installed, ngircd, tmp_path / "bot", "#b")
    source = installed["folder"]
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    code = (source / "counter.c").read_text().replace("HR_PLUGIN_HEADER", ".abi = 99, .size = sizeof(struct hr_plugin)")
    (wrong / "counter.c").write_text(code)
    run("cc", "-std=c17", "-fPIC", "-shared", f"-I{installed['prefix']}/include", "-D_GNU_SOURCE", "-o", "counter.so",
        "counter.c", cwd=wrong)
    text = (bot.folder / "hashroom.conf").read_text().replace(str(source), str(wrong))
    (bot.folder / "hashroom.conf").write_text(text)
    ann = Irc(ngircd.port, "countb").join("#b")
    with bot:
        ann.wait(lambda l: l.command == "JOIN" and l.nick == "cbotb")
        log = bot.log()
        assert "counter" in log and "99" in log, log
    ann.close()
