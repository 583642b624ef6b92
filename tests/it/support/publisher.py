"""Publishes job events as docs/job-events.md tells, for the tests.

Reads commands from standard input, one JSON object a line, and answers each with one line when it is done:
  {"publish": {event}, "token": "…" or null, "topic": "…" or null, "retain": false, "raw": "…" or null}
  {"burst": 100000, "ends": ["job", …], "token": null}   many `progress` events, with the ends among them
"""

import hashlib
import hmac
import json
import ssl
import sys
import time

import paho.mqtt.client as mqtt


def sign(event, auth_token):
    fields = ["headcount-job-event", event["schema_version"], event["job_id"], event["seq"], event["event"],
              event.get("timestamp") or "", event.get("detail") or ""]
    text = b"".join(b"%d:%s," % (len(field), field) for field in (str(field).encode() for field in fields))
    return hmac.new(auth_token.encode(), text, hashlib.sha256).hexdigest()


def signed(event, token):
    if token is not None:
        event.setdefault("data", {})["hmac_sig"] = sign(event, token)
    return event


def payload(event, token):
    return json.dumps(signed(event, token), ensure_ascii=False)


def wait(client, sent):
    """Until the broker has it; one that is away for a while gets it when it is back."""
    deadline = time.monotonic() + 120
    while sent.mid not in client.acknowledged:
        if time.monotonic() > deadline:
            sys.exit("the broker did not take message %d" % sent.mid)
        time.sleep(0.001)
    client.acknowledged.discard(sent.mid)


def main():
    options = json.loads(sys.argv[1])
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=options.get("id", ""))
    client.acknowledged = set()
    client.on_publish = lambda client, _data, mid, *_rest: client.acknowledged.add(mid)
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(0)
    if options.get("user"):
        client.username_pw_set(options["user"], options.get("password"))
    if options.get("ca"):
        client.tls_set(ca_certs=options["ca"], certfile=options.get("cert"), keyfile=options.get("key"),
                       cert_reqs=ssl.CERT_REQUIRED)
    client.reconnect_delay_set(min_delay=1, max_delay=1)
    deadline = time.monotonic() + 60
    while True:
        try:
            client.connect("localhost" if options.get("ca") else "127.0.0.1", options["port"])
            break
        except ConnectionError:  # the broker is away for a while
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    client.loop_start()
    for line in sys.stdin:
        command = json.loads(line)
        sent = []
        if "burst" in command:
            ends = list(command["ends"])
            every = max(1, command["burst"] // max(1, len(ends)))
            for number in range(command["burst"]):
                if number % every == every - 1 and ends:
                    event = {"schema_version": 1, "seq": 1_000_000, "job_id": ends.pop(), "event": "completed"}
                else:
                    event = {"schema_version": 1, "seq": number + 1, "job_id": "busy%d" % (number % 50),
                             "event": "progress", "detail": "step %d" % number}
                topic = "python/mqtt/jobs/%s/events" % event["job_id"]
                sent.append(client.publish(topic, payload(event, command.get("token")), qos=1))
                if len(sent) == 10_000:  # a client has 65,535 numbers for what is on its way
                    for one in sent:
                        wait(client, one)
                    sent.clear()
        else:
            event = command.get("publish") or {}
            topic = command.get("topic") or "python/mqtt/jobs/%s/events" % event["job_id"]
            text = command.get("raw")
            if text is None:
                text = payload(event, command.get("token"))
            sent.append(client.publish(topic, text, qos=1, retain=command.get("retain", False)))
        for one in sent:
            wait(client, one)
        print("done", flush=True)
    client.loop_stop()
    client.disconnect()


main()
