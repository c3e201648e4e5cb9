use secrecy::SecretString;

use crate::config::table::settings;

settings! {
    /// Providers where users may sign in, in addition to passwords; see [sign-in.md](sign-in.md).
    pub struct SignIn = "Sign-in";

    /// The OpenID Connect provider that people may sign in at; see [sign-in.md](sign-in.md). Unset: none. `https://`,
    /// unless it is on this machine.
    ocim_oidc_issuer: Option<String> = None;
    /// The id of this program as a client of the OpenID Connect provider.
    ocim_oidc_client_id: String = String::new();
    /// The secret of that client at the OpenID Connect provider. Unset: a public client.
    ocim_oidc_client_secret: Option<SecretString> = None;
    /// The OpenID Connect provider's name on its button.
    ocim_oidc_name: String = "OpenID Connect".into();
    /// The claim of the ID token, or of the userinfo, that holds the user's groups.
    ocim_oidc_groups_claim: String = "groups".into();
    /// The OAuth application at GitHub that people may sign in with. Unset: none.
    ocim_github_client_id: Option<String> = None;
    /// The secret of the OAuth application at GitHub.
    ocim_github_client_secret: Option<SecretString> = None;
    /// Groups (of GitHub: teams, `organization/team`) with the role that each gives, `operators=operator`, separated by
    /// commas (a list in the file, where a group's name may hold a comma). The highest role counts; a user in none of
    /// the groups may not sign in. Required with a provider.
    ocim_sign_in_roles: Vec<String> = Vec::new();
}
