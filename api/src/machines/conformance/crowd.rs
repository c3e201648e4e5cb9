//! Checks of several machines, and of operations that overlap or are cut off.

use std::collections::BTreeSet;
use std::time::Instant;

use futures::future::{join, join_all};
use shared_types::ServerId;

use super::bench::{Bench, Plan, reference};
use super::life::same;
use crate::machines::provider::Machine;

/// How many machines are made at the same time.
const AT_ONCE: usize = 4;
/// How many creates are cut off, each at another point of its time.
const CUTS: u32 = 4;

pub(super) async fn list_exactly(bench: &Bench<'_>) -> Result<(), String> {
    let plans = [bench.plan()?, bench.plan()?, bench.plan()?];
    check_list(bench, &[]).await?;
    for plan in &plans {
        bench.create(plan).await?;
    }
    check_list(bench, &plans.iter().collect::<Vec<_>>()).await?;
    let [first, second, third] = &plans;
    bench.terminate(&reference(second.id())).await?;
    check_list(bench, &[first, third]).await
}

/// Whether exactly these machines are listed, each once, as find gives them.
async fn check_list(bench: &Bench<'_>, plans: &[&Plan]) -> Result<(), String> {
    let listed = bench.list().await?;
    let wanted: BTreeSet<ServerId> = plans.iter().map(|plan| plan.id()).collect();
    let seen: BTreeSet<ServerId> = listed.iter().map(|(id, _)| *id).collect();
    if let Some(id) = wanted.difference(&seen).next() {
        return Err(format!("list lacks server {id}; it has {} of {} machines.", listed.len(), wanted.len()));
    }
    if let Some(id) = seen.difference(&wanted).next() {
        return Err(format!("list has server {id}, which was not created or is gone."));
    }
    if listed.len() != seen.len() {
        return Err("list has a server twice.".to_owned());
    }
    for (id, machine) in &listed {
        same(*id, "list", machine, "find", &bench.find_made(*id).await?)?;
    }
    Ok(())
}

pub(super) async fn lost_answer(bench: &Bench<'_>) -> Result<(), String> {
    let whole = bench.plan()?;
    let begun = Instant::now();
    bench.create(&whole).await?;
    let took = begun.elapsed();
    let mut plans = vec![whole];
    for cut in 0..CUTS {
        let plan = bench.plan()?;
        bench.create_and_drop(&plan, took * cut / CUTS).await;
        // Half of them go on as a manager does that has been restarted: it looks first.
        let found = if cut % 2 == 0 { None } else { bench.find(&reference(plan.id())).await? };
        if found.is_none() {
            bench.create(&plan).await.map_err(|words| format!("After a create that was cut off, {words}"))?;
        }
        plans.push(plan);
    }
    for plan in &plans {
        bench
            .wait_until_active(plan.id())
            .await
            .map_err(|words| format!("After a create that was cut off: {words}"))?;
    }
    check_list(bench, &plans.iter().collect::<Vec<_>>()).await
}

pub(super) async fn several_at_once(bench: &Bench<'_>) -> Result<(), String> {
    let plans = (0..AT_ONCE).map(|_| bench.plan()).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = plans.first() else { return Ok(()) };
    // The first one twice, at the same time.
    let creates = plans.iter().chain([first]).map(async |plan| (plan.id(), bench.create(plan).await));
    let made = join_all(creates).await.into_iter().map(|(id, machine)| Ok((id, machine?)));
    let made = made.collect::<Result<Vec<(ServerId, Machine)>, String>>()?;
    if let (Some((id, one)), Some((_, other))) = (made.first(), made.last()) {
        same(*id, "one create", one, "another at the same time", other)?;
    }
    let provider_ids: BTreeSet<&str> = made.iter().map(|(_, machine)| machine.provider_id.as_str()).collect();
    if provider_ids.len() != plans.len() {
        return Err(format!("{} servers share {} machines.", plans.len(), provider_ids.len()));
    }
    check_list(bench, &plans.iter().collect::<Vec<_>>()).await?;
    let mut addresses = BTreeSet::new();
    for plan in &plans {
        let (_, endpoint) = bench.wait_until_active(plan.id()).await?;
        if !addresses.insert(endpoint.ssh) {
            return Err(format!("Two machines have the address {} for SSH.", endpoint.ssh));
        }
    }
    Ok(())
}

pub(super) async fn reads_in_time(bench: &Bench<'_>) -> Result<(), String> {
    let first = bench.plan()?;
    bench.create(&first).await?;
    let others = (1..AT_ONCE).map(|_| bench.plan()).collect::<Result<Vec<_>, _>>()?;
    let creates = join_all(others.iter().map(|plan| bench.create(plan)));
    let reads = async {
        for _ in 0..AT_ONCE {
            bench.find_made(first.id()).await?;
            bench.list().await?;
        }
        Ok::<_, String>(())
    };
    // Each read has its own time limit.
    let (created, reads) = join(creates, reads).await;
    reads?;
    created.into_iter().collect::<Result<Vec<_>, _>>().map(drop)
}
