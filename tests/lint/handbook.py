#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command tables of docs/handbook, made from what the program says about itself.

    handbook.py PROGRAM     writes the tables anew, from `PROGRAM plugins --commands`
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = {"everyone": ROOT / "docs/handbook/participants.md", "others": ROOT / "docs/handbook/hosts.md"}
BLOCK = re.compile(r"(<!-- commands: (\w+) -->\n).*?(<!-- end of commands -->)", re.S)


def who():
    """permission -> who has it, as bot/role.h says it."""
    text = (ROOT / "bot/role.h").read_text()
    return dict(re.findall(r'X\("([\w.]+)",\s*"[^"]*",\s*"([^"]*)"\)', text))


def rows(output):
    """(typed, permission, help) of each command."""
    return [row.split("\t")[:3] for row in output.splitlines() if row.startswith("!")]


def table(kind, commands):
    names, lines = who(), []
    if kind == "everyone":
        lines = ["| Type | What it does |", "| --- | --- |"]
    else:
        lines = ["| Type | What it does | Who can use it |", "| --- | --- | --- |"]
    for typed, permission, sentence in sorted(commands):
        if (permission == "everyone") != (kind == "everyone"):
            continue
        typed = typed.replace("|", "\\|")
        lines.append(f"| `{typed}` | {sentence} |" + ("" if kind == "everyone" else f" {names[permission]} |"))
    return "\n".join(lines) + "\n"


def filled(page, commands):
    return BLOCK.sub(lambda block: block[1] + table(block[2], commands) + block[3], page)


def main():
    done = subprocess.run([sys.argv[1], "plugins", "--commands"], check=True, capture_output=True, text=True)
    for page in PAGES.values():
        page.write_text(filled(page.read_text(), rows(done.stdout)))


if __name__ == "__main__":
    main()
