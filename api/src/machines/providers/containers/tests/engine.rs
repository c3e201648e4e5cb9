//! A scripted engine: containers in memory, answers in the form of Podman 4.3, and faults on request.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use shared_types::ServerId;
use tokio::net::UnixListener;

use super::http::serve;
use crate::machines::provider::MachineRef;
use crate::machines::providers::containers::host_key::tests::packed;
use crate::machines::providers::containers::pace::Pace;
use crate::machines::providers::containers::{ContainersConfig, ContainersProvider, NetworkSettings, Reach};
pub(super) use crate::machines::providers::expecting::{permanent, spec, transient};
use crate::machines::providers::local::MachineLimits;

pub(super) const INSTALLATION: &str = "11111111-aaaa";
pub(super) const IMAGE: &str = "localhost/own:latest";

/// Limits that are reached in a test where an engine hangs, and that a busy host does not reach elsewhere.
pub(super) const PACE: Pace = Pace {
    read: Duration::from_secs(20),
    write: Duration::from_secs(20),
    import: Duration::from_secs(20),
    start: Duration::from_secs(20),
    poll: Duration::from_millis(2),
    ended: Duration::from_secs(600),
    settle: Duration::from_millis(300),
};

/// What happens to the next request of a kind.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// It is done, and the connection closed without an answer.
    Lost,
    /// It is not done, and answered with this status and message.
    Refused(u16, &'static str),
    /// It is not done, and never answered.
    Hang,
    /// It is not done, and answered with this text as if all were well.
    Garbage(&'static str),
}

#[derive(Debug, Clone)]
pub(super) struct Container {
    pub(super) name: String,
    /// As it was sent.
    pub(super) body: Value,
    pub(super) status: &'static str,
    pub(super) exit_code: i64,
    pub(super) starts: u32,
    pub(super) finished_at: &'static str,
    number: usize,
}

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) containers: BTreeMap<String, Container>,
    pub(super) networks: BTreeMap<String, Value>,
    pub(super) images: Vec<String>,
    /// The body of the last import, in chunks.
    pub(super) imported: Vec<u8>,
    /// What was asked, as `POST /containers/create`.
    pub(super) asked: Vec<String>,
    pub(super) is_rootless: bool,
    /// The engine's own limit of processes.
    pub(super) most_processes: Option<u64>,
    /// What an exited container has printed.
    pub(super) printed: String,
    /// All containers end with the next request that ends like this.
    pub(super) ends_after: Option<&'static str>,
    faults: Vec<(String, VecDeque<Fault>)>,
    count: usize,
}

pub(super) struct Engine {
    dir: tempfile::TempDir,
    world: Arc<Mutex<World>>,
}

impl Engine {
    pub(super) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let world = Arc::new(Mutex::new(World { images: vec![IMAGE.to_owned()], ..World::default() }));
        let listener = UnixListener::bind(dir.path().join("engine.sock")).unwrap();
        let served = world.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, served.clone()));
            }
        });
        Self { dir, world }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The next requests that begin like this, `POST /containers/create`, meet these faults, one after the other.
    pub(super) fn fail<const N: usize>(&self, request: &str, faults: [Fault; N]) {
        self.world().faults.push((request.to_owned(), faults.into()));
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.dir.path().join("engine.sock")
    }

    pub(super) fn config(&self) -> ContainersConfig {
        ContainersConfig {
            socket: Some(self.socket()),
            docker_host: None,
            data_dir: self.dir.path().join("data"),
            cache_dir: self.dir.path().join("cache"),
            network: NetworkSettings { name: "ocim".to_owned(), subnet: None },
            reach: Reach::Auto,
            image: Some(IMAGE.to_owned()),
            installation: INSTALLATION.to_owned(),
            limits: MachineLimits { memory_mb: Some(512), ..MachineLimits::default() },
            base_tree_days: 30,
        }
    }

    pub(super) fn provider(&self) -> ContainersProvider {
        self.provider_with(|_| {})
    }

    pub(super) fn provider_with(&self, change: impl FnOnce(&mut ContainersConfig)) -> ContainersProvider {
        let mut config = self.config();
        change(&mut config);
        ContainersProvider::open_with(config, PACE)
    }

    /// One whose time limits are reached at once.
    pub(super) fn impatient(&self) -> ContainersProvider {
        let limit = Duration::from_millis(300);
        ContainersProvider::open_with(self.config(), Pace { read: limit, write: limit, ..PACE })
    }

    /// How often this was asked.
    pub(super) fn count(&self, request: &str) -> usize {
        self.world().asked.iter().filter(|asked| asked.starts_with(request)).count()
    }

    /// A container that is not ocim's.
    pub(super) fn add_stranger(&self, name: &str, labels: &Value) {
        self.world().add(name, json!({ "Labels": labels, "Image": IMAGE }));
    }
}

