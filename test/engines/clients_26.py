#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Real clients of engine 26.1, see clients.py."""
import sys

import clients

sys.exit(clients.main("26.1"))
