#!/usr/bin/env python3
"""Eight programs write to one roll at a time, and two of them take no lock while the others do.

Two headcounts in a loop, two Python programs (PyYAML and `fcntl.flock`) and two shells (`flock(1)`) count their
updates in the roll. The Python programs also add rows of sessions that a headcount then ends, so that passes have
edits. In the second half one editor saves without the lock, and one reader reads all the time.

First half (only lockers): at the end every counter must stand at what its program counted, and every row that was
added must be there. Second half: what the editor saves between a headcount's read and its replacement must be
kept: every text he saved is afterwards found in the roll, in what a locked writer or he himself read, or aside.

    cargo build && python3 proofs/writers.py [--seconds 60]

Prints the counts; exits with 1 if anything was lost or torn.
"""

import argparse
import os
import subprocess
import sys

import yaml

from stage import BINARY, Stage

# Each program is told the roll, its own name and the time to end, and prints how often it did its part.
PYTHON = r"""
import fcntl, os, sys, tempfile, time, yaml
roll, who, until, number = sys.argv[1], sys.argv[2], float(sys.argv[3]), 0
ROWS = 40
while time.time() < until:
    with open(roll + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(roll) as file:
            data = yaml.safe_load(file)
        number += 1
        data["counts"][who] = number
        name = f"{who}-{number % ROWS}-creator-claude"
        rows = [row for row in data["tmux_sessions"] if row["name"] != name]
        # Running, by a process that never was: the next pass ends it.
        rows.append({"name": name, "status": "running", "pane": {"pid": 4190000 + number % 1000, "cmd": "claude"}})
        data["tmux_sessions"] = rows
        handle, new = tempfile.mkstemp(dir=os.path.dirname(roll))
        with os.fdopen(handle, "w") as file:
            yaml.safe_dump(data, file, sort_keys=False)
        os.replace(new, roll)
    time.sleep(0.05)
print(number)
"""

SHELL = r"""
roll=$1 who=$2 until=${3%.*} number=0
while [ "$(date +%s)" -lt "$until" ]; do
    number=$((number + 1))
    flock "$roll.lock" sh -c 'sed "s/^  $2: .*/  $2: $3/" "$1" > "$1.$2" && mv "$1.$2" "$1"' sh "$roll" "$who" "$number"
    sleep 0.05
done
echo "$number"
"""

EDITOR = r"""
import os, sys, time
roll, who, until, number = sys.argv[1], sys.argv[2], float(sys.argv[3]), 0
while time.time() < until:
    number += 1
    with open(roll) as file:
        text = file.read()
    text += f"# {who} {number}\n- name: {who}-{number}-creator-claude\n  status: running\n  pane: {{pid: 4180001}}\n"
    with open(roll + ".editor", "w") as file:
        file.write(text)
    os.replace(roll + ".editor", roll)
    time.sleep(0.003 * (number % 50))
print(number)
"""

READER = r"""
import sys, time, yaml
roll, who, until, number = sys.argv[1], sys.argv[2], float(sys.argv[3]), 0
while time.time() < until:
    with open(roll) as file:
        rows = yaml.safe_load(file)["tmux_sessions"]
    assert rows[0]["name"] == "first-creator-claude" and all(row["status"] for row in rows)
    number += 1
print(number)
"""

HEADCOUNT = r"""
roll=$1 until=${3%.*} number=0 written=0 binary=$4
while [ "$(date +%s)" -lt "$until" ]; do
    applied=$("$binary" reconcile --once --emit-diff --grace 0 --spawn-grace 0 --registry "$roll" |
        grep -o '"applied":true' | wc -l) && number=$((number + 1)) written=$((written + applied))
done
echo "$number $written"
"""


def together(stage, seconds, programs):
    """Runs programs at a time, by name; returns the numbers each printed, or None where it failed."""
    import time
    until = str(int(time.time() + seconds + 1))
    started = {}
    for name, text in programs.items():
        command = [sys.executable, "-c", text] if "import" in text else ["sh", "-c", text, "sh"]
        started[name] = subprocess.Popen(
            [*command, stage.roll, name, until, stage.binary], env=stage.env, cwd=stage.project,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )
    told = {}
    for name, process in started.items():
        words = process.communicate()[0].split()
        told[name] = [int(word) for word in words] if process.returncode == 0 and words else None
        print(f"  {name}: {told[name]}", flush=True)
    return told


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=BINARY)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    wrong = []
    stage = Stage(options.binary)
    try:
        pid = stage.start("first-creator-claude")
        lockers = {"py1": PYTHON, "py2": PYTHON, "sh1": SHELL, "sh2": SHELL}
        counts = "".join(f"  {name}: 0\n" for name in lockers)
        stage.write_roll(f"counts:\n{counts}tmux_sessions:\n" + stage.row("first-creator-claude", pid))
        stage.settle()
        headcounts = {f"headcount{number}": HEADCOUNT for number in (1, 2, 3)}

        print("all with the lock (headcount: passes, edits):")
        told = together(stage, options.seconds / 2, {**lockers, **headcounts, "reader": READER})
        data = yaml.safe_load(stage.read())
        wrong += [f"{name} failed or met a torn roll" for name, numbers in told.items() if numbers is None]
        for name in lockers:
            if told[name] and data["counts"][name] != told[name][0]:
                wrong.append(f"{name} made {told[name][0]} updates, and the roll says {data['counts'][name]}")
        names = {row["name"] for row in data["tmux_sessions"]}
        for name in ("py1", "py2"):
            mine = {f"{name}-{number % 40}-creator-claude" for number in range(1, told[name][0] + 1)} if told[name] else set()
            if mine - names:
                wrong.append(f"rows of {name} are lost: {sorted(mine - names)}")
        updates = sum(told[name][0] for name in lockers if told[name])
        edits = sum(told[name][1] for name in headcounts if told[name])

        print("an editor without the lock (headcount: passes, edits):")
        # What is in the roll by now would only slow the editor's readers down.
        stage.write_roll("tmux_sessions:\n" + stage.row("first-creator-claude", pid))
        readers = {f"reader{number}": READER for number in (1, 2, 3, 4)}
        told = together(stage, options.seconds / 2, {"editor": EDITOR, **headcounts, **readers})
        wrong += [f"{name} failed or met a torn roll" for name, numbers in told.items() if numbers is None]
        lines = stage.read().decode().splitlines()
        saves = told["editor"][0] if told["editor"] else 0
        lost = [number for number in range(1, saves + 1) if f"# editor {number}" not in lines]
        if lost:
            wrong.append(f"saves of the editor are lost: {lost}")
        edits += sum(told[name][1] for name in headcounts if told[name])

        stage.sighted()
        rows = yaml.safe_load(stage.read())["tmux_sessions"]
        running = [row["name"] for row in rows if row["status"] == "running"]
        if running != ["first-creator-claude"]:
            wrong.append(f"after a last pass these run: {running}")
        left = [name for name in os.listdir(stage.hermes) if ".headcount-" in name]
        if left:
            wrong.append(f"left over: {left}")
    finally:
        stage.stop()
    print(f"locked updates: {updates}; saves without the lock: {saves}; edits by headcount: {edits}")
    print(f"violations: {len(wrong)}")
    for what in wrong:
        print(f"  {what}")
    sys.exit(1 if wrong or not updates or not saves or not edits else 0)


if __name__ == "__main__":
    main()
