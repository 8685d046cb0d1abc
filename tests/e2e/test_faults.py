# SPDX-License-Identifier: MIT
"""The fault table: each way in which a network, a clock or a disk can fail, one row each, many rows side by side."""
import concurrent.futures
import os
import re
import threading
import traceback

import faultpeer  # noqa: F401 (its rows)
import pytest
from faultplace import Place
from faultrows import GROUP, ROWS

AT_ONCE = int(os.environ.get("HASHROOM_FAULT_ROWS", "8"))


class Env:
    """What all rows share: a folder and three servers."""

    def __init__(self, folder, ergo, ngircd, synapse):
        self.folder, self.ergo, self.ngircd, self.synapse = folder, ergo, ngircd, synapse
        self.servers, self._mine = [], threading.local()
        self._numbers = iter(range(10**6))

    def place(self, title, network, **more):
        """The bot of a row; closed when the row is over."""
        self._mine.place = Place(self, f"f{next(self._numbers):03d}", network, **more)
        return self._mine.place

    def tls_place(self, title, network, name="127.0.0.1"):
        return self.place(title, network, tls_name=name)

    def group(self, title, network):
        """The bot of the row before, if that belongs to the same group and went well; else a new one that is ready."""
        place = self._mine.place
        if place is None:
            return self.place(title, network).start()
        place.breaks += 1
        if network in ("one", "two"):
            place.restart()  # else its pauses grow from row to row, as they should
            place.ready()
            place.back()
        place.recovery_s, place.line = None, ""
        return place

    def run(self, title, last):
        """(what went wrong or None, seconds to recover, what the operator was told)."""
        wrong = None
        try:
            ROWS[title][1](self, title)
            if last:
                self._mine.place.bot.stop()
        except Exception:  # pylint: disable=broad-except
            wrong = traceback.format_exc()
        place = self._mine.place
        if place is None:
            return wrong, None, ""
        if last or wrong:
            place.close()
            self._mine.place = None
        if wrong:
            wrong += f"\n--- {place.bot.folder}"
        return wrong, place.recovery_s, re.sub(r"^\S*\s*(warning|error)?:?\s*", "", place.line)

    def run_all(self, titles, futures):
        """Rows of one group, one after the other."""
        self._mine.place = None
        for title in titles:
            if not futures[title].cancelled():
                futures[title].set_result(self.run(title, title == titles[-1]))


@pytest.fixture(scope="module")
def table(request, tmp_path_factory, ergo, ngircd, synapse):
    """All rows that were asked for are under way at once; their results by title."""
    titles = [item.callspec.params["title"] for item in request.session.items if item.path == request.path]
    env = Env(tmp_path_factory.mktemp("faults"), ergo, ngircd, synapse)
    results, groups = {title: concurrent.futures.Future() for title in titles}, {}
    for title in titles:
        groups.setdefault(GROUP.get(title, title), []).append(title)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for group in sorted(groups.values(), key=len, reverse=True):
            pool.submit(env.run_all, group, results)
        yield results
        for future in results.values():
            future.cancel()
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print_table({title: future.result() for title, future in results.items() if not future.cancelled()})
    for server in env.servers:
        server.stop()


def print_table(results):
    print(f"\n  {'fault':52} {'seconds':>7}  expected")
    for title, (wrong, seconds, told) in results.items():
        print(f"  {title:52} {'-' if seconds is None else f'{seconds:7.1f}':>7}  "
              f"{'FAILED' if wrong else ROWS[title][0]}" + (f"\n{'':63}told: {told[:150]}" if told else ""))


@pytest.mark.parametrize("title", ROWS, ids=[title.replace(" ", "_") for title in ROWS])
def test_fault(table, title):
    wrong, _, _ = table[title].result()
    if wrong:
        pytest.fail(wrong, pytrace=False)
