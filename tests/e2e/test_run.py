# SPDX-License-Identifier: MIT
"""The life of the running bot: start, signals, lock, clock, core dumps."""
import os
import re
import resource
import signal
import subprocess
import time

import pytest

from clients import wait_for
from harness import PROGRAM

HOST = """state = "{state}"
name = "{name}"
chat "test" {{
    tag = "#Test"
    room "console/room" {{ pace = full }}
}}
"""


class Running:
    def __init__(self, path, **env):
        self.path = path
        (path / "plugins").mkdir()
        (path / "state").mkdir()
        self.host_file("hashroom")
        for plugin in ("console", "relay", "desk"):
            (path / "plugins" / f"{plugin}.conf").write_text("")
        self.log, self.out = path / "log", path / "out"
        self.env = {**os.environ, **env}
        self.process = None

    def host_file(self, name):
        (self.path / "hashroom.conf").write_text(HOST.format(state=self.path / "state", name=name))

    def launch(self):
        self.process = subprocess.Popen([PROGRAM, "run", "-c", self.path], stdin=subprocess.PIPE, text=True, env=self.env,
                                        stdout=open(self.out, "a"), stderr=open(self.log, "a"))

    def start(self):
        self.launch()
        self.wait_log("ready")

    def wait_log(self, words, times=1):
        wait_for(lambda: self.log.read_text().count(words) >= times or self.process.poll() is not None, 30)
        assert self.log.read_text().count(words) >= times, self.log.read_text()

    def type(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def said(self, words):
        wait_for(lambda: words in self.out.read_text(), 30)
        assert words in self.out.read_text(), self.out.read_text() + self.log.read_text()

    def stop(self, number=signal.SIGTERM):
        begun = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        return code, time.monotonic() - begun


@pytest.fixture
def bot(tmp_path):
    bot = Running(tmp_path)
    yield bot
    if bot.process and bot.process.poll() is None:
        bot.process.kill()
        bot.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_bot_stops_cleanly_within_five_seconds(bot, number):
    bot.start()
    code, took = bot.stop(number)
    assert code == 0 and took < 8, (code, took, bot.log.read_text())
    assert "AddressSanitizer" not in bot.log.read_text()


def test_bot_told_to_stop_while_it_starts_ends_cleanly(bot):
    bot.launch()
    wait_for(lambda: (bot.path / "state" / "hashroom.boot").exists(), 10, 0)
    bot.process.send_signal(signal.SIGTERM)
    assert bot.process.wait(10) == 0, bot.log.read_text()
    bot.start()
    assert "did not end by itself" not in bot.log.read_text()


def test_sound_configuration_restarts_in_place_at_sighup(bot):
    bot.start()
    pid = bot.process.pid
    bot.host_file("robin")
    bot.process.send_signal(signal.SIGHUP)
    bot.wait_log("ready", times=2)
    assert bot.process.poll() is None and bot.process.pid == pid
    bot.type("robin: help")
    bot.said("You can type")
    assert bot.stop()[0] == 0


def test_wrong_configuration_at_sighup_is_told_and_the_bot_goes_on(bot):
    bot.start()
    (bot.path / "plugins" / "relay.conf").write_text("nonsense = yes\n")
    bot.process.send_signal(signal.SIGHUP)
    bot.wait_log("goes on with the old one")
    assert re.search(r"relay\.conf:1: there is no key 'nonsense'", bot.log.read_text())
    bot.type("!help")
    bot.said("You can type")
    assert bot.stop()[0] == 0
    assert bot.log.read_text().count("ready") == 1


def test_second_bot_on_the_same_state_is_refused(bot):
    bot.start()
    second = subprocess.run([PROGRAM, "run", "-c", bot.path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            timeout=60)
    assert second.returncode == 1
    assert "another hashroom is running" in second.stderr
    assert bot.stop()[0] == 0


def test_state_folder_that_is_none_is_a_plain_sentence(bot):
    (bot.path / "state").rmdir()
    (bot.path / "state").write_text("")
    done = subprocess.run([PROGRAM, "run", "-c", bot.path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 1
    assert "error: the bot did not start: " in done.stderr and f"{bot.path}/state" in done.stderr


def test_process_leaves_no_core_and_keeps_its_files_private(bot):
    bot.start()
    limits = resource.prlimit(bot.process.pid, resource.RLIMIT_CORE)
    assert limits[0] == 0
    for path in (bot.path / "state").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert bot.stop()[0] == 0


def test_damaged_clock_file_is_refused(tmp_path):
    clock = tmp_path / "clock"
    clock.write_text("soon\n")
    bot = Running(tmp_path, HASHROOM_CLOCK=str(clock))
    done = subprocess.run([PROGRAM, "run", "-c", bot.path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, env=bot.env)
    assert done.returncode == 2
    assert "WALL_MS CHAT_MS SPEED" in done.stderr


def test_service_manager_hears_that_it_is_ready(tmp_path):
    import socket
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(30)
        bot = Running(tmp_path, NOTIFY_SOCKET=address, WATCHDOG_USEC="300000")
        bot.start()
        heard = ""
        while "WATCHDOG=1" not in heard:
            heard += listener.recv(4096).decode() + "\n"
        if "READY=1" not in heard:
            pytest.skip("built without libsystemd")
        assert bot.stop()[0] == 0
        while "STOPPING=1" not in heard:
            heard += listener.recv(4096).decode() + "\n"


def test_doctor_names_the_network_that_fails(bot):
    (bot.path / "plugins" / "irc.conf").write_text('instance "libera" { server = "127.0.0.1"  port = 1  tls = no }\n')
    done = subprocess.run([PROGRAM, "doctor", "-c", bot.path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=90)
    assert done.returncode == 1
    assert re.search(r"^console \(the terminal\) works", done.stdout, re.M)
    assert re.search(r"^libera \(IRC\) does NOT work: .*refused", done.stdout, re.M), done.stdout
    assert list((bot.path / "state").iterdir()) == []


def test_export_works_beside_the_running_bot(bot):
    (bot.path / "plugins" / "resources.conf").write_text("")
    bot.start()
    bot.type("look at https://example.org/guide please")
    bot.type("!link https://example.org/more A second page")
    bot.type("!help")
    bot.said("You can type")
    done = subprocess.run([PROGRAM, "export", "links", "--format", "csv", "-c", bot.path], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    unknown = subprocess.run([PROGRAM, "export", "lnks", "-c", bot.path], capture_output=True, text=True, timeout=60)
    assert unknown.returncode == 2 and "links: " in unknown.stderr
    wrong = subprocess.run([PROGRAM, "export", "links", "--format", "pdf", "-c", bot.path], capture_output=True, text=True,
                           timeout=60)
    assert wrong.returncode == 2 and "html md csv json" in wrong.stderr
    assert bot.stop()[0] == 0
