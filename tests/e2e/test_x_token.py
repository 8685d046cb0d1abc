# SPDX-License-Identifier: MIT
"""Posting with a login that is renewed (OAuth 2.0): the new pair is on disk before it is used, whenever the bot dies."""
import hashlib
import random
import re
import sqlite3
import subprocess
import time

from alone import MINUTE, SHORT, Alone
from clients import wait_for
from harness import CHAT_START_MS
from sealed import files_with, x_token

RENEW, CREATE = "POST /2/oauth2/token", "POST /2/tweets"
BEFORE = CHAT_START_MS - 14 * MINUTE


def renewals(a, code=200):
    return a.x.calls.count((RENEW, code))


def wait_for_calls(a, endpoint, count, code=200, timeout=20):
    wait_for(lambda: a.x.calls.count((endpoint, code)) >= count, timeout, 0.05,
             lambda: f"{a.x.calls}\n{a.bot.tail()}")


def on_disk(a):
    """(refresh token, is a renewal on its way, is it lost) of the login that the configuration has now."""
    login = hashlib.sha256((a.bot.folder / "x.refresh").read_bytes().strip()).hexdigest()
    try:
        rows = a.bot.rows("SELECT refresh, asked, lost FROM twitter_token WHERE origin = ?", login)
    except sqlite3.OperationalError:  # there is no database yet
        rows = []
    return (x_token(a.bot, rows[0]["refresh"]), rows[0]["asked"], rows[0]["lost"]) if rows else (None, 0, 0)


def test_questions_are_posted_with_a_login_that_is_renewed_in_between(tmp_path):
    with Alone(tmp_path, CHAT_START_MS - 2 * MINUTE, 30.0, oauth2=True, session=SHORT) as a:
        a.x.auth.lifetime_s = 4 * 60
        a.play()
        assert renewals(a) >= 2 and a.x.violations == []
        secrets = [s for grant in a.x.auth.grants for s in (*grant.access, *grant.rotated, grant.refresh)]
        assert not any(secret in a.bot.log() for secret in secrets)
        assert files_with(a.bot, *secrets) == []


def test_a_login_that_an_earlier_version_stored_plain_is_sealed(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True) as a:
        with a.bot:
            wait_for_calls(a, "GET /2/users/me", 1)
        grant = a.x.auth.grants[0]
        pair = (list(grant.access)[-1], grant.refresh)
        with sqlite3.connect(a.bot.state / "hashroom.db") as db:
            db.execute("UPDATE twitter_token SET access = ?, refresh = ?", pair)
        db.close()
        assert files_with(a.bot, pair[1]) == ["hashroom.db"]
        with a.bot:
            wait_for_calls(a, "GET /2/users/me", 2)
        assert renewals(a) == 1 and on_disk(a) == (grant.refresh, 0, 0)
        assert files_with(a.bot, *pair) == []


def add_second(a):
    """An instance y with a login of its own and a room; runs once, so that both are logged in. Returns its section."""
    conf, chat, pair = a.bot.folder / "plugins" / "twitter.conf", a.bot.folder / "hashroom.conf", a.x.oauth2()
    section = conf.read_text().replace('instance "x"', 'instance "y"').replace("x.refresh", "y.refresh") \
        .replace("x.client-secret", "y.client-secret").replace(a.pair["client_id"], pair["client_id"])
    a.bot.secret("y.refresh", pair["refresh_token"])
    a.bot.secret("y.client-secret", pair["client_secret"])
    conf.write_text(conf.read_text() + section)
    chat.write_text(chat.read_text().replace("    room", '    room "y/#other" { }\n    room'))
    with a.bot:
        wait_for_calls(a, "GET /2/users/me", 2)
    assert logins(a) == ["x", "y"]
    return section


def logins(a):
    return [row["instance"] for row in a.bot.rows("SELECT instance FROM twitter_token ORDER BY instance")]


