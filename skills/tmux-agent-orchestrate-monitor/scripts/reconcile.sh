#!/bin/sh
# Compares this repository's roll of agent sessions with what really runs, and corrects what is proven.
# It only finds the program and the roll; everything else, the flags included, is headcount's:
#
#   reconcile.sh [--once] [--emit-diff] [--dry-run] [-h] …     headcount reconcile
#   reconcile.sh worker [--turn TIME] …                         headcount worker, which reports to a kanban card
#
# The roll:     $AGENT_SESSIONS_YAML, else .hermes/agent-sessions.yaml (or .mam/…) of this repository.
# The program:  $HEADCOUNT_BIN, else headcount on the PATH, else the one built in this repository.
# Exit codes:   0 done, 1 the roll is missing or unreadable, 2 another error.
set -eu

fail() {
    printf 'ERROR: %s\n' "$1" >&2
    exit 2
}

# Where this script really lies: it may be called through links.
script=$0
while [ -h "$script" ]; do
    target=$(readlink -- "$script")
    case $target in
    /*) script=$target ;;
    *) script=$(dirname -- "$script")/$target ;;
    esac
done
# The dot keeps a folder's name whole that ends in a newline.
skills=$(CDPATH='' cd -P -- "$(dirname -- "$script")/../.." && pwd -P && echo .) || fail "cannot find the folder of $0"
skills=${skills%??}
repository=${skills%/*}
case $repository in
*/.agents) repository=${repository%/*} ;;
esac

roll_of() {
    if [ -e "$1/.hermes/agent-sessions.yaml" ] && [ -e "$1/.mam/agent-sessions.yaml" ]; then
        fail "there are two rolls in $1, in .hermes and in .mam: name one in AGENT_SESSIONS_YAML"
    fi
    for folder in .hermes .mam; do
        roll=$1/$folder/agent-sessions.yaml
        if [ -e "$roll" ]; then
            return 0
        fi
    done
    return 1
}

if [ -z "${AGENT_SESSIONS_YAML:-}" ]; then
    if ! roll_of "$repository"; then
        # A linked worktree has no roll of its own where rolls are not committed: the main checkout has it.
        main=
        if [ -f "$repository/.git" ]; then
            main=$(sed -n 's|^gitdir: \(.*\)/\.git/worktrees/[^/]*$|\1|p' "$repository/.git")
        fi
        if [ -z "$main" ] || ! roll_of "$main"; then
            roll=$repository/.hermes/agent-sessions.yaml
        fi
    fi
    AGENT_SESSIONS_YAML=$roll
    export AGENT_SESSIONS_YAML
fi

if [ -n "${HEADCOUNT_BIN:-}" ]; then
    [ -f "$HEADCOUNT_BIN" ] && [ -x "$HEADCOUNT_BIN" ] || fail "HEADCOUNT_BIN is $HEADCOUNT_BIN, which is no program that can be run"
    program=$HEADCOUNT_BIN
elif program=$(command -v headcount); then
    :
elif [ -x "$repository/target/release/headcount" ]; then
    program=$repository/target/release/headcount
elif [ -x "$repository/target/debug/headcount" ]; then
    program=$repository/target/debug/headcount
elif [ -f "$repository/Cargo.toml" ]; then
    fail "headcount is not built yet. Type: cargo build --release --manifest-path '$repository/Cargo.toml'"
else
    fail "headcount is not installed: put it on the PATH, or name it in HEADCOUNT_BIN"
fi

case ${1:-} in
worker) exec "$program" "$@" ;;
*) exec "$program" reconcile "$@" ;;
esac
