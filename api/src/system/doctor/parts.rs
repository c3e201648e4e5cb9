//! What `GET /system` knows: its parts, gateways, walls; and machines and names.

use chrono::{DateTime, Utc};
use shared_types::gateway::{Gateway, GatewayState};
use shared_types::system::{OpenedWall, SandboxLevel, SandboxState, SystemCheck, SystemPart};

use super::{Finding, count, or_ok, span};
use crate::instances::store::names::NameRow;

/// Provider and database are compared once a minute; after this time, in seconds, nothing compares them.
const COMPARED_WARNING: i64 = 300;

/// The parts that have no line of their own elsewhere. `has_agents`: gateways have lines of their own.
pub fn parts(checks: &[SystemCheck], has_agents: bool) -> Vec<Finding> {
    let checks = checks.iter().filter(|check| !(has_agents && check.name == SystemPart::Gateway));
    checks.filter_map(part).collect()
}

fn part(check: &SystemCheck) -> Option<Finding> {
    let (name, remedy) = match check.name {
        SystemPart::Database => ("database", "Look at Postgres, at its disk, and at DATABASE_URL."),
        SystemPart::Mail => ("mail", "Look at EMAIL_HOST, EMAIL_PORT, and the credentials."),
        SystemPart::Github => {
            ("github", "Look at the credentials for GitHub and at the names of repositories (docs/pull-requests.md).")
        }
        SystemPart::Dns => ("dns", "Look at the credentials of the DNS (docs/dns.md)."),
        SystemPart::Databases => {
            ("databases", "Look at that server, and at its table [resources.NAME] in the settings file.")
        }
        SystemPart::Checks => {
            ("checks", "Look whether a process that sees to visitors runs, and whether the gateway answers.")
        }
        SystemPart::Gateway => ("gateway", "Look at HAProxy, and at `ocim server` or `ocim gateway`."),
        // Others have a line of their own: machines, workers, keys; a provider of sign-in is not asked.
        SystemPart::Provider | SystemPart::Worker | SystemPart::SecretKeys | SystemPart::Oidc => return None,
    };
    Some(match check.is_ok {
        Some(false) => {
            let error = check.last_error.as_deref().unwrap_or("no reason is known");
            Finding::wrong(name, format!("{}: {error}.", capital(&check.detail)), remedy)
        }
        Some(true) | None => Finding::ok(name, format!("{}.", capital(&check.detail))),
    })
}

/// The text with a capital at the beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The gateways with an agent. `has_agents`: the setting OCIM_GATEWAY_AGENTS.
pub fn gateways(gateways: &[Gateway], has_agents: bool) -> Vec<Finding> {
    if gateways.is_empty() {
        return match has_agents {
            true => {
                let remedy = "`ocim admin add-gateway NAME`, and `ocim gateway` on its host (docs/gateways.md).";
                vec![Finding::wrong("gateways", "There is no gateway, so no visitor reaches an instance.", remedy)]
            }
            false => vec![Finding::ok("gateways", "The server runs the gateway itself.")],
        };
    }
    let finding = |gateway: &Gateway| {
        let name = &gateway.name;
        match gateway.state {
            GatewayState::Ready => None,
            GatewayState::New => Some(Finding::warning(
                "gateways",
                format!("The agent of {name} has never asked."),
                format!("Start `ocim gateway` on its host with its token, or run `ocim admin remove-gateway {name}`."),
            )),
            GatewayState::Late => Some(Finding::warning(
                "gateways",
                format!("{name} does not have all routes yet."),
                "If it stays so, look at the log of `ocim gateway` there.",
            )),
            GatewayState::Failing => Some(Finding::wrong(
                "gateways",
                format!("At {name}, {}.", gateway.error.as_deref().unwrap_or("HAProxy fails")),
                "Look at HAProxy and its log on that host.",
            )),
            GatewayState::Silent => {
                let since = gateway.seen_at.map(|at| (Utc::now() - at).num_seconds()).unwrap_or_default();
                Some(Finding::wrong(
                    "gateways",
                    format!(
                        "The agent of {name} has not asked for {}; its HAProxy serves the routes of then.",
                        span(since)
                    ),
                    format!(
                        "Start `ocim gateway` there; if it is gone for good, run `ocim admin remove-gateway {name}`."
                    ),
                ))
            }
        }
    };
    or_ok(gateways.iter().filter_map(finding).collect(), "gateways", || {
        format!("{} have all routes.", count(gateways.len(), "gateway"))
    })
}

