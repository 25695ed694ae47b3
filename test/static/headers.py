#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each contract of include/ compiles alone and says what it is.

Alone: as a file of its own, under gcc and clang with warnings as errors,
included twice.  It has an SPDX line, a guard named after it, a comment of
its own and a comment above (or beside) every function it declares.
"""
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-Iinclude", "-Ipolicy/api",
         "-Wall", "-Wextra",
         "-Werror", "-Wstrict-prototypes", "-fsyntax-only", "-x", "c", "-"]


def alone(name, cc):
    text = f"#include <{name}>\n#include <{name}>\n" \
           "extern int pr_only_to_be_a_unit;\n"
    done = subprocess.run([cc, *FLAGS], input=text, text=True, cwd=ROOT,
                          capture_output=True, check=False)
    return done.stderr.strip() if done.returncode else None


def guard_of(name):
    return "PR_" + os.path.basename(name)[:-2].upper().replace("-", "_") + "_H"


def text_faults(name, text):
    if not text.startswith("/* SPDX-License-Identifier: Apache-2.0 */"):
        yield "no SPDX line"
    guard = guard_of(name)
    if not re.search(rf"#ifndef {guard}\n#define {guard}\n", text):
        yield f"no include guard {guard}"
    rest = text.split("\n", 1)[1]
    if len(re.findall(r"/\*.*?\*/", rest, re.S)) == 0 and "(" in rest:
        yield "no comment says what it is"
    yield from bare_functions(text)


def bare_functions(text):
    """Declared functions in a block of lines that has no comment at all."""
    for block in re.split(r"\n\s*\n", text):
        if "/*" in block or "*/" in block:
            continue
        m = re.search(r"^[a-z][\w \t\*]*[ \*](pr_\w+)\([^;{]*\)[^;{]*;", block,
                      re.M)
        if m:
            yield f"{m[1]} has no comment"


def main():
    passed = failed = 0
    compilers = [c for c in ("gcc", "clang") if shutil.which(c)]
    names = sorted(os.path.relpath(p, os.path.join(ROOT, "include"))
                   for p in glob.glob(os.path.join(ROOT,
                                                   "include/portreeve/*.h")))
    jobs = [(n, c) for n in names for c in compilers]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (n, c), wrong in zip(jobs, pool.map(lambda j: alone(*j), jobs)):
            if wrong:
                print(f"FAIL {n} does not compile alone with {c}:\n{wrong}")
            failed += bool(wrong)
            passed += not wrong
    for n in names:
        with open(os.path.join(ROOT, "include", n), encoding="utf-8") as f:
            faults = list(text_faults(n, f.read()))
        for fault in faults:
            print(f"FAIL include/{n}: {fault}")
        failed += len(faults)
        passed += not faults
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
