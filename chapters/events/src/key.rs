//! Which key an event goes by.

use std::fmt;

use crate::ids::{OrderId, UserId};

// ANCHOR: key
/// What a record is keyed by. Kafka keeps order among records of one key
/// and no others, so a key names the thing whose story must stay in order.
///
/// There is no way from a `PaymentId` to a key: two payments of one order
/// would land in two partitions, and a refund could be read before the
/// payment that it returns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl From<UserId> for Key {
    fn from(id: UserId) -> Self {
        Self(id.to_string())
    }
}

impl From<OrderId> for Key {
    fn from(id: OrderId) -> Self {
        Self(id.to_string())
    }
}
// ANCHOR_END: key

/// ```compile_fail
/// let id: events::PaymentId = "019ca7a4-3b00-7c1e-9d5b-2f60a1c4e8b7".parse()?;
/// let key = events::Key::from(id); // the trait `From<PaymentId>` is not implemented for `Key`
/// # Ok::<(), events::NotAnId>(())
/// ```
///
/// ```
/// let id: events::OrderId = "019ca7a4-3b00-7c1e-9d5b-2f60a1c4e8b7".parse()?;
/// let key = events::Key::from(id);
/// # Ok::<(), events::NotAnId>(())
/// ```
impl Key {
    /// The key as text: the id in its canonical form, since a partitioner hashes bytes and sees another key in
    /// upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