def test_the_login_of_an_instance_that_was_taken_out_is_erased(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True) as a:
        conf, chat = a.bot.folder / "plugins" / "twitter.conf", a.bot.folder / "hashroom.conf"
        alone, one_room = conf.read_text(), chat.read_text()
        add_second(a)
        conf.write_text(alone)
        chat.write_text(one_room)
        with a.bot:
            a.bot.wait_log('"y" is no longer in plugins/twitter.conf: its login is erased')
            wait_for_calls(a, "GET /2/users/me", 3)
        assert logins(a) == ["x"] and renewals(a) == 2 and on_disk(a) == (a.x.auth.grants[0].refresh, 0, 0)


def test_a_login_that_is_taken_out_of_an_instance_is_erased(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True) as a:
        conf, section = a.bot.folder / "plugins" / "twitter.conf", add_second(a)
        conf.write_text(conf.read_text().replace(section, 'instance "y" { }\n'))  # a host posts by hand there
        with a.bot:
            a.bot.wait_log('"y" no longer logs in with client_id: its login is erased')
            wait_for_calls(a, "GET /2/users/me", 3)
        assert logins(a) == ["x"] and renewals(a) == 2 and on_disk(a) == (a.x.auth.grants[0].refresh, 0, 0)


def test_a_restart_goes_on_with_the_pair_on_disk(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True) as a:
        for n in range(3):
            with a.bot:
                wait_for_calls(a, "GET /2/users/me", n + 1)
        assert renewals(a) == 1 and a.x.violations == []  # the access token still held
        assert on_disk(a) == (a.x.auth.grants[0].refresh, 0, 0)


def test_a_crash_before_x_saw_it_costs_nothing(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True) as a:
        a.x.script({"on": RENEW, "fault": "hang"})
        a.bot.start()
        wait_for_calls(a, RENEW, 1, 0)
        assert on_disk(a)[1] == 1  # it stands there before it leaves
        a.bot.kill9()
        with a.bot:
            wait_for_calls(a, "GET /2/users/me", 1)
        assert renewals(a) == 1 and a.x.violations == [] and on_disk(a) == (a.x.auth.grants[0].refresh, 0, 0)


def test_a_crash_after_the_commit_costs_nothing(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True) as a:
        a.x.script({"on": "GET /2/users/me", "fault": "hang"})
        a.bot.start()
        wait_for_calls(a, "GET /2/users/me", 1, 0)
        assert on_disk(a) == (a.x.auth.grants[0].refresh, 0, 0)  # before its first use
        a.bot.kill9()
        with a.bot:
            wait_for_calls(a, "GET /2/users/me", 1)
        assert renewals(a) == 1 and a.x.violations == []


def test_a_pair_lost_with_its_answer_is_told_and_a_new_login_is_taken(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True, ask_again="2s") as a:
        a.x.script({"on": RENEW, "fault": "slow", "seconds": 2})
        a.bot.start()
        wait_for(lambda: a.x.auth.grants[0].rotated, 20, 0.02, lambda: a.bot.tail())
        a.bot.kill9()  # X has answered, we have not read it
        with a.bot:
            a.bot.wait_log("the new login got lost on its way while it was being renewed; log in again")
            a.wait_reading()  # all else goes on
            time.sleep(3)
            assert renewals(a, 400) == 1  # and X is not asked with a dead token again
            assert a.bot.log().count("nothing is posted on Twitter") == 1
        with a.bot:  # nor after a restart
            a.bot.wait_log("the new login got lost on its way", count=2)
            assert renewals(a, 400) == 1
        fresh = a.x.oauth2()
        a.oauth2(fresh)
        with a.bot:
            wait_for_calls(a, "GET /2/users/me", 1)
        assert a.x.violations == [] and on_disk(a) == (a.x.auth.grants[1].refresh, 0, 0)


def test_a_withdrawn_login_says_so(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True) as a:
        a.x.auth.grants[0].alive = False
        with a.bot:
            a.bot.wait_log("Twitter no longer takes the login")
            a.wait_reading()


def test_a_renewal_that_fails_for_now_is_tried_again(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True) as a:
        a.x.script({"on": RENEW, "fault": "cut"}, {"on": RENEW, "fault": "html", "code": 403})
        with a.bot:
            wait_for_calls(a, "GET /2/users/me", 1, timeout=60)
        assert renewals(a) == 1 and a.x.violations == []


