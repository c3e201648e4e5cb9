//! Deployments and statuses for each state of a pull request, as a table.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use serde_json::{Value, json};
use shared_types::FieldWarning;
use shared_types::pull_request::{Approval, PullRequestState};

use super::comment::{Names, Site, comment};
use super::standing::{Instance, Standing};
use super::{GIVE_UP, LONGEST_PAUSE, ended, pause, plan};
use crate::pull_requests::github::CommitState::{Failure as Bad, Pending, Success as Good};
use crate::pull_requests::github::DeploymentState::{Failure, InProgress, Inactive, Queued, Success};

const OLD: &str = "0000000000000000000000000000000000000001";
const NEW: &str = "0000000000000000000000000000000000000002";

fn build<'a>(id: i64, commit: impl Into<Option<&'a str>>, status: &str) -> Value {
    json!({
        "id": id, "name": format!("AppServer {id}"), "status": status, "commit": commit.into(),
        "failure": (status == "failed").then_some("lms : migrate: no `table` @all"),
        "failed_step": (status == "failed").then_some("playbooks"),
        "is_begun": true, "is_to_be_activated": false,
    })
}

fn with(mut build: Value, name: &str, value: bool) -> Value {
    build[name] = value.into();
    build
}

fn standing(active: Option<i64>, builds: &[Value]) -> Standing {
    let instance: Instance = serde_json::from_value(json!({
        "id": 3, "is_archived": false, "active": active, "has_traffic": active.is_some(), "machines": 0, "builds": builds,
    }))
    .unwrap();
    Standing {
        state: PullRequestState::Open,
        commit: NEW.into(),
        approval: Approval::NotNeeded,
        settings_trouble: None,
        warnings: vec![],
        trouble: None,
        instance: Some(instance),
    }
}

fn bare(approval: Approval) -> Standing {
    Standing { approval, instance: None, ..standing(None, &[]) }
}

#[test]
fn deployments_and_statuses_follow_from_the_builds() {
    let queued = with(build(1, NEW, "new"), "is_begun", false);
    let soon = with(build(2, NEW, "running"), "is_to_be_activated", true);
    let old = build(1, OLD, "running");
    let mut unrouted = standing(Some(1), std::slice::from_ref(&old));
    unrouted.instance.as_mut().unwrap().has_traffic = false;
    let table = [
        (standing(None, &[]), vec![], vec![]),
        (standing(None, &[queued]), vec![(NEW, Queued)], vec![(NEW, Pending)]),
        (standing(None, &[build(1, NEW, "waiting")]), vec![(NEW, InProgress)], vec![(NEW, Pending)]),
        (unrouted, vec![(OLD, InProgress)], vec![(OLD, Pending)]),
        (standing(Some(1), std::slice::from_ref(&old)), vec![(OLD, Success)], vec![(OLD, Good)]),
        (
            standing(Some(1), &[old.clone(), build(2, NEW, "configuring")]),
            vec![(OLD, Success), (NEW, InProgress)],
            vec![(NEW, Pending), (OLD, Good)],
        ),
        (
            standing(Some(1), &[old.clone(), soon]),
            vec![(OLD, Success), (NEW, InProgress)],
            vec![(OLD, Good), (NEW, Pending)],
        ),
        (
            standing(Some(1), &[old.clone(), build(2, NEW, "failed")]),
            vec![(OLD, Success), (NEW, Failure)],
            vec![(NEW, Bad), (OLD, Good)],
        ),
        (
            standing(Some(1), &[old.clone(), build(2, NEW, "stopped")]),
            vec![(OLD, Success), (NEW, Inactive)],
            vec![(OLD, Good), (NEW, Bad)],
        ),
        // One commit, launched twice: the active app server decides the deployment, the newest build the status.
        (standing(Some(1), &[old.clone(), build(2, OLD, "failed")]), vec![(OLD, Success)], vec![(OLD, Bad)]),
        (standing(Some(1), &[old.clone(), build(2, OLD, "stopped")]), vec![(OLD, Success)], vec![(OLD, Good)]),
        (standing(None, &[build(1, NEW, "terminated")]), vec![(NEW, Inactive)], vec![(NEW, Pending)]),
        // One commit runs on two app servers, and one of them has the traffic.
        (standing(Some(1), &[old.clone(), build(2, OLD, "running")]), vec![(OLD, Success)], vec![(OLD, Good)]),
        (standing(Some(1), &[old.clone(), build(2, OLD, "new")]), vec![(OLD, Success)], vec![(OLD, Pending)]),
        // Rolled back: the newest app server has no traffic.
        (
            standing(Some(1), &[old.clone(), build(2, NEW, "running")]),
            vec![(OLD, Success), (NEW, Inactive)],
            vec![(OLD, Good), (NEW, Pending)],
        ),
        (standing(None, &[build(1, NEW, "running")]), vec![(NEW, Inactive)], vec![(NEW, Pending)]),
        // An unknown commit gets no report.
        (standing(Some(1), &[build(1, None, "running")]), vec![], vec![]),
        (standing(Some(1), &[old.clone(), build(2, None, "failed")]), vec![(OLD, Success)], vec![(OLD, Good)]),
    ];
    for (standing, deployments, statuses) in table {
        let planned: Vec<_> = plan::deployments(&standing).into_iter().map(|one| (one.commit, one.state)).collect();
        let planned: Vec<_> = planned.iter().map(|(commit, state)| (commit.as_str(), *state)).collect();
        assert_eq!(planned, deployments, "{standing:#?}");
        let planned: Vec<_> = plan::statuses(&standing).into_iter().map(|one| (one.commit, one.state)).collect();
        let planned: Vec<_> = planned.iter().map(|(commit, state)| (commit.as_str(), *state)).collect();
        assert_eq!(planned, statuses, "{standing:#?}");
    }
}

