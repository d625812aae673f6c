//! The report in a few lines, for the screen.

use super::preference::PreferenceReport;
use super::report::Report;

impl Report {
    /// What was analyzed, and one paragraph a condition: the statements of the page.
    pub fn text(&self) -> String {
        let counts = &self.counts;
        let who =
            if self.simulated_participants > 0 { "simulated listeners" } else { "participants" };
        let mut text = format!(
            "{} answers of {} {who} analyzed, of {} of {}\n",
            counts.answers_analyzed,
            counts.participants_analyzed,
            counts.answers,
            counts.participants
        );
        for condition in &self.conditions {
            let (block, name) = (&condition.block, &condition.condition);
            text += &format!("{block} {name}: {}\n", condition.statement());
        }
        for found in &self.preferences {
            let (share, test) = match found.model.done() {
                Some(model) => (model.share, format!(", p {:.3} against one half", model.p)),
                None => (found.share, String::new()),
            };
            let PreferenceReport { block, first, chosen, answers, .. } = found;
            text += &format!(
                "{block}: share for {first} {:.1} %{test}; {chosen} of {answers} answers\n",
                100.0 * share
            );
        }
        for found in &self.ratings {
            let (block, condition) = (&found.block, &found.condition);
            let (median, mean) = (found.median, found.mean);
            text += &format!("{block} {condition}: median {median}, mean {mean:.2}\n");
        }
        for found in &self.mushra {
            let out = found.screening.iter().filter(|listener| listener.out).count();
            let of = found.screening.len();
            text += &format!("{}: {out} of {of} listeners out by post-screening\n", found.block);
            for c in &found.conditions {
                let (low, high) = (c.quartiles.low, c.quartiles.high);
                text += &format!(
                    "{} {}: median {:.1} ({low:.1} to {high:.1}), mean {:.1}\n",
                    found.block, c.condition, c.median, c.mean
                );
            }
        }
        for found in &self.bs1116 {
            let out = found.screening.iter().filter(|listener| listener.out).count();
            let of = found.screening.len();
            text += &format!("{}: {out} of {of} listeners out by post-screening\n", found.block);
            for c in &found.conditions {
                let ends = c.interval.map(|i| format!(" ({:.2} to {:.2})", i.low, i.high));
                let ends = ends.unwrap_or_default();
                text +=
                    &format!("{} {}: diff-grade {:.2}{ends}\n", found.block, c.condition, c.diff);
            }
        }
        for found in &self.staircases {
            text += &format!("{} {}: {}\n", found.block, found.condition, found.sentence());
        }
        text
    }
}
