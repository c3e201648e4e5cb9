//! Plans the renewal of a certificate that is valid.

use chrono::Utc;

use super::advance::{Certifier, Step};
use super::error::StepError;
use super::renewal;
use super::store::{CertificateRow, work};

impl Certifier {
    /// Asks the authority when to renew, and stores that. Without an answer, the time at two thirds stands, and the authority
    /// is asked again later.
    pub(super) async fn plan_renewal(&self, row: &CertificateRow) -> Result<Step, StepError> {
        let (Some(chain), Some(not_before), Some(not_after)) = (&row.chain, row.not_before, row.not_after) else {
            return self.begin(row).await;
        };
        let account = self.account().await?;
        let now = Utc::now();
        let own = renewal::at_two_thirds(not_before, not_after);
        let (renew_at, ask_again_at) = match self.authority.window(&account.credentials, chain).await {
            // A window that begins when the certificate has expired cannot be meant.
            Ok(Some(window)) => (renewal::within(&window, chain).min(not_after), renewal::ask_again(&window, now)),
            Ok(None) => (own, now + chrono::TimeDelta::days(1)),
            Err(error) => {
                tracing::warn!(certificate = %row.id, %error, "the authority was not asked when to renew a certificate");
                (row.renew_at.unwrap_or(own), now + chrono::TimeDelta::hours(1))
            }
        };
        let renew_at = renew_at.max(row.modified + self.pace.shortest_use).min(not_after);
        work::keep_renewal(&mut *self.db.conn().await?, row, renew_at, renew_at.min(ask_again_at).max(now)).await?;
        Ok(Step::Done)
    }
}
