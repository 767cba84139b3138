//! A call as it stands in an HTTP request.

use crate::refusal::Refusal;
use fake_http::http::Request;

/// The decoded parameters of a call, in the order of the request.
pub(crate) struct Parameters(pub(crate) Vec<(String, String)>);

impl Parameters {
    pub(crate) fn read(request: &Request) -> Parameters {
        let pairs = request.query_string().split('&');
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Parameters(pairs.collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let found = pairs.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| {
            let message = format!("The input parameter {name} that is mandatory is not supplied.");
            Refusal::new(400, "MissingParameter", message)
        })
    }

    /// Returns the values of `name.1`, `name.2` and so on, in the order of the request.
    pub(crate) fn numbered(&self, name: &str) -> Vec<String> {
        let pairs = self.0.iter().filter(|(known, _)| {
            let rest = known.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with('.'))
        });
        pairs.map(|(_, value)| value.clone()).collect()
    }

    /// Refuses names beside `known`, and names that stand there twice.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        for (at, (name, _)) in self.0.iter().enumerate() {
            let is_repeated = self.0.iter().take(at).any(|(before, _)| before == name);
            if is_repeated || !known.contains(&name.as_str()) {
                return Err(Refusal::parameter(name));
            }
        }
        Ok(())
    }

    /// Reads a list of at most 100 ids: a JSON array in one parameter.
    pub(crate) fn ids(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        match serde_json::from_str::<Vec<String>>(text) {
            Ok(ids) if ids.len() <= 100 => Ok(Some(ids)),
            _ => Err(Refusal::parameter(name)),
        }
    }
}

/// Decodes `%XX` once. A `+` stays: this is no form.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = (*first == b'%')
            .then(|| str::from_utf8(after.get(..2)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let length = match code {
            Some(code) => {
                bytes.push(code);
                3
            }
            None => {
                bytes.push(*first);
                1
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_once() {
        assert_eq!(decode("a%2Bb+c%253D%zz%"), "a+b+c%3D%zz%");
        assert_eq!(decode("%E5%9B%A2"), "团");
    }
}
