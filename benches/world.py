"""A world like a real one, for the benchmarks, and how a command is measured in it.

On a private tmux server: in every pane a shell, the agent under it, five children under that; 80 pid files of
agents long gone; 2,000 other processes. Nothing outside the private folder is touched.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(ROOT, "target", "release", "headcount")
TEN_FIELDS = "\t".join(
    "#{%s}" % field
    for field in (
        "session_id", "window_id", "pane_id", "pane_pid", "pane_dead",
        "session_created", "session_attached", "pane_current_command", "session_name", "pane_current_path",
    )
)
CHILDREN = 5
STALE_PID_FILES = 80
OTHER_PROCESSES = 2000


class World:
    def __init__(self, sessions):
        self.count = sessions
        self.root = tempfile.mkdtemp(prefix="hc-bench-", dir="/tmp")
        self.home = os.path.join(self.root, "home")
        self.project = os.path.join(self.root, "project")
        self.tmux = os.path.join(self.root, "t")
        for folder in (self.home, self.project, self.tmux, os.path.join(self.project, ".hermes")):
            os.makedirs(folder)
        self.roll = os.path.join(self.project, ".hermes", "agent-sessions.yaml")
        self.env = {
            "PATH": os.environ["PATH"], "HOME": self.home, "LANG": "C.UTF-8", "TMUX_TMPDIR": self.tmux,
            "AGENT_SESSIONS_STATE_DIR": os.path.join(self.root, "state"),
        }
        self.others = []
        # What the shell of a pane does when its agent has ended.
        self.afterwards = "true"
        bin_dir = os.path.join(self.root, "bin")
        os.makedirs(bin_dir)
        # A shell under the agent's name: it looks like the agent and can have children.
        self.agent = os.path.join(bin_dir, "claude")
        shutil.copy(shutil.which("dash") or "/bin/sh", self.agent)
        self.sleep = shutil.which("sleep")

    def start(self):
        work = "; ".join([f"{self.sleep} 100000 &"] * CHILDREN).replace("&;", "&")
        script = os.path.join(self.root, "agent.sh")
        with open(script, "w") as file:
            file.write(f"{work}\nwait\n")
        pane = f"sh -c '{self.agent} {script}; {self.afterwards}'"
        batch = []
        for number in range(self.count):
            batch.append(["new-session", "-d", "-s", f"project-{number}-creator-claude", "-c", self.project, pane])
        first = True
        for begin in range(0, len(batch), 50):
            line = []
            for command in batch[begin:begin + 50]:
                line += (command if not line else [";"] + command)
            options = ["-f", "/dev/null"] if first else []
            subprocess.run(["tmux", "-L", "default", *options, *line], env=self.env, check=True)
            first = False
        self.others = [
            subprocess.Popen([self.sleep, "100000"], stdin=subprocess.DEVNULL, start_new_session=True)
            for _ in range(OTHER_PROCESSES)
        ]
        deadline = time.monotonic() + 120
        while True:
            self.panes = self.listing()
            self.agents = [agent_below(pid) for _, pid in self.panes]
            if all(self.agents) and len(self.panes) == self.count:
                break
            if time.monotonic() > deadline:
                sys.exit("the world did not come up")
            time.sleep(0.5)

    def listing(self):
        out = subprocess.run(
            ["tmux", "-L", "default", "list-panes", "-a", "-F", "#{session_name}\t#{pane_pid}"],
            env=self.env, check=True, capture_output=True, text=True,
        ).stdout
        return [(line.split("\t")[0], int(line.split("\t")[1])) for line in out.splitlines()]

    def declare(self, pid_files, body):
        """Writes the roll, and the agents' files: live pid files or none, and transcripts of that body."""
        self.write_roll()
        claude = os.path.join(self.home, ".claude")
        shutil.rmtree(claude, ignore_errors=True)
        self.write_files(claude, pid_files, body)

    def write_roll(self):
        rows = [
            f"- name: {name}\n  status: running\n"
            f"  pane:\n    pid: {pane}\n    cmd: claude\n    cwd: {self.project}\n"
            f"  start_command: claude --dangerously-skip-permissions\n"
            f"  claude_session_id_own: {conversation_of(name)}\n  last_visible_status: running\n"
            for name, pane in self.panes
        ]
        with open(self.roll, "w") as file:
            file.write("# the roll\ntmux_sessions:\n" + "".join(rows))

    def write_files(self, claude, pid_files, body):
        """Writes the agents' files to a folder."""
        sessions = os.path.join(claude, "sessions")
        key = "".join(c if c.isascii() and c.isalnum() else "-" for c in os.path.realpath(self.project))
        transcripts = os.path.join(claude, "projects", key)
        os.makedirs(sessions)
        os.makedirs(transcripts)
        for (name, _), agent in zip(self.panes, self.agents):
            conversation = conversation_of(name)
            body(os.path.join(transcripts, conversation + ".jsonl"), conversation, self.project)
            if pid_files:
                write_pid_file(sessions, agent, start_of(agent), conversation, self.project)
        for number in range(STALE_PID_FILES):
            write_pid_file(sessions, 4_000_000 + number, "1", str(uuid.uuid4()), self.project)

    def show_files(self, claude):
        """Makes a folder that was written before the one in which the agents keep their files."""
        link = os.path.join(self.home, ".claude")
        os.symlink(claude, link + ".new")
        os.replace(link + ".new", link)

    def stop(self):
        subprocess.run(["tmux", "-L", "default", "kill-server"], env=self.env, capture_output=True)
        for process in self.others:
            process.send_signal(signal.SIGKILL)
        for process in self.others:
            process.wait()
        shutil.rmtree(self.root, ignore_errors=True)


