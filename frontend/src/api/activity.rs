//! The audit trail, as far as the screens need it.

use chrono::{DateTime, SecondsFormat, Utc};
use shared_types::audit::Activity;
use shared_types::{InstanceId, Page};

use super::Result;
use super::request::{get, send};
use crate::paths::encode;

/// The changes of an instance's settings since then, that moment included, the last first.
pub async fn changes_of(id: InstanceId, since: DateTime<Utc>) -> Result<Page<Activity>> {
    let since = encode(&since.to_rfc3339_opts(SecondsFormat::Micros, true));
    send(get(&format!("/activity?instance={id}&action=update_instance&outcome=done&limit=500&since={since}"))).await
}
