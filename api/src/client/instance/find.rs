//! Finds an instance by id, name or domain.

use serde_json::Value;
use shared_types::{InstanceId, InstanceSummary};

use crate::client::api::{Api, decode};
use crate::client::error::ClientError;

/// The id of the instance with this id, name or domain, archived or not. Digits mean an id; a name must match entirely.
///
/// # Errors
/// [`ClientError::NotFound`]; [`ClientError::Usage`] if several instances have the name.
pub async fn find(api: &Api, named: &str) -> Result<InstanceId, ClientError> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let mut found: Vec<InstanceSummary> = Vec::new();
    for archived in [false, true] {
        let query = [("q", Some(named.to_owned())), ("archived", Some(archived.to_string()))];
        for item in api.list("/instances", &query, None).await? {
            found.extend(matching(&item, named)?);
        }
    }
    // A domain is unique; a name may not be.
    let by_domain = found.iter().find(|one| one.domain.eq_ignore_ascii_case(named));
    match (by_domain, found.as_slice()) {
        (Some(one), _) | (None, [one]) => Ok(one.id),
        (None, []) => {
            Err(ClientError::NotFound(format!("There is no instance with the id, name or domain «{named}».")))
        }
        (None, several) => {
            let ids = several.iter().map(|one| one.id.to_string()).collect::<Vec<_>>().join(", ");
            Err(ClientError::Usage(format!("Several instances are named «{named}»; say which by its id: {ids}.")))
        }
    }
}

fn matching(item: &Value, named: &str) -> Result<Option<InstanceSummary>, ClientError> {
    let one: InstanceSummary = decode(item)?;
    Ok((one.name == named || one.domain.eq_ignore_ascii_case(named)).then_some(one))
}
