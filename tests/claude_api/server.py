"""A stand-in for the model API that Claude Code talks to, on the loopback interface only.

It answers every request with a short text, unless what the person typed has a line that is an order:

- `RUN: COMMAND`: it answers with a call of the Bash tool, and ends the turn when the tool's result comes back;
- `HOLD: PATH`: it answers only when that file exists.

It prints the port it listens on, and ends when its standard input does.
"""

import http.server
import itertools
import json
import os
import re
import sys
import threading
import time

ORDER = re.compile(r"^(RUN|HOLD): (.+)", re.MULTILINE)
numbers = itertools.count(1)


def answer(request):
    """The content block that answers a request, and the reason the turn stops there."""
    blocks = next(m["content"] for m in reversed(request["messages"]) if m["role"] == "user")
    if isinstance(blocks, str):
        blocks = [{"type": "text", "text": blocks}]
    if any(block["type"] == "tool_result" for block in blocks):
        return {"type": "text", "text": "That is done."}, "end_turn"
    # Requests without tools are not the conversation itself: they ask for its title, for instance.
    orders = [ORDER.search(block.get("text", "")) for block in blocks if request.get("tools")]
    for kind, order in (order.groups() for order in orders if order):
        if kind == "RUN":
            call = {"command": order, "description": "What was asked for"}
            number = next(numbers)
            return {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": call}, "tool_use"
        while not os.path.exists(order):
            time.sleep(0.02)
    return {"type": "text", "text": "Hello."}, "end_turn"


def message(request, content, stop_reason):
    return {
        "id": f"msg_{next(numbers)}",
        "type": "message",
        "role": "assistant",
        "model": request.get("model", "stand-in"),
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def events(request):
    """The same answer as the server-sent events of a stream."""
    block, stop_reason = answer(request)
    if block["type"] == "text":
        opening, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        opening = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield "message_start", {"message": message(request, [], None)}
    yield "content_block_start", {"index": 0, "content_block": opening}
    yield "content_block_delta", {"index": 0, "delta": delta}
    yield "content_block_stop", {"index": 0}
    yield "message_delta", {
        "delta": {"stop_reason": stop_reason, "stop_sequence": None},
        "usage": {"output_tokens": 1},
    }
    yield "message_stop", {}


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")
        path = self.path.split("?")[0]
        if path == "/v1/messages" and request.get("stream"):
            stream = "".join(
                f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"
                for name, data in events(request)
            )
            self.reply(200, "text/event-stream", stream.encode())
        elif path == "/v1/messages":
            block, stop_reason = answer(request)
            self.reply_json(200, message(request, [block], stop_reason))
        elif path == "/v1/messages/count_tokens":
            self.reply_json(200, {"input_tokens": 1})
        else:
            self.do_GET()

    def do_GET(self):
        self.reply_json(404, {"type": "error", "error": {"type": "not_found_error", "message": "?"}})

    def reply_json(self, status, content):
        self.reply(status, "application/json", json.dumps(content).encode())

    def reply(self, status, kind, body):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
