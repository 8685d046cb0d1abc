# SPDX-License-Identifier: MIT
"""What the house style asks and a machine can see: sizes, first lines, headers that stand alone, no hidden state."""
import pathlib
import re
import shutil
import subprocess

import pytest
from harness import BUILD, ROOT

MOST_LINES, MOST_FUNCTION_LINES = 500, 60
CODE = {".c", ".h", ".py", ".sh", ".mk"}


def files(*suffixes):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        paths = [ROOT / line for line in listed.stdout.splitlines()]
    else:  # not a clone
        paths = [p for p in ROOT.rglob("*") if "build" not in p.parts and ".git" not in p.parts]
    return sorted(p for p in paths if p.is_file() and p.suffix in (suffixes or CODE))


def name(path):
    return str(path.relative_to(ROOT))


def test_no_file_has_more_than_500_lines():
    long = {name(p): n for p in files() if (n := len(p.read_text().splitlines())) > MOST_LINES}
    assert not long


def functions(path):
    """(first line number, number of lines, lines of the comment above) of each C function."""
    lines = path.read_text().splitlines()
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            head = start
            while head > 0 and lines[head - 1].strip() and not lines[head - 1].startswith(("}", "#", "/*", " *", " */")):
                head -= 1
            above = []
            at = head - 1
            while at >= 0 and lines[at].startswith(("/*", " *", "*/")):
                above.append(lines[at])
                at -= 1
            yield head + 1, number - head + 1, above
            start = None


def test_no_function_has_more_than_60_lines_without_a_reason():
    long = [f"{name(p)}:{line} {count} lines" for p in files(".c") for line, count, above in functions(p)
            if count > MOST_FUNCTION_LINES and not any("lines" in text or "long" in text for text in above)]
    assert not long


def test_each_file_starts_with_its_licence_and_its_purpose():
    bad = []
    for path in files():
        if path.name == "libs.mk":
            continue  # one line of its own
        lines = path.read_text().splitlines() + ["", "", ""]
        first = 1 if lines[0].startswith("#!") else 0
        if "SPDX-License-Identifier: MIT" not in lines[first]:
            bad.append(name(path) + ": no SPDX line on top")
        elif not re.match(r'\s*(/\*|#|"""|r?"""|\*)', lines[first + 1]):
            bad.append(name(path) + ": the second line does not say what it is for")
    assert not bad


def test_names_of_people_and_places_of_work_are_not_in_the_project():
    """URLs of package registries and paths of somebody's machine don't belong here."""
    bad = re.compile(r"(?<![\w.])/(home|work|root)/\w|(pypi|npmjs|crates)\.(org|io)|deb\.debian\.org|proxy\.golang")
    found = [f"{name(p)}:{n} {line.strip()[:80]}" for p in files(*CODE, ".md", ".txt", ".conf", ".service")
             for n, line in enumerate(p.read_text(errors="replace").splitlines(), 1)
             if bad.search(line) and p.name != "test_style.py"]
    assert not found


def flags(*packages):
    return subprocess.run(["pkg-config", "--cflags", *packages], capture_output=True, text=True).stdout.split()


@pytest.fixture(scope="module")
def compiler():
    cc = shutil.which("cc")
    if not cc:
        pytest.skip("there is no C compiler")
    return [cc, "-std=c17", "-D_GNU_SOURCE", '-DHASHROOM_VERSION="0"', '-DHASHROOM_LIBDIR="/"', '-DHASHROOM_DATADIR="/"',
            "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-x", "c",
            *flags("libuv", "libcurl", "jansson", "sqlite3", "openssl", "libutf8proc")]


def test_each_header_compiles_alone(compiler, tmp_path):
    broken = []
    for path in files(".h"):
        if path.name == "banned.h":
            continue
        folder = path.parent
        inside = ["-Ibot"] if "bot" in path.parts or "tests" in path.parts else []
        if "tests" in path.parts:  # cmocka.h wants these before it
            inside += ["-include", "stdarg.h", "-include", "setjmp.h", "-include", "stdint.h", "-include", "stddef.h"]
        one = tmp_path / "one.c"
        one.write_text(f'#include "{path}"\n#include "{path}"\nextern int nothing;\n')
        done = subprocess.run([*compiler, *inside, f"-I{folder}", "-Wno-unused-const-variable", "-Wno-unused-function",
                               str(one)], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            broken.append(f"{name(path)}: {done.stderr.splitlines()[:3]}")
    assert not broken


def test_plugins_know_the_public_headers_only():
    public = {"hashroom/plugin.h", "hashroom/network.h"}
    bad = []
    for path in files(".c", ".h"):
        if path.is_relative_to(ROOT / "plugins"):
            for line in path.read_text().splitlines():
                include = re.match(r'#include ["<]([^">]+)[">]', line)
                if include and (include[1].startswith("hashroom/") and include[1] not in public or
                                (ROOT / "bot" / include[1]).exists() and not (path.parent / include[1]).exists()):
                    bad.append(f"{name(path)}: {line}")
    assert not bad


def test_there_is_no_file_level_variable():
    """All state is handed down: no object file has writable data, but for the log's level, secrets and sink."""
    objects = [p for folder in ("bot", "plugins") for p in (BUILD / folder).rglob("*.o")]
    objects = [p for p in objects if p.name != "log.o" and (ROOT / p.relative_to(BUILD)).with_suffix(".c").exists()]
    if not objects:
        pytest.skip("nothing is built yet")
    bad = []
    for path in objects:
        table = subprocess.run(["objdump", "-t", str(path)], capture_output=True, text=True).stdout
        for line in table.splitlines():
            found = re.search(r" O (\.data|\.bss|\*COM\*)\s+[0-9a-f]+\s+(?:\.hidden )?(\S+)$", line)
            if found and not found[2].startswith(("__", ".", "_ub", "LC", "*", "asan")):
                bad.append(f"{name(path)}: {found[2]} in {found[1]}")
    assert not bad
