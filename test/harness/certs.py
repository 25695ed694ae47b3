# SPDX-License-Identifier: Apache-2.0
"""A throw-away CA made with openssl: what stands outside of Portreeve."""
import os
import subprocess

from .room import HarnessError


class Lab:
    """One CA in a folder; server() and client(cn) give (cert, key) paths."""

    def __init__(self, folder, name="Lab CA"):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.ca = os.path.join(folder, "ca.pem")
        self.key = os.path.join(folder, "ca-key.pem")
        self.name = name
        self.openssl("req", "-x509", *self.new_key(self.key), "-out", self.ca,
                     "-days", "30", "-subj", f"/CN={name}",
                     "-addext", "basicConstraints=critical,CA:TRUE",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def openssl(self, *args):
        done = subprocess.run(["openssl", *args], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise HarnessError(f"openssl {args[0]}: {done.stderr}")

    @staticmethod
    def new_key(path):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-keyout", path)

    def issue(self, stem, subject, usage, san=None):
        cert, key, csr, ext = (os.path.join(self.folder, stem + s) for s in
                               (".pem", "-key.pem", ".csr", ".ext"))
        self.openssl("req", *self.new_key(key), "-out", csr, "-subj", subject)
        with open(ext, "w", encoding="ascii") as f:
            f.write(f"basicConstraints=CA:FALSE\nextendedKeyUsage={usage}\n")
            f.write("keyUsage=critical,digitalSignature\n")
            if san:
                f.write(f"subjectAltName={san}\n")
        self.openssl("x509", "-req", "-in", csr, "-CA", self.ca, "-CAkey",
                     self.key, "-CAcreateserial", "-out", cert, "-days", "30",
                     "-extfile", ext)
        os.unlink(csr)
        os.unlink(ext)
        return cert, key

    def server(self, san="IP:127.0.0.1,DNS:localhost"):
        return self.issue("server", "/CN=docker", "serverAuth", san)

    def client(self, cn, san=None):
        return self.issue(cn, f"/CN={cn}", "clientAuth", san)
