# SPDX-License-Identifier: Apache-2.0
"""A small LDAP server that says what a test wants, also what no server should
say: enough of BER (X.690) and RFC 4511 for that."""
import socket
import threading

SUCCESS, SIZE_LIMIT, REFERRAL = 0, 4, 10


def tlv(tag, *parts):
    body = b"".join(p.encode() if isinstance(p, str) else p for p in parts)
    n = len(body)
    if n < 128:
        return bytes([tag, n]) + body
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def integer(n, tag=0x02):
    return tlv(tag, n.to_bytes(max(1, (n.bit_length() + 8) // 8), "big"))


def read_tlv(data, at=0):
    """(tag, body, next)"""
    tag, n = data[at], data[at + 1]
    at += 2
    if n & 0x80:
        size = n & 0x7F
        n = int.from_bytes(data[at:at + size], "big")
        at += size
    return tag, data[at:at + n], at + n


def items(body):
    at, out = 0, []
    while at < len(body):
        tag, inner, at = read_tlv(body, at)
        out.append((tag, inner))
    return out


def filter_text(tag, body):
    """A filter as text, near enough to RFC 4515 to be looked into."""
    if tag in (0xA0, 0xA1, 0xA2):
        inner = "".join(filter_text(t, b) for t, b in items(body))
        return "(" + {0xA0: "&", 0xA1: "|", 0xA2: "!"}[tag] + inner + ")"
    if tag == 0x87:
        return f"({body.decode()}=*)"
    if tag == 0xA9:
        got = dict(items(body))
        return f"({got[0x82].decode()}:{got[0x81].decode()}:=" \
               f"{got[0x83].decode()})"
    if tag == 0xA4:
        return f"({items(body)[0][1].decode()}=*…*)"
    (_, attr), (_, value) = items(body)
    return f"({attr.decode()}={value.decode(errors='replace')})"


class Search:
    def __init__(self, msgid, body):
        got = items(body)
        self.msgid = msgid
        self.base = got[0][1].decode()
        self.scope = got[1][1][0]
        self.size_limit = int.from_bytes(got[3][1], "big")
        self.filter = filter_text(*got[6])
        self.attrs = [a.decode() for _, a in items(got[7][1])]

    def entry(self, dn, **attrs):
        values = [tlv(0x30, tlv(0x04, name.replace("__", ";")),
                      tlv(0x31, *(tlv(0x04, v) for v in vs)))
                  for name, vs in attrs.items()]
        return self.message(tlv(0x64, tlv(0x04, dn), tlv(0x30, *values)))

    def entry_of(self, dn, attrs):
        values = [tlv(0x30, tlv(0x04, name),
                      tlv(0x31, *(tlv(0x04, v) for v in vs)))
                  for name, vs in attrs.items()]
        return self.message(tlv(0x64, tlv(0x04, dn), tlv(0x30, *values)))

    def reference(self, uri):
        return self.message(tlv(0x73, tlv(0x04, uri)))

    def done(self, code=SUCCESS, text="", referral=None):
        more = tlv(0xA3, tlv(0x04, referral)) if referral else b""
        return self.message(tlv(0x65, integer(code, 0x0A), tlv(0x04, ""),
                                tlv(0x04, text), more))

    def message(self, op):
        return tlv(0x30, integer(self.msgid), op)


class LdapServer:
    """answer(search) → bytes, or an iterable of bytes; rootDSE searches are
    answered with `capabilities` without asking it."""

    def __init__(self, answer, capabilities=(), on_extended=None):
        self.answer = answer
        self.capabilities = capabilities
        self.on_extended = on_extended
        self.binds = []      # (dn, password) that came
        self.searches = []
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(64)
        self.uri = f"ldap://127.0.0.1:{self.sock.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,),
                             daemon=True).start()

    def close(self):
        self.sock.close()

    def serve(self, conn):
        data = b""
        try:
            while True:
                got = conn.recv(65536)
                if not got:
                    return
                data += got
                while len(data) >= 2:
                    try:
                        _, body, end = read_tlv(data)
                    except IndexError:
                        break
                    if end > len(data):
                        break
                    data = data[end:]
                    if not self.one(conn, body):
                        return
        except (OSError, ValueError, IndexError):
            pass  # the other side hung up, or said something strange
        finally:
            conn.close()

    def one(self, conn, body):
        (_, number), (tag, op) = items(body)[:2]
        msgid = int.from_bytes(number, "big")
        if tag == 0x60:
            got = items(op)
            self.binds.append((got[1][1].decode(), got[2][1].decode()))
            conn.sendall(tlv(0x30, integer(msgid), tlv(
                0x61, integer(0, 0x0A), tlv(0x04, ""), tlv(0x04, ""))))
        elif tag == 0x77:
            conn.sendall(self.on_extended(msgid) if self.on_extended else
                         tlv(0x30, integer(msgid), tlv(
                             0x78, integer(2, 0x0A), tlv(0x04, ""),
                             tlv(0x04, "no such operation"))))
        elif tag == 0x63:
            self.search(conn, Search(msgid, op))
        elif tag == 0x42:
            return False
        return True

    def search(self, conn, s):
        if s.base == "" and s.scope == 0:
            conn.sendall(s.entry("", supportedCapabilities=self.capabilities)
                         + s.done())
            return
        self.searches.append(s)
        out = self.answer(s)
        for part in [out] if isinstance(out, bytes) else out:
            conn.sendall(part)
