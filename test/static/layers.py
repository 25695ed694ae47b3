#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The arrows between the layers, proved from the #include lines.

plugin/ and proxy/ → include/ → policy/; who may know which library is a row
of THIRD.  Deleting a row or adding a wrong #include makes this fail: the
second half checks the checker on lines that must be refused.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
FOLDERS = ("include", "policy", "plugin", "proxy", "certs", "test")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)

# a header of a library, and the folders that may see it
THIRD = [
    (r"microhttpd\.h$", ("plugin/", "test/")),
    (r"yaml\.h$", ("policy/lang/", "test/")),
    (r"(ldap|lber|ldap_schema|ldif|sasl/sasl)\.h$",
     ("policy/directory/", "test/")),
    (r"sqlite3\.h$", ("policy/inventory/", "policy/audit/", "test/")),
    (r"openssl/ssl\.h$", ("proxy/", "test/")),
    (r"openssl/(?!ssl\.h)", ("policy/", "certs/", "proxy/", "test/")),
    (r"seccomp\.h$", ("policy/base/", "test/")),
    (r"jansson\.h$", ("policy/", "test/")),
    (r"check\.h$", ("test/",)),
]
# headers of include/portreeve that a folder must not see
BARRED = [
    ("policy/eval/", r"portreeve/(directory|inventory|ledger|audit)\.h$",
     "eval/ gets teams and facts as data"),
    ("policy/base/", r"portreeve/(?!compiler|caps|str|arena|buf|err|diag|"
     r"clock|digest|sign|pem_key|log|file|glob|dn|notify|reason|version|"
     r"confine|eyes|service)",
     "base/ stands on nothing"),
    ("policy/json/", r"portreeve/(policy|decide|directory|inventory|audit|"
     r"identity|eval|judge|lang)\.h$", "json/ knows no policy"),
]
# the enum of operations is made of the rows of the table; the parts of the
# programs are no library and are tested in their own words
ODD = {("include/portreeve/api.h", "docker_api.def"),
       ("test/unit/test_cli.c", "cli.h"),
       ("test/unit/test_cli_policy.c", "cli.h"),
       ("test/unit/test_signature.c", "cli.h"),
       ("test/unit/test_command.c", "docker_flags.def"),
       ("test/unit/test_body.c", "body.h"),
       ("test/unit/test_pending.c", "local.h"),
       ("test/unit/test_break_glass.c", "local.h"),
       ("test/unit/test_response.c", "local.h"),
       ("test/unit/test_teams.c", "local.h"),
       ("test/tools/decide.c", "local.h"),
       ("test/unit/test_usage.c", "usage.h"),
       ("test/unit/test_runs.c", "runs.h"),
       ("test/unit/test_call.c", "call.h"),
       ("test/unit/test_flight.c", "flight.h"),
       ("test/fuzz/fuzz_call.c", "call.h"),
       ("test/unit/test_http.c", "http.h"),
       ("test/unit/test_proxy.c", "subjects.h"),
       ("test/fuzz/fuzz_http.c", "http.h")}
STD = re.compile(r"^(sys|linux|net|netinet|arpa|asm|bits)/|^[a-z_0-9]+\.h$|"
                 r"^(gnu|valgrind|sanitizer)/")


def judge(path, kind, name, exists):
    """One #include of one file: why it is wrong, or None."""
    folder = os.path.dirname(path) + "/"
    if kind == '"':
        if name.startswith("../") or "/../" in name:
            return "leaves its folder"
        if (path, name) in ODD:
            return None
        near = os.path.normpath(os.path.join(folder, name))
        if exists(near) or (path.startswith("test/") and
                            exists(os.path.join("test", name))):
            return None
        return "is not a header of its own folder"
    if name.startswith("portreeve/"):
        for prefix, pattern, why in BARRED:
            if path.startswith(prefix) and re.match(pattern, name):
                return why
        return None if exists("include/" + name) else "does not exist"
    for pattern, allowed in THIRD:
        if re.match(pattern, name):
            if path.startswith("include/"):
                return "a contract names no library"
            return None if path.startswith(allowed) else \
                "may be seen only by " + " ".join(allowed)
    return None if STD.match(name) else "an unknown library"


def sources():
    for top in FOLDERS:
        for folder, _, files in os.walk(os.path.join(ROOT, top)):
            for f in sorted(files):
                if f.endswith((".c", ".h", ".def")):
                    yield os.path.relpath(os.path.join(folder, f), ROOT)


def self_check():
    """Lines that must be refused, and lines that must pass."""
    rows = [
        ("include/portreeve/x.h", "<", "jansson.h", False),
        ("include/portreeve/x.h", "<", "portreeve/arena.h", True),
        ("policy/eval/x.c", "<", "portreeve/directory.h", False),
        ("policy/eval/x.c", "<", "portreeve/inventory.h", False),
        ("policy/eval/x.c", "<", "microhttpd.h", False),
        ("policy/eval/x.c", "<", "ldap.h", False),
        ("policy/judge/x.c", "<", "openssl/ssl.h", False),
        ("policy/base/x.c", "<", "openssl/evp.h", True),
        ("policy/directory/x.c", "<", "ldap.h", True),
        ("policy/directory/x.c", "<", "yaml.h", False),
        ("policy/lang/x.c", "<", "yaml.h", True),
        ("plugin/x.c", "<", "microhttpd.h", True),
        ("plugin/x.c", "<", "openssl/ssl.h", False),
        ("plugin/x.c", '"', "../proxy/x.h", False),
        ("plugin/x.c", '"', "proxy/x.h", False),
        ("proxy/x.c", '"', "../policy/api/x.h", False),
        ("proxy/x.c", "<", "microhttpd.h", False),
        ("policy/base/x.c", "<", "curl/curl.h", False),
        ("policy/base/x.c", "<", "string.h", True),
    ]
    bad = 0
    for path, kind, name, good in rows:
        why = judge(path, kind, name, lambda p: p.startswith("include/"))
        if (why is None) != good:
            print(f"FAIL the checker misjudges {path}: {name}: {why}")
            bad += 1
    return len(rows), bad


def main():
    rows, bad = self_check()
    passed = rows - bad
    for path in sources():
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            text = f.read()
        for m in INCLUDE.finditer(text):
            why = judge(path, m[1], m[2], lambda p: os.path.exists(
                os.path.join(ROOT, p)))
            if why is None:
                passed += 1
            else:
                line = text.count("\n", 0, m.start(2)) + 1
                print(f"FAIL {path}:{line}: {m[2]}: {why}")
                bad += 1
    print(f"{passed} passed, {bad} failed")
    return 1 if bad or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
