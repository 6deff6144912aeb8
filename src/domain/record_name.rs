//! How logs, reports and examples name a record: `source:id`, never a fiscal code.

use std::borrow::Cow;

/// The id, masked where it has the form of a fiscal code. Looser than the law: whatever could be taken for a
/// code is masked.
#[must_use]
pub fn shown_id(id: &str) -> Cow<'_, str> {
    let code = id.trim();
    let personal = code.len() == 16
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && code.bytes().take(6).all(|byte| byte.is_ascii_alphabetic());
    let numeric = code.len() == 11 && code.bytes().all(|byte| byte.is_ascii_digit());
    if personal || numeric {
        Cow::Owned("*".repeat(id.chars().count()))
    } else {
        Cow::Borrowed(id)
    }
}

#[cfg(test)]
mod tests {
    use super::shown_id;

    #[test]
    fn an_id_that_looks_like_a_fiscal_code_is_masked() {
        assert_eq!(shown_id("P-17"), "P-17");
        assert_eq!(shown_id("@12"), "@12");
        assert_eq!(shown_id("rssmra70a01h501s"), "****************");
        assert_eq!(shown_id(" 01234567897"), "************");
        assert_eq!(shown_id("000000000001"), "000000000001");
    }
}
