//! The group, the function, and all that the page can do with them.

use crate::chat;
use crate::function::{Swap, function};
use crate::invocations::{Answer, Invocations, milliseconds};
use crate::journal::Journal;
use crate::mischief::{Mischief, forget_pace};
use crate::samples::{self, Sample};
use crate::settings::{FALLBACK_TOKEN, MOBILES, Problem, SECRET, Settings, TOKEN, USER_IDS};
use fake_dingtalk::{Call, Group, Robot};
use fc_runtime as fc;
use serde_json::{Value, json};
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// The time limit that each invocation is told, as `s.yaml` sets it, in seconds.
const TIMEOUT: &str = "60";
/// Codes by which DingTalk says that a chatbot got too many messages.
const THROTTLED: [i64; 3] = [660026, 130101, 410100];

/// Everything that the page shows and steers.
pub struct Lab {
    /// The stand-in for DingTalk.
    pub group: Group,
    /// What the page is told.
    pub journal: Arc<Journal>,
    /// Every invocation so far.
    pub invocations: Arc<Invocations>,
    /// The sample events.
    pub samples: Vec<Sample>,
    /// Tells this run from others.
    pub run: u64,
    swap: Arc<Swap>,
    address: SocketAddr,
    shutdown: fc::Shutdown,
    agent: ureq::Agent,
    state: Mutex<State>,
}

struct State {
    settings: Settings,
    mischief: Mischief,
    /// Until when the function itself keeps its chatbot closed.
    closed_until: Option<SystemTime>,
    /// What was sent last, for a repeat.
    last: Option<String>,
}

