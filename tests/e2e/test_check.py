# SPDX-License-Identifier: MIT
"""`hashroom check`: each mistake in the configuration is told with file, line and fix; nothing connects."""
import re
import shutil
import subprocess

import pytest

from harness import BUILD, PROGRAM, ROOT

HOST = """state = "/var/lib/hashroom"
chat "dpulo" {
    tag = "#DPULO"
    room "libera/#dpulo" { pace = calm }
    room "terminal/room" { pace = full }
}
role "host" {
    accounts = { "libera/asha" }
}
"""
IRC = """instance "libera" {
    server = "irc.libera.chat"
    nick = "hashroom"
}
"""
CONSOLE = 'instance "terminal" { }\n'


class Folder:
    def __init__(self, path):
        self.path = path
        (path / "plugins").mkdir()
        self.write("hashroom.conf", HOST)
        self.write("plugins/irc.conf", IRC)
        self.write("plugins/console.conf", CONSOLE)
        self.write("plugins/relay.conf", "")

    def write(self, name, text):
        data = text if isinstance(text, bytes) else text.encode()
        (self.path / name).write_bytes(data)

    def replace(self, name, old, new):
        text = (self.path / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def secret(self, name, mode=0o600, text="geheim\n"):
        path = self.path / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def check(self):
        done = subprocess.run([PROGRAM, "check", "-c", self.path], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_sound_configuration_is_in_order(folder):
    code, out, err = folder.check()
    assert code == 0, out + err
    assert "in order: 1 chat, 2 rooms" in out


def edit(old, new, name="hashroom.conf"):
    return lambda folder: folder.replace(name, old, new)


def irc(new):
    return edit("    nick", f"    {new}\n    nick", "plugins/irc.conf")


def chat(new):
    return edit('    room "terminal', f"    {new}\n    room \"terminal", "hashroom.conf")


ROUTE = 'route { from = "terminal/room"  to = { "libera/#dpulo" } }'

# what was done to a sound configuration, file:line that is named, words of the sentence, words of the fix
CASES = {
    "unknown key": (irc('sever = "x"'), "plugins/irc.conf:3", "no key 'sever'", "Did you mean 'server'"),
    "unknown key of the host": (edit("state", "stat"), "hashroom.conf:1", "no key 'stat'", "Did you mean 'state'"),
    "unknown section": (edit('role "host"', 'rolle "host"'), "hashroom.conf:7", "no key 'rolle'", "Did you mean 'role'"),
    "wrong type": (irc("port = soon"), "plugins/irc.conf:3", "port: 'soon' is not a whole number", "Write one such as"),
    "wrong yes or no": (irc("tls = maybe"), "plugins/irc.conf:3", "'maybe' is not yes or no", "Write yes or no"),
    "list for one value": (irc('port = { 1, 2 }'), "plugins/irc.conf:3", "port takes one value", "Write port = VALUE"),
    "number out of range": (irc("port = 70000"), "plugins/irc.conf:3", "out of range", "Write 1 to 65535"),
    "missing required option": (edit('    server = "irc.libera.chat"\n', "", "plugins/irc.conf"), "plugins/irc.conf:1",
                                "needs a value for server", 'Write: server = "'),
    "missing tag": (edit('    tag = "#DPULO"\n', ""), "hashroom.conf:2", "needs a value for tag", 'tag = "#DPULO"'),
    "missing secret file": (irc('sasl_password_file = "/nowhere/secret"'), "plugins/irc.conf:3", "no file /nowhere/secret",
                            "chmod 600 /nowhere/secret"),
    "secret in the file itself": (irc('sasl_password_file = "hunter2"'), "plugins/irc.conf:3", "must name a file",
                                  "write its full path"),
    "# as command prefix": (edit("state", 'prefix = "#"\nstate'), "hashroom.conf:1", "'#' begins the names of channels",
                            'Write: prefix = "!"'),
    "letters as command prefix": (edit("state", 'prefix = "bot"\nstate'), "hashroom.conf:1", "'bot' is not one of",
                                  'Write: prefix = "!"'),
    "route to an unknown room": (chat('route { from = "terminal/room"  to = { "libera/#dplo" } }'), "hashroom.conf:5",
                                 "no room 'libera/#dplo'", "Its rooms are \"libera/#dpulo\""),
    "route from an unknown room": (chat('route { from = "x/#dpulo"  to = { "libera/#dpulo" } }'), "hashroom.conf:5",
                                   "no room 'x/#dpulo'", "Its rooms are"),
    "doubled route": (chat(ROUTE + "\n    " + ROUTE), "hashroom.conf:6", "is there twice (line 5", "Remove one"),
    "doubled target": (chat('route { from = "terminal/room"  to = { "libera/#dpulo", "libera/#dpulo" } }'),
                       "hashroom.conf:5", "is there twice", "Remove one"),
    "route to itself": (chat('route { from = "terminal/room"  to = { "terminal/room" } }'), "hashroom.conf:5",
                        "would hear itself", "Remove it"),
    "wrong time of a route": (chat('route { from = "terminal/room"  to = { "libera/#dpulo" }  when = "often" }'),
                              "hashroom.conf:5", "neither always nor live", "when = always"),
    "a room in two chats": (edit('role "host"', 'chat "two" {\n tag = "#Two"\n room "libera/#DPULO" { }\n}\nrole "host"'),
                            "hashroom.conf:9", "already in the chat dpulo (line 4)", "remove one"),
    "a room twice in one chat": (chat('room "libera/#dpulo" { }'), "hashroom.conf:5", "already in the chat dpulo",
                                 "remove one"),
    "unknown network in a room": (chat('room "liberra/#two" { }'), "hashroom.conf:5", "no network 'liberra'",
                                  "Did you mean 'libera'"),
    "network that is nowhere near": (chat('room "mastodon/#two" { }'), "hashroom.conf:5", "no network 'mastodon'",
                                     'Write instance "mastodon"'),
    "room without a network": (chat('room "dpulo" { }'), "hashroom.conf:5", "not NETWORK/ADDRESS", "Write for example"),
    "unquoted channel": (chat("room libera/#two { }"), "hashroom.conf:5", "would be a comment", "Put quotes around it"),
    "unquoted hashtag": (edit('tag = "#DPULO"', "tag = #DPULO"), "hashroom.conf:3", "would be a comment", "Put quotes around"),
    "address the network refuses": (edit("terminal/room", "terminal/cellar"), "hashroom.conf:5", "terminal/cellar",
                                    "room"),
    "wrong pace": (edit("pace = calm", "pace = quick"), "hashroom.conf:4", "neither calm nor full", "pace = calm"),
    "power level on IRC": (edit("pace = calm", "power_host = 50"), "hashroom.conf:4", "power_host is not for IRC",
                           'accounts = { "libera/NAME" }'),
    "duplicate instance": (edit('instance "terminal"', 'instance "libera"', "plugins/console.conf"), "plugins/irc.conf:1",
                           "the name is taken by", "its own name"),
    "two instances of one name": (lambda f: f.write("plugins/irc.conf", IRC + IRC), "plugins/irc.conf:5",
                                  "the name is taken by", "its own name"),
    "option outside the instances": (edit("instance", 'nick = "x"\ninstance', "plugins/irc.conf"), "plugins/irc.conf:1",
                                     "outside of the instances", "Move it into"),
    "instance of a feature that is no chat": (lambda f: f.write("plugins/session.conf", 'instance "dpulu" { }\n'),
                                              "plugins/session.conf:1", "no chat of that name", "Did you mean 'dpulo'?"),
    "unknown role": (edit('role "host"', 'role "hots"'), "hashroom.conf:7", "no role 'hots'", "Did you mean 'host'"),
    "role at an unknown network": (edit("libera/asha", "oftc/asha"), "hashroom.conf:7", "no network 'oftc'", "Write instance"),
    "account without a network": (edit("libera/asha", "asha"), "hashroom.conf:7", "not NETWORK/ACCOUNT", "libera/asha"),
    "role for an unknown chat": (edit("    accounts", '    chats = { "dpolo" }\n    accounts'), "hashroom.conf:7",
                                 "no chat 'dpolo'", "Write the name of a chat"),
    "no such plugin": (lambda f: f.write("plugins/ircc.conf", ""), "plugins/ircc.conf:1", "no plugin ircc",
                       "Did you mean irc? "),
    "empty chat": (edit('role "host"', 'chat "two" { tag = "#Two" }\nrole "host"'), "hashroom.conf:7",
                   "the chat two has no room", "Write one for each place"),
    "no chat": (lambda f: f.write("hashroom.conf", 'state = "/x"\n'), "hashroom.conf:1", "0 chats", "Write 1 to"),
    "tag that is none": (edit('"#DPULO"', '"DP ULO"'), "hashroom.conf:3", "not a hashtag", "Write #"),
    "state that is no full path": (edit("/var/lib/hashroom", "state"), "hashroom.conf:1", "not a full path", "from / on"),
    "no plugins at all": (lambda f: shutil.rmtree(f.path / "plugins"), "hashroom.conf:1", "no plugin is switched on",
                          "hashroom plugins"),
    "no file at all": (lambda f: (f.path / "hashroom.conf").unlink(), "hashroom.conf:1", "cannot be read",
                       "hashroom example"),
    "invalid UTF-8": (lambda f: f.write("hashroom.conf", HOST.encode().replace(b"asha", b"\xff\xfe")), "hashroom.conf:8",
                      "not valid UTF-8", "Save the file as UTF-8"),
    "line break in a value": (edit('"libera/asha"', '"libera/\nasha"'), "hashroom.conf:8", "closing quote is missing",
                              "stay on one line"),
    "carriage return in a value": (lambda f: f.write("hashroom.conf", HOST.encode().replace(b"asha", b"a\rsha")),
                                   "hashroom.conf:8", "control character", "Remove it"),
    "written line break in a value": (edit("libera/asha", "libera/as\\nha"), "hashroom.conf:8", "backslash",
                                      "Write the character"),
    "environment in a value": (edit("/var/lib/hashroom", "/home/${USER}"), "hashroom.conf:1", "is not replaced",
                               "Write the value itself"),
    "closing quote missing": (edit('"#DPULO"', '"#DPULO'), "hashroom.conf:3", "closing quote is missing", "one line"),
    "closing brace missing": (edit("}\nrole", "role"), "hashroom.conf:2", "never closed", "Write }"),
    "closing brace too many": (edit("}\nrole", "}\n}\nrole"), "hashroom.conf:7", "closes nothing", "Remove it"),
    "equal sign missing": (edit("tag =", "tag"), "hashroom.conf:3", "missing equal sign", "KEY = VALUE"),
    "file without rights": (lambda f: f.write("plugins/Irc.conf", ""), "hashroom.conf:1", "not the name of a plugin",
                            "small letters"),
}


@pytest.mark.parametrize("case", CASES)
def test_mistake_is_told_with_file_line_and_fix(folder, case):
    change, where, sentence, fix = CASES[case]
    change(folder)
    code, out, err = folder.check()
    assert code == 2, out + err
    line = next((line for line in out.splitlines() if line.startswith(f"{folder.path}/{where}:") and sentence in line), None)
    assert line, f"no line for {where} with '{sentence}' in:\n{out}"
    assert fix in line
    assert "hunter2" not in out + err
    assert not re.search(r"error: |runtime error|AddressSanitizer", err), err


def test_secret_readable_by_others_is_refused(folder):
    secret = folder.secret("password", mode=0o644)
    irc(f'sasl_password_file = "{secret}"')(folder)
    code, out, _ = folder.check()
    assert code == 2
    assert f"plugins/irc.conf:3: sasl_password_file: others can read the secret in {secret}. Type: chmod 600 {secret}" in out
    assert "geheim" not in out


def test_several_mistakes_are_all_told_at_once(folder):
    folder.replace("hashroom.conf", "pace = calm", "pace = quick")
    folder.replace("hashroom.conf", 'role "host"', 'role "hots"')
    irc("port = 0")(folder)
    irc("tls = maybe")(folder)
    folder.write("plugins/console.conf", "instance {")
    code, out, _ = folder.check()
    assert code == 2
    for piece in ("neither calm nor full", "no role 'hots'", "port: 0 is out of range", "'maybe' is not yes", "console.conf:1"):
        assert piece in out, f"{piece} is missing in:\n{out}"
    assert re.search(r"^5 problems\. Nothing was started\.$", out, re.M), out


def test_two_unknown_keys_in_one_file_are_both_told(folder):
    irc('sever = "x"')(folder)
    irc("prot = 5")(folder)
    code, out, _ = folder.check()
    assert code == 2 and "'sever'" in out and "'prot'" in out


def test_line_ends_of_windows_are_fine(folder):
    folder.write("hashroom.conf", b"\xef\xbb\xbf" + HOST.replace("\n", "\r\n").encode())
    code, out, err = folder.check()
    assert code == 0, out + err


def test_check_opens_no_database(folder):
    state = folder.path / "state"
    state.mkdir()
    folder.replace("hashroom.conf", "/var/lib/hashroom", str(state))
    assert folder.check()[0] == 0
    assert list(state.iterdir()) == []


def test_many_matrix_rooms_on_one_account_are_a_warning(folder):
    secret = folder.secret("password")
    folder.write("plugins/matrix.conf", f"""instance "home" {{
    homeserver = "https://matrix.example.org"
    user = "@hashroom:example.org"
    password_file = "{secret}"
}}
""")
    rooms = "\n".join(f'    room "home/!room{n}:example.org" {{ }}' for n in range(4))
    folder.replace("hashroom.conf", '    room "terminal', rooms + '\n    room "terminal')
    code, out, err = folder.check()
    assert code == 0, out + err
    assert re.search(r"plugins/matrix.conf:1: home: 4 rooms share one account", out), out


def test_lines_are_right_behind_comments(folder):
    """libconfuse counts a line with a comment more than once."""
    comments = "# one\n# two\n\n/* three\n   four */ // five\n"
    for name, old, new, line in (("hashroom.conf", 'role "host"', 'role "hosts"', 12), ("plugins/irc.conf", "nick =", "nik =", 8),
                                 ("plugins/irc.conf", "nick =", "nick = #", 8)):
        before = (folder.path / name).read_text()
        folder.write(name, comments + before.replace(old, new).replace("{\n", "{ # behind\n", 1))
        code, out, err = folder.check()
        assert code == 2 and f"{name}:{line}: " in out, out + err
        folder.write(name, before)


def test_key_that_lacks_its_ending_is_offered(folder):
    folder.replace("plugins/irc.conf", "    nick", '    password = "x"\n    nick')
    assert "there is no key 'password' here. Did you mean 'password_file'?" in folder.check()[1]


def test_network_without_a_room_is_a_warning(folder):
    folder.replace("hashroom.conf", '    room "terminal/room" { pace = full }\n', "")
    code, out, err = folder.check()
    assert code == 0, out + err
    assert "plugins/console.conf:1: terminal: no chat has a room on this network" in out, out
    assert 'Write into the chat in hashroom.conf: room "terminal/ADDRESS" { }' in out, out


def test_chat_that_nobody_can_lead_is_a_warning(folder):
    folder.replace("hashroom.conf", 'role "host"', 'role "moderator"')
    code, out, err = folder.check()
    assert code == 0, out + err
    assert re.search(r"hashroom.conf:2: nobody can lead the chat dpulo", out), out
    folder.replace("hashroom.conf", "pace = full", "power_host = 50")
    assert "nobody can lead" not in folder.check()[1]


def test_wrong_command_line_is_code_2_with_a_sentence():
    for words in (["dance"], ["check", "--loud"], ["check", "more"], ["run", "-c"], []):
        done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2, words
        assert "hashroom" in done.stderr + done.stdout


def test_run_with_a_wrong_configuration_starts_nothing(folder):
    folder.replace("hashroom.conf", "pace = calm", "pace = quick")
    done = subprocess.run([PROGRAM, "run", "-c", folder.path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "hashroom.conf:4: pace: 'quick' is neither calm nor full" in done.stderr


def test_plugin_with_another_abi_is_refused_in_a_plain_sentence(folder, tmp_path):
    source = tmp_path / "odd.c"
    source.write_text("""#include <hashroom/plugin.h>
static int start(struct hr_bot *bot, const struct hr_api *api, void **state) { (void)bot, (void)api, (void)state; return 0; }
static void stop(void *state) { (void)state; }
const struct hr_plugin hashroom_plugin = {.abi = HR_ABI + 1, .size = sizeof(struct hr_plugin), .name = "odd",
    .version = "1", .help = "Odd.", .start = start, .stop = stop};
""")
    lib = tmp_path / "lib"
    lib.mkdir()
    subprocess.run(["cc", "-shared", "-fPIC", f"-I{ROOT}/include", "-o", lib / "odd.so", source], check=True)
    (lib / "text.so").write_text("not a program")
    folder.write("plugins/odd.conf", "")
    folder.write("plugins/text.conf", "")
    folder.replace("hashroom.conf", "state", f'plugin_path = {{ "{lib}", "{BUILD}/plugins" }}\nstate')
    code, out, _ = folder.check()
    assert code == 2
    assert re.search(r"plugins/odd.conf:1: .*built for another hashroom.*Build it again", out), out
    assert re.search(r"plugins/text.conf:1: .*can't be loaded", out), out
