# SPDX-License-Identifier: MIT
"""X (Twitter) API v2 as far as hashroom uses it, on loopback, from the published contract and not from the client.

    with XSim(clock_file) as x:            # x.url, x.credentials()
        post = x.post("ana_reads", "A1. Poems #dpulo", photos=["Three books"])
        x.delete(post["id"]); x.fail("GET /2/tweets/search/recent", 503)  # more in xfault.py
        assert x.violations == []
By hand, or as a process of its own (xpeer.py): python3 tests/sim/xsim.py [--port N] [--clock FILE] [--keep FILE]; the
same by HTTP at /admin/post, /admin/delete, ...

Ids, times, the search window and prices follow the simulated clock; signatures, rate limits, heartbeats, rule delay
and retry times the system's, as a client's network does.
"""
import argparse
import http.server
import json
import pathlib
import socket
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import xauth  # noqa: E402
import xfault  # noqa: E402
import xstream  # noqa: E402
from xapi import Api, endpoint_of  # noqa: E402
from xstate import Clock, Refused, State  # noqa: E402
from xstream import Connection, Streams  # noqa: E402
from xwatch import Watch  # noqa: E402


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that goes is nothing to tell


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "xsim", ""
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def _do(self):
        sim = self.server.sim
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        target = urllib.parse.urlsplit(self.path)
        if target.path.startswith("/admin/"):
            self._reply(200, sim.admin(target.path[7:], json.loads(body or b"{}")), {})
            return
        sim.api.handle(self, target, body, self.fault)

    def handle_one_request(self):
        """Looks at the first line before anything is read: what strikes this request may cut it off right there."""
        try:
            method, path, *_ = self.connection.recv(4096, socket.MSG_PEEK).split(b"\r\n")[0].decode().split(" ") + ["", ""]
        except (OSError, UnicodeDecodeError):
            method = path = ""
        sim = self.server.sim
        endpoint = endpoint_of(method, urllib.parse.urlsplit(path).path)[0]
        self.fault = sim.faulty.next(endpoint)
        if self.fault is not None and self.fault.what == "unread":
            sim.api.calls.append((endpoint, 0))
            if endpoint in xstream.ENDPOINTS:
                sim.watch.stream_asked(xstream.ENDPOINTS[endpoint])
                sim.watch.stream_ended(xstream.ENDPOINTS[endpoint], "drop")
            xfault.strike(self.fault, self)
        else:
            super().handle_one_request()

    do_GET = do_POST = do_DELETE = do_PUT = _do

    def _reply(self, code, body, headers):
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    # what Api calls
    def reply(self, code, body, headers):
        self._reply(code, body, headers)

    def vanish(self, reset=False):
        """Closes without (the rest of) an answer."""
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def stream(self, name, headers, wrap, drip_s=0.0):
        """Turns this request into a stream; returns when it is over."""
        sim = self.server.sim
        connection = Connection(self.connection, name, sim.state.clock, wrap)
        connection.drip_s = drip_s
        sim.streams.enter(connection)  # may refuse
        sim.api.calls.append((f"GET {urllib.parse.urlsplit(self.path).path}", 200))
        how = "client"
        try:
            self.send_response(200)
            for key, value in {"content-type": "application/json; charset=utf-8", "transfer-encoding": "chunked",
                               **headers}.items():
                self.send_header(key, str(value))
            self.end_headers()
            self.wfile.flush()
            how = connection.serve(sim.streams.knobs)
        finally:
            sim.streams.leave(connection, how)
            self.close_connection = True


