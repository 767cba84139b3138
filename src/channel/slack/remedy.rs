//! What to change and where, as far as it is of this chat.

use crate::channel::Variables;
use crate::channel::answer::Meaning;

/// Returns the remedy for an answer.
pub(super) fn answered(meaning: Meaning, variables: &Variables) -> String {
    let webhook = &variables.webhook;
    match meaning {
        Meaning::Token => format!(
            "Slack does not take this webhook's token: create the webhook anew on the app's page \"Incoming Webhooks\" and set {webhook} to it"
        ),
        Meaning::Removed | Meaning::Stopped => format!(
            "the webhook was removed or its app is no longer installed: install the app again, create a webhook and set {webhook} to it"
        ),
        Meaning::GroupGone => format!(
            "the channel is archived or gone, or the app is not in it: bring it back and invite the app, or create a webhook for another channel and set {webhook} to it"
        ),
        Meaning::Policy => format!(
            "a rule of the workspace forbids the app to post there: have an owner allow it, or create a webhook for another channel and set {webhook} to it"
        ),
        Meaning::TooLong => {
            "the message is longer than Slack takes: send fewer events in one message".into()
        }
        Meaning::Endpoint => format!(
            "the address is not an incoming webhook's: copy the URL (https://hooks.slack.com/services/…) from the app's page \"Incoming Webhooks\" into {webhook} again"
        ),
        _ => format!(
            "Slack refuses for a reason that this program does not know: see its word, and check the app and the channel that {webhook} leads to"
        ),
    }
}
