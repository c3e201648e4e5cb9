//! The check of machines of another installation, whose server ids may be the same numbers.

use super::bench::{Bench, reference};
use crate::machines::provider::MachineRef;

pub(super) async fn leave_alone(bench: &Bench<'_>) -> Result<(), String> {
    let Some(stranger) = bench.subject.stranger else { return Ok(()) };
    let plan = bench.plan()?;
    let id = plan.id();
    let theirs = bench.create_stranger(stranger, &plan).await?;
    let known = MachineRef { server_id: id, provider_id: Some(theirs.provider_id.clone()) };
    for machine in [&reference(id), &known] {
        if bench.find(machine).await?.is_some() {
            return Err(format!("find gives the machine of another installation for server {id}."));
        }
    }
    if bench.list().await?.into_iter().any(|(_, machine)| machine.provider_id == theirs.provider_id) {
        return Err("list has the machine of another installation.".to_owned());
    }
    if bench.reboot(&known).await.is_ok() {
        return Err("reboot accepts the machine of another installation.".to_owned());
    }
    let ours = bench.create(&plan).await?;
    if ours.provider_id == theirs.provider_id {
        return Err(format!("create gives the machine of another installation for server {id}."));
    }
    bench.terminate(&reference(id)).await?;
    bench.terminate(&known).await?;
    let limit = bench.subject.limits.read;
    match tokio::time::timeout(limit, stranger.find(&reference(id))).await {
        Ok(Ok(Some(found))) if found.provider_id == theirs.provider_id => Ok(()),
        Ok(Ok(_)) => Err("terminate has removed the machine of another installation.".to_owned()),
        Ok(Err(error)) => Err(format!("The other installation's machine could not be looked for: {error}.")),
        Err(_elapsed) => Err("The other installation's machine could not be looked for in time.".to_owned()),
    }
}
