# SPDX-License-Identifier: MIT
"""`hashroom doctor` on real servers: what works is said, and of what doesn't the step that fails and what to do."""
from harness import CHAT_START_MS
from world import World


def test_every_network_is_tried_and_the_step_that_fails_is_named(tmp_path, ergo, ngircd, synapse):
    w = World("doctor", tmp_path, ergo, ngircd, synapse, CHAT_START_MS - 14 * 60_000)
    try:
        done = w.bot.command("doctor", "-c", str(w.bot.folder), timeout=90)
        print(done.stdout, done.stderr)
        assert done.returncode == 0, done.stdout + done.stderr
        for network in ("one (IRC) works", "two (IRC) works", "home (Matrix) works", "x (Twitter) works"):
            assert network in done.stdout, done.stdout
        assert "password-of-the-bot" not in done.stdout + done.stderr
        assert not (w.bot.state / "hashroom.db").exists()  # it looks, and leaves nothing

        w.bot.secret("one.password", "a wrong password")
        w.ngircd.stop()
        done = w.bot.command("doctor", "-c", str(w.bot.folder), timeout=90)
        print(done.stdout, done.stderr)
        assert done.returncode == 1
        assert "refused the account: check sasl_account" in done.stdout, done.stdout
        assert "refused" in done.stdout, done.stdout
    finally:
        w.close()
