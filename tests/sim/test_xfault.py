# SPDX-License-Identifier: MIT
"""The fault script: each fault looks on the wire as its page says, strikes when it shall, and leaves the right trace."""
import gzip
import http.client
import json
import socket
import time

import pytest
import xauth
from test_xsim import Stream, TAG, add_rule, call, create, search, sim  # noqa: F401 (sim: fixture)
from xfault import PROBLEMS

SEARCH, CREATE, STREAM = "GET /2/tweets/search/recent", "POST /2/tweets", "GET /2/tweets/search/stream"
NO_ANSWER = (OSError, http.client.HTTPException)


def wait_for(what, timeout=10.0):
    end = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def raw_search(sim):
    """(status, headers, body as it came) of one search."""
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=5)
    connection.request("GET", "/2/tweets/search/recent?query=%23dpulo", None,
                       {"User-Agent": "tests/1", "Authorization": "Bearer " + xauth.BEARER})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply.status, {k.lower(): v for k, v in reply.getheaders()}, body


@pytest.mark.parametrize("fault", ["unread", "cut", "reset"])
def test_without_an_answer_nothing_was_done(sim, fault):
    sim.script({"on": CREATE, "fault": fault})
    with pytest.raises(NO_ANSWER):
        create(sim, "Q1: here?")
    assert sim.own_posts == [] and sim.calls == [(CREATE, 0)]
    assert create(sim, "Q1: here?")[0] == 201 and sim.violations == []


def test_hang_lasts_until_the_client_goes(sim):
    sim.script({"on": SEARCH, "fault": "hang"})
    sock = socket.create_connection(("127.0.0.1", sim.port))
    sock.sendall(f"GET /2/tweets/search/recent?query=%23x HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\n"
                 f"Authorization: Bearer {xauth.BEARER}\r\n\r\n".encode())
    sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        sock.recv(1)
    sock.close()
    assert search(sim)[0] == 200


@pytest.mark.parametrize("fault", ["lost", "half"])
def test_an_answer_that_does_not_come_whole_leaves_the_post_there(sim, fault):
    sim.script({"on": CREATE, "fault": fault})
    with pytest.raises(NO_ANSWER):
        create(sim, "Q1: here?")
    assert [p["text"] for p in sim.own_posts] == ["Q1: here?"] and sim.violations == []
    create(sim, "Q1: here?")
    assert any("after a lost answer" in v for v in sim.violations)


def test_half_json_is_whole_http(sim):
    sim.post("ana", f"here {TAG}")
    sim.script({"on": SEARCH, "fault": "half-json"})
    code, headers, body = raw_search(sim)
    assert code == 200 and int(headers["content-length"]) == len(body)
    with pytest.raises(ValueError):
        json.loads(body)


def test_a_proxy_answers_in_html(sim):
    sim.script({"on": SEARCH, "fault": "html"}, {"on": SEARCH, "fault": "html", "code": 200})
    code, headers, body = raw_search(sim)
    assert code == 502 and headers["content-type"] == "text/html" and b"<html>" in body
    assert raw_search(sim)[0] == 200


def test_a_bomb_is_small_on_the_wire(sim):
    sim.script({"on": SEARCH, "fault": "bomb", "megabytes": 8})
    code, headers, body = raw_search(sim)
    assert code == 200 and headers["content-encoding"] == "gzip" and len(body) < 100_000
    assert len(gzip.decompress(body)) == 8 << 20


def test_a_drip_comes_to_its_end_and_a_slow_answer_late(sim):
    sim.script({"on": SEARCH, "fault": "drip", "seconds": 0.002}, {"on": SEARCH, "fault": "slow", "seconds": 0.2})
    for _ in range(2):
        begin = time.monotonic()
        assert json.loads(raw_search(sim)[2])["meta"]["result_count"] == 0
        assert time.monotonic() - begin > 0.05


@pytest.mark.parametrize("name", PROBLEMS)
def test_each_problem_has_its_status_and_body(sim, name):
    sim.script({"on": "*", "problem": name})
    assert search(sim)[:2] == PROBLEMS[name]


def test_429_names_its_end_or_not(sim):
    sim.script({"on": SEARCH, "fault": 429}, {"on": SEARCH, "fault": 429, "retry_after_s": 7},
               {"on": SEARCH, "problem": "rate", "reset_in_s": 9})
    plain, after, reset = [search(sim) for _ in range(3)]
    assert [r[0] for r in (plain, after, reset)] == [429] * 3
    assert "retry-after" not in plain[2] and "x-rate-limit-reset" not in plain[2]
    assert after[2]["retry-after"] == "7" and "x-rate-limit-reset" not in after[2]
    assert 5 <= int(reset[2]["x-rate-limit-reset"]) - time.time() <= 10


