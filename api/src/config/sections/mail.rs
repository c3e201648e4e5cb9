use secrecy::SecretString;

use crate::config::table::settings;

settings! {
    /// Mail to the administrators about failed builds and failing instances.
    pub struct Mail = "Mail";

    /// The addresses that get mail about failed builds and about instances that go down, degrade or recover (at most
    /// one of these a minute), separated by commas (a list in the file). None: no mail is sent.
    admins: Vec<String> = Vec::new();
    /// The sender's address in mail.
    server_email: String = "ocim@localhost".into();
    /// The beginning of every mail's subject.
    email_subject_prefix: String = "[OpenCraft] ".into();
    /// The SMTP server. While it does not answer, mail is retried for a day.
    email_host: String = "localhost".into();
    /// The port of the SMTP server.
    email_port: u16 = 25;
    /// The name to sign in to the SMTP server with. Blank: no sign-in.
    email_host_user: String = String::new();
    /// The password to sign in to the SMTP server with.
    email_host_password: Option<SecretString> = None;
    /// Whether the connection must become TLS (STARTTLS), with a certificate that can be checked, before anything is
    /// sent.
    email_use_tls: bool = false;
}
