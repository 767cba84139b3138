"""The same job as a short Python function: parse, filter by level, sign, post, check errcode, answer.

Listens on loopback; on the platform it would be 0.0.0.0.
"""
import base64
import hashlib
import hmac
import json
import os
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3

WEBHOOK = os.environ.get("DINGTALK_WEBHOOK", "")
SECRET = os.environ.get("DINGTALK_SECRET", "")
SENT = set(os.environ.get("EVENT_LEVELS", "CRITICAL,WARN").split(","))
LEVELS = {
    "Instance:SystemMaintenance.Reboot:Scheduled": "WARN",
    "Instance:SystemFailure.Reboot:Executing": "CRITICAL",
    "Instance:PreemptibleInstanceInterruption": "WARN",
    "Disk:Stalled:Executing": "CRITICAL",
}
POOL = urllib3.PoolManager(maxsize=100, timeout=urllib3.Timeout(connect=3, read=5), retries=False)


def handle(payload):
    event = json.loads(payload)
    data = event["data"]
    name = event["type"].removeprefix("ecs:")
    status = data.get("eventStatus") or data.get("state")
    full_name = f"{name}:{status}" if status else name
    level = data.get("eventLevel") or LEVELS.get(full_name, "INFO")
    if level not in SENT:
        return "filtered"
    resource = data.get("instanceId") or data.get("resourceId")
    text = (
        f"### {level} {full_name}\n\nInstance: {resource}  \nRegion: {event.get('aliyunregionid')}  \n"
        f"Time: {event.get('time')}  \nPlanned for: {data.get('notBefore')}\n\nCloudMonitor · ECS"
    )
    timestamp = str(int(time.time() * 1000))
    digest = hmac.new(SECRET.encode(), f"{timestamp}\n{SECRET}".encode(), hashlib.sha256).digest()
    sign = urllib.parse.quote_plus(base64.b64encode(digest))
    message = {"msgtype": "markdown", "markdown": {"title": full_name, "text": text}}
    answer = POOL.request(
        "POST",
        f"{WEBHOOK}&timestamp={timestamp}&sign={sign}",
        body=json.dumps(message).encode(),
        headers={"Content-Type": "application/json"},
    )
    result = json.loads(answer.data)
    if answer.status != 200 or result.get("errcode") != 0:
        raise RuntimeError(f"errcode {result.get('errcode')}")
    return "delivered"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without these two every answer waits 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        payload = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, body = 200, {"outcome": handle(payload)}
        except Exception as error:
            status, body = 404, {"errorMessage": str(error)}
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("x-fc-status", str(status))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128


Server(("127.0.0.1", int(os.environ.get("FC_SERVER_PORT", "9000"))), Handler).serve_forever()
