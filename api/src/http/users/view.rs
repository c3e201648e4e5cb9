//! Users as the API shows them.

use actix_web::http::header::ETAG;
use actix_web::{HttpResponse, HttpResponseBuilder};
use shared_types::user::Account;

use crate::platform::users::store::accounts::UserRow;

/// An account as administrators see it.
pub fn account(row: UserRow) -> Account {
    let UserRow { id, username, password_hash, role, created, version, disabled_at, last_login } = row;
    Account {
        id,
        username,
        role,
        is_disabled: disabled_at.is_some(),
        has_password: password_hash.is_some(),
        created,
        last_login,
        etag: format!("\"{version}\""),
    }
}

/// Answers with an account and its `ETag`.
pub fn answer(mut builder: HttpResponseBuilder, row: UserRow) -> HttpResponse {
    let account = account(row);
    builder.insert_header((ETAG, account.etag.clone())).json(account)
}
