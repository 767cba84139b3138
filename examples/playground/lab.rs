//! The groups, the ECS API, the function, and the operations of the page on them.

mod watch;

use crate::chats::{Groups, facts, id};
use crate::clock::{Goal, MovableClock};
use crate::cloud::{self, Access};
use crate::faults::GroupFault;
use crate::function::{Swap, function};
use crate::invocations::{Answer, Invocations, milliseconds};
use crate::journal::Journal;
use crate::maintenance;
use crate::samples::{self, Sample};
use crate::settings::{Problem, Settings};
use ecs_dingtalk_notifier::channel::Chat;
use ecs_dingtalk_notifier::config::{Config, KNOWN};
use fake_aliyun::{Cloud, Identity};
use fc_runtime as fc;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

/// The function's timeout in seconds, as in `s.yaml`.
const TIMEOUT: &str = "60";
/// The function's region.
const REGION: &str = "cn-hangzhou";
/// The groups, the ECS API and the function, with what the page shows of them.
pub struct Lab {
    /// The stand-ins for the chats.
    pub groups: Groups,
    /// The stand-in for the ECS API.
    pub cloud: Cloud,
    /// What all of them, and the function, take for the time.
    pub clock: Arc<MovableClock>,
    /// The entries for the page.
    pub journal: Arc<Journal>,
    /// Every invocation so far.
    pub invocations: Arc<Invocations>,
    /// The sample events.
    pub samples: Vec<Sample>,
    /// Identifies this process: the time of its start.
    pub run: i64,
    start: Timestamp,
    /// The number of messages so far.
    messages: AtomicUsize,
    swap: Arc<Swap>,
    address: SocketAddr,
    shutdown: fc::Shutdown,
    agent: ureq::Agent,
    state: Mutex<State>,
}

struct State {
    settings: Settings,
    /// The zone of the messages, in which the page shows times.
    zone: TimeZone,
    fault: GroupFault,
    access: Access,
    /// Until when the function sends nothing to its chatbot because of a ban.
    banned_until: Option<SystemTime>,
    /// The payload that was sent last, for a repeat.
    last: Option<String>,
}

impl Lab {
    /// Starts the groups, the ECS API and the function, which sends to this chat. The function listens on port 9000, as on the
    /// platform, or on a free port if that one is taken.
    ///
    /// # Errors
    /// If the environment's configuration has faults, or there is no port to listen on.
    pub fn start(chat: Chat) -> Result<(Arc<Lab>, JoinHandle<()>), Box<dyn Error>> {
        let groups = Groups::start()?;
        let settings = Settings::from_environment(chat);
        let cloud = cloud::start();
        let config = settings.config(&groups, &cloud);
        let config = config.map_err(|problem| problem.text())?;
        let zone = zone(&config);
        let clock = Arc::new(MovableClock::default());
        let start = clock.time();
        maintenance::update(&cloud, start, start);
        for chat in Chat::ALL {
            let settings = settings.in_chat(chat);
            GroupFault::None.apply(&groups, &settings, &clock);
        }
        let journal = Arc::new(Journal::default());
        let invocations = Invocations::new(Arc::clone(&clock), Arc::clone(&journal));
        let invocations = Arc::new(invocations);
        let first = function(config, &clock, Arc::clone(&invocations));
        let swap = Arc::new(Swap::new(first, Arc::clone(&invocations)));
        let listener =
            TcpListener::bind("127.0.0.1:9000").or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
        let lab = Arc::new(Lab {
            groups,
            cloud,
            clock,
            journal,
            invocations,
            samples: samples::all()?,
            run: start.as_millisecond(),
            start,
            messages: AtomicUsize::new(0),
            swap: Arc::clone(&swap),
            address: listener.local_addr()?,
            shutdown: fc::Shutdown::new()?,
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .max_idle_connections_per_host(crate::burst::CONCURRENCY)
                .build()
                .into(),
            state: Mutex::new(State {
                settings,
                zone,
                fault: GroupFault::None,
                access: Access::Role,
                banned_until: None,
                last: None,
            }),
        });
        let shutdown = lab.shutdown.clone();
        let server = std::thread::spawn(move || {
            fc::serve(listener, swap, shutdown, fc::Limits::default());
        });
        for chat in Chat::ALL {
            let watcher = Arc::clone(&lab);
            std::thread::spawn(move || watcher.watch(chat));
        }
        Ok((lab, server))
    }

