# SPDX-License-Identifier: MIT
"""The simulator's own measure of text, against the vectors known of X."""
import pytest
from xtext import tags, weighted_length, write

VECTORS = [
    ("café", 4), ("cafe\u0301", 4), ("日本語", 6), ("👨‍👩‍👧‍👦", 2), ("🙋🏽", 2), ("🇬🇧", 2), ("1️⃣ Q1", 5), ("Привет", 6),
    ("हिन्दी", 6), ("ไทย", 3), ("العربية", 7), ("…", 2), ("→", 2), ("™", 2), ("©", 1), ("€5", 3),
    ("“smart quotes” – dash … ok", 27), ("• bullet", 9), ("https://example.com/very/long/path?x=1 ok", 26),
    ("example.com", 23), ("t.co/abc", 23), ("mail me@example.com", 19), ("https://localhost:8080/x", 24),
    ("https://example.test/x", 22), ("a" * 280, 280), ("a" * 281, 281), ("\u200b", 1),
]


@pytest.mark.parametrize("text,length", VECTORS)
def test_weighted_length(text, length):
    assert weighted_length(text) == length


@pytest.mark.parametrize("text,found", [
    ("#dpulo", ["dpulo"]), ("#DPULO", ["DPULO"]), ("(#ok)", ["ok"]), ("＃full", ["full"]), ("#日本", ["日本"]),
    ("#Café_x", ["Café_x"]), ("#dpulo's", ["dpulo"]), ("#a-b", ["a"]), ("x#no", []), ("#1", []), ("#123", []),
    ("see https://example.com/#frag", []), ("it&#x27;s", [])])
def test_hashtags(text, found):
    assert tags(write(text).entities) == found


def test_offsets_are_code_points_of_the_escaped_text():
    w = write("Q1: What do you read before bed? ☕ #dpulo & why? <b> https://books.example/list?a=1&b=2.")
    assert "&amp; why? &lt;b&gt; https://t.co/" in w.text and w.text.endswith(".")
    tag = w.entities["hashtags"][0]
    assert w.text[tag["start"]:tag["end"]] == "#dpulo" and tag["start"] == 35
    url = w.entities["urls"][0]
    assert w.text[url["start"]:url["end"]] == url["url"] and url["expanded_url"] == "https://books.example/list?a=1&b=2"
