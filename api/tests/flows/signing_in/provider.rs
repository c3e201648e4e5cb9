//! An OpenID Connect provider and a GitHub in one web server, as strict as real ones: a code works once, and only for
//! the client, the redirect URI and the verifier that it was issued for.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};

use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Utc;
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const CLIENT: &str = "ocim";
pub const SECRET: &str = "a secret between the two";

type Query = web::Query<HashMap<String, String>>;
type Form = web::Form<HashMap<String, String>>;

/// What the provider does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twist {
    None,
    Nonce,
    NoNonce,
    Audience,
    TwoAudiences,
    Issuer,
    Expired,
    /// The ID token is signed with a key that the provider does not publish.
    Signature,
    /// The claims were changed after signing.
    Claims,
    /// The ID token has no signature.
    Unsigned,
    /// The ID token is signed with the client's secret.
    SecretSigned,
    /// `at_hash` is that of another access token.
    TokenHash,
    /// Userinfo is about another subject.
    OtherUserinfo,
    /// Discovery names another issuer.
    OtherIssuer,
    Down,
}

/// The person who signs in, and what the provider has issued.
pub struct Known {
    pub subject: String,
    pub name: String,
    /// The groups in the ID token. `None`: only userinfo has them.
    pub groups: Option<Vec<String>>,
    /// The teams at GitHub, as `organization/slug`.
    pub teams: Vec<String>,
    /// Part of the ids of organizations and teams: another number makes others of the same names.
    pub generation: u64,
    pub twist: Twist,
    pub userinfo_asked: usize,
    described: usize,
    /// Every access token that was issued.
    pub tokens: Vec<String>,
    codes: HashMap<String, HashMap<String, String>>,
    key: CoreEdDsaPrivateSigningKey,
    base: String,
}

/// Running until `stop`.
pub struct Provider {
    pub base: String,
    known: Arc<Mutex<Known>>,
    server: actix_web::dev::ServerHandle,
}

fn key() -> CoreEdDsaPrivateSigningKey {
    let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    der.extend(seed);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("one".into()))).unwrap()
}

fn random() -> String {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).unwrap();
    hex::encode(bits)
}

impl Provider {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let known = Arc::new(Mutex::new(Known {
            subject: "00u1".into(),
            name: "ada".into(),
            groups: Some(vec!["ops".into()]),
            teams: vec![],
            generation: 1,
            twist: Twist::None,
            userinfo_asked: 0,
            described: 0,
            tokens: vec![],
            codes: HashMap::new(),
            key: key(),
            base: base.clone(),
        }));
        let data = web::Data::from(known.clone());
        let server = HttpServer::new(move || {
            actix_web::App::new()
                .app_data(data.clone())
                .route("/.well-known/openid-configuration", web::get().to(description))
                .route("/jwks", web::get().to(keys))
                .route("/authorize", web::get().to(authorize))
                .route("/login/oauth/authorize", web::get().to(authorize))
                .route("/token", web::post().to(token))
                .route("/login/oauth/access_token", web::post().to(github_token))
                .route("/userinfo", web::get().to(userinfo))
                .route("/api/user", web::get().to(github_user))
                .route("/api/user/teams", web::get().to(github_teams))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { base, known, server: handle }
    }

    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    /// Sets the person who signs in from now on.
    pub fn is(&self, subject: &str, name: &str, groups: &[&str]) {
        let mut known = self.known();
        (known.subject, known.name) = (subject.into(), name.into());
        known.groups = Some(groups.iter().map(|group| (*group).to_owned()).collect());
        known.teams = known.groups.clone().unwrap();
    }

    /// Signs with another key from now on.
    pub fn rotate_key(&self) {
        self.known().key = key();
    }

    /// How often its description was asked for.
    pub fn described(&self) -> usize {
        self.known().described
    }

    pub fn twist(&self, twist: Twist) {
        self.known().twist = twist;
    }

    pub async fn stop(&self) {
        self.server.stop(false).await;
    }
}

async fn description(known: web::Data<Mutex<Known>>) -> HttpResponse {
    let mut known = known.lock().unwrap();
    known.described += 1;
    if known.twist == Twist::Down {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let base = &known.base;
    let issuer = if known.twist == Twist::OtherIssuer { "https://other.example" } else { base };
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "jwks_uri": format!("{base}/jwks"),
        "scopes_supported": ["openid", "profile", "groups"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // Also announces the forged algorithms, so that the client cannot refuse them by this list alone.
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    }))
}

async fn keys(known: web::Data<Mutex<Known>>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "keys": [known.lock().unwrap().key.as_verification_key()] }))
}

/// The person is signed in at the provider and consents.
async fn authorize(known: web::Data<Mutex<Known>>, query: Query) -> HttpResponse {
    let asked = query.into_inner();
    assert_eq!(asked["client_id"], CLIENT);
    assert_eq!(asked["code_challenge_method"], "S256");
    let code = random();
    let to = format!("{}?code={code}&state={}&session_state=x", asked["redirect_uri"], asked["state"]);
    known.lock().unwrap().codes.insert(code, asked);
    HttpResponse::Found().insert_header(("location", to)).finish()
}

/// The request that the code was issued for, on its first use only.
fn redeem(known: &mut Known, form: &HashMap<String, String>) -> Option<HashMap<String, String>> {
    let asked = known.codes.remove(form.get("code")?)?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form.get("code_verifier")?));
    let is_right = challenge == asked["code_challenge"] && form.get("redirect_uri") == asked.get("redirect_uri");
    is_right.then_some(asked)
}

