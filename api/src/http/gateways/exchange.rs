use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, HttpResponse, post, web};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::ProblemType;
use shared_types::gateway::{GatewayCertificateRevision, GatewayChallenge, GatewayReport, GatewayUpdate};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::app::App;
use crate::certificates::store::{challenges, delivery};
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Gate;
use crate::platform::db::DbError;
use crate::platform::events::bus::Signal;
use crate::platform::users::secret_hash;
use crate::routing::store::{counts, gateways, table};

/// How long an answer waits for news: a third of the time after which a gateway that does not ask counts as silent.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest id of an agent and version, host name, and error, in bytes.
const LONGEST: (usize, usize, usize) = (64, 253, 2000);
/// The most counts in one report.
const MOST_COUNTS: usize = 1000;

/// The gateway of the agent whose token the request has.
#[derive(Debug)]
pub struct Agent {
    id: i64,
    hash: Vec<u8>,
}

impl FromRequest for Agent {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        let gate = Gate::close(&request);
        Box::pin(async move {
            let app = request.app_data::<web::Data<App>>().ok_or_else(|| ApiError::internal("no application state"))?;
            let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let hash = header.and_then(|value| value.strip_prefix("Bearer ")).map(secret_hash);
            let refused = || {
                let words = "No gateway has this token. `ocim admin add-gateway NAME` prints a new one; set it as \
                             OCIM_GATEWAY_TOKEN on the gateway's host.";
                ApiError::new(ProblemType::Unauthenticated, words)
            };
            let hash = hash.ok_or_else(refused)?;
            let id = gateways::by_token(&mut *app.db().conn().await?, &hash).await?.ok_or_else(refused)?;
            gate.open();
            Ok(Self { id, hash })
        })
    }
}

/// Exchange reports and routes with a gateway
///
/// For the agents of gateways, `ocim gateway`, which have tokens of their own. The agent says which revision of the routes
/// its HAProxy has. The answer has the routes that are newer; if there are none, it comes after 5 seconds, or as soon as there
/// are.
#[utoipa::path(tag = "gateways", request_body = GatewayReport, responses(
    (status = 200, description = "What the gateway is to do", body = GatewayUpdate),
    (status = 401, description = "No gateway has this token"),
    (status = 409, description = "An agent on another host has the same token, and is live"),
))]
#[post("/gateway/exchange")]
pub async fn exchange_with_gateway(
    app: web::Data<App>,
    agent: Agent,
    Json(report): Json<GatewayReport>,
) -> Result<HttpResponse, ApiError> {
    check(&report)?;
    // Before the first look, so that nothing is missed between look and wait.
    let signals = app.bus.subscribe();
    let mut conn = app.db().conn().await?;
    let Some(revision) = gateways::hear(&mut conn, &agent.hash, &report).await? else {
        let words = "An agent on another host has asked with this token in the last 15 s. Each gateway needs a token of its \
                     own: `ocim admin add-gateway NAME` prints one.";
        return Err(ApiError::new(ProblemType::Conflict, words));
    };
    counts::keep(&mut conn, agent.id, &report.counts).await?;
    drop(conn);
    let waiting = wait_for_news(&app, agent.id, revision, signals);
    let update = tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| Ok(nothing(revision)))?;
    Ok(HttpResponse::Ok().json(update))
}

fn check(report: &GatewayReport) -> Result<(), ApiError> {
    let GatewayReport { agent, hostname, version, revision, error, counts } = report;
    let is_plain = |text: &str, longest: usize| text.len() <= longest && !text.contains(char::is_control);
    let is_valid = !agent.is_empty()
        && is_plain(agent, LONGEST.0)
        && is_plain(version, LONGEST.0)
        && is_plain(hostname, LONGEST.1)
        && error.as_ref().is_none_or(|error| error.len() <= LONGEST.2 && !error.contains('\0'))
        && *revision >= 0
        && counts.len() <= MOST_COUNTS
        && counts.iter().all(|count| count.requests >= 0 && is_plain(&count.question.target, LONGEST.0));
    match is_valid {
        true => Ok(()),
        false => Err(ApiError::new(ProblemType::BadRequest, "The report of the gateway's agent makes no sense.")),
    }
}

fn nothing(revision: i64) -> GatewayUpdate {
    GatewayUpdate { revision, ..GatewayUpdate::default() }
}

async fn wait_for_news(
    app: &App,
    id: i64,
    revision: i64,
    mut signals: Receiver<Signal>,
) -> Result<GatewayUpdate, ApiError> {
    loop {
        if let Some(update) = look(app, id, revision).await? {
            return Ok(update);
        }
        loop {
            match signals.recv().await {
                Ok(Signal::Gateways | Signal::Gap) | Err(RecvError::Lagged(_)) => break,
                Ok(Signal::Event(_) | Signal::Access(_) | Signal::Rates(_)) => {}
                // The program ends.
                Err(RecvError::Closed) => return Ok(nothing(revision)),
            }
        }
    }
}

/// What is new for a gateway; none: nothing.
async fn look(app: &App, id: i64, revision: i64) -> Result<Option<GatewayUpdate>, ApiError> {
    let mut conn = app.db().conn().await?;
    let found = conn.transaction(async |conn| {
        let questions = counts::open(conn, id).await?;
        let Some(news) = table::news(conn, revision).await? else {
            let update = GatewayUpdate { questions, ..nothing(revision) };
            return Ok::<_, DbError>((!update.questions.is_empty()).then_some(update));
        };
        gateways::note_sent(conn, id, news.revision).await?;
        let challenges = if news.has_challenges { Some(all_challenges(conn).await?) } else { None };
        let certificates = if news.has_certificates { Some(all_certificates(conn).await?) } else { None };
        let table::News { revision, is_whole, routes, .. } = news;
        Ok(Some(GatewayUpdate { revision, is_whole, routes, questions, challenges, certificates }))
    });
    Ok(found.await?)
}

async fn all_challenges(conn: &mut AsyncPgConnection) -> Result<Vec<GatewayChallenge>, DbError> {
    let all = challenges::all(conn).await?.into_iter();
    Ok(all.map(|one| GatewayChallenge { token: one.token, answer: one.key_authorization }).collect())
}

async fn all_certificates(conn: &mut AsyncPgConnection) -> Result<Vec<GatewayCertificateRevision>, DbError> {
    let all = delivery::revisions(conn).await?.into_iter();
    Ok(all.map(|(id, revision)| GatewayCertificateRevision { id, revision }).collect())
}
