//! Checks of one machine: created, found, logged in to, rebooted, terminated.

use shared_types::ServerId;

use super::bench::{Bench, reference};
use crate::machines::provider::{Machine, MachineRef};

pub(super) fn offers(bench: &Bench<'_>) -> Result<(), String> {
    let offer = bench.subject.provider.offers();
    for (what, value) in [("memory_mb", offer.memory_mb), ("disk_gb", offer.disk_gb)] {
        if value == Some(0) {
            return Err(format!("The offers say {what} 0: no application fits on such a machine."));
        }
    }
    let user = bench.subject.provider.ssh_user();
    let is_name = user.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && user.len() <= 32
        && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if is_name { Ok(()) } else { Err("The user for SSH is no name of a user.".to_owned()) }
}

pub(super) async fn create_then_find(bench: &Bench<'_>) -> Result<(), String> {
    let plan = bench.plan()?;
    let made = bench.create(&plan).await?;
    let found = bench.find_made(plan.id()).await?;
    same(plan.id(), "create", &made, "find", &found)?;
    let known = MachineRef { server_id: plan.id(), provider_id: Some(made.provider_id.clone()) };
    let found = bench.find(&known).await?;
    let found = found.ok_or("find does not find the machine when it gets the provider's id, too.")?;
    same(plan.id(), "create", &made, "find by the provider's id, too,", &found)?;
    let (active, _) = bench.wait_until_active(plan.id()).await?;
    same(plan.id(), "create", &made, "find later", &active)
}

pub(super) async fn create_twice(bench: &Bench<'_>) -> Result<(), String> {
    let plan = bench.plan()?;
    let first = bench.create(&plan).await?;
    let second = bench.create(&plan).await?;
    same(plan.id(), "create", &first, "the second create", &second)?;
    bench.wait_until_active(plan.id()).await?;
    let third = bench.create(&plan).await?;
    same(plan.id(), "create", &first, "a create of an active machine", &third)?;
    let listed = bench.list().await?.into_iter().filter(|(id, _)| *id == plan.id()).count();
    if listed == 1 { Ok(()) } else { Err(format!("After three creates of server {}, {listed} are listed.", plan.id())) }
}

pub(super) async fn find_unknown(bench: &Bench<'_>) -> Result<(), String> {
    let (plan, unknown) = (bench.plan()?, bench.plan()?);
    if bench.find(&reference(unknown.id())).await?.is_some() {
        return Err(format!("find finds server {}, which was never created.", unknown.id()));
    }
    let other = bench.create(&plan).await?;
    let beside = MachineRef { server_id: unknown.id(), provider_id: Some(other.provider_id) };
    if bench.find(&beside).await?.is_some() {
        let (unknown, plan) = (unknown.id(), plan.id());
        return Err(format!("find gives server {plan}'s machine for server {unknown}: the server id decides."));
    }
    let never = MachineRef { server_id: plan.id(), provider_id: Some("ocim-check-no-such-id".to_owned()) };
    match bench.find(&never).await? {
        Some(_) => Ok(()),
        None => Err("find relies on the provider's id, which may be out of date: the server id decides.".to_owned()),
    }
}

pub(super) async fn lets_in_its_key(bench: &Bench<'_>) -> Result<(), String> {
    let Some(probe) = bench.subject.probe else { return Ok(()) };
    let (plan, other) = (bench.plan()?, bench.plan()?);
    bench.create(&plan).await?;
    let (machine, endpoint) = bench.wait_until_active(plan.id()).await?;
    let login = bench.login(&machine, endpoint, &plan.key);
    bench.wait_for_boot(probe, &login, None).await?;
    if probe.boot_marker(&bench.login(&machine, endpoint, &other.key)).await.is_ok() {
        return Err(format!("Server {} lets in a key that it was not given.", plan.id()));
    }
    // Needs sudo, as Ansible does.
    probe.replace_key(&login, &other.key).await.map_err(|words| format!("The key could not be replaced: {words}."))
}

pub(super) async fn reboot(bench: &Bench<'_>) -> Result<(), String> {
    let plan = bench.plan()?;
    bench.create(&plan).await?;
    let (machine, endpoint) = bench.wait_until_active(plan.id()).await?;
    let login = bench.login(&machine, endpoint, &plan.key);
    let before = match bench.subject.probe {
        Some(probe) => Some(bench.wait_for_boot(probe, &login, None).await?),
        None => None,
    };
    bench.reboot(&reference(plan.id())).await?;
    let (after, new_endpoint) = bench.wait_until_active(plan.id()).await?;
    same(plan.id(), "create", &machine, "find after a reboot", &after)?;
    if new_endpoint != endpoint {
        return Err(format!("Server {} has other addresses after a reboot.", plan.id()));
    }
    if let (Some(probe), Some(before)) = (bench.subject.probe, before) {
        bench.wait_for_boot(probe, &login, Some(&before)).await?;
    }
    Ok(())
}

pub(super) async fn reboot_missing(bench: &Bench<'_>) -> Result<(), String> {
    let plan = bench.plan()?;
    let limit = bench.subject.limits.change;
    match tokio::time::timeout(limit, bench.subject.provider.reboot(&reference(plan.id()))).await {
        Ok(Err(_)) => Ok(()),
        Ok(Ok(())) => Err(format!("reboot of server {} succeeds, although it has no machine.", plan.id())),
        Err(_elapsed) => Err("reboot of a machine that does not exist does not end in time.".to_owned()),
    }
}

pub(super) async fn terminate_gone(bench: &Bench<'_>) -> Result<(), String> {
    let plan = bench.plan()?;
    let made = bench.create(&plan).await?;
    bench.wait_until_active(plan.id()).await?;
    let known = MachineRef { server_id: plan.id(), provider_id: Some(made.provider_id) };
    bench.terminate(&known).await?;
    if bench.list().await?.into_iter().any(|(id, _)| id == plan.id()) {
        return Err(format!("Server {} is listed after terminate has returned.", plan.id()));
    }
    for machine in [known, reference(plan.id())] {
        if bench.find(&machine).await?.is_some() {
            return Err(format!("Server {} is found after terminate has returned.", plan.id()));
        }
    }
    Ok(())
}

pub(super) async fn terminate_twice(bench: &Bench<'_>) -> Result<(), String> {
    let (plan, never) = (bench.plan()?, bench.plan()?);
    let made = bench.create(&plan).await?;
    let known = MachineRef { server_id: plan.id(), provider_id: Some(made.provider_id) };
    bench.terminate(&known).await?;
    let again = "A machine that is gone must count as terminated, but";
    bench.terminate(&known).await.map_err(|words| format!("{again} {words}"))?;
    bench.terminate(&reference(never.id())).await.map_err(|words| format!("{again} {words}"))
}

/// Whether two answers are about one machine.
pub(super) fn same(id: ServerId, one: &str, first: &Machine, other: &str, second: &Machine) -> Result<(), String> {
    if first.provider_id == second.provider_id {
        return Ok(());
    }
    let (first, second) = (&first.provider_id, &second.provider_id);
    Err(format!("Server {id} has two machines: {one} gives {first}, {other} gives {second}."))
}
