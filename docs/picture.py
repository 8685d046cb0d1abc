#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/demo.svg: a picture of a terminal with lines that `hashroom rehearse` really printed.

    picture.py PROGRAM      plays the sample chat (about half a minute) and writes docs/demo.svg
"""
import pathlib
import re
import subprocess
import sys
import textwrap
from xml.sax.saxutils import escape

OUT = pathlib.Path(__file__).resolve().parent / "demo.svg"
COLUMNS = 92
LETTER, LINE, EDGE, BAR = 8.4, 20, 18, 34  # px: width of a letter of 14 px, height of a line, margin, title bar
PEOPLE, GAP = re.compile(r".{1,60} on Twitter(, answering .{1,40})?: "), "[...]"
PIECES = (("Welcome to", 12), ("Question 2 of", 3), ("The #DPULO chat has ended", 3), ("Links people shared", 5))


def play(program):
    done = subprocess.run([program, "rehearse", "--speed", "240"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=True, timeout=300)
    return [re.sub(r"^(room|links) \| ", "", line) for line in done.stdout.splitlines()]


def pieces(lines):
    """The lines that are shown, a gap between pieces that don't follow each other."""
    shown, end = [], None
    for first, count in PIECES:
        at = next(i for i, line in enumerate(lines) if line.startswith(first))
        shown += ([GAP] if end not in (None, at) else []) + lines[at:at + count]
        end = at + count
    return shown + [GAP]


def rows(lines):
    """(text, by a person?) of each row."""
    found = []
    for line in lines:
        line = re.sub(r"[\u2000-\U0010ffff]+ ?", "", line)  # not every machine that draws the picture has emoji
        wrapped = textwrap.wrap(line, COLUMNS, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        found += [(row, PEOPLE.match(line) is not None) for row in wrapped]
    return found


def picture(drawn):
    width, height = round(COLUMNS * LETTER + 2 * EDGE), BAR + LINE * len(drawn) + 2 * EDGE
    spoken = " ".join(row.strip() for row, _ in drawn)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
           'role="img" aria-labelledby="title desc">',
           '<title id="title">hashroom in a terminal: lines of a rehearsed chat</title>',
           f'<desc id="desc">{escape(spoken)}</desc>',
           f'<rect width="{width}" height="{height}" rx="8" fill="#16181d"/>',
           f'<path d="M0 {BAR}V8a8 8 0 0 1 8-8h{width - 16}a8 8 0 0 1 8 8v{BAR - 8}z" fill="#2b2f38"/>',
           f'<text x="{EDGE}" y="22" font-family="monospace" font-size="14" fill="#e6e8ec">$ hashroom rehearse</text>',
           '<g font-family="monospace" font-size="14" aria-hidden="true">']
    for n, (row, person) in enumerate(drawn):
        y = BAR + EDGE + LINE * n + 12
        x = EDGE + LETTER * (len(row) - len(row.lstrip()))
        colour = "#9aa3b2" if row == GAP else "#e6e8ec" if person else "#ffd479"
        out.append(f'<text x="{x:g}" y="{y}" fill="{colour}">{escape(row.strip())}</text>')
    return "\n".join([*out, "</g>", "</svg>", ""])


def main():
    OUT.write_text(picture(rows(pieces(play(sys.argv[1])))))


if __name__ == "__main__":
    main()
