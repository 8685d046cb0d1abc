# SPDX-License-Identifier: MIT
"""What a calm room hears of emoji and of pictures made of symbols; a full room and the log keep all of it."""
from clients import Irc
from harness import Bot
from test_irc import wait_in


def test_a_calm_room_hears_few_emoji_and_no_picture_and_a_full_one_all(tmp_path, ergo):
    bot = Bot(tmp_path)
    bot.host_file("""
chat "c" {
    tag = "#C"
    irc_to_irc = yes
    room "ergo/#words" { pace = full }
    room "ergo/#quiet" { pace = calm }
    room "ergo/#loud" { pace = full }
}
role "host" { accounts = { "ergo/asha" } }
""")
    bot.plugin("irc", {"ergo": {"server": "127.0.0.1", "port": ergo.port, "tls": False, "nick": "wordbot", "rate_ms": 0}})
    bot.plugin("relay")
    cy, quiet, loud = (Irc(ergo.port, nick).join(room)
                       for nick, room in (("cy", "#words"), ("quiet", "#quiet"), ("loud", "#loud")))
    many, art = "yes 🎉🎉🎉 😀 ❤️ 😎 🙏 see you", "=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-="
    with bot:
        for person, room in ((cy, "#words"), (quiet, "#quiet"), (loud, "#loud")):
            wait_in(person, room, "wordbot")
        for text in (many, art, "the end"):
            cy.say("#words", text)
        quiet.wait_text("the end")
        loud.wait_text("the end")
        assert quiet.said("#quiet", "wordbot") == [
            "cy on IRC: yes 🎉 😀 ❤️ (2 more emoji) see you",
            "cy on IRC: (Picture made of symbols. See the original.)", "cy on IRC: the end"]
        assert loud.said("#loud", "wordbot") == [f"cy on IRC: {text}" for text in (many, art, "the end")]
        assert {row["text"] for row in bot.rows("SELECT text FROM message")} == {many, art, "the end"}
        bot.wait_settled()
        bot.assert_accounted()
    for person in (cy, quiet, loud):
        person.close()
