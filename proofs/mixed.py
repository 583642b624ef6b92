#!/usr/bin/env python3
"""Everybody writes to one roll at once: headcounts, programs that take the lock, and an editor that does not.

Two Python programs (PyYAML and `fcntl.flock`), two shells (`flock(1)`) and an editor each have a counter in the roll
and raise it again and again; the Python programs and the editor also add rows that a headcount then ends. Two
headcounts make passes in a loop, and one program reads all the time: eight in all.

An editor without the lock undoes what a locked writer did between his reading and his saving, and the other way
round; nobody can prevent that. So each writer notes what all counters were when it read, and when it read and wrote.
A counter that is lower than its program left it must have an explanation: somebody who read that very value, and
saved after the update, where one of the two takes no lock. What has none was lost by a headcount, or between two
who hold the lock, and is a violation.

    cargo build && python3 proofs/mixed.py [--seconds 60]

Prints the counts; exits with 1 if anything was lost without an explanation, or torn.
"""

import argparse
import os
import sys

import yaml

from stage import BINARY, Stage
from writers import HEADCOUNT, READER, together

LOCKERS, EDITOR_NAME = ("py1", "py2", "sh1", "sh2"), "editor"
COUNTERS = (*LOCKERS, EDITOR_NAME)

# Each notes, for every update: when it read, when it had written, and what the counters were.
PYTHON = r"""
import fcntl, os, sys, tempfile, time, yaml
roll, who, until, number = sys.argv[1], sys.argv[2], float(sys.argv[3]), 0
with open(os.path.join(os.path.dirname(roll), "..", "log-" + who), "w") as log:
    while time.time() < until:
        with open(roll + ".lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            begun = time.time()
            with open(roll) as file:
                data = yaml.safe_load(file)
            seen = dict(data["counts"])
            number += 1
            data["counts"][who] = number
            name = f"{who}-{number % 40}-creator-claude"
            rows = [row for row in data["tmux_sessions"] if row["name"] != name]
            rows.append({"name": name, "status": "running", "pane": {"pid": 4190000 + number % 1000, "cmd": "claude"}})
            data["tmux_sessions"] = rows
            handle, new = tempfile.mkstemp(dir=os.path.dirname(roll))
            with os.fdopen(handle, "w") as file:
                yaml.safe_dump(data, file, sort_keys=False)
            os.replace(new, roll)
            print(begun, time.time(), *(f"{key}={value}" for key, value in seen.items()), file=log)
        time.sleep(0.05)
print(number)
"""

SHELL = r"""
roll=$1 who=$2 until=${3%.*} number=0 log=${1%/*}/../log-$2
while [ "$(date +%s)" -lt "$until" ]; do
    number=$((number + 1))
    flock "$roll.lock" sh -c '
        cp "$1" "$1.$2.base"
        sed "s/^  $2: .*/  $2: $3/" "$1.$2.base" > "$1.$2"
        seen=$(awk "/^  [a-z0-9]*: [0-9]*\$/ { sub(\":\", \"\", \$1); printf \" %s=%s\", \$1, \$2 }" "$1.$2.base")
        mv "$1.$2" "$1"
        echo "$4 $(date +%s.%N)$seen"
    ' sh "$roll" "$who" "$number" "$(date +%s.%N)" >> "$log"
    sleep 0.05
done
echo "$number"
"""

EDITOR = r"""
import os, re, sys, time
roll, who, until, number = sys.argv[1], sys.argv[2], float(sys.argv[3]), 0
with open(os.path.join(os.path.dirname(roll), "..", "log-" + who), "w") as log:
    while time.time() < until:
        begun = time.time()
        with open(roll) as file:
            text = file.read()
        seen = re.findall(r"^  (\w+): (\d+)$", text, re.M)
        number += 1
        text = re.sub(r"(?m)^  editor: \d+$", f"  editor: {number}", text)
        if f"- name: editor-{number % 40}-creator-claude\n" not in text:
            text += f"- name: editor-{number % 40}-creator-claude\n  status: running\n  pane:\n    pid: 4180001\n"
        with open(roll + ".editor", "w") as file:
            file.write(text)
        os.replace(roll + ".editor", roll)
        print(begun, time.time(), *(f"{key}={value}" for key, value in seen), file=log, flush=True)
        time.sleep(0.02 + 0.003 * (number % 50))
print(number)
"""


class Update:
    """One update: between which moments it was made, and what the counters were before."""

    def __init__(self, who, line):
        begun, done, *seen = line.split()
        self.who, self.begun, self.done = who, float(begun), float(done)
        self.seen = {key: int(value) for key, value in (word.split("=") for word in seen)}


def explained(who, lowered_to, after, before, updates):
    """Whether a counter fell because somebody saved what he had read before, and he or its program takes no lock."""
    others = COUNTERS if who == EDITOR_NAME else (EDITOR_NAME,)
    return any(
        update.who in others and update.who != who and update.seen.get(who) == lowered_to
        and update.done >= after and update.begun <= before
        for update in updates
    )


def judge(updates, final):
    """What fell and why: how often with an explanation, and each time without one."""
    undone, wrong = 0, []
    for who in COUNTERS:
        mine = [update for update in updates if update.who == who]
        # What it found at each update, and at last what is in the roll, beside what it had left there.
        found = [(update.seen.get(who), update.done) for update in mine[1:]] + [(final.get(who), float("inf"))]
        for number, (update, (value, seen_at)) in enumerate(zip(mine, found), 1):
            if value == number:
                continue
            if value is not None and value < number and explained(who, value, update.begun, seen_at, updates):
                undone += 1
            else:
                wrong.append(f"{who} left {number} in the roll and found {value}, which nobody else had saved")
    return undone, wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=BINARY)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    stage = Stage(options.binary)
    try:
        pid = stage.start("first-creator-claude")
        counts = "".join(f"  {name}: 0\n" for name in COUNTERS)
        stage.write_roll(f"counts:\n{counts}tmux_sessions:\n" + stage.row("first-creator-claude", pid))
        stage.settle()
        headcounts = {f"headcount{number}": HEADCOUNT for number in (1, 2)}
        programs = {"py1": PYTHON, "py2": PYTHON, "sh1": SHELL, "sh2": SHELL, EDITOR_NAME: EDITOR}
        print("with and without the lock (headcount: passes, edits):")
        told = together(stage, options.seconds, {**programs, **headcounts, "reader": READER})
        wrong = [f"{name} failed or met a torn roll" for name, numbers in told.items() if numbers is None]
        updates = []
        for name in COUNTERS:
            with open(os.path.join(stage.project, f"log-{name}")) as log:
                updates += [Update(name, line) for line in log]
        undone, unexplained = judge(updates, yaml.safe_load(stage.read())["counts"])
        wrong += unexplained
        edits = sum(told[name][1] for name in headcounts if told[name])
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
    locked = sum(update.who != EDITOR_NAME for update in updates)
    print(f"locked updates: {locked}; saves without the lock: {len(updates) - locked}; edits by headcount: {edits}")
    print(f"undone by the editor, or of his: {undone}; violations: {len(wrong)}")
    for what in wrong[:20]:
        print(f"  {what}")
    sys.exit(1 if wrong or not edits or len({update.who for update in updates}) < len(COUNTERS) else 0)


if __name__ == "__main__":
    main()
