# SPDX-License-Identifier: MIT
"""Who may call what: app-only bearer, OAuth 1.0a with signatures that are really verified."""
import base64
import hashlib
import hmac
import re
import time
import urllib.parse

from xstate import Refused

CONSUMER_KEY, CONSUMER_SECRET = "ck-of-the-tests", "cs-of-the-tests"
TOKEN, TOKEN_SECRET = "tok-of-the-tests", "ts-of-the-tests"
BEARER = "AAAA-bearer-of-the-tests"
WINDOW_S = 300

# endpoint -> kinds that may call it; what is not listed takes both
APP_ONLY = {"GET /2/tweets/search/stream", "GET /2/tweets/search/stream/rules", "POST /2/tweets/search/stream/rules",
            "GET /2/connections", "DELETE /2/connections/all", "DELETE /2/connections/filtered_stream",
            "DELETE /2/connections", "GET /2/activity/stream", "GET /2/activity/subscriptions",
            "POST /2/activity/subscriptions", "DELETE /2/activity/subscriptions/:id", "GET /2/tweets/counts/recent"}
USER_ONLY = {"POST /2/tweets", "DELETE /2/tweets/:id", "GET /2/users/me"}


def enc(text):
    return urllib.parse.quote(str(text), safe="-._~")


def signature(method, url, parameters, consumer_secret, token_secret):
    """parameters: list of (key, value), decoded; oauth_signature left out."""
    pairs = sorted((enc(k), enc(v)) for k, v in parameters)
    normal = "&".join(f"{k}={v}" for k, v in pairs)
    base = "&".join((method.upper(), enc(url), enc(normal)))
    key = f"{enc(consumer_secret)}&{enc(token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()


def unauthorized():
    return Refused(401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"})


def unsupported(name, supported):
    return Refused(403, {"errors": [{
        "title": "Unsupported Authentication", "detail": f"Authenticating with {name} is forbidden for this endpoint.  "
        f"Supported authentication types are [{supported}].",
        "type": "https://api.twitter.com/2/problems/unsupported-authentication", "status": 403}]})


class Auth:
    def __init__(self):
        self.nonces = set()
        self.last_failure = ""

    def token(self, authorization, form):
        """POST /oauth2/token."""
        want = base64.b64encode(f"{enc(CONSUMER_KEY)}:{enc(CONSUMER_SECRET)}".encode()).decode()
        if authorization != "Basic " + want or form.get("grant_type") != "client_credentials":
            raise Refused(403, {"errors": [{"code": 99, "label": "authenticity_token_error",
                                            "message": "Unable to verify your credentials"}]})
        return {"token_type": "bearer", "access_token": BEARER}

    def check(self, endpoint, method, url, query, form, authorization):
        """"app" or "user", else raises. query, form: lists of (key, value) that were sent."""
        if not authorization:
            self.last_failure = "no authorization"
            raise unauthorized()
        if authorization.startswith("Bearer "):
            if authorization[7:].strip() != BEARER:
                self.last_failure = "wrong bearer token"
                raise unauthorized()
            kind = "app"
        elif authorization.startswith("OAuth "):
            self._verify(method, url, query, form, authorization[6:])
            kind = "user"
        else:
            self.last_failure = "neither Bearer nor OAuth"
            raise unauthorized()
        if kind == "app" and endpoint in USER_ONLY:
            raise unsupported("OAuth 2.0 Application-Only", "OAuth 1.0a User Context, OAuth 2.0 User Context")
        if kind == "user" and endpoint in APP_ONLY:
            raise unsupported("OAuth 1.0a User Context", "OAuth 2.0 Application-Only")
        return kind

    def _verify(self, method, url, query, form, header):
        fields = [(urllib.parse.unquote(k), urllib.parse.unquote(v))
                  for k, v in re.findall(r'([\w%.~-]+)="([^"]*)"', header)]
        given = dict(fields)
        signed = [(k, v) for k, v in fields if k not in ("oauth_signature", "realm")]
        want = signature(method, url, signed + query + form, CONSUMER_SECRET, TOKEN_SECRET)
        problem = None
        if given.get("oauth_consumer_key") != CONSUMER_KEY or given.get("oauth_token") != TOKEN:
            problem = "unknown key or token"
        elif given.get("oauth_signature_method") != "HMAC-SHA1" or given.get("oauth_version", "1.0") != "1.0":
            problem = "wrong method or version"
        elif not given.get("oauth_timestamp", "").isdigit() \
                or abs(int(given["oauth_timestamp"]) - time.time()) > WINDOW_S:
            problem = "timestamp outside of the window"
        elif not given.get("oauth_nonce") or given["oauth_nonce"] in self.nonces:
            problem = "nonce missing or used before"
        elif not hmac.compare_digest(given.get("oauth_signature", ""), want):
            problem = "signature does not match"
        if problem:
            self.last_failure = problem
            raise unauthorized()
        self.nonces.add(given["oauth_nonce"])