def conversation_of(name):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def agent_below(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = file.read().split()
    except OSError:
        return None
    for child in children:
        try:
            with open(f"/proc/{child}/task/{child}/children") as file:
                if len(file.read().split()) >= CHILDREN:
                    return int(child)
        except OSError:
            pass
    return None


def start_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[19]


def write_pid_file(folder, pid, start, conversation, cwd):
    record = {
        "pid": pid, "sessionId": conversation, "cwd": cwd, "startedAt": 0, "procStart": start,
        "version": "2.1.197", "kind": "interactive", "entrypoint": "cli", "status": "idle",
    }
    with open(os.path.join(folder, f"{pid}.json"), "w") as file:
        json.dump(record, file)


def first_line(conversation, cwd):
    return json.dumps({
        "type": "user", "uuid": str(uuid.uuid4()), "sessionId": conversation, "cwd": cwd, "entrypoint": "cli",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()), "isSidechain": False,
        "message": {"role": "user", "content": "hello"},
    }) + "\n"


def small(path, conversation, cwd):
    with open(path, "w") as file:
        file.write(first_line(conversation, cwd))


def large(path, conversation, cwd):
    """100 MiB; sparse, since only its size and its head can matter."""
    small(path, conversation, cwd)
    with open(path, "r+b") as file:
        file.truncate(100 << 20)


def long_line(path, conversation, cwd):
    """One line of 20 MB at the very start; sparse in its middle."""
    with open(path, "wb") as file:
        file.write(b'{"type":"user","message":{"content":"')
        file.truncate(20 << 20)
        file.seek(20 << 20)
        file.write(b'"}}\n' + first_line(conversation, cwd).encode())


def timed(command, env, cwd):
    begin = time.perf_counter()
    done = subprocess.run(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True)
    return (time.perf_counter() - begin) * 1000, done


def peak_memory(command, env, cwd):
    """In MiB; by GNU time, since a child of this program would be charged with Python's own memory."""
    gnu_time = shutil.which("time")
    if gnu_time is None:
        return None
    done = subprocess.run([gnu_time, "-f", "%M", *command], env=env, cwd=cwd, capture_output=True, text=True)
    return int(done.stderr.strip().splitlines()[-1]) / 1024


def measure(world, binary, rounds, files=(None,)):
    """Medians of the bare call and of a pass, in turn, and the pass's peak memory: for each of these folders of agents'
    files, all in turn, so that what the machine does besides is no difference between them."""
    bare = ["tmux", "-u", "-L", "default", "list-panes", "-a", "-F", TEN_FIELDS]
    headcount = [binary, "reconcile", "--once", "--emit-diff", "--dry-run", "--registry", world.roll]
    bare_times, times = [], [[] for _ in files]
    for number in range(rounds + 2):
        for at, folder in enumerate(files):
            if folder is not None:
                world.show_files(folder)
            bare_spent = checked(bare, world)[0]
            spent, report = checked(headcount, world)
            if number == 0:
                sees_all(json.loads(report), world)
            if number >= 2:
                bare_times.append(bare_spent)
                times[at].append(spent)
    memory = []
    for folder in files:
        if folder is not None:
            world.show_files(folder)
        memory.append(peak_memory(headcount, world.env, world.project))
    return statistics.median(bare_times), [statistics.median(spent) for spent in times], memory


def checked(command, world):
    spent, done = timed(command, world.env, world.project)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stderr.decode()}")
    return spent, done.stdout


def sees_all(report, world):
    if len(report["tmux_sessions_alive"]) < world.count or report["drifts"]:
        sys.exit(f"the pass did not see the world as it is: {json.dumps(report)[:2000]}")
