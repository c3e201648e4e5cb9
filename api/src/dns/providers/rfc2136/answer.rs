//! The answers of a server to signed requests. Each cause has words of its own, since they all look alike at the server:
//! NOTAUTH stands for a wrong zone, a wrong key and a wrong clock.

use hickory_proto::rr::TSigVerifier;
use hickory_proto::rr::rdata::tsig::{TSIG, TsigError};

use crate::dns::{DnsError, wire};

/// What a server did with an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was applied.
    Done,
    /// A prerequisite is not met; nothing was changed.
    Unmet,
}

/// Whom was asked about what, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation<'a> {
    pub(super) server: &'a str,
    pub(super) zone: &'a str,
    pub(super) key: &'a str,
    pub(super) algorithm: &'a str,
    /// This host's clock in seconds since 1970.
    pub(super) now: u64,
}

impl Situation<'_> {
    /// Reads an answer. Only a signed one counts as a success; an error needs no signature, as a server without our key cannot
    /// sign.
    ///
    /// # Errors
    /// [`DnsError::Refused`] with the cause, [`DnsError::Away`] if the same request may succeed later.
    pub(super) fn read(&self, bytes: &[u8], verifier: &mut TSigVerifier) -> Result<Answer, DnsError> {
        let answer =
            wire::read(bytes).ok_or_else(|| DnsError::Away(format!("the answer of {} cannot be read", self.server)))?;
        if let Some(tsig) = answer.signature().map(|record| &record.data)
            && let Some(error) = tsig.error
        {
            return Err(DnsError::Refused(self.of_key(error, tsig)));
        }
        let code = u16::from(answer.response_code);
        if matches!(code, 0 | 3 | 6 | 7 | 8) {
            verifier.verify(bytes).map_err(|error| DnsError::Refused(self.unverified(&error.to_string())))?;
            return Ok(if code == 0 { Answer::Done } else { Answer::Unmet });
        }
        Err(if code == 2 { DnsError::Away(self.of_code(code)) } else { DnsError::Refused(self.of_code(code)) })
    }

    fn unverified(&self, error: &str) -> String {
        format!(
            "{} answered without a valid signature of the key {} ({error}): another server answers in its place, or a proxy \
             changes its answers. Check OCIM_DNS_SERVER.",
            self.server, self.key
        )
    }

    /// The cause that the server gives beside the signature.
    fn of_key(&self, error: TsigError, tsig: &TSIG) -> String {
        let Self { server, zone, key, algorithm, .. } = self;
        match error {
            TsigError::BadKey => format!(
                "{server} does not accept the key {key} with the algorithm {algorithm} for the zone {zone} (BADKEY): it does not \
                 know the key, or its access list does not let the key do this. Check OCIM_DNS_KEY_NAME and \
                 OCIM_DNS_KEY_ALGORITHM, and the server's configuration."
            ),
            TsigError::BadSig => format!(
                "{server} knows the key {key}, and its secret is another one (BADSIG). Check OCIM_DNS_KEY_SECRET."
            ),
            TsigError::BadTime => {
                format!("{server} refuses the time of the request (BADTIME). {}", self.of_time(&tsig.other))
            }
            TsigError::BadTrunc => format!(
                "{server} refuses the length of the signature (BADTRUNC). Let it accept {algorithm} in full length."
            ),
            TsigError::Unknown(code) => {
                format!("{server} refuses the signature of the key {key} with the error {code}.")
            }
        }
    }

    /// How the clocks differ. `other`: the server's time, 48 bits.
    fn of_time(&self, other: &[u8]) -> String {
        let remedy = "Synchronise both clocks, for example with chrony or systemd-timesyncd";
        if other.len() != 6 {
            return format!("{remedy}; at most {} s of difference are allowed.", super::FUDGE);
        }
        let server = other.iter().fold(0_u64, |time, &byte| time << 8 | u64::from(byte));
        let (difference, word) =
            if self.now >= server { (self.now - server, "ahead of") } else { (server - self.now, "behind") };
        format!(
            "The clock of this host is {difference} s {word} that of the server; at most {} s are allowed. {remedy}.",
            super::FUDGE
        )
    }

    fn of_code(&self, code: u16) -> String {
        let Self { server, zone, key, .. } = self;
        match code {
            1 => format!(
                "{server} cannot read the request (FORMERR). Check that it is a name server that accepts dynamic updates."
            ),
            2 => format!("{server} failed at the zone {zone} (SERVFAIL): its log says why. ocim tries again."),
            4 => format!(
                "{server} does not do dynamic updates (NOTIMP). Enable them there, or name another server in OCIM_DNS_SERVER."
            ),
            5 => format!(
                "{server} knows the key {key}, and does not let it do this in the zone {zone} (REFUSED). Allow updates of the zone, \
                 and transfers, to this key from this host."
            ),
            9 => format!(
                "{server} is not the primary server of the zone {zone} (NOTAUTH). Check OCIM_DNS_ZONES and OCIM_DNS_SERVER, or \
                 configure the zone there."
            ),
            10 => format!("{server} says that the name is not in the zone {zone} (NOTZONE). Check OCIM_DNS_ZONES."),
            _ => format!("{server} refuses the request for the zone {zone} with the code {code}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata::tsig::TsigAlgorithm;

    const HERE: Situation<'_> =
        Situation { server: "ns1:53", zone: "example.org", key: "ocim", algorithm: "hmac-sha256", now: 1_000_000 };

    fn of_key(error: TsigError, other: &[u8]) -> String {
        let tsig = TSIG::new(TsigAlgorithm::HmacSha256, 0, 300, Vec::new(), 0, Some(error), other.to_vec());
        HERE.of_key(error, &tsig)
    }

    #[test]
    fn each_cause_has_its_own_words_and_names_the_setting() {
        let all = [
            (of_key(TsigError::BadKey, &[]), "OCIM_DNS_KEY_NAME"),
            (of_key(TsigError::BadSig, &[]), "OCIM_DNS_KEY_SECRET"),
            (of_key(TsigError::BadTime, &[]), "Synchronise"),
            (HERE.of_code(4), "OCIM_DNS_SERVER"),
            (HERE.of_code(5), "Allow updates"),
            (HERE.of_code(9), "not the primary server of the zone example.org"),
            (HERE.of_code(10), "OCIM_DNS_ZONES"),
            (HERE.of_code(2), "tries again"),
        ];
        for (words, part) in &all {
            assert!(words.contains(part), "{words}");
            assert_eq!(all.iter().filter(|(other, _)| other == words).count(), 1, "{words}");
        }
    }

    #[test]
    fn the_difference_of_the_clocks_is_printed() {
        let server = |time: u64| time.to_be_bytes()[2..].to_vec();
        let ahead = of_key(TsigError::BadTime, &server(1_000_000 - 412));
        assert!(
            ahead.contains("The clock of this host is 412 s ahead of that of the server; at most 300 s"),
            "{ahead}"
        );
        let behind = of_key(TsigError::BadTime, &server(1_000_000 + 7200));
        assert!(behind.contains("is 7200 s behind that of the server"), "{behind}");
    }
}
