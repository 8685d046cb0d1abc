# SPDX-License-Identifier: MIT
"""What X does with the words of a post: weighted length, entities, t.co links, HTML escaping, cutting of long posts."""
import hashlib
import re
import unicodedata

# Enough of the list of top-level domains for tests; "example" stands in for all the others.
TLDS = "com|org|net|edu|gov|io|co|uk|de|fr|in|so|is|be|eu|info|app|dev|news|blog|example|рф"
URL = re.compile(
    r"(?P<scheme>https?://)?(?P<host>(?:[\w-]+\.)+(?:" + TLDS + r"))(?::\d+)?(?P<path>/[^\s<>\"]*|\?[^\s<>\"]*)?(?![\w-])",
    re.I)
HASHTAG = re.compile(r"(?<![\w&/])[#＃](\w*[^\W\d_]\w*)")
MENTION = re.compile(r"(?<![\w@/])[@＠]([A-Za-z0-9_]{1,15})(?![@\w])")
CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?)(?!\w)")
CHEAP = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
URL_WEIGHT = 23


def find_urls(text):
    """[(start, end, address with scheme)] in code points."""
    found = []
    for m in URL.finditer(text):
        before = text[:m.start()]
        if not m["scheme"] and (re.search(r"[@\w./#$-]$", before)):
            continue  # the middle of a word or a mail address
        end = m.end()
        while text[end - 1] in ".,;:!?'\")]}…" and end > m.start():
            end -= 1
        if end - m.start() < 4:
            continue
        word = text[m.start():end]
        found.append((m.start(), end, word if m["scheme"] else "http://" + word))
    return found


def _emoji_length(text, at):
    """Code points of the emoji sequence that starts here; 0 if there is none."""
    def base(c):
        n = ord(c)
        return (0x1F000 <= n <= 0x1FAFF or 0x2600 <= n <= 0x27BF or n in (0x2B50, 0x2B55, 0x231A, 0x231B, 0x23F0, 0x23F3)
                or 0x23E9 <= n <= 0x23EC or 0x2B1B <= n <= 0x2B1C)
    n = len(text)
    c = text[at]
    if 0x1F1E6 <= ord(c) <= 0x1F1FF:
        return 2 if at + 1 < n and 0x1F1E6 <= ord(text[at + 1]) <= 0x1F1FF else 1
    if c in "0123456789#*":
        end = at + 1
        if end < n and text[end] == "\ufe0f":
            end += 1
        return end + 1 - at if end < n and text[end] == "\u20e3" else 0
    if not base(c) and not (at + 1 < n and text[at + 1] == "\ufe0f"):
        return 0
    end = at + 1
    while end < n:
        if text[end] == "\ufe0f" or 0x1F3FB <= ord(text[end]) <= 0x1F3FF or 0xE0020 <= ord(text[end]) <= 0xE007F:
            end += 1
        elif text[end] == "\u200d" and end + 1 < n and base_or_sign(text[end + 1]):
            end += 2
        else:
            break
    return end - at


def base_or_sign(c):
    return ord(c) >= 0x2190


def weighted_length(text):
    text = unicodedata.normalize("NFC", text)
    urls = {start: end for start, end, _ in find_urls(text)}
    total, at = 0, 0
    while at < len(text):
        if at in urls:
            total += URL_WEIGHT * 100
            at = urls[at]
            continue
        emoji = _emoji_length(text, at)
        if emoji:
            total += 200
            at += emoji
            continue
        n = ord(text[at])
        total += 100 if any(a <= n <= b for a, b in CHEAP) else 200
        at += 1
    return total // 100


def short_code(address):
    digest = hashlib.sha256(address.encode()).digest()
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
    return "".join(letters[b % len(letters)] for b in digest[:10])


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text):
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class Written:
    """Escaped text with its entities, whose offsets are code points of that escaped text."""

    def __init__(self):
        self.text = ""
        self.entities = {}

    def add(self, kind, entity):
        self.entities.setdefault(kind, []).append(entity)

    def add_url(self, shown_as, entity):
        """Appends a t.co link."""
        start = len(self.text)
        self.text += shown_as
        self.add("urls", {"start": start, "end": len(self.text), "url": shown_as, **entity})
        return self


def _display(address):
    bare = re.sub(r"^https?://(www\.)?", "", address)
    return bare if len(bare) <= 27 else bare[:26] + "…"


def write(raw, titles=None, user_id=None):
    """A person's words as X stores them. titles: address -> (unwound, title); user_id(name) -> id or None."""
    titles = titles or {}
    out = Written()
    marks = [(s, e, "url", a) for s, e, a in find_urls(raw)]

    def free(start):
        return not any(s <= start < e for s, e, kind, _ in marks if kind == "url")

    for m in HASHTAG.finditer(raw):
        if free(m.start()):
            marks.append((m.start(), m.end(), "hashtags", m[1]))
    for m in MENTION.finditer(raw):
        if free(m.start()):
            marks.append((m.start(), m.end(), "mentions", m[1]))
    for m in CASHTAG.finditer(raw):
        if free(m.start()):
            marks.append((m.start(), m.end(), "cashtags", m[1]))
    at = 0
    for start, end, kind, value in sorted(marks):
        if start < at:
            continue
        out.text += escape(raw[at:start])
        at = end
        begin = len(out.text)
        if kind == "url":
            entity = {"expanded_url": value, "display_url": _display(value)}
            if value in titles:
                unwound, title = titles[value]
                entity.update({"unwound_url": unwound or value, "status": 200, "title": title})
            out.add_url("https://t.co/" + short_code(value), entity)
            continue
        out.text += escape(raw[start:end])
        entity = {"start": begin, "end": len(out.text)}
        if kind == "mentions":
            entity["username"] = value
            who = user_id(value) if user_id else None
            if who:
                entity["id"] = who
        else:
            entity["tag"] = value
        out.add(kind, entity)
    out.text += escape(raw[at:])
    return out


def cut(written, link, limit=270):
    """The first part of a long post, ending in an ellipsis and a link to the whole."""
    ends = [(e["start"], e["end"]) for kind in written.entities.values() for e in kind]
    at = min(limit, len(written.text))
    for start, end in ends:
        if start < at < end:
            at = start
    short = Written()
    short.text = re.sub(r"&[a-z]{0,3}$", "", written.text[:at]).rstrip()
    for kind, entities in written.entities.items():
        for entity in entities:
            if entity["end"] <= len(short.text):
                short.add(kind, dict(entity))
    short.text += "… "
    short.add_url("https://t.co/" + short_code(link), {"expanded_url": link, "display_url": _display(link)})
    return short


def tags(entities):
    return [e["tag"] for e in (entities or {}).get("hashtags", [])]
