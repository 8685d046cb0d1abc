# SPDX-License-Identifier: MIT
"""The world the X simulator keeps: a clock, people, posts and their versions, rules, subscriptions, the price ledger."""
import datetime
import os
import pathlib
import pickle
import time

import xquery
from xtext import cut, escape, weighted_length, write

EPOCH_MS = 1288834974657
PRICES = {"post_read": 5_000, "user_read": 10_000, "owned_read": 1_000, "create": 15_000, "create_url": 200_000,
          "delete": 10_000, "counts": 5_000}  # millionths of a dollar


class Clock:
    """The chat clock of the bot under test: a file "wall0_ms chat0_ms speed", read again when it changes."""

    def __init__(self, file=None):
        self.file, self._mtime, self._line = file, None, (0, 0, 1.0)

    def now_ms(self):
        wall = time.time_ns() // 1_000_000
        if not self.file:
            return wall
        try:
            mtime = os.stat(self.file).st_mtime_ns
            if mtime != self._mtime:
                words = open(self.file).read().split()
                self._line = (int(words[0]), int(words[1]), float(words[2]))
                self._mtime = mtime
        except (OSError, ValueError, IndexError):
            pass
        wall0, chat0, speed = self._line
        return int(chat0 + (wall - wall0) * speed)


def iso(ms):
    t = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def from_iso(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def snowflake(ms, low=0):
    return ((ms - EPOCH_MS) << 22) | low


def snowflake_ms(post_id):
    return (int(post_id) >> 22) + EPOCH_MS


class Refused(Exception):
    """An answer that is an error: HTTP status and body."""

    def __init__(self, code, body):
        super().__init__(f"{code}: {body}")
        self.code, self.body = code, body


def forbidden(detail):
    return Refused(403, {"detail": detail, "type": "about:blank", "title": "Forbidden", "status": 403})


def invalid(message, **parameters):
    return Refused(400, {
        "errors": [{"parameters": {k: [str(v)] for k, v in parameters.items()}, "message": message}],
        "title": "Invalid Request", "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request"})


class Ledger:
    """What the client has spent. The same post or person read again within a UTC day is not charged twice."""

    def __init__(self):
        self.entries = []  # (simulated ms, what, millionths)
        self._read = set()
        self.credits = None  # millionths left; None: no end
        self.spend_cap = None
        self.usage_cap = None

    def charge(self, now_ms, what, key=None):
        if key is not None:
            mark = (now_ms // 86_400_000, what, key)
            if mark in self._read:
                return
            self._read.add(mark)
        self.entries.append((now_ms, what, PRICES[what]))
        if self.credits is not None:
            self.credits -= PRICES[what]

    def count(self, what):
        return sum(1 for _, kind, _ in self.entries if kind == what)

    @property
    def dollars(self):
        return sum(cost for _, _, cost in self.entries) / 1e6

    def check(self):
        if self.credits is not None and self.credits <= 0:
            raise Refused(402, {
                "account_id": 1500000000000000001, "title": "CreditsDepleted", "detail":
                "Your enrolled account [1500000000000000001] does not have any credits to fulfill this request.",
                "type": "https://api.twitter.com/2/problems/credits"})
        if self.spend_cap is not None and self.dollars * 1e6 >= self.spend_cap:
            raise Refused(403, {"title": "SpendCapReached", "detail":
                                "Your enrolled account reached its billing cycle spend cap.",
                                "reset_date": "2026-12-12", "type": "https://api.twitter.com/2/problems/credits"})
        if self.usage_cap is not None and self.count("post_read") >= self.usage_cap:
            raise Refused(429, {"title": "UsageCapExceeded", "detail": "Usage cap exceeded: Monthly product cap",
                                "type": "https://api.twitter.com/2/problems/usage-capped", "period": "Monthly",
                                "scope": "Product", "account_id": "1500000000000000001",
                                "product_name": "standard-basic"})


class State:
    def __init__(self, clock, me="dpulochat"):
        self.clock = clock
        self.users, self.posts, self.media = {}, {}, {}
        self.deleted = {}  # id -> the post as it was
        self.rules = {}    # id -> {value, tag, from_s, until_s (real seconds)}
        self.subscriptions = {}
        self.ledger = Ledger()
        self.titles = {}   # address -> (unwound address, title)
        self.duplicate_window_ms = 24 * 3600 * 1000
        self.rule_delay_s = 20.0
        self._number = self._last_id = 0
        self.me = self.user(me, "The chat")

    # -- what outlives the process
    def keep(self, file):
        """Writes it all down; the caller has the lock."""
        fresh = pathlib.Path(f"{file}.new")
        fresh.write_bytes(pickle.dumps(self))
        fresh.rename(file)

    @staticmethod
    def kept(file):
        """What an earlier process wrote down there, or None."""
        return pickle.loads(pathlib.Path(file).read_bytes()) if pathlib.Path(file).exists() else None

    # -- people
    def user(self, username, name=None, protected=False):
        """The person of that handle, made when new."""
        found = self.user_named(username)
        if found:
            if name:
                found["name"] = name
            return found
        number = 900000000000000000 + len(self.users) + 1
        made = {"id": str(number), "username": username, "name": name or username, "protected": protected,
                "created_at": "2015-01-01T00:00:00.000Z"}
        self.users[made["id"]] = made
        return made

    def user_named(self, username):
        return next((u for u in self.users.values() if u["username"].lower() == username.lower()), None)

    # -- ids
    def next_id(self):
        self._last_id = max(snowflake(self.clock.now_ms()), self._last_id + 1)
        return str(self._last_id)

    def number(self):
        self._number += 1
        return self._number

    # -- posts
    def permalink(self, post):
        return f"https://x.com/{self.users[post['author_id']]['username']}/status/{post['id']}"

    def make(self, author, text, photos=(), reply_to=None, quote=None, edit_of=None, lang="en", sensitive=False,
             auto_mention=True, retweet_of=None):
        """A new post. photos: alt texts (None: without). Others are ids. Returns the stored object."""
        post_id = self.next_id()
        now = snowflake_ms(post_id)
        post = {"id": post_id, "author_id": author["id"], "created_at": iso(now), "conversation_id": post_id,
                "lang": lang, "possibly_sensitive": sensitive, "reply_settings": "everyone",
                "edit_history_tweet_ids": [post_id], "public_metrics": {
                    "retweet_count": 0, "reply_count": 0, "like_count": 0, "quote_count": 0, "bookmark_count": 0,
                    "impression_count": 0}}
        prefix = ""
        if reply_to:
            prefix = self._reply(post, author, reply_to, auto_mention)
        if retweet_of:
            self._retweet(post, retweet_of)
            self.posts[post_id] = post
            return post
        written = write(prefix + text, self.titles, lambda n: (self.user_named(n) or {}).get("id"))
        if quote:
            quoted = self.posts[quote]
            post.setdefault("referenced_tweets", []).append({"type": "quoted", "id": quote})
            link = self.permalink(quoted)
            self._append_link(written, link, {"expanded_url": link, "display_url": link[8:34] + "…"})
        if photos:
            self._photos(post, author, written, photos)
        if prefix:
            post["display_text_range"] = [len(prefix), len(written.text)]
        self._set_text(post, written, prefix + text)
        if edit_of:
            self._edit(post, edit_of)
        self.posts[post_id] = post
        return post

    def _set_text(self, post, written, raw):
        shown = written
        if weighted_length(raw) > 280:
            post["note_tweet"] = {"text": written.text}
            if written.entities:
                post["note_tweet"]["entities"] = written.entities
            shown = cut(written, self.permalink(post))
        post["text"] = shown.text
        if shown.entities:
            post["entities"] = shown.entities

    @staticmethod
    def _append_link(written, link, entity):
        from xtext import short_code
        written.text += " "
        written.add_url("https://t.co/" + short_code(link), entity)

    def _reply(self, post, author, reply_to, auto_mention):
        parent = self.posts[reply_to]
        post["in_reply_to_user_id"] = parent["author_id"]
        post["conversation_id"] = parent["conversation_id"]
        post["referenced_tweets"] = [{"type": "replied_to", "id": reply_to}]
        if parent["author_id"] == author["id"] or not auto_mention:
            return ""
        return "@" + self.users[parent["author_id"]]["username"] + " "

    def _photos(self, post, author, written, photos):
        link = f"https://x.com/{author['username']}/status/{post['id']}/photo/1"
        keys = []
        for alt in photos:
            key = f"3_{snowflake(snowflake_ms(post['id']), self.number())}"
            self.media[key] = {"media_key": key, "type": "photo", "width": 1200, "height": 900,
                               "url": f"https://pbs.twimg.com/media/{key}.jpg"}
            if alt:
                self.media[key]["alt_text"] = alt
            keys.append(key)
        post["attachments"] = {"media_keys": keys}
        for n, key in enumerate(keys):  # several pictures: the same offsets again
            entity = {"expanded_url": link, "display_url": "pic.x.com/" + post["id"][-10:], "media_key": key}
            if n == 0:
                self._append_link(written, link, entity)
            else:
                written.add("urls", {**written.entities["urls"][-1], **entity})

    def _retweet(self, post, original_id):
        original = self.posts[original_id]
        body = original.get("note_tweet", original)["text"]
        name = self.users[original["author_id"]]["username"]
        text = f"RT @{name}: {body}"
        post["text"] = text if len(text) <= 140 else text[:139] + "…"
        post["referenced_tweets"] = [{"type": "retweeted", "id": original_id}]
        post["entities"] = {"mentions": [{"start": 3, "end": 4 + len(name), "username": name,
                                          "id": original["author_id"]}]}

    def _edit(self, post, edit_of):
        old = self.posts[edit_of]
        history = old["edit_history_tweet_ids"] + [post["id"]]
        for version in history:
            (self.posts.get(version) or post)["edit_history_tweet_ids"] = history
        for key in ("conversation_id", "in_reply_to_user_id", "referenced_tweets"):
            if key in old:
                post[key] = old[key]
        post["edit_controls"] = {"edits_remaining": max(0, 6 - len(history)), "is_edit_eligible": True,
                                 "editable_until": iso(snowflake_ms(history[0]) + 30 * 60_000)}

    def delete(self, post_id):
        """All versions go. Returns the newest as it was, or None."""
        post = self.posts.get(post_id)
        if not post:
            return None
        for version in post["edit_history_tweet_ids"]:
            if version in self.posts:
                self.deleted[version] = self.posts.pop(version)
        return post

    def hidden(self, post):
        """Nobody but its author's followers may see it, or nobody at all."""
        author = self.users[post["author_id"]]
        return bool(author.get("protected") or author.get("suspended"))

    def latest(self):
        """The newest version of each post, newest first."""
        return sorted((p for p in self.posts.values() if p["edit_history_tweet_ids"][-1] == p["id"]),
                      key=lambda p: int(p["id"]), reverse=True)

    # -- rules
    def rule_matches(self, post):
        """Rules in force now that match, as the stream tells them."""
        now = time.monotonic()
        out = []
        for rule_id, rule in self.rules.items():
            if rule["from_s"] <= now < rule["until_s"] and xquery.matches(rule["tree"], xquery.View(post, self, True)):
                out.append({"id": rule_id, "tag": rule["tag"]} if rule["tag"] else {"id": rule_id})
        return out

    def live_rules(self):
        return {i: r for i, r in self.rules.items() if r["until_s"] == float("inf")}

    # -- writing through the API
    def create(self, body):
        """POST /2/tweets by the bot's own account; body is checked already for its shape."""
        text = body.get("text", "")
        if "quote_tweet_id" in body:
            raise forbidden("Quoting this post is not allowed because you have not been mentioned or are not part of "
                            "the conversation thread of the post you are quoting.")
        if body.get("media"):
            raise invalid("Your media IDs are invalid.", **{"media.media_ids": body["media"].get("media_ids")})
        if not text.strip():
            raise invalid("text is required", text=text)
        if any(c in text for c in "\ufffe\ufeff\uffff"):
            raise invalid("The text has characters that are not allowed.", text="")
        if weighted_length(text) > 280:
            raise invalid("Your Tweet text is too long. For more information on how Twitter determines text length "
                          "see https://github.com/twitter/twitter-text.", text=text[:40])
        written = write(text)
        if len(written.entities.get("cashtags", [])) > 1:
            raise forbidden("You are not permitted to perform this action: more than one cashtag.")
        since = self.clock.now_ms() - self.duplicate_window_ms
        for post in self.posts.values():
            if post["author_id"] == self.me["id"] and post["text"] == self._shown(text) \
                    and snowflake_ms(post["id"]) >= since:
                raise forbidden("You are not allowed to create a Tweet with duplicate content.")
        parent = (body.get("reply") or {}).get("in_reply_to_tweet_id")
        if parent:
            self._may_reply(parent)
        return self.make(self.me, text, reply_to=parent, auto_mention=False), bool(written.entities.get("urls"))

    @staticmethod
    def _shown(text):
        return write(text).text if text else escape(text)

    def _may_reply(self, parent_id):
        parent = self.posts.get(parent_id)
        if not parent:
            raise forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
        if parent["author_id"] == self.me["id"]:
            return
        mentioned = [m.get("id") for m in parent.get("entities", {}).get("mentions", [])]
        quoted = [self.posts[r["id"]]["author_id"] for r in parent.get("referenced_tweets", [])
                  if r["type"] == "quoted" and r["id"] in self.posts]
        if self.me["id"] not in mentioned + quoted:
            raise forbidden("Reply to this conversation is not allowed because you have not been mentioned or "
                            "otherwise engaged by the author of the post you are replying to.")
