# SPDX-License-Identifier: Apache-2.0
"""Counting checks, in sentences; the last line is what test/run sums."""
import sys


class Report:
    def __init__(self, verbose=True):
        self.passed = 0
        self.failed = 0
        self.verbose = verbose

    def check(self, ok, sentence, note=""):
        """One check; a failed one is always shown, with its note."""
        if ok:
            self.passed += 1
        else:
            self.failed += 1
        if not ok or self.verbose:
            line = f"{'ok  ' if ok else 'FAIL'} {sentence}"
            if note and not ok:
                line += f"\n     {note}"
            print(line, flush=True)
        return ok

    def equal(self, got, want, sentence):
        return self.check(got == want, sentence, f"got {got!r}, not {want!r}")

    def end(self):
        """Prints the closing line; the program's exit status."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.failed == 0 and self.passed > 0 else 1

    def exit(self):
        sys.exit(self.end())
