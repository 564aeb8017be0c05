//! What a recipe says and is told: log, report, parameters.
#![allow(missing_docs, reason = "the contract documents its functions")]

/// As the interface `log`.
pub mod log {
    pub use crate::wit::netwright::host::log::Level;

    use crate::testing::state::with;

    pub fn emit(level: Level, message: &str) {
        with(|state| state.told.log.push((level, message.to_owned())));
    }
}

/// As the interface `report`.
pub mod report {
    pub use crate::wit::netwright::host::report::Verdict;

    use crate::testing::state::with;
    use crate::testing::{Attachment, Check, Metric};

    pub fn step(title: &str) {
        with(|state| state.told.steps.push(title.to_owned()));
    }

    pub fn check(name: &str, verdict: Verdict, detail: &str) {
        let check = Check { name: name.to_owned(), verdict, detail: detail.to_owned() };
        with(|state| state.told.checks.push(check));
    }

    pub fn metric(name: &str, value: f64, unit: &str) {
        let metric = Metric { name: name.to_owned(), value, unit: unit.to_owned() };
        with(|state| state.told.metrics.push(metric));
    }

    pub fn print(text: &str) {
        with(|state| state.told.prints.push(text.to_owned()));
    }

    pub fn attach(name: &str, media_type: &str, data: &[u8]) {
        let attachment = Attachment {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            data: data.to_vec(),
        };
        with(|state| state.told.attachments.push(attachment));
    }
}

/// As the interface `params`.
pub mod params {
    use crate::testing::state::with;

    pub fn get(name: &str) -> Option<String> {
        all().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub fn all() -> Vec<(String, String)> {
        with(|state| state.params.clone())
    }

    pub fn dry_run() -> bool {
        with(|state| state.dry_run)
    }
}