/// The sandbox around playbooks on this host, and settings that open walls.
pub fn walls(sandbox: Option<&SandboxState>, opened: &[OpenedWall]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(SandboxState { level, protections }) = sandbox {
        let lost = protections.iter().filter(|wall| !wall.is_active);
        let lost: Vec<_> = lost.map(|wall| format!("{}: {}", wall.name, wall.detail)).collect();
        let lost = lost.join("; ");
        let remedy = "docs/sandbox.md says what each protection needs. The sandbox of other hosts is judged there.";
        match level {
            SandboxLevel::Full => {}
            SandboxLevel::Partial => findings.push(Finding::warning(
                "walls",
                format!("Some protections of playbooks do not work here: {lost}."),
                remedy,
            )),
            SandboxLevel::Missing => findings.push(Finding::wrong(
                "walls",
                format!("This host has no sandbox for playbooks, so no build begins here: {lost}."),
                remedy,
            )),
            SandboxLevel::Off => {
                findings.push(Finding::warning("walls", "OCIM_SANDBOX=none: playbooks run without any wall.", remedy))
            }
        }
    }
    for OpenedWall { setting, effect } in opened {
        findings.push(Finding::warning(
            "walls",
            format!("{setting}: {effect}"),
            "Keep it only if that is meant (docs/security.md).",
        ));
    }
    or_ok(findings, "walls", || match sandbox {
        Some(_) => "All protections of playbooks work here, and no setting opens a wall.".to_owned(),
        None => "No foreign code runs, and no setting opens a wall.".to_owned(),
    })
}

/// When provider and database were last compared, and why they could not be.
pub fn machines(compared_at: Option<DateTime<Utc>>, note: Option<&str>, now: DateTime<Utc>) -> Finding {
    if let Some(note) = note {
        let remedy = "Look at that provider and at its credentials; machines are left as they are meanwhile.";
        return Finding::wrong("machines", format!("Machines and records cannot be compared: {note}."), remedy);
    }
    match compared_at.map(|at| (now - at).num_seconds()) {
        Some(age) if age <= COMPARED_WARNING => {
            Finding::ok("machines", format!("Providers answer; machines and records were compared {} ago.", span(age)))
        }
        Some(age) => {
            let what = format!("Machines and records were last compared {} ago.", span(age));
            Finding::warning("machines", what, "A worker does that each minute: see the line about workers.")
        }
        None => {
            Finding::warning("machines", "Machines and records were never compared.", "A worker does that each minute.")
        }
    }
}

/// Whether the host name of OCIM_PUBLIC_URL has an address. `resolved`: its number of addresses, or why there is none.
pub fn public_name(name: Option<&str>, resolved: Option<&Result<usize, String>>) -> Finding {
    match (name, resolved) {
        (Some(name), Some(Ok(addresses @ 1..))) => {
            Finding::ok("public_url", format!("{name} has {addresses} addresses."))
        }
        (Some(name), Some(error)) => {
            let why = error.as_ref().err().map_or("it has no address", String::as_str);
            let remedy = "Set the name in the DNS, or another OCIM_PUBLIC_URL: browsers and sign-in use it.";
            Finding::wrong("public_url", format!("{name} of OCIM_PUBLIC_URL cannot be resolved: {why}."), remedy)
        }
        (Some(name), None) => Finding::ok("public_url", format!("{name} is an address.")),
        (None, _) => Finding::ok("public_url", "OCIM_PUBLIC_URL is unset; browsers use the listening address."),
    }
}

