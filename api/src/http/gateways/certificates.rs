use actix_web::{HttpResponse, post, web};
use secrecy::ExposeSecret;
use shared_types::ProblemType;
use shared_types::gateway::{GatewayCertificate, GatewayCertificates, GatewayCertificatesQuestion};

use super::exchange::Agent;
use crate::app::App;
use crate::certificates::store::delivery::{self, Served};
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::routing::traffic::CERTIFICATES_AT_ONCE;

/// Give a gateway certificates with their keys
///
/// For the agents of gateways. Only certificates that gateways are to serve are given.
#[utoipa::path(tag = "gateways", request_body = GatewayCertificatesQuestion, responses(
    (status = 200, description = "The certificates", body = GatewayCertificates),
    (status = 400, description = "More than 50 were asked for"),
    (status = 401, description = "No gateway has this token"),
))]
#[post("/gateway/certificates")]
pub async fn give_certificates_to_gateway(
    app: web::Data<App>,
    _agent: Agent,
    Json(question): Json<GatewayCertificatesQuestion>,
) -> Result<HttpResponse, ApiError> {
    if question.ids.len() > CERTIFICATES_AT_ONCE {
        let words = format!("At most {CERTIFICATES_AT_ONCE} certificates are given at once.");
        return Err(ApiError::new(ProblemType::BadRequest, words));
    }
    let keyring = &app.manager.options.keyring;
    let served = delivery::read(&mut *app.db().conn().await?, keyring, &question.ids).await?;
    let given = |Served { id, revision, names, chain, key }| GatewayCertificate {
        id,
        revision,
        names,
        chain,
        key: key.expose_secret().to_owned(),
    };
    let items = served.into_iter().map(given).collect();
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(GatewayCertificates { items }))
}
