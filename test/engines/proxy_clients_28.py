#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""compose 2.40 and buildx 0.29 with BuildKit through the proxy, see
clients.py."""
import sys

import clients

sys.exit(clients.through_proxy("28.5"))
