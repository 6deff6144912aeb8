//! The engines a target may be kept by.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Makes tests of functions that take an engine: each runs on both.
macro_rules! on_both_engines {
    ($($name:ident)+) => {
        mod on_sqlite {
            $(#[test]
            fn $name() {
                super::$name(crate::engine::Engine::Sqlite);
            })+
        }

        mod on_postgres {
            $(#[test]
            fn $name() {
                super::$name(crate::engine::Engine::Postgres);
            })+
        }
    };
}
pub(crate) use on_both_engines;
