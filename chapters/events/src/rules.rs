//! The rules that several events share, as functions for garde's `custom`.
//! Each message says what the rule is and what was found, so that the reader of a log line needs no source code.

use std::fmt::Display;

use jiff::Timestamp;

use crate::error::clip;
use crate::ids::Id;

/// The first instant an event may claim, 2000-01-01: a machine whose clock was never set says 1970.
pub(crate) const FIRST_SECOND: i64 = 946_684_800;

/// A number from `min` to `max`, both allowed.
pub(crate) fn between<T: PartialOrd + Display>(
    min: T,
    max: T,
) -> impl FnOnce(&T, &()) -> garde::Result {
    move |value, ()| check_between(value, min, max)
}

/// As [`between`], where the rule has no use for its context either.
pub(crate) fn check_between<T: PartialOrd + Display>(
    value: &T,
    min: T,
    max: T,
) -> garde::Result {
    if *value < min {
        return Err(garde::Error::new(format!(
            "must be at least {min}, is {value}"
        )));
    }
    if *value > max {
        return Err(garde::Error::new(format!(
            "must be at most {max}, is {value}"
        )));
    }
    Ok(())
}

/// An id that was set. The nil id is what an empty field of another language becomes.
pub(crate) fn set<I: Id, C>(id: &I, _: &C) -> garde::Result {
    if id.is_nil() {
        return Err(garde::Error::new(
            "must not be the nil id, which names nothing",
        ));
    }
    Ok(())
}

/// An instant since 2000.
pub(crate) fn since_2000(time: &Timestamp, _: &()) -> garde::Result {
    if time.as_second() < FIRST_SECOND {
        return Err(garde::Error::new(format!(
            "must not be before the year 2000, is {time}: was the producer's clock set?"
        )));
    }
    Ok(())
}

/// 3 to 32 of `a-z`, `0-9` and `-`: a name to show that needs no escaping anywhere and is nobody's real one.
pub(crate) fn handle(handle: &str, _: &()) -> garde::Result {
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (3..=32).contains(&handle.len()) && handle.chars().all(allowed) {
        return Ok(());
    }
    let found = clip(handle);
    Err(garde::Error::new(format!(
        "must be 3 to 32 of a-z, 0-9 and '-', is \"{found}\""
    )))
}

/// Two capital letters, ISO 3166-1 alpha-2. Which of them exist is not for this crate to know: that list changes.
pub(crate) fn country(code: &str, _: &()) -> garde::Result {
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
    {
        return Ok(());
    }
    let found = clip(code);
    Err(garde::Error::new(format!(
        "must be two capital letters, is \"{found}\""
    )))
}

/// 3 to 24 of `A-Z`, `0-9` and `-`: an article number.
pub(crate) fn sku<C>(sku: &str, _: &C) -> garde::Result {
    let allowed =
        |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    if (3..=24).contains(&sku.len()) && sku.chars().all(allowed) {
        return Ok(());
    }
    let found = clip(sku);
    Err(garde::Error::new(format!(
        "must be 3 to 24 of A-Z, 0-9 and '-', is \"{found}\""
    )))
}
