//! Whose resource it is, where that is not plain.

use super::renderer::Renderer;
use super::{Foreign, Text};
use crate::event::Event;

/// Longest name or id of an account that is shown, in characters.
const MAX_ACCOUNT: usize = 64;

impl Renderer<'_> {
    /// The account of the event's resource; `None` where it needs no mention.
    pub(super) fn account(&self, event: &Event) -> Option<Text> {
        let id = event.account.as_deref()?;
        self.is_shown(id).then(|| self.name_and_id(id))?
    }

    /// The accounts of the events; `None` where none of them needs mention.
    ///
    /// One that needs none is named beside one that does: it owns some of the resources.
    pub(super) fn accounts(&self, events: &[&Event]) -> Option<Text> {
        let ids = || events.iter().filter_map(|event| event.account.as_deref());
        let is_any_shown = ids().any(|id| self.is_shown(id));
        is_any_shown.then(|| self.first_few(ids(), |id| self.name_and_id(id)))?
    }

    /// Returns true for an account with a name, and for one that is not the function's own.
    fn is_shown(&self, id: &str) -> bool {
        let accounts = &self.options.accounts;
        let is_foreign = accounts.own.as_deref().is_some_and(|own| own != id);
        accounts.names.contains_key(id) || is_foreign
    }

    fn name_and_id(&self, id: &str) -> Option<Text> {
        let name = self.options.accounts.names.get(id);
        let name = name.and_then(|name| Foreign::new(name, MAX_ACCOUNT));
        self.name_with_id(name, Foreign::new(id, MAX_ACCOUNT))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AccountNames, Language, RenderOptions};
    use super::*;
    use crate::testing;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    fn event(account: &str) -> Event {
        Event {
            account: Some(account.into()),
            ..testing::event(1)
        }
    }

    fn shown(accounts: &[&str], own: Option<&str>, names: &[(&str, &str)]) -> [Option<String>; 2] {
        let names = names
            .iter()
            .map(|(id, name)| (id.to_string(), name.to_string()));
        let options = RenderOptions {
            accounts: AccountNames {
                own: own.map(str::to_owned),
                names: names.collect(),
            },
            ..RenderOptions::new(Language::En, TimeZone::UTC)
        };
        let renderer = Renderer {
            options: &options,
            now: Timestamp::UNIX_EPOCH,
            limit: usize::MAX,
        };
        let events: Vec<Event> = accounts.iter().map(|account| event(account)).collect();
        let events: Vec<&Event> = events.iter().collect();
        let single = renderer.account(events[0]);
        [single, renderer.accounts(&events)].map(|text| Some(text?.to_string()))
    }

    #[test]
    fn an_account_is_shown_if_it_has_a_name_or_is_another() {
        let prod = [("1", "prod")];
        for (account, own, names, expected) in [
            ("1", Some("1"), &prod[..], Some("prod (1)")),
            ("1", None, &prod, Some("prod (1)")),
            ("2", Some("1"), &prod, Some("2")),
            ("1", Some("1"), &[], None),
            // Whose the function is, is not known.
            ("2", None, &prod, None),
            ("1", Some("1"), &[("1", "\u{200b}")], Some("1")),
        ] {
            let expected = expected.map(str::to_owned);
            let both = [expected.clone(), expected];
            assert_eq!(shown(&[account], own, names), both, "{account} {own:?}");
        }
    }

    #[test]
    fn accounts_of_several_events_are_named_once_and_five_at_most() {
        let several = |accounts: &[&str]| shown(accounts, Some("1"), &[("2", "prod")])[1].clone();
        assert_eq!(several(&["1", "1"]), None);
        assert_eq!(several(&["2", "1", "2"]).unwrap(), "1, prod (2)");
        let many = several(&["1", "2", "3", "4", "5", "6"]);
        assert_eq!(many.unwrap(), "1, prod (2), 3, 4, 5 …");
    }
}
