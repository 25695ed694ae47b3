#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Real clients of engine 28.5, see clients.py."""
import sys

import clients

sys.exit(clients.main("28.5"))
