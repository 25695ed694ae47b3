# SPDX-License-Identifier: Apache-2.0
# Names between two stages, tested by themselves.
$(B)/test/unit/test_pending.o: CPPFLAGS += -Ipolicy/judge
