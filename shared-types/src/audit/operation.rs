//! The operations of the API, by their names.

use std::fmt;
use std::str::FromStr;

macro_rules! operations {
    ($($variant:ident => $word:literal,)*) => {
        /// An operation of the API. Its name is the `operationId` in the OpenAPI document, the handler's name and the
        /// `action` in the audit log, also where the program itself does it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the OpenAPI document describes each operation")]
        pub enum Operation {
            $($variant,)*
        }

        impl Operation {
            /// Every operation, in the order of names.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in the OpenAPI document and in the audit log.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

operations! {
    ActivateAppServer => "activate_app_server",
    AddGateway => "add_gateway",
    AddSshKey => "add_ssh_key",
    ApprovePullRequest => "approve_pull_request",
    ArchiveInstance => "archive_instance",
    BeginMaintenance => "begin_maintenance",
    BeginSignIn => "begin_sign_in",
    ChangePassword => "change_password",
    CheckAppServer => "check_app_server",
    CheckInstanceDns => "check_instance_dns",
    ChooseResources => "choose_resources",
    CountServers => "count_servers",
    CreateBackup => "create_backup",
    CreateInstance => "create_instance",
    CreatePreviewLink => "create_preview_link",
    CreateSourceCredential => "create_source_credential",
    CreateToken => "create_token",
    CreateUser => "create_user",
    CurrentToken => "current_token",
    CurrentUser => "current_user",
    DeleteBackup => "delete_backup",
    DeletePreviewLink => "delete_preview_link",
    DeleteSourceCredential => "delete_source_credential",
    DeleteSshKey => "delete_ssh_key",
    DeleteToken => "delete_token",
    DeleteUser => "delete_user",
    DeleteUserToken => "delete_user_token",
    DeleteUserTokens => "delete_user_tokens",
    DiffAppServer => "diff_app_server",
    DismissMigration => "dismiss_migration",
    EndMaintenance => "end_maintenance",
    EndNeutralisation => "end_neutralisation",
    EndOtherSessions => "end_other_sessions",
    EndSession => "end_session",
    EndUserSession => "end_user_session",
    EndUserSessions => "end_user_sessions",
    ExchangeWithGateway => "exchange_with_gateway",
    FinishSignIn => "finish_sign_in",
    GiveCertificatesToGateway => "give_certificates_to_gateway",
    Healthz => "healthz",
    HoldInstance => "hold_instance",
    IgnorePullRequest => "ignore_pull_request",
    InstallSshKeys => "install_ssh_keys",
    LaunchAppServer => "launch_app_server",
    LiftHold => "lift_hold",
    ListActivations => "list_activations",
    ListActivity => "list_activity",
    ListAppServerLogMatches => "list_app_server_log_matches",
    ListAppServerLogs => "list_app_server_logs",
    ListAppServers => "list_app_servers",
    ListBackups => "list_backups",
    ListCertificates => "list_certificates",
    ListGateways => "list_gateways",
    ListInstanceAppServers => "list_instance_app_servers",
    ListInstanceLogMatches => "list_instance_log_matches",
    ListInstanceLogs => "list_instance_logs",
    ListInstanceTypes => "list_instance_types",
    ListInstances => "list_instances",
    ListLogs => "list_logs",
    ListOrphans => "list_orphans",
    ListPreviewLinks => "list_preview_links",
    ListPullRequests => "list_pull_requests",
    ListResources => "list_resources",
    ListRetention => "list_retention",
    ListServers => "list_servers",
    ListSessions => "list_sessions",
    ListSignInProviders => "list_sign_in_providers",
    ListSourceCredentials => "list_source_credentials",
    ListSshKeys => "list_ssh_keys",
    ListTokens => "list_tokens",
    ListUserSessions => "list_user_sessions",
    ListUserTokens => "list_user_tokens",
    ListUsers => "list_users",
    Login => "login",
    Logout => "logout",
    PauseQueue => "pause_queue",
    PinAppServer => "pin_app_server",
    PurgeInstance => "purge_instance",
    ReadAppServer => "read_app_server",
    ReadAppServerAccess => "read_app_server_access",
    ReadCertificate => "read_certificate",
    ReadChecks => "read_checks",
    ReadInstance => "read_instance",
    ReadInstanceDns => "read_instance_dns",
    ReadMetrics => "read_metrics",
    ReadPullRequest => "read_pull_request",
    ReadQueue => "read_queue",
    ReadServer => "read_server",
    ReadSystem => "read_system",
    ReadUser => "read_user",
    Readyz => "readyz",
    ReceiveGithubWebhook => "receive_github_webhook",
    RemoveGateway => "remove_gateway",
    RemoveOrphans => "remove_orphans",
    RenderInstance => "render_instance",
    RenewCertificate => "renew_certificate",
    RenewGatewayToken => "renew_gateway_token",
    ReportClientError => "report_client_error",
    RestoreBackup => "restore_backup",
    RestoreInstance => "restore_instance",
    ResumeQueue => "resume_queue",
    RollBackInstance => "roll_back_instance",
    RotateResourcePassword => "rotate_resource_password",
    SetUserPassword => "set_user_password",
    ShowResourceCredentials => "show_resource_credentials",
    StopAppServer => "stop_app_server",
    StreamAppServerLogs => "stream_app_server_logs",
    StreamEvents => "stream_events",
    StreamInstanceLogs => "stream_instance_logs",
    TerminateAppServer => "terminate_app_server",
    UnpinAppServer => "unpin_app_server",
    UpdateInstance => "update_instance",
    UpdateInstanceFromPullRequest => "update_instance_from_pull_request",
    UpdateUser => "update_user",
    VerifyBackup => "verify_backup",
    WatchPullRequest => "watch_pull_request",
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is the name of no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownOperation;

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(word: &str) -> Result<Self, UnknownOperation> {
        Self::ALL.iter().copied().find(|operation| operation.as_str() == word).ok_or(UnknownOperation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_belongs_to_one_operation() {
        for operation in Operation::ALL {
            assert_eq!(operation.as_str().parse(), Ok(*operation));
        }
        assert!(Operation::ALL.is_sorted_by(|one, next| one.as_str() < next.as_str()));
        assert_eq!("fly_app_server".parse::<Operation>(), Err(UnknownOperation));
    }
}
