# SPDX-License-Identifier: MIT
"""The rehearsal: a whole chat in the terminal, without configuration, account or server."""
import json
import re
import subprocess

import pytest
from harness import PROGRAM, ROOT
from xstate import Clock, State

POSTS = 24


def feed(path):
    """A recorded-shape feed: X API v2 objects, one a line, with what a feed holds: links, a picture, a reply, a retweet."""
    state = State(Clock())
    lines, first = [], None
    for n in range(POSTS):
        author = state.user(f"person_{n % 7}", f"Person {n % 7}")
        more = {}
        text = f"A{n // 6 + 1} number {n:02d} fish & chips #dpulo"
        if n % 6 == 1:
            text += f" https://books.example/list-{n}?utm_source=x"
        if n % 6 == 2:
            more["photos"] = ["Three paperbacks on a bedside table"]
        if n % 6 == 3:
            more["reply_to"] = first["id"]
        post = state.make(author, text, **more)
        first = first or post
        users = [{k: u[k] for k in ("id", "name", "username")} for u in state.users.values()]
        line = {"data": post, "includes": {"users": users}}
        if "attachments" in post:
            line["includes"]["media"] = [state.media[k] for k in post["attachments"]["media_keys"]]
        lines.append(line)
        if n % 8 == 4:
            again = state.make(state.user("fan", "Fan"), "", retweet_of=post["id"])
            lines.append({"data": again, "includes": {"users": users, "tweets": [post]}})
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rehearsal")
    feed(folder / "feed.jsonl")
    done = subprocess.run([str(PROGRAM), "rehearse", "--feed", str(folder / "feed.jsonl"), "--speed", "240"], cwd=folder,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def lines(rehearsal):
    """[(room, text)]"""
    out = []
    for line in rehearsal.stdout.splitlines():
        room, bar, text = line.partition(" | ")
        assert bar, f"not 'room | text': {line!r}"
        out.append((room.strip(), text))
    return out


def test_every_line_says_its_room(rehearsal):
    assert len({room for room, _ in lines(rehearsal)}) >= 1


def test_the_hour_has_all_its_steps(rehearsal):
    text = "\n".join(t for _, t in lines(rehearsal))
    steps = ["Reminder: the ", "starts in 10 minutes", "Welcome to the ", "Question 1 of 4: ", "Question 2 comes in 2 minutes",
             "Question 2 of 4: ", "Question 3 of 4: ", "Question 4 of 4: ", "This is the last question.",
             "has ended. Thank you."]
    places = [text.find(step) for step in steps]
    assert all(p >= 0 for p in places), [s for s, p in zip(steps, places) if p < 0]
    assert places == sorted(places)


def test_every_post_is_shown_and_no_retweet(rehearsal):
    texts = [t for _, t in lines(rehearsal)]
    for n in range(POSTS):
        shown = [t for t in texts if f"number {n:02d} fish & chips" in t]
        assert len(shown) == 1, (n, shown)
        assert re.search(r"Person \d( \(@person_\d\))? on Twitter", shown[0]), shown
    assert not any("RT @" in t or "Fan on Twitter" in t for t in texts)
    assert any("Three paperbacks on a bedside table" in t for t in texts)


def test_links_are_listed_with_their_question(rehearsal):
    text = "\n".join(t for _, t in lines(rehearsal))
    after = text[text.rfind("has ended. Thank you."):]
    for n in range(1, POSTS, 6):
        assert f"https://books.example/list-{n}" in after, after
    assert "utm_source" not in after
    assert re.search(r"[Qq]uestion \d", after)


def test_the_program_leaves_nothing_behind(rehearsal):
    assert "AddressSanitizer" not in rehearsal.stderr and "runtime error" not in rehearsal.stderr


def test_the_sample_chat_needs_no_file(tmp_path):
    done = subprocess.run([str(PROGRAM), "rehearse", "--speed", "600"], cwd=tmp_path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Question 4 of 4" in done.stdout and " on Twitter: " in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_person_can_talk_and_command(tmp_path):
    with subprocess.Popen([str(PROGRAM), "rehearse", "--speed", "30"], cwd=tmp_path, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in ("hello there", "!when"):
            process.stdin.write(line + "\n")
            process.stdin.flush()
        said = iter(process.stdout.readline, "")
        assert any("chat is" in line for line in said)
        process.stdin.write("!quit\n")
        process.stdin.flush()
        assert process.wait(20) == 0


def test_demo_is_one_make_target():
    said = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True).stdout
    assert "rehearse --speed 30" in said


def test_a_command_right_before_quit_is_answered(tmp_path):
    done = subprocess.run([str(PROGRAM), "rehearse", "--speed", "60"], cwd=tmp_path, input="!when\n!nosuch\n!quit\n", capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if "Reminder" not in line]
    assert any("UK time" in line for line in said) and any("!help" in line for line in said), done.stdout
