# SPDX-License-Identifier: Apache-2.0
# Tests of different kinds share headers by their path below test/.
$(B)/test/%.o: CPPFLAGS += -Itest
