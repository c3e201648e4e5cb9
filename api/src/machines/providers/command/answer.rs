//! What the program answers: one JSON document of a fixed form.

use std::net::{IpAddr, SocketAddr};

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use shared_types::ServerId;

use super::fault::{Fault, Kind};
use super::program::Printed;
use super::request::VERSION;

/// How many characters of an answer that is no JSON are shown.
const MAX_BEGINNING: usize = 60;

/// What every answer of any version has.
#[derive(Debug, Deserialize)]
struct Head {
    version: u64,
    /// Whether it is an error.
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// The answer to an operation that failed.
#[derive(Debug, Deserialize)]
struct Failure {
    error: Told,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    kind: Kind,
    message: String,
}

/// The answer to an operation that succeeded. An unknown field is refused: it may be a known one, misspelt.
pub(super) trait Body: DeserializeOwned {}

/// The answer to `find`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Found {
    #[serde(rename = "version")]
    _version: IgnoredAny,
    /// Null if there is none; a missing field is an error.
    #[serde(deserialize_with = "required")]
    pub machine: Option<Described>,
}

/// The answer to `create`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Made {
    #[serde(rename = "version")]
    _version: IgnoredAny,
    pub machine: Described,
}

/// The answer to `reboot` and `terminate`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Done {
    #[serde(rename = "version")]
    _version: IgnoredAny,
}

/// The answer to `list`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    #[serde(rename = "version")]
    _version: IgnoredAny,
    pub machines: Vec<Described>,
}

/// The answer to `offers`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Offered {
    #[serde(rename = "version")]
    _version: IgnoredAny,
    pub offers: Capacity,
}

impl Body for Found {}
impl Body for Made {}
impl Body for Done {}
impl Body for Listed {}
impl Body for Offered {}

/// A machine in the program's words, not checked yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Described {
    pub server_id: ServerId,
    pub installation: String,
    pub provider_id: String,
    pub state: State,
    #[serde(default)]
    pub message: Option<String>,
    /// Null until it is known.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// Null: port 22 of the address.
    #[serde(default)]
    pub ssh: Option<SocketAddr>,
    /// Null: port 80 of the address.
    #[serde(default)]
    pub http: Option<SocketAddr>,
    #[serde(default)]
    pub host_key: Option<String>,
    /// What the machine booted first, for people.
    #[serde(default)]
    pub image: Option<String>,
    /// The size of the machine, for people.
    #[serde(default)]
    pub flavor: Option<String>,
}

/// The state of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Building,
    Active,
    Failed,
}

/// The most that a machine has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Capacity {
    pub has_own_kernel: bool,
    #[serde(deserialize_with = "required")]
    pub memory_mb: Option<u32>,
    #[serde(deserialize_with = "required")]
    pub disk_gb: Option<u32>,
}

/// A field that may be null, but not missing.
fn required<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

/// Reads the answer of a run.
///
/// # Errors
/// [`Fault`]: the error that the program tells, its exit status, or what is wrong with the answer.
pub(super) fn read<B: Body>(printed: &Printed) -> Result<B, Fault> {
    let head = parse::<Head>(&printed.stdout);
    match (head, &printed.failure) {
        (Ok(Head { version, .. }), _) if version != VERSION => Err(Fault::Version(version)),
        (Ok(Head { error: Some(_), .. }), _) => {
            let Told { kind, message } = parse::<Failure>(&printed.stdout).map_err(Fault::Answer)?.error;
            Err(Fault::Told { kind, words: message })
        }
        (_, Some((how, words))) => Err(Fault::Exit { how: how.clone(), words: words.clone() }),
        (Err(what), None) => Err(Fault::Answer(what)),
        (Ok(_), None) => parse(&printed.stdout).map_err(Fault::Answer),
    }
}

/// Reads exactly one document.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    // A sequence would be read as the fields of the document in their order.
    match bytes.trim_ascii_start() {
        [] => return Err("nothing was printed on stdout".to_owned()),
        [b'{', ..] => {}
        other => {
            let beginning: String = String::from_utf8_lossy(other).chars().take(MAX_BEGINNING).collect();
            return Err(format!("stdout is no JSON object; it begins with “{beginning}”"));
        }
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if path == "." { cause.to_string() } else { format!("{path}: {cause}") }
    })?;
    reader.end().map_err(|error| format!("more than one JSON document ({error})"))?;
    Ok(read)
}
