//! Certificates: ordered or read from files, and given to the gateways. In the process that sees to visitors, which alone can
//! answer a certificate authority by a gateway of its own.

use std::time::Duration;

use tokio::time::interval;

use super::keep::each;
use super::warn;
use crate::instances::Manager;
use crate::instances::traffic::served_certificates;

/// The interval between sweeps for steps of certificates that are due.
const STEPS: Duration = Duration::from_secs(5);
/// The interval between looks at the directory of certificates.
const FILES: Duration = Duration::from_secs(60);
/// The interval between looks at what is to be served.
const GIVE: Duration = Duration::from_secs(5);

/// Orders, reads and gives certificates, each at its own pace: an order that waits keeps no issued one from visitors. Never
/// returns.
pub(super) async fn keep(manager: &Manager) {
    tokio::join!(each(STEPS, || advance(manager)), each(FILES, || read(manager)), give(manager));
}

async fn advance(manager: &Manager) {
    if let Some(certifier) = &manager.certifier {
        warn(certifier.sweep().await, "sweep failed: certificates were not ordered or renewed");
    }
}

async fn read(manager: &Manager) {
    if let Some(files) = &manager.certificate_files {
        warn(files.sweep().await, "sweep failed: certificates from files were not stored");
    }
}

/// Gives the gateway what is to be served. A trouble is logged once, not at each look.
async fn give(manager: &Manager) {
    let (mut looks, mut said) = (interval(GIVE), None);
    loop {
        looks.tick().await;
        let trouble = served_certificates::serve(manager).await.err().map(|error| error.to_string());
        if let Some(error) = trouble.as_ref().filter(|_| trouble != said) {
            tracing::warn!(error, "certificates were not given to the gateway");
        }
        said = trouble;
    }
}
