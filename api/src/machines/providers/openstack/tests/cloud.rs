//! A scripted cloud: Keystone, Nova, Glance and Neutron behind one address.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use shared_types::ServerId;

use super::http::{Reply, Server};
use crate::machines::provider::MachineRef;
pub(super) use crate::machines::providers::expecting::{permanent, spec, transient};
use crate::machines::providers::openstack::pace::Pace;
use crate::machines::providers::openstack::{
    AddressKind, AddressSelector, CloudSettings, FlavorSelector, ImageSelector, NetworkSelector, OpenStack,
    OpenStackConfig,
};

pub(super) const INSTALLATION: &str = "11111111-aaaa";
pub(super) const PASSWORD: &str = "correct-horse-battery";
/// Nova's ids.
pub(super) const ONE: &str = "9168b536-cd40-4630-b43f-b259807c6e87";
pub(super) const OTHER: &str = "2ad4a31e-7f1b-4a5b-8f1e-3b6a4a3b3f10";
pub(super) const SERVERS: &str = "/compute/v2.1/servers";
pub(super) const DETAIL: &str = "/compute/v2.1/servers/detail";

/// Short pauses, and limits that a busy host does not reach.
pub(super) const PACE: Pace = Pace {
    connect: Duration::from_secs(20),
    read: Duration::from_secs(20),
    write: Duration::from_secs(20),
    read_retries: 3,
    retry: Duration::from_millis(2),
    login: Duration::ZERO,
    poll: Duration::from_millis(2),
    delete: Duration::from_secs(20),
};

/// The same with limits that are reached in a test.
pub(super) const IMPATIENT: Pace = Pace {
    read: Duration::from_millis(400),
    write: Duration::from_millis(400),
    delete: Duration::from_millis(400),
    ..PACE
};

pub(super) struct Cloud {
    pub(super) http: Server,
}

impl Cloud {
    /// A cloud with a login, the usual flavors, images and networks, and these servers.
    pub(super) async fn start(servers: &[Value]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cloud = Self { http: Server::start().await };
        cloud.http.on("POST", "/v3/auth/tokens", [cloud.token("token-1", 3600)]);
        cloud.serve(servers);
        cloud.http.on("GET", "/compute/v2.1/flavors/detail", [Reply::json(200, &json!({ "flavors": flavors() }))]);
        cloud.http.on("GET", "/image/v2/images", [Reply::json(200, &json!({ "images": images() }))]);
        cloud.http.on("GET", "/network/v2.0/networks", [Reply::json(200, &json!({ "networks": networks() }))]);
        cloud.http.on("GET", "/network/v2.0/floatingips", [Reply::json(200, &json!({ "floatingips": [] }))]);
        cloud.http.on("POST", SERVERS, [created(ONE)]);
        cloud
    }

    /// Lists these servers, and shows each.
    pub(super) fn serve(&self, servers: &[Value]) {
        self.http.on("GET", DETAIL, [Reply::json(200, &json!({ "servers": servers }))]);
        for server in servers {
            let path = format!("{SERVERS}/{}", server["id"].as_str().unwrap());
            self.http.on("GET", &path, [Reply::json(200, &json!({ "server": server }))]);
        }
    }

    /// What a login answers: a token that lives for so many seconds, and the catalog.
    pub(super) fn token(&self, token: &str, seconds: i64) -> Reply {
        self.token_with(token, seconds, json!({ "id": "p1", "name": "demo" }), catalog(&self.base()))
    }

    pub(super) fn token_with(&self, token: &str, seconds: i64, project: Value, catalog: Value) -> Reply {
        // Keystone's clock may differ from ours by any time.
        let issued = Utc::now() - TimeDelta::days(400);
        let time = |time: chrono::DateTime<Utc>| time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let mut described = json!({
            "methods": ["password"], "user": { "id": "u1", "name": "tester" }, "audit_ids": ["x"],
            "issued_at": time(issued), "expires_at": time(issued + TimeDelta::seconds(seconds)), "catalog": catalog,
        });
        if !project.is_null() {
            described["project"] = project;
        }
        let headers = vec![("X-Subject-Token".to_owned(), token.to_owned())];
        Reply::Answer(201, headers, json!({ "token": described }).to_string())
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}", self.http.address)
    }

    pub(super) fn settings(&self) -> CloudSettings {
        CloudSettings {
            auth_url: Some(self.base()),
            username: Some("tester".into()),
            password: Some(PASSWORD.into()),
            project_name: Some("demo".into()),
            user_domain_name: Some("Default".into()),
            project_domain_name: Some("Default".into()),
            region: Some("RegionOne".into()),
            ..CloudSettings::default()
        }
    }

    pub(super) fn config(&self) -> OpenStackConfig {
        OpenStackConfig {
            credentials: self.settings().credentials().unwrap(),
            flavor: FlavorSelector::Named("m1.small".into()),
            image: ImageSelector::Named("debian-12".into()),
            network: NetworkSelector::Only,
            security_groups: Vec::new(),
            floating_network: None,
            address: AddressSelector { kind: AddressKind::Any, prefers_ipv6: false },
            python: None,
            ssh_user: "debian".into(),
            availability_zone: None,
            installation: INSTALLATION.into(),
        }
    }

    pub(super) fn provider(&self) -> OpenStack {
        self.provider_with(|_| {})
    }

    pub(super) fn impatient(&self) -> OpenStack {
        OpenStack::open_with(self.config(), IMPATIENT).unwrap()
    }

    pub(super) fn provider_with(&self, change: impl FnOnce(&mut OpenStackConfig)) -> OpenStack {
        let mut config = self.config();
        change(&mut config);
        OpenStack::open_with(config, PACE).unwrap()
    }

    /// How many logins there were.
    pub(super) fn logins(&self) -> usize {
        self.http.requests("POST", "/v3/auth/tokens").len()
    }

    /// The requests that change something, without logins.
    pub(super) fn changes(&self) -> Vec<String> {
        let all = self.http.all().into_iter();
        all.filter(|request| !request.starts_with("GET ") && request != "POST /v3/auth/tokens").collect()
    }
}

