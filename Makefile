# `make demo` shows the thing, `make test` checks all of it. Both set the machine up by themselves.

.PHONY: demo test build packages tidy test-cpp test-tsan test-packages test-conformance \
        test-hostile test-e2e fuzz bench-peers format clean

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

# One part of `make test`; see scripts/test for what they are.
tidy test-cpp test-tsan test-packages test-conformance test-hostile test-e2e:
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