/// Host names of instances that do not point at the gateways, at most `most` of them. `is_watched`: the settings say where
/// they are to point.
pub fn names(wrong: &[NameRow], most: usize, is_watched: bool) -> Vec<Finding> {
    if !is_watched {
        return vec![Finding::ok("names", "Host names are not checked: OCIM_GATEWAY_ADDRESSES is unset.")];
    }
    let mut findings: Vec<_> = wrong
        .iter()
        .take(most)
        .map(|row| {
            let error = row
                .last_error
                .as_deref()
                .map(|error| format!(" Its records could not be written: {error}."))
                .unwrap_or_default();
            let what = format!("{}: {}{error}", row.hostname, row.words);
            Finding::warning("names", what, "The card “Names in the DNS” of the instance has the records.")
        })
        .collect();
    if wrong.len() > most {
        findings.push(Finding::warning(
            "names",
            "More names do not point at the gateways.",
            "Look at those that are named first.",
        ));
    }
    or_ok(findings, "names", || "The host names of all instances point at the gateways.".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use chrono::TimeDelta;
    use shared_types::system::Protection;

    use super::super::Level;
    use super::*;

    fn gateway(name: &str, state: GatewayState) -> Gateway {
        Gateway {
            name: name.to_owned(),
            state,
            hostname: None,
            version: None,
            seen_at: Some(Utc::now() - TimeDelta::minutes(5)),
            revision: 1,
            error: Some("HAProxy does not answer".to_owned()),
            created_at: Utc::now(),
            created_by: "root".to_owned(),
        }
    }

    #[test]
    fn each_state_of_a_gateway_has_its_level() {
        let of = |state| gateways(&[gateway("one", state), gateway("two", GatewayState::Ready)], true);
        for (state, level, words) in [
            (GatewayState::New, Level::Warning, "The agent of one has never asked."),
            (GatewayState::Late, Level::Warning, "one does not have all routes yet."),
            (GatewayState::Failing, Level::Wrong, "At one, HAProxy does not answer."),
            (
                GatewayState::Silent,
                Level::Wrong,
                "The agent of one has not asked for 5 min; its HAProxy serves the routes of then.",
            ),
        ] {
            let found = of(state);
            assert_eq!((found.len(), found[0].level, found[0].what.as_str()), (1, level, words));
        }
        assert_eq!(of(GatewayState::Ready)[0].what, "2 gateways have all routes.");
        assert_eq!((gateways(&[], true)[0].level, gateways(&[], false)[0].level), (Level::Wrong, Level::Ok));
    }

    #[test]
    fn walls_that_are_missing_or_opened_are_named() {
        let state = |level, is_active| SandboxState {
            level,
            protections: vec![Protection { name: "network".into(), is_active, detail: "pasta is missing".into() }],
        };
        let level = |level, is_active| walls(Some(&state(level, is_active)), &[])[0].level;
        assert_eq!(level(SandboxLevel::Full, true), Level::Ok);
        assert_eq!(level(SandboxLevel::Partial, false), Level::Warning);
        assert_eq!(level(SandboxLevel::Off, false), Level::Warning);
        let found = walls(Some(&state(SandboxLevel::Missing, false)), &[]);
        assert!(found[0].level == Level::Wrong && found[0].what.contains("network: pasta is missing"), "{found:?}");
        let opened = OpenedWall { setting: "OCIM_ADDRESS_RATE".into(), effect: "Any number is answered.".into() };
        assert_eq!(walls(None, &[opened])[0].what, "OCIM_ADDRESS_RATE: Any number is answered.");
    }

    #[test]
    fn machines_must_be_compared_each_minute() {
        let now = Utc::now();
        let ago = |seconds| Some(now - TimeDelta::seconds(seconds));
        assert_eq!(machines(ago(60), None, now).level, Level::Ok);
        assert_eq!(machines(ago(301), None, now).level, Level::Warning);
        assert_eq!(machines(None, None, now).level, Level::Warning);
        assert_eq!(machines(ago(1), Some("the cloud does not answer"), now).level, Level::Wrong);
    }

    #[test]
    fn a_public_name_needs_an_address() {
        let of = |resolved: Result<usize, String>| public_name(Some("ocim.example"), Some(&resolved)).level;
        assert_eq!((of(Ok(2)), of(Ok(0)), of(Err("no such name".into()))), (Level::Ok, Level::Wrong, Level::Wrong));
        assert_eq!((public_name(None, None).level, public_name(Some("192.0.2.1"), None).level), (Level::Ok, Level::Ok));
    }
}
