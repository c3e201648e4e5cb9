//! Another user of the same project, who knows nothing of ocim: makes servers with any metadata, and looks at them.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::{INSTALLATION, variable};
use crate::app::http;

pub(super) struct User {
    http: Client,
    project: String,
    /// Replaced when Nova or Neutron refuses it.
    token: Mutex<String>,
    id: String,
    nova: String,
    neutron: String,
}

impl User {
    pub(super) async fn log_in(project: &str) -> Self {
        let http = http().build().unwrap();
        let (token, body) = Self::token(&http, project).await;
        let url = |kind: &str| {
            let services = body["token"]["catalog"].as_array().unwrap();
            let service = services.iter().find(|service| service["type"] == kind).unwrap();
            service["endpoints"][0]["url"].as_str().unwrap().to_owned()
        };
        let id = body["token"]["user"]["id"].as_str().unwrap().to_owned();
        let (nova, neutron) = (url("compute"), format!("{}/v2.0", url("network")));
        Self { id, nova, neutron, http, project: project.to_owned(), token: Mutex::new(token) }
    }

    /// A new token, and what Keystone says of it.
    async fn token(http: &Client, project: &str) -> (String, Value) {
        let domain = json!({ "name": "Default" });
        let user = json!({ "name": variable("OS_USERNAME"), "domain": domain, "password": variable("OS_PASSWORD") });
        let identity = json!({ "methods": ["password"], "password": { "user": user } });
        let scope = json!({ "project": { "name": project, "domain": domain } });
        let body = json!({ "auth": { "identity": identity, "scope": scope } });
        let answer = http.post(format!("{}/auth/tokens", variable("OS_AUTH_URL"))).json(&body).send().await.unwrap();
        let token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
        (token, answer.json().await.unwrap())
    }

    async fn send(&self, method: Method, url: String, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let send = async |token: String| {
            let answer = request.try_clone().unwrap().header("x-auth-token", token).send().await.unwrap();
            (answer.status(), answer.json().await.unwrap_or(Value::Null))
        };
        let token = self.token.lock().unwrap().clone();
        match send(token).await {
            (StatusCode::UNAUTHORIZED, _) => {
                let (token, _) = Self::token(&self.http, &self.project).await;
                self.token.lock().unwrap().clone_from(&token);
                send(token).await
            }
            answer => answer,
        }
    }

    /// Deletes every server and floating address of the project, also what an earlier run has left.
    pub(super) async fn clear(&self) {
        for one in self.network_things("floatingips").await {
            self.release(one["id"].as_str().unwrap()).await;
        }
        let begun = Instant::now();
        loop {
            let left = self.servers().await;
            if left.is_empty() {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(180), "{left:?}");
            for server in left {
                self.delete(server["id"].as_str().unwrap()).await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Creates a server with this metadata.
    pub(super) async fn create(&self, name: &str, metadata: Value) -> String {
        let (_, networks) = self.send(Method::GET, format!("{}/networks?name=private", self.neutron), None).await;
        let (_, images) = self.send(Method::GET, format!("{}/images/detail?name=debian-12", self.nova), None).await;
        let network = json!({ "uuid": networks["networks"][0]["id"] });
        let server = json!({ "name": name, "flavorRef": "1", "imageRef": images["images"][0]["id"], "networks": [network], "metadata": metadata });
        let (status, body) =
            self.send(Method::POST, format!("{}/servers", self.nova), Some(json!({ "server": server }))).await;
        assert_eq!(status, 202, "{body}");
        body["server"]["id"].as_str().unwrap().to_owned()
    }

    /// Creates a server as ocim would, with more metadata: it steers the test bed's hypervisor.
    pub(super) async fn create_as_ocim(&self, id: i64, steering: &[(&str, &str)]) -> String {
        self.create_of(INSTALLATION, id, steering).await
    }

    /// The same as another installation.
    pub(super) async fn create_of(&self, installation: &str, id: i64, steering: &[(&str, &str)]) -> String {
        let mut metadata = json!({ "ocim_installation": installation, "ocim_server_id": id.to_string() });
        for (key, value) in steering {
            metadata[key] = (*value).into();
        }
        self.create(&format!("demo-{id}"), metadata).await
    }

    /// Adds metadata, which steers the test bed's hypervisor.
    pub(super) async fn steer(&self, id: &str, key: &str, value: &str) {
        let body = json!({ "metadata": { key: value } });
        let (status, body) = self.send(Method::POST, format!("{}/servers/{id}/metadata", self.nova), Some(body)).await;
        assert_eq!(status, 200, "{body}");
    }

    pub(super) async fn server(&self, id: &str) -> Value {
        self.send(Method::GET, format!("{}/servers/{id}", self.nova), None).await.1["server"].take()
    }

    /// Every server of the project, by id.
    pub(super) async fn servers(&self) -> Vec<Value> {
        let (_, mut body) = self.send(Method::GET, format!("{}/servers/detail", self.nova), None).await;
        let mut servers = body["servers"].as_array_mut().map(std::mem::take).unwrap();
        servers.sort_by_key(|server| server["id"].to_string());
        servers
    }

    /// The names of the actions on a server.
    pub(super) async fn actions(&self, id: &str) -> Vec<String> {
        let url = format!("{}/servers/{id}/os-instance-actions", self.nova);
        let (_, body) = self.send(Method::GET, url, None).await;
        let actions = body["instanceActions"].as_array().unwrap().iter();
        actions.map(|one| one["action"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) async fn delete(&self, id: &str) {
        self.send(Method::DELETE, format!("{}/servers/{id}", self.nova), None).await;
    }

    pub(super) async fn lock(&self, id: &str, is_locked: bool) {
        let action = if is_locked { "lock" } else { "unlock" };
        let (status, _) =
            self.send(Method::POST, format!("{}/servers/{id}/action", self.nova), Some(json!({ action: null }))).await;
        assert_eq!(status, 202);
    }

    /// Makes an application credential; gives its id and its secret.
    pub(super) async fn application_credential(&self, name: &str) -> (String, String) {
        let url = format!("{}/users/{}/application_credentials", variable("OS_AUTH_URL"), self.id);
        let (status, made) =
            self.send(Method::POST, url, Some(json!({ "application_credential": { "name": name } }))).await;
        assert_eq!(status, 201, "{made}");
        let text = |key: &str| made["application_credential"][key].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    pub(super) async fn revoke(&self, application_credential: &str) {
        let url =
            format!("{}/users/{}/application_credentials/{application_credential}", variable("OS_AUTH_URL"), self.id);
        self.send(Method::DELETE, url, None).await;
    }

    /// Everything of this kind in Neutron: `ports`, `floatingips`.
    pub(super) async fn network_things(&self, kind: &str) -> Vec<Value> {
        let (_, mut body) = self.send(Method::GET, format!("{}/{kind}", self.neutron), None).await;
        body[kind].as_array_mut().map(std::mem::take).unwrap()
    }

    /// Makes a floating address with this description.
    pub(super) async fn floating(&self, description: &str) -> String {
        let (_, networks) = self.send(Method::GET, format!("{}/networks?name=public", self.neutron), None).await;
        let body = json!({ "floating_network_id": networks["networks"][0]["id"], "description": description });
        let body = json!({ "floatingip": body });
        let (_, made) = self.send(Method::POST, format!("{}/floatingips", self.neutron), Some(body)).await;
        made["floatingip"]["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn release(&self, id: &str) {
        self.send(Method::DELETE, format!("{}/floatingips/{id}", self.neutron), None).await;
    }
}
