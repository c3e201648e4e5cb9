//! What `/metrics` knows of the installation: certificates, builds, routes, jobs and messages.

use serde_json::Value;

use super::{Finding, or_ok, span};
use crate::platform::metrics::store::Figures;

/// A week: after that nothing has renewed a certificate that expires.
const CERTIFICATE_WARNING: f64 = 7.0 * 86_400.0;
/// How long a build, a switch of traffic or a message may wait, in seconds; the alerts of docs/ops have the same.
const QUEUE_WARNING: f64 = 900.0;
const LEASE_WARNING: f64 = 60.0;
const ROUTING_WARNING: f64 = 60.0;
const MESSAGE_WARNING: f64 = 3600.0;

/// Judges the figures of the database.
pub fn figures(figures: &Figures) -> Vec<Finding> {
    let mut findings = certificates(figures);
    findings.extend(builds(figures));
    findings.extend(routes(figures));
    findings.extend(messages(figures));
    findings
}

fn certificates(figures: &Figures) -> Vec<Finding> {
    let of = |state: &str| figures.certificates.get(state).and_then(Value::as_i64).unwrap_or_default();
    let expire = figures.certificates_expire.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_f64());
    let first = expire.reduce(f64::min);
    let (failing, mut findings) = (of("failing"), Vec::new());
    let remedy =
        "Read `last_error` in GET /api/v1/certificates?state=failing; docs/certificates.md says what each needs.";
    match first {
        Some(seconds) if seconds <= 0.0 => {
            let what = format!("A certificate expired {} ago.", span(whole(-seconds)));
            findings.push(Finding::wrong("certificates", what, remedy));
        }
        Some(seconds) if seconds < CERTIFICATE_WARNING => {
            let what = format!("A certificate expires in {}, and was not renewed.", span(whole(seconds)));
            findings.push(Finding::warning("certificates", what, remedy));
        }
        Some(_) | None => {}
    }
    if failing > 0 {
        let what = format!("The orders of {failing} of {} certificates fail.", total(&figures.certificates));
        findings.push(Finding::warning("certificates", what, remedy));
    }
    or_ok(findings, "certificates", || match (total(&figures.certificates), first) {
        (0, _) => "There are none.".to_owned(),
        (count, Some(seconds)) => format!("{count}; the first expires in {}.", span(whole(seconds))),
        (count, None) => format!("{count}; none was issued yet."),
    })
}

fn builds(figures: &Figures) -> Vec<Finding> {
    let mut findings = Vec::new();
    if figures.queue_oldest > QUEUE_WARNING {
        let what = format!("A build has waited for {}.", span(whole(figures.queue_oldest)));
        findings.push(Finding::warning(
            "queue",
            what,
            "Read what it waits for: the page “Queue”, or GET /api/v1/queue.",
        ));
    }
    if figures.leases_expired_oldest > LEASE_WARNING {
        let since = span(whole(figures.leases_expired_oldest));
        let what = format!("{} builds have no worker, the first since {since}.", figures.leases_expired);
        findings.push(Finding::wrong("queue", what, "Start a worker: it takes them over."));
    }
    if figures.jobs_failed > 0 {
        let what = format!("{} jobs were given up; sweeps do their work later.", figures.jobs_failed);
        findings.push(Finding::warning("queue", what, "The logs of the workers have each, with the reason."));
    }
    or_ok(findings, "queue", || format!("{} builds wait, {} are under way.", figures.queue_depth, figures.slots_in_use))
}

fn routes(figures: &Figures) -> Vec<Finding> {
    let mut findings = Vec::new();
    if figures.routing_behind_oldest > ROUTING_WARNING {
        let since = span(whole(figures.routing_behind_oldest));
        let what =
            format!("The traffic of {} instances is not as decided, the first since {since}.", figures.routing_behind);
        findings.push(Finding::wrong(
            "routing",
            what,
            "See the line about gateways; a gateway that is gone for good is removed.",
        ));
    }
    or_ok(findings, "routing", || "The traffic of all instances is as decided.".to_owned())
}

fn messages(figures: &Figures) -> Vec<Finding> {
    let mut findings = Vec::new();
    if figures.outbox_oldest > MESSAGE_WARNING {
        let what = format!("A message has waited for {}.", span(whole(figures.outbox_oldest)));
        findings.push(Finding::warning("messages", what, "See the line about mail: the mail server does not take it."));
    }
    if figures.outbox_given_up > 0 {
        let what = format!("{} messages were given up within 30 days.", figures.outbox_given_up);
        findings.push(Finding::warning("messages", what, "The logs of the workers have each, with the reason."));
    }
    or_ok(findings, "messages", || format!("{} messages are to be sent.", figures.outbox_waiting))
}

fn total(counts: &Value) -> i64 {
    counts.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_i64()).sum()
}

fn whole(seconds: f64) -> i64 {
    seconds as i64
}
