# SPDX-License-Identifier: MIT
"""The query language of search and of stream rules: terms, #tag, "phrase", operators, -, OR, parentheses."""
import re
import unicodedata

from xtext import tags, unescape

TOKEN = re.compile(r'\s*(?:(\()|(\))|(-)(?=\S)|(OR)(?=[\s(]|$)|([a-z_]+):("[^"]*"|[^\s()"]+)|"([^"]*)"|([^\s()"]+))')
STANDALONE = {"from", "to", "conversation_id", "in_reply_to_tweet_id", "quotes_of_tweet_id", "retweets_of", "url",
              "tag", "mention", "cashtag", "word", "phrase"}
PARTNERS = {"is", "has", "lang", "min_likes", "min_replies", "min_reposts"}
IS = {"retweet", "reply", "quote", "nullcast", "verified"}
HAS = {"images", "media", "links", "mentions", "hashtags", "cashtags", "videos", "video_link"}


class QueryError(Exception):
    """details: sentences as the service would give them."""

    def __init__(self, *details):
        super().__init__("; ".join(details))
        self.details = list(details)


def _tokens(text):
    at, out = 0, []
    text = text.rstrip()
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise QueryError(f"no viable alternative at character '{text[at]}' (at position {at + 1})")
        at = m.end()
        opens, closes, minus, either, name, value, phrase, word = m.groups()
        where = m.start() + 1
        if opens or closes or minus or either:
            out.append((opens or closes or minus or either, None, where))
        elif name:
            out.append((name, value.strip('"'), where))
        elif phrase is not None:
            out.append(("phrase", phrase, where))
        elif word[0] in "#＃" and len(word) > 1:
            out.append(("tag", word[1:], where))
        elif word[0] in "@＠" and len(word) > 1:
            out.append(("mention", word[1:], where))
        elif word[0] == "$" and len(word) > 1:
            out.append(("cashtag", word[1:], where))
        else:
            out.append(("word", word, where))
    return out


class _Parser:
    def __init__(self, text):
        self.tokens = _tokens(text)
        self.at = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else (None, None, 0)

    def either(self):
        branches = [self.both()]
        while self.peek()[0] == "OR":
            self.at += 1
            branches.append(self.both())
        return branches[0] if len(branches) == 1 else ("or", branches)

    def both(self):
        parts = []
        while self.peek()[0] not in (None, ")", "OR"):
            parts.append(self.one())
        if not parts:
            raise QueryError("missing term where one was expected (at end of input)")
        return parts[0] if len(parts) == 1 else ("and", parts)

    def one(self):
        kind, value, where = self.peek()
        self.at += 1
        if kind == "-":
            inner = self.peek()
            if inner[0] == "(":
                raise QueryError(f"Negating groups is not supported: negate each term (at position {where})")
            return ("not", self.one())
        if kind == "(":
            inner = self.either()
            if self.peek()[0] != ")":
                raise QueryError(f"missing ')' for '(' (at position {where})")
            self.at += 1
            return inner
        if kind == "is" and value not in IS or kind == "has" and value not in HAS:
            raise QueryError(f"invalid value '{value}' for operator '{kind}:' (at position {where})")
        if kind not in STANDALONE and kind not in PARTNERS:
            raise QueryError(f"Reference to invalid operator '{kind}' (at position {where})")
        return (kind, value)


def _positive(node):
    kind = node[0]
    if kind == "and":
        return any(_positive(part) for part in node[1])
    if kind == "or":
        return all(_positive(part) for part in node[1])
    return kind in STANDALONE


def _has_positive_term(node):
    if node[0] in ("and", "or"):
        return any(_has_positive_term(part) for part in node[1])
    return node[0] != "not"


