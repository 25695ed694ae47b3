#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""docker-compose of this machine (1.29 on Debian 12): a project of three
services under role developer and profile baseline."""
import sys

import clients_kit as kit

with kit.Room("compose") as room:
    site = kit.Site(room)
    kit.compose(site, ["docker-compose"])
    sys.exit(site.end())
