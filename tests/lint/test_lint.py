# SPDX-License-Identifier: MIT
"""The linter finds what it should; then every template of the program passes it."""
import io
import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import handbook  # noqa: E402
import lint  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]

CLEAN = [
    "Reminder: the #DPULO chat starts in 1 hour, at 8pm UK time. Topic: Access to Work.",
    "The next chat is Tuesday 6 December at 8:30pm UK time. To suggest a topic, type !suggest and then your idea.",
    "Change: the chat is now on Wednesday 7 December, 8pm to 9pm UK time.",
    "Question 2 of 4: What has helped you?\nTo answer, start your message with A2.",
    "I do not know !nxt. Did you mean !next? For help, type !help",
    "Saved as link 4: Access to Work guide.",
    "You can read more here: https://example.org/guide?page=2",
    "Zo\u00eb, \u0141ukasz and Ren\u00e9 are here. We pinged nobody.",
]

BROKEN = [
    ("R1", "word " * 69 + "words and"),
    ("R1", "\u00e9" * 176),
    ("R3", "One.\nTwo.\nThree.\nFour."),
    ("R5", " ".join(["word"] * 21) + "."),
    ("R8", "Name  Time"),
    ("R8", "Name\tTime"),
    ("R8", "\u2502 Name \u2502"),
    ("R8", "Ends in spaces.  "),
    ("R9", "n\u200bickname"),
    ("R9", "evil \u202etxt"),
    ("R9", "so\u00adft"),
    ("R9", "n\u200dick"),
    ("R10", "\x02bold\x02"),
    ("R10", "\x0304red"),
    ("R10", "bell\x07"),
    ("R11", "Well done \U0001f600"),
    ("R11", "Next \u2192 end"),
    ("R11", "* one"),
    ("R11", "Type {name} now"),
    ("R11", "<ben> hello"),
    ("R15", "Do it NOW please."),
    ("R16", "The #dpulo chat starts."),
    ("R17", "It is on from 8-9 every week."),
    ("R17", "It is on 8pm \u2013 9pm UK time."),
    ("R17", "Ask him/her about it."),
    ("R17", "Questions & answers."),
    ("R20", "20:00 the chat starts."),
    ("R20", "[8:30pm UK time] the chat starts."),
    ("R21", "It is on 29/11."),
    ("R21", "It is on 2022-11-29."),
    ("R21", "It is on 29th November."),
    ("R21", "It starts at 20:00Z."),
    ("R21", "It starts at 8pm today."),
    ("R21", "It starts at 8pm to 9pm."),
    ("R22", "See https://a.example and https://b.example"),
    ("R22", "See https://a.example for more."),
    ("R22", "See http://a.example"),
    ("R22", "See www.example.org"),
    ("R22", "See https://bit.ly/x"),
    ("R22", "See https://a.example/?utm_source=x"),
    ("R36", "Please ping the host."),
    ("R36", "We kick off soon."),
    ("R36", "FYI this is new."),
]


@pytest.mark.parametrize("text", CLEAN)
def test_clean_lines_pass(text):
    assert lint.check(text, "template") == []


@pytest.mark.parametrize("rule, text", BROKEN)
def test_each_rule_is_noticed_when_broken(rule, text):
    assert rule in [problem.split(":")[0] for problem in lint.check(text, "template")]


def test_questions_have_their_own_form():
    assert lint.check("Question 1 of 4: Why?\nTo answer, start your message with A1.", "question") == []
    assert lint.check("Question 1 of 4: Why? And how?", "question") == ["R4: more than one question mark"]
    long = "Question 1 of 4: " + "What is it? ".replace("?", ",") * 17 + "or not?"
    assert any(problem.startswith("R4") for problem in lint.check(long, "question"))


def test_live_lines_may_be_a_little_longer():
    text = " ".join(["word"] * 22) + "."
    assert lint.check(text, "template") and not lint.check(text, "own")
    assert lint.check(" ".join(["word"] * 26) + ".", "own")


def test_a_template_that_is_a_part_may_begin_with_a_space():
    assert lint.check(" The host is Asha.", "template") == []
    assert lint.check(" The host is Asha.", "own") and lint.check("  The host is Asha.", "template")


def test_words_of_people_are_theirs():
    assert lint.check("Ben on Twitter: OMG \U0001f600 see http://a.example  now & then, ping me 8-9!!", "relayed") == []
    assert lint.check("Ben on Twitter: \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "relayed") == []
    assert lint.check("Ben on Twitter: \U0001f468\u200d\U0001f469", "relayed") == []
    assert [p[:3] for p in lint.check("B\u200ben on Twitter: \x02hi\x02", "relayed")] == ["R9:", "R10"]


def test_cutting_never_breaks_a_word_or_counts_parts():
    text = "Ben on Twitter: see https://example.org/abc and tell me"
    assert lint.check_split(text, ["Ben on Twitter: see https://example.org/abc", "and tell me"]) == []
    assert lint.check_split(text, ["Ben on Twitter: see https://exam", "ple.org/abc and tell me"]) != []
    assert lint.check_split(text, ["Ben on Twitter: see (1/2)", "https://example.org/abc and tell me"]) != []
    assert lint.check_split("ab \U0001f469\U0001f3fd cd", ["ab \U0001f469", "\U0001f3fd cd"]) != []


def test_templates_are_short_on_average():
    assert lint.check_all(["One two three."]) == []
    assert lint.check_all([" ".join(["word"] * 15) + "."]) != []


def hashroom(*arguments):
    """Runs the program that was built last with sanitizers, else the plain one."""
    build = next((ROOT / "build" / f for f in ("san", ".") if (ROOT / "build" / f / "hashroom").exists()), None)
    if build is None:
        pytest.fail("there is no build/hashroom: run make")
    done = subprocess.run([str(build / "hashroom"), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_template_of_every_plugin_passes():
    texts = lint.read_texts(io.StringIO(hashroom("plugins", "--texts")))
    assert len(texts) >= 40
    problems = [f"{name}: {problem}" for name, text in texts for problem in lint.check(text, "template")]
    problems += lint.check_all([text for _, text in texts])
    assert problems == []


def test_every_help_sentence_passes():
    rows = [row.split("\t") for row in hashroom("plugins", "--commands").splitlines()]
    assert len(rows) >= 10
    assert [f"{row[0]}: {problem}" for row in rows for problem in lint.check(row[2], "template")] == []


def test_the_handbook_lists_exactly_the_commands_there_are():
    """If this fails: tests/lint/handbook.py build/hashroom"""
    commands = handbook.rows(hashroom("plugins", "--commands"))
    for page in handbook.PAGES.values():
        assert handbook.BLOCK.search(page.read_text())
        assert handbook.filled(page.read_text(), commands) == page.read_text()
    words = {typed.split()[0] for typed, _, _ in commands}
    for page in handbook.PAGES.values():  # examples in the text name no command that isn't there
        assert set(re.findall(r"(?<![\w`])!\w+|(?<=`)!\w+", page.read_text())) <= words
