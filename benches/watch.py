#!/usr/bin/env python3
"""What keeping watch costs, and how soon it tells.

In the world of `pass.py`: the processor time of `headcount reconcile --poll` at rest, and while twenty agents
append five lines a second to their transcripts; then the time from the death of a session to the line that
tells it, beside a bare dry-run pass. Nothing outside the private folder is touched.

    cargo build --release && python3 benches/watch.py [--sessions 10,200] [--deaths 30] [--seconds 60]
"""

import argparse
import importlib.util
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("bench_pass", os.path.join(HERE, "pass.py"))
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)
TICK = os.sysconf("SC_CLK_TCK")


class Loop:
    """A running loop, and the lines it prints with the time at which each came."""

    def __init__(self, world, binary, arguments):
        command = [binary, "reconcile", "--emit-diff", "-vv", "--registry", world.roll, *arguments]
        self.process = subprocess.Popen(
            command, env=world.env, cwd=world.project, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.printed, self.logged = [], []
        for stream, lines in ((self.process.stdout, self.printed), (self.process.stderr, self.logged)):
            threading.Thread(target=self.read, args=(stream, lines), daemon=True).start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append((time.perf_counter(), line))

    def passes(self):
        return sum("a pass, because of" in line for _, line in list(self.logged))

    def spent(self):
        """Seconds of processor time, its tmux clients included."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / TICK

    def until(self, seen, limit=30):
        deadline = time.monotonic() + limit
        while not seen():
            if time.monotonic() > deadline:
                sys.exit("the loop did not tell: " + "".join(line for _, line in self.logged[-20:]))
            time.sleep(0.0005)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def per_hour(loop, seconds):
    begun, passes = loop.spent(), loop.passes()
    time.sleep(seconds)
    spent = loop.spent() - begun
    return spent / seconds * 100, spent * 3600 / seconds, loop.passes() - passes


def append(world, stop):
    folder = os.path.join(world.home, ".claude", "projects")
    files = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names][:20]
    while not stop.wait(0.2):
        for path in files:
            with open(path, "a") as file:
                file.write('{"type":"assistant"}\n')


def deaths(world, loop, many):
    took = []
    for name, pane in world.panes[:many]:
        begin = time.perf_counter()
        os.kill(pane, signal.SIGKILL)
        tells = [None]

        def told():
            tells[0] = next((at for at, line in list(loop.printed) if at > begin and name in line.split('"actions"')[0]
                             and '"kind":"tmux_gone","session":"%s"' % name in line), None)
            return tells[0]

        loop.until(told)
        took.append((tells[0] - begin) * 1000)
        time.sleep(1.1)
    return took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", default="10,200")
    parser.add_argument("--deaths", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--binary", default=os.path.join(bench.ROOT, "target", "release", "headcount"))
    options = parser.parse_args()
    for sessions in map(int, options.sessions.split(",")):
        world = bench.World(sessions)
        try:
            world.start()
            world.declare(True, bench.small)
            subprocess.run([options.binary, "init", "--registry", world.roll], env=world.env, capture_output=True)
            loop = Loop(world, options.binary, ["--poll", "30"])
            loop.until(loop.passes)
            time.sleep(2)
            share, hour, passes = per_hour(loop, options.seconds)
            print(f"{sessions:>5} sessions, at rest:         {share:.3f} % of a core, {hour:.2f} s an hour, "
                  f"{passes} passes in {options.seconds:.0f} s", flush=True)
            stop = threading.Event()
            writer = threading.Thread(target=append, args=(world, stop))
            writer.start()
            share, hour, passes = per_hour(loop, options.seconds)
            stop.set()
            writer.join()
            print(f"{sessions:>5} sessions, 20 agents write: {share:.3f} % of a core, {hour:.2f} s an hour, "
                  f"{passes} passes in {options.seconds:.0f} s", flush=True)
            _, bare, _ = bench.measure(world, options.binary, 11)
            took = sorted(deaths(world, loop, min(options.deaths, sessions - 2)))
            p99 = took[min(len(took) - 1, round(len(took) * 0.99))]
            print(f"{sessions:>5} sessions, death to line:   median {statistics.median(took):.1f} ms, p99 {p99:.1f} ms; "
                  f"a bare pass {bare:.1f} ms", flush=True)
            loop.stop()
        finally:
            world.stop()


if __name__ == "__main__":
    main()
