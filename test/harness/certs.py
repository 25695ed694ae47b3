# SPDX-License-Identifier: Apache-2.0
"""A throw-away CA, made with `portreeve cert`."""
import os
import subprocess

from .room import BUILD, HarnessError


class Lab:
    """One CA in a folder; server() and client(cn) give (cert, key) paths."""

    def __init__(self, folder, name="Lab CA"):
        self.folder = folder
        self.name = name
        self.run("ca", "--cn", name)
        self.ca = os.path.join(folder, "ca.pem")

    def run(self, verb, *args):
        done = subprocess.run(
            [os.path.join(BUILD, "portreeve"), "cert", verb, "--dir",
             self.folder, *args], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise HarnessError(f"portreeve cert {verb}: {done.stderr}")

    def pair(self, stem):
        return (os.path.join(self.folder, stem + ".pem"),
                os.path.join(self.folder, stem + ".key"))

    def server(self, name="docker"):
        self.run("server", "--cn", name, "--ip", "127.0.0.1", "--dns",
                 "localhost", "--out", name)
        return self.pair(name)

    def client(self, cn, *args):
        self.run("client", "--cn", cn, "--out", cn, *args)
        return self.pair(cn)

    def bundle(self, cn):
        """A folder for DOCKER_CERT_PATH, of a client that was made."""
        out = os.path.join(self.folder, cn + ".docker")
        if not os.path.isdir(out):
            self.run("bundle", "--out", out, cn)
        return out