#[test]
fn nothing_is_deployed_of_what_is_archived() {
    let mut archived = standing(None, &[build(1, NEW, "terminated")]);
    archived.instance.as_mut().unwrap().is_archived = true;
    assert!(plan::deployments(&archived).is_empty() && plan::statuses(&archived).is_empty());
}

fn said(standing: &Standing, is_there: bool) -> String {
    let site = |label: &str, url: &str| Site { label: label.to_owned(), url: url.to_owned() };
    let sites = [site("LMS", "http://pr1.example/"), site("Studio", "http://studio.pr1.example/")];
    let names = Names { marker: "<!-- ocim 1 -->", sites: &sites, public_url: Some("https://ocim.example") };
    comment(standing, &names, is_there).unwrap_or_default()
}

#[test]
fn a_comment_says_how_it_stands() {
    let text = said(&standing(Some(1), &[build(1, OLD, "running"), build(2, NEW, "failed")]), false);
    assert_eq!(
        text,
        format!(
            "<!-- ocim 1 -->\n### Sandbox of this pull request\n\n\
             **AppServer 2** could not be built, with commit {NEW}: it failed at the step «Playbooks».\n\n\
             ```text\nlms : migrate: no `table` @all\n```\n\n\
             AppServer 1 has the traffic, with commit {OLD}.\n\n\
             | | |\n| --- | --- |\n| LMS | http://pr1.example/ |\n| Studio | http://studio.pr1.example/ |\n\
             | Build | [AppServer 2](https://ocim.example/instances/3/app-servers/2) |\n\n"
        )
    );
    let behind = said(&standing(Some(1), &[build(1, OLD, "running")]), false);
    assert!(
        behind.contains(&format!("**Commit {NEW}, the head of the pull request, does not run here.**")),
        "{behind}"
    );
    let other = said(&standing(Some(1), &[build(1, None, "running")]), false);
    assert!(other.contains("has the traffic, with code that the settings of the instance choose"), "{other}");
    assert!(other.contains("the head of the pull request, does not run here"), "{other}");
    let head = said(&standing(Some(1), &[build(1, NEW, "running"), build(2, OLD, "failed")]), false);
    assert!(!head.contains("does not run here"), "{head}");
}

