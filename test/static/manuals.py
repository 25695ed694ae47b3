#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Manual pages: clean for mandoc, complete, and their references exist; the
completions of bash and zsh know every command, option and closed set."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("PORTREEVE_BUILD",
                                       os.path.join(ROOT, "build")))
SHARE = os.path.join(BUILD, "share")
PROGRAM = os.path.join(BUILD, "portreeve")
sys.path.insert(0, os.path.join(ROOT, "test"))
from harness.report import Report  # noqa: E402

# asks for completions of the words as readline would: one a line
BASH = r"""
. /usr/share/bash-completion/bash_completion
. "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_portreeve
printf '%s\n' "${COMPREPLY[@]}"
"""


def pages():
    out = {}
    for folder in sorted(os.listdir(SHARE)):
        if folder.startswith("man"):
            for name in os.listdir(os.path.join(SHARE, folder)):
                out[name] = os.path.join(SHARE, folder, name)
    return out


def commands():
    """[(name, [option])] as --help says them."""
    done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True,
                          check=True)
    part = done.stdout.split("commands:\n")[1].split("\n\n")[0]
    out = []
    for line in part.splitlines():
        name = line[2:18].strip()
        text = subprocess.run([PROGRAM, *name.split(), "--help"], text=True,
                              capture_output=True, check=True).stdout
        out.append((name, re.findall(r"^ +(?:-\w, )?--([a-z-]+)", text.split(
            "options:\n")[1].split("\nexamples:")[0], re.M)))
    return out


def lint(r, found):
    for name, path in found.items():
        done = subprocess.run(["mandoc", "-Tlint", "-Wstyle", path],
                              capture_output=True, text=True, check=False)
        # only installed pages are found there: see references()
        says = [x for x in done.stdout.splitlines()
                if "referenced manual not found" not in x]
        r.check(not says, f"{name}: mandoc finds nothing", "\n".join(says))
    done = subprocess.run(["mandoc", "-Tlint", "-Wstyle"], text=True,
                          input=".Dd x\n.Sh NAME\n.Nm a\nhi. There\n",
                          capture_output=True, check=False)
    r.check("STYLE" in done.stdout or "WARNING" in done.stdout,
            "… which would find something")


def references(r, found):
    for name, path in found.items():
        with open(path, encoding="utf-8") as f:
            text = f.read()
        missing = {f"{a}.{b}" for a, b in re.findall(
            r"^\.(?:It )?Xr (\S+) (\d)", text, re.M)} - set(found)
        r.check(not missing, f"{name}: its references exist", str(missing))
        r.check(not re.search(r"^@", text, re.M),
                f"{name}: nothing was left to fill in")


def complete(r, found, all_commands):
    for name, options in all_commands:
        page = "portreeve-" + name.replace(" ", "-") + ".1"
        if not r.check(page in found, f"{page} is there"):
            continue
        with open(found[page], encoding="utf-8") as f:
            text = f.read()
        missing = [o for o in options if o != "help"
                   and f"Fl \\-{o}" not in text.replace("\\-\\-", "\\-")]
        r.equal(missing, [], f"{page} has every option")
    with open(found["portreeve.1"], encoding="utf-8") as f:
        text = f.read()
    r.check(all("Xr portreeve-" + n.replace(" ", "-") in text
                for n, _ in all_commands), "portreeve(1) has every command")
    for program in ("portreeve-plugin", "portreeve-proxy"):
        if os.path.exists(os.path.join(BUILD, program)):
            r.check(program + ".8" in found, f"{program}(8) is there")
    with open(found["portreeve.yaml.5"], encoding="utf-8") as f:
        text = f.read()
    for key in ("daemon.name", "directory.tls.ca", "proxy.listen[].tls.crl",
                "audit.segment", "policy_signature.min_serial"):
        r.check(f".It Cm {key}\n" in text, f"portreeve.yaml(5): {key}")
    with open(os.path.join(ROOT, "include/portreeve/profile_keys.def"),
              encoding="utf-8") as f:
        keys = re.findall(r'^PROFILE_KEY\(\w+, +"([^"]+)"', f.read(), re.M)
    with open(found["portreeve-policy.5"], encoding="utf-8") as f:
        text = f.read()
    r.equal([k for k in keys if f".It Cm {k}\n" not in text], [],
            f"portreeve-policy(5): {len(keys)} keys of profiles")


def bash(*words):
    env = {**os.environ, "PATH": BUILD + ":" + os.environ["PATH"]}
    done = subprocess.run(
        ["bash", "-c", BASH, "bash", os.path.join(SHARE, "bash/portreeve"),
         "portreeve", *words], capture_output=True, text=True, check=False,
        env=env)
    return set(done.stdout.split()) if not done.stderr else {done.stderr}


