//! The cloud, and the records of calls.

use crate::fault::Fault;
use crate::fleet::Fleet;
use crate::identity::{Identity, Known};
use crate::record::Call;
use fake_http::Clock;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

const REGIONS: [&str; 6] = [
    "ap-southeast-1",
    "cn-beijing",
    "cn-hangzhou",
    "cn-shanghai",
    "cn-shenzhen",
    "eu-central-1",
];

/// The cloud and the records of calls, behind one lock.
pub(crate) struct State {
    /// By their ids.
    pub(crate) identities: HashMap<String, Known>,
    /// By account and region.
    pub(crate) fleets: BTreeMap<(String, String), Fleet>,
    pub(crate) regions: BTreeSet<String>,
    /// The accounts that each role trusts.
    pub(crate) roles: HashMap<String, BTreeSet<String>>,
    /// Accounts, and permissions that they lack.
    pub(crate) denied: BTreeSet<(String, String)>,
    pub(crate) has_denial_detail: bool,
    pub(crate) page_size: Option<usize>,
    pub(crate) nonces: HashSet<String>,
    pub(crate) clock: Clock,
    /// Each for one call, of one action if it names one.
    pub(crate) faults: VecDeque<(Option<String>, Fault)>,
    pub(crate) standing_fault: Option<Fault>,
    pub(crate) calls: Vec<Call>,
    pub(crate) issued: usize,
    pub(crate) requests: usize,
}

impl State {
    /// A cloud without resources.
    pub(crate) fn new() -> State {
        State {
            identities: HashMap::new(),
            fleets: BTreeMap::new(),
            regions: REGIONS.map(str::to_owned).into(),
            roles: HashMap::new(),
            denied: BTreeSet::new(),
            has_denial_detail: true,
            page_size: None,
            nonces: HashSet::new(),
            clock: Clock::default(),
            faults: VecDeque::new(),
            standing_fault: None,
            calls: Vec::new(),
            issued: 0,
            requests: 0,
        }
    }

    /// Issues an identity that no one had before.
    pub(crate) fn issue(
        &mut self,
        account: &str,
        is_temporary: bool,
        ends_ms: Option<u64>,
    ) -> Identity {
        self.issued += 1;
        let identity = Identity::new(self.issued, account, is_temporary);
        let known = Known {
            identity: identity.clone(),
            ends_ms,
        };
        self.identities.insert(identity.id.clone(), known);
        identity
    }

    pub(crate) fn fleet(&mut self, account: &str, region: &str) -> &mut Fleet {
        self.regions.insert(region.to_owned());
        let key = (account.to_owned(), region.to_owned());
        self.fleets.entry(key).or_default()
    }

    pub(crate) fn request_id(&mut self) -> String {
        self.requests += 1;
        format!("0B7C1D9A-1111-5222-8333-{:012}", self.requests)
    }

    /// Takes the fault of this call: the first queued one that is for it, or the standing one.
    pub(crate) fn take_fault(&mut self, action: &str) -> Option<Fault> {
        let is_for = |wanted: &Option<String>| wanted.as_deref().is_none_or(|name| name == action);
        let at = self.faults.iter().position(|(wanted, _)| is_for(wanted));
        match at.and_then(|at| self.faults.remove(at)) {
            Some((_, fault)) => Some(fault),
            None => self.standing_fault.clone(),
        }
    }
}
