#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""The docker SDK for Python under role developer and profile baseline."""
import sys

import clients_kit as kit

with kit.Room("sdk") as room:
    site = kit.Site(room)
    kit.sdk(site)
    sys.exit(site.end())
