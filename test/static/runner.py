#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test/run itself: what it must call a failure, it calls a failure."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import Report  # noqa: E402

RUN = os.path.join(os.path.dirname(HERE), "run")
# what a program does; the expected closing line, and words of the report
ROWS = [
    ("two good checks", "echo 2 passed, 0 failed", "2 passed, 0 failed", ""),
    ("a failed check", "echo 2 passed, 1 failed; exit 1",
     "2 passed, 1 failed", ""),
    ("a failed check and exit 0", "echo 2 passed, 1 failed",
     "2 passed, 1 failed", ""),
    ("no closing line", "echo all is well", "0 passed, 1 failed",
     "no closing line"),
    ("nothing checked", "echo 0 passed, 0 failed", "0 passed, 1 failed",
     "checked nothing"),
    ("a good line and a bad status", "echo 3 passed, 0 failed; exit 3",
     "3 passed, 1 failed", "exit status 3"),
    ("a crash after the line", "echo 3 passed, 0 failed; kill -SEGV $$",
     "3 passed, 1 failed", "exit status -11"),
    ("a process left behind", "sleep 600 & echo 1 passed, 0 failed",
     "1 passed, 1 failed", "left behind: "),
    ("a daemon left behind",
     "setsid sh -c 'sleep 600 & exit' & wait; echo 1 passed, 0 failed",
     "1 passed, 1 failed", "left behind: "),
    ("a hang", "echo 1 passed, 0 failed; exec sleep 600",
     "1 passed, 1 failed", "hung"),
]


def run(root, script, scale="1"):
    folder = os.path.join(root, "test", "attacks")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "program.sh")
    with open(path, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\n" + script + "\n")
    os.chmod(path, 0o755)
    return subprocess.run([RUN, "--build", os.path.join(root, "build"),
                           "--limit", scale], text=True, check=False,
                          env={**os.environ, "TEST_ROOT": root},
                          capture_output=True)


def main():
    r = Report()
    for name, script, want, words in ROWS:
        with tempfile.TemporaryDirectory() as root:
            done = run(root, script, "2" if name == "a hang" else "60")
            got = done.stdout.splitlines()[-1]
            r.check(got == want and words in done.stdout
                    and (done.returncode == 0) == want.endswith(" 0 failed"),
                    f"{name}: {want}", f"{done.stdout}{done.stderr}")
    with tempfile.TemporaryDirectory() as root:
        done = subprocess.run([RUN, "--build", root], text=True, check=False,
                              env={**os.environ, "TEST_ROOT": root},
                              capture_output=True)
        r.check(done.returncode == 1, "no program at all: failed")
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
