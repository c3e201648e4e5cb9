//! `ocim admin doctor`: collects what is known of the installation, and prints what is wrong. Changes nothing: providers are not
//! opened, since that boots local machines; workers record how they answer.

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde_json::json;
use tokio::time::timeout;
use url::Url;

use super::report::say;
use super::{StartError, database, outside, vault};
use crate::config::Settings;
use crate::config::gateway::GatewaySettings;
use crate::instances::store::backups::schedule;
use crate::instances::store::{names, orphans};
use crate::platform::db::{Db, DbError, migrations};
use crate::platform::jobs::workers;
use crate::platform::metrics::store as figures;
use crate::platform::peers::store as servers;
use crate::platform::vault::{Keyring, try_keys};
use crate::pull_requests::Watch;
use crate::routing::providers::agents::Agents;
use crate::routing::providers::haproxy::{GatewayConfig, HaproxyRoutes};
use crate::routing::store::gateways;
use crate::routing::traffic::Traffic;
use crate::system::doctor::{self, Backups, Finding, Level, Room};
use crate::system::{System, opened_walls};

/// The timeout of each question to the database, and to the resolver.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most host names and instances that are named.
const NAMED: usize = 20;

/// Examines the installation, and prints a line for each finding, or one JSON object. The exit status is 1 if something is
/// wrong; warnings alone leave it 0.
///
/// # Errors
/// An error if the settings make no sense at all.
pub async fn doctor(settings: &Settings, is_json: bool) -> Result<ExitCode, StartError> {
    let findings = examine(settings).await?;
    let is_wrong = findings.iter().any(|finding| finding.level == Level::Wrong);
    if is_json {
        say(json!({ "is_ok": !is_wrong, "checks": findings }));
    } else {
        findings.iter().for_each(say);
    }
    Ok(if is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn examine(settings: &Settings) -> Result<Vec<Finding>, StartError> {
    let data_dir = &settings.data.ocim_data_dir;
    let mut findings = doctor::contradictions(settings);
    findings.push(public_name(settings).await);
    let rooms = Room::of_disks(&[data_dir.clone(), data_dir.join("runs"), settings.cache_dir()]);
    findings.extend(doctor::rooms(&rooms, settings.data.ocim_min_free_mb));
    match timeout(PATIENCE, open(settings, data_dir)).await.unwrap_or_else(|_| Err("it does not answer".into())) {
        Ok(db) => findings.extend(examine_database(settings, data_dir, &db).await?),
        Err(error) => {
            let what = format!("The database cannot be used, so most checks were not made: {error}.");
            findings.push(Finding::wrong("database", what, "Look at Postgres, at its disk, and at DATABASE_URL."));
        }
    }
    Ok(findings)
}

async fn open(settings: &Settings, data_dir: &Path) -> Result<Db, StartError> {
    let db = database::attach(settings, data_dir).await?;
    db.answers().await?;
    Ok(db)
}

async fn examine_database(settings: &Settings, data_dir: &Path, db: &Db) -> Result<Vec<Finding>, StartError> {
    let difference = migrations::difference(db).await?;
    let mut findings = vec![doctor::migrations(difference.as_deref())];
    // Its tables may lack what the checks read.
    if migrations::are_pending(db).await? {
        return Ok(findings);
    }
    match processes(settings, db).await {
        Ok(found) => findings.extend(found),
        Err(error) => findings.push(unread("servers", &error)),
    }
    match records(settings, db).await {
        Ok(found) => findings.extend(found),
        Err(error) => findings.push(unread("database", &error)),
    }
    let keyring = vault::keyring(settings, data_dir, db, false).await.map_err(|error| error.to_string());
    let tried = match &keyring {
        Ok(keyring) => try_keys(db, keyring).await.map(|()| keyring.ids()).map_err(|error| error.to_string()),
        Err(error) => Err(error.clone()),
    };
    findings.push(doctor::keys(tried));
    if let Ok(keyring) = keyring {
        match watch(settings, data_dir, db, keyring) {
            Ok(watch) => findings.extend(parts(settings, &watch).await),
            Err(error) => {
                let what = format!("The programs cannot start with these settings: {error}.");
                findings.push(Finding::wrong(
                    "settings",
                    what,
                    "Correct the setting that it names (docs/settings.md).",
                ));
            }
        }
    }
    Ok(findings)
}

fn unread(check: &'static str, error: &DbError) -> Finding {
    Finding::wrong(check, format!("The database could not be read: {error}."), "Look at Postgres and its log.")
}

/// Servers, workers and gateways.
async fn processes(settings: &Settings, db: &Db) -> Result<Vec<Finding>, DbError> {
    let mut conn = db.conn().await?;
    let here = servers::clock_ahead(&mut conn).await?;
    let (servers, workers) = (servers::live(&mut conn).await?, workers::live(&mut conn).await?);
    let gateways = gateways::list(&mut conn).await?.items;
    let public_url = settings.server.ocim_public_url.as_deref();
    let mut findings = doctor::clocks(here, &servers, &workers);
    findings.extend(doctor::versions(env!("CARGO_PKG_VERSION"), &servers, &workers, &gateways));
    findings.extend(doctor::servers(&servers, public_url));
    findings.extend(doctor::workers(&workers));
    findings.extend(doctor::gateways(&gateways, settings.gateway.ocim_gateway_agents));
    Ok(findings)
}

/// What the tables say of certificates, builds, routes, messages, machines, names and backups.
async fn records(settings: &Settings, db: &Db) -> Result<Vec<Finding>, DbError> {
    let mut conn = db.conn().await?;
    let mut findings = doctor::figures(&figures::read(&mut conn).await?);
    let (compared_at, note) = orphans::last_comparison(&mut conn).await?;
    findings.push(doctor::machines(compared_at, note.as_deref(), Utc::now()));
    let most = i64::try_from(NAMED).unwrap_or(i64::MAX);
    let wrong = names::troubled(&mut conn, most + 1).await?;
    let is_watched = !settings.dns.ocim_gateway_addresses.is_empty();
    findings.extend(doctor::names(&wrong, NAMED, is_watched));
    let every = settings.backups.ocim_backup_every;
    let late = match every {
        Some(hours) => schedule::due(&mut conn, None, hours + (hours / 2).max(2), most + 1).await?,
        None => Vec::new(),
    };
    drop(conn);
    let backups = Backups { own: db.backed_up_at().await?, is_scheduled: every.is_some(), late };
    findings.extend(doctor::backups(&backups, Utc::now()));
    Ok(findings)
}

/// The parts of `GET /system`, and the walls of this host.
async fn parts(settings: &Settings, watch: &Watch) -> Vec<Finding> {
    let state = System::new(settings).read(watch, None).await;
    let mut findings = doctor::parts(&state.checks, settings.gateway.ocim_gateway_agents);
    findings.extend(doctor::walls(state.sandbox.as_ref(), &opened_walls::opened_walls(settings)));
    findings
}

/// The operations of the program, without machines.
fn watch(settings: &Settings, data_dir: &Path, db: &Db, keyring: Keyring) -> Result<Arc<Watch>, StartError> {
    let gateway = GatewaySettings::new(settings)?;
    let traffic: Arc<dyn Traffic> = match gateway.has_agents {
        true => Arc::new(Agents { db: db.clone(), front: gateway.front }),
        // Only asked whether it answers, so that its number of connections does not matter.
        false => Arc::new(HaproxyRoutes::new(&GatewayConfig {
            settings: gateway,
            dir: data_dir.join("gateway"),
            connections: 1,
        })),
    };
    let outside = outside::without_machines(settings, data_dir)?;
    outside.parts(settings, data_dir, db.clone(), traffic, keyring)?.assemble(settings)
}

async fn public_name(settings: &Settings) -> Finding {
    let url = settings.server.ocim_public_url.as_deref().and_then(|url| Url::parse(url).ok());
    let Some(host) = url.as_ref().and_then(Url::host_str) else { return doctor::public_name(None, None) };
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return doctor::public_name(Some(host), None);
    }
    let resolved = match timeout(PATIENCE, tokio::net::lookup_host((host, 443))).await {
        Ok(found) => found.map(Iterator::count).map_err(|error| error.to_string()),
        Err(_) => Err("the name servers do not answer".to_owned()),
    };
    doctor::public_name(Some(host), Some(&resolved))
}
