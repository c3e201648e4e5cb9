"""A deployment by ansible/deploy on hosts of the test, and its API."""
import json
import http.client
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import time

from production.hosts import until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SITE_PORT = 8000
DOMAIN = "apps.test"
BUILDING = ("new", "waiting", "configuring")


class Deployment:
    """An inventory with its credentials in a directory of its own."""

    def __init__(self, name, hosts, groups, ansible, work, **variables):
        self.hosts, self.ansible = hosts, ansible
        self.dir = pathlib.Path(work) / name
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.runs = 0
        inventory = {"all": {
            "hosts": {host: {"ansible_host": hosts.hosts[host].address} for members in groups.values() for host in members},
            "vars": {"ansible_user": "root", "ansible_ssh_private_key_file": str(hosts.key_file),
                     "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
                     "ocim_virtual_interface": "eth0", "ocim_ready_timeout": 45,
                     "ocim_settings": {"INSTANCES_BASE_DOMAIN": DOMAIN, "OCIM_PROVIDER": "fake", "OCIM_FAKE_PACE_MS": 20,
                                       "OCIM_FAKE_HTTP": f"{hosts.gateway}:{SITE_PORT}"}, **variables},
            "children": {group: {"hosts": dict.fromkeys(members, {})} for group, members in groups.items()}}}
        # JSON is YAML.
        (self.dir / "hosts.yml").write_text(json.dumps(inventory, indent=1))

    def play(self, playbook, *arguments, succeeds=True):
        """Runs the playbook and returns {host: {"ok": …, "changed": …, "failed": …}}, the output and the seconds it took."""
        self.runs += 1
        began = time.monotonic()
        log = self.dir / f"run-{self.runs}.log"
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible/deploy/ansible.cfg")}
        with open(log, "w", encoding="utf-8") as out:
            done = subprocess.run([f"{self.ansible}/ansible-playbook", "--inventory", str(self.dir / "hosts.yml"),
                                   str(ROOT / "ansible/deploy" / playbook), *arguments], stdin=subprocess.DEVNULL,
                                  stdout=out, stderr=subprocess.STDOUT, env=environment, timeout=900, check=False)
        text = log.read_text(encoding="utf-8")
        if (done.returncode == 0) != succeeds:
            sys.stdout.write(text[-6000:])
            raise AssertionError(f"{playbook} {' '.join(arguments)}: exit status {done.returncode}; all of it is in {log}")
        recap = {}
        for line in text.rpartition("PLAY RECAP")[2].splitlines()[1:]:
            if found := re.match(r"(\S+)\s+: (.*)", line):
                recap[found[1]] = {key: int(value) for key, value in (pair.split("=") for pair in found[2].split())}
        return recap, text, time.monotonic() - began

    def changes_nothing(self, *arguments):
        recap, text, seconds = self.play("site.yml", *arguments)
        count = sum(host["changed"] for host in recap.values())
        if count:
            tasks = re.findall(r"TASK \[([^\]]*)\] \*+\n(?:(?!TASK).*\n)*?changed:", text)
            raise AssertionError(f"the run changes {count} things: {tasks}")
        return seconds

    def credential(self, name):
        return (self.dir / "credentials" / name).read_text().strip()


class Console:
    """The API, as a browser reaches it at one address."""

    def __init__(self, deployment, address):
        self.deployment, self.address, self.cookie = deployment, address, None
        self.tls = ssl.create_default_context(cafile=deployment.dir / "credentials/authority.pem")

    def ask(self, method, path, body=None, timeout=20):
        """Status, headers and body; status 0 without an answer."""
        headers = {"Origin": f"https://{self.address}:5443", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        connection = http.client.HTTPSConnection(self.address, 5443, timeout=timeout, context=self.tls)
        try:
            connection.request(method, path, json.dumps(body if body is not None else {}) if method != "GET" else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except (OSError, http.client.HTTPException) as error:
            return 0, [], str(error).encode()
        finally:
            connection.close()

    def login(self):
        status, headers, text = self.ask("POST", "/api/v1/auth/login",
                                         {"username": "admin", "password": self.deployment.credential("admin_password")})
        assert status in (200, 204), f"signing in: {status} {text[:300]!r}"
        self.cookie = "; ".join(value.split(";")[0] for key, value in headers if key.lower() == "set-cookie")

    def call(self, method, path, body=None, patience=60):
        end = time.monotonic() + patience
        while True:
            status, _, text = self.ask(method, "/api/v1" + path, body)
            if 200 <= status < 300:
                return json.loads(text) if text else None
            if 400 <= status < 500 or time.monotonic() > end:
                raise AssertionError(f"{method} {path}: {status} {text[:300]!r}")
            time.sleep(0.2)

    def instance(self, name):
        return self.call("POST", "/instances", {"name": name, "sub_domain": name})["id"]

    def launch(self, instance):
        return self.call("POST", f"/instances/{instance}/app-servers")["id"]

    def status(self, app_server):
        return self.call("GET", f"/app-servers/{app_server}")["status"]

    def runs(self, app_server, seconds=120):
        until(lambda: self.status(app_server) not in BUILDING, seconds, f"the build of app server {app_server} does not end")
        status = self.status(app_server)
        assert status == "running", f"app server {app_server} is {status}"

    def activate(self, app_server):
        self.call("POST", f"/app-servers/{app_server}/activate")


def visit(address, host, timeout=5):
    """The status of a visitor's request, or words."""
    connection = http.client.HTTPConnection(address, 80, timeout=timeout)
    try:
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