/// The services as the catalog names them: only Nova's address has a version.
pub(super) fn catalog(base: &str) -> Value {
    let entry = |kind: &str, path: &str| {
        let endpoint = |interface: &str| {
            let url = format!("{base}{path}");
            json!({ "id": "e", "interface": interface, "region": "RegionOne", "region_id": "RegionOne", "url": url })
        };
        json!({ "id": "s", "type": kind, "name": kind, "endpoints": [endpoint("internal"), endpoint("public")] })
    };
    json!([
        entry("identity", "/v3/"),
        entry("compute", "/compute/v2.1"),
        entry("image", "/image"),
        entry("network", "/network"),
        { "id": "s", "type": "placement", "name": "placement", "endpoints": [] },
    ])
}

/// A server of ours as Nova shows it at version 2.1.
pub(super) fn server(id: &str, server_id: i64, status: &str) -> Value {
    let metadata = json!({ "ocim_installation": INSTALLATION, "ocim_server_id": server_id.to_string() });
    json!({
        "id": id, "name": format!("demo-{server_id}"), "status": status, "tenant_id": "p1", "user_id": "u1",
        "metadata": metadata, "hostId": "", "image": { "id": "i1", "links": [] }, "flavor": { "id": "2", "links": [] },
        "created": "2026-11-29T10:00:00Z", "updated": "2026-11-29T10:00:01Z", "addresses": {}, "accessIPv4": "",
        "links": [], "OS-DCF:diskConfig": "MANUAL", "OS-EXT-AZ:availability_zone": "", "config_drive": "",
        "key_name": null, "OS-SRV-USG:launched_at": null, "OS-EXT-STS:task_state": null, "OS-EXT-STS:vm_state": "x",
        "OS-EXT-STS:power_state": 0, "os-extended-volumes:volumes_attached": [],
    })
}

/// The same with other fields.
pub(super) fn with(mut server: Value, fields: &Value) -> Value {
    for (key, value) in fields.as_object().unwrap() {
        server[key] = value.clone();
    }
    server
}

/// An active server with this fixed address.
pub(super) fn active(id: &str, server_id: i64, address: &str) -> Value {
    let entry = fixed(address);
    with(server(id, server_id, "ACTIVE"), &json!({ "addresses": { "private": [entry] } }))
}

pub(super) fn fixed(address: &str) -> Value {
    let version = if address.contains(':') { 6 } else { 4 };
    json!({ "version": version, "addr": address, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:0:0:1" })
}

/// What Nova answers to a create: no status, and a secret.
pub(super) fn created(id: &str) -> Reply {
    let security_groups = json!([{ "name": "default" }]);
    let server = json!({ "id": id, "links": [], "OS-DCF:diskConfig": "MANUAL", "security_groups": security_groups, "adminPass": "Zx8secret" });
    Reply::json(202, &json!({ "server": server }))
}

pub(super) fn nova_error(kind: &str, code: u16, message: &str) -> Reply {
    Reply::json(code, &json!({ kind: { "code": code, "message": message } }))
}

pub(super) fn flavors() -> Value {
    let flavor = |id: &str, name: &str, vcpus: u32, ram: u32, disk: u32| {
        json!({ "id": id, "name": name, "ram": ram, "disk": disk, "swap": "", "OS-FLV-EXT-DATA:ephemeral": 0,
                "OS-FLV-DISABLED:disabled": false, "vcpus": vcpus, "os-flavor-access:is_public": true, "links": [] })
    };
    json!([
        flavor("3", "m1.medium", 2, 4096, 40),
        flavor("2", "m1.small", 1, 2048, 20),
        flavor("4", "m1.large", 4, 8192, 80)
    ])
}

pub(super) fn images() -> Value {
    let image = |id: &str, name: &str, status: &str, created: &str| json!({ "id": id, "name": name, "status": status, "created_at": created, "visibility": "public" });
    json!([
        image("i3", "not-uploaded", "queued", "2026-11-29T10:00:00Z"),
        image("i1", "debian-12", "active", "2026-11-01T10:00:00Z"),
        image("i2", "debian-12-new", "active", "2026-11-20T10:00:00Z"),
        image("i4", "debian-12-next", "saving", "2026-11-29T10:00:00Z"),
        { "id": "i5", "name": null, "status": "active", "created_at": "2026-11-02T10:00:00Z" },
    ])
}

pub(super) fn networks() -> Value {
    json!([
        { "id": "n1", "name": "private", "status": "ACTIVE", "router:external": false, "subnets": ["s"] },
        { "id": "n2", "name": "public", "status": "ACTIVE", "router:external": true, "subnets": ["s"] },
    ])
}

pub(super) fn reference(server_id: i64, provider_id: Option<&str>) -> MachineRef {
    MachineRef { server_id: ServerId(server_id), provider_id: provider_id.map(Into::into) }
}
