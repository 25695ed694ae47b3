#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""The docker command, buildx and engine 28.5, directly and through the proxy:
test/integration/compare_kit.py."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "integration"))
import compare_kit  # noqa: E402

sys.exit(compare_kit.main("28.5"))
