//! Steps that many tests share.

use ocim::instances::builds::Builder;
use ocim::instances::builds::launch;
use ocim::instances::store::builds;
use ocim::platform::origin::Actor;
use serde_json::{Value, json};
use shared_types::{AppServerId, InstanceId, Trigger};

use super::{Answer, Client, TestApp};

impl TestApp {
    /// A new instance with this subdomain; gives its id.
    pub async fn instance(&self, sub_domain: &str) -> i64 {
        let body = json!({ "name": format!("Instance {sub_domain}"), "sub_domain": sub_domain });
        self.operator().await.post("/api/v1/instances", body).await.expect(201)["id"].as_i64().unwrap()
    }

    /// Launches an app server of an instance; gives its id without waiting.
    pub async fn launched(&self, instance: i64) -> i64 {
        let (mut conn, request) = (self.conn().await, launch::Request::once(Trigger::User, None));
        launch::launch(&self.manager, &mut conn, &Actor::User("test".to_owned()), InstanceId(instance), request)
            .await
            .unwrap()
            .0
    }

    /// Launches an app server of an instance and waits until its build has ended.
    pub async fn built(&self, instance: i64) -> Value {
        let id = self.launched(instance).await;
        if self.worker.is_none() {
            self.builder().advance(AppServerId(id)).await.unwrap();
        }
        self.until_built(id).await
    }

    /// Launches an app server of an instance, waits for its build, and asserts that it is running.
    pub async fn running(&self, instance: i64) -> i64 {
        let built = self.built(instance).await;
        assert_eq!(built["status"], "running", "{built:#}");
        built["id"].as_i64().unwrap()
    }

    /// Launches an app server of an instance, takes its build to the end without a worker, and asserts that it is running.
    pub async fn running_within(&self, instance: i64, patience: std::time::Duration) -> i64 {
        let id = self.launched(instance).await;
        let builder = self.builder();
        tokio::time::timeout(patience, builder.advance(AppServerId(id))).await.expect("the build did not end").unwrap();
        let built = self.read_app_server(id).await;
        assert_eq!(built["status"], "running", "{built:#}");
        id
    }

    /// A builder of the test's own, in addition to the worker, if there is one.
    pub fn builder(&self) -> Builder {
        Builder::new(self.manager.clone(), self.slots, self.stop.child_token())
    }

    /// Waits until a build has ended; gives the app server.
    pub async fn until_built(&self, id: i64) -> Value {
        let mut changes = self.bus.subscribe();
        let building = async || builds::is_building(&mut *self.conn().await, AppServerId(id)).await.unwrap();
        let ended = async {
            while building().await {
                changes.recv().await.unwrap();
            }
        };
        tokio::time::timeout(super::PATIENCE, ended).await.expect("the build did not end");
        self.read_app_server(id).await
    }

    /// Activates an app server and waits until the gateway has it.
    pub async fn activate(&self, id: i64) -> Answer {
        activate(&self.operator().await, id, json!({})).await
    }

    /// Waits until an app server has this `serving` value.
    pub async fn until_serving(&self, id: i64, serving: &str) {
        super::until(serving, async || self.read_app_server(id).await["serving"] == serving).await;
    }

    /// All texts of an app server's log. Panics if the log is longer than a page.
    pub async fn log(&self, id: i64) -> Vec<String> {
        let page = self.viewer().await.get(&format!("/api/v1/app-servers/{id}/logs?limit=500")).await.expect(200);
        assert_eq!(page["next_cursor"], Value::Null, "the log is longer than a page");
        page["items"].as_array().unwrap().iter().map(|entry| entry["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Whether a line of an app server's log contains these words.
    pub async fn log_says(&self, id: i64, words: &str) -> bool {
        self.log(id).await.iter().any(|line| line.contains(words))
    }

    /// One instance as the API gives it.
    pub async fn read_instance(&self, id: i64) -> Value {
        self.viewer().await.get(&format!("/api/v1/instances/{id}")).await.expect(200)
    }

    /// One app server as the API gives it.
    pub async fn read_app_server(&self, id: i64) -> Value {
        self.viewer().await.get(&format!("/api/v1/app-servers/{id}")).await.expect(200)
    }
}

/// Activates an app server as `who`, and waits until the gateway has it.
pub async fn activate(who: &Client, id: i64, body: Value) -> Answer {
    let request = who.request(reqwest::Method::POST, &format!("/api/v1/app-servers/{id}/activate"));
    Answer::to(request.header("prefer", "wait=30").json(&body)).await
}
