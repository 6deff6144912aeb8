//! Delayed activations: requests taken at the counters while PIN management is locked.
//!
//! A request is evaluated when it comes in ([`evaluation`]), waits for its day ([`schedule`]) and then takes
//! effect on the person as the model holds him ([`effect`]). Rights are always the lower of the PIN's level
//! and the grant's.

mod applied;
pub mod awaiting;
pub mod calendar;
pub mod channel;
pub mod column;
mod counter_rules;
pub mod credential;
pub mod diverted;
pub mod effect;
pub mod evaluation;
mod fingerprint;
mod granting;
pub mod grounds;
mod identity;
mod issuing;
pub mod kind;
mod legible;
pub mod office;
pub mod overtaking;
pub mod pending;
pub mod policy;
pub mod receipt;
pub mod refusal;
pub mod request;
pub mod revocation;
pub mod schedule;
mod sequence;
pub mod standing;
pub mod submission;
pub mod supersession;
mod taking_away;
pub mod waiting;
