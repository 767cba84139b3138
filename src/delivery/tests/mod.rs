//! Tests of the whole engine.

mod dispatcher;
mod simulation;
mod stress;

pub(in crate::delivery) use simulation::event;
