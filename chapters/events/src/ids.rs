//! Ids: a type for each, so that the compiler finds a payment id where an order id belongs.
//!
//! All are UUIDs of version 7 (RFC 9562): 48 bits of time in milliseconds, then random bits.
//! Ids made later sort later, which databases and people like.
//! Time and random bytes are arguments: this crate reads no clock and draws no random number.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

/// What the rules need to know of an id.
pub(crate) trait Id {
    fn is_nil(&self) -> bool;
}

/// A text that is no UUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID, such as 019ca7a4-3b00-7c1e-9d5b-2f60a1c4e8b7")]
pub struct NotAnId(#[source] uuid::Error);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id (UUID version 7) of this moment; `random` makes it unique among those of the same
            /// millisecond. A moment before 1970 counts as 1970.
            pub fn new(moment: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(moment.as_millisecond()).unwrap_or(0);
                Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// An id that somebody else made.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id as a UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl Id for $name {
            fn is_nil(&self) -> bool {
                self.0.is_nil()
            }
        }

        /// The canonical form: lower case, with hyphens.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self).map_err(NotAnId)
            }
        }
    )*};
}

ids! {
    /// Names one event. Who sees it twice has seen one event twice, not two events.
    EventId;
    /// Names the flow an event belongs to: everything that followed from one click has the same one.
    CorrelationId;
    /// Names a user.
    UserId;
    /// Names an order.
    OrderId;
    /// Names a payment.
    PaymentId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_version_7_uuid_of_its_moment() {
        let moment: Timestamp = "2026-03-01T14:02:11.250Z".parse().unwrap();
        let id = OrderId::new(moment, [0xff; 10]);
        assert_eq!(id.as_uuid().get_version_num(), 7);
        assert_eq!(id.to_string(), "019ca9b4-e7b2-7fff-bfff-ffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn later_ids_sort_later() {
        let at = |ms| {
            EventId::new(Timestamp::from_millisecond(ms).unwrap(), [7; 10])
        };
        assert!(at(1_000) < at(1_001));
        assert_eq!(at(-1), at(0), "a moment before 1970 counts as 1970");
    }

    #[test]
    fn refuses_what_is_no_uuid() {
        assert!(
            "order-17"
                .parse::<OrderId>()
                .unwrap_err()
                .to_string()
                .starts_with("not a UUID")
        );
    }
}
