//! Gateways on hosts of their own: what their agents and the server tell each other, and what operators see of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::CertificateId;
use crate::https::HttpsPolicy;

/// Whether a gateway serves visitors as it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    /// Its agent has never asked.
    New,
    /// It has all routes.
    Ready,
    /// It was told routes that it does not have yet.
    Late,
    /// Its agent asks, and its HAProxy does not do what it is told.
    Failing,
    /// Its agent has not asked for 15 seconds. Its HAProxy may serve visitors, with the routes that it had.
    Silent,
}

/// A gateway on a host of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Gateway {
    /// What an operator calls it.
    #[schema(example = "gateway-1")]
    pub name: String,
    /// Whether it serves visitors as it was told.
    pub state: GatewayState,
    /// The host of its agent, as it calls itself; null: its agent has never asked.
    pub hostname: Option<String>,
    /// The version of its agent; null: its agent has never asked.
    #[schema(example = "0.2.0")]
    pub version: Option<String>,
    /// When its agent last asked; null: never.
    pub seen_at: Option<DateTime<Utc>>,
    /// The revision of the routes that it has.
    #[schema(minimum = 0)]
    pub revision: i64,
    /// Why its HAProxy has not taken what it was sent; null if it has.
    pub error: Option<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Who added it.
    pub created_by: String,
}

/// All gateways with an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Gateways {
    /// The revision of the routes that every gateway is to have.
    #[schema(minimum = 0)]
    pub revision: i64,
    /// The gateways, by name. Empty if the server runs its gateway itself.
    pub items: Vec<Gateway>,
}

/// The body of a request to add a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGateway {
    /// What it is called: 1 to 63 lower-case letters, digits and inner hyphens.
    #[schema(min_length = 1, max_length = 63, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", example = "gateway-1")]
    pub name: String,
}

/// The token of a gateway's agent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayToken {
    /// The gateway.
    #[schema(example = "gateway-1")]
    pub name: String,
    /// The token, which is not shown again: `OCIM_GATEWAY_TOKEN` on the gateway's host.
    pub token: String,
}

impl std::fmt::Debug for GatewayToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayToken").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What an agent says each time it asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayReport {
    /// An id that the agent's host keeps, 1 to 64 characters.
    #[schema(min_length = 1, max_length = 64)]
    pub agent: String,
    /// The agent's host, at most 253 characters.
    #[schema(max_length = 253)]
    pub hostname: String,
    /// The agent's version, at most 64 characters.
    #[schema(max_length = 64)]
    pub version: String,
    /// The revision of the routes that its HAProxy has; 0 after a start.
    #[schema(minimum = 0)]
    pub revision: i64,
    /// Why its HAProxy has not taken what it was sent; null if it has.
    pub error: Option<String>,
    /// The answers to the counts that it was last asked for.
    #[serde(default)]
    pub counts: Vec<GatewayCount>,
}

/// A question for the open requests at an app server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayQuestion {
    /// The address and port of its web server.
    #[schema(example = "10.0.0.7:80")]
    pub target: String,
    /// When it was asked; the answer repeats it.
    pub asked: DateTime<Utc>,
}

/// How many requests are open at an app server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayCount {
    /// The question.
    #[serde(flatten)]
    pub question: GatewayQuestion,
    /// The number of requests.
    #[schema(minimum = 0)]
    pub requests: i64,
}

/// What a gateway is to do: it changes its routes, and counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayUpdate {
    /// The revision of the routes that it then has.
    #[schema(minimum = 1)]
    pub revision: i64,
    /// Whether these are all routes, so that every other host is removed.
    pub is_whole: bool,
    /// The routes that differ from those it has, or all.
    pub routes: Vec<GatewayRoute>,
    /// The app servers whose open requests it is to count.
    pub questions: Vec<GatewayQuestion>,
    /// All answers to certificate authorities; null: they are as before.
    #[serde(default)]
    pub challenges: Option<Vec<GatewayChallenge>>,
    /// All certificates that it is to serve; null: they are as before. It asks for those that it does not have.
    #[serde(default)]
    pub certificates: Option<Vec<GatewayCertificateRevision>>,
}

/// What gateways answer to a certificate authority at `/.well-known/acme-challenge/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayChallenge {
    /// The last part of the path.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,200}$")]
    pub token: String,
    /// The body of the answer.
    #[schema(pattern = "^[A-Za-z0-9_.-]{1,400}$")]
    pub answer: String,
}

/// A certificate that gateways are to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayCertificateRevision {
    /// The certificate.
    pub id: CertificateId,
    /// A renewed one has another revision.
    #[schema(minimum = 1)]
    pub revision: i64,
}

/// Asks for certificates with their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayCertificatesQuestion {
    /// The certificates.
    #[schema(max_items = 50)]
    pub ids: Vec<CertificateId>,
}

/// Certificates with their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayCertificates {
    /// The certificates as they are now; those that are not served any more are missing.
    pub items: Vec<GatewayCertificate>,
}

/// A certificate with its key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayCertificate {
    /// The certificate.
    pub id: CertificateId,
    /// A renewed one has another revision.
    #[schema(minimum = 1)]
    pub revision: i64,
    /// Its host names; the first label of a name may be `*`.
    pub names: Vec<String>,
    /// The certificate and its intermediates in PEM.
    pub chain: String,
    /// The key in PEM.
    pub key: String,
}

impl std::fmt::Debug for GatewayCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, revision, names, .. } = self;
        f.debug_struct("GatewayCertificate")
            .field("id", id)
            .field("revision", revision)
            .field("names", names)
            .finish_non_exhaustive()
    }
}

/// Where the visitors of a host name are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayRoute {
    /// The host name.
    #[schema(example = "demo.example.org")]
    pub hostname: String,
    /// Address and port of the web server that answers; null: a page says that no app server is active.
    #[schema(example = "10.0.0.7:80")]
    pub target: Option<String>,
    /// What the maintenance page says, which visitors get in place of the target; null: it is not up.
    pub notice: Option<String>,
    /// The scheme that the application is told: `http` or `https`.
    pub scheme: String,
    /// How visitors by HTTP are treated.
    #[serde(default)]
    pub https: HttpsPolicy,
    /// Whether the host is removed.
    pub is_gone: bool,
    /// The preview links that work for this host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previews: Vec<GatewayPreview>,
}

/// A preview link: visitors with its token get a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayPreview {
    /// The SHA-256 of the token, as 64 hexadecimal digits.
    #[schema(
        min_length = 64,
        max_length = 64,
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub hash: String,
    /// Address and port of the candidate's web server.
    #[schema(example = "10.0.0.8:80")]
    pub target: String,
    /// When the link ends.
    pub ends_at: DateTime<Utc>,
    /// The domain of the visitor's cookie: the host name, or one that it is a subdomain of.
    #[schema(example = "demo.example.org")]
    pub domain: String,
}
