# SPDX-License-Identifier: MIT
"""The real servers start, do what the tests need of them, and leave nothing behind."""
import os
import time

import pytest
from clients import Irc, Matrix, MatrixError, irc_account


def test_ngircd_carries_a_line(ngircd):
    a, b = Irc(ngircd.port, "ann").join("#x"), Irc(ngircd.port, "ben").join("#x")
    a.say("#x", "good evening é")
    assert b.wait_text("good evening").text == "good evening é"


def test_ergo_has_tls_accounts_and_certificates(ergo):
    certificate = ergo.client_certificate("asha")
    irc_account(ergo.port, "asha", "secret-of-asha", certificate, ergo.tls_port, ergo.ca_file)
    plain = Irc(ergo.tls_port, "asha", ca_file=ergo.ca_file, account="asha", password="secret-of-asha",
                caps=["echo-message", "message-tags", "account-tag", "server-time"]).join("#x")
    other = Irc(ergo.port, "ben", caps=["message-tags", "account-tag"]).join("#x")
    plain.say("#x", "hello")
    assert plain.wait_text("hello").tags["account"] == "asha"
    assert other.wait_text("hello").tags["account"] == "asha"
    external = Irc(ergo.tls_port, "asha-two", ca_file=ergo.ca_file, certificate=certificate)
    assert external.wait(lambda l: l.command == "900").args[2] == "asha"


def test_inspircd_has_accounts_by_its_services(inspircd):
    ann = Irc(inspircd.port, "ann")
    ann.send("PRIVMSG NickServ :REGISTER secret-of-ann ann@insp.test")
    ann.wait(lambda l: l.command == "900")
    again = Irc(inspircd.tls_port, "ann-two", ca_file=inspircd.ca_file, account="ann", password="secret-of-ann",
                caps=["echo-message", "message-tags", "account-tag"]).join("#x")
    again.say("#x", "hello")
    assert again.wait_text("hello").tags["account"] == "ann"


def test_synapse_without_limits_takes_a_burst(synapse):
    ann = Matrix.register(synapse, "ann").start()
    room = ann.create_room("burst")
    for n in range(40):
        ann.api("PUT", f"/rooms/{room}/send/m.room.message/{n}", {"msgtype": "m.text", "body": f"line {n}"})
    ann.wait_text("line 39", room)
    assert ann.said(room) == [f"line {n}" for n in range(40)]
    ann.stop()


def test_synapse_with_default_limits_refuses_a_burst(synapse_default):
    ann = Matrix.register(synapse_default, "ann")
    room = ann.create_room("burst")
    with pytest.raises(MatrixError) as refused:
        for n in range(40):
            ann.api("PUT", f"/rooms/{room}/send/m.room.message/{n}", {"msgtype": "m.text", "body": f"line {n}"})
    assert refused.value.code == 429 and refused.value.body["retry_after_ms"] > 0


def test_a_server_ends_with_its_pid_and_its_folder():
    from ngircd import Ngircd
    with Ngircd() as server:
        pid, folder = server.pid, server.folder
    assert not folder.exists()
    time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
