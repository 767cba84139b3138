//! The form "Break": faults of the group, its chatbot, and the network between.

use crate::clock::MovableClock;
use crate::settings::{FALLBACK_TOKEN, Settings, TOKEN};
use fake_dingtalk::{Behaviour, Fault, Group, State};

/// The chatbot's token while [`GroupFault::Token`] is set.
const OTHER_TOKEN: &str = "playground2222222222222222222222222222222222222222222222222222f00d";

/// One fault at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupFault {
    /// No fault.
    None,
    /// The chatbot got too many messages and is banned for ten minutes.
    Throttled,
    /// The client's address made too many calls and is banned for five minutes.
    Flood,
    /// The chatbot requires another keyword.
    Keyword,
    /// The function's clock is two hours behind DingTalk's.
    Clock,
    /// The chatbot's secret was reset.
    Secret,
    /// The chatbot's token is unknown.
    Token,
    /// The chatbot accepts messages from another address only.
    Address,
    /// The chatbot was disabled.
    Stopped,
    /// The chatbot was removed from the group.
    Removed,
    /// The group was dissolved.
    Dissolved,
    /// The content policy refuses the message.
    Policy,
    /// A server answers HTTP 500.
    Http500,
    /// Another server answers HTTP 200 with an HTML page.
    Html,
    /// The next message is shown, but its answer is lost.
    Lost,
    /// The chatbot never answers.
    Silent,
}

impl GroupFault {
    /// All faults in the page's order.
    pub const ALL: [GroupFault; 16] = [
        GroupFault::None,
        GroupFault::Throttled,
        GroupFault::Keyword,
        GroupFault::Secret,
        GroupFault::Clock,
        GroupFault::Token,
        GroupFault::Stopped,
        GroupFault::Removed,
        GroupFault::Dissolved,
        GroupFault::Address,
        GroupFault::Policy,
        GroupFault::Lost,
        GroupFault::Silent,
        GroupFault::Http500,
        GroupFault::Html,
        GroupFault::Flood,
    ];

    /// Returns the name that the page uses.
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Returns the fault of this name.
    pub fn by_name(name: &str) -> Option<GroupFault> {
        GroupFault::ALL
            .into_iter()
            .find(|fault| fault.name() == name)
    }

    /// Resets the group to `settings`, which ends bans, then applies the fault.
    pub fn apply(self, group: &Group, settings: &Settings, clock: &MovableClock) {
        let [main, fallback] = settings.robots();
        for token in [TOKEN, OTHER_TOKEN] {
            group.configure(token, |robot| *robot = main.clone());
        }
        group.configure(FALLBACK_TOKEN, |robot| *robot = fallback);
        group.set_behaviour(Behaviour::default());
        self.apply_clock(group, clock);
        group.set_standing_fault(TOKEN, None);
        reset_rate_limits(group);
        let always = |fault| group.set_standing_fault(TOKEN, Some(fault));
        let state = |state| group.configure(TOKEN, |robot| robot.state = state);
        match self {
            GroupFault::None | GroupFault::Clock => {}
            GroupFault::Throttled => group.configure(TOKEN, |robot| robot.limit = 0),
            GroupFault::Flood => always(Fault::Flood1111),
            GroupFault::Keyword => {
                group.configure(TOKEN, |robot| robot.keywords = vec!["报警".into()]);
            }
            GroupFault::Secret => {
                let other = format!("SEC{}", "reset0000000".repeat(5));
                group.configure(TOKEN, |robot| robot.secret = Some(other));
            }
            GroupFault::Token => group.configure(TOKEN, |robot| robot.token = OTHER_TOKEN.into()),
            GroupFault::Address => group.configure(TOKEN, |robot| {
                robot.ip_allow = Some(vec!["203.0.113.9".into()]);
            }),
            GroupFault::Stopped => state(State::Stopped),
            GroupFault::Removed => state(State::Removed),
            GroupFault::Dissolved => state(State::GroupGone),
            GroupFault::Policy => group.set_behaviour(Behaviour {
                unwanted: vec![("ECS".into(), 430104)],
                ..Behaviour::default()
            }),
            GroupFault::Http500 => always(Fault::Status {
                code: 500,
                body: "<html>500 Internal Server Error</html>".into(),
                headers: Vec::new(),
            }),
            GroupFault::Html => always(Fault::Html200),
            GroupFault::Lost => always(Fault::AcceptThenReset),
            GroupFault::Silent => always(Fault::NeverAnswer),
        }
    }

    /// Lets the group follow the clock, as far as the fault allows it.
    pub fn apply_clock(self, group: &Group, clock: &MovableClock) {
        let off_ms = match self {
            GroupFault::Clock => 2 * 60 * 60 * 1000,
            _ => 0,
        };
        group.set_clock_offset_ms(clock.ahead_ms() + off_ms);
    }
}

/// Resets the rate limits of all chatbots.
pub fn reset_rate_limits(group: &Group) {
    for token in [TOKEN, FALLBACK_TOKEN, OTHER_TOKEN] {
        group.reset_rate_limit(token);
    }
}
