# SPDX-License-Identifier: Apache-2.0
"""Cases of generate.py: bodies that readers of JSON understand differently."""
import json


def made_of(safe, key, value):
    """A body that is safe but for text spliced in after HostConfig's brace."""
    text = json.dumps(safe)
    return text.replace('"HostConfig": {', '"HostConfig": {' + key + ":"
                        + value + ", ")


def build(add, create, safe):
    """One forbidden thing, spelt as Go reads it and others do not."""
    t = json.dumps(safe)
    hc = json.dumps(safe["HostConfig"])
    bad = json.dumps({**safe["HostConfig"], "Privileged": True})
    rows = [
        ("lower-case hostconfig", t.replace("HostConfig", "hostconfig")
         .replace(hc, bad)),
        ("upper-case HOSTCONFIG with privileged", t.replace(
            '"HostConfig": ' + hc, '"HOSTCONFIG": ' + bad)),
        ("lower-case privileged", made_of(safe, '"privileged"', "true")),
        ("PRIVILEGED", made_of(safe, '"PRIVILEGED"', "true")),
        ("an escaped key", made_of(safe, '"\\u0050rivileged"', "true")),
        ("Kelvin sign for k in a key", made_of(safe, '"Networ\\u212aMode"',
                                               '"host"')),
        ("Kelvin sign, raw", made_of(safe, '"Networ\xe2\x84\xaaMode"',
                                     '"host"')),
        ("long s in HostConfig", t[:-1] + ', "Ho\\u017ftConfig": '
         '{"Privileged": true}}'),
        ("long s, raw", t[:-1] + ', "Ho\xc5\xbftConfig": '
         '{"Privileged": true}}'),
        ("two HostConfig, the second bad", t[:-1] +
         ', "HostConfig": {"Privileged": true}}'),
        ("two HostConfig, the first bad", '{"HostConfig": {"Privileged": '
         'true}, ' + t[1:]),
        ("two HostConfig that merge", t[:-1] + ', "HostConfig": '
         '{"PidMode": "host"}, "HostConfig": {}}'),
        ("HostConfig twice, folded", t[:-1] + ', "hostConfig": '
         '{"Privileged": true}}'),
        ("HostConfig and then null", t[:-1] + ', "HostConfig": null}'),
        ("Privileged twice, the last is bad", made_of(
            safe, '"Privileged": false, "Privileged"', "true")),
        ("Privileged twice, the first is bad", made_of(
            safe, '"Privileged": true, "Privileged"', "false")),
        ("Privileged true, then null", made_of(
            safe, '"Privileged": true, "Privileged"', "null")),
        ("Mounts that reuse an element", made_of(
            safe, '"Mounts": [{"Type":"bind","Source":"/etc","Target":"/x"}], '
            '"Mounts"', '[{"Target":"/y"}]')),
        ("Mounts, then [null]", made_of(
            safe, '"Mounts": [{"Type":"bind","Source":"/etc","Target":"/x"}], '
            '"Mounts"', "[null]")),
        ("Labels twice", t.replace('"Labels": {', '"Labels": '
                                   '{"com.acme.team": "blue", ')),
        ("a second value after the first", t + '{"HostConfig":'
         '{"Privileged":true}}'),
        ("a brace after the value", t + "}"),
        ("a bracket after the value", t + "]"),
        ("text after the value", t + " x"),
        ("a byte order mark", "\xef\xbb\xbf" + t),
        ("an array around it", "[" + t + "]"),
        ("a string", json.dumps(t)),
        ("null", "null"),
        ("a NUL in a mode", made_of(safe, '"PidMode"', '"\\u0000host"')),
        ("a NUL in a bind", made_of(safe, '"Binds"', '["/srv/red\\u0000:/x"]')),
        ("a lone surrogate in a mode", made_of(safe, '"PidMode"', '"\\ud800"')),
        ("bytes that are no UTF-8 in a key", made_of(safe, '"Privileged\xff"',
                                                     "true")),
        ("bytes that are no UTF-8 in a value", made_of(safe, '"PidMode"',
                                                       '"\xff"')),
        ("a float for an integer", made_of(safe, '"OomScoreAdj"', "1.0")),
        ("a number that overflows", t.replace("67108864",
                                              "99999999999999999999")),
        ("an exponent", t.replace("67108864", "6e7")),
        ("a leading zero", t.replace("67108864", "067108864")),
        ("single quotes", t.replace('"Image"', "'Image'")),
        ("a trailing comma", t[:-1] + ",}"),
        ("a comment", "/* */" + t),
        ("NaN", made_of(safe, '"CpuShares"', "NaN")),
        ("a string for a boolean", made_of(safe, '"Privileged"', '"false"')),
        ("depth 10,000", t[:-1] + ', "Healthcheck": ' + "[" * 10000
         + "]" * 10000 + "}"),
        ("depth 100 in an unknown place", t[:-1] + ', "Labels2": '
         + "[" * 100 + "]" * 100 + "}"),
        ("an unfinished object", t[:-1]),
        ("an unfinished string", t[:-30]),
        ("nothing but blanks", "   "),
    ]
    for title, text in rows:
        add("json", "deny", title, create(text))
