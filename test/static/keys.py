#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/profile-keys.txt is what `portreeve api --keys` prints; `make docs`
writes it anew."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("PORTREEVE_BUILD") or os.path.join(ROOT, "build")
PAGE = os.path.join(ROOT, "docs", "profile-keys.txt")


def main():
    done = subprocess.run([os.path.join(ROOT, BUILD, "portreeve"), "api",
                           "--keys"], capture_output=True, text=True,
                          check=True)
    if sys.argv[1:] == ["--write"]:
        with open(PAGE, "w", encoding="ascii") as f:
            f.write(done.stdout)
        return 0
    with open(PAGE, encoding="ascii") as f:
        same = f.read() == done.stdout
    if not same:
        print("FAILED docs/profile-keys.txt is old: run `make docs`")
    print(f"{int(same)} passed, {int(not same)} failed")
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
