//! One tick of the timer: what is due → events of our own.

use super::Notifier;
use crate::clock;
use crate::event::{AccessError, Event, LookupHealth, Vitals};
use crate::inventory::{Asker, MaintenanceError};
use crate::reminder::{self, Due};
use crate::route::Route;
use crate::schedule::Tick;
use fc_runtime::Context;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

/// How long the chatbot's server may take to tell the time.
const CLOCK_TIME: Duration = Duration::from_secs(3);

/// What a tick came to before it is delivered.
#[derive(Debug, Default)]
pub(super) struct TickOutcome {
    pub(super) events: Vec<Arc<Event>>,
    /// What could not be looked up or read, in one line.
    pub(super) problem: Option<String>,
    /// Why the tick must be repeated, in one line.
    pub(super) failure: Option<String>,
}

/// What is known of upcoming maintenance.
struct Maintenance {
    /// That which begins soonest comes first. Without that of regions that could not be read.
    events: Vec<Arc<Event>>,
    errors: Vec<MaintenanceError>,
}

impl Notifier {
    /// Makes the events that are due at a tick. Without any, nothing is asked.
    pub(super) fn run_tick(&self, tick: Tick, context: &Context) -> TickOutcome {
        let now = clock::to_timestamp(self.clock.wall());
        let due = Due::at(tick, &self.routes, now);
        if due.is_nothing() {
            return TickOutcome::default();
        }
        let Maintenance {
            events: mut maintenance,
            errors,
        } = self.read_maintenance(context);
        let next = reminder::next(&maintenance, now).map(|next| next.id.clone());
        let lookup_problem = self.look_up(&mut maintenance, context, |event| {
            let is_next = due.heartbeat && next.as_ref() == Some(&event.id);
            let is_told = due.digest || !reminder::leads(event, tick, &self.routes).is_empty();
            is_next || is_told && self.may_take(event)
        });

        let mut events = reminder::events(&maintenance, due, tick, &self.routes);
        let permanent = errors.iter().find_map(|error| error.permanent.clone());
        if let Some(permanent) = permanent.filter(|_| due.needs_maintenance()) {
            let zone = &self.routes[0].schedule.zone;
            events.push(reminder::maintenance_unknown(permanent, tick, zone));
        }
        if due.heartbeat {
            let next = reminder::next(&maintenance, now).cloned();
            let vitals = Vitals {
                lookups: self.lookup_health(&errors, lookup_problem.as_ref()),
                clock_ahead: self.clock_ahead(tick, context),
                upcoming: errors.is_empty().then_some((next, maintenance.len())),
                ..self.counts.vitals(&self.routes)
            };
            events.push(reminder::heartbeat(vitals, tick));
        }

        // A sign of life says itself what it does not know.
        let errors: &[MaintenanceError] = if due.needs_maintenance() {
            &errors
        } else {
            &[]
        };
        let passing = errors.iter().find(|error| error.permanent.is_none());
        let problem = errors.first().map(|error| error.remedy.clone());
        TickOutcome {
            events: events.into_iter().map(Arc::new).collect(),
            problem: problem.or(lookup_problem),
            failure: passing
                .map(|error| format!("upcoming maintenance is not known: {}", error.remedy)),
        }
    }

    /// Reads the maintenance of all regions that are to be asked.
    fn read_maintenance(&self, context: &Context) -> Maintenance {
        self.ask(context).unwrap_or_else(|error| Maintenance {
            events: Vec::new(),
            errors: vec![error],
        })
    }

    /// Asks the API.
    ///
    /// # Errors
    ///
    /// Why it cannot be asked.
    fn ask(&self, context: &Context) -> Result<Maintenance, MaintenanceError> {
        let off = "RESOURCE_LOOKUP is off: set it to auto";
        let directory = self.directory.as_ref();
        let directory =
            directory.ok_or_else(|| unaskable(AccessError::Other(off.to_owned()), off))?;
        let no_role = "the invocation brings no identity: give the function a role (see ROLE in .env.example, CreateRole in template.yml)";
        let credentials = self.credentials(context);
        let credentials = credentials.ok_or_else(|| unaskable(AccessError::NoRole, no_role))?;
        let regions = self.regions(context);
        if regions.is_empty() {
            let no_region = "the function's region is not known: set RESOURCE_REGIONS";
            return Err(unaskable(AccessError::NoRegion, no_region));
        }
        let account = self.account(context);
        let asker = Asker {
            credentials: &credentials,
            account: account.as_deref(),
            deadline: context.deadline,
        };
        let (mut maintenance, errors) = directory.maintenance(&regions, asker);
        for event in &mut maintenance {
            event.account.clone_from(&account);
        }
        Ok(Maintenance {
            events: maintenance.into_iter().map(Arc::new).collect(),
            errors,
        })
    }

    /// Returns the regions that are to be asked: the function's own if none is named.
    fn regions(&self, context: &Context) -> Vec<String> {
        if !self.regions.is_empty() {
            return self.regions.clone();
        }
        let own = context.region.clone();
        let own = own.or_else(|| (self.environment)("FC_REGION"));
        own.into_iter().collect()
    }

    /// Returns whether look-ups work, going by the calls of this tick.
    fn lookup_health(&self, errors: &[MaintenanceError], problem: Option<&String>) -> LookupHealth {
        if self.directory.is_none() {
            return LookupHealth::Off;
        }
        let of_reading = errors.first().map(|errors| {
            let passing = || AccessError::Other(errors.remedy.clone());
            errors.permanent.clone().unwrap_or_else(passing)
        });
        let of_lookup = || Some(AccessError::Other(problem?.clone()));
        let permanent = of_reading.or_else(of_lookup);
        permanent.map_or(LookupHealth::Work, LookupHealth::Fail)
    }

    /// Returns how far our clock is ahead of that of a chatbot whose group gets the sign of life.
    fn clock_ahead(&self, tick: Tick, context: &Context) -> Option<SignedDuration> {
        let wants = |route: &Route| route.schedule.wants_heartbeat(tick);
        let route = self.routes.iter().position(wants)?;
        let deadline = context.deadline.min(self.clock.now() + CLOCK_TIME);
        self.dispatcher.probe(route, deadline).ok()?.clock_ahead
    }
}

/// Says why nobody can be asked before somebody changes something.
fn unaskable(permanent: AccessError, remedy: &str) -> MaintenanceError {
    MaintenanceError {
        remedy: format!("upcoming maintenance: {remedy}"),
        permanent: Some(permanent),
    }
}
