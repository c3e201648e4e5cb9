//! Whether all authoritative servers of a zone give the TXT records that a name is to have.

use std::net::SocketAddr;

use futures::future::join_all;
use hickory_proto::rr::{Name, RecordType};

use crate::dns::resolver::Resolver;
use crate::dns::wire;

/// Asks all authoritative servers of a name's zone whether they give all these texts.
///
/// # Errors
/// Names the servers that do not, and says why.
pub async fn check_texts(resolver: &Resolver, name: &str, texts: &[String]) -> Result<(), String> {
    let at = wire::name(name)?;
    let zone = resolver.zone_of(&at).await?;
    let asked = zone.servers.iter().map(|server| async {
        let asked = server.addresses.iter().map(|&address| lacks(address, &at, texts));
        let found = if server.addresses.is_empty() {
            vec![Some("it has no address".to_owned())]
        } else {
            join_all(asked).await
        };
        found.into_iter().flatten().next().map(|why| format!("{}: {why}", server.name))
    });
    let late: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
    match late.is_empty() {
        true => Ok(()),
        false => Err(format!("not all servers of the zone {} give {name} yet: {}", zone.name, late.join("; "))),
    }
}

/// Why a server does not give all these texts; none: it does.
async fn lacks(address: SocketAddr, at: &Name, texts: &[String]) -> Option<String> {
    match wire::ask(address, at, RecordType::TXT, false).await {
        Err(why) => Some(why),
        Ok(answer) => {
            let given = wire::texts(&answer.answers, at);
            let missing = texts.iter().filter(|text| !given.contains(text)).count();
            (missing > 0).then(|| format!("it lacks {missing} of {}", texts.len()))
        }
    }
}
