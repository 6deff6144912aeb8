//! The channels by which people come to their PIN.

use crate::domain::status::Level;

/// A channel of which something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// At an office (`SED`, `UFF`).
    Counter,
    /// On the web (`WEB`): by e-mail.
    Web,
    /// By telephone (`TEL`).
    Telephone,
}

impl Channel {
    /// The channel with this code, in whatever case.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        match code.to_ascii_uppercase().as_str() {
            "SED" | "UFF" => Some(Self::Counter),
            "WEB" => Some(Self::Web),
            "TEL" => Some(Self::Telephone),
            _ => None,
        }
    }

    /// The level of its PINs: only at a counter somebody looked at a document.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Counter => Level::Dispositive,
            Self::Web | Self::Telephone => Level::Ordinary,
        }
    }
}

/// Whether a text has the form of an e-mail address: one `@`, a domain of several labels, nothing else around it.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |part: &str| {
        let odd = |c: char| c.is_whitespace() || "@<>,;:\"()".contains(c);
        !part.is_empty() && !part.contains(odd)
    };
    let labels = domain.split('.');
    plain(name) && plain(domain) && labels.clone().count() > 1 && labels.clone().all(plain)
}

/// Whether an e-mail address is a certified mailbox (PEC): by its domain, of which one label says so, or which is
/// one of `domains` or below it.
#[must_use]
pub fn is_certified(address: &str, domains: &[String]) -> bool {
    let Some((_, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let domain = domain.trim().to_ascii_lowercase();
    domain
        .split('.')
        .any(|label| label == "pec" || label.ends_with("pec"))
        || domains.iter().any(|known| {
            let known = known.to_ascii_lowercase();
            domain == known || domain.ends_with(&format!(".{known}"))
        })
}

#[cfg(test)]
mod tests {
    use super::is_certified;

    #[test]
    fn a_certified_mailbox_is_known_by_its_domain() {
        let domains = ["legalmail.it".to_owned(), "postacert.example".to_owned()];
        for (address, certified) in [
            ("laura@example.org", false),
            ("laura@pec.example.org", true),
            ("laura@studio.pec.it", true),
            ("laura@pecora.it", false),
            ("laura@LegalMail.it", true),
            ("laura@sub.legalmail.it", true),
            ("laura@illegalmail.it", false),
            ("pec@example.org", false),
            ("laura@arubapec.it", true),
            ("pec.example.org", false),
        ] {
            assert_eq!(is_certified(address, &domains), certified, "{address}");
        }
    }
}
