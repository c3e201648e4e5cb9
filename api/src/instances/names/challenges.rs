//! Answers to certificate authorities by the DNS: TXT records in the zones that ocim may change.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::certificates::challenges::{ChallengeError, Dns01, DnsChallenges};
use crate::dns::check::check_texts;
use crate::dns::port::Dns;
use crate::dns::{DnsError, Resolver};

/// Writes the records, and asks all authoritative servers for them.
#[derive(Debug, Clone)]
pub struct ZoneChallenges {
    /// Writes records.
    pub dns: Arc<dyn Dns>,
    /// Finds the authoritative servers.
    pub resolver: Arc<Resolver>,
}

/// The values of each name.
fn by_name(answers: &[Dns01]) -> BTreeMap<&str, Vec<String>> {
    let mut names = BTreeMap::<&str, Vec<String>>::new();
    for Dns01 { name, value } in answers {
        names.entry(name).or_default().push(value.clone());
    }
    names
}

fn failed(error: DnsError) -> ChallengeError {
    match error {
        DnsError::Away(words) => ChallengeError::NotYet(words),
        error @ (DnsError::Refused(_) | DnsError::NotOurs(_) | DnsError::NoZone(_)) => {
            ChallengeError::Failed(error.to_string())
        }
    }
}

#[async_trait]
impl DnsChallenges for ZoneChallenges {
    async fn put(&self, answers: &[Dns01]) -> Result<(), ChallengeError> {
        let names = by_name(answers);
        for (name, values) in &names {
            // Once is enough: a step that waits for late servers writes nothing again.
            if check_texts(&self.resolver, name, values).await.is_err() {
                self.dns.add_texts(name, values).await.map_err(failed)?;
            }
        }
        for (name, values) in &names {
            check_texts(&self.resolver, name, values).await.map_err(ChallengeError::NotYet)?;
        }
        Ok(())
    }

    async fn remove(&self, answers: &[Dns01]) -> Result<(), ChallengeError> {
        for (name, values) in by_name(answers) {
            self.dns.remove_texts(name, &values).await.map_err(|error| ChallengeError::Failed(error.to_string()))?;
        }
        Ok(())
    }
}
