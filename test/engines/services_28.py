#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Services on a real swarm, with engine 28.5 behind."""
import os
import sys

TEST = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(
    __file__))), "integration", "services_dockerd.py")
os.execv(sys.executable, [sys.executable, TEST, "28.5"])
