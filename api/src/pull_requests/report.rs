//! Reports the state of a pull request's instance to GitHub: deployments, statuses of commits, one comment.
//!
//! A report is derived from the database, and each successful call is stored. So it is idempotent: any worker may run
//! it at any time, one at a time, and it makes only the calls that say something new. One kind that fails does not stop
//! the others.

mod comment;
mod markdown;
mod plan;
mod standing;
mod telling;
#[cfg(test)]
mod tests;
mod told;

use shared_types::{InstanceId, PullRequestId};

use self::comment::{Names, Site};
use self::standing::Standing;
use self::telling::{SPELL, Telling};
use self::told::{Told, digest};
use super::jobs::ReportPullRequest;
use super::rules::Report;
use super::store::reports::{self, Found};
use super::{Watch, WatchError, follow};
use crate::instances::store::instances;

/// The delay of the first retry, in seconds; it doubles with each further failure.
const FIRST_PAUSE: i32 = 60;
/// The longest delay of a retry, in seconds.
const LONGEST_PAUSE: i32 = 3600;
/// How many failures in a row (half a day) end the retries for a pull request that does not change any more.
const GIVE_UP: i32 = 18;

/// Whether reports are configured and GitHub may be written to.
fn is_on(watch: &Watch) -> bool {
    !watch.rules.reports.is_empty() && watch.github.can_write()
}

/// Enqueues the reports that are due.
///
/// # Errors
/// [`WatchError::Db`] when the database fails.
pub async fn look(watch: &Watch) -> Result<(), WatchError> {
    if !is_on(watch) {
        return Ok(());
    }
    let mut conn = watch.manager.db.conn().await?;
    let due = reports::due(&mut conn, &watch.manager.code_references()).await?;
    Ok(ReportPullRequest::enqueue_all(&mut conn, &due).await?)
}

/// Reports a pull request to GitHub. A refusal by GitHub is stored and retried later.
///
/// # Errors
/// [`WatchError::Paused`] while GitHub's rate limit holds; [`WatchError::Db`] when the database fails.
pub async fn report(watch: &Watch, id: PullRequestId) -> Result<(), WatchError> {
    if !is_on(watch) {
        return Ok(());
    }
    let mut conn = watch.manager.db.conn().await?;
    let Some(turn) = reports::claim(&mut conn, id, SPELL).await? else { return Ok(()) };
    let references = watch.manager.code_references();
    let Some(found) = reports::read(&mut conn, id, &references).await? else { return Ok(()) };
    drop(conn);
    let done = tell(watch, turn, &found).await;
    let mut conn = watch.manager.db.conn().await?;
    match done {
        Ok(told) => {
            reports::settle(&mut conn, id, turn, &told, &references).await?;
            if told.trouble != found.row.report_trouble {
                follow::tell(&mut conn, &found.row).await?;
            }
            Ok(())
        }
        Err(error) => match reports::release(&mut conn, id, turn).await? {
            true => Err(error),
            // The lease has run out, and another worker reports now.
            false => Ok(()),
        },
    }
}

/// Makes the calls of each kind of report; an error of GitHub's does not stop the other kinds.
async fn tell(watch: &Watch, turn: i64, found: &Found) -> Result<reports::Told, WatchError> {
    let Found { row, repository, comment_id, reported, tries, facts, digest } = found;
    let standing = Standing::read(row, facts.clone()).map_err(|error| WatchError::Other(error.to_string()))?;
    let sites = sites(watch, standing.instance.as_ref().map(|instance| instance.id)).await?;
    let marker = marker(watch, row.id).await?;
    let names = Names { marker: &marker, sites: &sites, public_url: watch.rules.public_url.as_deref() };
    let main_site = sites.first().map(|site| site.url.as_str());
    let told = Told::read(reported.clone());
    let (comment_id, number) = (*comment_id, row.number);
    let mut telling = Telling { watch, id: row.id, turn, repository, number, told, comment_id };
    let mut troubles = Vec::new();
    for report in &watch.rules.reports {
        let done = match report {
            Report::Deployments => {
                telling.deployments(&plan::deployments(&standing), main_site, names.public_url).await
            }
            Report::Statuses => {
                telling.statuses(&plan::statuses(&standing), names.public_url, !standing.is_open()).await
            }
            Report::Comments => {
                let is_there = telling.comment_id.is_some() || telling.told.comment.is_some();
                match comment::comment(&standing, &names, is_there) {
                    Some(body) => telling.comment(&body, &marker).await,
                    None => Ok(()),
                }
            }
        };
        match done {
            Ok(()) => {}
            Err(WatchError::Github(error)) => troubles.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    Ok(ended(digest.clone(), &standing, *tries, &troubles))
}

fn ended(digest: String, standing: &Standing, tries: i32, troubles: &[String]) -> reports::Told {
    let is_at_rest = standing.is_at_rest();
    if troubles.is_empty() {
        return reports::Told { digest, is_settled: is_at_rest, trouble: None, tries: 0, again_in: None };
    }
    let tries = tries.saturating_add(1);
    let is_given_up = is_at_rest && tries >= GIVE_UP;
    let trouble: String = troubles.join("; ").chars().take(1000).collect();
    let again_in = (!is_given_up).then(|| pause(tries));
    reports::Told { digest, is_settled: is_given_up, trouble: Some(trouble), tries, again_in }
}

/// The delay of the retry, in seconds.
fn pause(tries: i32) -> i32 {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or_default().min(10);
    FIRST_PAUSE.saturating_mul(2_i32.saturating_pow(doublings)).min(LONGEST_PAUSE)
}

/// The sites of an instance, the main one first.
async fn sites(watch: &Watch, id: Option<InstanceId>) -> Result<Vec<Site>, WatchError> {
    let Some(id) = id else { return Ok(Vec::new()) };
    let row = instances::find(&mut *watch.manager.db.conn().await?, id).await?;
    let Some(row) = row else { return Ok(Vec::new()) };
    let current = watch.manager.current(&row.instance_type, row.settings_version, row.settings.hidden());
    // Without valid settings there are no addresses.
    let Ok(sites) = current.and_then(|(application, settings)| application.sites(&settings)) else {
        return Ok(Vec::new());
    };
    let url = |hostname: &str| watch.rules.public_urls.url(sites.protocol, hostname);
    Ok(sites.sites.into_iter().map(|site| Site { url: url(&site.hostname), label: site.label }).collect())
}

/// Identifies our comment on a pull request. It differs between installations and cannot be guessed.
async fn marker(watch: &Watch, id: PullRequestId) -> Result<String, WatchError> {
    let installation = watch.manager.db.installation().await?;
    Ok(format!("<!-- ocim {} -->", digest(&["comment", &installation, &id.to_string()])))
}