    /// Returns the URL of the function's `/invoke`.
    pub fn invoke_url(&self) -> String {
        format!("http://{}/invoke", self.address)
    }

    /// Stops the function after its invocations in flight.
    pub fn stop(&self) {
        self.shutdown.request();
    }

    /// Posts a payload as the platform does. Returns the answer.
    pub fn fire(&self, payload: &str, burst: Option<usize>) -> Answer {
        if burst.is_none() {
            self.lock().last = Some(payload.to_owned());
        }
        let (number, request_id) = self.invocations.announce(payload, burst);
        let access = self.lock().access;
        maintenance::update(&self.cloud, self.start, self.clock.time());
        let identity = access.identity(&self.cloud);
        let mut answer = self
            .post(payload, &request_id, identity.as_ref())
            .unwrap_or_else(|error| Answer {
                body: error.to_string(),
                ..Answer::default()
            });
        if let Some(identity) = &identity {
            answer.api_calls = Some(cloud::calls_of(&self.cloud, identity));
            self.cloud.forget(identity);
        }
        self.invocations.complete(number, answer.clone());
        answer
    }

    fn post(
        &self,
        payload: &str,
        request_id: &str,
        identity: Option<&Identity>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = self
            .agent
            .post(self.invoke_url())
            .header("content-type", "application/octet-stream")
            .header("x-fc-request-id", request_id)
            .header("x-fc-function-timeout", TIMEOUT)
            .header("x-fc-region", REGION);
        // No x-fc-account-id: the samples are of several accounts, and a function that knows its
        // own looks nothing up in others.
        if let Some(identity) = identity {
            request = request
                .header("x-fc-access-key-id", &identity.id)
                .header("x-fc-access-key-secret", &identity.secret)
                .header(
                    "x-fc-security-token",
                    identity.token.as_deref().unwrap_or_default(),
                );
        }
        let mut answer = request.send(payload)?;
        let headers = answer.headers().iter();
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: headers
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes());
                    (name.to_string(), value.into_owned())
                })
                .collect(),
            body: answer.body_mut().read_to_string()?,
            ..Answer::default()
        })
    }

    /// Returns the payload that was sent last.
    pub fn last(&self) -> Option<String> {
        self.lock().last.clone()
    }

    /// Applies new settings to the group and replaces the function.
    ///
    /// # Errors
    /// If the settings are invalid; nothing has changed then.
    pub fn configure(&self, settings: Settings) -> Result<(), Problem> {
        let mut state = self.lock();
        self.apply(&mut state, settings)
    }

    /// Moves the group to another chat, and replaces the function by one for it.
    ///
    /// # Errors
    /// If the settings are invalid there; nothing has changed then.
    pub fn set_chat(&self, chat: Chat) -> Result<(), Problem> {
        let mut state = self.lock();
        let settings = state.settings.in_chat(chat);
        self.apply(&mut state, settings)
    }

    fn apply(&self, state: &mut State, settings: Settings) -> Result<(), Problem> {
        let config = settings.config(&self.groups, &self.cloud)?;
        let is_other = settings.chat != state.settings.chat;
        if is_other {
            GroupFault::None.apply(&self.groups, &state.settings, &self.clock);
        }
        let fault = match state.fault {
            // A chat's faults are its own, and a wrong clock has no effect without signatures.
            _ if is_other => GroupFault::None,
            GroupFault::Clock if settings.secret().is_none() => GroupFault::None,
            fault => fault,
        };
        state.zone = zone(&config);
        self.replace_function(state, config);
        fault.apply(&self.groups, &settings, &self.clock);
        state.fault = fault;
        state.settings = settings;
        self.publish(state);
        Ok(())
    }

    /// Returns the group's chat.
    pub fn chat(&self) -> Chat {
        self.lock().settings.chat
    }

    /// Replaces the function, as a deployment does: it starts without deduplication records and
    /// bans. Resets the chatbot's rate limit too, which DingTalk would not.
    ///
    /// # Errors
    /// If the function cannot be made.
    pub fn restart(&self) -> Result<(), Problem> {
        let mut state = self.lock();
        self.start_anew(&mut state)
    }

    /// Makes the API accept or refuse what the function asks, and replaces the function, because
    /// it remembers what the API said.
    ///
    /// # Errors
    /// If the function cannot be made.
    pub fn set_access(&self, access: Access) -> Result<(), Problem> {
        let mut state = self.lock();
        access.apply(&self.cloud);
        state.access = access;
        self.start_anew(&mut state)
    }

    fn start_anew(&self, state: &mut State) -> Result<(), Problem> {
        let config = state.settings.config(&self.groups, &self.cloud)?;
        self.replace_function(state, config);
        self.groups.reset_rate_limits();
        self.publish(state);
        Ok(())
    }

    fn replace_function(&self, state: &mut State, config: Config) {
        let next = function(config, &self.clock, Arc::clone(&self.invocations));
        self.swap.put(next);
        state.banned_until = None;
    }

    /// Applies a fault to the group; [`GroupFault::None`] removes it.
    ///
    /// # Errors
    /// If the fault has no effect with the current settings.
    pub fn set_fault(&self, fault: GroupFault) -> Result<(), Problem> {
        let mut state = self.lock();
        if fault == GroupFault::Clock && state.settings.secret().is_none() {
            return Err(Problem::Playground(
                "a wrong clock has an effect only if the chatbot requires signatures: switch them on first".into(),
            ));
        }
        fault.apply(&self.groups, &state.settings, &self.clock);
        state.fault = fault;
        self.publish(&state);
        Ok(())
    }

    /// Moves the clocks of function, group and API ahead. Returns the time to which.
    ///
    /// # Errors
    /// If that is in the past, or too far ahead.
    pub fn move_clock(&self, goal: Goal) -> Result<Timestamp, Problem> {
        let state = self.lock();
        let now = self.clock.time();
        let then = goal.after(now, &state.zone);
        let then = then.ok_or_else(|| Problem::Playground("no calendar goes so far".into()))?;
        self.clock.move_to(then, now, &state.zone)?;
        let chat = state.settings.chat;
        state.fault.apply_clock(&self.groups, chat, &self.clock);
        self.cloud.set_clock_offset_ms(self.clock.ahead_ms());
        self.publish(&state);
        Ok(then)
    }

    /// Publishes the current state.
    pub fn publish_state(&self) {
        self.publish(&self.lock());
    }

    fn publish(&self, state: &State) {
        self.journal.publish(
            "state",
            &json!({
                "type": "state",
                "aheadMs": self.clock.ahead_ms(),
                "zone": state.zone.iana_name().unwrap_or("UTC"),
                "chat": id(state.settings.chat),
                "fault": state.fault.name(),
                "access": state.access.name(),
                "bannedUntil": state.banned_until.map(milliseconds),
                "settings": state.settings.to_json(),
                "env": state.settings.dot_env(),
                "canRepeat": state.last.is_some(),
            }),
        );
    }

    /// Returns what does not change while the playground runs.
    pub fn about(&self) -> Value {
        json!({
            "run": self.run,
            "invokeUrl": self.invoke_url(),
            "samples": self.samples.iter().map(|sample| &sample.summary).collect::<Vec<_>>(),
            "chats": Chat::ALL.map(about_chat),
            "accesses": Access::ALL.map(Access::name),
            "fleet": cloud::fleet(),
            "plan": maintenance::plan(self.start),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what the page must know of a chat.
fn about_chat(chat: Chat) -> Value {
    let (facts, prefix) = (facts(chat), chat.prefix());
    // The playground sets the chatbots itself.
    let is_of_form = |rest: &&str| !rest.ends_with("WEBHOOK") && !rest.ends_with("SECRET");
    let fields = KNOWN.iter().filter_map(|name| name.strip_prefix(prefix));
    json!({
        "id": id(chat),
        "prefix": prefix,
        "fields": fields.filter(is_of_form).collect::<Vec<_>>(),
        "hasSecret": facts.secret.is_some(),
        "rate": facts.rate,
        "members": {"mobiles": facts.mobiles, "userIds": facts.user_ids},
        "faults": GroupFault::of(chat).iter().map(|fault| fault.name()).collect::<Vec<_>>(),
    })
}

/// Returns the zone of the messages.
fn zone(config: &Config) -> TimeZone {
    let route = config.routes.first();
    route.map_or(TimeZone::UTC, |route| route.render_options.zone.clone())
}

impl Problem {
    /// Returns one line for each fault, as `check` prints them.
    pub fn text(&self) -> String {
        match self {
            Problem::Faults(faults) => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                faults.join("\n")
            }
            Problem::Playground(text) => text.clone(),
        }
    }
}
