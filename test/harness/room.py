# SPDX-License-Identifier: Apache-2.0
"""A private folder for one run, and the small things every daemon needs."""
import atexit
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("PORTREEVE_BUILD",
                                       os.path.join(ROOT, "build")))
PR_SET_PDEATHSIG = 1


class HarnessError(Exception):
    """The surroundings failed; says what and shows the end of the log."""


def die_with_parent():
    """In a child before exec: be killed when the test that started it dies."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(what, ready, timeout=60.0, proc=None, log=None):
    """Polls ready() until it is true; fails loudly, with the log's end."""
    end = time.monotonic() + timeout
    while True:
        if ready():
            return
        if proc is not None and proc.poll() is not None:
            raise HarnessError(f"{what}: ended with status {proc.returncode}"
                               + tail(log))
        if time.monotonic() > end:
            raise HarnessError(f"{what}: not ready after {timeout:.0f} s"
                               + tail(log))
        time.sleep(0.02)


def tail(path, lines=25):
    """The last lines of a log, indented, or nothing."""
    if path is None or not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as f:
        last = f.read().splitlines()[-lines:]
    return "\n" + "\n".join("    " + x for x in last)


def end_process(proc, timeout=15.0, sig=signal.SIGTERM):
    """Asks, waits, then kills; returns the exit status."""
    if proc.poll() is None:
        proc.send_signal(sig)
        try:
            proc.wait(timeout)
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.wait()
    return proc.returncode


class Room:
    """A private folder; leave() runs what was pushed, newest first."""

    def __init__(self, name="portreeve", keep=False):
        base = os.environ.get("TMPDIR", "/tmp")
        # unix socket names are short: so is the folder's
        self.path = tempfile.mkdtemp(prefix=name[:10] + ".", dir=base)
        self.keep = keep
        self.undo = []
        atexit.register(self.leave)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.leave()

    def __call__(self, *parts):
        return os.path.join(self.path, *parts)

    def mkdir(self, *parts, mode=0o755):
        path = self(*parts)
        os.makedirs(path, mode=mode, exist_ok=True)
        return path

    def write(self, name, text, mode=0o644):
        path = self(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode()
        # written beside and renamed: a reader sees the old or the new one
        with open(path + ".new", "wb") as f:
            f.write(data)
        os.chmod(path + ".new", mode)
        os.rename(path + ".new", path)
        return path

    def push(self, undo):
        """undo() is called when the room is left."""
        self.undo.append(undo)

    def leave(self):
        while self.undo:
            undo = self.undo.pop()
            try:
                undo()
            except (OSError, HarnessError, subprocess.SubprocessError) as e:
                print(f"leaving {self.path}: {e}", file=sys.stderr)
        if not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)
        atexit.unregister(self.leave)
