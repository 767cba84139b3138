//! Finds out which message a call was for.
//!
//! Requests to the other chats hold no key. But the function makes one request after the other, and
//! writes its lines as soon as a message is done: what came before the lines is of that message.

use std::time::Instant;

/// The oldest messages beyond this number are forgotten.
const MAX_MESSAGES: usize = 500;

/// Pairs what came with messages, by time.
pub struct Pairing<T> {
    told: Vec<Told>,
    waiting: Vec<(Instant, T)>,
}

/// A message of which the function wrote lines.
struct Told {
    at: Instant,
    uuid: String,
    /// The function writes one for each of the message's events.
    lines_left: u64,
}

impl<T> Default for Pairing<T> {
    fn default() -> Pairing<T> {
        Pairing {
            told: Vec::new(),
            waiting: Vec::new(),
        }
    }
}

impl<T> Pairing<T> {
    /// Notes a line of the function on the message with this key, which has so many events. Returns
    /// all that waited for it.
    pub fn tell(&mut self, at: Instant, uuid: &str, events: u64) -> Vec<T> {
        if let Some(last) = self.told.last_mut()
            && last.uuid == uuid
            && last.lines_left > 0
        {
            last.lines_left -= 1;
            return Vec::new();
        }
        if self.told.len() == MAX_MESSAGES {
            self.told.remove(0);
        }
        self.told.push(Told {
            at,
            uuid: uuid.to_owned(),
            lines_left: events.saturating_sub(1),
        });
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().map(|(_, what)| what).collect()
    }

    /// Returns the key of the message of what came at this moment. `None` if it must wait.
    pub fn find(&mut self, at: Instant, what: T) -> Option<(String, T)> {
        // It may be seen later than the lines.
        match self.told.iter().find(|told| told.at >= at) {
            Some(told) => Some((told.uuid.clone(), what)),
            None => {
                self.waiting.push((at, what));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_came_before_the_lines_of_a_message_is_of_it() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pairing = Pairing::default();
        assert_eq!(pairing.find(at(0), "first call"), None);
        assert_eq!(pairing.tell(at(10), "a", 2), ["first call"]);
        // The next request leaves before the other line of the first message is written.
        assert_eq!(pairing.find(at(11), "second call"), None);
        assert!(pairing.tell(at(12), "a", 2).is_empty());
        // The first message is seen late.
        let late = pairing.find(at(1), "first message");
        assert_eq!(late, Some(("a".to_owned(), "first message")));
        assert_eq!(pairing.find(at(13), "second message"), None);
        let both = pairing.tell(at(20), "b", 1);
        assert_eq!(both, ["second call", "second message"]);
        // The same events once more.
        assert_eq!(pairing.find(at(30), "third call"), None);
        assert_eq!(pairing.tell(at(31), "b", 1), ["third call"]);
    }
}
