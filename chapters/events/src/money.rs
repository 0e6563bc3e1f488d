//! Money: a whole number of minor units and the currency they are units of.
//!
//! Not a float: 0.1 + 0.2 is not 0.3 there, and a sum depends on the order of its parts.
//! Not a bare integer either: 1300 is thirteen euros or thirteen hundred yen.

use std::fmt;
use std::str::FromStr;

use garde::Validate;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::rules;

/// The largest amount an event may carry, in minor units: 2^53 − 1.
/// Above it a reader that parses JSON numbers as doubles (JavaScript, jq, many others) sees another amount than was
/// written (RFC 8259, section 6).
pub const MAX_MINOR: i64 = 9_007_199_254_740_991;

/// A currency of the shop, by its ISO 4217 code.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "UPPERCASE", try_from = "String")]
pub enum Currency {
    /// Swiss franc.
    Chf,
    /// Euro.
    Eur,
    /// Pound sterling.
    Gbp,
    /// Yen: it has no minor unit.
    Jpy,
    /// Kuwaiti dinar: a thousand fils.
    Kwd,
    /// Swedish krona.
    Sek,
    /// US dollar.
    Usd,
}

impl Currency {
    /// Every currency the shop takes.
    pub const ALL: [Self; 7] = [
        Self::Chf,
        Self::Eur,
        Self::Gbp,
        Self::Jpy,
        Self::Kwd,
        Self::Sek,
        Self::Usd,
    ];

    /// The ISO 4217 code, three capital letters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Chf => "CHF",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Jpy => "JPY",
            Self::Kwd => "KWD",
            Self::Sek => "SEK",
            Self::Usd => "USD",
        }
    }

    /// How many decimal digits the minor unit takes: 2 for cents, 0 where there is none.
    pub const fn digits(self) -> u32 {
        match self {
            Self::Jpy => 0,
            Self::Kwd => 3,
            Self::Chf | Self::Eur | Self::Gbp | Self::Sek | Self::Usd => 2,
        }
    }

    /// How many minor units make one: 100 for cents.
    const fn scale(self) -> u64 {
        10_u64.pow(self.digits())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// A text that names none of the shop's currencies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not one of the shop's currencies (CHF, EUR, GBP, JPY, KWD, SEK, USD)"
)]
pub struct NotACurrency;

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|currency| currency.code() == code)
            .ok_or(NotACurrency)
    }
}

/// For serde: its own message for an enum does not say what the text should have been.
impl TryFrom<String> for Currency {
    type Error = NotACurrency;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        code.parse()
    }
}

// ANCHOR: money
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
/// An amount: a whole number of minor units (cents) of one currency.
#[derive(Serialize, Deserialize, Validate)]
pub struct Money {
    /// Minor units: 1299 is 12.99 EUR, and 1299 JPY.
    #[serde(deserialize_with = "whole_number")]
    #[garde(custom(rules::between(0, MAX_MINOR)))]
    pub minor: i64,
    /// What they are units of.
    #[garde(skip)]
    pub currency: Currency,
}

impl Money {
    /// This and `other` together.
    ///
    /// # Errors
    /// Different currencies, or a sum that no amount can hold.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor);
        self.with(minor)
    }
    // ANCHOR_END: money

    /// An amount of so many minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in this currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// This less `other`; may go below zero.
    ///
    /// # Errors
    /// Different currencies, or a difference that no amount can hold.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor);
        self.with(minor)
    }

    /// This so many times.
    ///
    /// # Errors
    /// A product that no amount can hold.
    pub fn times(self, count: i64) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(count);
        self.with(minor)
    }

    /// All of them together; zero of `currency` when there are none.
    ///
    /// # Errors
    /// One of another currency, or a sum that no amount can hold.
    pub fn sum(
        currency: Currency,
        amounts: impl IntoIterator<Item = Self>,
    ) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// Cuts this into `parts` parts that add up to it again and differ by one minor unit at most, the larger first:
    /// 10.00 EUR in three is 3.34, 3.33 and 3.33. No parts give an empty list.
    pub fn split(self, parts: u32) -> Vec<Self> {
        let count = i64::from(parts);
        let Some(each) = self.minor.checked_div_euclid(count) else {
            return Vec::new();
        };
        let larger = self.minor.rem_euclid(count);
        (0..count)
            .map(|n| Self::new(each + i64::from(n < larger), self.currency))
            .collect()
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch {
            left: self.currency,
            right: other.currency,
        })
    }

    fn with(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        let minor = minor
            .ok_or(MoneyError::Overflow { currency: self.currency })?;
        Ok(Self { minor, ..self })
    }
}

