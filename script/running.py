"""Runs the built program on a data directory and ports of its own, for the scripts `chaos`, `test-configuration`, `test-upgrade`.

Only the standard library.
"""
import http.client
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PASSWORD = "correct horse battery staple"
BUILDING = ("new", "waiting", "configuring")


def program():
    """The path of the program that was built last."""
    built = [p for p in (ROOT / "target/release/ocim", ROOT / "target/debug/ocim") if p.exists()]
    if not built:
        sys.exit("There is no built program: run `make build` first.")
    return str(max(built, key=lambda path: path.stat().st_mtime))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def web_server():
    """Answers for all fake machines, in this process, so that killing `ocim` does not end it. Returns its address."""

    class Always(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Always)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_address[1]}"


class Installation:
    """A server on a data directory of its own, with the workers that a script adds."""

    def __init__(self, binary=None, **settings):
        self.binary = binary or program()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ocim-script-"))
        os.chmod(self.dir, 0o755)
        self.data = self.dir / "data"
        self.port, self.gateway = free_port(), free_port()
        own = ("OCIM_", "DEFAULT_", "INSTANCE", "DATABASE_URL")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(own) or k == "OCIM_CACHE_DIR"}
        self.env.update(OCIM_LISTEN=f"127.0.0.1:{self.port}", OCIM_GATEWAY_LISTEN=f"127.0.0.1:{self.gateway}",
                        OCIM_DATA_DIR=str(self.data), OCIM_ADMIN_PASSWORD=PASSWORD, **settings)
        self.log = open(self.dir / "log", "ab")
        self.cookie = None
        self.workers = []
        self.start_server()
        self.login()

    def start(self, command):
        return subprocess.Popen([self.binary, command], env=self.env, stdout=self.log, stderr=self.log, start_new_session=True)

    def start_server(self):
        self.server = self.start("server")
        self.until(lambda: self.ask("GET", "/readyz")[0] == 200, 120, "the server is not ready")

    def kill_server(self):
        self.server.kill()
        self.server.wait()

    def login(self):
        status, headers, _ = self.ask("POST", "/api/v1/auth/login", {"username": "admin", "password": PASSWORD})
        if status not in (200, 204):
            self.fail(f"signing in: {status}")
        self.cookie = "; ".join(v.split(";")[0] for k, v in headers if k.lower() == "set-cookie")

    def ask(self, method, path, body=None):
        """Status, headers and body; status 0 without an answer."""
        headers = {"Origin": f"http://127.0.0.1:{self.port}", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body if body is not None else {}) if method != "GET" else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except (OSError, http.client.HTTPException):
            return 0, [], b""
        finally:
            connection.close()

    def call(self, method, path, body=None, patience=60):
        """The body of the answer; the request is repeated while the server is away."""
        end = time.time() + patience
        while True:
            status, _, text = self.ask(method, "/api/v1" + path, body)
            if 200 <= status < 300:
                return json.loads(text) if text else None
            if 400 <= status < 500 or time.time() > end:
                self.fail(f"{method} {path}: {status} {text[:300]!r}")
            time.sleep(0.3)

    def all(self, path):
        items, cursor = [], ""
        while True:
            page = self.call("GET", path + ("&" if "?" in path else "?") + "limit=500" + cursor)
            items += page["items"]
            if not page["next_cursor"]:
                return items
            cursor = "&cursor=" + page["next_cursor"]

    # The main job.
    def instance(self, name, sub_domain):
        return self.call("POST", "/instances", {"name": name, "sub_domain": sub_domain})["id"]

    def launch(self, instance):
        return self.call("POST", f"/instances/{instance}/app-servers")["id"]

    def status(self, app_server):
        return self.call("GET", f"/app-servers/{app_server}")["status"]

    def activate(self, app_server):
        self.call("POST", f"/app-servers/{app_server}/activate")

    def until(self, is_so, seconds, what):
        end = time.time() + seconds
        while not is_so():
            if time.time() > end:
                self.fail(what)
            time.sleep(0.1)

    def fail(self, why):
        sys.stdout.flush()
        tail = (self.dir / "log").read_bytes().splitlines()[-25:]
        print(b"\n".join(tail).decode(errors="replace"), file=sys.stderr)
        self.stop()
        sys.exit(f"✗ {why}   (everything is kept in {self.dir})")

    def stop(self):
        processes = [*self.workers, self.server]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()

    def remove(self):
        subprocess.run(["rm", "-rf", str(self.dir)], check=False)


class Visitor(threading.Thread):
    """Sends an instance some 50 requests a second through the gateway, and records each that fails."""

    def __init__(self, installation, host):
        super().__init__(daemon=True)
        self.gateway, self.host, self.end, self.ok, self.bad = installation.gateway, host, threading.Event(), 0, []

    def run(self):
        while not self.end.is_set():
            at = time.time()
            connection = http.client.HTTPConnection("127.0.0.1", self.gateway, timeout=5)
            try:
                connection.request("GET", "/", headers={"Host": self.host})
                answer = connection.getresponse()
                answer.read()
                why = None if answer.status == 200 else f"status {answer.status}"
            except (OSError, http.client.HTTPException) as error:
                why = type(error).__name__
            finally:
                connection.close()
            if why:
                self.bad.append((at, why))
            else:
                self.ok += 1
            time.sleep(0.02)