fn new_token(known: &mut Known) -> String {
    let token = random();
    known.tokens.push(token.clone());
    token
}

async fn token(known: web::Data<Mutex<Known>>, request: HttpRequest, form: Form) -> HttpResponse {
    let mut known = known.lock().unwrap();
    if known.twist == Twist::Down {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let basic = STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace(' ', "+")));
    let sent = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let Some(asked) = redeem(&mut known, &form).filter(|_| sent == Some(format!("Basic {basic}"))) else {
        return HttpResponse::BadRequest().json(json!({ "error": "invalid_grant" }));
    };
    let token = new_token(&mut known);
    let id_token = id_token(&known, &asked["nonce"], &token);
    HttpResponse::Ok().json(json!({ "access_token": token, "token_type": "Bearer", "id_token": id_token }))
}

fn id_token(known: &Known, nonce: &str, token: &str) -> String {
    let now = Utc::now().timestamp();
    let mut claims = json!({
        "iss": known.base, "aud": CLIENT, "sub": known.subject, "iat": now, "exp": now + 300, "nonce": nonce,
        "preferred_username": known.name, "groups": known.groups,
    });
    // `at_hash` is the left half of the signature algorithm's hash.
    let hash = |token: &str| URL_SAFE_NO_PAD.encode(&sha2::Sha512::digest(token)[..32]);
    claims["at_hash"] = hash(token).into();
    let mut algorithm = "EdDSA";
    match known.twist {
        Twist::Nonce => claims["nonce"] = "another".into(),
        Twist::NoNonce => drop(claims.as_object_mut().unwrap().remove("nonce")),
        Twist::Audience => claims["aud"] = "another".into(),
        Twist::TwoAudiences => claims["aud"] = json!([CLIENT, "another"]),
        Twist::Issuer => claims["iss"] = "https://other.example".into(),
        Twist::Expired => claims["exp"] = (now - 1).into(),
        Twist::TokenHash => claims["at_hash"] = hash("another").into(),
        Twist::Unsigned => algorithm = "none",
        Twist::SecretSigned => algorithm = "HS256",
        Twist::None | Twist::Signature | Twist::Claims | Twist::OtherUserinfo | Twist::OtherIssuer | Twist::Down => {}
    }
    if known.groups.is_none() {
        claims.as_object_mut().unwrap().remove("groups");
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": algorithm, "kid": "one" })), part(&claims));
    let message = signed.as_bytes();
    let signature = if known.twist == Twist::Unsigned {
        vec![]
    } else if known.twist == Twist::SecretSigned {
        let key = openidconnect::core::CoreHmacKey::new(SECRET);
        key.sign(&CoreJwsSigningAlgorithm::HmacSha256, message).unwrap()
    } else {
        let other = key();
        let key = if known.twist == Twist::Signature { &other } else { &known.key };
        key.sign(&CoreJwsSigningAlgorithm::EdDsa, message).unwrap()
    };
    let signature = URL_SAFE_NO_PAD.encode(signature);
    if known.twist == Twist::Claims {
        claims["groups"] = json!(["admins"]);
        return format!("{}.{}.{signature}", signed.split('.').next().unwrap(), part(&claims));
    }
    format!("{signed}.{signature}")
}

fn bears(known: &Known, request: &HttpRequest) -> bool {
    let sent = request.headers().get("authorization").unwrap().to_str().unwrap();
    known.tokens.last().is_some_and(|token| sent == format!("Bearer {token}"))
}

async fn userinfo(known: web::Data<Mutex<Known>>, request: HttpRequest) -> HttpResponse {
    let mut known = known.lock().unwrap();
    assert!(bears(&known, &request));
    known.userinfo_asked += 1;
    let subject = if known.twist == Twist::OtherUserinfo { "another" } else { &known.subject };
    HttpResponse::Ok().json(json!({ "sub": subject, "groups": ["ops"] }))
}

async fn github_token(known: web::Data<Mutex<Known>>, form: Form) -> HttpResponse {
    let mut known = known.lock().unwrap();
    if known.twist == Twist::Down {
        return HttpResponse::BadGateway().finish();
    }
    let is_client = form["client_id"] == CLIENT && form["client_secret"] == SECRET;
    if redeem(&mut known, &form).filter(|_| is_client).is_none() {
        // Like GitHub, with status 200.
        return HttpResponse::Ok().json(json!({ "error": "bad_verification_code" }));
    }
    HttpResponse::Ok()
        .json(json!({ "access_token": new_token(&mut known), "token_type": "bearer", "scope": "read:org" }))
}

async fn github_user(known: web::Data<Mutex<Known>>, request: HttpRequest) -> HttpResponse {
    let known = known.lock().unwrap();
    assert!(bears(&known, &request) && request.headers().contains_key("user-agent"));
    HttpResponse::Ok().json(json!({ "id": known.subject.parse::<u64>().unwrap(), "login": known.name }))
}

async fn github_teams(known: web::Data<Mutex<Known>>, request: HttpRequest, query: Query) -> HttpResponse {
    let known = known.lock().unwrap();
    assert!(bears(&known, &request));
    let (size, page): (usize, usize) = (query["per_page"].parse().unwrap(), query["page"].parse().unwrap());
    let teams = known.teams.iter().skip(size * (page - 1)).take(size);
    let teams = teams.map(|team| team.split_once('/').unwrap());
    let id = known.generation;
    let teams = teams.map(
        |(organization, slug)| json!({ "id": 10 + id, "slug": slug, "organization": { "login": organization, "id": id } }),
    );
    HttpResponse::Ok().json(teams.collect::<Vec<_>>())
}