/// `12.99 EUR`, `-0.05 EUR`, `1300 JPY`, `1.250 KWD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = self.currency.scale();
        let digits = self.currency.digits() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let (whole, rest) = (
            self.minor.unsigned_abs() / scale,
            self.minor.unsigned_abs() % scale,
        );
        match digits {
            0 => write!(f, "{sign}{whole} {}", self.currency),
            _ => {
                write!(f, "{sign}{whole}.{rest:0digits$} {}", self.currency)
            }
        }
    }
}

/// A calculation with money that has no right answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Two amounts of different currencies meet.
    #[error(
        "{left} and {right} do not add up: convert one of them first, at a rate you can name"
    )]
    CurrencyMismatch {
        /// The currency on the left.
        left: Currency,
        /// The currency on the right.
        right: Currency,
    },
    /// The result does not fit into 64 bits of minor units.
    #[error("the result is more {currency} than an amount can hold")]
    Overflow {
        /// The currency of the amounts.
        currency: Currency,
    },
}

/// Reads an integer and says what it is for when it finds something else.
/// Without it, `12.99` would be answered with "expected i64", which tells a producer's author nothing.
fn whole_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<i64, D::Error> {
    struct WholeNumber;

    impl Visitor<'_> for WholeNumber {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(
                "a whole number of minor units, as in 1299 for 12.99 EUR",
            )
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
            Ok(value)
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
            i64::try_from(value).map_err(|_| {
                E::invalid_value(de::Unexpected::Unsigned(value), &self)
            })
        }
    }

    deserializer.deserialize_i64(WholeNumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_as_many_digits_as_the_currency_has() {
        let shown =
            |minor, currency| Money::new(minor, currency).to_string();
        assert_eq!(shown(1299, Currency::Eur), "12.99 EUR");
        assert_eq!(shown(-5, Currency::Eur), "-0.05 EUR");
        assert_eq!(shown(1300, Currency::Jpy), "1300 JPY");
        assert_eq!(shown(1250, Currency::Kwd), "1.250 KWD");
        assert_eq!(
            shown(i64::MIN, Currency::Jpy),
            "-9223372036854775808 JPY"
        );
    }

    /// claim: two-currencies-do-not-add
    #[test]
    fn refuses_to_add_yen_to_euros() {
        let error = Money::new(1300, Currency::Jpy)
            .plus(Money::new(5, Currency::Eur))
            .unwrap_err();
        assert_eq!(
            error,
            MoneyError::CurrencyMismatch {
                left: Currency::Jpy,
                right: Currency::Eur
            }
        );
        assert_eq!(
            error.to_string(),
            "JPY and EUR do not add up: convert one of them first, at a rate you can name"
        );
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let most = Money::new(i64::MAX, Currency::Usd);
        let overflow =
            Err(MoneyError::Overflow { currency: Currency::Usd });
        assert_eq!(most.plus(Money::new(1, Currency::Usd)), overflow);
        assert_eq!(
            Money::new(i64::MIN, Currency::Usd)
                .minus(Money::new(1, Currency::Usd)),
            overflow
        );
        assert_eq!(most.times(2), overflow);
    }

    #[test]
    fn splits_without_losing_a_cent() {
        let parts = Money::new(1000, Currency::Eur).split(3);
        assert_eq!(
            parts.iter().map(|part| part.minor).collect::<Vec<_>>(),
            [334, 333, 333]
        );
        assert_eq!(Money::new(1000, Currency::Eur).split(0), []);
    }

    #[test]
    fn a_code_is_read_back() {
        for currency in Currency::ALL {
            assert_eq!(currency.code().parse(), Ok(currency));
            let json = serde_json::to_value(currency).unwrap();
            assert_eq!(
                json,
                currency.code(),
                "JSON and Display must agree"
            );
        }
        assert_eq!("eur".parse::<Currency>(), Err(NotACurrency));
    }
}
