//! What the API shows of instances and app servers; the number of queries does not grow with the rows.

use diesel_async::AsyncPgConnection;
use serde_json::{Map, Value};
use shared_types::app_server::{AppServer, InstanceRef, Pin, PlaybookRecord};
use shared_types::operations::{Hold, Maintenance};
use shared_types::{API_BASE, AppServerId, AppServerSummary, FieldWarning, InstanceId, InstanceSummary, secret};

use super::care::Care;
use super::opened::{Opened, OpenedInstance, nameable};
use super::sources::RefusedSource;
use super::update::differing;
use super::{opened, sources};
use crate::instances::application::{ApplicationError, Sites};
use crate::instances::store::{app_servers, builds, checks, health, instances, listing, pins, summaries};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;

/// Most app servers in the view of one instance, newest first.
const APP_SERVERS_SHOWN: i64 = 100;

/// One instance, without what only its application can say.
#[derive(Debug)]
pub struct InstanceView {
    pub summary: InstanceSummary,
    /// The settings, with secrets masked.
    pub settings: Value,
    /// Its addresses; None if its settings cannot be used.
    pub sites: Option<Sites>,
    /// The app server to roll back to.
    pub fallback: Option<AppServerId>,
    /// Its newest app servers, and the active one.
    pub app_servers: Vec<AppServerSummary>,
    /// Queue tier, build limit and retention.
    pub care: Care,
    /// While set, automation activates no app server.
    pub hold: Option<Hold>,
    /// The page that visitors get in place of the active app server.
    pub maintenance: Option<Maintenance>,
    /// Names of settings that differ from the active app server's.
    pub pending_changes: Vec<String>,
    /// Settings that may have unexpected effects.
    pub warnings: Vec<FieldWarning>,
    /// Repositories that playbooks may not come from, without passwords.
    pub refused_sources: Vec<String>,
    /// Increases with each change, for optimistic locking.
    pub version: i64,
}

/// A page of instances. Two queries; three if sorted or filtered by health.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn instance_page(
    conn: &mut AsyncPgConnection,
    query: &listing::Query,
) -> Result<Vec<InstanceSummary>, DbError> {
    let rows = listing::page(conn, query).await?;
    with_app_servers(conn, rows).await
}

/// The instances with these ids. Two queries.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn among(conn: &mut AsyncPgConnection, ids: &[InstanceId]) -> Result<Vec<InstanceSummary>, DbError> {
    let rows = listing::among(conn, ids).await?;
    with_app_servers(conn, rows).await
}

async fn with_app_servers(
    conn: &mut AsyncPgConnection,
    rows: Vec<(listing::Head, Option<AppServerId>)>,
) -> Result<Vec<InstanceSummary>, DbError> {
    let ids: Vec<AppServerId> =
        rows.iter().flat_map(|(row, newest)| [row.active_app_server_id, *newest]).flatten().collect();
    let app_servers = summaries::among(conn, &ids).await?;
    Ok(rows.into_iter().map(|(head, _)| summary(head, &app_servers)).collect())
}

/// One instance. Four queries; three if there is no secret.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn instance(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
) -> Result<InstanceView, Refusal> {
    let opened = opened::instance(manager, conn, id, true).await?;
    let said = said(manager, &opened);
    let OpenedInstance { row, settings, trouble: _, active, health } = opened;
    let query = summaries::Query { instance: Some(id), limit: APP_SERVERS_SHOWN, ..Default::default() };
    let mut shown = summaries::page(conn, &query).await?;
    if let Some((active, _)) = &active
        && !shown.iter().any(|one| one.id == active.id)
    {
        shown.extend(summaries::read(conn, active.id).await?);
    }
    Ok(InstanceView {
        summary: summary(listing::Head::of(&row, health), &shown),
        sites: said.sites,
        warnings: said.warnings,
        refused_sources: said.refused_sources,
        fallback: row.fallback_app_server_id,
        care: Care::of(&row),
        hold: hold(&row),
        maintenance: maintenance(&row),
        pending_changes: active.map(|(_, active)| differing(&active, &settings)).unwrap_or_default(),
        app_servers: shown,
        version: row.version,
        settings: said.settings,
    })
}

/// What the application says of an instance.
struct Said {
    settings: Value,
    sites: Option<Sites>,
    warnings: Vec<FieldWarning>,
    refused_sources: Vec<String>,
}

/// If the settings cannot be used, only the reason is shown.
fn said(manager: &Manager, opened: &OpenedInstance) -> Said {
    let found = opened.application(manager).and_then(|application| {
        let refused = sources::refused(manager, application, &opened.settings)?;
        let mut warnings = application.warnings(&opened.settings);
        warnings.extend(refused.iter().map(RefusedSource::warning));
        Ok(Said {
            settings: application.kind().schema.masked(&opened.settings),
            sites: Some(application.sites(&opened.settings)?),
            warnings,
            refused_sources: refused.into_iter().map(|one| one.repository).collect(),
        })
    });
    found.unwrap_or_else(|ApplicationError(detail)| Said {
        settings: Value::Object(Map::new()),
        sites: None,
        warnings: vec![FieldWarning { pointer: String::new(), line: None, detail }],
        refused_sources: Vec::new(),
    })
}

fn maintenance(row: &instances::InstanceRow) -> Option<Maintenance> {
    let (by, at) = row.maintenance_by.clone().zip(row.maintenance_at)?;
    Some(Maintenance { by, at, text: row.maintenance_text.clone()? })
}

fn hold(row: &instances::InstanceRow) -> Option<Hold> {
    let (by, at) = row.hold_by.clone().zip(row.hold_at)?;
    Some(Hold { by, at, reason: row.hold_reason.clone() })
}

