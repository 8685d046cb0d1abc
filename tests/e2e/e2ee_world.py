# SPDX-License-Identifier: MIT
"""A bot in an encrypted room and an IRC channel of one chat, with people whose clients warn of whatever is not proven."""
import contextlib
import re
import time
from concurrent.futures import ThreadPoolExecutor

from clients import Irc, Matrix, wait_for
from e2ee_clients import assert_no_index_twice, megolm_place
from harness import Bot, ChatClock, quoted
from synapse import PASSWORD

AGREE = "!bridge encrypted yes"


class CryptoChat:
    """`asha` hosts, `ben` takes part, both with Rust crypto; `ann` is on IRC."""

    def __init__(self, folder, synapse, ergo, peers, name, strict_people=True, rotation=None, hosts=(), **options):
        self.name, self.synapse, self.ergo, self.peers = name, synapse, ergo, peers
        self.more_hosts = list(hosts)
        self.user = synapse.register(f"{name}bot")["user_id"]
        self.asha = peers.person(synapse, f"{name}asha", strict=strict_people)
        self.ben = peers.person(synapse, f"{name}ben", strict=strict_people)
        self.room = self.asha.create_room(name, invite=[self.ben.user_id, self.user], rotation=rotation)
        self.ben.join(self.room)
        self.channel = f"#{name}"
        caps = ["message-tags", "server-time", "echo-message"]
        self.ann = Irc(ergo.port, f"{name}ann", caps=caps).join(self.channel)
        self.people = [self.asha, self.ben]
        self.bot = Bot(folder / name, ChatClock(folder / f"{name}.clock", int(time.time() * 1000)))
        self.options = {"rate_ms": 0, "burst": 0, "invite_from": [self.asha.user_id], **options}
        self.configure()

    def configure(self):
        self.bot.host_file(f"""
chat "{self.name}" {{
    tag = "#{self.name}"
    room "home/{self.room}" {{ pace = full }}
    room "one/{self.channel}" {{ pace = full }}
}}
role "host" {{ accounts = {quoted([f"home/{u}" for u in [self.asha.user_id, *self.more_hosts]])}  chats = {{ "{self.name}" }} }}
""")
        self.bot.plugin("matrix", {"home": {"homeserver": self.synapse.url, "user": self.user,
                                            "password_file": self.bot.secret("password", PASSWORD), **self.options}})
        self.bot.plugin("irc", {"one": {"server": "127.0.0.1", "port": self.ergo.tls_port, "nick": f"{self.name}bot",
                                        "ca_file": str(self.ergo.ca_file), "rate_ms": 0, "burst": 1000}})
        self.bot.plugin("relay")

    # -- life
    def start(self):
        self.bot.start()
        self.wait_in()
        return self

    @contextlib.contextmanager
    def running(self):
        """The bot is in its rooms; at the end all it was given has its outcome."""
        try:
            with self.bot:
                self.wait_in()
                yield self
                self.bot.wait_settled()
                self.bot.assert_accounted()
        finally:
            self.close()

    def bring(self, person):
        """One more comes into the encrypted room."""
        self.asha.invite(self.room, person.user_id)
        person.join(self.room)
        return person

    def wait_in(self):
        def here():
            assert self.bot.alive, self.bot.tail()
            return self.user in self.asha.members(self.room) and self.in_channel() and self.reads(self.room)
        wait_for(here, 60, 0.1, lambda: "the bot is not in its rooms:\n" + self.bot.tail())

    def reads(self, room):
        """What is said there from now on counts."""
        return self.bot.value("SELECT count(*) FROM matrix_room WHERE room_id = ? AND last_event IS NOT NULL", room)

    def in_channel(self):
        mark = self.ann.mark()
        self.ann.send(f"NAMES {self.channel}")
        self.ann.wait(lambda l: l.command == "366", since=mark)
        names = " ".join(l.text for l in self.ann.lines[mark:] if l.command == "353").split()
        return f"{self.name}bot" in [n.lstrip("~&@%+") for n in names]

    def agree(self):
        """The host opens the box."""
        self.asha.say(self.room, AGREE)
        answer = self.from_bot(self.asha, "A host agreed")
        self.asha.assert_trusted(answer)
        return answer

    def begin(self, word):
        """The host opens the box, and it is open."""
        self.agree()
        self.both_ways(word)
        return self

    def close(self):
        self.bot.kill9()
        for person in self.people:
            person.stop()
        self.ann.close()

    # -- waiting
    def from_bot(self, person, part, room=None, timeout=30, since=0):
        """The bot's message in a room as a person reads it."""
        try:
            return person.wait(lambda e: e["type"] == "m.room.message" and e["sender"] == self.user and not e["failure"]
                               and e["room_id"] == (room or self.room) and part in e["content"].get("body", ""), timeout, since)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.bot.tail()}") from None

    def on_irc(self, part, timeout=30, since=0):
        try:
            return self.ann.wait(lambda l: l.command == "PRIVMSG" and l.nick == f"{self.name}bot" and part in l.text, timeout,
                                 since)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.bot.tail()}") from None

    def both_ways(self, word):
        """The chat goes on: an ordinary message passes in each direction, without a warning."""
        self.ben.say(self.room, f"{word} from Matrix")
        self.on_irc(f"{word} from Matrix")
        self.ann.say(self.channel, f"{word} from IRC")
        event = self.from_bot(self.ben, f"{word} from IRC")
        self.ben.assert_trusted(event)
        return event

    def direct(self, person):
        """An encrypted private room with the bot."""
        room = person.create_room(invite=[self.user], direct=True)
        wait_for(lambda: self.reads(room), 30, 0.1, self.bot.tail)
        return room

    # -- verifying the bot
    def terminal(self, *args):
        """What the operator sees who types `hashroom ARGS` and then says nothing."""
        done = self.bot.command(*args, "-c", str(self.bot.folder))
        return done.stdout + done.stderr

    def tool(self, *args):
        """The same, of a command that does its work."""
        done = self.bot.command(*args, "-c", str(self.bot.folder))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def asked(self, person, room=None):
        """A host asks the bot to verify, and sees what her client shows: (id, emoji and numbers)."""
        for _ in range(5):
            request = person.do("verifyUser", user=self.user, room=room or self.room)
            state = person.wait_verification(lambda v, i=request["id"]: v["id"] == i and
                                             v["phase"] in ("ready", "started", "cancelled"), 30)
            if state["phase"] != "cancelled":
                return request["id"], person.do("sas", id=request["id"], start=True)
            # her own client took the one before for unfinished, and cancelled both
            self.both_ways("before asking once more")
        raise AssertionError(state)

    def shown(self, sas):
        """The operator's terminal has the same."""
        def same():
            text = self.terminal("verify")
            return all(name.lower() in text.lower() for _, name in sas["emoji"]) and \
                all(re.search(rf"\b{number}\b", text) for number in sas["decimal"])
        wait_for(same, 30, 0.3, lambda: f"{sas}\n{self.terminal('verify')}\n{self.bot.tail()}")

    def confirmed(self, person, number, yes):
        """The person says that it is the same, and `yes` says so for the bot: her client calls the bot verified."""
        with ThreadPoolExecutor(1) as other:
            mine = other.submit(person.do, "confirm", id=number)
            yes()
            assert mine.result()["phase"] == "done"
        wait_for(lambda: person.do("user", user=self.user)["verified"], message="their client does not call the bot verified")

    def mismatched(self, person, number):
        """The person's client sees that the other side saw something else."""
        ended = person.wait_verification(lambda v: v["id"] == number and v["phase"] == "cancelled", 30)
        assert ended["cancelled"] == "m.mismatched_sas", ended

    # -- what the server saw
    def wire(self, room=None, sender=None):
        reader = Matrix(self.synapse.url, self.asha.user_id, self.asha.token)
        return [e for e in reader.history(room or self.room, 50_000) if e["sender"] == (sender or self.user)]

    def assert_nothing_plain(self, room=None):
        """All that the bot said in an encrypted room left it encrypted, and no message index came twice."""
        said = [e for e in self.wire(room) if "state_key" not in e]
        plain = [e for e in said if e["type"] not in ("m.room.encrypted", "m.room.redaction", "m.reaction")]
        assert not plain, plain
        assert_no_index_twice([megolm_place(e["content"]) for e in said if e["content"].get("ciphertext")])
        return said


class TwoHosts(CryptoChat):
    """CryptoChat with a second host, `cai`."""

    def __init__(self, folder, synapse, ergo, peers, name, **options):
        self.cai = peers.person(synapse, f"{name}cai")
        super().__init__(folder, synapse, ergo, peers, name, hosts=[self.cai.user_id], **options)
        self.people.append(self.bring(self.cai))
