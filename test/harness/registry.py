#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry that only gives: images by tag and by manifest digest.

As a program it serves a folder made by Registry inside the network of a
dockerd, where 127.0.0.1 is one that needs no TLS.
"""
import gzip
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys

PORT = 5000
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    """add(name, tag, tar) makes an image; start(dockerd) serves them all."""

    def __init__(self, room, name="registry"):
        self.room = room
        self.folder = room.mkdir(name)
        self.proc = None

    def keep(self, data):
        with open(os.path.join(self.folder, digest(data)), "wb") as f:
            f.write(data)
        return {"digest": digest(data), "size": len(data)}

    def add(self, name, tag, tar, config=None):
        """The manifest's digest."""
        body = json.dumps({
            "architecture": "amd64", "os": "linux", "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": [digest(tar)]}}).encode()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, **self.keep(body)},
            "layers": [{"mediaType": LAYER,
                        **self.keep(gzip.compress(tar, mtime=0))}]}).encode()
        out = self.keep(manifest)["digest"]
        self.room.mkdir(os.path.basename(self.folder), "tags")
        with open(os.path.join(self.folder, "tags",
                               f"{name}:{tag}".replace("/", "_")), "w",
                  encoding="ascii") as f:
            f.write(out)
        return out

    def start(self, dockerd):
        # dies with the network that it is in, and with the test
        self.proc = subprocess.Popen(
            dockerd.enter(sys.executable, os.path.abspath(__file__),
                          self.folder),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.room.push(self.stop)
        self.proc.stdout.readline()
        return self

    def stop(self):
        if self.proc is not None:
            self.proc.kill()
            self.proc.wait()
            self.proc.stdout.close()
            self.proc = None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def find(self):
        """(content type, digest, bytes), or None."""
        m = re.fullmatch(r"/v2/([a-z0-9/]+)/(manifests|blobs)/([a-z0-9:.-]+)",
                         self.path)
        if m is None:
            return None
        name, kind, ref = m.groups()
        try:
            if not ref.startswith("sha256:"):
                tag = f"{name}:{ref}".replace("/", "_")
                with open(os.path.join(sys.argv[1], "tags", tag),
                          encoding="ascii") as f:
                    ref = f.read()
            with open(os.path.join(sys.argv[1], ref), "rb") as f:
                data = f.read()
        except OSError:
            return None
        return (MANIFEST if kind == "manifests" else
                "application/octet-stream", ref, data)

    def answer(self, body):
        found = ("application/json", "", b"{}") if self.path == "/v2/" \
            else self.find()
        self.send_response(404 if found is None else 200)
        kind, ref, data = found or ("application/json", "", b'{"errors":[]}')
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        if ref:
            self.send_header("Docker-Content-Digest", ref)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def do_GET(self):
        self.answer(True)

    def do_HEAD(self):
        self.answer(False)

    def log_message(self, *args):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
