# SPDX-License-Identifier: MIT
"""Posts whose answers are lost, halved or lies: each is on X once, and accounted for."""
import pytest
from alone import MINUTE, SHORT, Alone
from harness import CHAT_START_MS

CREATE, TIMELINE = "POST /2/tweets", "GET /2/users/:id/tweets"
FAULTS = {  # the bot posts two questions
    "done, no answer": [{"on": CREATE, "fault": "lost"}, {"on": CREATE, "fault": "html", "code": 200, "applied": True}],
    "done, and refused": [{"on": CREATE, "fault": 503, "applied": True}, {"on": CREATE, "fault": "half"}],
    "not done": [{"on": CREATE, "fault": "unread"}, {"on": CREATE, "fault": "cut"}, {"on": CREATE, "fault": 500},
                 {"on": CREATE, "fault": "html", "code": 403}, {"on": CREATE, "fault": "bomb"}],
    "done, and nothing can be read": [{"on": "GET /2/tweets/search/*", "fault": 503, "times": 0},
                                      {"on": CREATE, "fault": "half-json"}, {"on": TIMELINE, "fault": "html"}],
}


@pytest.mark.parametrize("faults", FAULTS)
def test_each_question_is_posted_once(tmp_path, faults):
    with Alone(tmp_path, CHAT_START_MS - MINUTE, 20.0, session=SHORT) as a:
        a.x.script(*FAULTS[faults])
        own = a.play(wait=False)
        assert all(f["hit"] for f in a.x.faults()), a.x.faults()
        made = a.bot.value("SELECT count FROM twitter_ledger WHERE kind = 'posts made'")
        assert made == a.x.state.ledger.count("create") == len(own)
        assert a.x.violations == []