def log_in(a, deny=False):
    """`hashroom twitter-login` with a person's browser: (exit code, all it said)."""
    tool = subprocess.Popen([str(a.bot.program), "twitter-login", "-c", str(a.bot.folder)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=a.bot.environment())
    said = ""
    while not (found := re.search(r"^http\S+/i/oauth2/authorize\S+", said, re.M)):
        line = tool.stdout.readline()
        assert line, said
        said += line
    rest, _ = tool.communicate(a.x.auth.approve(found[0], deny) + "\n", timeout=30)
    return tool.returncode, said + rest


def test_a_person_logs_in_by_the_browser(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True, refresh_token_file="") as a:
        with a.bot:
            a.bot.wait_log("nobody has logged in for the bot yet; type: hashroom twitter-login")
            a.wait_reading()
            code, said = log_in(a, deny=True)
            assert code != 0 and "the application was not allowed" in said, said
            code, said = log_in(a)
            assert code == 0 and "Logged in." in said, said
            wait_for_calls(a, "GET /2/users/me", 1)
            a.bot.wait_log("Twitter can be posted to again")
        with a.bot:
            wait_for_calls(a, "GET /2/users/me", 2)
        assert renewals(a) == 1 and a.x.violations == []  # the code, and no renewal since


def test_doctor_tries_what_can_be_tried_and_uses_no_login_up(tmp_path):
    with Alone(tmp_path, BEFORE, oauth2=True) as a:
        done = a.bot.command("doctor", "-c", str(a.bot.folder))
        assert done.returncode == 0 and "Whether it can post is not tried here" in done.stdout, done.stdout + done.stderr
        assert ("GET /2/tweets/search/stream/rules", 200) in a.x.calls and (RENEW, 200) not in a.x.calls
        a.bot.secret("x.bearer", "another token")
        done = a.bot.command("doctor", "-c", str(a.bot.folder))
        assert done.returncode == 1 and "x (Twitter) does NOT work: Twitter can't be read: Twitter refused the " \
            "credentials" in done.stdout, done.stdout + done.stderr
    (tmp_path / "keys").mkdir()
    with Alone(tmp_path / "keys", BEFORE) as a:
        done = a.bot.command("doctor", "-c", str(a.bot.folder))
        assert done.returncode == 0 and "posts as @dpulochat" in done.stdout, done.stdout + done.stderr
        a.x.script({"on": "GET /2/users/me", "problem": "suspended"})
        done = a.bot.command("doctor", "-c", str(a.bot.folder))
        assert done.returncode == 1 and "has suspended or locked the account" in done.stdout, done.stdout + done.stderr


def test_whenever_it_is_killed_the_login_lives_or_its_loss_is_told(tmp_path):
    """Sixteen kills around renewals that come all the time. Whichever pair X gave out last is on disk, or the answer
    died with the bot: then it is told, and the operator logs in again."""
    chance = random.Random(4)
    with Alone(tmp_path, BEFORE, oauth2=True) as a:
        a.x.auth.lifetime_s = 1  # each start renews
        for n in range(16):
            a.x.watch.restarted()
            a.clock.set(a.clock.now_ms() + 2000, 1.0)  # the access token is over
            before = len(a.x.auth.grants[-1].rotated)
            a.bot.start()
            wait_for(lambda: len(a.x.auth.grants[-1].rotated) > before or on_disk(a)[2], 20, 0.002,
                     lambda: a.bot.tail())
            time.sleep(chance.random() * 0.02)
            a.bot.kill9()
            grant = a.x.auth.grants[-1]
            refresh, asked, lost = on_disk(a)
            if refresh != grant.refresh:
                assert asked or lost, "a pair was lost and nothing on disk says that one may be"
                grant.lost.update(grant.rotated)
                if lost:
                    assert "log in again, type: hashroom twitter-login" in a.bot.log()
                    a.oauth2(a.x.oauth2())
        a.x.auth.lifetime_s = 7200
        a.oauth2(a.x.oauth2())
        with a.bot:
            wait_for(lambda: on_disk(a)[0] == a.x.auth.grants[-1].refresh and renewals(a), 20, 0.05, lambda: a.bot.tail())
        assert a.x.violations == []
