"""A stand-in for the model that a Hermes worker talks to, on the loopback interface only.

It does what a card and the skill ask of a model, and knows nothing else: it looks at the card, runs the line that
stands there, looks again, and runs it again for as long as the card is running. Where the line prints what it cannot
tell the board, it passes that on with its own tools; and it looks for a request to stop itself.

    server.py TIME      TIME is how long a turn is to be, instead of what the card says

It prints the port it listens on, and ends when its standard input does.
"""

import http.server
import itertools
import json
import re
import sys
import threading

TURN = sys.argv[1]
LINE = re.compile(r"^    (.* worker --turn .*)$", re.MULTILINE)
numbers = itertools.count(1)


def text_of(message):
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def results(messages):
    """The results of the tools that were called last, by the names of the tools."""
    found = []
    for message in reversed(messages):
        if message["role"] != "tool":
            names = {call["id"]: call["function"]["name"] for call in message.get("tool_calls") or []}
            return [(names.get(of), text) for of, text in reversed(found)]
        found.append((message["tool_call_id"], text_of(message)))
    return []


def relayed(output):
    """The calls that a worker asks for which cannot reach the board."""
    for line in output.splitlines():
        if not line.startswith("{"):
            continue
        asked = json.loads(line)
        if asked["relay"] == "comment":
            yield "kanban_comment", {"task_id": asked["task"], "body": asked["text"]}
        elif asked["relay"] == "heartbeat":
            yield "kanban_heartbeat", {"note": asked["note"]}
        elif asked["relay"] == "block":
            yield "kanban_block", {"reason": asked["reason"], "kind": "needs_input"}
        elif asked["relay"] == "complete":
            yield "kanban_complete", {"summary": asked["summary"], "metadata": asked["metadata"]}


def asked_to_stop(shown):
    for comment in shown["comments"]:
        lines = [line.strip() for line in comment["body"].splitlines()]
        if comment["author"] != "default" and "stop" in lines:
            return comment["author"]
    return None


def answer(request):
    """What it says, and the tools it calls."""
    messages = request["messages"]
    last = text_of(messages[-1])
    if not request.get("tools"):
        return '{"done": false, "reason": "Nobody has asked to stop."}', []
    if messages[-1]["role"] == "user" and last.startswith("Review the conversation"):
        return "Nothing to save.", []
    look = [("kanban_show", {})]
    for name, result in results(messages):
        if name == "terminal":
            return None, [*relayed(json.loads(result)["output"]), *look]
        if name == "kanban_show":
            shown = json.loads(result)
            if shown["task"]["status"] != "running":
                return "That is done.", []
            printed = (text_of(message) for message in messages if message["role"] == "tool")
            relays = any('\\"relay\\"' in text for text in printed)
            who = asked_to_stop(shown) if relays else None
            if who:
                reason = {"reason": f"stop-requested by {who}", "kind": "needs_input"}
                return None, [("kanban_block", reason)]
            line = re.sub(r"--turn \S+", f"--turn {TURN}", LINE.search(shown["task"]["body"])[1])
            return None, [("terminal", {"command": line})]
        if name == "kanban_block":
            return "That is done.", []
    return None, look


def message(said, calls):
    message = {"role": "assistant", "content": said}
    if calls:
        message["tool_calls"] = [
            {
                "index": index,
                "id": f"call_{next(numbers)}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for index, (name, arguments) in enumerate(calls)
        ]
    return message


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        models = {"object": "list", "data": [{"id": "stand-in", "object": "model"}]}
        self.reply("application/json", json.dumps(models))

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "messages" not in request:
            return self.reply("application/json", "{}")
        said = message(*answer(request))
        end = "tool_calls" if "tool_calls" in said else "stop"
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        base = {"id": f"chat_{next(numbers)}", "created": 0, "model": request.get("model", "stand-in")}
        if not request.get("stream"):
            choice = {"index": 0, "message": said, "finish_reason": end}
            whole = base | {"object": "chat.completion", "choices": [choice], "usage": usage}
            return self.reply("application/json", json.dumps(whole))
        base |= {"object": "chat.completion.chunk"}
        pieces = [
            base | {"choices": [{"index": 0, "delta": said, "finish_reason": None}]},
            base | {"choices": [{"index": 0, "delta": {}, "finish_reason": end}], "usage": usage},
        ]
        lines = [f"data: {json.dumps(piece)}\n\n" for piece in pieces] + ["data: [DONE]\n\n"]
        self.reply("text/event-stream", "".join(lines))

    def reply(self, kind, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
