# SPDX-License-Identifier: MIT
"""The endpoints: one request in, one answer out; rate limits, prices and ordered faults on the way."""
import base64
import json
import re
import threading
import time
import urllib.parse
import uuid

import xfault
import xquery
import xrules
from xrender import Selection, missing, not_authorized
from xstate import Refused, from_iso, invalid, iso, snowflake_ms
from xstream import no_rules
from xwatch import SEVEN_DAYS_MS

QUARTER = 900
# endpoint -> (requests, seconds) for the app and for the user
RATES = {
    "GET /2/tweets/search/recent": ((450, QUARTER), (300, QUARTER)),
    "GET /2/tweets": ((3500, QUARTER), (5000, QUARTER)),
    "GET /2/tweets/:id": ((450, QUARTER), (900, QUARTER)),
    "GET /2/users/:id/tweets": ((10000, QUARTER), (900, QUARTER)),
    "GET /2/users/me": ((0, QUARTER), (75, QUARTER)),
    "GET /2/tweets/search/stream": ((50, QUARTER), (0, QUARTER)),
    "GET /2/tweets/search/stream/rules": ((450, QUARTER), (0, QUARTER)),
    "POST /2/tweets/search/stream/rules": ((100, QUARTER), (0, QUARTER)),
    "POST /2/tweets": ((10000, 86400), (100, QUARTER)),
    "DELETE /2/tweets/:id": ((0, QUARTER), (50, QUARTER)),
    "GET /2/activity/stream": ((450, QUARTER), (0, QUARTER)),
    "DELETE /2/connections/all": ((25, QUARTER), (25, QUARTER)),
}
ROUTES = [(m, re.compile("^" + p.replace(":id", r"([^/]+)") + "$"), f"{m} {p}", fn) for m, p, fn in [
    ("POST", "/oauth2/token", "oauth2_token"), ("POST", "/2/oauth2/token", "token2"),
    ("POST", "/2/oauth2/revoke", "revoke2"), ("GET", "/2/users/me", "me"),
    ("GET", "/2/users/:id/tweets", "timeline"), ("GET", "/2/tweets", "lookup"), ("POST", "/2/tweets", "create"),
    ("GET", "/2/tweets/search/recent", "search"), ("GET", "/2/tweets/counts/recent", "counts"),
    ("GET", "/2/tweets/search/stream", "stream"), ("GET", "/2/tweets/search/stream/rules", "rules_get"),
    ("POST", "/2/tweets/search/stream/rules", "rules_post"), ("GET", "/2/tweets/:id", "lookup_one"),
    ("DELETE", "/2/tweets/:id", "delete"), ("GET", "/2/connections", "connections"),
    ("DELETE", "/2/connections/all", "connections_end"), ("DELETE", "/2/connections/filtered_stream", "connections_end"),
    ("POST", "/2/activity/subscriptions", "subscribe"), ("GET", "/2/activity/subscriptions", "subscriptions"),
    ("DELETE", "/2/activity/subscriptions/:id", "unsubscribe"),
    ("DELETE", "/2/activity/subscriptions", "unsubscribe_many"), ("GET", "/2/activity/stream", "activity"),
]]


def endpoint_of(method, path):
    """(endpoint, name of the function, arguments) or three times nothing."""
    for have, pattern, endpoint, run in ROUTES:
        found = pattern.match(path)
        if found and have == method:
            return endpoint, run, found.groups()
    return None, None, ()


class Call:
    """One request, taken apart."""

    def __init__(self, handler, target, body):
        self.handler, self.body = handler, body
        self.method, self.path = handler.command, target.path
        self.pairs = urllib.parse.parse_qsl(target.query, keep_blank_values=True)
        self.query = dict(self.pairs)
        form = handler.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        self.form = urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True) if form else []
        self.endpoint, self.run, self.args = endpoint_of(self.method, target.path)
        self.kind = None  # of the authorization
        self.if_lost = None  # to be called when the client can't know what came of it

    def json(self):
        try:
            value = json.loads(self.body)
        except ValueError:
            raise invalid("The body is not JSON.") from None
        if not isinstance(value, dict):
            raise invalid("The body is not an object.")
        return value


