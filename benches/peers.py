#!/usr/bin/env python3
"""What a pass costs beside other ways to know, and how it grows.

In a world like a real one (`world.py`), in turn and in one go: the bare `tmux list-panes -a`; a dry-run pass; a pass
with nothing to do, cold and in a loop (by the loop's own log), there woken by a signal and by somebody who saved the
roll; a pass in which every row gets its conversation; the pass that one writes in an afternoon (`straightforward.sh`, with PyYAML); and `tmx agents --json`, if it is installed
(`cargo install --locked tmx-cli`): it reads the same panes, processes and pid files and compares nothing. Prints
medians and their ratio to the bare call.

    cargo build --release && python3 benches/peers.py [--sessions 10,200,1000,2000] [--rounds 15]
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

import watch
from world import BINARY, ROOT, TEN_FIELDS, World, checked, small

STRAIGHTFORWARD = os.path.join(ROOT, "benches", "straightforward.sh")
# The afternoon's pass takes half a minute at 200 sessions: it is run a few times, and not with more.
FEWER = 3
MOST = 200


def pass_of(binary, world, *more):
    return [binary, "reconcile", "--once", "--emit-diff", "--registry", world.roll, *more]


def side_by_side(world, commands, rounds):
    times = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            if name == "afternoon" and number > FEWER:
                continue
            spent, out = checked(command, world)
            if name == "afternoon" and out:
                sys.exit(f"the afternoon's pass sees what is not: {out[:500]!r}")
            if number >= 1:
                times[name].append(spent)
    return {name: statistics.median(spent) for name, spent in times.items()}


def cold(world, binary, rounds):
    """Passes with nothing to do, each by a program of its own, that remember what they saw."""
    checked(pass_of(binary, world), world)
    return statistics.median(checked(pass_of(binary, world), world)[0] for _ in range(rounds))


def in_a_loop(world, binary, rounds):
    """Passes with nothing to do in a loop: woken by a signal, and because somebody saved the roll with a comment
    more or less."""
    loop = watch.Loop(world, binary, ["--poll", "3600"])
    took = re.compile(r"the pass took ([0-9.]+) ms")

    def all_took():
        return [float(found[1]) for _, line in list(loop.logged) if (found := took.search(line))]

    def passes(wake):
        begun = len(all_took())
        for number in range(rounds):
            known = len(all_took())
            wake(number)
            loop.until(lambda: len(all_took()) > known)
            time.sleep(0.3)
        return statistics.median(all_took()[begun:])

    def save(number):
        with open(world.roll, "w") as file:
            file.write(text if number % 2 else text + "# saved\n")

    with open(world.roll) as file:
        text = file.read()
    try:
        loop.until(lambda: any("are listened for" in line for _, line in list(loop.logged)) and all_took())
        time.sleep(2)
        by_signal = passes(lambda _: loop.process.send_signal(signal.SIGHUP))
        return by_signal, passes(save)
    finally:
        loop.stop()


def all_rows_change(world, binary, rounds):
    """Every row gets the conversation of its session, in a roll that records none, seen for the first time."""
    with open(world.roll) as file:
        known = file.read()
    bare = re.sub(r"(claude_session_id_own:) .*", r"\1 null", known)
    times = []
    for _ in range(rounds):
        with open(world.roll, "w") as file:
            file.write(bare)
        shutil.rmtree(world.env["AGENT_SESSIONS_STATE_DIR"], ignore_errors=True)
        spent, out = checked(pass_of(binary, world), world)
        actions = len(json.loads(out)["actions"])
        if actions != world.count:
            sys.exit(f"{actions} rows were changed, not {world.count}")
        times.append(spent)
    with open(world.roll, "w") as file:
        file.write(known)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", default="10,200,1000,2000")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--binary", type=os.path.abspath, default=BINARY)
    parser.add_argument("--tmx", default=shutil.which("tmx"))
    options = parser.parse_args()
    print(f"{'sessions':>8}  {'what':<34} {'median':>11} {'to bare tmux':>13}")
    for sessions in map(int, options.sessions.split(",")):
        world = World(sessions)
        try:
            world.start()
            world.declare(True, small)
            commands = {
                "bare tmux": ["tmux", "-u", "-L", "default", "list-panes", "-a", "-F", TEN_FIELDS],
                "headcount": pass_of(options.binary, world, "--dry-run"),
            }
            if sessions <= MOST:
                commands["afternoon"] = [STRAIGHTFORWARD, world.roll]
            if options.tmx:
                commands["tmx agents --json"] = [options.tmx, "agents", "--json"]
            found = side_by_side(world, commands, options.rounds)
            found["headcount, every row changes"] = all_rows_change(world, options.binary, options.rounds)
            found["headcount, nothing to do, cold"] = cold(world, options.binary, options.rounds)
            by_signal, saved = in_a_loop(world, options.binary, options.rounds)
            found["headcount, nothing to do, in a loop"] = by_signal
            found["the same after the roll was saved"] = saved
            for name, spent in found.items():
                print(f"{sessions:>8}  {name:<34} {spent:>8.1f} ms {spent / found['bare tmux']:>13.2f}", flush=True)
        finally:
            world.stop()


if __name__ == "__main__":
    main()
