# Everything a developer does often. `just` lists it.

_list:
    @just --list --unsorted

# What continuous integration runs.
ci:
    .ci/run

# All tests, with their set-up. Arguments go to cargo test: `just test --test it tmux_gone`.
test *arguments:
    scripts/test {{arguments}}

# The pure core only: quick.
core:
    cargo test --test core_properties --test architecture
    cargo test --lib core::

# New dice for the laws of the core and the editor, many more than the tests throw: some minutes. What is
# found becomes a rule among the tests.
hunt cases="100000":
    PROPTEST_CASES={{cases}} cargo test --release --test core_properties
    PROPTEST_CASES=$(({{cases}} / 20)) cargo test --release --lib edit::generated

# Formatting and lints, as errors.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --lib -- -D warnings --cfg headcount_timer_only

# Licences, duplicates and sources of all that is built in, and known holes where they can be asked for.
supply-chain:
    scripts/supply-chain

# Writes the schemas and snapshots again, after a change that was meant.
accept:
    HEADCOUNT_REWRITE_SCHEMAS=1 INSTA_UPDATE=always cargo test

# A pass beside the bare tmux call, in a world like a real one.
bench *arguments:
    cargo build --release
    python3 benches/pass.py {{arguments}}

# Crashes at every step and many writers, at full length: docs/proof.md.
prove:
    cargo build
    python3 proofs/crash.py --whole
    python3 proofs/writers.py
    python3 proofs/mixed.py

# Looks for inputs that break something: `just fuzz`, or `just fuzz roll 600`. fuzz/README.md.
fuzz target='all' seconds='60':
    scripts/fuzz {{target}} {{seconds}}

# All four drifts, made and reconciled on a private tmux server.
demo:
    scripts/headcount demo

# Makes the pictures in docs/pictures anew, from a real run.
pictures:
    cargo build
    scripts/pictures
