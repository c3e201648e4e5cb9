//! The fetched data. Views read it as signals and register what they show; events say what to fetch again.
//!
//! Each thing that is fetched has a file: how views read it, and how it is fetched. A new thing is such a file, a
//! [`Key`] and a field of [`Data`].

mod access;
mod activations;
mod activity;
mod app_server;
mod archived;
mod backups;
mod certificates;
mod counts;
mod credentials;
mod dns;
mod expiring;
mod fetched;
mod fetching;
mod instance;
mod instance_list;
mod key;
mod machine_list;
mod orphans;
mod pull_request;
mod pull_request_list;
mod queue;
mod resources;
mod rows;
mod sessions;
mod showing;
mod source_credentials;
mod ssh_keys;
mod system;
mod tokens;
mod users;

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use shared_types::app_server::Activation;
use shared_types::backup::InstanceBackups;
use shared_types::certificate::InstanceCertificate;
use shared_types::dns::InstanceDns;
use shared_types::ids::PullRequestId;
use shared_types::machine::ServerCount;
use shared_types::queue::Queue;
use shared_types::resource::InstanceResources;
use shared_types::retention::{Expiring, Orphans};
use shared_types::source_credential::SourceCredential;
use shared_types::ssh_access::{AppServerAccess, SshKey};
use shared_types::system::SystemState;
use shared_types::user::{Account, Session as Browser, Token};
use shared_types::{AppServer, AppServerId, Instance, InstanceId, PullRequest, UserId};

use super::coalesce::Coalesce;
use super::session::Session;
use crate::paths::{ActivityFilter, MachineFilter, PullRequestFilter};
pub use activity::Activities;
pub use counts::Counts;
pub use fetched::Fetched;
use instance_list::Changed;
pub use key::Key;
pub use machine_list::Machines;
pub use pull_request_list::PullRequests;
pub use rows::{Row, Rows, Words};
use showing::{Kept, Shown};

#[derive(Debug, Clone, Copy)]
pub struct Data {
    session: Session,
    list: RwSignal<Fetched<Rows>>,
    counts: Memo<Counts>,
    changed: StoredValue<Changed>,
    instances: Kept<InstanceId, Instance>,
    app_servers: Kept<AppServerId, AppServer>,
    activations: Kept<InstanceId, Vec<Activation>>,
    archived: Kept<(), Rows>,
    queue: Kept<(), Queue>,
    orphans: Kept<(), Orphans>,
    expiring: Kept<(), Vec<Expiring>>,
    machine_list: Kept<(), Machines>,
    /// The filter of the list of machines, and the number of pages to hold.
    wanted_machines: StoredValue<(MachineFilter, usize)>,
    machine_counts: Kept<(), Vec<ServerCount>>,
    pull_requests: Kept<PullRequestId, PullRequest>,
    pull_request_list: Kept<(), PullRequests>,
    /// The filter of the list of pull requests, and the number of pages to hold.
    wanted_pull_requests: StoredValue<(PullRequestFilter, usize)>,
    activities: Kept<(), Activities>,
    /// The filter of the audit trail, and the number of entries to hold.
    wanted_activities: StoredValue<(ActivityFilter, usize)>,
    access: Kept<AppServerId, AppServerAccess>,
    resources: Kept<InstanceId, InstanceResources>,
    backups: Kept<InstanceId, InstanceBackups>,
    certificates: Kept<InstanceId, InstanceCertificate>,
    dns: Kept<InstanceId, InstanceDns>,
    tokens: Kept<(), Vec<Token>>,
    ssh_keys: Kept<(), Vec<SshKey>>,
    sessions: Kept<(), Vec<Browser>>,
    users: Kept<(), Vec<Account>>,
    user_sessions: Kept<UserId, Vec<Browser>>,
    user_tokens: Kept<UserId, Vec<Token>>,
    source_credentials: Kept<(), Vec<SourceCredential>>,
    system: Kept<(), SystemState>,
    /// What views show now.
    shown: StoredValue<HashMap<Key, Shown>>,
    under_way: StoredValue<Coalesce<Key>>,
}

impl Data {
    pub(super) fn new(session: Session) -> Self {
        let list: RwSignal<Fetched<Rows>> = RwSignal::new(Fetched::Waiting);
        let counts = move |rows: &Arc<Rows>| Counts::count(rows.values().map(|row| &row.summary));
        Self {
            session,
            list,
            counts: Memo::new(move |_| list.with(|list| list.here().map(counts).unwrap_or_default())),
            changed: StoredValue::default(),
            instances: RwSignal::default(),
            app_servers: RwSignal::default(),
            activations: RwSignal::default(),
            archived: RwSignal::default(),
            queue: RwSignal::default(),
            orphans: RwSignal::default(),
            expiring: RwSignal::default(),
            machine_list: RwSignal::default(),
            wanted_machines: StoredValue::default(),
            machine_counts: RwSignal::default(),
            pull_requests: RwSignal::default(),
            pull_request_list: RwSignal::default(),
            wanted_pull_requests: StoredValue::default(),
            activities: RwSignal::default(),
            wanted_activities: StoredValue::default(),
            access: RwSignal::default(),
            resources: RwSignal::default(),
            backups: RwSignal::default(),
            certificates: RwSignal::default(),
            dns: RwSignal::default(),
            tokens: RwSignal::default(),
            ssh_keys: RwSignal::default(),
            sessions: RwSignal::default(),
            users: RwSignal::default(),
            user_sessions: RwSignal::default(),
            user_tokens: RwSignal::default(),
            source_credentials: RwSignal::default(),
            system: RwSignal::default(),
            shown: StoredValue::default(),
            under_way: StoredValue::new(Coalesce::default()),
        }
    }

    /// Forgets everything, since another user may sign in next.
    pub fn clear(self) {
        self.list.set(Fetched::Waiting);
        self.changed.set_value(Changed::default());
        self.instances.update(HashMap::clear);
        self.app_servers.update(HashMap::clear);
        self.activations.update(HashMap::clear);
        self.archived.update(HashMap::clear);
        self.queue.update(HashMap::clear);
        self.orphans.update(HashMap::clear);
        self.expiring.update(HashMap::clear);
        self.machine_list.update(HashMap::clear);
        self.machine_counts.update(HashMap::clear);
        self.pull_requests.update(HashMap::clear);
        self.pull_request_list.update(HashMap::clear);
        self.activities.update(HashMap::clear);
        self.access.update(HashMap::clear);
        self.resources.update(HashMap::clear);
        self.backups.update(HashMap::clear);
        self.certificates.update(HashMap::clear);
        self.dns.update(HashMap::clear);
        self.tokens.update(HashMap::clear);
        self.ssh_keys.update(HashMap::clear);
        self.sessions.update(HashMap::clear);
        self.users.update(HashMap::clear);
        self.user_sessions.update(HashMap::clear);
        self.user_tokens.update(HashMap::clear);
        self.source_credentials.update(HashMap::clear);
        self.system.update(HashMap::clear);
    }
}
