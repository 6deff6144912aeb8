//! What statements are given.

use jiff::{Timestamp, civil::Date};

/// A parameter. Its type is that of the column, NULL included.
#[derive(Clone, Copy)]
pub(in crate::store) enum Value<'v> {
    Integer(Option<i64>),
    Flag(bool),
    Text(Option<&'v str>),
    Bytes(Option<&'v [u8]>),
    Date(Option<Date>),
    Time(Option<Timestamp>),
}

/// The parameters of a statement, each from what can be one.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::database::Value::from($value)),*] };
}
pub(in crate::store) use values;

macro_rules! from {
    ($($given:ty => $value:ident |$name:ident| $make:expr;)+) => {$(
        impl<'v> From<$given> for Value<'v> {
            fn from($name: $given) -> Self {
                Self::$value($make)
            }
        }
    )+};
}

from! {
    i64 => Integer |value| Some(value);
    Option<i64> => Integer |value| value;
    u8 => Integer |value| Some(i64::from(value));
    u32 => Integer |value| Some(i64::from(value));
    // What counts records stays far below 2^63.
    u64 => Integer |value| Some(value.cast_signed());
    bool => Flag |value| value;
    &'v str => Text |value| Some(value);
    &'v String => Text |value| Some(value);
    Option<&'v str> => Text |value| value;
    &'v Option<String> => Text |value| value.as_deref();
    &'v [u8] => Bytes |value| Some(value);
    &'v Vec<u8> => Bytes |value| Some(value);
    &'v Option<Vec<u8>> => Bytes |value| value.as_deref();
    Date => Date |value| Some(value);
    Option<Date> => Date |value| value;
    Timestamp => Time |value| Some(value);
}
