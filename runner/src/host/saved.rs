//! What becomes of captures at their end: a line of the result, and a file where files are kept.

use super::Session;
use crate::capture::{Capture, Place};
use crate::change::Name;
use crate::report::CaptureResult;

impl Session {
    /// Ends a capture of a recipe's.
    pub fn save_capture(&mut self, number: usize) {
        if let Some((place, capture)) = self.captures.take(number) {
            self.save(&place, &capture);
        }
    }

    /// Ends the capture of the check that was made, if it had one.
    pub fn save_capture_of_check(&mut self) {
        if let Some((place, capture)) = self.captures.take_of_check() {
            self.save(&place, &capture);
        }
    }

    /// Ends all captures.
    pub fn save_captures(&mut self) {
        let (captures, failed) = self.captures.take_all();
        for (place, error) in failed {
            self.report.warn(format!("{place} was not captured: {error}"));
        }
        for (place, capture) in captures {
            self.save(&place, &capture);
        }
    }

    fn save(&mut self, place: &Place, capture: &Capture) {
        let counters = capture.counters();
        if let Some(loss) = counters.loss() {
            self.report.warn(format!("the capture of {place} is incomplete: {loss}"));
        }
        let mut file = None;
        if self.report.keeps_files() {
            let name = self.free_file_name(place);
            let namespace = place.namespace.as_ref().map(Name::as_str);
            let kept = capture
                .to_pcapng(&place.link, namespace)
                .map_err(|error| error.to_string())
                .and_then(|data| self.report.keep_capture(&name, &data));
            match kept {
                Ok(kept) => file = kept.then_some(name),
                Err(reason) => {
                    self.report.warn(format!("the capture of {place} was not kept: {reason}"));
                }
            }
        }
        self.report.captured(CaptureResult {
            namespace: place.namespace.as_ref().map(ToString::to_string),
            link: place.link.clone(),
            frames: counters.frames,
            bytes: counters.bytes,
            dropped: counters.dropped,
            beyond_limit: counters.beyond_limit,
            file,
        });
    }

    /// `NAMESPACE-LINK.pcapng`, with a number where the run has that already.
    fn free_file_name(&self, place: &Place) -> String {
        let legal = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let link: String = place.link.chars().map(legal).collect();
        let namespace = place.namespace.as_ref().map_or("root", Name::as_str);
        let stem = format!("{namespace}-{link}");
        let numbered = (2_u32..).map(|number| format!("{stem}-{number}.pcapng"));
        let mut names = std::iter::once(format!("{stem}.pcapng")).chain(numbered);
        let files = &self.report.result().captures;
        let taken = |name: &String| files.iter().any(|capture| capture.file.as_ref() == Some(name));
        names.find(|name| !taken(name)).unwrap_or_default()
    }
}
