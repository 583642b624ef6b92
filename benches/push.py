#!/usr/bin/env python3
"""How soon the end of a job is in its row.

In a world like a real one (`world.py`), with a private Mosquitto on the loopback: the time from publishing a `completed` event to
the row being changed on disk, beside the bare `tmux list-panes -a` and a bare dry-run pass in the same run. Nothing
outside the private folder is touched. `scripts/setup-tests` installs the broker and the publisher's library.

    cargo build --release && python3 benches/push.py [--sessions 10,200] [--events 100]
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time

try:
    import paho.mqtt.client as mqtt
except ImportError:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    python = os.path.join(cache, "headcount-tests", "paho-2.1.0", "bin", "python3")
    if sys.executable == python or not os.path.exists(python):
        sys.exit("paho-mqtt is not installed: run scripts/setup-tests")
    os.execv(python, [python, *sys.argv])

import watch
import world as bench


class Broker:
    def __init__(self, folder):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        config = os.path.join(folder, "mosquitto.conf")
        with open(config, "w") as file:
            file.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nlog_dest none\n")
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
        if not program:
            sys.exit("Mosquitto is not installed: run scripts/setup-tests")
        self.process = subprocess.Popen([program, "-c", config], stderr=subprocess.DEVNULL)

    def client(self):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        for _ in range(100):
            try:
                client.connect("127.0.0.1", self.port)
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        client.loop_start()
        return client

    def stop(self):
        self.process.kill()
        self.process.wait()


def give_jobs(world, turn):
    """Gives every row a job of this turn, and returns them."""
    with open(world.roll) as file:
        lines = [line for line in file if "delegate_job" not in line and "last_visible_note" not in line]
    jobs, text = [], []
    for line in lines:
        text.append(line)
        if line.startswith("- name:"):
            jobs.append(f"job{turn}-{len(jobs)}")
            text.append(f"  delegate_job_id: {jobs[-1]}\n")
    with open(world.roll + ".new", "w") as file:
        file.write("".join(text))
    os.rename(world.roll + ".new", world.roll)
    return jobs


def state(path):
    found = os.stat(path)
    return found.st_ino, found.st_mtime_ns


def events(world, client, many):
    times, turn, jobs = [], 0, []
    while len(times) < many:
        if not jobs:
            turn += 1
            jobs = give_jobs(world, turn)
            time.sleep(2)
        job = jobs.pop()
        before = state(world.roll)
        event = {"schema_version": 1, "seq": 1, "job_id": job, "event": "completed", "detail": "All done."}
        begun = time.perf_counter()
        client.publish(f"python/mqtt/jobs/{job}/events", json.dumps(event), qos=1)
        while state(world.roll) == before:
            if time.perf_counter() - begun > 20:
                sys.exit(f"{job} was not written")
            time.sleep(0.0002)
        times.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.3)
    return times


def bare(world, binary, rounds=15):
    tmux = ["tmux", "-L", "default", "list-panes", "-a", "-F", bench.TEN_FIELDS]
    one = [binary, "reconcile", "--once", "--dry-run", "--emit-diff", "--registry", world.roll]
    results = []
    for command in (tmux, one):
        results.append(statistics.median(
            bench.timed(command, world.env, world.project)[0] for _ in range(rounds)))
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", default="10,200")
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--binary", default=bench.BINARY)
    arguments = parser.parse_args()
    print("time from publishing the end of a job to its row on disk, in milliseconds")
    print(f"{'sessions':>8} {'events':>7} {'median':>8} {'p99':>8} {'bare tmux':>10} {'bare pass':>10}")
    for count in map(int, arguments.sessions.split(",")):
        world = bench.World(count)
        broker = Broker(world.root)
        try:
            world.start()
            world.declare(True, bench.small)
            client = broker.client()
            world.env["MQTT_PORT"] = str(broker.port)
            loop = watch.Loop(world, arguments.binary, ["--subscribe", "--resync", "3600"])
            loop.until(lambda: any("connected" in line for _, line in list(loop.logged)))
            time.sleep(1)
            times = sorted(events(world, client, arguments.events))
            loop.stop()
            tmux, one = bare(world, arguments.binary)
            p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
            print(f"{count:>8} {len(times):>7} {statistics.median(times):>8.1f} {p99:>8.1f} {tmux:>10.1f} {one:>10.1f}")
            client.loop_stop()
        finally:
            broker.stop()
            world.stop()


if __name__ == "__main__":
    main()
