#!/usr/bin/env python3
"""What a dry-run pass costs, beside the bare tmux call it cannot do without.

In a world like a real one (`world.py`): in turn and in one go, the bare `tmux list-panes -a` with ten fields and
one `headcount reconcile --once --dry-run`, with each of four sets of agents' files; prints medians, their ratio to the
bare call and to small transcripts, and the peak memory.

    cargo build --release && python3 benches/pass.py [--sessions 10,200,1000] [--rounds 21]
"""

import argparse
import os

from world import BINARY, World, large, long_line, measure, small


# Which of the worlds below has small transcripts.
SMALL = 1


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
    print(f"{'sessions':>8}  {'world':<30} {'median':>10} {'to bare':>8} {'to small':>9} {'peak':>9}")
    for sessions in map(int, options.sessions.split(",")):
        world = World(sessions)
        try:
            world.start()
            world.write_roll()
            files = [os.path.join(world.root, f"claude-{number}") for number in range(len(kinds))]
            for folder, (_, pid_files, body) in zip(files, kinds):
                world.write_files(folder, pid_files, body)
            bare, passes, memory = measure(world, options.binary, options.rounds, files)
            print(f"{sessions:>8}  {'bare tmux':<30} {bare:>7.1f} ms", flush=True)
            small_pass = passes[SMALL]
            for (name, _, _), own, peak in zip(kinds, passes, memory):
                peak = "no `time`" if peak is None else f"{peak:.1f} MiB"
                ratios = f"{own / bare:>8.2f} {own / small_pass:>9.2f}"
                print(f"{sessions:>8}  {name:<30} {own:>7.1f} ms {ratios} {peak:>9}", flush=True)
        finally:
            world.stop()


if __name__ == "__main__":
    main()
