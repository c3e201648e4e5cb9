//! The TXT record that says which records are ours: `heritage=ocim,installation=…,instance=…` at `_ocim.NAME`. It has a
//! name of its own, because no other record may stand beside a CNAME.

use shared_types::InstanceId;

/// The label in front of the name.
const LABEL: &str = "_ocim";
const HERITAGE: &str = "heritage=ocim";

/// Whose a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The installation's id.
    pub installation: String,
    /// The instance that has the name.
    pub instance: InstanceId,
}

impl Owner {
    /// The text of the record.
    pub fn text(&self) -> String {
        format!("{HERITAGE},installation={},instance={}", self.installation, self.instance)
    }

    /// Parses the text of a record; none: it is not one of ocim.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().trim_matches('"').split(',');
        if parts.next() != Some(HERITAGE) {
            return None;
        }
        let installation = parts.next()?.strip_prefix("installation=")?.to_owned();
        let instance = InstanceId(parts.next()?.strip_prefix("instance=")?.parse().ok()?);
        Some(Self { installation, instance })
    }
}

/// Where the TXT record of this name is.
pub fn record_name(name: &str) -> String {
    format!("{LABEL}.{name}")
}

/// The name that a TXT record at this name is about; none: it is about none.
pub fn subject(record_name: &str) -> Option<&str> {
    record_name.strip_prefix(LABEL)?.strip_prefix('.')
}

/// What the TXT records at a name say about its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// There is none.
    None,
    /// This instance of this installation.
    Own,
    /// Another instance of this installation.
    OtherInstance(Owner),
    /// Another installation or another program.
    Foreign(String),
}

impl Claim {
    /// Reads the texts of all TXT records at [`record_name`].
    pub fn read(texts: &[String], owner: &Owner) -> Self {
        match texts {
            [] => Self::None,
            [text] => match Owner::parse(text) {
                Some(found) if found == *owner => Self::Own,
                Some(found) if found.installation == owner.installation => Self::OtherInstance(found),
                Some(_) | None => Self::Foreign(text.clone()),
            },
            several => Self::Foreign(several.join(" ")),
        }
    }
}

/// The message about a record that ocim has not written. `found`: the text that claims it for another; none: there is none.
pub fn not_ours(name: &str, found: Option<&str>) -> String {
    let at = record_name(name);
    match found {
        Some(found) => format!(
            "{name} has records of another owner, which were not changed: the TXT record at {at} says “{}”. Remove both \
             there, or give the instance another name.",
            found.chars().take(200).collect::<String>()
        ),
        None => format!(
            "{name} has records that ocim has not written (there is no TXT record at {at}), which were not changed. \
             Remove them, and ocim writes its own; or change them by hand to point at the gateways."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(installation: &str, id: i64) -> Owner {
        Owner { installation: installation.to_owned(), instance: InstanceId(id) }
    }

    #[test]
    fn the_text_names_installation_and_instance_and_is_read_again() {
        let own = owner("9f3c", 7);
        assert_eq!(own.text(), "heritage=ocim,installation=9f3c,instance=7");
        assert_eq!(Owner::parse("\"heritage=ocim,installation=9f3c,instance=7\""), Some(own));
        for other in ["heritage=external-dns,external-dns/owner=x", "v=spf1 -all", "heritage=ocim", ""] {
            assert_eq!(Owner::parse(other), None, "{other}");
        }
    }

    #[test]
    fn only_a_single_text_of_the_same_installation_is_ours() {
        let own = owner("9f3c", 7);
        let claim = |texts: &[&str]| Claim::read(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>(), &own);
        assert_eq!(claim(&[]), Claim::None);
        assert_eq!(claim(&[&own.text()]), Claim::Own);
        assert_eq!(claim(&[&owner("9f3c", 8).text()]), Claim::OtherInstance(owner("9f3c", 8)));
        assert!(matches!(claim(&[&owner("aaaa", 7).text()]), Claim::Foreign(_)));
        assert!(matches!(claim(&["heritage=external-dns"]), Claim::Foreign(_)));
        assert!(matches!(claim(&[&own.text(), "other"]), Claim::Foreign(_)));
    }

    #[test]
    fn the_name_of_the_record_leads_back_to_its_subject() {
        assert_eq!(subject(&record_name("campus.example.org")), Some("campus.example.org"));
        assert_eq!(subject("_ocimcampus.example.org"), None);
        assert_eq!(subject("campus.example.org"), None);
    }
}
