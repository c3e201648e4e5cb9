//! Webhooks get lost, duplicated and reordered: after one sweep the instances are in the state that GitHub has.

use std::collections::HashMap;

use ocim::config::OnCommit;
use serde_json::{Value, json};

use super::{FORK, Story, settings};
use crate::app::github::{Delivery, PullSpec};
use crate::app::until;

const PULLS: usize = 40;
const CHANGES: usize = 300;

/// The expected state of a pull request.
#[derive(Clone)]
struct Wanted {
    is_open: bool,
    extra: String,
}

#[tokio::test]
async fn one_sweep_repairs_lost_duplicated_and_reordered_webhooks() {
    let seed = std::env::var("OCIM_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut random = Random(seed.unwrap_or_else(|| getrandom::u64().unwrap()));
    println!("OCIM_SEED={}", random.0);
    let story = Story::with(|settings| {
        settings.watch.watch_on_commit = OnCommit::Update;
        // The fake's clock is behind, so closed pull requests would otherwise be archived at once.
        settings.watch.watch_archive_minutes = 600;
    })
    .await;
    let mut wanted: HashMap<i32, Wanted> = HashMap::new();
    let mut waiting: Vec<Delivery> = Vec::new();
    for change in 0..CHANGES {
        let (number, action) = step(&story, &mut random, &mut wanted, change);
        let delivery = story.github.payload(FORK, number, action);
        // Half of the webhooks are lost, half of the others are duplicated.
        if random.below(2) == 0 {
            if random.below(2) == 0 {
                waiting.push(delivery.clone());
            }
            waiting.push(delivery);
        }
        if waiting.len() >= 10 {
            random.shuffle(&mut waiting);
            for delivery in waiting.drain(..1 + random.below(9)) {
                assert_eq!(story.deliver(&delivery).await.status, 200);
            }
        }
    }
    random.shuffle(&mut waiting);
    for delivery in waiting {
        assert_eq!(story.deliver(&delivery).await.status, 200);
    }
    story.sweep().await;
    check(&story, &wanted).await;
    story.end().await;
}

/// A pseudo-random generator with a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// One random change at GitHub; gives the pull request and the webhook's action.
fn step(story: &Story, random: &mut Random, wanted: &mut HashMap<i32, Wanted>, change: usize) -> (i32, &'static str) {
    let github = &story.github;
    if wanted.len() < PULLS && (wanted.is_empty() || random.below(10) < 3) {
        let extra = format!("A: {change}");
        let number = github.open_pull(FORK, PullSpec { body: settings(&extra), ..PullSpec::default() });
        wanted.insert(number, Wanted { is_open: true, extra });
        return (number, "opened");
    }
    let mut numbers: Vec<i32> = wanted.keys().copied().collect();
    numbers.sort_unstable();
    let number = numbers[random.below(numbers.len())];
    let one = wanted.get_mut(&number).unwrap();
    match random.below(5) {
        0 => {
            github.push(FORK, number);
            (number, "synchronize")
        }
        1 => {
            github.force_push(FORK, number);
            (number, "synchronize")
        }
        2 => {
            one.extra = format!("A: {change}");
            github.edit_body(FORK, number, &settings(&one.extra));
            (number, "edited")
        }
        _ if one.is_open => {
            one.is_open = false;
            github.close(FORK, number);
            (number, "closed")
        }
        _ => {
            one.is_open = true;
            github.reopen(FORK, number);
            (number, "reopened")
        }
    }
}

async fn check(story: &Story, wanted: &HashMap<i32, Wanted>) {
    let mut with_instance = 0;
    for (&number, wanted) in wanted {
        let Some(read) = story.find(number).await else {
            assert!(!wanted.is_open, "{number} is open and not known");
            continue;
        };
        let state = if wanted.is_open { "open" } else { "closed" };
        assert_eq!(read["state"], state, "{number}");
        assert_eq!(read["head_commit"], json!(story.github.head(FORK, number)), "{number}");
        assert_eq!(read["trouble"], Value::Null, "{number}");
        assert_eq!(read["archives_at"].is_null(), wanted.is_open || read["instance"].is_null(), "{number}: {read:#}");
        if !wanted.is_open {
            continue;
        }
        with_instance += 1;
        let instance = story.whole(number).await;
        assert_eq!(instance["edx_platform_commit"], read["head_commit"], "{number}");
        assert_eq!(instance["configuration_extra_settings"], json!(format!("{}\n", wanted.extra)), "{number}");
        assert_eq!(story.launches(instance["id"].as_i64().unwrap()).await, 1, "{number}: launched once");
    }
    let twice = "SELECT count(*) - count(DISTINCT domain) AS n FROM instances";
    assert_eq!(story.app.number(twice).await, 0, "an instance each");
    let building = "SELECT count(*) AS n FROM app_servers WHERE status IN ('new', 'waiting', 'configuring')";
    until("all builds have ended", async || story.app.number(building).await == 0).await;
    println!("{} pull requests, {with_instance} open, each as GitHub says", wanted.len());
}