#[test]
fn a_comment_shows_the_advice_about_the_settings() {
    let advice = |line, detail: &str| FieldWarning { pointer: "/extra_settings".into(), line, detail: detail.into() };
    let warnings = vec![advice(Some(3), "This heading is almost **Settings**."), advice(None, "```\n@all")];
    let text = said(&Standing { warnings, ..standing(Some(1), &[build(1, NEW, "running")]) }, false);
    let expected = "About the settings in its description:\n\n````text\nline 3: This heading is almost **Settings**.\n```\n@all\n````\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn without_an_instance_only_needed_actions_are_reported() {
    assert_eq!(said(&bare(Approval::NotNeeded), false), "");
    assert_eq!(said(&bare(Approval::Ignored), false), "");
    let trouble = Standing { trouble: Some("the domain is taken".into()), ..bare(Approval::NotNeeded) };
    assert_eq!(said(&trouble, false), "");
    assert!(said(&bare(Approval::Needed), false).contains("waits for approval by an operator"));
    let settings = Standing { settings_trouble: Some("line 2: `a` @all".into()), ..bare(Approval::NotNeeded) };
    assert!(said(&settings, false).contains("```text\nline 2: `a` @all\n```"));
    let closed = Standing { state: PullRequestState::Closed, ..bare(Approval::Needed) };
    assert_eq!(said(&closed, false), "");
    assert!(said(&closed, true).contains("It is closed; there was no instance of it."));
    assert!(said(&bare(Approval::Ignored), true).contains("is not built"));
}

#[test]
fn torn_down_is_said_once_the_machines_are_gone() {
    let mut over = Standing { state: PullRequestState::Merged, ..standing(Some(1), &[build(1, NEW, "running")]) };
    assert!(said(&over, false).contains("will be torn down"));
    assert!(!over.is_at_rest());
    let instance = over.instance.as_mut().unwrap();
    (instance.is_archived, instance.machines, instance.active) = (true, 1, None);
    let text = said(&over, false);
    assert!(text.contains("is being torn down") && !text.contains("gone") && !text.contains("http"), "{text}");
    assert!(!over.is_at_rest());
    over.instance.as_mut().unwrap().machines = 0;
    assert!(said(&over, true).contains("is torn down; its machines are verified gone"));
    assert!(over.is_at_rest());
    assert_eq!(said(&over, false), "", "who was told nothing is not told of the end");
}

#[test]
fn no_comment_is_longer_than_github_takes() {
    let mut long = standing(None, &[build(1, NEW, "failed")]);
    (long.trouble, long.settings_trouble) = (Some("é".repeat(100_000)), Some("`".repeat(100_000)));
    long.instance.as_mut().unwrap().builds[0].failure = Some("`".repeat(100_000));
    let text = said(&long, false);
    assert!(text.chars().count() <= 60_000, "{}", text.chars().count());
}

#[test]
fn what_github_refuses_is_tried_again_less_and_less_often() {
    let pauses: Vec<_> = (1..=8).map(pause).collect();
    assert_eq!(pauses, [60, 120, 240, 480, 960, 1920, 3600, LONGEST_PAUSE]);
    assert_eq!(pause(i32::MAX), LONGEST_PAUSE);
    let troubles = ["GitHub says no".to_owned()];
    let live = standing(None, &[]);
    let told = ended("x".into(), &live, GIVE_UP * 9, &troubles);
    assert_eq!((told.is_settled, told.again_in), (false, Some(LONGEST_PAUSE)), "as long as there is an instance");
    let told = ended("x".into(), &bare(Approval::Needed), GIVE_UP - 1, &troubles);
    assert_eq!((told.is_settled, told.again_in, told.tries), (true, None, GIVE_UP), "what is over is left alone");
    let told = ended("x".into(), &live, 5, &[]);
    assert_eq!((told.trouble, told.tries, told.again_in), (None, 0, None));
}
