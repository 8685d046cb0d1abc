# SPDX-License-Identifier: MIT
"""OAuth 2.0 of the simulator: a pair that rotates, once."""
import base64
import hashlib
import http.client
import urllib.parse

import pytest
import xauth
from test_xsim import call, sim  # noqa: F401 (sim: fixture)


def refresh(sim, token, secret=xauth.CLIENT_SECRET):
    basic = base64.b64encode(f"{xauth.CLIENT_ID}:{secret}".encode()).decode()
    return call(sim, "POST", "/2/oauth2/token", auth="Basic " + basic,
                form={"grant_type": "refresh_token", "refresh_token": token})


def test_access_tokens_expire_and_refresh_tokens_work_once(sim):
    pair = sim.oauth2()
    mine = "Bearer " + pair["access_token"]
    assert call(sim, "GET", "/2/users/me", auth=mine)[0] == 200
    assert call(sim, "GET", "/2/tweets/search/stream/rules", auth=mine)[0] == 403
    sim.auth.grants[0].access[pair["access_token"]] = 0
    assert call(sim, "GET", "/2/users/me", auth=mine)[0] == 401
    assert refresh(sim, pair["refresh_token"], "wrong")[:2] == (
        401, {"error": "unauthorized_client", "error_description": "Missing valid authorization header"})
    code, fresh, _ = refresh(sim, pair["refresh_token"])
    assert code == 200 and fresh["expires_in"] == 7200 and fresh["refresh_token"] != pair["refresh_token"]
    assert call(sim, "POST", "/2/tweets", {"text": "Q1"}, auth="Bearer " + fresh["access_token"])[0] == 201
    assert sim.violations == []
    assert refresh(sim, pair["refresh_token"])[0] == 400  # the whole grant dies of it
    assert refresh(sim, fresh["refresh_token"])[0] == 400
    assert call(sim, "GET", "/2/users/me", auth="Bearer " + fresh["access_token"])[0] == 401
    assert sim.violations == ["oauth2/token: a refresh token that was used up is sent again"]


def test_once_more_is_forgiven_where_the_answer_was_lost(sim):
    pair = sim.oauth2()
    sim.fail("POST /2/oauth2/token", "lost")
    with pytest.raises((OSError, http.client.HTTPException)):
        refresh(sim, pair["refresh_token"])
    assert refresh(sim, pair["refresh_token"])[0] == 400 and sim.violations == []
    assert refresh(sim, pair["refresh_token"])[0] == 400 and sim.violations[-1].startswith("oauth2/token: a refresh")


def test_a_code_of_the_browser_becomes_a_pair_once(sim):
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {"response_type": "code", "client_id": xauth.CLIENT_ID, "redirect_uri": "http://127.0.0.1/", "state": "s",
             "scope": xauth.SCOPE, "code_challenge": challenge, "code_challenge_method": "S256"}
    end = sim.auth.approve("https://x.com/i/oauth2/authorize?" + urllib.parse.urlencode(asked))
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(end).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://127.0.0.1/",
            "code_verifier": verifier, "client_id": xauth.CLIENT_ID}
    assert call(sim, "POST", "/2/oauth2/token", auth=None, form=form)[1]["refresh_token"]
    assert call(sim, "POST", "/2/oauth2/token", auth=None, form=form)[0] == 400
    assert "access_denied" in sim.auth.approve("x?" + urllib.parse.urlencode(asked), deny=True)
