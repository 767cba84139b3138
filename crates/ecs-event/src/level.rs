//! How bad an event is.

/// CloudMonitor's three levels. The worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// No impact, or none any more.
    Info,
    /// Some impact: watch it, or choose a time to act.
    Warn,
    /// Large impact: act soon.
    Critical,
}

impl Level {
    /// All levels, the worst first.
    pub const ALL: [Level; 3] = [Level::Critical, Level::Warn, Level::Info];

    /// Parses a level in any letter case; `WARNING` is `WARN`.
    pub fn parse(text: &str) -> Option<Level> {
        match text.trim().to_ascii_uppercase().as_str() {
            "CRITICAL" => Some(Level::Critical),
            "WARN" | "WARNING" => Some(Level::Warn),
            "INFO" => Some(Level::Info),
            _ => None,
        }
    }

    /// Returns the wire name: `CRITICAL`, `WARN` or `INFO`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Critical => "CRITICAL",
            Level::Warn => "WARN",
            Level::Info => "INFO",
        }
    }
}
