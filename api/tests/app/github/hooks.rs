//! Webhook deliveries, as GitHub would send them.

use hmac::{Hmac, Mac};
use serde::Serialize;
use serde_json::json;
use sha2::Sha256;

use super::{FakeGithub, json as shown};

/// A webhook delivery, which the test sends itself.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl FakeGithub {
    /// The secret that webhooks are signed with from now on.
    pub fn set_secret(&self, secret: &str) {
        self.world().secret = secret.into();
    }

    /// The delivery of a pull request's event: `opened`, `synchronize`, `edited`, `closed`, `reopened`, ….
    pub fn payload(&self, repository: &str, number: i32, action: &str) -> Delivery {
        let world = self.world();
        let known = world.known(repository);
        let pull = &known.pulls[&number];
        let mut body = json!({
            "action": action,
            "number": number,
            "pull_request": shown::pull(&world, known.id, pull),
            "repository": shown::repository(&world, known.id),
            "sender": shown::user(pull.author.as_deref().unwrap_or("ghost")),
        });
        if action == "synchronize" {
            body["before"] = pull.before.clone().into();
            body["after"] = pull.head.clone().into();
        }
        drop(world);
        self.sign("pull_request", body.to_string())
    }

    /// The delivery of a repository's event: `renamed`, `transferred`, ….
    pub fn repository_payload(&self, repository: &str, action: &str) -> Delivery {
        let world = self.world();
        let shown = shown::repository(&world, world.known(repository).id);
        drop(world);
        self.sign("repository", json!({ "action": action, "repository": shown }).to_string())
    }

    /// A delivery with any body, signed with the secret.
    pub fn sign(&self, kind: &str, body: String) -> Delivery {
        let mut world = self.world();
        let id = world.fresh();
        let mac = Hmac::<Sha256>::new_from_slice(world.secret.as_bytes()).unwrap().chain_update(&body);
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("user-agent", "GitHub-Hookshot/044aadd".to_owned()),
            ("x-github-delivery", format!("72d3162e-cc78-11e3-81ab-{id:012}")),
            ("x-github-event", kind.to_owned()),
            ("x-github-hook-id", "292430182".to_owned()),
            ("x-hub-signature-256", format!("sha256={}", hex::encode(mac.finalize().into_bytes()))),
        ];
        Delivery { headers: headers.map(|(name, value)| (name.to_owned(), value)).into(), body }
    }
}
