//! Settings of the types whose instances live at a subdomain of a base domain.

use crate::settings::{Field, FieldKind};

/// The first part of the host name; unique together with the base domain.
pub(super) const SUB_DOMAIN: Field =
    Field::new("sub_domain", "Subdomain", "The first part of the instance's address", FieldKind::Hostname, 50)
        .required();

/// The rest of the host name.
pub(super) const BASE_DOMAIN: Field = Field::new(
    "base_domain",
    "Base domain",
    "The rest of the address; blank for the default",
    FieldKind::Hostname,
    190,
);

/// `http` or `https`.
pub(super) const PROTOCOL: Field =
    Field::new("protocol", "Protocol", "What the public URLs begin with", FieldKind::Choice(&["http", "https"]), 5);

/// The contact address.
pub(super) const EMAIL: Field =
    Field::new("email", "Contact e-mail", "Also the From address of the mails it sends", FieldKind::Email, 254).basic();
