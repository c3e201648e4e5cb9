//! Sample data for tests.

use chrono::{DateTime, TimeDelta};
use shared_types::app_server::Progress;
use shared_types::audit::{Activity, Outcome};
use shared_types::gateway::{Gateway, GatewayState};
use shared_types::ids::PullRequestId;
use shared_types::pull_request::{Approval, PullRequestState};
use shared_types::resource::{Resource, ResourceClass, ResourcePart, ResourceState, WantedResources};
use shared_types::system::{ProviderOffer, ProviderState, ResourceServerState, SystemCheck, SystemPart, SystemState};
use shared_types::user::Account;
use shared_types::{
    ActivityId, AppServerId, AppServerStatus, AppServerSummary, HealthState, InstanceHealth, InstanceId,
    InstanceSummary, MachineRole, ProviderKind, PullRequest, ResourceId, ResourceKind, ResourceServerName, Role,
    Server, ServerDetail, ServerId, ServerStatus, Serving, SshLogin, Trigger, UserId,
};

/// An open pull request that waits for approval.
pub fn pull_request() -> PullRequest {
    PullRequest {
        id: PullRequestId(1),
        api_url: "/api/v1/pull-requests/1".into(),
        repository: "acme/courses".into(),
        github_pr_number: 27,
        github_pr_url: "https://github.com/acme/courses/pull/27".into(),
        title: "Show the grade".into(),
        author: "ada".into(),
        state: PullRequestState::Open,
        is_draft: false,
        fork_name: Some("ada/courses".into()),
        branch_name: "grades".into(),
        head_commit: "0b9ff8c02b3d3c3f1a4f2e7f0f1d2a1b3c4d5e6f".into(),
        extra_settings: String::new(),
        settings_trouble: None,
        settings_warnings: Vec::new(),
        running_commit: None,
        trouble: None,
        report_trouble: None,
        approval: Approval::Needed,
        decided_by: None,
        decided_at: None,
        version: 3,
        is_applied: false,
        instance: None,
        archives_at: None,
        github_updated: DateTime::default(),
        approval_obstacle: None,
        fetched_at: DateTime::default(),
        created: DateTime::default(),
        modified: DateTime::default(),
    }
}

/// An instance without app servers.
pub fn instance_summary() -> InstanceSummary {
    InstanceSummary {
        id: InstanceId(7),
        api_url: "/api/v1/instances/7".into(),
        name: "PR#27".into(),
        instance_type: shared_types::applications::DEFAULT.word.into(),
        domain: "pr27.sandbox.campus.example".into(),
        created: DateTime::default(),
        modified: DateTime::default(),
        archived_at: None,
        has_hold: false,
        appserver_count: 0,
        active_appserver: None,
        newest_appserver: None,
        health: None,
    }
}

/// An instance whose sites have been in a state for so many hours.
pub fn serving(state: HealthState, hours: i64) -> InstanceSummary {
    let since = DateTime::default() - TimeDelta::hours(hours);
    let health = InstanceHealth { state, failing: Vec::new(), since, checked_at: Some(since) };
    let active = app_server(3, AppServerStatus::Running, Serving::Active);
    InstanceSummary {
        active_appserver: Some(active.clone()),
        newest_appserver: Some(active),
        health: Some(health),
        ..instance_summary()
    }
}

/// An app server of that instance.
pub fn app_server(id: i64, status: AppServerStatus, serving: Serving) -> AppServerSummary {
    AppServerSummary {
        id: AppServerId(id),
        api_url: format!("/api/v1/app-servers/{id}"),
        instance_id: InstanceId(7),
        name: format!("AppServer {id}"),
        status,
        status_name: status.name().into(),
        status_description: status.description().into(),
        is_steady: status.is_steady(),
        is_healthy: status.is_healthy(),
        serving,
        created: DateTime::default(),
        modified: DateTime::default(),
        requested_by: "ada".into(),
        reason: None,
        trigger: Trigger::User,
        attempt: 1,
        num_attempts: 1,
        retry_of: None,
        activate_when_running: false,
        is_activating: false,
        stop_requested_by: None,
        failure: None,
        has_machine: true,
        is_pinned: false,
        terminates_at: None,
        progress: Progress {
            step: None,
            tasks_done: 0,
            tasks_total: 0,
            task: None,
            queued: None,
            deadline: None,
            estimated_end: None,
        },
    }
}

/// The machine of a running app server.
pub fn machine(role: MachineRole) -> ServerDetail {
    let (id, status) = (ServerId(3), ServerStatus::Ready);
    ServerDetail {
        server: Server {
            id,
            api_url: format!("/api/v1/servers/{id}"),
            app_server_id: AppServerId(9),
            name: "pr27-3".into(),
            provider: ProviderKind::Local.into(),
            provider_id: Some("ocim-3".into()),
            status,
            status_name: status.name().into(),
            status_description: status.description().into(),
            public_ip: Some("10.213.0.4".into()),
            image: Some("ubuntu-24.04".into()),
            flavor: Some("m1.small".into()),
            ssh: Some(SshLogin::new("ubuntu".into(), "10.213.0.4".into(), 22, None)),
            created: DateTime::default(),
            modified: DateTime::default(),
        },
        app_server_name: "AppServer 2".into(),
        app_server_status: AppServerStatus::Running,
        instance_id: InstanceId(7),
        instance_name: "PR#27".into(),
        role,
        role_description: role.description().into(),
        is_pinned: false,
        unneeded_since: None,
        ends_at: None,
        termination_requested_at: None,
        termination_requested_by: None,
        missing_since: None,
    }
}

