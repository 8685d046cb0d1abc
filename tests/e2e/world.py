# SPDX-License-Identifier: MIT
"""A whole evening's surroundings: Ergo over TLS, ngIRCd, Synapse, the X simulator, and a bot configured for them."""
import contextlib
import time

from clients import Irc, Matrix, irc_account, wait_for
from faultproxy import Proxy
from harness import CHAT_START_MS, Bot, ChatClock
from xauth import BEARER, CONSUMER_KEY, CONSUMER_SECRET, TOKEN, TOKEN_SECRET
from xsim import XSim

QUESTIONS = ["What do you read before bed?", "Who read to you as a child?", "Which book would you give away?",
             "What will you read next?"]


class World:
    """Everything of one bot on servers that may be shared; `name` keeps rooms and people apart."""

    def __init__(self, name, folder, ergo, ngircd, synapse, start_ms=CHAT_START_MS, speed=1.0, matrix_rooms=1,
                 session=None, chat=None, matrix=None, irc=None, x=None, proxies=(), tls_name=None, simulator=XSim):
        """proxies: which of "one" (Ergo), "two" (ngIRCd), "home" and "x" the bot reaches through w.proxy[NAME] only.
        tls_name: it knows them by that name, over TLS, and trusts authority.pem in its folder.
        simulator: of X; XSim in this process or XPeer in one of its own."""
        self.name, self.ergo, self.ngircd, self.synapse = name, ergo, ngircd, synapse
        self.clock = ChatClock(folder / "clock", start_ms, speed)
        self.bot = Bot(folder / "bot", self.clock)
        self.x = simulator(str(self.clock.path), rule_delay_s=0.2)
        self.channel = f"#{name}"
        self.tag = f"#{name}"
        self.nick = f"{name}bot"
        self.x.__enter__()
        irc_account(ergo.port, self.nick, "password-of-the-bot")
        irc_account(ergo.port, f"{name}asha", "password-of-asha")
        self.matrix_bot = Matrix.register(synapse, f"{name}bot")
        self.owner = self.somebody("owner")
        self.rooms = [self.owner.create_room(f"{name} {n}", invite=[self.matrix_bot.user_id], public=True)
                      for n in range(matrix_rooms)]
        self.people = []
        certificate = ergo.tls / "server.pem", ergo.tls / "server.key"
        ways = {"one": (ergo.port, "irc", certificate), "two": (ngircd.port, "irc"), "home": (synapse.port, "http"),
                "x": (self.x.port, "http")}
        self.proxy = {name: Proxy(*ways[name]) for name in proxies}
        self.tls_name = tls_name
        self._configure(session or {}, chat or {}, matrix or {}, irc or {}, x or {})

    @classmethod
    def quiet(cls, name, folder, *servers, matrix=None, **more):
        """Early enough before the chat that X is read and nothing is announced. The homeserver limits nobody, unless `matrix`
        says so."""
        return cls(name, folder, *servers, CHAT_START_MS - 14 * 60_000, session={"reminders": [], "questions": []},
                   matrix={"rate_ms": 0, "burst": 0} if matrix is None else matrix, **more)

    @contextlib.contextmanager
    def running(self, irc_person=None, plain_person=None, settle_s=60):
        """The bot is in every room and reads X; at the end all it was given has its outcome."""
        try:
            with self.bot:
                self.wait_ready(irc_person, plain_person)
                self.wait_reading()
                time.sleep(0.5)  # the rule takes effect
                yield self
                for proxy in self.proxy.values():
                    proxy.heal()
                self.bot.wait_settled(settle_s)
                self.bot.assert_accounted()
        finally:
            self.close()

    def port(self, network, direct):
        return self.proxy[network].port if network in self.proxy else direct

    def address(self, network, option, direct):
        """How the bot is told to reach it."""
        if not self.tls_name or network not in self.proxy:
            return {option: f"http://127.0.0.1:{self.port(network, direct)}" if option != "server" else "127.0.0.1"}
        where = self.tls_name if option == "server" else f"https://{self.tls_name}:{self.port(network, direct)}"
        return {option: where, "ca_file": str(self.bot.folder / "authority.pem")}

    def _configure(self, session, chat, matrix, irc, x):
        bot, name = self.bot, self.name
        rooms = [f"one/{self.channel}", f"two/{self.channel}"] + [f"home/{r}" for r in self.rooms] + [f"x/{self.tag}"]
        lines = "".join(f'    room "{r}" {{ pace = {chat.get("pace", "full")} }}\n' for r in rooms)
        bot.host_file(f"""
chat "{name}" {{
    tag = "{self.tag}"
    irc_to_irc = {"yes" if chat.get("irc_to_irc", True) else "no"}
{lines}}}
role "host" {{ accounts = {{ "one/{name}asha", "home/{self.owner.user_id}" }}  names = {{ "Asha" }}  chats = {{ "{name}" }} }}
""")
        fast = {"rate_ms": 0, "burst": 1000, **irc}
        one, two = self.port("one", self.ergo.tls_port), self.port("two", self.ngircd.port)
        bot.plugin("irc", {
            "one": {"port": one, "ca_file": str(self.ergo.ca_file), "nick": self.nick, "sasl": "plain", "sasl_account": self.nick,
                    "sasl_password_file": bot.secret("one.password", "password-of-the-bot"), **fast,
                    **self.address("one", "server", 0)},
            "two": {"server": "127.0.0.1", "port": two, "tls": False, "nick": self.nick[:9], **fast},
        })
        bot.plugin("matrix", {"home": {
            **self.address("home", "homeserver", self.synapse.port), "user": self.matrix_bot.user_id,
            "token_file": bot.secret("matrix.token", self.matrix_bot.token),
            "invite_from": [self.owner.user_id], **matrix}})
        bot.plugin("twitter", {"x": {
            **self.address("x", "api_url", self.x.port), "bearer_file": bot.secret("x.bearer", BEARER),
            "consumer_key_file": bot.secret("x.consumer-key", CONSUMER_KEY),
            "consumer_secret_file": bot.secret("x.consumer-secret", CONSUMER_SECRET),
            "access_token_file": bot.secret("x.access-token", TOKEN),
            "access_secret_file": bot.secret("x.access-secret", TOKEN_SECRET), **x}})
        bot.plugin("session", {name: {"rule": "FREQ=WEEKLY;BYDAY=TU", "time": "20:00", "zone": "Europe/London",
                                      "topic": "Reading", "questions": QUESTIONS, **session}})
        for plugin in ("relay", "resources", "desk"):
            bot.plugin(plugin)
        bot.plugin("moderation", flood_pace="0s")  # a few people say here what a whole room would

    # -- people
    def irc(self, nick, **more):
        """Somebody on Ergo, in the room."""
        person = Irc(self.ergo.port, nick, caps=["message-tags", "server-time"], **more).join(self.channel)
        self.people.append(person)
        return person

    def host(self):
        """The host, logged in to her account."""
        return self.irc(f"{self.name}asha", account=f"{self.name}asha", password="password-of-asha")

    def plain(self, nick):
        """Somebody on ngIRCd, in the room."""
        person = Irc(self.ngircd.port, nick).join(self.channel)
        self.people.append(person)
        return person

    def somebody(self, name):
        """An account on Matrix, reading."""
        return Matrix.register(self.synapse, f"{self.name}{name}").start()

    def matrix(self, name):
        """Somebody on Matrix, in all rooms."""
        person = self.somebody(name)
        for room in self.rooms:
            person.join(room)
        self.people.append(person)
        return person

    def wait_ready(self, irc_person=None, plain_person=None, timeout=60):
        """The bot is in every room."""
        def here():
            if not self.bot.alive:
                raise AssertionError("the bot ended:\n" + self.bot.tail())
            return all(self.matrix_bot.user_id in self.owner.members(r) for r in self.rooms)
        wait_for(here, timeout, 0.1, lambda: "the bot is not in its Matrix rooms:\n" + self.bot.tail())
        for person in (irc_person, plain_person):
            if person:
                wait_for(lambda p=person: self.in_channel(p), timeout, 0.2,
                         lambda: "the bot is not in its channel:\n" + self.bot.tail())

    def wait_reading(self, timeout=60):
        wait_for(self.x.stream_open, timeout, message=lambda: "the bot does not read X:\n" + self.bot.tail())

    def in_channel(self, person):
        mark = person.mark()
        person.send(f"NAMES {self.channel}")
        person.wait(lambda l: l.command == "366", since=mark)
        names = " ".join(l.text for l in person.lines[mark:] if l.command == "353")
        return any(n.lstrip("@+~&%").lower().startswith(self.nick[:9].lower()) for n in names.split())

    def standing(self, reader):
        """Contents of what the bot said in its first Matrix room and nobody took back, oldest first, as a newcomer reads it."""
        return [e["content"] for e in reader.history(self.rooms[0]) if e["sender"] == self.matrix_bot.user_id]

    def close(self):
        for person in self.people:
            (person.stop if isinstance(person, Matrix) else person.close)()
        self.owner.stop()
        for proxy in self.proxy.values():
            proxy.close()
        self.x.__exit__()
