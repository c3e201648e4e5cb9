//! An instance: long-lived, with settings that change and from which app servers are launched.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::app_server::AppServerSummary;
use crate::health::InstanceHealth;
use crate::https::HttpsPolicy;
use crate::ids::InstanceId;
use crate::instance_copy::InstanceCopy;
use crate::migration::{Migration, NextMigration};
use crate::operations::{Hold, Maintenance};
use crate::queue::Tier;
use crate::server::ProviderName;
use crate::warning::FieldWarning;

/// The most characters that an instance's name may have.
pub const NAME_MAX: usize = 250;

/// Checks an instance's name.
///
/// # Errors
/// A sentence for the user if the name is blank, too long or contains a null character.
pub fn check_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        return Err("A name is needed.".into());
    }
    if length > NAME_MAX {
        return Err(format!("At most {} characters; these are {length}.", NAME_MAX));
    }
    if name.contains('\0') {
        return Err("May not contain the null character.".into());
    }
    Ok(())
}

/// The order of a list of instances; `-` reverses it. Instances that compare equal are sorted by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstanceSort {
    /// By name, A to Z.
    #[default]
    Name,
    /// By name, Z to A.
    #[serde(rename = "-name")]
    NameBackwards,
    /// By the main host name, A to Z.
    Domain,
    /// By the main host name, Z to A.
    #[serde(rename = "-domain")]
    DomainBackwards,
    /// By creation, the earliest first.
    Created,
    /// By creation, the latest first.
    #[serde(rename = "-created")]
    Newest,
    /// By the last change, the earliest first.
    Modified,
    /// By the last change, the latest first.
    #[serde(rename = "-modified")]
    LastModified,
    /// By health, the most urgent first: down, degraded, unknown, ok, then those without health.
    Health,
    /// By health in reverse order, those without health first.
    #[serde(rename = "-health")]
    HealthBackwards,
}

/// An instance as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstanceSummary {
    /// The id; it is never used again.
    pub id: InstanceId,
    /// The path of the whole resource.
    #[schema(example = "/api/v1/instances/1")]
    pub api_url: String,
    /// The name, shown to learners as the platform's.
    #[schema(example = "Astronomy Academy")]
    pub name: String,
    /// Which application it runs.
    #[schema(example = "site")]
    pub instance_type: String,
    /// The host name of its main site.
    #[schema(example = "astro.campus.example")]
    pub domain: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When its name or settings last changed.
    pub modified: DateTime<Utc>,
    /// When it was archived; null while it is in use.
    pub archived_at: Option<DateTime<Utc>>,
    /// Whether a hold keeps automation from activating.
    pub has_hold: bool,
    /// How many app servers it ever had.
    #[schema(minimum = 0)]
    pub appserver_count: i64,
    /// The app server that has the traffic; null if none has.
    pub active_appserver: Option<AppServerSummary>,
    /// The newest app server; it may be the active one.
    pub newest_appserver: Option<AppServerSummary>,
    /// Whether its sites work; null while no app server is active, and when the instance is archived.
    pub health: Option<InstanceHealth>,
}

impl InstanceSummary {
    /// The app server whose build the ring of the mark shows: the newest, if it is newer than the active one and
    /// neither terminated nor stopped.
    pub fn newer(&self) -> Option<&AppServerSummary> {
        use crate::AppServerStatus::{Stopped, Terminated};
        self.newest_appserver.as_ref().filter(|newest| {
            self.active_appserver.as_ref().is_none_or(|active| active.id < newest.id)
                && !matches!(newest.status, Terminated | Stopped)
        })
    }
}

/// A site of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Site {
    /// The site's name in checks and health.
    #[schema(example = "school")]
    pub name: String,
    /// The name shown to people.
    #[schema(example = "School")]
    pub label: String,
    /// The public address of the site.
    #[schema(example = "https://astro.campus.example/")]
    pub url: String,
}

/// An instance in full: the summary, every setting as a field of its own, and its app servers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Instance {
    /// The fields of the summary.
    #[serde(flatten)]
    pub summary: InstanceSummary,
    /// The settings of its application type, each as a field of its own; secrets read as `••••••`. None where they
    /// cannot be read, which `warnings` explains.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
    /// The address of the main site; blank where the settings cannot be read.
    #[schema(example = "https://astro.campus.example/")]
    pub url: String,
    /// The address of the site `studio`; blank where there is no such site.
    #[schema(example = "https://studio.astro.campus.example/")]
    pub studio_url: String,
    /// The sites of the instance, the main one first.
    pub sites: Vec<Site>,
    /// The tier, which decides whose builds begin first.
    pub tier: Tier,
    /// How many of its app servers may be built at once.
    #[schema(minimum = 1, maximum = 20)]
    pub max_builds: i32,
    /// Hours that an app server which is no longer needed keeps its machine; null: the setting OCIM_RETENTION_HOURS.
    #[schema(minimum = 1, maximum = 8760)]
    pub retention_hours: Option<i32>,
    /// The name of the provider of its next machines; null: the default one. Its present machines stay where they are.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "frankfurt")]
    pub provider: Option<ProviderName>,
    /// How visitors by HTTP are treated where the gateways have a certificate.
    #[serde(default)]
    pub https: HttpsPolicy,
    /// The hold that keeps automation from activating; null if none is set.
    pub hold: Option<Hold>,
    /// The maintenance page that visitors get; null: they get the active app server.
    #[serde(default)]
    pub maintenance: Option<Maintenance>,
    /// The copy of another instance's data that it holds or is about to get; null: its data is its own.
    #[serde(default)]
    pub copy: Option<InstanceCopy>,
    /// What the next launch would change in the databases outside the machines; null: nothing that is known beforehand.
    #[serde(default)]
    pub next_migration: Option<NextMigration>,
    /// The builds that changed these databases after a snapshot, or are about to: the newest 20 and those that need a person, the
    /// newest first.
    #[serde(default)]
    pub migrations: Vec<Migration>,
    /// The app server that a rollback activates; null if there is none.
    pub fallback_app_server_id: Option<crate::ids::AppServerId>,
    /// The newest 100 of its app servers, the newest first; `/instances/{id}/app-servers` has all.
    pub appservers: Vec<AppServerSummary>,
    /// The settings that differ from those of the active app server, by name; empty where none is active.
    pub pending_changes: Vec<String>,
    /// Warnings about settings that are valid but may not mean what their author expects.
    #[serde(default)]
    pub warnings: Vec<FieldWarning>,
    /// Repositories that its playbooks may not come from (`OCIM_CONFIGURATION_SOURCES`); while there is one, no app
    /// server can be launched. `warnings` says what to do.
    #[serde(default)]
    #[schema(example = json!(["ssh://git@git.example/acme/configuration"]))]
    pub refused_sources: Vec<String>,
    /// The pull request that it was created for; null if there is none.
    pub source_pr: Option<crate::pull_request::SourcePullRequest>,
    /// The value of `If-Match` that is needed to change it; the same as the `ETag` header.
    pub etag: String,
}
