# SPDX-License-Identifier: MIT
"""Wrong configuration: each fault with file, line and the fix; exit code 2; nothing is connected."""
import socket
import threading

import pytest
from harness import Bot

CHAT = """chat "dpulo" {
    tag = "#DPULO"
    room "one/#dpulo" { }
    room "two/#dpulo" { }
}
"""


class Trap:
    """A server that notes whether anybody connects."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.connected = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.sock.accept()
            except OSError:
                return
            self.connected += 1
            connection.close()


@pytest.fixture
def bot(tmp_path):
    b = Bot(tmp_path / "bot")
    b.trap = Trap()
    b.network = {"server": "127.0.0.1", "port": b.trap.port, "tls": False, "nick": "bot"}
    b.plugin("irc", {"one": b.network, "two": b.network})
    b.plugin("relay")
    b.host_file(CHAT)
    yield b
    assert b.trap.connected == 0
    b.trap.sock.close()


def problems(bot):
    """What check and run say; both refuse."""
    checked = bot.command("check", "-c", str(bot.folder))
    ran = bot.command("run", "-c", str(bot.folder), timeout=20)
    assert checked.returncode == 2, checked
    assert ran.returncode == 2, ran
    text = checked.stdout + checked.stderr
    assert "AddressSanitizer" not in text + ran.stderr
    return text


def says(text, file, line, *words):
    """One line names file and line, and holds all the words."""
    found = [t for t in text.splitlines() if f"{file}:{line}:" in t]
    assert any(all(w in t for w in words) for t in found), text


def line_of(path, part):
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if part in line)


def test_a_sound_configuration_is_in_order(bot):
    done = bot.command("check", "-c", str(bot.folder))
    assert done.returncode == 0 and "in order" in done.stdout, done


def test_an_unknown_key_is_named(bot):
    irc = bot.folder / "plugins" / "irc.conf"
    irc.write_text(irc.read_text().replace("nick = ", "nikc = ", 1))
    says(problems(bot), "irc.conf", line_of(irc, "nikc"), "nikc", "nick")


def test_a_value_of_the_wrong_type_is_named(bot):
    irc = bot.folder / "plugins" / "irc.conf"
    irc.write_text(irc.read_text().replace(f"port = {bot.trap.port}", 'port = "six"', 1))
    says(problems(bot), "irc.conf", line_of(irc, '"six"'), "port")


def test_a_missing_secret_file_is_named(bot):
    bot.plugin("irc", {"one": {**bot.network, "sasl": "plain", "sasl_account": "x",
                               "sasl_password_file": str(bot.folder / "nothing")}, "two": bot.network})
    irc = bot.folder / "plugins" / "irc.conf"
    says(problems(bot), "irc.conf", line_of(irc, "nothing"), "nothing")


def test_a_secret_everybody_can_read_is_refused(bot):
    secret = bot.folder / "password"
    secret.write_text("x\n")
    secret.chmod(0o644)
    bot.plugin("irc", {"one": {**bot.network, "sasl": "plain", "sasl_account": "x", "sasl_password_file": str(secret)},
                       "two": bot.network})
    irc = bot.folder / "plugins" / "irc.conf"
    says(problems(bot), "irc.conf", line_of(irc, str(secret)), "chmod")


def test_a_hash_is_no_command_prefix(bot):
    bot.host_file(CHAT, prefix="#")
    conf = bot.folder / "hashroom.conf"
    says(problems(bot), "hashroom.conf", line_of(conf, "prefix"), "prefix")


def test_a_route_to_an_unknown_room_is_named(bot):
    bot.host_file(CHAT.replace('}\n}', '}\n    route { from = "one/#dpulo" to = { "two/#nowhere" } }\n}'))
    conf = bot.folder / "hashroom.conf"
    says(problems(bot), "hashroom.conf", line_of(conf, "nowhere"), "two/#nowhere")


def test_a_doubled_route_is_named(bot):
    twice = '    route { from = "one/#dpulo" to = { "two/#dpulo" } }\n' * 2
    bot.host_file(CHAT.replace('}\n}', '}\n' + twice + '}').replace('tag = "#DPULO"', 'tag = "#DPULO"\n    irc_to_irc = yes'))
    conf = bot.folder / "hashroom.conf"
    says(problems(bot), "hashroom.conf", line_of(conf, "route {") + 1, "one/#dpulo", "two/#dpulo")


def test_a_room_in_two_chats_is_named(bot):
    bot.host_file(CHAT + CHAT.replace('"dpulo" {', '"nhssm" {').replace("#DPULO", "#NHSSM"))
    text = problems(bot)
    assert "one/#dpulo" in text and "hashroom.conf:" in text


def test_a_channel_without_quotes_is_named(bot):
    bot.host_file(CHAT.replace('room "one/#dpulo" { }', "room one/#dpulo { }"))
    conf = bot.folder / "hashroom.conf"
    text = problems(bot)
    assert f"hashroom.conf:{line_of(conf, 'one/#dpulo')}" in text and '"' in text


def test_all_faults_of_meaning_are_told_at_once(bot):
    bot.host_file(CHAT.replace("two/#dpulo", "two/dpulo").replace("one/#dpulo", "away/#dpulo"), prefix="#")
    text = problems(bot)
    for part in ("prefix", "away", "two/dpulo"):
        assert part in text, text


def test_secrets_are_never_in_the_log(bot):
    secret = bot.secret("password", "hunter2-of-the-tests")
    bot.plugin("irc", {"one": {**bot.network, "sasl": "plain", "sasl_account": "x", "sasl_password_file": secret,
                               "nikc": "x"}, "two": bot.network})
    assert "hunter2" not in problems(bot)
