# SPDX-License-Identifier: Apache-2.0
# The command's own parts, tested without its main().
$(B)/unit/test_cli $(B)/unit/test_cli_policy: \
	$(call obj,$(filter-out policy/cli/main.c,$(CLI_SRC)) $(CERT_SRC))
$(B)/test/unit/test_cli.o $(B)/test/unit/test_cli_policy.o: \
	CPPFLAGS += -Ipolicy/cli
