//! GitHub Apps: a request signed with the App's key gets a token for the owners that have it installed.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use rustls::SignatureScheme;
use serde_json::{Value, json};

use super::FakeGithub;
use super::routes::not_found;
use super::serve::{Asked, Reply};
use super::world::World;

#[derive(Default)]
pub struct Apps {
    /// The App's id and its public key (PKCS #1, DER).
    app: Option<(u64, Vec<u8>)>,
    /// Installation id by owner; owners in lower case.
    installed: HashMap<String, i64>,
    /// Issued tokens, with their expiry.
    tokens: HashMap<String, DateTime<Utc>>,
    /// Lifetime of new tokens.
    good_for: TimeDelta,
}

impl Apps {
    pub fn has_any(&self) -> bool {
        self.app.is_some()
    }

    /// Whether this is a token that the App was given and that has not expired.
    pub fn gave(&self, authorization: Option<&str>) -> bool {
        let token = authorization.and_then(|header| header.strip_prefix("Bearer "));
        token.and_then(|token| self.tokens.get(token)).is_some_and(|ends| *ends > Utc::now())
    }

    /// `Some` if the request is signed by the App itself, not made with one of its tokens.
    fn is_app(&self, authorization: Option<&str>) -> Option<()> {
        let (id, key) = self.app.as_ref()?;
        let token = authorization?.strip_prefix("Bearer ")?;
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let part = |text: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        let (header, claims) = (part(header)?, part(claims)?);
        let (now, issued, ends) = (Utc::now().timestamp(), claims["iat"].as_i64()?, claims["exp"].as_i64()?);
        let is_current = issued <= now && now < ends && ends - now <= 600;
        let is_right =
            header["alg"] == "RS256" && claims["iss"].as_str() == Some(id.to_string().as_str()) && is_current;
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms.mapping;
        let (_, algorithms) = algorithms.iter().find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let is_signed = algorithms[0].verify_signature(key, message.as_bytes(), &signature).is_ok();
        (is_right && is_signed).then_some(())
    }
}

fn refused() -> Reply {
    Reply::message(401, "A JSON web token could not be decoded")
}

pub fn installation(world: &World, asked: &Asked, owner: &str) -> Reply {
    if world.apps.is_app(asked.authorization.as_deref()).is_none() {
        return refused();
    }
    match world.apps.installed.get(&owner.to_lowercase()) {
        Some(id) => Reply::new(200, json!({ "id": id, "account": { "login": owner } })),
        None => not_found(),
    }
}

pub fn token(world: &mut World, asked: &Asked, id: &str) -> Reply {
    if asked.method != "POST" || world.apps.is_app(asked.authorization.as_deref()).is_none() {
        return refused();
    }
    if !world.apps.installed.values().any(|known| known.to_string() == id) {
        return not_found();
    }
    let token = format!("ghs_{}", world.commit());
    let ends = Utc::now() + world.apps.good_for;
    world.apps.tokens.insert(token.clone(), ends);
    Reply::new(201, json!({ "token": token, "expires_at": ends, "permissions": { "statuses": "write" } }))
}

impl FakeGithub {
    /// Registers an App with this public key (PKCS #1, DER), installed for these owners. From now on writing needs one
    /// of its tokens or the token of `set_token`; its tokens live for an hour.
    pub fn set_app(&self, id: u64, public_key: Vec<u8>, owners: &[&str]) {
        let mut world = self.world();
        let installed = owners.iter().map(|owner| (owner.to_lowercase(), world.fresh())).collect();
        let good_for = TimeDelta::hours(1);
        world.apps = Apps { app: Some((id, public_key)), installed, tokens: HashMap::new(), good_for };
    }

    /// Lifetime of the tokens that the App gets from now on.
    pub fn set_token_life(&self, life: TimeDelta) {
        self.world().apps.good_for = life;
    }

    /// Makes every token of the App invalid.
    pub fn revoke_tokens(&self) {
        self.world().apps.tokens.clear();
    }
}
