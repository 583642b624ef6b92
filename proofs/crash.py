#!/usr/bin/env python3
"""Kills headcount before every system call of a write, and fails its calls one by one.

One pass ends one row and registers one session. A clean trace lists its system calls between taking and letting
go of the roll's lock (`--whole`: from the journal's first entry to the end of the program). For each of them the
world is put back, and the pass is run again under `strace`, which kills it as it enters that call, or makes the
call fail. Each time the roll must be the old or the new one, byte for byte but for the time of the look, and
PyYAML must read it; the next pass must bring it to the new one and leave nothing beside it; the pass after that
must change nothing; and every news must be in the journal, and none of them twice.

    cargo build && python3 proofs/crash.py [--whole] [--every N]

Prints the counts; exits with 1 if anything was otherwise.
"""

import argparse
import collections
import os
import re
import shutil
import sys

import yaml

from stage import BINARY, Stage, alone, masked

GONE, KEPT, NEW = "gone-creator-claude", "kept-creator-claude", "new-creator-claude"
FAULTS = {
    "openat": ["ENOSPC", "EROFS", "EIO", "EACCES"],
    "write": ["ENOSPC", "EIO"],
    "fsync": ["EIO", "ENOSPC"],
    "rename": ["EIO", "ENOSPC", "EROFS"],
    "renameat": ["EIO", "ENOSPC", "EROFS"],
    "renameat2": ["EIO", "ENOSPC", "EROFS", "EINVAL"],
    "fchmod": ["EIO", "EROFS"],
    "unlink": ["EIO", "EROFS"],
    "read": ["EIO"],
    "statx": ["EIO"],
    "getdents64": ["EIO"],
    "lseek": ["EIO"],
    "ftruncate": ["EIO"],
    "flock": ["ENOLCK"],
}
# From that call on, every one of its kind fails: a disk that stays full, a file system that stays read-only.
LASTING = {"write": ["ENOSPC"], "fsync": ["EIO"], "openat": ["EROFS"], "renameat2": ["EROFS"]}
# How often each point is aimed at.
TRIES = 40
# The allocator's calls, which come or not as it likes; and what waits for other threads. They touch no file.
UNSTEADY = {"brk", "mmap", "munmap", "mremap", "madvise", "futex", "epoll_wait"}
OURS = {"agent-sessions.yaml", "agent-sessions.yaml.lock", "agent-sessions.yaml.bak"}


def calls(trace):
    """The names of the calls of a trace, in order; and where the locks are taken and let go."""
    names, marks = [], {}
    with open(trace, errors="replace") as file:
        for line in file:
            found = re.match(r"(\w+)\(", line)
            if not found:
                continue
            if found[1] == "flock" and "LOCK_EX" in line:
                marks.setdefault("state" if "state" not in marks else "roll", len(names))
            if found[1] == "openat" and '/journal"' in line and "O_RDWR" in line:
                marks.setdefault("journal", len(names))
            if found[1] == "flock" and "LOCK_UN" in line:
                marks.setdefault("released", len(names))
            if found[1] not in UNSTEADY:
                names.append(found[1])
    return names, marks