fn summary(row: listing::Head, app_servers: &[AppServerSummary]) -> InstanceSummary {
    let own = || app_servers.iter().filter(|one| one.instance_id == row.id);
    InstanceSummary {
        id: row.id,
        api_url: format!("{API_BASE}/instances/{}", row.id),
        name: row.name,
        instance_type: row.instance_type,
        domain: row.domain,
        created: row.created,
        modified: row.modified,
        archived_at: row.archived_at,
        has_hold: row.hold_at.is_some(),
        appserver_count: i64::from(row.next_app_server_number) - 1,
        active_appserver: own().find(|one| Some(one.id) == row.active_app_server_id).cloned(),
        newest_appserver: own().max_by_key(|one| one.id).cloned(),
        health: row.health,
    }
}

/// One app server, complete. Seven queries; six if it has no secret.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn app_server(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: AppServerId,
) -> Result<AppServer, Refusal> {
    let not_found = || Refusal::NotFound { what: "app server", id: id.0 };
    let summary = summaries::read(conn, id).await?.ok_or_else(not_found)?;
    let (row, server, instance_name) = app_servers::whole(conn, id).await?.ok_or_else(not_found)?;
    let opened = Opened::of(manager, conn, &row).await?;
    let pins = pins::of(conn, id).await?;
    let steps = builds::steps(conn, id, summary.status, !row.used_resources()?.is_empty()).await?;
    let checks = checks::of(conn, id).await?;
    let health = health::shown(conn, row.instance_id, id).await?;
    Ok(AppServer {
        instance: InstanceRef {
            instance_type: row.instance_type.clone(),
            id: row.instance_id,
            api_url: format!("{API_BASE}/instances/{}", row.instance_id),
            name: instance_name,
        },
        server: server.into_dto(id, &manager.providers),
        steps,
        configuration_settings: yaml(&opened.variables),
        playbooks: shown(playbooks(&opened.playbooks, &pins)?, |playbook| &mut playbook.source_repo),
        pins: shown(references(&opened.references, &pins)?, |pin| &mut pin.repository),
        // Settings that cannot be upgraded may hold secrets anywhere.
        configuration: if opened.trouble.is_none() { opened.schema.masked(&opened.settings) } else { Value::Null },
        checks,
        health,
        summary,
    })
}

/// The variables for users, with secrets masked; Ansible gets JSON.
pub(in crate::instances) fn yaml(variables: &Value) -> String {
    variables.as_object().map(|map| shared_types::yaml::to_yaml(&secret::masked(map))).unwrap_or_default()
}

/// The items without passwords in the URLs of their repositories.
fn shown<T>(mut items: Vec<T>, repository: impl Fn(&mut T) -> &mut String) -> Vec<T> {
    for item in &mut items {
        let url = repository(item);
        *url = nameable(url);
    }
    items
}

fn commit(pins: &[pins::PinRow], repository: &str, version: &str) -> Option<String> {
    let repository = nameable(repository);
    pins.iter().find(|pin| pin.repository == repository && pin.version == version).and_then(|pin| pin.commit.clone())
}

#[derive(serde::Deserialize)]
pub(in crate::instances) struct StoredPlaybook {
    pub source_repo: String,
    pub version: String,
    pub playbook_path: String,
    pub requirements_path: String,
    /// Text in place of a file. Version 0.1 had only files.
    #[serde(default)]
    pub requirements: Option<String>,
}

#[derive(serde::Deserialize)]
pub(in crate::instances) struct StoredReference {
    pub name: String,
    pub repository: String,
    pub version: String,
    /// Version 0.1 had only one variable.
    #[serde(alias = "variable", deserialize_with = "one_or_more")]
    pub variables: Vec<String>,
}

fn one_or_more<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    Ok(match serde::Deserialize::deserialize(deserializer)? {
        OneOrMore::One(name) => vec![name],
        OneOrMore::More(names) => names,
    })
}

/// The playbooks with their resolved commits.
pub(in crate::instances) fn playbooks(stored: &Value, pins: &[pins::PinRow]) -> Result<Vec<PlaybookRecord>, DbError> {
    let stored: Vec<StoredPlaybook> = serde_json::from_value(stored.clone())?;
    let record = |stored| {
        let StoredPlaybook { source_repo, version, playbook_path, requirements_path, requirements } = stored;
        PlaybookRecord {
            commit: commit(pins, &source_repo, &version),
            source_repo,
            version,
            playbook_path,
            requirements_path,
            requirements,
        }
    };
    Ok(stored.into_iter().map(record).collect())
}

fn references(stored: &Value, pins: &[pins::PinRow]) -> Result<Vec<Pin>, DbError> {
    let stored: Vec<StoredReference> = serde_json::from_value(stored.clone())?;
    let pin = |StoredReference { name, repository, version, variables: _ }| Pin {
        commit: commit(pins, &repository, &version),
        name,
        repository,
        version,
    };
    Ok(stored.into_iter().map(pin).collect())
}

/// The variables, with resolved commits in place of branches and tags.
pub(in crate::instances) fn pinned_variables(
    opened: &Opened,
    pins: &[pins::PinRow],
) -> Result<Map<String, Value>, DbError> {
    let mut variables = opened.variables.as_object().cloned().unwrap_or_default();
    let stored: Vec<StoredReference> = serde_json::from_value(opened.references.clone())?;
    for StoredReference { name: _, repository, version, variables: names } in stored {
        let Some(commit) = commit(pins, &repository, &version) else { continue };
        for name in names {
            if let Some(slot) = variables.get_mut(&name) {
                *slot = commit.clone().into();
            }
        }
    }
    Ok(variables)
}
