//! The group, the ECS API, the function, and the operations of the page on them.

use crate::chat;
use crate::clock::{Goal, MovableClock};
use crate::cloud::{self, Access};
use crate::faults::{GroupFault, reset_rate_limits};
use crate::function::{Swap, function};
use crate::invocations::{Answer, Invocations, milliseconds};
use crate::journal::Journal;
use crate::maintenance;
use crate::samples::{self, Sample};
use crate::settings::{FALLBACK_TOKEN, MOBILES, Problem, SECRET, Settings, TOKEN, USER_IDS};
use ecs_dingtalk_notifier::clock::Clock;
use ecs_dingtalk_notifier::config::Config;
use fake_aliyun::{Cloud, Identity};
use fake_dingtalk::{Call, Group, Robot};
use fc_runtime as fc;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// The function's timeout in seconds, as in `s.yaml`.
const TIMEOUT: &str = "60";
/// The function's region.
const REGION: &str = "cn-hangzhou";
/// The error codes of a chatbot that got too many messages.
const THROTTLED: [i64; 3] = [660026, 130101, 410100];

/// The group, the ECS API and the function, with what the page shows of them.
pub struct Lab {
    /// The stand-in for DingTalk.
    pub group: Group,
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
    /// Starts the group, the ECS API and the function. The function listens on port 9000, as on the
    /// platform, or on a free port if that one is taken.
    ///
    /// # Errors
    /// If the environment's configuration has faults, or there is no port to listen on.
    pub fn start() -> Result<(Arc<Lab>, JoinHandle<()>), Box<dyn Error>> {
        let group = Group::builder()
            .robot(Robot::new(TOKEN).secret(SECRET))
            .robot(Robot::new(FALLBACK_TOKEN))
            .start()?;
        let settings = Settings::from_environment();
        let cloud = cloud::start();
        let config = settings.config(&group, &cloud);
        let config = config.map_err(|problem| problem.text())?;
        let zone = zone(&config);
        let clock = Arc::new(MovableClock::default());
        let start = clock.time();
        maintenance::update(&cloud, start, start);
        GroupFault::None.apply(&group, &settings, &clock);
        let journal = Arc::new(Journal::default());
        let invocations = Invocations::new(Arc::clone(&clock), Arc::clone(&journal));
        let invocations = Arc::new(invocations);
        let first = function(config, &clock, Arc::clone(&invocations));
        let swap = Arc::new(Swap::new(first, Arc::clone(&invocations)));
        let listener =
            TcpListener::bind("127.0.0.1:9000").or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
        let lab = Arc::new(Lab {
            group,
            cloud,
            clock,
            journal,
            invocations,
            samples: samples::all()?,
            run: start.as_millisecond(),
            start,
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
        let watcher = Arc::clone(&lab);
        std::thread::spawn(move || watcher.watch());
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
        let config = settings.config(&self.group, &self.cloud)?;
        let mut state = self.lock();
        let fault = match state.fault {
            // A wrong clock has no effect without signatures.
            GroupFault::Clock if !settings.signing => GroupFault::None,
            fault => fault,
        };
        state.zone = zone(&config);
        self.replace_function(&mut state, config);
        fault.apply(&self.group, &settings, &self.clock);
        state.fault = fault;
        state.settings = settings;
        self.publish(&state);
        Ok(())
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
        let config = state.settings.config(&self.group, &self.cloud)?;
        self.replace_function(state, config);
        reset_rate_limits(&self.group);
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
        if fault == GroupFault::Clock && !state.settings.signing {
            return Err(Problem::Playground(
                "a wrong clock has an effect only if the chatbot requires signatures: switch them on first".into(),
            ));
        }
        fault.apply(&self.group, &state.settings, &self.clock);
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
        state.fault.apply_clock(&self.group, &self.clock);
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
            "faults": GroupFault::ALL.map(GroupFault::name),
            "accesses": Access::ALL.map(Access::name),
            "fleet": cloud::fleet(),
            "plan": maintenance::plan(self.start),
            "members": {"mobiles": MOBILES, "userIds": USER_IDS},
        })
    }

    /// Publishes calls to the chatbot and messages in the group as they arrive.
    fn watch(&self) {
        let (mut calls_seen, mut shown) = (0, 0);
        loop {
            let (calls, deliveries) =
                self.group
                    .wait_for_activity(calls_seen, shown, Duration::from_secs(3600));
            calls_seen += calls.len();
            for call in &calls {
                self.invocations.add_call(call);
                self.update_state(call);
            }
            for delivery in &deliveries {
                shown += 1;
                let call = calls
                    .iter()
                    .find(|call| !call.duplicate && call.body.as_ref() == Some(&delivery.body));
                let bytes = call.map_or(0, |call| call.raw_body.len());
                let is_fallback = delivery.token == FALLBACK_TOKEN;
                let message = chat::to_json(shown, delivery, bytes, is_fallback);
                self.journal.publish(&format!("message-{shown}"), &message);
            }
        }
    }

    /// Updates the state after a call to the main chatbot.
    fn update_state(&self, call: &Call) {
        if call.token != TOKEN {
            return;
        }
        let mut state = self.lock();
        let banned_for = match (call.errcode, state.fault) {
            (Some(code), _) if THROTTLED.contains(&code) => 600,
            (None, GroupFault::Flood) => 300,
            (_, GroupFault::Lost) => {
                // Only one answer is lost.
                self.group.set_standing_fault(TOKEN, None);
                state.fault = GroupFault::None;
                0
            }
            _ => return,
        };
        if banned_for > 0 {
            state.banned_until = Some(self.clock.wall() + Duration::from_secs(banned_for));
        }
        self.publish(&state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