def parse(text, limit):
    if len(text) > limit:
        raise QueryError(f"Rule length {len(text)} exceeds the limit of {limit} characters")
    parser = _Parser(text)
    if not parser.tokens:
        raise QueryError("query must not be empty")
    tree = parser.either()
    if parser.peek()[0] is not None:
        raise QueryError(f"unexpected '{parser.peek()[0]}' (at position {parser.peek()[2]})")
    if not _has_positive_term(tree):
        raise QueryError("Rules must contain a non-negation term (at position 1)",
                         "Rules must contain at least one positive, non-stopword clause (at position 1)")
    if not _positive(tree):
        raise QueryError("There must be at least one standalone operator: is:, has: and lang: need a partner")
    return tree


def _plain(text):
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _words(text):
    return re.findall(r"\w+", text.lower())


class View:
    """What a query may look at in one post. stream: the text quoted or retweeted counts as well."""

    def __init__(self, post, state, stream):
        self.post, self.state, self.stream = post, state, stream
        sources = [post]
        if stream:
            sources += [state.posts[r["id"]] for r in post.get("referenced_tweets", [])
                        if r["type"] in ("quoted", "retweeted") and r["id"] in state.posts]
        self.bodies = [s.get("note_tweet", s) for s in sources]
        self.fold = (lambda t: t.lower()) if stream else (lambda t: _plain(t).lower())
        self.text = " ".join(unescape(b["text"]) for b in self.bodies)

    def entity(self, kind, key):
        return [e.get(key) for b in self.bodies for e in b.get("entities", {}).get(kind, []) if e.get(key)]

    def references(self, kind):
        return [r["id"] for r in self.post.get("referenced_tweets", []) if r["type"] == kind]

    def user(self, value):
        value = value.lower().lstrip("@")
        user = self.state.users.get(value) or self.state.user_named(value)
        return user["id"] if user else None


def matches(node, view):
    kind, value = node
    post = view.post
    if kind == "and":
        return all(matches(part, view) for part in value)
    if kind == "or":
        return any(matches(part, view) for part in value)
    if kind == "not":
        return not matches(value, view)
    if kind == "tag":
        return view.fold(value) in [view.fold(t) for b in view.bodies for t in tags(b.get("entities"))]
    if kind == "word":
        return view.fold(value) in _words(view.fold(view.text))
    if kind == "phrase":
        want, have = _words(view.fold(value)), _words(view.fold(view.text))
        return any(have[i:i + len(want)] == want for i in range(len(have) - len(want) + 1))
    if kind == "mention":
        return value.lower() in [n.lower() for n in view.entity("mentions", "username")]
    if kind == "cashtag":
        return value.lower() in [t.lower() for t in view.entity("cashtags", "tag")]
    if kind == "from":
        return post["author_id"] == view.user(value)
    if kind == "to":
        return post.get("in_reply_to_user_id") == view.user(value)
    if kind == "conversation_id":
        return post["conversation_id"] == value
    if kind == "in_reply_to_tweet_id":
        return value in view.references("replied_to")
    if kind == "quotes_of_tweet_id":
        return value in view.references("quoted")
    if kind == "retweets_of":
        return any(view.state.posts[i]["author_id"] == view.user(value) for i in view.references("retweeted"))
    if kind == "url":
        return any(value.lower() in (u or "").lower() for u in view.entity("urls", "expanded_url"))
    if kind == "lang":
        return post.get("lang") == value
    if kind == "is":
        named = {"retweet": "retweeted", "reply": "replied_to", "quote": "quoted"}
        return bool(view.references(named[value])) if value in named else False
    if kind == "has":
        return _has(value, view)
    return True  # min_likes and its like: nobody counts here


def _has(value, view):
    media = view.post.get("attachments", {}).get("media_keys", [])
    if value in ("media", "images", "videos", "video_link"):
        kinds = {view.state.media[k]["type"] for k in media}
        return bool(kinds) if value == "media" else ("photo" if value == "images" else "video") in kinds
    return bool(view.entity({"links": "urls"}.get(value, value), "start")) or any(
        b.get("entities", {}).get({"links": "urls"}.get(value, value)) for b in view.bodies)
