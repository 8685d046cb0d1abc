# SPDX-License-Identifier: MIT
"""The handbook for operators: its example passes `check`, and the messages it explains are those the program knows."""
import re
import subprocess
from xml.etree import ElementTree

from harness import PROGRAM, ROOT

PAGE = (ROOT / "docs" / "handbook" / "operators.md").read_text()


def test_whole_example_passes_check(tmp_path):
    (tmp_path / "plugins").mkdir()
    files = re.findall(r"^`/etc/hashroom/([\w./]+)`\n\n```\n(.*?)```", PAGE, re.M | re.S)
    assert [name for name, _ in files] == ["hashroom.conf", *(f"plugins/{n}.conf" for n in ("session", "irc", "matrix", "twitter"))]
    for name, text in files:
        for path in re.findall(r'"/etc/hashroom/([\w.]+)"', text):
            (tmp_path / path).write_text("secret\n")
            (tmp_path / path).chmod(0o600)
        (tmp_path / name).write_text(text.replace("/etc/hashroom", str(tmp_path)))
    for name in ("relay", "resources", "moderation", "desk"):
        (tmp_path / "plugins" / f"{name}.conf").touch()
    done = subprocess.run([PROGRAM, "check", "-c", tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("The configuration is in order: 1 chat, 3 rooms."), done.stdout


def test_every_plugin_and_role_is_named():
    for plugin in (ROOT / "plugins").iterdir():
        assert f"`plugins/{plugin.name}.conf`" in PAGE, plugin.name
    for role in ("host", "guest", "moderator", "planner", "admin"):
        assert f"| `{role}` |" in PAGE


def test_messages_it_explains_are_in_the_program():
    source = "".join(path.read_text() for folder in ("bot", "plugins") for path in (ROOT / folder).rglob("*.c"))
    source = re.sub(r'"\s*"', "", source)  # strings over several lines
    table = PAGE[PAGE.index("## When something does not work"):]
    rows = re.findall(r"^\| `([^`]+)` \|", table, re.M)
    assert len(rows) > 25
    assert not [row for row in rows if row not in source]


def test_links_inside_the_page_lead_somewhere():
    heads = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", PAGE, re.M)}
    for target in re.findall(r"\]\(#([\w-]+)\)", PAGE):
        assert target in heads, target
    for target in re.findall(r"\]\(([\w.]+\.md)\)", PAGE):
        assert (ROOT / "docs" / "handbook" / target).is_file()


def test_picture_is_sound_and_says_in_words_what_it_shows():
    space = "{http://www.w3.org/2000/svg}"
    picture = ElementTree.parse(ROOT / "docs" / "demo.svg").getroot()
    said = picture.find(f"{space}desc").text
    shown = [text.text for text in picture.iter(f"{space}text")]
    assert picture.find(f"{space}title").text and picture.get("role") == "img"
    assert len(shown) > 20 and all(row in said for row in shown[1:])
    assert re.search(r"!\[[^\]]{40,}\]\(docs/demo\.svg\)", (ROOT / "README.md").read_text())
