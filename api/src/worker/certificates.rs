//! Certificates: ordered or read from files, and given to the gateways. In the process that sees to visitors, which alone can
//! answer a certificate authority by a gateway of its own.

use std::time::Duration;

use tokio::time::interval;

use super::warn;
use crate::instances::Manager;
use crate::instances::traffic::served_certificates;

/// The interval between sweeps for steps of certificates that are due.
const STEPS: Duration = Duration::from_secs(5);
/// The interval between looks at the directory of certificates.
const FILES: Duration = Duration::from_secs(60);

/// Never returns.
pub(super) async fn keep(manager: &Manager) {
    let (mut steps, mut files) = (interval(STEPS), interval(FILES));
    loop {
        tokio::select! {
            _ = steps.tick() => {
                if let Some(certifier) = &manager.certifier {
                    warn(certifier.sweep().await, "sweep failed: certificates were not ordered or renewed");
                }
            }
            _ = files.tick() => {
                if let Some(files) = &manager.certificate_files {
                    warn(files.sweep().await, "sweep failed: certificates from files were not stored");
                }
            }
        }
        warn(served_certificates::serve(manager).await, "certificates were not given to the gateway");
    }
}
