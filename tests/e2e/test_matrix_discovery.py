# SPDX-License-Identifier: MIT
"""From a server name to the homeserver, over real TLS: .well-known pages that are right, absent, wrong, or mean harm."""
import http.server
import json
import ssl
import threading

import pytest
from peer import free_port, make_authority
from synapse import Synapse
from test_matrix import chats


class Site:
    """An HTTPS server whose pages are given: path -> (code, body or address)."""

    def __init__(self, authority):
        site = self
        self.pages, self.asked = {}, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append((self.path, self.headers.get("Authorization")))
                code, body = site.pages.get(self.path, (404, "no such page"))
                self.send_response(code)
                if 300 <= code < 400:
                    self.send_header("Location", body)
                    body = ""
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            do_POST = do_GET

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # a client that refuses the certificate
                pass
        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority / "server.pem", authority / "server.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_port
        self.name = f"localhost:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def well_known(self, base_url):
        self.pages["/.well-known/matrix/client"] = (200, {"m.homeserver": {"base_url": base_url}})

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure(authority):
    """Synapse with two addresses over TLS."""
    server = Synapse()
    server.tls_ports = [free_port(), free_port()]
    server.extra = {
        "public_baseurl": None,  # else it has a page of its own
        "tls_certificate_path": str(authority / "server.pem"), "tls_private_key_path": str(authority / "server.key"),
        "listeners": [{"port": port, "type": "http", "tls": port != server.port, "bind_addresses": ["127.0.0.1"],
                       "resources": [{"names": ["client"]}]} for port in [server.port, *server.tls_ports]]}
    with server:
        yield server


@pytest.fixture
def sites(authority):
    made = []

    def make(of=authority):
        made.append(Site(of))
        return made[-1]
    yield make
    for site in made:
        site.close()


@pytest.fixture
def chat(request, tmp_path, secure, authority):
    with chats(request, tmp_path, secure, ca_file=str(authority / "ca.pem")) as make:
        yield lambda homeserver: make(homeserver=homeserver)


def works(c, words):
    one, two = c.rooms
    c.owner.say(one, words)
    c.relayed(two, words, 40)


def doctor(c):
    done = c.bot.command("doctor", "-c", str(c.bot.folder), timeout=90)
    return done.stdout + done.stderr


def test_a_name_leads_to_the_homeserver_which_is_remembered_and_followed_when_it_moves(chat, sites, secure):
    site, other = sites(), sites()
    site.pages["/.well-known/matrix/client"] = (302, f"https://127.0.0.1:{other.port}/elsewhere")
    other.pages["/elsewhere"] = (200, {"m.homeserver": {"base_url": f"https://localhost:{secure.tls_ports[0]}/"}})
    c = chat(site.name)
    with c.bot:
        c.wait_in()
        works(c, "found by name")
    site.pages["/.well-known/matrix/client"] = (500, "broken")
    with c.bot:
        works(c, "the page is away")
        assert f"going on with https://localhost:{secure.tls_ports[0]}, as before" in c.bot.log()
    site.well_known(f"https://localhost:{secure.tls_ports[1]}")
    with c.bot:
        works(c, "after the move")
        assert f"it was https://localhost:{secure.tls_ports[0]}" in c.bot.log()
    assert c.bot.log().count("logged in as") == 1  # the same session all the way
    assert all(token is None for _, token in site.asked + other.asked)


def test_a_name_without_the_page_is_the_homeserver_itself(chat, secure):
    c = chat(f"localhost:{secure.tls_ports[0]}")
    with c.bot:
        c.wait_in()
        works(c, "the name itself")


def test_pages_that_mean_harm_or_are_wrong_are_refused_in_words(chat, sites, secure, tmp_path):
    foreign = sites(make_authority(tmp_path / "foreign"))
    foreign.pages["/_matrix/client/versions"] = (200, {"versions": ["v1.1"]})
    site = sites()
    c = chat(site.name)
    page = "/.well-known/matrix/client"
    for answer, words in (
            ((200, {"m.homeserver": {"base_url": secure.url}}), "names no homeserver with https://"),
            ((200, "<html>welcome</html>"), "names no homeserver with https://"),
            ((302, secure.url + page), "leads to a page that can't be read safely"),
            ((302, page), "leads from page to page without end"),
            ((500, "oops"), "the server answered 500"),
            ((200, {"m.homeserver": {"base_url": f"https://localhost:{foreign.port}"}}), "TLS is refused"),
            ((200, {"m.homeserver": {"base_url": f"https://localhost:{site.port}"}}), "does not answer as one"),
            ((404, ""), "does not answer as one")):
        site.pages[page] = answer
        said = doctor(c)
        assert "does NOT work" in said and words in said, f"{answer}: {said}"
    assert foreign.asked == []  # nothing was said to a server that nobody vouches for
    assert not any("login" in path for path, _ in site.asked)