impl World {
    fn add(&mut self, name: &str, body: Value) -> String {
        self.count += 1;
        let id = format!("{:064x}", self.count);
        let name = name.to_owned();
        let container = Container {
            name,
            body,
            status: "created",
            exit_code: 0,
            starts: 0,
            finished_at: "0001-01-01T00:00:00Z",
            number: self.count,
        };
        self.containers.insert(id.clone(), container);
        id
    }

    pub(super) fn only(&self) -> &Container {
        assert_eq!(self.containers.len(), 1, "{:?}", self.containers.keys());
        self.containers.values().next().unwrap()
    }

    pub(super) fn fault(&mut self, request: &str) -> Option<Fault> {
        if self.ends_after.take_if(|end| request.ends_with(*end)).is_some() {
            self.containers.values_mut().for_each(|container| container.status = "exited");
        }
        let (_, faults) =
            self.faults.iter_mut().find(|(like, faults)| request.starts_with(like) && !faults.is_empty())?;
        faults.pop_front()
    }

    /// Status and body of the answer to a request.
    pub(super) fn answer(
        &mut self,
        method: &str,
        path: &str,
        query: &BTreeMap<String, String>,
        body: &[u8],
    ) -> (u16, Vec<u8>) {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, &parts[..]) {
            ("GET", ["version"]) => ok(&version()),
            ("GET", ["info"]) => ok(&info(self.is_rootless)),
            ("GET", ["images", name @ .., "json"]) if !name.is_empty() => {
                let name = name.join("/");
                if self.images.contains(&name) { ok(&json!({ "Id": "sha256:1" })) } else { missing("no such image") }
            }
            ("POST", ["images", "create"]) => {
                self.images.push(format!("{}:latest", query["repo"]));
                self.imported = body.to_vec();
                ok(&json!({ "status": "sha256:2", "id": "sha256:2" }))
            }
            ("DELETE", ["images", name @ ..]) => {
                let name = name.join("/");
                self.images.retain(|image| *image != name);
                ok(&json!([{ "Untagged": name }]))
            }
            ("GET", ["networks", name]) => match self.networks.get(*name) {
                Some(network) => ok(network),
                None => missing("network not found"),
            },
            ("POST", ["networks", "create"]) => {
                let body: Value = serde_json::from_slice(body).unwrap();
                let subnet = body["IPAM"]["Config"][0]["Subnet"].as_str().unwrap_or("10.89.0.0/24").to_owned();
                let gateway = format!("{}.1", subnet.rsplit_once('.').unwrap().0);
                let name = body["Name"].as_str().unwrap().to_owned();
                let range = json!({ "Subnet": subnet, "Gateway": gateway });
                let network =
                    json!({ "Name": name, "IPAM": { "Driver": "default", "Config": [range] }, "Containers": null });
                self.networks.insert(name, network);
                (201, json!({ "Id": "x", "Warning": "" }).to_string().into())
            }
            ("POST", ["containers", "create"]) => self.create(&query["name"], serde_json::from_slice(body).unwrap()),
            ("GET", ["containers", "json"]) => {
                // Filters are ignored, as some proxies do: the provider compares labels itself.
                let all: Vec<Value> = self.containers.iter().map(|(id, container)| listed(id, container)).collect();
                ok(&json!(all))
            }
            (_, ["containers", id, rest @ ..]) if self.containers.contains_key(*id) => {
                self.of_container(method, id, rest)
            }
            (_, ["containers", ..]) => missing("no such container"),
            _ => missing("page not found"),
        }
    }

    /// The answer to a request about a container that exists.
    fn of_container(&mut self, method: &str, id: &str, rest: &[&str]) -> (u16, Vec<u8>) {
        match (method, rest) {
            ("GET", ["json"]) => ok(&inspected(id, &self.containers[id])),
            ("POST", ["start"]) => self.begin(id),
            ("POST", ["restart"]) => {
                let container = self.containers.get_mut(id).unwrap();
                (container.status, container.starts) = ("running", container.starts + 1);
                (204, Vec::new())
            }
            ("GET", ["archive"]) => match self.containers[id].starts {
                0 => missing("no such file or directory"),
                _ => (200, packed(&format!("ssh-ed25519 AAAA{id} host\n"))),
            },
            ("GET", ["logs"]) => {
                let mut framed = vec![2, 0, 0, 0, 0, 0, 0, u8::try_from(self.printed.len()).unwrap()];
                framed.extend(self.printed.bytes());
                (200, framed)
            }
            ("DELETE", []) => {
                self.containers.remove(id);
                (204, Vec::new())
            }
            _ => missing("page not found"),
        }
    }

    fn create(&mut self, name: &str, body: Value) -> (u16, Vec<u8>) {
        if let Some((id, _)) = self.containers.iter().find(|(_, container)| container.name == name) {
            let message = format!(
                "container create: creating container storage: the container name {name:?} is already in use by {id}. You have \
                 to remove that container to be able to reuse that name: that name is already in use"
            );
            return refusal(500, &message);
        }
        let id = self.add(name, body);
        (201, json!({ "Id": id, "Warnings": [] }).to_string().into())
    }

    fn begin(&mut self, id: &str) -> (u16, Vec<u8>) {
        let address = |container: &Container| address_of(container).map(str::to_owned);
        let wanted = address(&self.containers[id]);
        let is_taken = |(other, container): (&String, &Container)| {
            other != id && wanted.is_some() && container.status == "running" && address(container) == wanted
        };
        if self.containers.iter().any(is_taken) {
            let message = "plugin type=\"bridge\" failed (add): cni plugin bridge failed: failed to allocate for range 0: \
                           requested IP address 10.89.0.77 is not available in range set 10.89.0.1-10.89.0.254";
            return refusal(500, message);
        }
        let processes = self.containers[id].body["HostConfig"]["Ulimits"][1]["Hard"].as_u64();
        if processes > self.most_processes && self.most_processes.is_some() {
            let message = "runc: runc create failed: unable to start container process: error during container init: error \
                           setting rlimits for ready process: error setting rlimit type 6: operation not permitted: OCI \
                           permission denied";
            return refusal(500, message);
        }
        let container = self.containers.get_mut(id).unwrap();
        if container.status == "running" {
            return (304, Vec::new());
        }
        (container.status, container.starts) = ("running", container.starts + 1);
        (204, Vec::new())
    }
}

