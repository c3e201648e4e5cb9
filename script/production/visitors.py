"""The site and the visitors, processes of their own."""
import collections
import json
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


class Site:
    def __init__(self, address, port):
        self.process = subprocess.Popen([sys.executable, HERE / "web_server.py", address, str(port)])

    def end(self):
        self.process.kill()
        self.process.wait()


class Visitors:
    """Requests from now on until `end`, and what became of them."""

    def __init__(self, address, host, rate):
        self.began = time.time()
        self.process = subprocess.Popen([sys.executable, HERE / "load.py", address, "80", host, str(rate)],
                                        stdout=subprocess.PIPE, text=True)

    def end(self):
        self.process.terminate()
        lines = [json.loads(line) for line in self.process.communicate(timeout=60)[0].splitlines()]
        counts, failures = lines[-1], lines[:-1]
        words = collections.Counter()
        for one in failures:
            words[f"{one['why']} {one['phase']}{' on a kept connection' if one['kept'] else ''}"] += 1
        return {**counts, "seconds": round(time.time() - self.began), "causes": dict(words)}
