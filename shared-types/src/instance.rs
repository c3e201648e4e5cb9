//! An instance: long-lived, changeable, the maker of app servers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::app_server::AppServerSummary;
use crate::health::InstanceHealth;
use crate::ids::InstanceId;
use crate::operations::Hold;
use crate::queue::Tier;
use crate::warning::FieldWarning;

/// How long an instance's name may be.
pub const NAME_MAX: usize = 250;

/// What is wrong with an instance's name.
///
/// # Errors
/// A sentence for the person who typed it.
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

/// What a list of instances is sorted by; with `-`, the other way round. Those that are alike are sorted by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstanceSort {
    /// By name, A to Z.
    #[default]
    Name,
    /// By name, Z to A.
    #[serde(rename = "-name")]
    NameBackwards,
    /// By the main host name.
    Domain,
    /// The same, Z to A.
    #[serde(rename = "-domain")]
    DomainBackwards,
    /// The one that was made first first.
    Created,
    /// The newest first.
    #[serde(rename = "-created")]
    Newest,
    /// The one that was left alone longest first.
    Modified,
    /// The one that changed last first.
    #[serde(rename = "-modified")]
    LastModified,
    /// The most pressing health first: down, degraded, unknown, ok, then those without health.
    Health,
    /// The same, those without health first.
    #[serde(rename = "-health")]
    HealthBackwards,
}

/// An instance as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstanceSummary {
    /// The id.
    pub id: InstanceId,
    /// The path of the whole resource.
    #[schema(example = "/api/v1/instances/1")]
    pub api_url: String,
    /// The name, shown to learners as the platform's.
    #[schema(example = "Astronomy Academy")]
    pub name: String,
    /// Which application it runs.
    #[schema(example = "openedx")]
    pub instance_type: String,
    /// The host name of its main site.
    #[schema(example = "astro.campus.example")]
    pub domain: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When its name or settings last changed.
    pub modified: DateTime<Utc>,
    /// When it was put away; null while it is in use.
    pub archived_at: Option<DateTime<Utc>>,
    /// Whether a hold keeps automation from activating.
    pub has_hold: bool,
    /// How many app servers it ever had.
    #[schema(minimum = 0)]
    pub appserver_count: i64,
    /// The one that has the traffic.
    pub active_appserver: Option<AppServerSummary>,
    /// The newest of all; it may be the active one.
    pub newest_appserver: Option<AppServerSummary>,
    /// Whether its sites work; null while no app server is active, and when the instance is archived.
    pub health: Option<InstanceHealth>,
}

impl InstanceSummary {
    /// The app server that the ring beside the mark stands for: the newest, where it is newer than the active one and
    /// neither terminated nor stopped.
    pub fn newer(&self) -> Option<&AppServerSummary> {
        use crate::AppServerStatus::{Stopped, Terminated};
        self.newest_appserver.as_ref().filter(|newest| {
            self.active_appserver.as_ref().is_none_or(|active| active.id < newest.id)
                && !matches!(newest.status, Terminated | Stopped)
        })
    }
}

/// The site that `studio_url` is the address of: a field that clients knew before there were `sites`.
pub const STUDIO: &str = "studio";

/// A site of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Site {
    /// The word that checks and health name it by.
    #[schema(example = "lms")]
    pub name: String,
    /// The name for people.
    #[schema(example = "LMS")]
    pub label: String,
    /// Its address.
    #[schema(example = "https://astro.campus.example/")]
    pub url: String,
}

/// An instance, whole: the summary, every setting as a field of its own, and its app servers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Instance {
    /// The fields of the summary.
    #[serde(flatten)]
    pub summary: InstanceSummary,
    /// The settings of its application type, each as a field of its own; secrets read as `••••••`. None where they cannot be
    /// read, which `warnings` explains.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
    /// The address of the main site; blank where the settings cannot be read.
    #[schema(example = "https://astro.campus.example/")]
    pub url: String,
    /// The address of the site `studio`; blank where there is no such site.
    #[schema(example = "https://studio.astro.campus.example/")]
    pub studio_url: String,
    /// Where people find it, the main site first.
    pub sites: Vec<Site>,
    /// Whose builds begin first.
    pub tier: Tier,
    /// How many of its app servers may be built at once.
    #[schema(minimum = 1, maximum = 20)]
    pub max_builds: i32,
    /// Hours that an app server which nobody needs any more keeps its machine; null: the setting (OCIM_RETENTION_HOURS).
    #[schema(minimum = 1, maximum = 8760)]
    pub retention_hours: Option<i32>,
    /// Keeps automation from activating; null while it may.
    pub hold: Option<Hold>,
    /// The app server to go back to.
    pub fallback_app_server_id: Option<crate::ids::AppServerId>,
    /// The newest 100 of its app servers, the newest first; `/instances/{id}/app-servers` has all.
    pub appservers: Vec<AppServerSummary>,
    /// The settings that differ from those of the active app server, by name; empty where none is active.
    pub pending_changes: Vec<String>,
    /// What may surprise in the settings: they are valid, and mean perhaps something else than their author thinks.
    #[serde(default)]
    pub warnings: Vec<FieldWarning>,
    /// The pull request that it was made for; null: none.
    pub source_pr: Option<crate::pull_request::SourcePullRequest>,
    /// What `If-Match` must say to change it; the same as the `ETag` header.
    pub etag: String,
}
