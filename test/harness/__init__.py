# SPDX-License-Identifier: Apache-2.0
"""What the tests share that is not C: real daemons in private rooms.

Every class here starts a real program (dockerd, slapd, portreeve-plugin) with
nothing but a private folder, loopback and unix sockets, and takes it down
again whole.  Nothing that runs on the machine already is touched.
"""
from .certs import Lab
from .dockerd import Dockerd
from .plugin import Plugin
from .podman import Podman
from .proxy import Proxy
from .report import Report
from .room import BUILD, ROOT, HarnessError, Room
from .slapd import Slapd
from .wire import Api, authz_call, post, request

__all__ = ["Api", "BUILD", "Dockerd", "HarnessError", "Lab", "Plugin", "Podman",
           "Proxy", "ROOT", "Report", "Room", "Slapd", "authz_call", "post", "request"]
