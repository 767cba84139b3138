//! The form "Break": what can be wrong with a group, its chatbot, or the way to it.

use crate::settings::{FALLBACK_TOKEN, Settings, TOKEN};
use fake_dingtalk::{Behaviour, Fault, Group, State};

/// The token that the chatbot has while [`Mischief::Token`] goes on.
const OTHER_TOKEN: &str = "playground2222222222222222222222222222222222222222222222222222f00d";

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// Nothing.
    None,
    /// The chatbot got too many messages; it is banned for ten minutes.
    Throttled,
    /// The address got too many calls in; it is shut out for five minutes.
    Flood,
    /// The chatbot wants another keyword.
    Keyword,
    /// The function's clock is two hours behind DingTalk's.
    Clock,
    /// The chatbot's secret was reset.
    Secret,
    /// The chatbot's token is unknown.
    Token,
    /// The chatbot takes messages from one address only, which is another one.
    Address,
    /// Somebody stopped the chatbot.
    Stopped,
    /// Somebody took the chatbot out of the group.
    Removed,
    /// The group was dissolved.
    Dissolved,
    /// The content policy objects.
    Policy,
    /// HTTP 500.
    Http500,
    /// HTTP 200 with a page of HTML: something answers in DingTalk's place.
    Html,
    /// The next message is shown, but its answer never arrives.
    Lost,
    /// No answer, ever.
    Silent,
}

impl Mischief {
    /// All of them, in the order of the page.
    pub const ALL: [Mischief; 16] = [
        Mischief::None,
        Mischief::Throttled,
        Mischief::Keyword,
        Mischief::Secret,
        Mischief::Clock,
        Mischief::Token,
        Mischief::Stopped,
        Mischief::Removed,
        Mischief::Dissolved,
        Mischief::Address,
        Mischief::Policy,
        Mischief::Lost,
        Mischief::Silent,
        Mischief::Http500,
        Mischief::Html,
        Mischief::Flood,
    ];

    /// Its name on the wire.
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// The one of this name.
    pub fn by_name(name: &str) -> Option<Mischief> {
        Mischief::ALL
            .into_iter()
            .find(|mischief| mischief.name() == name)
    }

    /// Sets the group right according to `settings`, then does the mischief. Bans end with it.
    pub fn apply(self, group: &Group, settings: &Settings) {
        let [main, fallback] = settings.robots();
        for token in [TOKEN, OTHER_TOKEN] {
            group.configure(token, |robot| *robot = main.clone());
        }
        group.configure(FALLBACK_TOKEN, |robot| *robot = fallback);
        group.set_behaviour(Behaviour::default());
        group.set_clock_offset_ms(0);
        group.fault_always(TOKEN, None);
        forget_pace(group);
        let always = |fault| group.fault_always(TOKEN, Some(fault));
        let state = |state| group.configure(TOKEN, |robot| robot.state = state);
        match self {
            Mischief::None => {}
            Mischief::Throttled => group.configure(TOKEN, |robot| robot.limit = 0),
            Mischief::Flood => always(Fault::Flood1111),
            Mischief::Keyword => {
                group.configure(TOKEN, |robot| robot.keywords = vec!["报警".into()]);
            }
            Mischief::Clock => group.set_clock_offset_ms(2 * 60 * 60 * 1000),
            Mischief::Secret => {
                let other = format!("SEC{}", "reset0000000".repeat(5));
                group.configure(TOKEN, |robot| robot.secret = Some(other));
            }
            Mischief::Token => group.configure(TOKEN, |robot| robot.token = OTHER_TOKEN.into()),
            Mischief::Address => group.configure(TOKEN, |robot| {
                robot.ip_allow = Some(vec!["203.0.113.9".into()]);
            }),
            Mischief::Stopped => state(State::Stopped),
            Mischief::Removed => state(State::Removed),
            Mischief::Dissolved => state(State::GroupGone),
            Mischief::Policy => group.set_behaviour(Behaviour {
                unwanted: vec![("ECS".into(), 430104)],
                ..Behaviour::default()
            }),
            Mischief::Http500 => always(Fault::Status {
                code: 500,
                body: "<html>500 Internal Server Error</html>".into(),
                headers: Vec::new(),
            }),
            Mischief::Html => always(Fault::Html200),
            Mischief::Lost => always(Fault::AcceptThenReset),
            Mischief::Silent => always(Fault::NeverAnswer),
        }
    }
}

/// Begins the chatbots' minute anew.
pub fn forget_pace(group: &Group) {
    for token in [TOKEN, FALLBACK_TOKEN, OTHER_TOKEN] {
        group.forget_pace(token);
    }
}
