#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the built fuzz targets for some minutes each and says what came of it; 1 if one of them found something."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

BUILD = pathlib.Path("build/fuzz")
MEMORY_MB, SECONDS_FOR_ONE = 4096, 25
IN_MEMORY = pathlib.Path("/dev/shm")  # for targets that write files


def corpora(name):
    return [p for p in (pathlib.Path("tests/data/fuzz") / name, pathlib.Path("tests/data/fuzz") / f"fuzz_{name}",
                        pathlib.Path("tests/fuzz/corpus") / name) if p.is_dir()]


def run(name, minutes):
    """(name, whole seconds, executions, what it found)"""
    found = BUILD / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    log = BUILD / f"{name}.log"
    begun = time.monotonic()
    env = dict(os.environ, TMPDIR=str(IN_MEMORY)) if os.access(IN_MEMORY, os.W_OK) else None
    with log.open("w") as out:
        code = subprocess.run(
            [BUILD / "fuzz" / name, f"-max_total_time={round(minutes * 60)}", f"-timeout={SECONDS_FOR_ONE}",
             f"-rss_limit_mb={MEMORY_MB}", "-print_final_stats=1", f"-artifact_prefix={BUILD}/{name}-", found,
             *corpora(name)], stdout=out, stderr=subprocess.STDOUT, env=env).returncode
    text = log.read_text(errors="replace")
    executions = re.search(r"stat::number_of_executed_units: *(\d+)", text)
    count = int(executions.group(1)) if executions else max(map(int, re.findall(r"^#(\d+)", text, re.M)), default=0)
    wrote = re.findall(r"Test unit written to (\S+)", text)
    what = "" if code == 0 else wrote[-1] if wrote else f"ended with {code}, see {log}"
    print(line(name, time.monotonic() - begun, count, what), flush=True)
    return name, time.monotonic() - begun, count, what


def line(name, seconds, count, what):
    return f"{name:18} {seconds:6.0f} s {count:12} executions  {what or 'nothing found'}"


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--minutes", type=float, default=10)
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("names", nargs="+")
    args = ask.parse_args()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        all_runs = list(pool.map(lambda name: run(name, args.minutes), args.names))
    print("\nall targets:")
    for one in all_runs:
        print(line(*one))
    sys.exit(any(what for *_, what in all_runs))


if __name__ == "__main__":
    main()
