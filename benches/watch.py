#!/usr/bin/env python3
"""What keeping watch costs, and how soon it tells.

In a world like a real one (`world.py`): the processor time of `headcount reconcile --poll` at rest, and while
twenty agents append five lines a second to their transcripts; then the times from the death of an agent, and from
the death of its session, to the lines that tell it, beside a bare dry-run pass. Where there are fewer sessions than
deaths, the world is made again. Nothing outside the private folder is touched.

    cargo build --release && python3 benches/watch.py [--sessions 10,200] [--deaths 30] [--seconds 60]
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

import world as bench

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


def line_after(loop, begin, told):
    """Waits for the first line printed after a moment that tells it, and returns the milliseconds that took."""
    seen, found = 0, []

    def is_told():
        nonlocal seen
        lines = list(loop.printed)
        for at, line in lines[seen:]:
            seen += 1
            if at > begin and told(json.loads(line)):
                found.append(at)
                return True
        return False

    loop.until(is_told)
    return (found[0] - begin) * 1000


def deaths(world, loop, many):
    """Of agents whose sessions live on, and then of those sessions: for both the milliseconds to their lines."""
    of_agents, of_sessions = [], []
    for (name, pane), agent in list(zip(world.panes, world.agents))[:many]:
        begin = time.perf_counter()
        os.kill(agent, signal.SIGKILL)
        of_agents.append(line_after(loop, begin, lambda report: any(
            note["kind"] == "agent_exited" and note["session"] == name for note in report["notes"])))
        time.sleep(1.1)
        begin = time.perf_counter()
        os.kill(pane, signal.SIGKILL)
        of_sessions.append(line_after(loop, begin, lambda report: any(
            drift["kind"] == "tmux_gone" and drift["session"] == name for drift in report["drifts"])))
        time.sleep(1.1)
    return of_agents, of_sessions


def at_rest(world, loop, sessions, seconds):
    time.sleep(2)
    share, hour, passes = per_hour(loop, seconds)
    print(f"{sessions:>5} sessions, at rest:          {share:.3f} % of a core, {hour:.2f} s an hour, "
          f"{passes} passes in {seconds:.0f} s", flush=True)
    stop = threading.Event()
    writer = threading.Thread(target=append, args=(world, stop))
    writer.start()
    share, hour, passes = per_hour(loop, seconds)
    stop.set()
    writer.join()
    print(f"{sessions:>5} sessions, 20 agents write:  {share:.3f} % of a core, {hour:.2f} s an hour, "
          f"{passes} passes in {seconds:.0f} s", flush=True)


def median_and_p99(times):
    times = sorted(times)
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    return f"median {statistics.median(times):.1f} ms, p99 {p99:.1f} ms of {len(times)}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", default="10,200")
    parser.add_argument("--deaths", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--binary", default=bench.BINARY)
    options = parser.parse_args()
    for sessions in map(int, options.sessions.split(",")):
        of_agents, of_sessions, bare = [], [], None
        while len(of_sessions) < options.deaths:
            world = bench.World(sessions)
            world.afterwards = f"exec {world.sleep} 100000"
            try:
                world.start()
                world.declare(True, bench.small)
                subprocess.run([options.binary, "init", "--registry", world.roll], env=world.env, capture_output=True)
                loop = Loop(world, options.binary, ["--poll", "30"])
                loop.until(lambda: any("are listened for" in line for _, line in list(loop.logged)))
                if bare is None:
                    at_rest(world, loop, sessions, options.seconds)
                    _, [bare], _ = bench.measure(world, options.binary, 11)
                many = min(options.deaths - len(of_sessions), max(1, sessions - 2))
                more_agents, more_sessions = deaths(world, loop, many)
                of_agents += more_agents
                of_sessions += more_sessions
                loop.stop()
            finally:
                world.stop()
        print(f"{sessions:>5} sessions, agent to line:    {median_and_p99(of_agents)}; a bare pass {bare:.1f} ms")
        print(f"{sessions:>5} sessions, session to line:  {median_and_p99(of_sessions)}", flush=True)


if __name__ == "__main__":
    main()