class Api:
    def __init__(self, sim):
        self.sim, self.state = sim, sim.state
        self.lock = threading.RLock()
        self.calls = []
        self.dialect = "tweet"
        self.unlimited = False  # rates are counted but nobody is refused
        self.horizon_ms, self.index_delay_ms = 30_000, 0
        self._windows = {}

    # -- the way of a request ---------------------------------------------------------
    def handle(self, handler, target, body, fault):
        """fault: what strikes this request, or None."""
        call = Call(handler, target, body)
        headers = {"api-version": "2.166", "x-transaction-id": uuid.uuid4().hex[:16]}
        watch = self.sim.watch
        identity = watch.request(call.endpoint or target.path, call.method, handler.path, handler.headers, body)
        streaming = self._stream_name(call) if call.run in ("stream", "activity") else None
        try:
            if call.endpoint is None:
                watch.fault(f"{call.method} {target.path}: no such endpoint")
                raise Refused(404, {"title": "Not Found", "detail": "Not Found", "type": "about:blank", "status": 404})
            if streaming:
                watch.stream_asked(streaming)
            answer = None
            if fault is None or fault.done_first:
                self._authorize(call)
                self._rate(call, headers)
                if streaming:
                    self._stream(call, headers, fault, streaming)
                    return
                with self.lock:
                    code, answer = getattr(self, call.run)(call, *call.args)
                    self.sim.keep()
            if fault is not None and fault.what not in xfault.DONE:
                code, answer = self._struck(call, fault, headers, streaming)
                identity = identity if self._of_account(answer) else None
        except Refused as e:
            code, answer, fault = e.code, e.body, None
            if streaming:
                wait = code == 429 and not self._of_account(answer)
                watch.stream_ended(streaming, "429" if wait else "http" if code >= 500 else "refused")
        if identity:
            watch.refused(identity, code, self._of_account(answer))
        if answer is None:
            return
        if fault is not None and fault.what in xfault.DONE:
            self._lost(call)
            self.calls.append((call.endpoint, code if fault.what != "lost" else 0))
            xfault.spoil(fault, handler, code, json.dumps(answer, ensure_ascii=False).encode(), headers)
        else:
            self.calls.append((call.endpoint, code))
            handler.reply(code, answer, headers)

    @staticmethod
    def _stream_name(call):
        return "filtered_stream" if call.run == "stream" else "activity_stream"

    @staticmethod
    def _of_account(body):
        """Is it an error of the account or app, not of this request?"""
        kind = str((body or {}).get("type", "")).rsplit("/", 1)[-1]
        return kind in ("credits", "usage-capped", "user-suspended", "client-forbidden")

    @staticmethod
    def _lost(call):
        if call.if_lost:
            call.if_lost()

    def _struck(self, call, fault, headers, streaming):
        """(status, body) of an ordered answer; body None: the fault has answered in its own way."""
        if fault.done_first:
            self._lost(call)
        if fault.what in xfault.NOT_DONE:
            at = len(self.calls)
            self.calls.append((call.endpoint, 0))
            code, body = xfault.strike(fault, call.handler), None
            self.calls[at] = (call.endpoint, code)
        else:
            (code, body), _ = fault.answer(), headers.update(fault.headers())
        if streaming:
            wait = code == 429 and not self._of_account(body)
            how = "429" if wait else "http" if code >= 500 else "refused" if code >= 400 else "drop"
            self.sim.watch.stream_ended(streaming, how)
        return code, body

    def _stream(self, call, headers, fault, name):
        if fault is None or fault.what in ("slow", "drip"):
            if fault is not None and fault.what == "slow":
                time.sleep(fault.given.get("seconds", 5))
            call.drip_s = fault.given.get("seconds", 1) if fault is not None and fault.what == "drip" else 0.0
            getattr(self, call.run)(call, headers)
            return
        self.calls.append((call.endpoint, 0 if fault.what == "lost" else 200))
        if fault.what in ("half", "half-json"):
            xfault.raw(call.handler, 200, b'{"data":{"id":"1', headers, length=500)
        call.handler.vanish()
        self.sim.watch.stream_ended(name, "drop")

    def _authorize(self, call):
        authorization = call.handler.headers.get("Authorization")
        if call.run in ("oauth2_token", "token2", "revoke2"):
            return
        host = call.handler.headers.get("Host", "")
        call.kind = self.sim.auth.check(call.endpoint, call.method, f"http://{host}{call.path}", call.pairs, call.form,
                                        authorization)
        if call.run not in ("rules_get", "rules_post", "connections", "connections_end"):
            self.state.ledger.check()

    def _rate(self, call, headers):
        """Counts the request against its window; the headers tell how much is left."""
        app, user = RATES.get(call.endpoint, ((450, QUARTER), (450, QUARTER)))
        limit, seconds = user if call.kind == "user" else app
        now = int(time.time())
        with self.lock:
            window = self._windows.get((call.endpoint, call.kind))
            if not window or window[0] <= now:
                window = self._windows[(call.endpoint, call.kind)] = [now + seconds, 0]
            window[1] += 1
            left = limit - window[1]
        headers.update({"x-rate-limit-limit": limit, "x-rate-limit-remaining": max(left, 0),
                        "x-rate-limit-reset": window[0]})
        if call.run == "create":
            headers.update({"x-app-limit-24hour-limit": 10000, "x-app-limit-24hour-remaining": 10000 - window[1],
                            "x-app-limit-24hour-reset": now + 86400, "x-user-limit-24hour-limit": 10000,
                            "x-user-limit-24hour-remaining": 10000 - window[1],
                            "x-user-limit-24hour-reset": now + 86400})
        if left < 0 and not self.unlimited:
            raise Refused(429, {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank",
                                "status": 429})

    # -- publishing --------------------------------------------------------------------
    def publish(self, post):
        """Tells the streams, as each connection asked."""
        rules = self.state.rule_matches(post)
        if not rules or self.state.hidden(post):
            return

        def made(connection):
            answer, posts, users = connection.wrap.answer([post], self.state, many=False)
            self._bill(posts, users)
            return {**answer, "matching_rules": rules}

        self.sim.streams.send("filtered_stream", made)

    def remove(self, post_id):
        post = self.state.delete(post_id)
        if not post:
            return None
        for subscription in self.state.subscriptions.values():
            if subscription["event_type"] == "post.delete" and subscription["filter"]["user_id"] == post["author_id"]:
                event = {"event_uuid": str(-(int(post["id"]) % 10**18)), "event_type": "post.delete",
                         "filter": subscription["filter"], "payload": {"id": post["id"], "author_id": post["author_id"]},
                         "includes": {}}
                if "tag" in subscription:
                    event["tag"] = subscription["tag"]
                self.sim.streams.send("activity_stream", {"data": event})
        return post

    def _bill(self, posts, users=(), owned=False):
        now = self.state.clock.now_ms()
        for post_id in posts:
            self.state.ledger.charge(now, "owned_read" if owned else "post_read", post_id)
        for user_id in users:
            self.state.ledger.charge(now, "user_read", user_id)

    # -- reading -----------------------------------------------------------------------
    def oauth2_token(self, call):
        return 200, self.sim.auth.token(call.handler.headers.get("Authorization"), dict(call.form))

    def token2(self, call):
        answer, call.if_lost = self.sim.auth.token2(call.handler.headers.get("Authorization"), dict(call.form))
        return 200, answer

    def revoke2(self, call):
        return 200, self.sim.auth.revoke2(call.handler.headers.get("Authorization"), dict(call.form))

    def me(self, call):
        self._bill([self.state.me["id"]], owned=True)
        fields = {"id", "name", "username"} | set(filter(None, call.query.get("user.fields", "").split(",")))
        return 200, {"data": {k: v for k, v in self.state.me.items() if k in fields}}

    def search(self, call):
        selection = Selection(call.query, self.dialect)
        try:
            tree = xquery.parse(call.query.get("query", ""), 512)
        except xquery.QueryError as e:
            raise invalid(e.details[0], query=call.query.get("query", "")) from None
        q, now = call.query, self.state.clock.now_ms()
        token = q.get("next_token") or q.get("pagination_token")
        self.sim.watch.search(q.get("since_id"), token, self.sim.streams.healthy_since())
        low, high = self._bounds(q, now)
        offset = 0
        if token:
            offset, same = self._open_token(token)
            if same != self._token_key(q):
                self.sim.watch.fault("search: a next page was asked with other parameters")
        size = self._size(q, 10, 100, 10)
        found = [p for p in self.state.latest()
                 if low < int(p["id"]) < high and not self.state.hidden(p) and snowflake_ms(p["id"]) <= now - self.index_delay_ms
                 and not any(r["type"] == "retweeted" for r in p.get("referenced_tweets", []))
                 and xquery.matches(tree, xquery.View(p, self.state, False))]
        page = found[offset:offset + size]
        answer, posts, users = selection.answer(page, self.state)
        self._bill(posts, users)
        answer["meta"] = {"result_count": len(page)}
        if page:
            answer["meta"].update({"newest_id": page[0]["id"], "oldest_id": page[-1]["id"]})
        if offset + size < len(found):
            answer["meta"]["next_token"] = self._make_token(offset + size, q)
        return 200, answer

    def _bounds(self, q, now):
        """Exclusive id bounds of a search."""
        for a, b in (("since_id", "start_time"), ("until_id", "end_time")):
            if a in q and b in q:
                raise invalid(f"Only one of '{a}' and '{b}' may be given", **{a: q[a]})
        oldest = now - SEVEN_DAYS_MS
        low = ((oldest - 1288834974657) << 22) - 1
        high = (now - self.horizon_ms + 1 - 1288834974657) << 22
        try:
            if "since_id" in q:
                if snowflake_ms(q["since_id"]) < oldest:
                    raise invalid(f"'since_id' must be a tweet id created after {iso(oldest)[:16]}Z. Please use a "
                                  f"'since_id' that is larger than {low}", since_id=q["since_id"])
                low = int(q["since_id"])
            if "start_time" in q:
                start = from_iso(q["start_time"])
                if start < oldest:
                    raise invalid(f"'start_time' must be on or after {iso(oldest)[:16]}Z.", start_time=q["start_time"])
                low = ((start - 1288834974657) << 22) - 1
            if "until_id" in q:
                high = min(int(q["until_id"]), high)
            if "end_time" in q:
                end = from_iso(q["end_time"])
                if end > now - 10_000:
                    raise invalid("'end_time' must be a minimum of 10 seconds prior to the request time.",
                                  end_time=q["end_time"])
                high = (end - 1288834974657) << 22
        except ValueError:
            raise invalid("A time or an id can't be read.") from None
        return low, high

    @staticmethod
    def _size(q, least, most, preset):
        text = q.get("max_results", str(preset))
        if not text.isdigit() or not least <= int(text) <= most:
            raise invalid(f"The `max_results` query parameter value [{text}] is not between {least} and {most}",
                          max_results=text)
        return int(text)

    @staticmethod
    def _token_key(q):
        return sorted((k, v) for k, v in q.items() if k not in ("next_token", "pagination_token"))

    def _make_token(self, offset, q):
        return base64.urlsafe_b64encode(json.dumps([offset, self._token_key(q)]).encode()).decode().rstrip("=")

    @staticmethod
    def _open_token(token):
        try:
            offset, key = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            return offset, [tuple(pair) for pair in key]
        except ValueError:
            raise invalid("Invalid 'next_token'", next_token=token) from None

    def counts(self, call):
        try:
            tree = xquery.parse(call.query.get("query", ""), 512)
        except xquery.QueryError as e:
            raise invalid(e.details[0], query=call.query.get("query", "")) from None
        now = self.state.clock.now_ms()
        low, high = self._bounds(call.query, now)
        hours = {}
        for post in self.state.latest():
            if low < int(post["id"]) < high and xquery.matches(tree, xquery.View(post, self.state, False)):
                hours.setdefault(snowflake_ms(post["id"]) // 3_600_000, []).append(post)
        self.state.ledger.charge(now, "counts")
        data = [{"start": iso(h * 3_600_000), "end": iso((h + 1) * 3_600_000), "tweet_count": len(p)}
                for h, p in sorted(hours.items())]
        return 200, {"data": data, "meta": {"total_tweet_count": sum(d["tweet_count"] for d in data)}}

    def timeline(self, call, user_id):
        selection = Selection(call.query, self.dialect)
        if user_id not in self.state.users:
            return 200, {"errors": [{**missing(user_id, "id"), "resource_type": "user"}]}
        since = int(call.query.get("since_id", 0))
        posts = [p for p in self.state.latest() if p["author_id"] == user_id and int(p["id"]) > since]
        page = posts[:self._size(call.query, 5, 100, 10)]
        answer, ids, users = selection.answer(page, self.state)
        self._bill(ids, users, owned=user_id == self.state.me["id"] and call.kind == "user")
        answer["meta"] = {"result_count": len(page)}
        if page:
            answer["meta"].update({"newest_id": page[0]["id"], "oldest_id": page[-1]["id"]})
        return 200, answer

    def lookup(self, call):
        selection = Selection(call.query, self.dialect)
        ids = [i for i in call.query.get("ids", "").split(",") if i]
        if not 1 <= len(ids) <= 100 or not all(re.fullmatch("[0-9]{1,19}", i) for i in ids):
            raise invalid("`ids` must be 1 to 100 ids", ids=call.query.get("ids", ""))
        for post_id in ids:
            self.sim.watch.lookup(post_id)
        there = {i: self.state.posts[i] for i in ids if i in self.state.posts}
        shown = [p for p in there.values() if not self.state.hidden(p)]
        answer, posts, users = selection.answer(shown, self.state)
        self._bill(posts, users)
        gone = [not_authorized(i, "ids") if i in there else missing(i, "ids")
                for i in ids if i not in there or self.state.hidden(there[i])]
        if gone:
            answer.setdefault("errors", []).extend(gone)
        return 200, answer

    def lookup_one(self, call, post_id):
        selection = Selection(call.query, self.dialect)
        self.sim.watch.lookup(post_id)
        if post_id not in self.state.posts:
            return 200, {"errors": [missing(post_id, "id")]}
        answer, posts, users = selection.answer([self.state.posts[post_id]], self.state, many=False)
        self._bill(posts, users)
        return 200, answer

    # -- writing -----------------------------------------------------------------------
    def create(self, call):
        body = call.json()
        known = {"text", "media", "poll", "reply", "quote_tweet_id", "reply_settings", "made_with_ai",
                 "paid_partnership", "community_id", "share_with_followers", "for_super_followers_only", "geo",
                 "nullcast", "card_uri", "direct_message_deep_link", "edit_options"}
        for name in body.keys() - known:
            raise invalid(f"$.{name}: is not defined in the schema and the schema does not allow additional "
                          "properties", **{name: body[name]})
        self.sim.watch.created(body.get("text", ""))
        post, has_url = self.state.create(body)
        self.state.ledger.charge(self.state.clock.now_ms(), "create_url" if has_url else "create")
        call.if_lost = lambda: self.sim.watch.answer_lost(body.get("text", ""))
        self.publish(post)
        edits = "edit_history_post_ids" if self.dialect == "post" else "edit_history_tweet_ids"
        return 201, {"data": {"id": post["id"], "text": post["text"], edits: [post["id"]]}}

    def delete(self, call, post_id):
        post = self.state.posts.get(post_id)
        if not post:
            return 200, {"data": {"deleted": False}}
        if post["author_id"] != self.state.me["id"]:
            raise Refused(403, {"detail": "You are not authorized to delete this Tweet.", "type": "about:blank",
                                "title": "Forbidden", "status": 403})
        self.remove(post_id)
        self.state.ledger.charge(self.state.clock.now_ms(), "delete")
        return 200, {"data": {"deleted": True}}

    # -- streams, rules, subscriptions ---------------------------------------------------
    def stream(self, call, headers):
        selection = Selection(call.query, "both" if self.dialect == "post" else self.dialect, stream=True)
        if "backfill_minutes" in call.query or "start_time" in call.query:
            raise invalid("You are not permitted to use backfill_minutes, start_time or end_time.",
                          backfill_minutes=call.query.get("backfill_minutes", ""))
        if not self.state.live_rules():
            raise no_rules()
        call.handler.stream("filtered_stream", headers, selection, call.drip_s)

    def activity(self, call, headers):
        call.handler.stream("activity_stream", headers, None, call.drip_s)

    def rules_get(self, call):
        return xrules.listed(self.state, call.query)

    def rules_post(self, call):
        return xrules.changed(self.state, call.query, call.json() if call.body else {})

    def connections(self, call):
        open_ones = [{"id": c.id, "endpoint_name": c.name, "connected_at": c.connected_at, "client_ip": "127.0.0.1"}
                     for cs in self.sim.streams.open.values() for c in cs]
        answer = {"meta": {"result_count": len(open_ones)}}
        return 200, {"data": open_ones, **answer} if open_ones else answer

    def connections_end(self, call):
        name = "filtered_stream" if call.path.endswith("filtered_stream") else None
        killed = self.sim.streams.kill(name)
        return 200, {"data": {"successful_kills": len(killed), "failed_kills": 0,
                              "results": [{"uuid": i, "success": True} for i in killed]}}

    def subscribe(self, call):
        return xrules.subscribed(self.state, call.json())

    def subscriptions(self, call):
        size = self._size(call.query, 1, 1000, 1000)
        offset = 0
        if "pagination_token" in call.query:
            offset, _ = self._open_token(call.query["pagination_token"])
        have = list(self.state.subscriptions.values())[offset:offset + size]
        answer = {"meta": {"result_count": len(have)}}
        if offset + size < len(self.state.subscriptions):
            answer["meta"]["next_token"] = self._make_token(offset + size, {})
        return 200, {"data": have, **answer} if have else answer

    def unsubscribe_many(self, call):
        ids = [i for i in call.query.get("ids", "").split(",") if i]
        if not 1 <= len(ids) <= 100 or not all(re.fullmatch("[0-9]{1,19}", i) for i in ids):
            raise invalid("`ids` must be 1 to 100 ids", ids=call.query.get("ids", ""))
        gone = [i for i in ids if self.state.subscriptions.pop(i, None)]
        answer = {"meta": {"total_subscriptions": len(self.state.subscriptions)}}
        if gone:
            answer["data"] = [{"subscription_id": i, "deleted": True} for i in gone]
        if len(gone) < len(ids):
            answer["errors"] = [{"subscription_id": i, "message": "Subscription not found.", "reason": "not-found"}
                                for i in ids if i not in gone]
        return 200, answer

    def unsubscribe(self, call, subscription_id):
        return 200, {"data": {"deleted": self.state.subscriptions.pop(subscription_id, None) is not None}}