class XSim:
    def __init__(self, clock_file=None, port=0, me="dpulochat", keep=None, rule_delay_s=20.0, unlimited=False):
        """keep: a file with what X itself never forgets: people, posts, rules, subscriptions, prices. It is written before
        anybody is told of a change, and read by the next process; logins of people (OAuth 2.0), faults, rates and what
        the client did wrong end with the process."""
        self._keep = keep
        self.state = keep and State.kept(keep) or State(Clock(clock_file), me)
        self.state.rule_delay_s = rule_delay_s
        self.watch = Watch(self.state.clock)
        self.streams = Streams(self.state.clock, self.watch)
        self.auth = xauth.Auth(self.state.clock, self.watch)
        self.api = Api(self)
        self.api.unlimited = unlimited
        self.faulty = xfault.Script(self)
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.sim = self
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.streams.kill()
        self._http.shutdown()
        self._http.server_close()

    @staticmethod
    def credentials():
        return {"bearer": xauth.BEARER, "consumer_key": xauth.CONSUMER_KEY, "consumer_secret": xauth.CONSUMER_SECRET,
                "token": xauth.TOKEN, "token_secret": xauth.TOKEN_SECRET}

    def oauth2(self):
        """Client id, its secret and the tokens of a person who has just allowed the app."""
        return {"client_id": xauth.CLIENT_ID, "client_secret": xauth.CLIENT_SECRET, **self.auth.grant()}

    def keep(self):
        if self._keep:
            with self.api.lock:
                self.state.keep(self._keep)

    # -- for tests -----------------------------------------------------------------
    @property
    def violations(self):
        """What the client did wrong so far."""
        return self.watch.violations

    @property
    def calls(self):
        """All requests so far: (endpoint, HTTP code)."""
        return self.api.calls

    @property
    def own_posts(self):
        """What the bot's account has posted and not deleted, oldest first."""
        return [p for p in self.state.posts.values() if p["author_id"] == self.state.me["id"]]

    def post(self, username, text, name=None, **more):
        """Somebody posts; see State.make for `more` (photos, reply_to, quote, retweet_of, edit_of, ...)."""
        with self.api.lock:
            post = self.state.make(self.state.user(username, name), text, **more)
            self.api.publish(post)
        return post

    def retweet(self, username, post_id):
        return self.post(username, "", retweet_of=post_id)

    def edit(self, post_id, text, **more):
        author = self.state.users[self.state.posts[post_id]["author_id"]]
        return self.post(author["username"], text, edit_of=post_id, **more)

    def delete(self, post_id):
        with self.api.lock:
            return self.api.remove(post_id)

    def protect(self, username, on=True):
        """From now on only followers see what that person posts and posted."""
        self.state.user(username)["protected"] = on

    def suspend(self, username, on=True):
        self.state.user(username)["suspended"] = on

    def withhold(self, post_id, countries=("DE",)):
        self.state.posts[post_id]["withheld"] = {"copyright": False, "country_codes": list(countries), "scope": "tweet"}

    def link_title(self, address, unwound=None, title=""):
        self.state.titles[address] = (unwound, title)

    def script(self, *faults):
        """Adds to the fault script: objects as xfault.py says."""
        self.faulty.add(faults)

    def _script(self, faults):
        self.script(*faults)

    def faults(self):
        return self.faulty.told()

    def clear_faults(self):
        self.faulty.clear()

    def fail(self, endpoint, what, times=1, reset_in_s=None):
        """In short: the next `times` calls of "METHOD /path/:id" end so."""
        more = {"reset_in_s": 60 if reset_in_s is None else reset_in_s} if what == 429 else {}
        self.script({"on": endpoint, "fault": what, "times": times, **more})

    def drop_stream(self, how="close", name="filtered_stream"):
        return self.streams.disconnect(name, how)

    def stream_open(self, name="filtered_stream"):
        return any(c.alive() for c in self.streams.open[name])

    def client_restarted(self):
        self.watch.restarted()

    def admin(self, what, args):
        """The same by HTTP: name of the method, arguments as JSON object."""
        if what == "script":
            what, args = "_script", {"faults": args.get("faults", [])}
        if what in ("_script", "clear_faults", "post", "edit", "delete", "retweet", "fail", "drop_stream", "stream_open",
                    "link_title", "client_restarted", "protect", "suspend", "withhold", "oauth2"):
            try:
                result = getattr(self, what)(**args)
                self.keep()
                return {"result": result}
            except (TypeError, KeyError, ValueError, Refused) as e:
                return {"error": repr(e)}
        if what in ("violations", "calls", "own_posts"):
            return {"result": getattr(self, what)}
        if what == "faults":
            return {"result": self.faults()}
        if what == "ledger":
            return {"result": {"dollars": self.state.ledger.dollars, "entries": self.state.ledger.entries}}
        if what == "knobs":
            for key, value in args.items():
                setattr(self.streams.knobs, key, value)
            return {"result": None}
        return {"error": f"there is no {what}"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--clock", help="file \"wall0_ms chat0_ms speed\", as HASHROOM_CLOCK")
    parser.add_argument("--keep", help="file that its posts and rules are kept in for the next process")
    parser.add_argument("--rule-delay", type=float, default=20.0, help="seconds until a rule takes effect")
    parser.add_argument("--unlimited", action="store_true", help="nobody is refused for asking too often")
    parser.add_argument("--script", help="faults from the start: a file with a JSON list, as xfault.py says")
    args = parser.parse_args()
    with XSim(args.clock, args.port, keep=args.keep, rule_delay_s=args.rule_delay, unlimited=args.unlimited) as sim:
        if args.script:
            sim.script(*json.loads(pathlib.Path(args.script).read_text()))
        print(json.dumps({"url": sim.url, **sim.credentials()}), flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
