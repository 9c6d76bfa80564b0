# Every chore of the project. `make help` lists them.
PY := .venv/bin/python
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup lock clean demo \
	check test test-slow test-kill test-liars test-garbage test-modules test-cli test-once mutants diagrams bench \
	check-rust test-chain fuzz-chain weights weights-page chain-wasm \
	chain-node testnet chopsticks agree bench-chain

help: ## list the chores
	@awk -F ':.*## ' '/^#: / {printf "\n%s\n", substr($$0, 4)} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

#: A place to work

setup: .venv/.ready ## make .venv from hash-pinned requirements

.venv/.ready: requirements/bootstrap.txt requirements/runtime.txt requirements/dev.txt pyproject.toml
	tools/setup.sh
	@touch $@

lock: setup ## resolve requirements/*.in again into hash-pinned *.txt
	for f in bootstrap runtime dev; do .venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 requirements/$$f.in -o requirements/$$f.txt; done

clean: ## remove everything that setup and builds made
	rm -rf .venv build dist *.egg-info chain/target

#: The node

demo: setup ## a whole world on this machine: one task from submission to payment
	.venv/bin/ainur demo

check: setup ## format, lint, types, import rules, file sizes
	tools/check.sh

test: setup ## unit, property, contract, fuzz and end-to-end tests
	$(PY) -m pytest -n 2 --dist loadgroup -m "not slow"

test-slow: setup ## what takes longer than the quick suite allows
	$(PY) -m pytest -m slow

test-kill: setup ## end, stop or cut off every kind of process at every stage; prints the table
	$(PY) -m pytest -m slow tests/fire/test_kill_table.py

test-liars: setup ## worlds with one liar each: how it ends, who loses what, where the evidence lies
	$(PY) -m pytest -m slow tests/fire/test_liar_worlds.py

test-garbage: setup ## malformed frames on everything that a running node serves
	$(PY) -m pytest -m slow tests/fire/test_garbage_frames.py

test-modules: setup ## hostile modules against a running node
	$(PY) -m pytest -m slow tests/fire/test_hostile_modules.py

test-cli: setup ## wrong, huge and hostile values for every command, and homes in bad places
	$(PY) -m pytest -m slow tests/fire/test_command_values.py tests/fire/test_rough_homes.py

test-once: setup ## kill the client at every step of its outbox (ROUNDS=200): each intent exactly once
	$(PY) -m tests.ledger.once_run --rounds $(or $(ROUNDS),200)

mutants: setup ## break the domain one small change at a time; the tests must notice each (minutes; WORKERS=n at a time)
	$(PY) tools/mutate.py $(if $(WORKERS),--workers $(WORKERS))

diagrams: setup ## write docs/states.md anew from what the code does
	$(PY) tools/diagrams.py

bench: setup ## end-to-end latency and throughput on a 3-provider devnet
	.venv/bin/ainur bench e2e

#: The runtime (needs Rust; chain/README.md)

check-rust: ## rustfmt and clippy over chain/ and the Rust agents
	tools/check_rust.sh

test-chain: setup ## pallet and runtime tests
	tools/test_chain.sh

fuzz-chain: ## random and sensible calls against the runtime, every invariant after every block (CALLS=n, SEED=n)
	cd chain && CALLS=$(or $(CALLS),100000) cargo test --locked --profile fuzz -p chain-fuzz --test random_calls -- --nocapture

weights: setup ## measure every call (PALLET=name: only those), write the pallets' weights.rs and docs/weights.md
	$(PY) tools/weights.py $(foreach name,$(PALLET),--pallet $(name))
	cd chain && cargo fmt --all
	$(MAKE) weights-page

weights-page: ## write docs/weights.md anew from the pallets' weights
	cd chain && WRITE=1 cargo test --locked --quiet -p chain-fuzz --test weights_page

chain-wasm: ## rebuild the runtime blob and compare its hash (exit 3: the pinned compiler is gone)
	chain/build-wasm.sh

#: The chain on other hosts (docs/how-to/run-a-testnet.md)

chain-node: ## the native node, built once into the user's cache (the first time 15 to 40 minutes)
	chain/node/build.sh

testnet: setup ## three native validators, a devnet on top, one validator killed and returned; after chain-node
	$(PY) -m tools.testnet

chopsticks: ## the independent executor whose blocks make agree replays, into the user's cache (needs Node.js 20)
	tools/chopsticks/install.sh

agree: setup ## embedded host and native node execute the same random blocks, after chain-node and chopsticks (SEED=n BLOCKS=n)
	$(PY) -m tools.agree $(if $(SEED),--seed $(SEED)) $(if $(BLOCKS),--blocks $(BLOCKS))

bench-chain: setup ## signed escrow calls a second: embedded host, chopsticks, native node
	.venv/bin/ainur bench chain
