# What there is to do, one line each.
default:
    @just --list --unsorted

# Start the server on SQLite, with all defaults.
run *arguments:
    cargo run --release -- serve {{arguments}}

# All that a change must pass; CI runs this and nothing else.
test *arguments:
    cargo xtask test {{arguments}}

# The same without PostgreSQL and browser, in a minute or two.
quick:
    cargo xtask test --quick

# Format everything.
fmt:
    cargo fmt --all

# Measure against the floor.
bench *arguments:
    cargo xtask bench {{arguments}}

# Write openapi/keystile.json anew.
openapi:
    cargo xtask openapi

# Write crates/*/public-api.txt anew.
api:
    cargo xtask api

# Read the documentation of every crate.
doc:
    cargo doc --workspace --no-deps --open

# Advisories, licences and sources of all dependencies; needs cargo-deny.
audit:
    cargo deny check
