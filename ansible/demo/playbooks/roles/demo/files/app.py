#!/usr/bin/env python3
"""The demo LMS or Studio: a page that says what runs here, a heartbeat, and an answer that takes its time.

Usage: app.py SETTINGS.json SERVICE

Listens on loopback only, behind nginx. Every page is made once, at the start, and depends on nothing but the settings.
"""

import html
import json
import signal
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MAX_SLOW_SECONDS = 60.0

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{platform_name} · {title}</title>
<style>
:root {{ color-scheme: light dark; --back: #f6f7f9; --card: #fff; --ink: #1c2330; --soft: #5d6778; --line: #e3e7ee;
  --mark: {mark}; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --back: #12161d; --card: #1a202a; --ink: #e9edf4; --soft: #9aa5b8; --line: #2a3240; --mark: {dark_mark}; }}
}}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 2rem 1rem; background: var(--back);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }}
main {{ width: 100%; max-width: 36rem; padding: 2.25rem 2.5rem; background: var(--card); border: 1px solid var(--line);
  border-top: 4px solid var(--mark); border-radius: 12px; }}
p.service {{ margin: 0; color: var(--mark); font-weight: 600; letter-spacing: .06em; text-transform: uppercase;
  font-size: .8rem; }}
h1 {{ margin: .25rem 0 1.5rem; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.5rem; margin: 0; padding-top: 1.25rem;
  border-top: 1px solid var(--line); }}
dt {{ color: var(--soft); }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
code {{ font: .9em ui-monospace, monospace; }}
</style>
</head>
<body>
<main>
<p class="service">{title}</p>
<h1>{platform_name}</h1>
<dl>
{rows}
</dl>
</main>
</body>
</html>
"""

MARKS = {"lms": ("#1a66b3", "#6fb1f2"), "cms": ("#a34a18", "#f0a070")}

ROWS = (
    ("App server", "app_server", "{}"),
    ("Release", "release", "{}"),
    ("Commit", "commit", "<code>{}</code>"),
    ("Repository", "repository", "<code>{}</code>"),
    ("Contact", "contact_email", "{}"),
)


def render(settings, site):
    """The page, as bytes. Settings come from people: each is escaped."""

    def value(key):
        return html.escape(str(settings.get(key) or ""))

    rows = [f"<dt>{label}</dt><dd>{form.format(value(key))}</dd>" for label, key, form in ROWS if value(key)]
    mark, dark_mark = MARKS[site["service"]]
    page = PAGE.format(
        platform_name=value("platform_name"),
        title=html.escape(site["title"]),
        mark=mark,
        dark_mark=dark_mark,
        rows="\n".join(rows),
    )
    return page.encode()


class Handler(BaseHTTPRequestHandler):
    """Answers with what the server has ready."""

    protocol_version = "HTTP/1.1"
    # Longer than nginx keeps its idle connections, so that nginx never writes to one that is being closed.
    timeout = 90
    disable_nagle_algorithm = True

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/":
            self.answer(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page)
        elif url.path == "/heartbeat":
            self.answer(HTTPStatus.OK, "application/json", self.server.heartbeat)
        elif url.path == "/slow":
            self.answer_slowly(url.query)
        else:
            self.answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"no such page\n")

    do_HEAD = do_GET

    def answer_slowly(self, query):
        try:
            seconds = float(parse_qs(query).get("seconds", ["0"])[0])
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= MAX_SLOW_SECONDS:
            text = f"seconds must be a number from 0 to {MAX_SLOW_SECONDS:g}\n"
            self.answer(HTTPStatus.BAD_REQUEST, "text/plain; charset=utf-8", text.encode())
            return
        time.sleep(seconds)
        self.answer(HTTPStatus.OK, "text/plain; charset=utf-8", f"answered after {seconds:g} s\n".encode())

    def answer(self, status, content_type, body):
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            f"Content-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\n"
            "Cache-Control: no-store\r\n"
            "\r\n"
        )
        # One write, one packet.
        self.wfile.write(head.encode() + (b"" if self.command == "HEAD" else body))

    def log_message(self, format, *args):
        """Requests are not logged."""


class Server(ThreadingHTTPServer):
    """A thread for each connection; nginx keeps their number small."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, settings, service):
        site = next(site for site in settings["sites"] if site["service"] == service)
        self.page = render(settings, site)
        self.heartbeat = json.dumps({service: {"message": "OK", "status": True}}).encode() + b"\n"
        super().__init__(("127.0.0.1", int(site["backend_port"])), Handler)


def main():
    _, path, service = sys.argv
    with open(path, encoding="utf-8") as file:
        settings = json.load(file)
    threading.stack_size(256 * 1024)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    with Server(settings, service) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
