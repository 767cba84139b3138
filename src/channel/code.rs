//! The code in a chat's answer.

use serde::Serialize;
use std::borrow::Cow;
use std::fmt;

/// A chat's own code: most chats have numbers, some have words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Code {
    Number(i64),
    /// ASCII letters, digits and underscores.
    Word(Cow<'static, str>),
}

impl From<i64> for Code {
    fn from(number: i64) -> Code {
        Code::Number(number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Code::Number(number) => number.fmt(f),
            Code::Word(word) => f.write_str(word),
        }
    }
}
