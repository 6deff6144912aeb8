//! What programs read: every document carries the version of its layout, which `packaging/schemas` describes.

use serde::{Deserialize, Serialize};

/// Version of every document; it changes when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// A document, or a line of many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document<T> {
    schema: u32,
    /// Its fields stand beside the version.
    #[serde(flatten)]
    pub content: T,
}

impl<T> Document<T> {
    /// In the layout of this version.
    pub const fn new(content: T) -> Self {
        Self {
            schema: SCHEMA,
            content,
        }
    }
}
