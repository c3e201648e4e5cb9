//! The progress of the last switch: decided, applied by the gateway, old app server drained; a button to roll back.

use chrono::{DateTime, Local, TimeDelta, Utc};
use leptos::prelude::*;
use shared_types::app_server::{Activation, ActivationKind};
use shared_types::{AppServerId, AppServerSummary, Instance};
use std::sync::Arc;

use super::possible::PossibleButton;
use super::verb::{Ask, Verb};
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// How long a successful switch stays visible: as long as a user is likely to want to roll back.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// A gateway normally applies a switch within seconds; after this time something is wrong.
const SLOW: TimeDelta = TimeDelta::seconds(10);

/// Shown while a switch is in progress or recent.
#[component]
pub fn SwitchCard(
    instance: Memo<Arc<Instance>>,
    /// Opens the dialog of an action.
    ask: Ask,
) -> impl IntoView {
    let id = instance.with_untracked(|instance| instance.summary.id);
    let (data, now) = (state().data, clock::now());
    let activations = data.activations(id);
    let last = Memo::new(move |_| activations.with(|all| all.here()?.first().cloned()));
    let is_shown = Memo::new(move |_| {
        last.with(|last| last.as_ref().is_some_and(|last| !is_over(last) || now.get() - last.activated_at < FRESH))
    });
    // The end of draining sends no event of its own, but it changes `serving`.
    let replaced = Memo::new(move |_| {
        let replaced = last.with(|last| last.as_ref()?.replaced_app_server_id)?;
        instance.with(|instance| instance.appservers.iter().find(|one| one.id == replaced).map(|one| one.serving))
    });
    Effect::new(move |before: Option<()>| {
        let _serving = replaced.get();
        if before.is_some() {
            data.refresh(Key::Activations(id));
        }
    });
    let shown = Memo::new(move |_| last.get().filter(|_| is_shown.get()).map(|last| last.id));
    move || {
        shown.get()?;
        let first = last.get_untracked()?;
        let activation = Memo::new(move |_| last.get().unwrap_or_else(|| first.clone()));
        Some(view! { <Card instance activation ask/> }.into_any())
    }
}

#[component]
fn Card(instance: Memo<Arc<Instance>>, activation: Memo<Activation>, ask: Ask) -> impl IntoView {
    let now = clock::now();
    let title = move || {
        let activation = activation.get();
        let name = name_of(&instance.get(), activation.app_server_id);
        match activation.kind {
            ActivationKind::Rollback => format!("Rolled back to {name}"),
            ActivationKind::Manual | ActivationKind::Automatic => format!("Switched to {name}"),
        }
    };
    let who = move || {
        let Activation { activated_by, activated_at, reason, .. } = activation.get();
        let reason = reason.map(|reason| format!(", “{reason}”")).unwrap_or_default();
        format!("{activated_by}, {}{reason}", words::ago(activated_at, now.get()))
    };
    let back = Memo::new(move |_| instance.with(|instance| way_back(instance)));
    let is_rolled_back = move || activation.with(|activation| activation.kind == ActivationKind::Rollback);
    view! {
        <section class="card switch" aria-label="Last switch">
            <div class="what">
                <b>{title}</b>
                <span class="fine">{who}</span>
            </div>
            <SwitchSteps instance activation=Signal::derive(move || Some(activation.get()))/>
            {move || back.get().filter(|_| !is_rolled_back()).map(|back| view! { <RollBack back ask/> })}
        </section>
    }
}

/// The button “Roll back to …”.
#[component]
pub fn RollBack(
    back: AppServerSummary,
    /// Opens the dialog.
    ask: Ask,
) -> impl IntoView {
    let label = format!("Roll back to {}", back.name);
    let on_click = Callback::new(move |()| ask.run(Verb::RollBack(back.clone())));
    view! { <PossibleButton shape=Shape::Undo label on_click/> }
}

/// The steps of a switch, kept up to date.
#[component]
pub fn SwitchSteps(
    instance: Memo<Arc<Instance>>,
    /// The switch; none while it is being decided.
    #[prop(into)]
    activation: Signal<Option<Activation>>,
) -> impl IntoView {
    let now = clock::now();
    let all = Memo::new(move |_| {
        let activation = activation.get();
        let replaced = activation.as_ref().and_then(|activation| activation.replaced_app_server_id);
        let replaced = replaced.map(|replaced| name_of(&instance.get(), replaced));
        steps(activation.as_ref(), replaced.as_deref(), now.get())
    });
    let row = |step: Step| {
        let (class, shape) = match step.stage {
            Stage::Done => ("done", Shape::Check),
            Stage::Now => ("now", Shape::Dots),
            Stage::Slow => ("slow", Shape::Warning),
            Stage::Later => ("later", Shape::Clock),
        };
        view! {
            <li class=class>
                <Icon shape/>
                <span>
                    <b>{step.name}</b>
                    <span class="unseen">{step.stage.word()}</span>
                    <small>{step.detail}</small>
                </span>
            </li>
        }
    };
    view! { <ol class="switch-steps" aria-label="Switch" aria-live="polite">{move || all.get().into_iter().map(row).collect_view()}</ol> }
}

