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


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef, request):
    """A server that isn't installed skips the test; on CI that is a failure."""
    outcome = yield
    error = outcome.excinfo
    if error and issubclass(error[0], Missing):
        try:
            if os.environ.get("CI") == "true" and not issubclass(error[0], Unfit):
                pytest.fail(f"CI must have every server: {error[1]}", pytrace=False)
            pytest.skip(str(error[1]))
        except BaseException as e:
            outcome.force_exception(e) if hasattr(outcome, "force_exception") else outcome._set(e)


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
