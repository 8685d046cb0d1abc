# SPDX-License-Identifier: MIT
"""The store key and the database that was put back, as an operator meets them."""
import shutil
import sqlite3

from harness import Bot

OTHER = "0123456789abcdef" * 4


def new_bot(folder, **host):
    bot = Bot(folder)
    bot.host_file('chat "c" {\n    tag = "#c"\n    room "console/room" { pace = full }\n}\n', **host)
    bot.plugin("console")
    return bot


def mark_in_use(bot, value="0" * 32):
    """As a plugin leaves it that has encrypted something."""
    with sqlite3.connect(bot.state / "hashroom.db") as db:
        db.execute("INSERT INTO host_meta(key, value) VALUES('key_check', ?)", (value,))


def run_once(bot):
    bot.start()
    bot.wait_log("ready", count=bot.starts)
    bot.stop()


def test_the_first_start_makes_a_key_that_is_never_logged(tmp_path):
    bot = new_bot(tmp_path)
    done = bot.command("check", "-c", str(bot.folder))
    assert done.returncode == 0, done.stdout
    run_once(bot)
    key = bot.state / "hashroom.key"
    assert key.stat().st_mode & 0o777 == 0o600 and len(key.read_text()) == 65
    assert key.read_text().strip() not in bot.log_path.read_text()


def test_a_lost_key_is_said_by_check_doctor_and_run_and_can_be_given_up(tmp_path):
    bot = new_bot(tmp_path)
    run_once(bot)
    mark_in_use(bot)
    (bot.state / "hashroom.key").unlink()
    for command in ("check", "doctor"):
        done = bot.command(command, "-c", str(bot.folder))
        assert done.returncode != 0 and "Put the file back" in done.stdout, (command, done.stdout)
    done = bot.command("run", "-c", str(bot.folder))
    assert done.returncode == 2 and "hashroom new-key" in done.stderr
    done = bot.command("new-key", "-c", str(bot.folder))
    assert done.returncode == 0 and "given up" in done.stdout, done.stderr
    run_once(bot)
    assert (bot.state / "hashroom.key").exists()
    done = bot.command("new-key", "-c", str(bot.folder))
    assert done.returncode == 0 and "nothing to give up" in done.stdout


def test_another_key_is_refused_and_put_aside_when_given_up(tmp_path):
    bot = new_bot(tmp_path)
    run_once(bot)
    mark_in_use(bot)
    done = bot.command("run", "-c", str(bot.folder))
    assert done.returncode == 2 and "is not the key this database was used with" in done.stderr
    own = (bot.state / "hashroom.key").read_text()
    assert bot.command("new-key", "-c", str(bot.folder)).returncode == 0
    assert (bot.state / "hashroom.key.old").read_text() == own
    run_once(bot)


def test_key_file_is_checked_like_every_secret(tmp_path):
    bot = new_bot(tmp_path, key_file=str(tmp_path / "store.key"))
    done = bot.command("check", "-c", str(bot.folder))
    assert done.returncode == 2 and "store.key" in done.stdout
    bot.secret("store.key", "too short")
    done = bot.command("check", "-c", str(bot.folder))
    assert done.returncode == 2 and "openssl rand -hex 32" in done.stdout
    bot.secret("store.key", OTHER)
    (tmp_path / "store.key").chmod(0o644)
    done = bot.command("check", "-c", str(bot.folder))
    assert done.returncode == 2 and "chmod 600" in done.stdout
    (tmp_path / "store.key").chmod(0o600)
    run_once(bot)
    assert not (bot.state / "hashroom.key").exists()


def test_an_old_copy_put_back_with_cp_becomes_a_new_database(tmp_path):
    bot = new_bot(tmp_path)

    def store_id():
        return bot.value("SELECT value FROM host_meta WHERE key = 'store_id'")

    run_once(bot)
    first = store_id()
    shutil.copy(bot.state / "hashroom.db", tmp_path / "copy.db")
    run_once(bot)
    assert store_id() == first
    for name in ("hashroom.db-wal", "hashroom.db-shm"):
        (bot.state / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "copy.db", bot.state / "hashroom.db")
    run_once(bot)
    second = store_id()
    assert second != first and "older copy" in bot.log_path.read_text()
    run_once(bot)
    assert store_id() == second
