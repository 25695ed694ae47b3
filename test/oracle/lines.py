# SPDX-License-Identifier: Apache-2.0
"""Which lines of docs/semantics.md a run came to: counted where a line
decides something, so that a line that nothing exercises is seen."""
import collections

HITS = collections.Counter()
# what every long run must have come to
WANTED = """
1.2:taken 1.2:accepted 1.2:proxy 9.33:no-grant 9.33:cannot-tell
10.11:source 10.11:source-unknown 10.11:own-mounts 10.11:stored-unknown
10.13:plugin 10.13:copy 10.13:copy-unknown 10.13:unrestricted
10.13:lifted 10.13:denied-anyway
10.14:given 10.14:several 10.14:none 10.14:cannot-tell 10.14:label
10.14:ledger
13.1:template-source 13.1:template-option 13.1:template-label 13.1:no-image
13.2:private 13.2:scope 13.2:scope-unknown 13.2:predefined 13.2:swarm
13.5:empty-id 13.5:credential 13.5:secret 13.5:config 13.5:new-name
13.5:name-begins-id 13.5:name-unknown 13.5:task 6.3:hex-name
6.3:hex-name-begins-id
""".split()


def hit(line):
    HITS[line] += 1
