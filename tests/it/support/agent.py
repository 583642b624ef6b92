"""A stand-in for a coding agent.

It does nothing, but it does so under the agent's name, with the children, locks and open files that its
order (a JSON file named by the first argument) gives it. When all is in place it says so in a file.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time

with open(sys.argv[1]) as file:
    order = json.load(file)

if order["ignores_hangup"]:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

kept = [open(path, "a") for path in order["locks"] + order["files"]]
for file in kept[: len(order["locks"])]:
    fcntl.flock(file, fcntl.LOCK_EX)

children = [subprocess.Popen(child["argv"]) for child in order["children"]]


def leave(*_):
    for child in children:
        child.terminate()
    sys.exit(0)


signal.signal(signal.SIGTERM, leave)

ready = []
for child in order["children"]:
    while not os.path.exists(child["ready"]):
        time.sleep(0.005)
    with open(child["ready"]) as file:
        ready.append(json.load(file))

with open(order["ready"] + ".new", "w") as file:
    json.dump({"pid": os.getpid(), "children": ready}, file)
os.rename(order["ready"] + ".new", order["ready"])

while True:
    signal.pause()
