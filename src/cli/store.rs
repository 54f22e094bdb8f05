//! The flags of `record`: where events are kept, how many, and for how long.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::service::ServiceArgs;
use crate::store::{Age, Bounds, Kept, Share, Size};

const STORE: &str = "Store";

/// A store that is written to.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// No more than this on the disk
    ///
    /// Its log is included. When it is full, signals that ended nothing are forgotten first, then ends by exit, then deaths; of each the oldest first.
    /// What is forgotten is known: log and why say so.
    #[arg(long, value_name = "SIZE", default_value = "512M", help_heading = STORE)]
    pub max_size: Size,

    /// Forget what is older (30d, 12h)
    #[arg(long, value_name = "AGE", help_heading = STORE)]
    pub max_age: Option<Age>,

    /// Leave so much free for others
    #[arg(long, value_name = "SHARE", default_value = "10%", help_heading = STORE)]
    pub keep_free: Share,

    /// Which events: all, deaths
    ///
    /// deaths: ends, and the signals that can end a process.
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = KeepArg::All, hide_possible_values = true, hide_default_value = true,
        help_heading = STORE)]
    pub keep: KeepArg,

    /// This group may read the store
    #[arg(long, value_name = "GROUP", help_heading = STORE)]
    pub store_group: Option<String>,

    /// Flags, one a line; read again on SIGHUP
    ///
    /// Lines that begin with # are comments. Flags of the command line come after them, so these win.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = STORE)]
    pub config: Option<PathBuf>,

    /// What the host hears of it
    #[command(flatten)]
    pub service: ServiceArgs,

    /// Started by a process that reads the configuration
    #[arg(long, hide = true)]
    pub supervised: bool,
}

/// `--keep`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeepArg {
    /// Everything that is shown
    All,
    /// Ends, and signals that can end a process
    Deaths,
}

impl From<KeepArg> for Kept {
    fn from(keep: KeepArg) -> Self {
        match keep {
            KeepArg::All => Self::All,
            KeepArg::Deaths => Self::Deaths,
        }
    }
}

impl StoreArgs {
    /// How large it may get.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            max_bytes: self.max_size.into(),
            max_age: self.max_age.map(Into::into),
            keep_free: self.keep_free.into(),
        }
    }
}
