# SPDX-License-Identifier: MIT
"""One person who writes too much at once: shown slowly, the others at once, nothing lost, nothing without a word."""
import pytest
from clients import Irc
from harness import Bot
from test_irc import wait_in

HERE, THERE = "#flood", "#calm"
LINES = 14


@pytest.fixture
def world(tmp_path, ergo):
    bot = Bot(tmp_path / "bot")
    bot.host_file(f"""
chat "c" {{
    tag = "#C"
    irc_to_irc = yes
    room "ergo/{HERE}" {{ pace = full }}
    room "ergo/{THERE}" {{ pace = full }}
}}
role "host" {{ accounts = {{ "ergo/asha" }} }}
""")
    bot.plugin("irc", {"ergo": {"server": "127.0.0.1", "port": ergo.port, "tls": False, "nick": "floodbot", "rate_ms": 0}})
    bot.plugin("relay")
    bot.plugin("moderation", flood_burst=4, flood_pace="500ms")
    reader = Irc(ergo.port, "reader").join(THERE)
    people = [Irc(ergo.port, name).join(HERE) for name in ("ben", "cy")]  # the first is an operator: never slowed down
    with bot:
        wait_in(reader, THERE, "floodbot")
        wait_in(people[1], HERE, "floodbot")
        yield bot, reader, *people
        for person in (reader, *people):
            person.close()


def test_many_lines_of_one_person_come_slowly_in_order_and_the_others_are_not_held_up(world):
    bot, reader, ben, cy = world
    for n in range(LINES):
        cy.say(HERE, f"line {n:02}")
    cy.wait_text("One person wrote many lines at once.", timeout=30)
    ben.say(HERE, "may I ask something")
    reader.wait_text("may I ask something", timeout=30)
    reader.wait_text(f"line {LINES - 1:02}", timeout=60)
    said = [text.split(": ", 1)[1] for text in reader.said(THERE, "floodbot")]
    assert [text for text in said if text.startswith("line ")] == [f"line {n:02}" for n in range(LINES)]
    assert said.index("may I ask something") < said.index(f"line {LINES - 1:02}")
    assert len([text for text in cy.said(HERE, "floodbot") if "many lines at once" in text]) == 1
    bot.wait_settled()
    bot.assert_accounted()


def test_lines_that_wait_go_on_after_a_kill(world):
    bot, reader, _, cy = world
    for n in range(10):
        cy.say(HERE, f"again {n}")
    cy.wait_text("One person wrote many lines at once.", timeout=30)
    bot.kill9()
    bot.start()
    reader.wait_text("again 9", timeout=60)
    bot.wait_settled()
    bot.assert_accounted()
