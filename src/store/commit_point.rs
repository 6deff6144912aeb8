//! The commits of a run, as the crash tests name them.

macro_rules! commit_points {
    ($($(#[$meta:meta])* $variant:ident = $noun:literal,)+) => {
        /// Which commit this is: the process can be told to die right before or right after it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum CommitPoint { $($(#[$meta])* $variant,)+ }

        impl CommitPoint {
            /// Every commit.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The step right before.
            #[must_use]
            pub const fn before(self) -> &'static str {
                match self { $(Self::$variant => concat!($noun, ".commit"),)+ }
            }

            /// The step right after.
            #[must_use]
            pub const fn after(self) -> &'static str {
                match self { $(Self::$variant => concat!($noun, ".committed"),)+ }
            }
        }
    };
}

commit_points! {
    /// The phase alone.
    Phase = "phase",
    /// Fingerprints, ids and partitions, before the first chunk.
    Layout = "layout",
    /// A chunk.
    Chunk = "chunk",
    /// An index, or another step after the load.
    Index = "index",
    /// A captured person judged again.
    Replace = "replace",
    /// Diverted PINs taken into the queue.
    Divert = "divert",
    /// What verification found.
    Verdict = "verdict",
    /// The multi-profile model becomes the valid one.
    CutOver = "cut_over",
    /// A part of what an abort takes back.
    Erase = "erase",
    /// The end of an abort.
    Aborted = "aborted",
    /// The end of a run.
    Finish = "finish",
}
