//! What is known of an event's resource beyond the event itself.

/// What a look-up found out about the resource of an event. It changes neither the event's identity
/// nor what the event tells itself, which comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The resource's own name.
    pub name: Option<String>,
    /// For a disk: the name of the instance that it is attached to.
    pub instance_name: Option<String>,
    pub private_addresses: Vec<String>,
    pub public_addresses: Vec<String>,
    /// Keys and values. A disk's own come before those of its instance.
    pub tags: Vec<(String, String)>,
}

impl Known {
    /// Returns the value of the first tag with this key, in any letter case.
    pub fn tag(&self, key: &str) -> Option<&str> {
        let tag = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(key);
        self.tags.iter().find(tag).map(|(_, value)| value.as_str())
    }
}

/// How a look-up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// The API told it.
    Found,
    /// It was known from before.
    Cached,
    /// The API knows no such resource in this region and account.
    Absent,
    /// The role may not ask.
    Denied,
    /// Too many questions.
    Throttled,
    /// No usable answer in time.
    Unreachable,
    /// The temporary identity is over.
    Expired,
}

impl Lookup {
    /// Returns true if the answer is not known: what it would have told may still matter.
    pub fn is_open(self) -> bool {
        !matches!(self, Lookup::Found | Lookup::Cached | Lookup::Absent)
    }

    /// The value of the log field `lookup`.
    pub fn as_str(self) -> &'static str {
        match self {
            Lookup::Found => "found",
            Lookup::Cached => "cached",
            Lookup::Absent => "absent",
            Lookup::Denied => "denied",
            Lookup::Throttled => "throttled",
            Lookup::Unreachable => "unreachable",
            Lookup::Expired => "expired",
        }
    }
}
