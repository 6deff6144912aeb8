//! Requests that wait for one accepted before them: what they ask for comes on top of the PIN that it brings.
//!
//! Such a PIN may become due later, with its second half or on its office's day. Until it is done or failed, what needs
//! it waits; what can do with the PIN that the person has does not.

use super::{
    request::{Ask, Request},
    standing::Standing,
};

/// Whether the request needs the PIN of `earlier`, which was accepted before it and waits: there is none yet, or none
/// of the level asked for. Another PIN takes the place of the present one, whatever its level.
#[must_use]
pub fn needs(request: &Request, person: Option<&Standing>, earlier: &Request) -> bool {
    let Ask::NewPin(awaited) = &earlier.ask else {
        return false;
    };
    let present = person.and_then(|person| person.pin.as_ref());
    let is_needed = match (&request.ask, present) {
        (Ask::FurtherProfile(_) | Ask::Replacement(_), None) => true,
        (Ask::FurtherProfile(level), Some(pin)) => *level > pin.level && awaited.level > pin.level,
        (Ask::Replacement(_), Some(_))
        | (Ask::NewPin(_) | Ask::Revocation | Ask::Suspension, _) => false,
    };
    is_needed && request.identity.is_same_person(&earlier.identity)
}
