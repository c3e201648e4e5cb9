//! The table of settings for people: docs/settings.md, and a list for the command line.

use super::Settings;
use super::table::{Declared, one_line};

const HEAD: &str = "\
# Settings

Environment variables, or the same names in lower case in the TOML file that `OCIM_CONFIG` names. The environment takes
precedence. With a value that is not valid, or an unknown name in the file, the program does not start and names it.

Programs are found on `PATH`; Postgres' also in `PG_BINDIR` and `/usr/lib/postgresql/*/bin`.

This page is generated from the program: change the declaration, then run `make settings`.
";

const PROVIDERS: &str = "
## Several providers

The settings file may have a table for each provider of machines. An instance chooses one by its name; `OCIM_PROVIDER` names that of
instances that choose none.

```toml
ocim_provider = \"frankfurt\"

[providers.frankfurt]
kind = \"openstack\"        # local, containers, openstack, command or fake; without it, the name is the kind
budget = 20               # the most machines at a time; later launches wait
os_cloud = \"frankfurt\"    # any setting of that kind's section, in lower case
openstack_sandbox_flavor = \"m1.large\"

[providers.paris]
kind = \"openstack\"
os_cloud = \"paris\"
```

- What a table does not set holds as it does outside the tables. Credentials are not mixed: with any `os_…`, a table has all of them.
- The provider that `OCIM_PROVIDER` names needs no table if its name is a kind. `kind = \"local\"` is possible once, and `fake` only alone.
- A machine belongs to the provider that made it, by name, for its whole life. If the settings no longer have a provider that has
  machines, the System page and the log of the reaper name it; its machines keep serving, and nothing is done with them.
- If a cloud's quota is used up, builds wait for it in the queue and try again by themselves, after half a minute at first and a quarter of
  an hour at most.
";

const RESOURCES: &str = "
## Servers for databases

The settings file may have a table for each server where ocim makes what instances have outside their machines.

```toml
[resources.main]
kind = \"mysql\"                  # mysql (also MariaDB), postgresql, redis, s3 or swift; without it, the name is the kind
url = \"mysql://ocim:PASSWORD@db.example:3306\"   # the administrator; other characters than letters and digits as %40
machines_host = \"10.0.0.5\"      # where app servers connect to, and machines_port, if it differs from the URL
tls = true                      # certificate and name are verified; without it, true unless the host is this machine
machines_tls = true             # whether app servers must use TLS; without it, as tls
ca_file = \"/etc/ocim/db-ca.pem\" # the authorities to trust instead of the system's, as PEM
default = true                  # for instances that choose none; the only server of a kind needs no such line, but that of OCIM_BACKUP_BUCKET does
exclusive = false               # true: for one instance

[resources.cache]
kind = \"redis\"
url = \"redis://:PASSWORD@cache.example\"
databases = 16                  # how many numbered databases the server has
```

- Each instance gets an account of its own, and databases with random names that begin with `ocim_` and the installation's id.
- The administrator of MySQL needs `CREATE USER`, `SELECT` on `mysql.user`, and all privileges with `GRANT OPTION` on `` `ocim\\_%`.* ``; that of
  PostgreSQL (13 or newer) `CREATEDB` and `CREATEROLE`; that of Redis (6 or newer) `ACL`, `CONFIG`, `SELECT`, `DBSIZE` and `FLUSHDB`, and
  the server must keep its users over a restart: `aclfile`, or a configuration file that it may write.
- Redis cannot limit a user to a number. Instances that share a server are kept apart by their numbers only; `exclusive = true` gives an
  instance a server of its own.
- MongoDB, and servers where ocim may make nothing, are entered at the instance.
- What an instance has stays at its server, by the table's name. If the settings no longer have that name, nothing is done with it.

Stores of files ([storage.md](storage.md)) are such tables, too. Their `url` begins with https, or http for a connection in clear, and has key and secret:

```toml
[resources.files]
kind = \"s3\"
url = \"https://KEY:SECRET@s3.eu-central-1.amazonaws.com\"   # other characters than letters and digits as %2F
region = \"eu-central-1\"         # without it, us-east-1
addressing = \"virtual\"          # buckets in the host name, or path; without it, virtual at Amazon, and else path

[resources.objects]
kind = \"swift\"
url = \"https://USER:PASSWORD@cloud.example:5000/v3\"   # Keystone; a path that ends with /v1.0 is a login without it
project = \"campus\"
project_domain = \"Default\"      # and user_domain; without them, Default
region = \"RegionOne\"            # without it, the only one that has Swift
```

- `machines_host`, `machines_port`, `machines_tls`, `ca_file`, `default` and `exclusive` are as above.
- All instances use the key of the table. It needs to create, list and delete buckets that begin with `ocim-` and their objects, and to change their policy and
  CORS (`s3:CreateBucket`, `ListBucket`, `DeleteBucket`, `GetObject`, `PutObject`, `DeleteObject`, `PutBucketPolicy`, `PutBucketCORS`). The System page compares
  the store with ocim's records, for which it needs `ListAllMyBuckets`.
- Buckets and containers have random names that begin with `ocim-` and the installation's id.
";

/// docs/settings.md. `others`: the sections that other rooms declare.
pub fn markdown(others: &[Declared]) -> String {
    let mut page = HEAD.to_owned();
    for section in Settings::own().iter().chain(others) {
        page += &format!("\n## {}\n\n{}\n\n", section.title, one_line(section.about));
        page += "| name | default | what it is |\n|---|---|---|\n";
        for entry in (section.entries)() {
            page += &format!("| `{}` | {} | {} |\n", entry.variable(), entry.value(), entry.help());
        }
    }
    page + PROVIDERS + RESOURCES
}

/// Names and defaults by section, without help, for a terminal.
pub fn list(others: &[Declared]) -> String {
    let mut list =
        "SETTINGS, environment variables, or in the TOML file that OCIM_CONFIG names; docs/settings.md says what each \
                    is. OCIM_LOG sets what is logged.\n"
            .to_owned();
    for section in Settings::own().iter().chain(others) {
        list += &format!("\n  {}\n", section.title);
        for entry in (section.entries)() {
            list += &format!("    {:<36} {}\n", entry.variable(), entry.value().replace('`', ""));
        }
    }
    list
}
