#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""docker-compose 1.29 and the docker SDK for Python through the proxy: role
developer and profile baseline, as behind the plugin."""
import sys

import clients_kit as kit

with kit.Room("pclients") as room:
    site = kit.Site(room, door="proxy")
    kit.compose(site, ["docker-compose"])
    kit.sdk(site)
    sys.exit(site.end())
