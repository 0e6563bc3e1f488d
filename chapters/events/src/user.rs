//! What happens to users.

use garde::{Path, Report, Validate};
use serde::{Deserialize, Serialize};

use crate::decode::Json;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::event::{Event, topics};
use crate::ids::UserId;
use crate::key::Key;
use crate::rules;

/// Something happened to a user.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", content = "data")]
pub enum UserEvent {
    /// Somebody opened an account.
    #[serde(rename = "user_registered")]
    Registered(UserRegistered),
    /// A user took another handle.
    #[serde(rename = "user_renamed")]
    Renamed(UserRenamed),
    /// A user closed the account.
    #[serde(rename = "user_closed")]
    Closed(UserClosed),
}

/// Somebody opened an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct UserRegistered {
    /// The new user.
    #[garde(custom(rules::set))]
    pub user_id: UserId,
    /// The name to show: 3 to 32 of `a-z`, `0-9` and `-`.
    #[garde(custom(rules::handle))]
    pub handle: String,
    /// Where the user orders from: two capital letters, ISO 3166-1 alpha-2.
    #[garde(custom(rules::country))]
    pub country: String,
}

/// A user took another handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct UserRenamed {
    /// The user.
    #[garde(custom(rules::set))]
    pub user_id: UserId,
    /// The new name to show: 3 to 32 of `a-z`, `0-9` and `-`.
    #[garde(custom(rules::handle))]
    pub handle: String,
}

/// A user closed the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct UserClosed {
    /// The user.
    #[garde(custom(rules::set))]
    pub user_id: UserId,
}

impl UserEvent {
    /// The user it happened to.
    pub fn user_id(&self) -> UserId {
        match self {
            Self::Registered(event) => event.user_id,
            Self::Renamed(event) => event.user_id,
            Self::Closed(event) => event.user_id,
        }
    }
}

impl Event for UserEvent {
    fn types() -> Vec<&'static str> {
        vec!["user_registered", "user_renamed", "user_closed"]
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Registered(_) => "user_registered",
            Self::Renamed(_) => "user_renamed",
            Self::Closed(_) => "user_closed",
        }
    }

    fn topic(&self) -> &'static str {
        topics::USERS
    }

    /// By user: a handle taken after another must be read after it.
    fn key(&self) -> Key {
        self.user_id().into()
    }

    fn decode(
        type_name: &str,
        json: Json<'_>,
    ) -> Option<Result<Envelope<Self>, Error>> {
        match type_name {
            "user_registered" => Some(json.read(Self::Registered)),
            "user_renamed" => Some(json.read(Self::Renamed)),
            "user_closed" => Some(json.read(Self::Closed)),
            _ => None,
        }
    }
}

/// By hand, for the variant is no level of the JSON text.
impl Validate for UserEvent {
    type Context = ();

    fn validate_into(
        &self,
        ctx: &(),
        parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        match self {
            Self::Registered(event) => {
                event.validate_into(ctx, parent, report)
            }
            Self::Renamed(event) => {
                event.validate_into(ctx, parent, report)
            }
            Self::Closed(event) => event.validate_into(ctx, parent, report),
        }
    }
}
