#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""Debian's docker command, directly and through the proxy: compare_kit.py."""
import sys

import compare_kit

sys.exit(compare_kit.main())
