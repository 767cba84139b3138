//! The form "Break": faults of the group, its chatbot, and the network between.

use crate::chats::{ANSWER_TIME, Groups, facts};
use crate::clock::MovableClock;
use crate::settings::Settings;
use ecs_dingtalk_notifier::channel::Chat;
use fake_chats::Fault as ChatFault;
use fake_dingtalk::{Behaviour, Fault, Group, State};
use std::time::Duration;

/// The chatbot's token in DingTalk while [`GroupFault::Token`] is set.
const OTHER_TOKEN: &str = "playground2222222222222222222222222222222222222222222222222222f00d";
/// The same of Slack's, whose last part is the secret.
const OTHER_SECRET: &str = "T0PLAYGRND/B0PLAYGRND/playground6666666666f00d";
/// The keyword while [`GroupFault::Keyword`] is set.
const OTHER_KEYWORD: &str = "报警";
/// The only address whose messages are accepted while [`GroupFault::Address`] is set.
const OTHER_ADDRESS: &str = "203.0.113.9";
/// How far the chat's clock is ahead while [`GroupFault::Clock`] is set.
const CLOCK_OFF_MS: i64 = 2 * 60 * 60 * 1000;
/// How long Slack tells a client to wait.
const SLACK_PAUSE: Duration = Duration::from_secs(60);

/// One fault at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupFault {
    /// No fault.
    None,
    /// The chatbot got too many messages.
    Throttled,
    /// The client's address made too many calls and is banned for five minutes.
    Flood,
    /// The chatbot requires another keyword.
    Keyword,
    /// The function's clock is two hours behind the chat's.
    Clock,
    /// The chatbot's secret was reset.
    Secret,
    /// The webhook's token is unknown.
    Token,
    /// The chatbot accepts messages from another address only.
    Address,
    /// The chatbot was disabled.
    Stopped,
    /// The chatbot was removed from the group.
    Removed,
    /// The group was dissolved, the channel deleted.
    Dissolved,
    /// The channel is archived.
    Archived,
    /// The workspace forbids the post.
    Forbidden,
    /// Nobody whom the message mentions is known to the chatbot.
    Mention,
    /// The next message is refused in its usual form.
    Blocks,
    /// The content policy refuses the message.
    Policy,
    /// The chat says that it is busy.
    Busy,
    /// A server answers HTTP 500.
    Http500,
    /// Another server answers HTTP 200 with an HTML page.
    Html,
    /// The next message is shown, but its answer is lost.
    Lost,
    /// The chatbot never answers.
    Silent,
    /// Every connection breaks once the request was sent.
    Reset,
}

use GroupFault::{
    Address, Archived, Blocks, Busy, Clock, Dissolved, Flood, Forbidden, Html, Http500, Keyword,
    Lost, Mention, None as NoFault, Policy, Removed, Reset, Secret, Silent, Stopped, Throttled,
    Token,
};

/// The faults of each chat in the page's order.
const DINGTALK: [GroupFault; 16] = [
    NoFault, Throttled, Keyword, Secret, Clock, Token, Stopped, Removed, Dissolved, Address,
    Policy, Lost, Silent, Http500, Html, Flood,
];
const LARK: [GroupFault; 13] = [
    NoFault, Throttled, Keyword, Secret, Clock, Token, Address, Mention, Lost, Silent, Reset, Busy,
    Html,
];
const WECOM: [GroupFault; 11] = [
    NoFault, Throttled, Token, Stopped, Removed, Lost, Silent, Reset, Busy, Http500, Html,
];
const SLACK: [GroupFault; 14] = [
    NoFault, Throttled, Token, Stopped, Dissolved, Archived, Forbidden, Blocks, Lost, Silent,
    Reset, Busy, Http500, Html,
];

