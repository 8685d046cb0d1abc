# SPDX-License-Identifier: MIT
"""A plugin written outside the tree, against the installed headers alone: from `new-plugin` to an answer in a room."""
import os
import re
import shutil
import subprocess
import time

import pytest

from harness import BUILD, PROGRAM, ROOT


def make(folder, *words, **env):
    done = subprocess.run(["make", "--no-print-directory", *words], cwd=folder, env={**os.environ, **env},
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """What `make install` puts into a folder."""
    if not shutil.which("pkg-config"):
        pytest.skip("pkg-config is not installed")
    dest = tmp_path_factory.mktemp("dest")
    make(ROOT, f"B={os.path.relpath(BUILD, ROOT)}", *(["SAN=1"] if BUILD.name == "san" else []), "PREFIX=/usr",
         f"DESTDIR={dest}", "-o", "all", "install")
    return dest / "usr"


@pytest.fixture(scope="module")
def counter(tree, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    done = subprocess.run([tree / "bin" / "hashroom", "new-plugin", "counter", folder], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    return folder / "counter"


@pytest.fixture(scope="module")
def built(tree, counter):
    make(counter, "counter.so", PKG_CONFIG_PATH=str(tree / "lib" / "pkgconfig"))
    return counter / "counter.so"


class Folder:
    """A bot with a terminal and the counter."""

    def __init__(self, path, tree, plugin=None):
        self.path, self.program = path, tree / "bin" / "hashroom"
        (path / "plugins").mkdir()
        (path / "state").mkdir()
        (path / "lib").mkdir()
        for image in (tree / "lib" / "hashroom").glob("*.so"):
            (path / "lib" / image.name).symlink_to(image)
        if plugin:
            shutil.copy(plugin, path / "lib" / "counter.so")
            (path / "plugins" / "counter.conf").write_text("")
        (path / "plugins" / "console.conf").write_text("")
        (path / "hashroom.conf").write_text(f"""state = "{path}/state"
plugin_path = {{ "{path}/lib" }}
chat "test" {{
    tag = "#Test"
    room "console/room" {{ pace = full }}
}}
""")

    def type(self, *lines, answers):
        """Runs the bot, types the lines, waits for as many answers, leaves with !quit."""
        out = self.path / "out"
        with open(out, "w") as stream:
            process = subprocess.Popen([self.program, "run", "-c", self.path], stdin=subprocess.PIPE, stdout=stream,
                                       stderr=subprocess.PIPE, text=True)
            for line in lines:
                process.stdin.write(line + "\n")
            process.stdin.flush()
            limit = time.monotonic() + 60
            while len(out.read_text().splitlines()) < answers and time.monotonic() < limit and process.poll() is None:
                time.sleep(0.05)
            try:
                _, log = process.communicate("!quit\n", timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert process.returncode == 0, log
        return out.read_text().splitlines(), log


def test_plugin_builds_against_the_installed_headers_alone(built):
    needed = subprocess.run(["readelf", "-d", built], capture_output=True, text=True, timeout=60).stdout
    assert "hashroom" not in "".join(re.findall(r"NEEDED.*", needed))


def test_its_test_passes_against_the_installed_fake_host(tree, counter, built):
    out = make(counter, "check", PKG_CONFIG_PATH=str(tree / "lib" / "pkgconfig"))
    assert out.count("[       OK ]") == 3, out


def test_it_answers_and_keeps_its_count_over_a_restart(tmp_path, tree, built):
    folder = Folder(tmp_path, tree, built)
    said, _ = folder.type("!counter", "!counter", answers=2)
    assert said == ["room | The counter is at 1.", "room | The counter is at 2."]
    said, _ = folder.type("!counter", answers=1)
    assert said == ["room | The counter is at 3."]


def test_it_is_listed_and_explained(tmp_path, tree, built):
    folder = Folder(tmp_path, tree, built)
    listed = subprocess.run([folder.program, "plugins", "-c", tmp_path], capture_output=True, text=True, timeout=60).stdout
    assert re.search(r"^counter +0\.1 +Counts how often", listed, re.M)
    example = subprocess.run([folder.program, "example", "counter", "-c", tmp_path], capture_output=True, text=True,
                             timeout=60).stdout
    assert "# step = 1" in example


def test_its_command_for_the_operator_asks_and_runs_in_the_running_bot(tmp_path, tree, built):
    folder = Folder(tmp_path, tree, built)

    def hashroom(*words, answer=""):
        return subprocess.run([folder.program, *words, "-c", tmp_path], input=answer, capture_output=True, text=True,
                              timeout=60)

    done = hashroom("counter-reset")
    assert done.returncode == 1 and "the bot is not running" in done.stderr
    assert re.search(r"^  counter-reset \[yes\]\n      Sets the counter", hashroom("--help").stdout, re.M)
    assert "hashroom counter-reset [yes]" in hashroom("plugins").stdout
    assert ".TP\n\\fBcounter\\-reset\\fR [yes]\n" in hashroom("--man").stdout
    process = subprocess.Popen([folder.program, "run", "-c", tmp_path], stdin=subprocess.PIPE, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        for expected in ("room | The counter is at 1.\n", "room | The counter is at 2.\n"):
            process.stdin.write("!counter\n")
            process.stdin.flush()
            assert process.stdout.readline() == expected
        assert (tmp_path / "state" / "hashroom.sock").stat().st_mode & 0o777 == 0o600
        done = hashroom("counter-reset", answer="no\n")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "Set the counter of every chat to 0? (yes or no) Nothing was changed.\n"
        done = hashroom("counter-reset")
        assert done.returncode == 1 and "there was no answer" in done.stderr
        done = hashroom("counter-reset", "yes", "really")
        assert done.returncode == 2 and "Nothing was changed." in done.stderr
        done = hashroom("counter-reset", "--instance", "other", "yes")
        assert done.returncode == 2 and "'other'" in done.stderr
        done = hashroom("counter-reset", answer="yes\n")
        assert done.returncode == 0 and done.stdout.endswith("Every counter is at 0.\n")
        process.stdin.write("!counter\n")
        process.stdin.flush()
        assert process.stdout.readline() == "room | The counter is at 1.\n"
    finally:
        process.communicate("!quit\n", timeout=30)
    assert process.returncode == 0
    assert not (tmp_path / "state" / "hashroom.sock").exists()


def test_wrong_abi_is_refused_in_a_plain_sentence(tmp_path, tree, counter):
    odd = tmp_path / "odd"
    shutil.copytree(counter, odd, ignore=shutil.ignore_patterns("*.so", "*_test"))
    source = odd / "counter.c"
    source.write_text(source.read_text().replace("HR_PLUGIN_HEADER,", ".abi = HR_ABI + 1, .size = sizeof(struct hr_plugin),"))
    make(odd, "counter.so", PKG_CONFIG_PATH=str(tree / "lib" / "pkgconfig"))
    (tmp_path / "bot").mkdir()
    folder = Folder(tmp_path / "bot", tree, odd / "counter.so")
    checked = subprocess.run([folder.program, "check", "-c", folder.path], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 2
    assert re.search(r"counter\.conf:1: .*built for another hashroom.*Build it again", checked.stdout), checked.stdout
    said, log = folder.type("!help", answers=1)
    assert said and re.search(r"error: .*counter\.conf:1: .*built for another hashroom", log), log


def test_bad_names_are_refused(tmp_path):
    for name in ("Counter", "1st", "a-b", "../x", "", "x" * 32):
        done = subprocess.run([PROGRAM, "new-plugin", name, tmp_path], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2, name
    assert list(tmp_path.iterdir()) == []


def test_another_name_is_used_everywhere(tmp_path):
    done = subprocess.run([PROGRAM, "new-plugin", "tally", tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    for path in (tmp_path / "tally").iterdir():
        assert "counter" not in path.name and "counter" not in path.read_text(), path
    assert (tmp_path / "tally" / "tally.c").is_file()


def test_installed_tree_is_whole(tree):
    for path in ("bin/hashroom", "lib/hashroom/console.so", "include/hashroom/plugin.h", "include/hashroom/network.h",
                 "lib/pkgconfig/hashroom.pc", "share/hashroom/fake_host.h", "share/man/man1/hashroom.1",
                 "share/doc/hashroom/examples/hashroom.conf", "share/doc/hashroom/examples/plugins/irc.conf",
                 "lib/systemd/system/hashroom.service"):
        assert (tree / path).is_file(), path
    unit = (tree / "lib/systemd/system/hashroom.service").read_text()
    assert "ExecStart=/usr/bin/hashroom run" in unit
