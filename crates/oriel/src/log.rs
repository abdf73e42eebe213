//! Logging of the services: to standard error, filtered by ORIEL_LOG.
//!
//! Deliberately absent: any field of a secret. What carries one has a `Debug` that hides it.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// Options of every service.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogOptions {
    /// How log lines are written
    #[arg(long, env = "ORIEL_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What is logged: error, warn, info, debug or trace, or by part such as info,oriel_gateway=debug
    #[arg(long = "log", env = "ORIEL_LOG", value_name = "FILTER", default_value = "info")]
    pub filter: String,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object per line
    Json,
}

#[cfg(all(feature = "broker", feature = "gateway", feature = "agent"))]
impl LogFormat {
    /// As on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }
    }
}

/// Starts logging.
///
/// # Errors
/// A sentence when the filter is not one.
pub fn start(options: &LogOptions) -> Result<(), String> {
    let filter = EnvFilter::try_new(&options.filter)
        .map_err(|error| format!("the log filter \"{}\" is not valid: {error}", options.filter))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match options.log_format {
        LogFormat::Text => {
            use std::io::IsTerminal;
            lines.with_ansi(std::io::stderr().is_terminal()).try_init()
        }
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| format!("logging cannot be started: {error}"))
}
