#!/usr/bin/env python3
"""A schema registry for tests, on loopback: registry.py DIR. Prints its port, then a line a request;
ends by itself after two minutes. Paths that begin with /private/ want the user reader and the
password secret.
"""
import base64
import http.server
import json
import os
import sys
import threading

DIR = sys.argv[1]


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body, kind="application/json"):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        print(self.path, flush=True)
        path = self.path
        if path.startswith("/private"):
            want = "Basic " + base64.b64encode(b"reader:secret").decode()
            if self.headers.get("Authorization") != want:
                return self.answer(401, "{}")
            path = path[len("/private"):]
        place, _, number = path.rpartition("/")
        file = os.path.join(DIR, number + ".avsc")
        if number == "500":
            return self.answer(500, "{}")
        if number == "501":
            return self.answer(200, json.dumps({"schema": "{}", "schemaType": "PROTOBUF"}))
        if number == "502":
            return self.answer(200, json.dumps({"schema": '"A"', "references": [{"name": "A"}]}))
        if number == "503":
            return self.answer(200, "<html>")
        if not os.path.exists(file):
            return self.answer(404, json.dumps({"error_code": 40403, "message": "Schema not found"}))
        with open(file) as f:
            schema = f.read()
        if place in ("/schemas/ids", "/schemas/guids"):
            return self.answer(200, json.dumps({"schema": schema}))
        if place in ("/apis/registry/v2/ids/globalIds", "/apis/registry/v3/ids/contentIds"):
            return self.answer(200, schema)
        return self.answer(404, "{}")

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Timer(120, server.shutdown).start()
server.serve_forever()
