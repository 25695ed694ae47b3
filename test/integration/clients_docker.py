#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# slow
"""A developer's day with Debian's docker command: role developer, profile
baseline of packaging/policy/plugin-only.yaml, a real dockerd behind."""
import sys

import clients_kit as kit

with kit.Room("clients") as room:
    site = kit.Site(room)
    kit.ordinary(site)
    kit.classic_build(site)
    # BuildKit's client in this docker command: it shows the status alone
    status, _, text = site.run("alice", "docker", "build", kit.context(site),
                               env={"DOCKER_BUILDKIT": "1"})
    site.r.check(status != 0 and "403" in text,
                 "alice is refused $ DOCKER_BUILDKIT=1 docker build", text)
    sys.exit(site.end())
