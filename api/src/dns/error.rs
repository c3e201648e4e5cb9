/// Why records were not written, read or removed. Each message is for an operator: state, need and remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The server did not answer, or asked to try again later. The request may have had its effect.
    #[error("{0}")]
    Away(String),
    /// The server refuses the credentials, the zone or the request.
    #[error("{0}")]
    Refused(String),
    /// A record is there that ocim has not written. Nothing was changed.
    #[error("{0}")]
    NotOurs(String),
    /// The settings name no zone that holds the name.
    #[error("{0}")]
    NoZone(String),
}