impl Lab {
    /// Starts the group, and the function on port 9000 as on the platform, or on any free port where that one is taken.
    ///
    /// # Errors
    /// If the environment's configuration has faults, or there is no port to listen on.
    pub fn start() -> Result<(Arc<Lab>, JoinHandle<()>), Box<dyn Error>> {
        let group = Group::builder()
            .robot(Robot::new(TOKEN).secret(SECRET))
            .robot(Robot::new(FALLBACK_TOKEN))
            .start()?;
        let settings = Settings::from_environment();
        let config = settings.config(&group).map_err(|problem| problem.text())?;
        Mischief::None.apply(&group, &settings);
        let journal = Arc::new(Journal::default());
        let invocations = Arc::new(Invocations::new(Arc::clone(&journal)));
        let first = function(config, Arc::clone(&invocations));
        let swap = Arc::new(Swap::new(first, Arc::clone(&invocations)));
        let listener =
            TcpListener::bind("127.0.0.1:9000").or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
        let lab = Arc::new(Lab {
            group,
            journal,
            invocations,
            samples: samples::all()?,
            run: milliseconds(SystemTime::now()),
            swap: Arc::clone(&swap),
            address: listener.local_addr()?,
            shutdown: fc::Shutdown::new()?,
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .max_idle_connections_per_host(crate::burst::AT_ONCE)
                .build()
                .into(),
            state: Mutex::new(State {
                settings,
                mischief: Mischief::None,
                closed_until: None,
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

    /// Where the function listens.
    pub fn invoke_url(&self) -> String {
        format!("http://{}/invoke", self.address)
    }

    /// Ends the function when its invocations are done.
    pub fn stop(&self) {
        self.shutdown.request();
    }

    /// Posts a payload as the platform does, and waits for the answer.
    pub fn fire(&self, payload: &str, burst: Option<usize>) -> Answer {
        if burst.is_none() {
            self.lock().last = Some(payload.to_owned());
        }
        let (number, request_id) = self.invocations.announce(payload, burst);
        let answer = self
            .post(payload, &request_id)
            .unwrap_or_else(|error| Answer {
                body: error.to_string(),
                ..Answer::default()
            });
        self.invocations.answered(number, answer.clone());
        answer
    }

    fn post(&self, payload: &str, request_id: &str) -> Result<Answer, ureq::Error> {
        let mut answer = self
            .agent
            .post(self.invoke_url())
            .header("content-type", "application/octet-stream")
            .header("x-fc-request-id", request_id)
            .header("x-fc-function-timeout", TIMEOUT)
            .send(payload)?;
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
        })
    }

    /// What was sent last.
    pub fn last(&self) -> Option<String> {
        self.lock().last.clone()
    }

    /// Takes new settings: sets the group up for them and starts the function anew.
    ///
    /// # Errors
    /// If the settings cannot be taken; nothing has changed then.
    pub fn configure(&self, settings: Settings) -> Result<(), Problem> {
        let config = settings.config(&self.group)?;
        let mut state = self.lock();
        let mischief = match state.mischief {
            // A clock means nothing to a chatbot that wants no signatures.
            Mischief::Clock if !settings.signing => Mischief::None,
            mischief => mischief,
        };
        self.start_anew(&mut state, config);
        mischief.apply(&self.group, &settings);
        state.mischief = mischief;
        state.settings = settings;
        self.tell(&state);
        Ok(())
    }

    /// Starts the function anew, as a deployment does: it forgets what it delivered, and that its
    /// chatbot is closed. The chatbot's minute begins anew too, for DingTalk would still count.
    ///
    /// # Errors
    /// If the function cannot be made.
    pub fn restart(&self) -> Result<(), Problem> {
        let mut state = self.lock();
        let config = state.settings.config(&self.group)?;
        self.start_anew(&mut state, config);
        forget_pace(&self.group);
        self.tell(&state);
        Ok(())
    }

    fn start_anew(&self, state: &mut State, config: ecs_dingtalk_notifier::config::Config) {
        let next = function(config, Arc::clone(&self.invocations));
        self.swap.put(next);
        state.closed_until = None;
    }

    /// Breaks the group in this way, or mends it.
    ///
    /// # Errors
    /// If it cannot be broken so with the settings of the moment.
    pub fn break_it(&self, mischief: Mischief) -> Result<(), Problem> {
        let mut state = self.lock();
        if mischief == Mischief::Clock && !state.settings.signing {
            return Err(Problem::Playground(
                "a clock that is off matters to a chatbot that wants signatures only: switch signing on first".into(),
            ));
        }
        mischief.apply(&self.group, &state.settings);
        state.mischief = mischief;
        self.tell(&state);
        Ok(())
    }

    /// Tells how everything stands.
    pub fn tell_state(&self) {
        self.tell(&self.lock());
    }

    fn tell(&self, state: &State) {
        self.journal.publish(
            "state",
            &json!({
                "type": "state",
                "mischief": state.mischief.name(),
                "closedUntil": state.closed_until.map(milliseconds),
                "settings": state.settings.to_json(),
                "env": state.settings.dot_env(),
                "canRepeat": state.last.is_some(),
            }),
        );
    }

    /// What does not change while the playground runs.
    pub fn about(&self) -> Value {
        json!({
            "run": self.run,
            "invokeUrl": self.invoke_url(),
            "samples": self.samples.iter().map(|sample| &sample.told).collect::<Vec<_>>(),
            "mischiefs": Mischief::ALL.map(Mischief::name),
            "members": {"mobiles": MOBILES, "userIds": USER_IDS},
        })
    }

    /// Tells of calls to the chatbot and of messages in the group, as they come.
    fn watch(&self) {
        let (mut calls_seen, mut shown) = (0, 0);
        loop {
            let (calls, deliveries) =
                self.group
                    .wait_for_news(calls_seen, shown, Duration::from_secs(3600));
            calls_seen += calls.len();
            for call in &calls {
                self.invocations.called(call);
                self.note(call);
            }
            for delivery in &deliveries {
                shown += 1;
                let call = calls
                    .iter()
                    .find(|call| !call.duplicate && call.body.as_ref() == Some(&delivery.body));
                let bytes = call.map_or(0, |call| call.raw_body.len());
                let is_fallback = delivery.token == FALLBACK_TOKEN;
                let message = chat::tell(shown, delivery, bytes, is_fallback);
                self.journal.publish(&format!("message-{shown}"), &message);
            }
        }
    }

    /// What a call's answer means for the state.
    fn note(&self, call: &Call) {
        if call.token != TOKEN {
            return;
        }
        let mut state = self.lock();
        let closed_for = match (call.errcode, state.mischief) {
            (Some(code), _) if THROTTLED.contains(&code) => 600,
            (None, Mischief::Flood) => 300,
            (_, Mischief::Lost) => {
                // One answer is lost, and all is well again.
                self.group.fault_always(TOKEN, None);
                state.mischief = Mischief::None;
                0
            }
            _ => return,
        };
        if closed_for > 0 {
            state.closed_until = Some(SystemTime::now() + Duration::from_secs(closed_for));
        }
        self.tell(&state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Problem {
    /// Every fault on a line of its own, as `check` prints them.
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
