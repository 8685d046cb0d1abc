# SPDX-License-Identifier: MIT
"""Shared by all Python tests: where the modules lie, and real servers that are skipped aloud when they are missing."""
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in ("env", "sim", "e2e", "bench", "lint"):
    sys.path.insert(0, str(HERE / folder))

from peer import Missing, Unfit  # noqa: E402


def _told(error):
    """A server that isn't installed skips the test; on CI that is a failure."""
    if os.environ.get("CI") == "true" and not isinstance(error, Unfit):
        pytest.fail(f"CI must have every server: {error}", pytrace=False)
    pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    try:
        return (yield)
    except Missing as error:
        _told(error)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    except Missing as error:
        _told(error)


@pytest.fixture(scope="module")
def ergo():
    from ergo import Ergo
    with Ergo() as server:
        yield server


@pytest.fixture(scope="module")
def ngircd():
    from ngircd import Ngircd
    with Ngircd() as server:
        yield server


@pytest.fixture(scope="module")
def inspircd():
    from inspircd import Inspircd
    with Inspircd() as server:
        yield server


@pytest.fixture(scope="module")
def synapse():
    from synapse import Synapse
    with Synapse() as server:
        yield server


@pytest.fixture(scope="module")
def synapse_default():
    """With Synapse's own rate limits."""
    from synapse import Synapse
    with Synapse(limits=True) as server:
        yield server


@pytest.fixture(scope="module")
def js_peers(tmp_path_factory):
    """The process with the clients of encrypted rooms."""
    from e2ee_clients import JsPeers
    with JsPeers(tmp_path_factory.mktemp("js")) as process:
        yield process
