#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/profile-keys.txt is what `portreeve api --keys` prints; `make docs`
writes it anew.  The manual says the same of each key."""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("PORTREEVE_BUILD") or os.path.join(ROOT, "build")
PAGE = os.path.join(ROOT, "docs", "profile-keys.txt")


def manual():
    """portreeve-policy(5) has each key with its bodies."""
    with open(os.path.join(ROOT, BUILD, "share/man5/portreeve-policy.5"),
              encoding="utf-8") as f:
        page = re.sub(r"\n(?!\.)", " ", f.read())
    rows = json.loads(subprocess.run(
        [os.path.join(ROOT, BUILD, "portreeve"), "api", "--keys", "-o",
         "json"], capture_output=True, text=True, check=True).stdout)
    bad = [r["key"] for r in rows if not re.search(
        rf"^\.It Cm {re.escape(r['key'])} \((soft|hard); of "
        rf"{re.escape(r['bodies'] or '')};", page, re.M)]
    if bad or not rows:
        print("FAILED portreeve-policy(5) does not say what is asked of",
              *bad)
    return not bad and bool(rows)


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
    told = manual()
    print(f"{int(same) + int(told)} passed, "
          f"{int(not same) + int(not told)} failed")
    return int(not (same and told))


if __name__ == "__main__":
    sys.exit(main())
