# `make demo` shows the thing, `make test` checks all of it. Both set the machine up by themselves.

PARTS = tidy $(addprefix test-,cpp tsan packages conformance native api application serverless \
                               durable client python front fresh next_apps hostile e2e)

.PHONY: demo test build pack $(PARTS) fuzz bench-peers format clean

export NEXT_TELEMETRY_DISABLED = 1

demo:
	@scripts/setup demo
	@scripts/build release anywire
	@scripts/demo

test:
	@scripts/setup test
	@scripts/test

build:
	@scripts/setup build
	@scripts/build release anywire

# The npm packages as tarballs, in build/npm.
pack:
	@scripts/setup demo
	@scripts/pack

# One part of `make test`; see scripts/test for what they are.
$(PARTS):
	@scripts/setup test
	@scripts/test $(@:test-%=%)

# Fuzzes each parser for FUZZ_SECONDS (60).
fuzz:
	@scripts/setup test
	@scripts/fuzz

bench-peers:
	@scripts/setup demo
	@scripts/bench-peers

format:
	@npm run --silent format

clean:
	rm -rf build
