#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# slow
# The scenes of make run with slapd in the place of the LDIF file.
cd "$(dirname "$0")/../.." || exit 1
DIRECTORY=ldap ONCE=1 exec test/scenes/run.py
