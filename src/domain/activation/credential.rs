//! Whether a credential looks like the hash its scheme makes. A PIN in clear must never be stored.

/// Whether `credential` has the shape of what `scheme` (upper case) produces. Nothing is decoded.
///
/// Plain hashes are hexadecimal of the right length; PBKDF2, BCRYPT and ARGON2ID are in the `$` form of
/// crypt(3). A scheme the configuration adds must be hexadecimal of at least 32 digits or in the `$` form.
#[must_use]
pub fn has_shape_of(scheme: &str, credential: &str) -> bool {
    match scheme {
        "SHA256" => is_hex(credential, 64),
        "SHA1" => is_hex(credential, 40),
        "MD5" => is_hex(credential, 32),
        "BCRYPT" => is_bcrypt(credential),
        "ARGON2ID" => is_crypt(credential, "argon2id"),
        "PBKDF2" => is_crypt(credential, "pbkdf2"),
        _ => {
            (credential.len() >= 32 && is_hex(credential, credential.len()))
                || is_crypt(credential, "")
        }
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `$2b$12$` and 53 characters of salt and hash.
fn is_bcrypt(text: &str) -> bool {
    let mut parts = text.split('$');
    let (start, version) = (parts.next(), parts.next());
    let (cost, body) = (parts.next(), parts.next());
    start == Some("")
        && version.is_some_and(|v| matches!(v, "2a" | "2b" | "2x" | "2y"))
        && cost.is_some_and(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_digit()))
        && body.is_some_and(|b| b.len() == 53 && b.bytes().all(is_crypt_byte))
        && parts.next().is_none()
}

/// `$NAME…$…$…`: at least three parts, the last, the hash, of at least 16 characters.
fn is_crypt(text: &str, name: &str) -> bool {
    let Some((head, rest)) = text.strip_prefix('$').and_then(|text| text.split_once('$')) else {
        return false;
    };
    let named = head
        .get(..name.len())
        .is_some_and(|start| !head.is_empty() && start.eq_ignore_ascii_case(name));
    let hash = rest.rsplit_once('$').map_or("", |(_, hash)| hash);
    named && hash.len() >= 16 && hash.bytes().all(is_crypt_byte)
}

const fn is_crypt_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'+' | b'=' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::has_shape_of;

    #[test]
    fn a_hash_has_its_schemes_shape_and_a_clear_pin_has_none() {
        let (hex32, hex40, hex64) = (
            "0123456789abcdef".repeat(2),
            "01234567".repeat(5),
            "aF09".repeat(16),
        );
        let bcrypt = format!(
            "$2b$12${}",
            "N9qo8uLOickgx2ZMRZoMy"
                .repeat(3)
                .get(..53)
                .unwrap_or_default()
        );
        let argon = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaQ";
        let pbkdf2 = "$pbkdf2-sha256$i=29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33";
        for (scheme, credential, fits) in [
            ("MD5", hex32.as_str(), true),
            ("MD5", hex40.as_str(), false),
            ("SHA1", hex40.as_str(), true),
            ("SHA256", hex64.as_str(), true),
            ("SHA256", hex32.as_str(), false),
            ("SHA256", "A1B2C3D4E5F6G7H8", false),
            ("BCRYPT", bcrypt.as_str(), true),
            ("BCRYPT", "$2b$12$short", false),
            ("BCRYPT", hex64.as_str(), false),
            ("ARGON2ID", argon, true),
            ("ARGON2ID", pbkdf2, false),
            ("PBKDF2", pbkdf2, true),
            ("PBKDF2", "12345678", false),
            ("PBKDF2", "$pbkdf2$1$2", false),
            ("SHA512", hex64.as_str(), true),
            ("SHA512", "1234567890123456", false),
            ("SHA512", "$$$", false),
            ("SHA512", "", false),
        ] {
            assert_eq!(
                has_shape_of(scheme, credential),
                fits,
                "{scheme} {credential}"
            );
        }
    }
}
