"""A private machine for a proof: a home, a tmux server and a roll of its own, below one folder in /tmp."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(ROOT, "target", "debug", "headcount")


def alone():
    """Runs this program again in pid and network namespaces of its own, where that is allowed.

    A look asks every process of the machine, and its list of sockets. Where others come and go, no two passes make the
    same system calls.
    """
    for user in ([], ["--user", "--map-current-user"]):
        unshare = ["unshare", *user, "--pid", "--net", "--fork", "--kill-child", "--mount-proc"]
        if "PROOF_IS_ALONE" in os.environ or not shutil.which("unshare"):
            return
        if subprocess.run([*unshare, "true"], capture_output=True).returncode == 0:
            os.environ["PROOF_IS_ALONE"] = "1"
            os.execvp("unshare", [*unshare, sys.executable, *sys.argv])


class Stage:
    def __init__(self, binary):
        self.binary = binary
        self.root = tempfile.mkdtemp(prefix="hc-proof-", dir="/tmp")
        self.project = os.path.join(self.root, "project")
        self.hermes = os.path.join(self.project, ".hermes")
        self.roll = os.path.join(self.hermes, "agent-sessions.yaml")
        self.state = os.path.join(self.root, "state")
        for name in ("home", "tmux", "project/.hermes"):
            os.makedirs(os.path.join(self.root, name), mode=0o700)
        self.env = {
            "PATH": os.environ["PATH"], "HOME": os.path.join(self.root, "home"), "LANG": "C.UTF-8",
            "TMUX_TMPDIR": os.path.join(self.root, "tmux"), "AGENT_SESSIONS_STATE_DIR": self.state,
        }
        # A shell under the agent's name passes for the agent.
        self.agent = os.path.join(self.root, "claude")
        shutil.copy(shutil.which("dash") or "/bin/sh", self.agent)

    def tmux(self, *args):
        done = subprocess.run(
            ["tmux", "-L", "default", "-f", "/dev/null", *args],
            env=self.env, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )
        return done.stdout.strip()

    def start(self, name):
        """Starts a session and returns its pane's pid."""
        return int(self.tmux(
            "new-session", "-d", "-P", "-F", "#{pane_pid}", "-s", name, "-c", self.project,
            f"{self.agent} -c 'sleep 100000; true'",
        ))

    def kill(self, name):
        self.tmux("kill-session", "-t", f"={name}")

    def reap(self):
        """Alone, this program is also the parent of whoever lost its own: the ended ones would stay for every look."""
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass

    def row(self, name, pid):
        return (
            f"- name: {name}  # by hand\n  status: running\n"
            f"  pane: {{pid: {pid}, cmd: claude, cwd: {self.project}}}\n"
        )

    def write_roll(self, text):
        with open(self.roll, "w") as file:
            file.write(text)
        # A pid is taken for the recorded one only where its process began clearly before the roll was written.
        later = time.time() + 2
        os.utime(self.roll, (later, later))

    def command(self, *more):
        return [
            self.binary, "reconcile", "--once", "--emit-diff", "--grace", "0", "--spawn-grace", "0",
            "--registry", self.roll, *more,
        ]

    def run(self, command, timeout=120):
        return subprocess.run(
            command, env=self.env, cwd=self.project, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
        )

    def reconcile(self, *more):
        return self.run(self.command(*more))

    def sighted(self):
        """A pass that could see all sessions; on a busy machine tmux may answer too late, and nothing is written then."""
        for _ in range(5):
            done = self.reconcile()
            if done.returncode != 0 or json.loads(done.stdout)["tmux_confirmed"]:
                break
        return done

    def settle(self):
        """Says that this is the roll's home: in a container that has to be said once."""
        self.run([self.binary, "init", "--registry", self.roll])

    def read(self):
        with open(self.roll, "rb") as file:
            return file.read()

    def journal(self):
        """The whole lines of the journal, and whether a torn one follows."""
        for folder, _, files in os.walk(self.state):
            if "journal" in files:
                with open(os.path.join(folder, "journal"), "rb") as file:
                    *lines, rest = file.read().split(b"\n")
                return [json.loads(line) for line in lines], bool(rest)
        return [], False

    def stop(self):
        subprocess.run(["tmux", "-L", "default", "kill-server"], env=self.env, capture_output=True)
        shutil.rmtree(self.root, ignore_errors=True)


def masked(text):
    """A roll with the times in it made alike: they are those of the look."""
    text = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"TIME", text)
    return re.sub(rb"(terminated_at_epoch: )\d+", rb"\1EPOCH", text)
