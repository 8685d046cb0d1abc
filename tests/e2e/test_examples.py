# SPDX-License-Identifier: MIT
"""The examples and the man page in the tree are what the program prints from its own tables."""
import subprocess

import pytest

from harness import BUILD, PROGRAM, ROOT


def printed(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=True, timeout=60).stdout


PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir() if path.is_dir())


@pytest.mark.parametrize("plugin", PLUGINS)
def test_example_of_a_plugin_is_up_to_date(plugin):
    path = ROOT / "config" / "plugins" / f"{plugin}.conf.example"
    assert path.is_file() and path.read_text() == printed("example", plugin), \
        f"type: build/hashroom example {plugin} > config/plugins/{plugin}.conf.example"


def test_example_of_the_host_is_up_to_date():
    assert (ROOT / "config" / "hashroom.conf.example").read_text() == printed("example"), \
        "type: build/hashroom example > config/hashroom.conf.example"


def test_man_page_is_up_to_date():
    assert (ROOT / "docs" / "hashroom.1").read_text() == printed("--man"), "type: build/hashroom --man > docs/hashroom.1"


def test_every_command_of_help_has_its_paragraph_in_the_man_page():
    page = printed("--man").replace("\\-", "-")
    commands = [line.split()[0] for line in printed("--help").splitlines() if line.startswith("  ") and line[2].isalpha()]
    assert len(commands) >= 8
    for command in commands:
        assert f"\\fB{command}\\fR" in page, command


def test_example_of_host_and_irc_passes_check(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "hashroom.conf").write_text(printed("example"))
    for plugin in ("irc", "relay"):
        (tmp_path / "plugins" / f"{plugin}.conf").write_text(printed("example", plugin))
    done = subprocess.run([PROGRAM, "check", "-c", tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_example_says_which_values_are_only_examples():
    """Who reads `# topic = "Access to Work"` must not think that it holds."""
    lines = printed("example", "session").splitlines()
    for name in ("topic", "questions", "first"):
        at = next(i for i, line in enumerate(lines) if line.startswith(f"# {name} = "))
        assert lines[at - 1].endswith("example:"), lines[at - 1]
    assert not any("{ }" in line for line in lines)


def test_evening_on_three_networks_comes_from_the_examples_alone(tmp_path):
    """Every room of the example taken out of its comment, and a password given: nothing else is missing."""
    (tmp_path / "plugins").mkdir()
    host = printed("example")
    for room in ("matrix/#dpulo:example.org", "twitter/#dpulo"):
        assert f'# room "{room}"' in host
        host = host.replace(f'# room "{room}"', f'room "{room}"')
    (tmp_path / "hashroom.conf").write_text(host)
    for plugin in ("irc", "matrix", "twitter", "session", "relay", "resources", "moderation", "desk"):
        (tmp_path / "plugins" / f"{plugin}.conf").write_text(printed("example", plugin))
    secret = tmp_path / "password"
    secret.write_text("of the bot\n")
    secret.chmod(0o600)
    file = tmp_path / "plugins" / "matrix.conf"
    file.write_text(file.read_text().replace('# password_file = "/etc/hashroom/matrix.password"', f'password_file = "{secret}"'))
    done = subprocess.run([PROGRAM, "check", "-c", tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n") == 1 and "1 chat, 3 rooms" in done.stdout, done.stdout


def test_texts_are_one_line_each_with_id_and_words():
    lines = printed("plugins", "--texts").splitlines()
    assert len(lines) > 30
    for line in lines:
        name, _, text = line.partition("\t")
        assert name and text and "{" not in text, line


def test_broken_plugin_is_named_with_its_reason(tmp_path):
    for plugin in (BUILD / "plugins").glob("*.so"):
        (tmp_path / plugin.name).symlink_to(plugin)
    (tmp_path / "broken.so").write_text("not a program")
    folder = tmp_path / "config"
    (folder / "plugins").mkdir(parents=True)
    (folder / "hashroom.conf").write_text(f'plugin_path = {{ "{tmp_path}" }}\n')
    (folder / "plugins" / "relay.conf").write_text("")
    done = subprocess.run([PROGRAM, "plugins", "-c", folder], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "can't be used" in lines["broken"] and "can't be loaded" in lines["broken"]
    assert "relay" in lines
