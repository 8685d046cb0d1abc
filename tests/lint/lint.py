#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Accessibility rules for what the bot says, as a machine can check them.

    problems = check(text, kind)      what one person hears in one go; lines separated by "\\n"
    problems = check_split(text, parts)   did cutting `text` into `parts` break nothing?
    problems = check_all(texts)       rules about all templates together

A problem is "R8: a row of spaces". kind:
    template  the bot's own words with sample values (strict)
    own       the bot's own words as said live: they may hold names and topics people chose
    question  what a host wrote, said as a question: own, and the form of a question
    relayed   other people's words with their name in front: only what would hurt a reader

As a program: lint.py reads templates as `hashroom plugins --texts` prints them and fails if one breaks a rule.
"""
import re
import statistics
import sys

LINE_BYTES = 350
LINES = 3
QUESTION_CHARACTERS = 200
SENTENCE_WORDS = {"template": 20, "own": 25, "question": 25}
MEAN_WORDS = 14

ACRONYMS = {"DPULO", "NHSSM", "IRC", "UK", "NHS", "BSL", "PA", "GP", "TV"}
HASHTAGS = {tag.lower(): tag for tag in ("#DPULO", "#NHSSM", "#AccessToWork")}
SHORTENERS = ("t.co", "bit.ly", "tinyurl.com", "goo.gl", "ow.ly", "buff.ly", "is.gd", "lnkd.in")
TRACKING = re.compile(r"[?&](utm_\w+|fbclid|gclid|mc_cid|mc_eid|igshid)=")
BANNED = ("ping", "afk", "fyi", "kick off", "wrap up", "circle back", "on the fly", "asap", "e.g.", "i.e.", "etc",
          "via", "heads up", "touch base", "utilise", "leverage", "invalid", "syntax", "parameter", "execute")

INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad\u034f\u115f\u180e]")
JOINERS = re.compile("[\u200c\u200d]")
NEEDS_JOINER = re.compile("[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefe"
                          "\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]")
IRC_CODES = re.compile("[\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f]")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
TABLE = re.compile("[\u2500-\u259f]")
URL = re.compile(r"\b(?:https?://|www\.)\S+")
TIME = re.compile(r"\b\d{1,2}(?::\d{2})?(?:am|pm)\b")
TIME_FOLLOWS = re.compile(r"(?: to \d{1,2}(?::\d{2})?(?:am|pm))? [A-Z][A-Za-z]* time\b")
SAFE = set(".,:;?!'\"()/@#-&+%=_ ")


def words(sentence):
    return len(sentence.split())


def sentences(text):
    """Sentences of one text; a line's end is an end, and the "!" of "!help" is none."""
    found = []
    for line in text.split("\n"):
        found += [piece for piece in re.split(r"(?<=[.?!])\s+", line) if words(piece) > 0]
    return found


def invisible(line):
    for match in INVISIBLE.finditer(line):
        around = line[max(match.start() - 2, 0):match.start()], line[match.end():match.end() + 2]
        if JOINERS.match(match[0]) and all(NEEDS_JOINER.search(side) for side in around):
            continue
        yield f"R9: an invisible character, U+{ord(match[0]):04X}"


def shape(line):
    if len(line.encode()) > LINE_BYTES:
        yield f"R1: a line of {len(line.encode())} bytes"
    if "\t" in line or TABLE.search(line):
        yield "R8: a table, a tab or drawn lines"
    yield from invisible(line)
    if IRC_CODES.search(line):
        yield "R10: a colour or style code"
    elif CONTROL.search(line):
        yield "R10: a control character"


def characters(line):
    plain = URL.sub("", line)
    odd = sorted({c for c in plain if not c.isalpha() and not c.isdigit() and c not in SAFE and c != "\n"})
    if odd:
        yield "R11: a character that is read badly: " + " ".join(f"{c!r}" for c in odd)
    if "  " in line or line != line.strip():
        yield "R8: a row of spaces, or one at an end"
    for word in re.findall(r"(?<![#!\w/@.-])[^\W\d_]{2,}(?![\w.@])", plain):
        if word.isupper() and word not in ACRONYMS:
            yield f"R15: capitals for stress: {word}"
    for tag in re.findall(r"#\w+", plain):
        if HASHTAGS.get(tag.lower(), tag) != tag:
            yield f"R16: {tag} is shown as {HASHTAGS[tag.lower()]}"