/// An entry of the audit trail.
pub fn activity(id: i64) -> Activity {
    Activity {
        id: ActivityId(id),
        at: DateTime::default(),
        actor: "ada".into(),
        user_id: Some(UserId(1)),
        token_id: None,
        address: Some("192.0.2.7".into()),
        request_id: Some("9f64ba7d2c1fd7b9".into()),
        action: "launch_app_server".into(),
        outcome: Outcome::Done,
        instance_id: Some(InstanceId(7)),
        app_server_id: Some(AppServerId(9)),
        reason: None,
        before: None,
        after: None,
        detail: serde_json::Value::Null,
    }
}

/// A user account as administrators see it.
pub fn account(id: i64, role: Role) -> Account {
    Account {
        id: UserId(id),
        username: format!("user{id}"),
        role,
        is_disabled: false,
        has_password: true,
        created: DateTime::default(),
        last_login: None,
        etag: "\"1\"".into(),
    }
}

/// A system whose database answers; its program runs no foreign code.
pub fn system() -> SystemState {
    SystemState {
        version: "0.1.0".into(),
        started: DateTime::default(),
        checks: vec![system_check(SystemPart::Database, Some(true))],
        sandbox: None,
        providers: Vec::new(),
        resource_servers: Vec::new(),
        gateways: Vec::new(),
        machine_protections: Vec::new(),
        opened_walls: Vec::new(),
    }
}

/// The default server of MySQL, with two instances.
pub fn resource_server(name: &str) -> ResourceServerState {
    ResourceServerState {
        name: ResourceServerName::try_from(name.to_owned()).unwrap_or_else(|_| server_name()),
        kind: Some(ResourceKind::Mysql),
        is_default: true,
        is_exclusive: false,
        is_ok: Some(true),
        last_error: None,
        instances: 2,
        databases: 3,
        most_databases: None,
        unowned: Vec::new(),
        missing: Vec::new(),
    }
}

/// An account at MySQL that its server has confirmed.
pub fn resource() -> Resource {
    Resource {
        id: ResourceId(1),
        kind: ResourceKind::Mysql,
        part: ResourcePart::Account,
        name: "account".into(),
        class: ResourceClass::Made,
        server: Some(server_name()),
        host: Some("db.example".into()),
        port: Some(3306),
        remote_name: "ocim_1f2e3d4c_abcdefghijklmnop".into(),
        state: ResourceState::Present,
        state_name: "Present".into(),
        password_due: false,
        is_shared: false,
        trouble: None,
        size_bytes: None,
        measured_at: None,
        created: DateTime::default(),
        modified: DateTime::default(),
    }
}

/// A database of MySQL that the next build makes at the server `main`.
pub fn wanted() -> WantedResources {
    WantedResources {
        kind: ResourceKind::Mysql,
        databases: vec!["main".into()],
        is_required: true,
        server: Some(server_name()),
        missing: None,
    }
}

fn server_name() -> ResourceServerName {
    "main".parse().unwrap_or_else(|words| unreachable!("{words}"))
}

/// The default provider, an OpenStack cloud with 12 of 20 machines.
pub fn provider(name: &str) -> ProviderState {
    ProviderState {
        name: name.parse().unwrap_or_else(|_| ProviderKind::Local.into()),
        kind: Some(ProviderKind::OpenStack),
        is_default: true,
        is_ok: Some(true),
        last_error: None,
        machines: 12,
        budget: Some(20),
        quota: None,
        offers: Some(ProviderOffer { has_own_kernel: true, memory_mb: Some(4096), disk_gb: Some(40) }),
    }
}

/// A gateway whose agent has asked, unless it is new.
pub fn gateway(name: &str, state: GatewayState) -> Gateway {
    let is_known = state != GatewayState::New;
    Gateway {
        name: name.to_owned(),
        state,
        hostname: is_known.then(|| format!("{name}.example.org")),
        version: is_known.then(|| "0.2.0".into()),
        seen_at: is_known.then(DateTime::default),
        revision: 7,
        error: None,
        created_at: DateTime::default(),
        created_by: "admin".into(),
    }
}

/// A configured part that answers, does not answer, or is not checked.
pub fn system_check(name: SystemPart, is_ok: Option<bool>) -> SystemCheck {
    let is_failing = is_ok == Some(false);
    SystemCheck {
        name,
        is_configured: true,
        is_ok,
        detail: "Postgres".into(),
        last_error: is_failing.then(|| "no answer within 2 s".into()),
        checked_at: is_ok.map(|_| DateTime::default()),
        since: is_failing.then(DateTime::default),
    }
}