def test_an_error_can_follow_the_write(sim):
    sim.script({"on": CREATE, "fault": 503, "applied": True})
    assert create(sim, "Q1: here?")[0] == 503 and len(sim.own_posts) == 1
    create(sim, "Q1: here?")
    assert any("after a lost answer" in v for v in sim.violations)


def test_when_a_fault_strikes(sim):
    sim.script({"on": SEARCH, "fault": 500, "nth": 2, "times": 2}, {"on": "POST *", "fault": 503},
               {"on": SEARCH, "fault": 504, "nth": 2, "for_s": 0.4})
    assert [search(sim)[0] for _ in range(5)] == [200, 500, 500, 504, 504]
    time.sleep(0.45)
    assert search(sim)[0] == 200
    assert create(sim, "x")[0] == 503 and create(sim, "x")[0] == 201
    assert [f["hit"] for f in sim.faults()] == [2, 1, 2]
    sim.script({"fault": 401, "times": 0, "after_s": 0.2})
    assert search(sim)[0] == 200
    time.sleep(0.25)
    assert [search(sim)[0] for _ in range(2)] == [401, 401]
    sim.clear_faults()
    assert search(sim)[0] == 200 and sim.faults() == []
    with pytest.raises(ValueError):
        sim.script({"fault": "no such"})


def test_late_search_has_what_the_stream_brought_at_once(sim):
    add_rule(sim)
    sim.script({"fault": "late-search", "seconds": 0.5})
    with_stream = Stream(sim)
    sim.post("ana", f"A1 late in the index {TAG}")
    assert with_stream.message()["data"]["text"].startswith("A1 late")
    assert search(sim)[1]["meta"]["result_count"] == 0
    wait_for(lambda: search(sim)[1]["meta"]["result_count"] == 1)
    with_stream.close()


def test_a_stale_stream_is_open_and_says_nothing(sim):
    add_rule(sim)
    sim.streams.knobs.heartbeat_s = 0.05
    stream = Stream(sim)
    sim.script({"fault": "stale", "for_s": 0.5})
    time.sleep(0.15)  # what was on its way
    beats = sim.streams.open["filtered_stream"][0].beats
    sim.post("ana", f"A1 stuck {TAG}")
    time.sleep(0.2)
    assert sim.streams.open["filtered_stream"][0].beats == beats and sim.stream_open()
    assert stream.message()["data"]["text"].startswith("A1 stuck")  # it goes on when the fault is over
    stream.close()


def test_a_ghost_keeps_the_place_and_a_drop_ends_the_stream(sim):
    add_rule(sim)
    sim.script({"fault": "ghost", "seconds": 60})
    stream = Stream(sim)
    stream.close()
    wait_for(lambda: sim.streams.ghosts)
    code, body, _ = call(sim, "GET", "/2/tweets/search/stream")
    assert code == 429 and body["connection_issue"] == "TooManyConnections"
    assert call(sim, "DELETE", "/2/connections/all")[0] == 200
    stream = Stream(sim)
    sim.script({"fault": "drop", "how": "told"})
    assert "operational-disconnect" in json.dumps(stream.message())
    stream.close()


def test_faults_of_a_stream_request(sim):
    add_rule(sim)
    sim.script({"on": STREAM, "fault": "unread"}, {"on": STREAM, "fault": "half"}, {"on": STREAM, "problem": "suspended"})
    for _ in range(2):
        with pytest.raises(NO_ANSWER):
            call(sim, "GET", "/2/tweets/search/stream")
        time.sleep(0.3)
    assert call(sim, "GET", "/2/tweets/search/stream")[0] == 403
    assert sim.violations == []


def test_asking_again_while_the_account_is_refused_is_written_down(sim):
    sim.script({"on": SEARCH, "problem": "credits", "times": 0})
    sim.watch.pause_s = 0.5
    assert search(sim)[0] == 402
    time.sleep(0.5)
    assert search(sim)[0] == 402 and sim.violations == []
    assert search(sim)[0] == 402
    assert any("after 402" in v for v in sim.violations)


def test_the_script_by_http(sim):
    def admin(what, body=None):
        return call(sim, "POST", "/admin/" + what, body or {}, auth=None)[1]
    assert "result" in admin("script", {"faults": [{"on": SEARCH, "fault": 503}, {"fault": "duplicate"}]})
    assert "error" in admin("script", {"faults": [{"fault": "nothing"}]})
    assert search(sim)[0] == 503
    assert [f["hit"] for f in admin("faults")["result"]] == [1, 1]
    assert sim.streams.knobs.duplicate == 1.0
    admin("clear_faults")
    assert admin("faults")["result"] == [] and sim.streams.knobs.duplicate == 0.0
