# SPDX-License-Identifier: Apache-2.0
# The plugin's parts, tested without its main().
$(B)/unit/test_call: $(B)/plugin/call.o
$(B)/test/unit/test_call.o: CPPFLAGS += -Iplugin
$(B)/fuzz/fuzz_call: $(B)/plugin/call.o
$(B)/test/fuzz/fuzz_call.o: CPPFLAGS += -Iplugin
build-fuzz/fuzz_call: build-fuzz/o/plugin/call.o
build-fuzz/o/test/fuzz/fuzz_call.o: CPPFLAGS += -Iplugin
FLIGHT_OBJ := flight flight_pool flight_work call memory
$(B)/unit/test_flight: $(FLIGHT_OBJ:%=$(B)/plugin/%.o)
$(B)/test/unit/test_flight.o: CPPFLAGS += -Iplugin
