//! The function as it is deployed, but for its clock: a chatbot's pace costs it no time, see
//! [`benches::lapse`]. With it ten thousand real deliveries can be watched in seconds.

use benches::lapse::Lapse;
use ecs_dingtalk_notifier::clock::Clock;
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::courier::Courier;
use ecs_dingtalk_notifier::dingtalk::{Client, Options};
use ecs_dingtalk_notifier::fc;
use ecs_dingtalk_notifier::log::Log;
use ecs_dingtalk_notifier::notifier::{Function, Notifier};
use std::error::Error;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::from_vars(std::env::vars()).map_err(|faults| {
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        told.join("\n")
    })?;
    let options = Options::from_env(|name| std::env::var(name).ok())
        .map_err(|problems| problems.join("\n"))?;
    let clock: Arc<dyn Clock> = Arc::new(Lapse::running());
    let client = Client::new(Arc::clone(&clock), options)?;
    let courier = Courier::new(&config.routes, client, Arc::clone(&clock));
    let notifier = Notifier::new(config, courier, clock, Log::stdout());
    fc::run(Function::Ready(Box::new(notifier)))?;
    Ok(())
}
