#!/usr/bin/env python3
"""What a dry-run pass costs, beside the bare tmux call it cannot do without.

In a world like a real one (`world.py`): in turn and in one go, the bare `tmux list-panes -a` with ten fields and
one `headcount reconcile --once --dry-run`; prints medians, their ratio and the peak memory.

    cargo build --release && python3 benches/pass.py [--sessions 10,200,1000] [--rounds 21]
"""

import argparse
import os

from world import BINARY, World, large, long_line, measure, small


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", default="10,200,1000")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--binary", type=os.path.abspath, default=BINARY)
    options = parser.parse_args()
    kinds = [
        ("pid files", True, small),
        ("transcripts only", False, small),
        ("transcripts of 100 MiB", False, large),
        ("transcripts with a 20 MB line", False, long_line),
    ]
    print(f"{'sessions':>8}  {'world':<30} {'bare tmux':>10} {'headcount':>10} {'ratio':>6} {'peak':>9}")
    for sessions in map(int, options.sessions.split(",")):
        world = World(sessions)
        try:
            world.start()
            for name, pid_files, body in kinds:
                world.declare(pid_files, body)
                bare, own, peak = measure(world, options.binary, options.rounds)
                memory = "no `time`" if peak is None else f"{peak:.1f} MiB"
                print(f"{sessions:>8}  {name:<30} {bare:>7.1f} ms {own:>7.1f} ms {own / bare:>6.2f} {memory:>9}", flush=True)
        finally:
            world.stop()


if __name__ == "__main__":
    main()
