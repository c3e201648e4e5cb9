//! The login to a project's object storage, for what keeps files there.

use secrecy::SecretString;
use url::Url;

use super::catalog::Service;
use super::credentials::Credentials;
use super::error::OpenStackError;
use super::pace::Pace;
use super::session::Session;

/// The object storage of one project.
#[derive(Debug)]
pub struct ObjectStorage {
    session: Session,
}

impl ObjectStorage {
    /// The storage of the credentials' project. Sends no request.
    ///
    /// # Errors
    /// [`OpenStackError::Settings`] if the file with certificates cannot be used.
    pub fn new(credentials: Credentials) -> Result<Self, OpenStackError> {
        Ok(Self { session: Session::new(credentials, Pace::default())? })
    }

    /// The address of the project's account, and a token for it; of an earlier login, unless that is about to end. `refused`: a token that
    /// the storage does not accept any more.
    ///
    /// # Errors
    /// [`OpenStackError`] of the login, or if the catalog has no object storage.
    pub async fn access(&self, refused: Option<&SecretString>) -> Result<(Url, SecretString), OpenStackError> {
        self.session.access(Service::ObjectStore, refused).await
    }
}
