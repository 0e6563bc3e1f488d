//! What a reader typed.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::Deserialize;

use crate::output::ErrorAt;

/// What stands in the fields of a try: each input by its name in the manifest, as the text that the reader sees.
///
/// In JSON a list of names and texts: there are few, and a map would be more code in each module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Inputs(Vec<(String, String)>);

/// An input that a function cannot work with; the page shows it beside the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongInput {
    /// The input's name.
    pub input: String,
    /// What is wrong with it, and what it may be.
    pub message: String,
}

impl WrongInput {
    /// The input is wrong in this way.
    pub fn new(input: impl Into<String>, message: impl Into<String>) -> Self {
        Self { input: input.into(), message: message.into() }
    }
}

impl Inputs {
    /// The text of an input, as it stands.
    ///
    /// # Errors
    /// An input that the page did not send: manifest and function disagree about its name, which a test finds.
    pub fn text(&self, name: &str) -> Result<&str, WrongInput> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, text)| text.as_str())
            .ok_or_else(|| WrongInput::new(name, "the page sent no such input"))
    }

    /// A whole number of this range.
    ///
    /// # Errors
    /// What is no whole number, or outside of the range.
    pub fn number<N>(&self, name: &str, range: RangeInclusive<N>) -> Result<N, WrongInput>
    where
        N: FromStr + PartialOrd + Display,
    {
        let text = self.text(name)?.trim();
        let (first, last) = (range.start(), range.end());
        let found = if text.is_empty() { "nothing" } else { text };
        let outside = || WrongInput::new(name, format!("must be {first} to {last}, is {found}"));
        let number: N = text.parse().map_err(|_| outside())?;
        if range.contains(&number) { Ok(number) } else { Err(outside()) }
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Inputs {
    fn from(inputs: [(&str, &str); N]) -> Self {
        let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        Self(inputs.into_iter().map(owned).collect())
    }
}

impl From<WrongInput> for ErrorAt {
    fn from(wrong: WrongInput) -> Self {
        Self { input: wrong.input, path: String::new(), message: wrong.message, line: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_whole_and_in_its_range() {
        let number = |text| Inputs::from([("n", text)]).number("n", 0..=20_u64);
        assert_eq!((number("0"), number(" 20 ")), (Ok(0), Ok(20)));
        for (text, found) in
            [("21", "21"), ("-1", "-1"), ("1.5", "1.5"), ("", "nothing"), ("x", "x")]
        {
            let message = format!("must be 0 to 20, is {found}");
            assert_eq!(number(text), Err(WrongInput::new("n", message)));
        }
    }

    #[test]
    fn an_input_that_was_not_sent_is_named() {
        let error = Inputs::default().text("order").unwrap_err();
        assert_eq!(error, WrongInput::new("order", "the page sent no such input"));
    }
}
