#!/bin/sh
# A pass as one writes it in an afternoon, for comparison: Python reads the roll, and the shell asks one program
# for each question. It only prints, and knows none of the cases that headcount's rules are about.
#
#     benches/straightforward.sh ROLL
set -u
python3 -c '
import sys, yaml
for row in yaml.safe_load(open(sys.argv[1]))["tmux_sessions"]:
    if row["status"] == "running":
        print(row["name"], row["pane"]["pid"], row.get("claude_session_id_own") or "-", sep="\t")
' "$1" | while IFS='	' read -r name recorded id; do
    if ! tmux has-session -t "=$name" 2>/dev/null; then
        echo "A $name: no such session"
        continue
    fi
    pane=$(tmux list-panes -t "=$name" -F '#{pane_pid}' | head -n 1)
    [ "$pane" = "$recorded" ] || echo "B $name: its pane is $pane, not $recorded"
    agent=$(pgrep -P "$pane" claude)
    if [ -z "$agent" ]; then
        echo "A $name: no agent"
        continue
    fi
    now=$(sed -n 's/.*"sessionId": *"\([^"]*\)".*/\1/p' "$HOME/.claude/sessions/$agent.json" 2>/dev/null)
    [ "${now:-$id}" = "$id" ] || echo "C $name: its conversation is $now, not $id"
    set -- "$HOME"/.claude/projects/*/"${now:-$id}.jsonl"
    [ -e "$1" ] || echo "D $name: conversation ${now:-$id} has no transcript"
done
