# SPDX-License-Identifier: MIT
"""Who may call what: app-only bearer, OAuth 1.0a with signatures that are really verified, OAuth 2.0 tokens that rotate."""
import base64
import hashlib
import hmac
import re
import secrets
import time
import urllib.parse

from xstate import Refused

CONSUMER_KEY, CONSUMER_SECRET = "ck-of-the-tests", "cs-of-the-tests"
TOKEN, TOKEN_SECRET = "tok-of-the-tests", "ts-of-the-tests"
BEARER = "AAAA-bearer-of-the-tests"
CLIENT_ID, CLIENT_SECRET = "id-of-the-tests", "client-secret-of-the-tests"
SCOPE = "tweet.read tweet.write users.read offline.access"
WINDOW_S = 300

# endpoint -> kinds that may call it; what is not listed takes both
APP_ONLY = {"GET /2/tweets/search/stream", "GET /2/tweets/search/stream/rules", "POST /2/tweets/search/stream/rules",
            "GET /2/connections", "DELETE /2/connections/all", "DELETE /2/connections/filtered_stream",
            "DELETE /2/connections", "GET /2/activity/stream", "GET /2/activity/subscriptions",
            "POST /2/activity/subscriptions", "DELETE /2/activity/subscriptions",
            "DELETE /2/activity/subscriptions/:id", "GET /2/tweets/counts/recent"}
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


class Grant:
    """What one person allowed the app: access tokens that expire, and a refresh token that works once."""

    def __init__(self):
        self.alive = True
        self.access = {}        # token -> simulated ms of its end
        self.refresh = None     # the one that works
        self.rotated = {}       # used up -> how often it came again
        self.lost = set()       # used up by a request whose answer never arrived


class Auth:
    """watch hears of a refresh token that is sent once more."""

    def __init__(self, clock=None, watch=None):
        self.clock, self.watch = clock, watch
        self.nonces = set()
        self.last_failure = ""
        self.lifetime_s = 7200
        self.grants, self.codes = [], {}

    # -- OAuth 2.0 of a person
    def approve(self, url, deny=False):
        """What a person's browser does at the address the bot shows: the address it ends at."""
        q = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        assert q["response_type"] == "code" and q["client_id"] == CLIENT_ID, q
        assert set(q["scope"].split()) == set(SCOPE.split()) and q["code_challenge_method"] == "S256", q
        if deny:
            return f"{q['redirect_uri']}?error=access_denied&state={urllib.parse.quote(q['state'])}"
        code = secrets.token_urlsafe(24) + "+/="
        self.codes[code] = (q["redirect_uri"], q["code_challenge"], time.monotonic())
        return f"{q['redirect_uri']}?state={urllib.parse.quote(q['state'])}&code={urllib.parse.quote(code, safe='')}"

    def _change(self, form):
        """A code becomes a pair, once, within 30 s."""
        redirect, challenge, at = self.codes.pop(form.get("code"), (None, None, 0))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if redirect is None or redirect != form.get("redirect_uri") or time.monotonic() - at > 30 \
                or base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
            raise Refused(400, {"error": "invalid_request",
                                "error_description": "Value passed for the authorization code was invalid."})
        return self.grant()

    def grant(self):
        """Somebody allows the app in a browser; the pair {"access_token", "refresh_token", ...} that comes of it."""
        self.grants.append(Grant())
        return self._pair(self.grants[-1])

    def _pair(self, grant):
        access, grant.refresh = "access-" + secrets.token_urlsafe(24), "refresh-" + secrets.token_urlsafe(24)
        grant.access[access] = self.clock.now_ms() + self.lifetime_s * 1000
        return {"token_type": "bearer", "expires_in": self.lifetime_s, "access_token": access, "scope": SCOPE,
                "refresh_token": grant.refresh}

    def _client(self, authorization, form):
        want = base64.b64encode(f"{enc(CLIENT_ID)}:{enc(CLIENT_SECRET)}".encode()).decode()
        if authorization != "Basic " + want and not (not authorization and form.get("client_id") == CLIENT_ID):
            raise Refused(401, {"error": "unauthorized_client", "error_description": "Missing valid authorization header"})

    def token2(self, authorization, form):
        """POST /2/oauth2/token. Returns (answer, function to call if the answer is lost)."""
        self._client(authorization, form)
        if form.get("grant_type") == "authorization_code":
            return self._change(form), None
        if form.get("grant_type") != "refresh_token":
            raise Refused(400, {"error": "unsupported_grant_type", "error_description": "grant_type is not supported"})
        old = form.get("refresh_token", "")
        for grant in self.grants:
            if grant.alive and old == grant.refresh:
                grant.rotated[old] = 0
                return self._pair(grant), lambda: grant.lost.add(old)
            if old in grant.rotated:
                grant.alive = False
                grant.rotated[old] += 1
                if old not in grant.lost or grant.rotated[old] > 1:
                    self.watch.fault("oauth2/token: a refresh token that was used up is sent again")
        raise Refused(400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."})

    def revoke2(self, authorization, form):
        """POST /2/oauth2/revoke."""
        self._client(authorization, form)
        for grant in self.grants:
            if form.get("token") in (grant.refresh, *grant.access):
                grant.alive = False
        return {"revoked": True}

    def _of_a_person(self, token):
        now = self.clock.now_ms()
        return any(g.alive and g.access.get(token, 0) > now for g in self.grants)

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
            token = authorization[7:].strip()
            if token != BEARER and not self._of_a_person(token):
                self.last_failure = "wrong bearer token"
                raise unauthorized()
            kind, name = ("app", "") if token == BEARER else ("user", "OAuth 2.0 User Context")
        elif authorization.startswith("OAuth "):
            self._verify(method, url, query, form, authorization[6:])
            kind, name = "user", "OAuth 1.0a User Context"
        else:
            self.last_failure = "neither Bearer nor OAuth"
            raise unauthorized()
        if kind == "app" and endpoint in USER_ONLY:
            raise unsupported("OAuth 2.0 Application-Only", "OAuth 1.0a User Context, OAuth 2.0 User Context")
        if kind == "user" and endpoint in APP_ONLY:
            raise unsupported(name, "OAuth 2.0 Application-Only")
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
