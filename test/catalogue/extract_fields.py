#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What bodies and queries of the Engine API hold, from its descriptions.

    extract_fields.py swagger-1.25.yaml ... swagger-1.56.yaml >fields.tsv

A row: method, route, field, type, first and last version of the API that
has it ("-": it is in the newest).  A field is written as its path: `A.b`,
`A[].b` below a list, `A{}.b` below a map, `?key` in the query.  Only facts
are kept: names, types, versions, of what changes something.  Needs
python3-yaml.
"""
import re
import sys

import yaml

SCALARS = {"string": "str", "boolean": "bool", "integer": "int",
           "number": "float"}


class Description:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.doc = yaml.load(f, getattr(yaml, "CSafeLoader",
                                            yaml.SafeLoader))
        self.minor = int(str(self.doc["info"]["version"]).split(".")[1])

    def deref(self, node):
        while "$ref" in node:
            at = self.doc
            for part in node["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            node = at
        return node

    def properties(self, node):
        node = self.deref(node)
        found = dict(node.get("properties") or {})
        found.pop("additionalProperties", None)  # a slip of some versions
        for part in node.get("allOf") or []:
            found.update(self.properties(part))
        return found

    def walk(self, node, path, out, seen=()):
        """Adds every field below node; returns what node itself is."""
        ref = node.get("$ref")
        node = self.deref(node)
        if ref in seen:
            return "object"
        seen = seen + ((ref,) if ref else ())
        kind = node.get("type")
        for part in node.get("allOf") or []:
            kind = kind or self.deref(part).get("type")
        if isinstance(kind, list):  # ["string", "null"]
            kind = kind[0]
        if kind == "array":
            inner = self.walk(node.get("items") or {}, path + "[]", out, seen)
            return inner + "[]"
        extra = node.get("additionalProperties")
        props = self.properties(node)
        if isinstance(extra, dict) and not props:
            return self.walk(extra, path + "{}", out, seen) + "{}"
        if not props:
            return SCALARS.get(kind, "object")
        for name, below in props.items():
            at = f"{path}.{name}" if path else name
            out[at] = None
            out[at] = self.walk(below, at, out, seen)
        return "object"

    def routes(self):
        """{(method, route): {field: type}} of every route that has any."""
        all_of_them = {}
        for route, methods in self.doc["paths"].items():
            shared = methods.get("parameters") or []
            for method, what in methods.items():
                if method not in ("post", "put", "delete") and \
                        not route.endswith("/attach/ws"):
                    continue
                out = {}
                for p in shared + (what.get("parameters") or []):
                    p = self.deref(p)
                    if p["in"] == "query":
                        out["?" + p["name"]] = "query"
                    elif p["in"] == "body":
                        top = self.walk(p["schema"], "", out)
                        if top != "object":
                            out["."] = top
                key = (method.upper(), re.sub(r"\{[^}]*\}", "{}", route))
                if out:
                    all_of_them[key] = out
        return all_of_them


def main(paths):
    rows = {}
    versions = []
    for d in sorted(map(Description, paths), key=lambda d: d.minor):
        versions.append(d.minor)
        for route, fields in d.routes().items():
            for field, kind in fields.items():
                since = rows.get((route, field), (0, d.minor))[1]
                rows[route, field] = (kind, since, d.minor)
    print(f"# API 1.{versions[0]} to 1.{versions[-1]}")
    print("method\troute\tfield\ttype\tsince\tuntil")
    for (route, field), (kind, since, last) in sorted(rows.items()):
        until = "-" if last == versions[-1] else str(last)
        first = "-" if since == versions[0] else str(since)
        print(*route, field, kind, first, until, sep="\t")


if __name__ == "__main__":
    main(sys.argv[1:])
