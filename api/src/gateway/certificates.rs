//! The certificates that the server says are to be served, and their keys, which it gives on request.

use async_trait::async_trait;
use reqwest::Method;
use shared_types::CertificateId;
use shared_types::gateway::{GatewayCertificate, GatewayCertificates, GatewayCertificatesQuestion};

use crate::client::api::{Api, is_in_clear, parse_server};
use crate::routing::traffic::{Certificate, CertificateSource, TrafficError};

const PATH: &str = "/gateway/certificates";

/// Asks the server.
#[derive(Debug)]
pub(super) struct FromServer<'a>(pub(super) &'a Api);

#[async_trait]
impl CertificateSource for FromServer<'_> {
    async fn certificates(&self, ids: &[CertificateId]) -> Result<Vec<Certificate>, TrafficError> {
        let Self(api) = self;
        let failed = |error: String| TrafficError(format!("{}: {error}", api.server()));
        if parse_server(api.server()).is_ok_and(|server| is_in_clear(&server)) {
            let words = "keys of certificates are not sent in clear: OCIM_GATEWAY_SERVER must begin with https://";
            return Err(TrafficError(words.to_owned()));
        }
        let question = GatewayCertificatesQuestion { ids: ids.to_vec() };
        let asked = async {
            let answer = api.read(api.send(api.request(Method::POST, PATH, &[]).json(&question)).await?).await?;
            Ok::<_, crate::client::error::ClientError>(answer)
        };
        let answer = asked.await.map_err(|error| failed(error.to_string()))?;
        let given: GatewayCertificates = serde_json::from_value(answer).map_err(|error| failed(error.to_string()))?;
        let certificate = |GatewayCertificate { id, revision, names, chain, key }| Certificate {
            id,
            revision,
            names,
            chain,
            key: key.into(),
        };
        Ok(given.items.into_iter().map(certificate).collect())
    }
}
