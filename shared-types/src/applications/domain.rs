//! Settings of the types whose instances live at a subdomain of a base domain.

use crate::settings::{Field, FieldKind};

/// The first part of the host name; unique together with the base domain.
pub(super) const SUB_DOMAIN: Field = Field::new(
    "sub_domain",
    "Subdomain",
    "The first part of the host name, like astro in astro.campus.example",
    FieldKind::Hostname,
    50,
)
.required();

/// The rest of the host name.
pub(super) const BASE_DOMAIN: Field = Field::new(
    "base_domain",
    "Base domain",
    "The rest of the host name, like campus.example; blank for this manager's default",
    FieldKind::Hostname,
    190,
);

/// `http` or `https`.
pub(super) const PROTOCOL: Field =
    Field::new("protocol", "Protocol", "What the public URLs begin with", FieldKind::Choice(&["http", "https"]), 5);

/// The contact address.
pub(super) const EMAIL: Field =
    Field::new("email", "Contact e-mail", "Contact and sender address of e-mails", FieldKind::Email, 254).basic();