def ranges_and_times(line):
    plain = URL.sub("", line)
    if re.search(r"\d\s*(?:am|pm)?\s?[-\u2013\u2014]\s?\d", plain) or re.search(r"[\u2013\u2014]|\s-\s", plain):
        yield "R17: a dash; say 'to', or start a new sentence"
    if re.search(r"[^\W\d]/[^\W\d]", plain):
        yield "R17: a slash between words"
    if re.search(r"\s&\s", plain):
        yield "R17: '&' in place of 'and'"
    if re.match(r"[\[(]?\d{1,2}:\d{2}", plain):
        yield "R20: a clock time at the start of a line"
    if re.search(r"\b\d{1,2}/\d{1,2}\b|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}(?:st|nd|rd|th)\b", plain):
        yield "R21: a date in another form than 'Tuesday 29 November'"
    if re.search(r"\b\d{1,2}:\d{2}(?!\d|am|pm)", plain):
        yield "R21: a time in another form than '8pm' or '8:30pm'"
    at = 0
    while match := TIME.search(plain, at):
        follows = TIME_FOLLOWS.match(plain, match.end())
        if not follows:
            yield "R21: a time without its zone, such as 'UK time'"
        at = follows.end() if follows else match.end()


def links(line):
    found = URL.findall(line)
    if len(found) > 1:
        yield "R22: more than one link in a line"
    if found and not line.endswith(found[-1]):
        yield "R22: a link that is not the last thing on its line"
    for url in found:
        host = re.sub(r"^https?://", "", url).split("/")[0].lower()
        if not url.startswith("https://"):
            yield "R22: a link without https"
        if host in SHORTENERS:
            yield f"R22: a short link of {host}"
        if TRACKING.search(url):
            yield "R22: a link that tracks people"


def wording(text):
    plain = URL.sub("", text).lower()
    for banned in BANNED:
        if re.search(rf"(?<![\w!]){re.escape(banned)}(?!\w)", plain):
            yield f"R36: not a plain word: {banned}"


def lengths(text, kind):
    for sentence in sentences(text):
        if words(sentence) > SENTENCE_WORDS[kind]:
            yield f"R5: a sentence of {words(sentence)} words: {sentence}"


def question(text):
    first = text.split("\n")[0]
    asked = re.sub(r"^(?:.*?\bquestion \d+ of \d+: )", "", first, flags=re.I)
    asked = re.sub(r" To answer, .*$", "", asked)
    if len(asked) > QUESTION_CHARACTERS:
        yield f"R4: a question of {len(asked)} characters"
    if asked.count("?") > 1:
        yield "R4: more than one question mark"


def check(text, kind="own"):
    problems = []
    if kind == "template":  # some are parts of a line, with the space that joins them
        text = re.sub(r"^ (?! )|(?<! ) $", "", text)
    lines = text.split("\n")
    if kind != "relayed" and len(lines) > LINES:
        problems.append(f"R3: {len(lines)} lines in one go")
    for line in lines:
        problems += shape(line)
        if kind == "relayed":
            continue
        problems += characters(line)
        problems += ranges_and_times(line)
        problems += links(line)
    if kind != "relayed":
        problems += lengths(text, kind)
        problems += wording(text)
    if kind == "question":
        problems += question(text)
    return problems


def check_split(text, parts):
    """R2 of lines that were cut from one text; parts may repeat the name in front of the text."""
    problems = []
    for i, part in enumerate(parts):
        problems += [problem for problem in shape(part)]
        if re.search(r"[(\[]?\b\d+/\d+[)\]]?$", part) and not text.rstrip().endswith(part[-3:]):
            problems.append("R2: a count of parts at the end of a line")
        if i + 1 == len(parts):
            break
        tail, head = part.rstrip().split(" ")[-1], parts[i + 1].lstrip().split(" ")[0]
        if tail + head in text.split() and len((tail + head).encode()) <= LINE_BYTES:
            problems.append(f"R2: cut inside a word: {tail}|{head}")
        if re.match("[\u0300-\u036f\u200d\ufe0f\U0001f3fb-\U0001f3ff]", head) or part.endswith("\u200d"):
            problems.append("R2: cut inside a character")
    return problems


def check_all(texts):
    counts = [words(sentence) for text in texts for sentence in sentences(text)]
    mean = statistics.mean(counts) if counts else 0
    return [f"R5: {mean:.1f} words in a sentence on average"] if mean > MEAN_WORDS else []


def read_texts(stream):
    """Rows of "ID<tab>line // line". Gives (id, text)."""
    rows = (row.rstrip("\n").split("\t", 1) for row in stream if "\t" in row)
    return [(name, text.replace(" // ", "\n")) for name, text in rows]


def main():
    texts = read_texts(sys.stdin)
    wrong = 0
    for name, text in texts:
        for problem in check(text, "template"):
            print(f"{name}: {problem}")
            wrong += 1
    for problem in check_all([text for _, text in texts]):
        print(problem)
        wrong += 1
    print(f"{len(texts)} texts, {wrong} problems")
    return 1 if wrong or not texts else 0


if __name__ == "__main__":
    sys.exit(main())
