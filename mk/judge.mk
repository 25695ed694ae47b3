# SPDX-License-Identifier: Apache-2.0
# The judge's own parts: what it keeps between two stages, its table of flags.
$(B)/test/unit/test_pending.o $(B)/test/unit/test_command.o \
$(B)/test/unit/test_response.o: \
	CPPFLAGS += -Ipolicy/judge
