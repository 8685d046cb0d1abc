# SPDX-License-Identifier: MIT
"""The map in the README names every folder and each file of the host; code samples compile; the man page knows all commands."""
import re
import subprocess

import pytest
from harness import PROGRAM, ROOT
from test_style import compiler, files  # noqa: F401  (a fixture)

README = (ROOT / "README.md").read_text()


def tracked():
    return [p.relative_to(ROOT) for p in files(".c", ".h", ".py", ".sh", ".mk", ".md", ".conf", ".example", ".in", "")]


def test_the_map_names_every_folder():
    top = sorted({p.parts[0] for p in tracked() if len(p.parts) > 1})
    missing = [f for f in top if f"`{f}/" not in README]
    under = sorted({p.parts[1] for p in tracked() if p.parts[0] in ("plugins", "tests") and len(p.parts) > 2})
    missing += [f for f in under if f"{f}/`" not in README]
    assert not missing


def test_the_map_names_each_file_of_the_host():
    missing = [p.name for p in tracked() if p.parts[0] == "bot" and p.suffix == ".c" and p.stem not in re.findall(
        r"[\w-]+", README)]
    assert not missing


def test_the_map_names_nothing_that_is_not_there():
    gone = [name for name in re.findall(r"`([\w./-]+\.(?:c|h|py|sh|mk|md))`", README)
            if not (ROOT / name).exists() and not list(ROOT.glob(f"*/{name}")) and not list(ROOT.glob(f"*/*/{name}"))]
    assert not gone


def samples():
    """C code in the documents, and in the comments of the public headers."""
    for path in files(".md", ".h"):
        if path.suffix == ".h" and "include" not in path.parts:
            continue
        for number, code in enumerate(re.findall(r"```c\n(.*?)```", path.read_text(), re.S), 1):
            yield pytest.param(code, id=f"{path.name}-{number}")


@pytest.mark.parametrize("code", list(samples()) or [pytest.param("", id="none")])
def test_code_samples_compile(compiler, tmp_path, code):  # noqa: F811
    one = tmp_path / "sample.c"
    head = "#include <hashroom/plugin.h>\n#include <hashroom/network.h>\n#include <stdlib.h>\n#include <string.h>\n"
    if not re.search(r"^\w.*\n?\{|^(static|const|struct|extern|#)", code, re.M):  # statements
        code = ("extern struct hr_bot *bot; extern const struct hr_api *api; extern void *state;\n"
                "int sample(void);\nint sample(void)\n{\n" + code + "\nreturn 0;\n}\n")
    one.write_text(head + code)
    done = subprocess.run([*compiler, "-Wno-unused", str(one)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_two_commands_are_targets():
    for target in ("demo", "check", "check-unit", "bench", "install"):
        done = subprocess.run(["make", "-n", target, "DESTDIR=/nowhere"], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_man_page_and_help_know_the_same_commands():
    page = (ROOT / "docs" / "hashroom.1").read_text()
    said = subprocess.run([str(PROGRAM), "--help"], capture_output=True, text=True).stdout
    commands = re.findall(r"^  ([a-z][\w-]+)", said, re.M)
    assert {"run", "check", "doctor", "plugins", "example", "rehearse", "export", "new-plugin"} <= set(commands)
    assert not [c for c in commands if c not in page.replace("\\-", "-")]


def test_examples_are_what_the_program_prints():
    """config/*.example come from the option tables."""
    for path in sorted((ROOT / "config" / "plugins").glob("*.example")):
        printed = subprocess.run([str(PROGRAM), "example", path.name.split(".")[0]], capture_output=True, text=True).stdout
        assert printed == path.read_text(), f"{path.name}: make it anew with: hashroom example {path.name.split('.')[0]}"