fn ok(body: &Value) -> (u16, Vec<u8>) {
    (200, body.to_string().into())
}

fn missing(message: &str) -> (u16, Vec<u8>) {
    refusal(404, message)
}

pub(super) fn refusal(status: u16, message: &str) -> (u16, Vec<u8>) {
    (status, json!({ "cause": message, "message": message, "response": status }).to_string().into())
}

fn version() -> Value {
    json!({
        "Platform": { "Name": "linux/amd64/debian-12" },
        "Components": [{ "Name": "Podman Engine", "Version": "4.3.1", "Details": { "APIVersion": "4.3.1" } }],
        "Version": "4.3.1", "ApiVersion": "1.41", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64",
    })
}

fn info(is_rootless: bool) -> Value {
    json!({
        "Driver": "overlay", "MemoryLimit": true, "PidsLimit": true, "CpuCfsQuota": true, "MemTotal": 25_276_502_016_u64,
        "SecurityOptions": ["name=seccomp,profile=default"], "CgroupVersion": "1", "Rootless": is_rootless,
        "DefaultRuntime": "runc", "ServerVersion": "4.3.1", "Warnings": [],
    })
}

fn listed(id: &str, container: &Container) -> Value {
    json!({
        "Id": id, "Names": [format!("/{}", container.name)], "Image": IMAGE, "Command": "", "Ports": [],
        "Created": 1_795_976_000 + container.number, "Labels": container.body["Labels"], "State": container.status,
        "Status": "Up", "NetworkSettings": null, "Mounts": [], "Config": null,
    })
}

fn address_of(container: &Container) -> Option<&str> {
    container.body["NetworkingConfig"]["EndpointsConfig"]["ocim"]["IPAMConfig"]["IPv4Address"].as_str()
}

fn inspected(id: &str, container: &Container) -> Value {
    let is_running = container.status == "running";
    let address = address_of(container).filter(|_| is_running).unwrap_or_default();
    let mut ports = json!({});
    for (n, port) in container.body["HostConfig"]["PortBindings"].as_object().into_iter().flatten().enumerate() {
        ports[port.0] =
            json!([{ "HostIp": "127.0.0.1", "HostPort": (40_000 + container.number * 10 + n).to_string() }]);
    }
    json!({
        "Id": id, "Created": "2026-11-29T18:26:31.518720805Z", "Name": format!("/{}", container.name),
        "State": {
            "Status": container.status, "Running": is_running, "Paused": false, "Pid": 0, "ExitCode": container.exit_code,
            "Error": "", "StartedAt": "0001-01-01T00:00:00Z", "FinishedAt": container.finished_at, "Health": { "Status": "", "FailingStreak": 0, "Log": null },
        },
        "Config": { "Labels": container.body["Labels"], "Image": IMAGE, "Volumes": null },
        "NetworkSettings": {
            "Bridge": "", "Ports": ports, "SecondaryIPAddresses": null, "IPAddress": address,
            "Networks": { "ocim": { "IPAMConfig": null, "Links": null, "IPAddress": address, "NetworkID": "ocim" } },
        },
    })
}

pub(super) fn reference(server_id: i64) -> MachineRef {
    MachineRef { server_id: ServerId(server_id), provider_id: None }
}