/// The stage of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Done,
    Now,
    /// Takes longer than it ever should.
    Slow,
    Later,
}

impl Stage {
    const fn word(self) -> &'static str {
        match self {
            Self::Done => ": done. ",
            Self::Now => ": in progress. ",
            Self::Slow => ": in progress, and late. ",
            Self::Later => ": not started. ",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: String,
    stage: Stage,
    detail: String,
}

fn step(name: impl Into<String>, stage: Stage, detail: impl Into<String>) -> Step {
    Step { name: name.into(), stage, detail: detail.into() }
}

/// The steps of a switch. `replaced`: the name of the app server that had the traffic before.
fn steps(activation: Option<&Activation>, replaced: Option<&str>, now: DateTime<Utc>) -> Vec<Step> {
    let Some(activation) = activation else {
        return vec![
            step("Requested", Stage::Now, "running the final checks"),
            step("Updating gateway", Stage::Later, ""),
        ];
    };
    let begun = activation.activated_at;
    let mut all = vec![step("Requested", Stage::Done, words::clock(begun, now, &Local))];
    let took = |end: DateTime<Utc>| match end - begun {
        span if span < TimeDelta::seconds(1) => "in less than a second".to_owned(),
        span => format!("in {}", words::duration(span)),
    };
    all.push(match activation.applied_at {
        Some(at) => step("Traffic switched", Stage::Done, took(at)),
        None if now - begun > SLOW => {
            step("Updating gateway", Stage::Slow, "the gateway has not applied the change; retrying")
        }
        None => step("Updating gateway", Stage::Now, ""),
    });
    if let Some(replaced) = replaced {
        all.push(match (activation.applied_at, activation.drained_at) {
            (_, Some(at)) => step(format!("{replaced} drained"), Stage::Done, took(at)),
            (Some(_), None) => step(format!("Draining {replaced}"), Stage::Now, "its open requests finish"),
            (None, None) => step(format!("Draining {replaced}"), Stage::Later, "after the gateway"),
        });
    }
    all
}

/// Whether every step of the switch is done.
fn is_over(activation: &Activation) -> bool {
    activation.applied_at.is_some() && (activation.replaced_app_server_id.is_none() || activation.drained_at.is_some())
}

/// The app server to roll back to. After a rollback the fallback is the newer one: it is “Next”, not a way back.
pub fn way_back(instance: &Instance) -> Option<AppServerSummary> {
    let active = instance.summary.active_appserver.as_ref()?.id;
    let older = instance.fallback_app_server_id.filter(|fallback| *fallback < active)?;
    instance.appservers.iter().find(|one| one.id == older).cloned()
}

fn name_of(instance: &Instance, id: AppServerId) -> String {
    let name = instance.appservers.iter().find(|one| one.id == id).map(|one| one.name.clone());
    name.unwrap_or_else(|| format!("App server {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_types::ActivationId;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + seconds, 0).unwrap_or_default()
    }

    fn switch(applied: Option<i64>, drained: Option<i64>) -> Activation {
        Activation {
            id: ActivationId(1),
            app_server_id: AppServerId(2),
            replaced_app_server_id: Some(AppServerId(1)),
            activated_by: "admin".into(),
            activated_at: at(0),
            applied_at: applied.map(at),
            reason: None,
            kind: ActivationKind::Manual,
            is_forced: false,
            drained_at: drained.map(at),
        }
    }

    fn stages(activation: Option<&Activation>, now: i64) -> Vec<Stage> {
        steps(activation, Some("AppServer 1"), at(now)).into_iter().map(|step| step.stage).collect()
    }

    #[test]
    fn a_switch_goes_step_by_step() {
        use Stage::{Done, Later, Now, Slow};
        assert_eq!(stages(None, 0), [Now, Later]);
        assert_eq!(stages(Some(&switch(None, None)), 1), [Done, Now, Later]);
        assert_eq!(stages(Some(&switch(None, None)), 11), [Done, Slow, Later]);
        assert_eq!(stages(Some(&switch(Some(1), None)), 11), [Done, Done, Now]);
        assert_eq!(stages(Some(&switch(Some(1), Some(5))), 11), [Done, Done, Done]);
        assert_eq!(steps(Some(&switch(Some(1), None)), None, at(2)).len(), 2, "nothing had the traffic before");
    }

    #[test]
    fn it_is_over_when_nothing_is_under_way() {
        assert!(!is_over(&switch(None, None)));
        assert!(!is_over(&switch(Some(1), None)));
        assert!(is_over(&switch(Some(1), Some(2))));
        assert!(is_over(&Activation { replaced_app_server_id: None, ..switch(Some(1), None) }));
    }
}
