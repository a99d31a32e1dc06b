"""A stand-in of Flamenco's manager, written from the description of its HTTP interface."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class StandIn:
    """What the manager knows and answers; ``refusals`` gives a status code to a path once."""

    def __init__(self, storage):
        self.version, self.storage, self.etag = "3.8.5", str(storage), "first"
        self.status, self.tasks = "queued", {}
        self.has_type, self.raw = True, None
        self.refusals, self.asked, self.submitted = [], [], []
        self.address = ""

    def answer(self, method, path, body):
        """Return a status code and an object for JSON, None for nothing."""
        self.asked.append((method, path))
        for index, (refused, code, message) in enumerate(self.refusals):
            if path == refused:
                del self.refusals[index]
                return code, {"code": code, "message": message}
        if path == "version":
            return 200, {"shortversion": self.version, "version": self.version}
        if path.startswith("configuration/shared-storage/users/"):
            return 200, {"location": self.storage, "audience": "users"}
        if path == "jobs/type/strip-stylizer":
            return (200, {"etag": self.etag}) if self.has_type else (404, {"message": "no such"})
        if path in ("jobs/check", "jobs"):
            return self._submit(path, body)
        if path == "jobs/one":
            return 200, {"id": "one", "status": self.status}
        if path == "jobs/one/tasks":
            return 200, {"tasks": [{"name": n, "status": s} for n, s in self.tasks.items()]}
        if path == "jobs/one/setstatus":
            return self._change(body["status"])
        return 404, {"code": 404, "message": "no such job"}

    def _submit(self, path, body):
        if body["type_etag"] != self.etag:
            return 412, {"code": 412, "message": "etag mismatch"}
        if path == "jobs/check":
            return 204, None
        self.submitted.append(body)
        return 200, {"id": "one", "status": "queued"}

    def _change(self, status):
        if self.status in ("completed", "canceled") and status == "cancel-requested":
            return 422, None
        changed = {"cancel-requested": "canceled", "requeueing": "queued"}
        self.status = changed[status]
        return 204, None


@contextmanager
def serve(storage):
    """Run a stand-in for as long as the context lasts."""
    stand_in = StandIn(storage)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            code, found = stand_in.answer(self.command, self.path.removeprefix("/api/v3/"), body)
            content = b"" if found is None else json.dumps(found).encode()
            self.send_response(code)
            content = stand_in.raw if stand_in.raw is not None else content
            if code != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if code != 204:
                self.wfile.write(content)

        do_GET = do_POST = _serve

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stand_in.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
