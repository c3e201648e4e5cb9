//! The credentials that each operation needs, for the OpenAPI document. Handlers enforce them by their parameters;
//! tests compare both, and call each operation.

use shared_types::audit::Operation;
use shared_types::user::Scope;

/// The credentials that an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A session; API tokens are refused.
    Session,
    /// The scope's role; an API token also needs the scope.
    Scope(Scope),
    /// No user; the sender signs the body.
    Signature,
    /// No user; the token of a gateway.
    Gateway,
}

impl Need {
    /// The value of `x-required-scope` in the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Scope(scope) => scope.as_str(),
            Self::Signature => "signature",
            Self::Gateway => "gateway",
        }
    }

    /// The sentence about it in the document.
    pub fn words(self) -> String {
        match self {
            Self::Session => "Needs a session; an API token is refused.".to_owned(),
            Self::Signature => "Needs the sender's signature; sessions and tokens do not count.".to_owned(),
            Self::Gateway => "Needs a gateway's token; sessions and tokens of users do not count.".to_owned(),
            Self::Scope(Scope::Read) => "Needs the role viewer; an API token, any scope.".to_owned(),
            Self::Scope(scope) => {
                format!("Needs the role {}; an API token, the scope {}.", scope.role().as_str(), scope.as_str())
            }
        }
    }
}

/// The need of an operation. None: it is public.
// As long as the list of operations: the compiler checks that none is missing.
pub const fn of(operation: Operation) -> Option<Need> {
    use Operation as O;
    match operation {
        O::BeginSignIn
        | O::FinishSignIn
        | O::Healthz
        | O::ListSignInProviders
        | O::Login
        | O::ReadMetrics
        | O::Readyz => None,
        O::ChangePassword
        | O::ListSessions
        | O::EndSession
        | O::EndOtherSessions
        | O::CreateToken
        | O::AddSshKey
        | O::DeleteSshKey => Some(Need::Session),
        O::ReceiveGithubWebhook => Some(Need::Signature),
        O::ExchangeWithGateway | O::GiveCertificatesToGateway => Some(Need::Gateway),
        O::Logout
        | O::CurrentUser
        | O::ListTokens
        | O::ListSshKeys
        | O::DeleteToken
        | O::CurrentToken
        | O::ListInstanceTypes
        | O::ListInstances
        | O::ReadInstance
        | O::ListInstanceAppServers
        | O::RenderInstance
        | O::ListActivations
        | O::ListInstanceLogs
        | O::ListInstanceLogMatches
        | O::StreamInstanceLogs
        | O::ListAppServers
        | O::ListActivity
        | O::ListLogs
        | O::ReadAppServer
        | O::ReadAppServerAccess
        | O::DiffAppServer
        | O::ReadChecks
        | O::ListPreviewLinks
        | O::ListAppServerLogs
        | O::ListAppServerLogMatches
        | O::StreamAppServerLogs
        | O::ReadQueue
        | O::ListBackups
        | O::ListCertificates
        | O::ReadCertificate
        | O::ListResources
        | O::ReadInstanceDns
        | O::ListRetention
        | O::ListGateways
        | O::ListServers
        | O::CountServers
        | O::ListOrphans
        | O::ReadServer
        | O::StreamEvents
        | O::ReadSystem
        | O::ReportClientError
        | O::ListPullRequests
        | O::ReadPullRequest => Some(Need::Scope(Scope::Read)),
        O::CreateInstance
        | O::UpdateInstance
        | O::ArchiveInstance
        | O::RestoreInstance
        | O::LaunchAppServer
        | O::StopAppServer
        | O::TerminateAppServer
        | O::PinAppServer
        | O::UnpinAppServer
        | O::InstallSshKeys
        | O::CheckAppServer
        | O::CreatePreviewLink
        | O::DeletePreviewLink
        | O::CheckInstanceDns
        | O::ChooseResources
        | O::CreateBackup
        | O::VerifyBackup
        | O::RenewCertificate
        | O::PauseQueue
        | O::ResumeQueue
        | O::WatchPullRequest
        | O::UpdateInstanceFromPullRequest
        | O::ApprovePullRequest
        | O::IgnorePullRequest => Some(Need::Scope(Scope::Deploy)),
        O::ActivateAppServer
        | O::RollBackInstance
        | O::HoldInstance
        | O::LiftHold
        | O::BeginMaintenance
        | O::EndMaintenance
        | O::DismissMigration => Some(Need::Scope(Scope::Activate)),
        O::PurgeInstance
        | O::RestoreBackup
        | O::EndNeutralisation
        | O::DeleteBackup
        | O::ShowResourceCredentials
        | O::RotateResourcePassword
        | O::RemoveOrphans
        | O::ListUsers
        | O::CreateUser
        | O::ReadUser
        | O::UpdateUser
        | O::DeleteUser
        | O::ListUserSessions
        | O::EndUserSession
        | O::EndUserSessions
        | O::ListUserTokens
        | O::DeleteUserToken
        | O::DeleteUserTokens
        | O::SetUserPassword
        | O::ListSourceCredentials
        | O::CreateSourceCredential
        | O::AddGateway
        | O::RenewGatewayToken
        | O::RemoveGateway
        | O::DeleteSourceCredential => Some(Need::Scope(Scope::Admin)),
    }
}