class Proof:
    def __init__(self, stage):
        self.stage = stage
        self.trace = os.path.join(stage.root, "trace")
        self.saved = os.path.join(stage.root, "saved")
        self.violations = []
        self.outcomes = collections.Counter()
        self.shapes = collections.Counter()

    def prepare(self):
        stage = self.stage
        pids = {name: stage.start(name) for name in (GONE, KEPT)}
        stage.write_roll("# the roll\ntmux_sessions:\n" + "".join(stage.row(*row) for row in pids.items()))
        stage.settle()
        if stage.sighted().returncode != 0:
            sys.exit("the first pass failed")
        stage.kill(GONE)
        stage.start(NEW)
        for part in (stage.hermes, stage.state):
            shutil.copytree(part, os.path.join(self.saved, os.path.basename(part)))
        self.old = stage.read()
        # Now and then a pass makes a call more or less: most make the same.
        clean = collections.Counter()
        while clean.total() < 20 and max(clean.values(), default=0) < 5:
            self.restore()
            names, marks = self.traced()
            clean[tuple(names), tuple(marks.items())] += 1
        (names, marks), _ = clean.most_common(1)[0]
        self.names, self.marks = list(names), dict(marks)
        self.new = masked(stage.read())
        if self.new == self.old or set(self.marks) != {"state", "journal", "roll", "released"}:
            sys.exit("the clean pass did not write the roll")
        self.clean_news = self.news()

    def restore(self):
        self.stage.reap()
        for part in (self.stage.hermes, self.stage.state):
            shutil.rmtree(part)
            shutil.copytree(os.path.join(self.saved, os.path.basename(part)), part)

    def traced(self, *inject):
        done = self.stage.run(["strace", "-o", self.trace, *inject, *self.stage.command()])
        self.code = done.returncode
        return calls(self.trace)

    def news(self):
        entries, _ = self.stage.journal()
        return [(entry["event"], entry["told"]["id"], bool(entry["told"].get("applied"))) for entry in entries]

    def attempt(self, mark, offset, how):
        """Runs the pass with a fault in the call that comes `offset` after a mark; None if it came elsewhere."""
        for number in range(TRIES):
            if number % 4 == 0:
                count_at, marks = self.names, self.marks
            self.restore()
            place = marks[mark] + offset
            name = count_at[place]
            nth = count_at[: place + 1].count(name)
            names, got = self.traced("-e", f"inject={name}:{how(nth)}")
            # What comes before the lock differs a little from run to run: aim again by what was met.
            if mark in got and names[got[mark]: got[mark] + offset + 1] == \
                    self.names[self.marks[mark]: self.marks[mark] + offset + 1] and \
                    names[: got[mark] + offset + 1].count(name) == nth:
                return name
            if mark in got and len(names) > got[mark] + offset:
                count_at, marks = names, got
        return None

    def check(self, point):
        def wrong(what):
            self.violations.append(f"{point}: {what}")

        stage = self.stage
        now = stage.read()
        if now == self.old:
            state = "old"
        elif masked(now) == self.new:
            state = "new"
        else:
            state = "other"
            wrong("the roll is neither the old nor the new one")
        rows = [row["name"] for row in yaml.safe_load(now)["tmux_sessions"]]
        if rows[:2] != [GONE, KEPT]:
            wrong(f"the rows are {rows}")
        entries, _ = stage.journal()
        edited = {entry["told"]["session"] for entry in entries if entry["event"] == "edited"}
        if state == "new" and edited != {GONE, NEW}:
            wrong("the roll was edited before the journal said so")
        self.outcomes[state] += 1

        healed = stage.sighted()
        if healed.returncode != 0:
            wrong(f"the next pass failed: {healed.stderr.decode()[-300:]}")
        after = stage.read()
        if masked(after) != self.new:
            wrong("the next pass did not heal the roll")
        left = set(os.listdir(stage.hermes)) - OURS
        if left and state != "new":
            wrong(f"the next pass left {sorted(left)}")
        again = stage.reconcile()
        if again.returncode != 0 or stage.read() != after:
            wrong("the pass after that was not in order")
        for folder, _, files in os.walk(stage.state):
            if any(file.endswith(".new") for file in files):
                wrong(f"a file is left in {folder}")

        entries, torn = stage.journal()
        numbers = [entry["seq"] for entry in entries]
        if torn or numbers != sorted(set(numbers)):
            wrong("the journal is torn, or its numbers are not in order")
        news = self.news()
        for event, drift, applied in set(self.clean_news):
            told = news.count((event, drift, applied))
            if event == "opened" and told != 1:
                wrong(f"{drift} was opened {told} times in the journal")
            if event == "edited" and told < 1:
                wrong(f"that {drift} was edited is not in the journal")
            if event == "outcome" and told > 1:
                wrong(f"the outcome of {drift} was told {told} times")
            if not {("outcome", drift, True), ("edited", drift, True)} & set(news):
                wrong(f"what became of {drift} is not in the journal")
        self.shapes[" ".join(event + ("+" if applied else "") for event, _, applied in news)] += 1

        if left and state == "new":
            # There was nothing to write, so nothing was tidied: the next write must.
            stage.start("later-creator-claude")
            for _ in range(5):
                later = stage.sighted()
                if stage.read() != after:
                    break
            stage.kill("later-creator-claude")
            if stage.read() == after:
                wrong(f"a new session was not written: {later.stdout.decode()} {later.stderr.decode()}")
            elif set(os.listdir(stage.hermes)) - OURS:
                wrong(f"the next write left {sorted(left)}")
            self.outcomes["swept by the next write"] += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=BINARY)
    parser.add_argument("--whole", action="store_true", help="from the journal's first entry to the program's end")
    parser.add_argument("--every", type=int, default=1, help="only every Nth point")
    options = parser.parse_args()
    alone()
    stage = Stage(options.binary)
    proof = Proof(stage)
    counts, missed = collections.Counter(), []
    try:
        proof.prepare()
        marks, names = proof.marks, proof.names
        ranges = [("roll", range(0, marks["released"] - marks["roll"] + 1))]
        if options.whole:
            ranges.append(("released", range(1, len(names) - marks["released"])))
            ranges.append(("journal", range(0, marks["roll"] - marks["journal"])))
        points = []
        for mark, offsets in ranges:
            for offset in offsets:
                name = names[marks[mark] + offset]
                points.append((mark, offset, "killed", lambda nth: f"signal=KILL:when={nth}"))
                for error in FAULTS.get(name, []):
                    points.append((mark, offset, error, lambda nth, e=error: f"error={e}:when={nth}"))
                for error in LASTING.get(name, []):
                    points.append((mark, offset, f"{error} from there on", lambda nth, e=error: f"error={e}:when={nth}+"))
        for mark, offset, what, how in points[:: options.every]:
            name = proof.attempt(mark, offset, how)
            if name is None:
                missed.append(f"{mark}+{offset} {names[marks[mark] + offset]} {what}")
                continue
            counts["kills" if what == "killed" else "failed calls"] += 1
            proof.check(f"{mark}+{offset} {name} {what}")
    finally:
        stage.stop()
    print(f"system calls under the roll's lock: {marks['released'] - marks['roll'] + 1}")
    print(f"kills: {counts['kills']}, failed calls: {counts['failed calls']}, points not met: {len(missed)}")
    for point in missed:
        print(f"  {point}")
    print("the roll right after: " + ", ".join(f"{what} {count}" for what, count in sorted(proof.outcomes.items())))
    for shape, count in proof.shapes.most_common():
        print(f"  journal after healing, {count} times: {shape}")
    print(f"violations: {len(proof.violations)}")
    for violation in proof.violations:
        print(f"  {violation}")
    sys.exit(1 if proof.violations or not counts["kills"] else 0)


if __name__ == "__main__":
    main()