FORMATS = {"table", "json", "jsonl", "csv"}
ASKED = [ # words, what must be among the answers, what must not
    ([""], {"log", "cert", "doctor", "--version"}, {"ca"}),
    (["l"], {"log"}, {"cert"}),
    (["cert", ""], {"ca", "client", "inspect"}, {"log"}),
    (["log", ""], {"verify"}, {"ca"}),
    (["log", "verify", "--"], {"--head", "--partial"}, {"--follow"}),
    (["log", "--"], {"--follow", "--verdict"}, {"--head"}),
    (["log", "--verdict", ""], {"allow", "deny", "would-deny"}, {"json"}),
    (["log", "-v", "a"], {"allow"}, {"deny"}),
    (["log", "--action", "container.cr"], {"container.create"},
     {"image.pull"}),
    (["log", "--reason", "no-"], {"no-grant", "no-profile"}, {"busy"}),
    (["can", "alice", "image.pu"], {"image.pull", "image.push"},
     {"container.create"}),
    (["check", "Mak"], {"Makefile"}, {"README.md"}),
    (["check", "--config", "READ"], {"README.md"}, set()),
    (["help", "doc"], {"doctor"}, {"log"}),
    (["cert", "client", "--key", "rsa"], {"rsa-2048"}, {"ed25519"}),
]


def bash_completes(r, all_commands):
    for words, must, never in ASKED:
        got = bash(*words)
        r.check(must <= got and not never & got, "bash: portreeve "
                + " ".join(words), str(sorted(got)))
    for name, options in all_commands:
        got = bash(*name.split(), "--")
        r.equal({"--" + o for o in options} - got, set(),
                f"bash: every option of {name}")
        if "output" in options:
            r.equal(bash(*name.split(), "-o", ""), FORMATS,
                    f"bash: the formats of {name}")
    done = subprocess.run(["shellcheck", os.path.join(SHARE,
                                                      "bash/portreeve")],
                          capture_output=True, text=True, check=False)
    r.equal(done.returncode, 0, "shellcheck: " + done.stdout[:300])


def zsh_knows(r, all_commands):
    path = os.path.join(SHARE, "zsh/_portreeve")
    done = subprocess.run(["zsh", "-n", path], capture_output=True, text=True,
                          check=False)
    r.equal((done.returncode, done.stderr), (0, ""), "zsh reads it")
    # the function, with zsh's helpers replaced by ones that print
    script = ("_arguments() { print -rl -- \"$@\" }; "
              "_describe() { print -rl -- ${(P)2} }; "
              "compadd() { print -rl -- ${(P)2} }; "
              "words=(portreeve \"${@:2}\"); CURRENT=$#words; . $1")

    def ask(*words):
        done = subprocess.run(["zsh", "-fc", script, "zsh", path, *words],
                              capture_output=True, text=True, check=False)
        return done.stdout + done.stderr
    got = ask("")
    names = {n.split()[0] for n, _ in all_commands}
    r.equal({n for n in names if not re.search(
        rf"^{n}(:|$)", got, re.M)}, set(), "zsh: every command")
    for name, options in all_commands:
        got = ask(*name.split(), "--x")
        r.equal({o for o in options if not re.search(
            rf"--{o}[=+']?'?\[|,--{o}\}}|--{o}\[", got)
            and f"--{o}" not in got}, set(), f"zsh: every option of {name}")
        if "output" in options:
            r.check("(table json jsonl csv)" in got,
                    f"zsh: the formats of {name}", got)
    got = ask("cert", "")
    r.check("client" in got and "inspect" in got, "zsh: a family", got)


def tables(r):
    """The generated part of docs/security.md is what the programs do."""
    with open(os.path.join(ROOT, "docs/security.md"), encoding="utf-8") as f:
        text = f.read()
    with open(os.path.join(SHARE, "doc/security-tables.md"),
              encoding="utf-8") as f:
        made = f.read()
    r.check(made.count("\n| ") > 30, "tables of calls, capabilities, places")
    part = text.split("<!-- generated -->\n")[1].split("<!-- end -->")[0]
    r.check(part == made, "docs/security.md says what the tables say",
            "replace the part between the marks by "
            "build/share/doc/security-tables.md")


def main():
    r = Report()
    tables(r)
    found = pages()
    all_commands = commands()
    r.check(len(all_commands) > 15, f"{len(all_commands)} commands")
    lint(r, found)
    references(r, found)
    complete(r, found, all_commands)
    bash_completes(r, all_commands)
    zsh_knows(r, all_commands)
    return r.end()


if __name__ == "__main__":
    sys.exit(main())
