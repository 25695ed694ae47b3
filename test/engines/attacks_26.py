#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""The attack corpus through the plugin, with engine 26.1 behind."""
import os
import sys

REPLAY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(
    __file__))), "attacks", "replay.py")
os.execv(sys.executable, [sys.executable, REPLAY, "--engine", "26.1",
                          "--mode", "dockerd", *sys.argv[1:]])
