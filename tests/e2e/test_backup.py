# SPDX-License-Identifier: MIT
"""A backup beside a running bot, and the way back."""
import shutil
import sqlite3

from harness import Bot


def new_bot(folder):
    bot = Bot(folder)
    bot.host_file('chat "c" {\n    tag = "#c"\n    room "console/room" { pace = full }\n}\n')
    for plugin in ("console", "session", "relay"):
        bot.plugin(plugin)
    return bot


def store_id(bot):
    return bot.value("SELECT value FROM host_meta WHERE key = 'store_id'")


def test_a_backup_is_made_while_the_bot_runs_and_starts_as_a_new_database(tmp_path):
    bot, file = new_bot(tmp_path / "bot"), tmp_path / "backup.db"
    with bot:
        bot.wait_log("ready")
        before = store_id(bot)
        done = bot.command("backup", "-c", str(bot.folder), str(file))
        assert done.returncode == 0, done.stderr
        assert str(file) in done.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backup.db", "bot"]
    with sqlite3.connect(file) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM room").fetchone() == (1,)
    for name in ("hashroom.db", "hashroom.db-wal", "hashroom.db-shm"):
        (bot.state / name).unlink(missing_ok=True)
    shutil.copy(file, bot.state / "hashroom.db")
    with bot:
        bot.wait_log("ready", count=2)
        assert store_id(bot) not in (None, before)
        assert bot.value("SELECT id FROM room") == 1


def test_a_file_that_is_there_is_never_overwritten(tmp_path):
    bot, file = new_bot(tmp_path / "bot"), tmp_path / "precious"
    file.write_text("keep me")
    done = bot.command("backup", "-c", str(bot.folder), str(file))
    assert done.returncode == 2 and "there already" in done.stderr
    assert file.read_text() == "keep me"


def test_what_is_missing_is_said(tmp_path):
    bot = new_bot(tmp_path / "bot")
    done = bot.command("backup", "-c", str(bot.folder))
    assert done.returncode == 2 and "name of a new file" in done.stderr
    done = bot.command("backup", "-c", str(bot.folder), str(tmp_path / "b.db"))
    assert done.returncode == 1 and "after the bot ran once" in done.stderr
    assert not (tmp_path / "b.db").exists()
    done = bot.command("backup", "-c", str(bot.folder), str(tmp_path / "nowhere" / "b.db"))
    assert done.returncode == 1 and "can't be written" in done.stderr


def test_a_database_damaged_in_a_crash_ends_the_start_with_what_to_do_and_the_backup_goes_on(tmp_path):
    bot, file = new_bot(tmp_path / "bot"), tmp_path / "backup.db"
    with bot:
        bot.wait_log("ready")
        assert bot.command("backup", "-c", str(bot.folder), str(file)).returncode == 0
    key = (bot.state / "hashroom.key").read_text()
    bot.start()
    bot.wait_log("ready", count=2)
    bot.kill9()
    with sqlite3.connect(bot.state / "hashroom.db") as db:  # all into the file, then break it
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    whole = (bot.state / "hashroom.db").read_bytes()
    (bot.state / "hashroom.db").write_bytes(whole[:12288] + b"\xa5" * 32768 + whole[45056:])
    done = bot.command("run", "-c", str(bot.folder))
    assert done.returncode == 2, done.stderr
    assert "hashroom.db is damaged (" in done.stderr and "Put back the last backup" in done.stderr
    for name in ("hashroom.db", "hashroom.db-wal", "hashroom.db-shm"):
        (bot.state / name).unlink(missing_ok=True)
    shutil.copy(file, bot.state / "hashroom.db")
    with bot:
        bot.wait_log("ready", count=3)
    assert (bot.state / "hashroom.key").read_text() == key


def test_what_is_no_database_at_all_is_said_too(tmp_path):
    bot = new_bot(tmp_path / "bot")
    (bot.state / "hashroom.db").write_bytes(b"this is a letter, not a database\n" * 500)
    done = bot.command("run", "-c", str(bot.folder))
    assert done.returncode == 2 and "hashroom.db is damaged (" in done.stderr
