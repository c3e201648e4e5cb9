#!/usr/bin/env python3
"""A `docker` for tests: records its calls, and answers requests in place of the containers that it started.

As a command it appends its arguments to CALLS, a JSON line each, and asks the daemon. `docker daemon` is that: it keeps
which services run, across restarts, and listens at Caddy's port while `caddy` is one of them, with the host names of the
Caddyfile that Tutor rendered. There are no images, so builds, pulls and jobs only get recorded.
"""

import glob
import http.server
import json
import os
import re
import signal
import socketserver
import sys
import threading
import urllib.parse

HOME = "/var/lib/recording-docker"
CALLS, STATE, SOCKET = f"{HOME}/calls.jsonl", f"{HOME}/state.json", "/run/recording-docker.sock"
SITE = re.compile(r"^([a-z0-9.-]+)\{\$default_site_port\}[^\n]* \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
PROXY = re.compile(r'import proxy "([a-z-]+):\d+"')


# The command


class Compose:
    """The arguments of `docker compose`."""

    def __init__(self, arguments):
        self.files, self.profiles = [], [p for p in os.environ.get("COMPOSE_PROFILES", "").split(",") if p]
        self.project, rest = "", list(arguments)
        while rest and rest[0].startswith("-"):
            option, value = rest.pop(0), rest.pop(0)
            if option in ("-f", "--file"):
                self.files.append(value)
            elif option in ("-p", "--project-name"):
                self.project = value
            elif option == "--profile":
                self.profiles.append(value)
            else:
                sys.exit(f"unknown option {option}")
        self.verb, self.rest = rest[0], rest[1:]

    def services(self):
        """Every service with its merged definition, read as YAML: what Tutor rendered must be valid."""
        sys.path.extend(glob.glob("/opt/tutor/venv/lib/python3*/site-packages"))
        import yaml

        services = {}
        for path in self.files:
            with open(path, encoding="utf-8") as file:
                for name, definition in (yaml.safe_load(file).get("services") or {}).items():
                    services.setdefault(name, {}).update(definition)
        return services

    def named(self):
        """The words that are neither options nor their values."""
        with_value = ("--timeout", "--policy", "--status", "--format")
        words = [w for at, w in enumerate(self.rest) if at == 0 or self.rest[at - 1] not in with_value]
        return [word for word in words if not word.startswith("-")]

    def is_active(self, service):
        return not service.get("profiles") or bool(set(service["profiles"]) & set(self.profiles))

    def enabled(self):
        """The services of this call: the named ones with what they depend on, or all whose profile is active."""
        services = self.services()
        unknown = [name for name in self.named() if name not in services]
        if unknown:
            sys.exit(f"no such service: {', '.join(unknown)}")
        wanted = self.named() or [name for name, it in services.items() if self.is_active(it)]
        found = []
        while wanted:
            name = wanted.pop()
            if name not in found:
                found.append(name)
                wanted += services[name].get("depends_on") or []
        return sorted(found)


def ask(request):
    import socket

    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.connect(SOCKET)
        daemon.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(daemon.makefile().readline())
    if "error" in answer:
        sys.exit(answer["error"])
    return answer


def published_port(compose):
    ports = compose.services()["caddy"]["ports"]
    return int(str(ports[0]).split(":")[-2])


def compose_command(arguments):
    compose = Compose(arguments)
    if compose.verb == "up":
        caddyfile = os.path.join(os.path.dirname(compose.files[0]), "../apps/caddy/Caddyfile")
        with open(caddyfile, encoding="utf-8") as file:
            sites = {name: PROXY.search(body).group(1) for name, body in SITE.findall(file.read())}
        ask({"up": compose.enabled(), "known": list(compose.services()), "sites": sites, "port": published_port(compose), "project": compose.project})
    elif compose.verb == "stop":
        # Like some versions of Compose, ignores a service whose profile is not active.
        services = compose.services()
        ask({"stop": [name for name in compose.named() or services if compose.is_active(services[name])]})
    elif compose.verb == "ps":
        print("\n".join(ask({})["running"]))
    elif compose.verb == "ls":
        state = ask({})
        print(json.dumps([{"Name": state["project"], "Status": "running"}] if state["running"] else []))
    elif compose.verb in ("run", "exec", "pull", "restart", "config", "logs"):
        compose.services()
    else:
        sys.exit(f"docker compose {compose.verb}: not known here")


def command(arguments):
    with open(CALLS, "a", encoding="utf-8") as file:
        file.write(json.dumps({"argv": arguments, "uid": os.getuid()}) + "\n")
    if arguments[:1] == ["compose"]:
        compose_command(arguments[1:])
    elif arguments[:1] not in (["build"], ["buildx"], ["pull"], ["info"], ["version"]):
        sys.exit(f"docker {' '.join(arguments)}: not known here")


# The daemon


class Site(http.server.BaseHTTPRequestHandler):
    """What Caddy and the containers behind it would answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        state, url = self.server.state, urllib.parse.urlsplit(self.path)
        service = state["sites"].get((self.headers["Host"] or "").split(":")[0])
        if service is None:
            self.answer(404, "text/plain", "no such site\n")
        elif service not in state["running"]:
            self.answer(502, "text/plain", f"{service} does not run\n")
        elif service in ("lms", "cms") and url.path == "/heartbeat":
            self.heartbeat(url.query, state["running"])
        elif service == "mfe" and url.path == "/authn/login":
            self.answer(200, "text/html", "<!doctype html><title>Sign in</title>\n")
        elif service == "mfe" and url.path == "/api/mfe_config/v1":
            app = urllib.parse.parse_qs(url.query).get("mfe", [""])[0]
            self.answer(200 if "lms" in state["running"] else 502, "application/json", json.dumps({"APP_ID": app}))
        elif service == "mfe" and url.path == "/":
            lms = next(host for host, name in state["sites"].items() if name == "lms")
            self.answer(302, "text/plain", "", Location=f"{self.headers['X-Forwarded-Proto'] or 'http'}://{lms}")
        elif url.path in ("/", "/health"):
            self.answer(200, "text/plain", f"{service}\n")
        else:
            self.answer(404, "text/plain", "no such page\n")

    def heartbeat(self, query, running):
        checks = {"modulestore": {"message": "OK", "status": True}, "sql": {"message": "OK", "status": True}}
        if "extended" in urllib.parse.parse_qs(query, keep_blank_values=True):
            works = any(name.endswith("-worker") for name in running)
            checks["celery"] = {"message": "OK" if works else "expired", "status": works}
        works = all(check["status"] for check in checks.values())
        self.answer(200 if works else 503, "application/json", json.dumps(checks))

    def answer(self, status, content_type, text, **headers):
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class Daemon:
    def __init__(self):
        self.lock, self.web = threading.Lock(), None
        self.state = {"running": [], "sites": {}, "port": 80, "project": ""}
        if os.path.exists(STATE):
            with open(STATE, encoding="utf-8") as file:
                self.state = json.load(file)
        self.listen()

    def handle(self, request):
        with self.lock:
            # What is no longer in the files is an orphan, which Tutor has removed.
            running = set(self.state["running"]) & set(request.get("known", self.state["running"]))
            running |= set(request.get("up", [])) - {"permissions"}
            self.state.update({key: request[key] for key in ("sites", "port", "project") if key in request})
            self.state["running"] = sorted(running - set(request.get("stop", [])))
            with open(STATE + ".new", "w", encoding="utf-8") as file:
                json.dump(self.state, file)
            os.replace(STATE + ".new", STATE)
            self.listen()
            return self.state

    def listen(self):
        is_wanted = "caddy" in self.state["running"]
        if self.web and (not is_wanted or self.web.server_port != self.state["port"]):
            self.web.shutdown()
            self.web.server_close()
            self.web = None
        if is_wanted and not self.web:
            self.web = http.server.ThreadingHTTPServer(("", self.state["port"]), Site)
            threading.Thread(target=self.web.serve_forever, daemon=True).start()
        if self.web:
            self.web.state = self.state


def daemon():
    os.makedirs(HOME, exist_ok=True)
    with open(CALLS, "a", encoding="utf-8"):
        os.chmod(CALLS, 0o666)
    kept = Daemon()

    class Request(socketserver.StreamRequestHandler):
        def handle(self):
            try:
                answer = kept.handle(json.loads(self.rfile.readline()))
            except (OSError, ValueError) as error:
                answer = {"error": str(error)}
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    if os.path.exists(SOCKET):
        os.unlink(SOCKET)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socketserver.ThreadingUnixStreamServer(SOCKET, Request) as server:
        os.chmod(SOCKET, 0o666)
        server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:] == ["daemon"]:
        daemon()
    else:
        command(sys.argv[1:])
