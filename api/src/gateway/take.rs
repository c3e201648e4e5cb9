//! Gives HAProxy what a server says.

use std::net::SocketAddr;

use shared_types::gateway::{
    GatewayChallenge, GatewayCount, GatewayPreview, GatewayQuestion, GatewayRoute, GatewayUpdate,
};

use crate::config::gateway::Scheme;
use crate::routing::providers::haproxy::HaproxyRoutes;
use crate::routing::traffic::{Challenge, Preview, Route, Traffic, TrafficError};

/// Changes the routes as the update says.
///
/// # Errors
/// [`TrafficError`] if a route makes no sense, or HAProxy does not take the change.
pub(super) async fn routes(haproxy: &HaproxyRoutes, update: &GatewayUpdate) -> Result<(), TrafficError> {
    let (gone, kept): (Vec<_>, Vec<_>) = update.routes.iter().partition(|route| route.is_gone);
    let kept = kept.into_iter().map(route).collect::<Result<Vec<_>, _>>()?;
    if update.is_whole {
        return haproxy.replace_all(&kept).await;
    }
    let gone: Vec<String> = gone.into_iter().map(|route| route.hostname.clone()).collect();
    if kept.is_empty() && gone.is_empty() { Ok(()) } else { haproxy.update(&kept, &gone).await }
}

/// Changes the answers to certificate authorities as the update says.
///
/// # Errors
/// [`TrafficError`] if HAProxy does not take them.
pub(super) async fn challenges(haproxy: &HaproxyRoutes, update: &GatewayUpdate) -> Result<(), TrafficError> {
    let Some(all) = &update.challenges else { return Ok(()) };
    let challenge = |GatewayChallenge { token, answer }: &GatewayChallenge| Challenge {
        token: token.clone(),
        answer: answer.clone(),
    };
    haproxy.set_challenges(&all.iter().map(challenge).collect::<Vec<_>>()).await
}

fn route(said: &GatewayRoute) -> Result<Route, TrafficError> {
    let GatewayRoute { hostname, target, notice, scheme, https, is_gone: _, previews } = said;
    let wrong = |what: &str| TrafficError(format!("the server says {what} for {}", hostname.escape_default()));
    let target = target.as_deref().map(str::parse::<SocketAddr>).transpose().map_err(|_| wrong("a strange target"))?;
    let scheme = Scheme::parse(scheme).ok_or_else(|| wrong("a strange scheme"))?;
    let previews =
        previews.iter().map(preview).collect::<Option<_>>().ok_or_else(|| wrong("a strange preview link"))?;
    Ok(Route { hostname: hostname.clone(), target, notice: notice.clone(), scheme, https: *https, previews })
}

fn preview(said: &GatewayPreview) -> Option<Preview> {
    let GatewayPreview { hash, target, ends_at, domain } = said.clone();
    Some(Preview { hash, target: target.parse().ok()?, ends_at, domain })
}

/// The answers to these questions. One that HAProxy does not answer is left out: the server asks again.
pub(super) async fn counts(haproxy: &HaproxyRoutes, questions: Vec<GatewayQuestion>) -> Vec<GatewayCount> {
    let mut counts = Vec::new();
    for question in questions {
        let Ok(target) = question.target.parse::<SocketAddr>() else { continue };
        match haproxy.open_connections(target).await {
            Ok(requests) => {
                let requests = i64::try_from(requests).unwrap_or(i64::MAX);
                counts.push(GatewayCount { question, requests });
            }
            Err(error) => tracing::debug!(%target, %error, "the open requests could not be counted"),
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use shared_types::https::HttpsPolicy;

    use super::*;

    #[test]
    fn a_route_that_makes_no_sense_is_refused_in_words() {
        let said = |target: Option<&str>, scheme: &str| GatewayRoute {
            hostname: "a.localhost".into(),
            target: target.map(str::to_owned),
            notice: None,
            scheme: scheme.into(),
            https: HttpsPolicy::Strict,
            is_gone: false,
            previews: Vec::new(),
        };
        let taken = route(&said(Some("[fd00::2]:80"), "https")).unwrap();
        assert_eq!(
            (taken.target, taken.scheme, taken.https),
            (Some("[fd00::2]:80".parse().unwrap()), Scheme::Https, HttpsPolicy::Strict)
        );
        for (target, scheme) in [(Some("nowhere"), "http"), (Some("10.0.0.1"), "http"), (None, "ftp")] {
            let error = route(&said(target, scheme)).unwrap_err();
            assert!(error.0.contains("a.localhost"), "{error}");
        }
    }
}
