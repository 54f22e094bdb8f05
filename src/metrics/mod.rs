//! What a recorder counts, as a file for the textfile collector of Prometheus' `node_exporter`: no port is opened.
//!
//! Another process writes it, since the tracer may no longer open a file to write to. Labels are bounded, so that no process decides
//! how many series there are: never a pid, a name of a process, a pod, a container or a user.

mod helper;
mod service;
mod text;

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

pub use self::helper::{COMMAND, MetricsHelper, MetricsSink};
pub use self::service::Service;
pub use self::text::{Figures, exposition};
use crate::error::UsageError;
use crate::store::StoreStatus;

/// What deaths are counted by besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsBy {
    /// The service.
    Unit,
}

impl fmt::Display for MetricsBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("unit")
    }
}

impl FromStr for MetricsBy {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        match text {
            "unit" => Ok(Self::Unit),
            _ => Err(UsageError::MetricsBy(text.to_owned())),
        }
    }
}

/// How the store fares, as who looks after it knows.
#[derive(Debug, Clone, Default)]
pub struct StoreGauge(Arc<Mutex<Option<StoreStatus>>>);

impl StoreGauge {
    /// It fares so now.
    pub fn set(&self, status: StoreStatus) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
    }

    /// As it was last.
    pub fn get(&self) -> Option<StoreStatus> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