impl GroupFault {
    /// Returns the faults of a chat in the page's order.
    pub fn of(chat: Chat) -> &'static [GroupFault] {
        match chat {
            Chat::DingTalk => &DINGTALK,
            Chat::Lark => &LARK,
            Chat::WeCom => &WECOM,
            Chat::Slack => &SLACK,
        }
    }

    /// Returns the name that the page uses.
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Returns the fault of this name, if the chat has it.
    pub fn by_name(chat: Chat, name: &str) -> Option<GroupFault> {
        let mut of_chat = GroupFault::of(chat).iter();
        of_chat.find(|fault| fault.name() == name).copied()
    }

    /// Returns true if only the next call has the fault.
    pub fn is_over_after_one_call(self) -> bool {
        [Lost, Blocks].contains(&self)
    }

    /// Resets the group to `settings`, which ends bans, then applies the fault.
    pub fn apply(self, groups: &Groups, settings: &Settings, clock: &MovableClock) {
        match groups.other(settings.chat) {
            None => self.apply_to_dingtalk(&groups.dingtalk, settings),
            Some(other) => self.apply_to_other(other, settings),
        }
        groups.reset_rate_limits();
        self.apply_clock(groups, settings.chat, clock);
    }

    fn apply_to_dingtalk(self, group: &Group, settings: &Settings) {
        let [token, fallback_token] = facts(Chat::DingTalk).tokens;
        let [main, fallback] = settings.dingtalk_robots();
        for token in [token, OTHER_TOKEN] {
            group.configure(token, |robot| *robot = main.clone());
        }
        group.configure(fallback_token, |robot| *robot = fallback);
        group.reset_rate_limit(OTHER_TOKEN);
        group.set_behaviour(Behaviour::default());
        group.set_standing_fault(token, None);
        let always = |fault| group.set_standing_fault(token, Some(fault));
        let state = |state| group.configure(token, |robot| robot.state = state);
        match self {
            Throttled => group.configure(token, |robot| robot.limit = 0),
            Flood => always(Fault::Flood1111),
            Keyword => group.configure(token, |robot| robot.keywords = vec![OTHER_KEYWORD.into()]),
            Secret => {
                let other = format!("SEC{}", "reset0000000".repeat(5));
                group.configure(token, |robot| robot.secret = Some(other));
            }
            Token => group.configure(token, |robot| robot.token = OTHER_TOKEN.into()),
            Address => group.configure(token, |robot| {
                robot.ip_allow = Some(vec![OTHER_ADDRESS.into()]);
            }),
            Stopped => state(State::Stopped),
            Removed => state(State::Removed),
            Dissolved => state(State::GroupGone),
            Policy => group.set_behaviour(Behaviour {
                unwanted: vec![("ECS".into(), 430104)],
                ..Behaviour::default()
            }),
            Http500 => always(Fault::Status {
                code: 500,
                body: "<html>500 Internal Server Error</html>".into(),
                headers: Vec::new(),
            }),
            Html => always(Fault::Html200),
            Lost => always(Fault::AcceptThenReset),
            Silent => always(Fault::NeverAnswer),
            // The clock comes later, and DingTalk has no other.
            _ => {}
        }
    }

    fn apply_to_other(self, chat: &fake_chats::Chat, settings: &Settings) {
        use fake_chats::State;
        let [token, fallback_token] = facts(settings.chat).tokens;
        let [main, fallback] = settings.other_robots();
        for token in [token, OTHER_SECRET] {
            chat.configure(token, |robot| *robot = main.clone());
        }
        chat.configure(fallback_token, |robot| *robot = fallback);
        chat.set_behaviour(fake_chats::Behaviour {
            delay: ANSWER_TIME,
            pause: SLACK_PAUSE,
            ..fake_chats::Behaviour::default()
        });
        chat.set_standing_fault(token, None);
        let always = |fault| chat.set_standing_fault(token, Some(fault));
        let state = |state| chat.configure(token, |robot| robot.state = state);
        match self {
            Throttled => chat.configure(token, |robot| {
                robot.limits = Some(vec![(0, Duration::from_secs(60))]);
            }),
            Keyword => chat.configure(token, |robot| robot.keywords = vec![OTHER_KEYWORD.into()]),
            Secret => chat.configure(token, |robot| robot.secret = Some("reset".repeat(5))),
            // Slack tells an unknown secret from an unknown webhook.
            Token if settings.chat == Chat::Slack => {
                chat.configure(token, |robot| robot.token = OTHER_SECRET.into());
            }
            Token => state(State::Removed),
            Address => chat.configure(token, |robot| {
                robot.ip_allow = Some(vec![OTHER_ADDRESS.into()]);
            }),
            Stopped => state(State::Stopped),
            Removed | Dissolved => state(State::GroupGone),
            Archived => state(State::Archived),
            Forbidden => state(State::Forbidden),
            Mention => chat.configure(token, |robot| {
                robot.members = vec!["ou_somebody_else".into()];
                robot.may_mention_all = false;
            }),
            Blocks => always(ChatFault::word(400, "invalid_blocks")),
            Busy => always(match settings.chat {
                Chat::Slack => ChatFault::word(500, "rollup_error"),
                Chat::WeCom => ChatFault::code(-1, "system busy"),
                _ => ChatFault::code(5000, "internal error"),
            }),
            Http500 => always(ChatFault::status(500)),
            Html => always(ChatFault::Html200),
            Lost => always(ChatFault::AcceptThenReset),
            Silent => always(ChatFault::NeverAnswer),
            Reset => always(ChatFault::ResetAfterReading),
            // The clock comes later; the rest is DingTalk's.
            NoFault | Clock | Flood | Policy => {}
        }
    }

    /// Ends a fault that only one call had.
    pub fn end(groups: &Groups, chat: Chat) {
        let [token, _] = facts(chat).tokens;
        match groups.other(chat) {
            None => groups.dingtalk.set_standing_fault(token, None),
            Some(other) => other.set_standing_fault(token, None),
        }
    }

    /// Lets the groups follow the clock, as far as the fault allows it.
    pub fn apply_clock(self, groups: &Groups, chat: Chat, clock: &MovableClock) {
        groups.apply_clock(clock);
        if self == Clock {
            let ahead = clock.ahead_ms() + CLOCK_OFF_MS;
            match groups.other(chat) {
                None => groups.dingtalk.set_clock_offset_ms(ahead),
                Some(other) => other.set_clock_offset_ms(ahead),
            }
        }
    }
}
