//! Curves of all groups in one frame: evaluations to the right by powers of ten, one colour
//! a group, its letter at the end of its line.

use std::fmt::Write;

use maud::{Markup, html};

use crate::log_odds::log_odds_from_posterior;
use crate::report::axis::LogOddsAxis;
use crate::report::curves::{power_label, units};
use crate::results::comparison::GroupReport;

/// Least distance between two letters at the ends of lines.
const LETTER_GAP: f64 = 15.0;

/// A frame with its scales, in its own units; text is 12 units high.
struct Frame {
    width: f64,
    height: f64,
    decades: f64,
}

const LEFT: f64 = 52.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;

impl Frame {
    fn new(width: f64, height: f64, groups: &[GroupReport]) -> Self {
        let most = groups.iter().map(|group| group.budget).max().unwrap_or(10).max(2);
        Self { width, height, decades: libm::log10(most as f64) }
    }

    fn x(&self, evaluation: u64) -> f64 {
        let share = libm::log10(evaluation.max(1) as f64) / self.decades;
        LEFT + share.min(1.0) * (self.width - LEFT - RIGHT)
    }

    /// From 0 at the bottom to 1 at the top.
    fn y(&self, share: f64) -> f64 {
        self.height - BOTTOM - share * (self.height - TOP - BOTTOM)
    }

    fn grid<'t>(&self, ticks: impl IntoIterator<Item = (f64, &'t str)>) -> Markup {
        let (right, floor) = (self.width - RIGHT, self.y(0.0));
        html! {
            @for (share, label) in ticks {
                @let y = self.y(share);
                line.grid x1=(LEFT) x2=(right) y1=(units(y)) y2=(units(y)) {}
                text x=(LEFT - 7.0) y=(units(y + 4.0)) text-anchor="end" { (label) }
            }
            @for power in 0..=libm::floor(self.decades + 1e-9) as u32 {
                @let x = units(self.x(10u64.saturating_pow(power)));
                line.grid x1=(x) x2=(x) y1=(units(floor)) y2=(units(floor + 4.0)) {}
                text x=(x) y=(self.height - 7.0) text-anchor="middle" { (power_label(power)) }
            }
        }
    }

    /// Letters at the ends of lines, moved apart where they would touch.
    fn letters(&self, groups: &[GroupReport], ends: &[f64]) -> Markup {
        let mut order: Vec<usize> = (0..ends.len()).collect();
        order.sort_by(|&a, &b| ends[a].total_cmp(&ends[b]));
        let mut places = ends.to_vec();
        let mut lowest = f64::NEG_INFINITY;
        for &index in &order {
            places[index] = places[index].max(lowest + LETTER_GAP);
            lowest = places[index];
        }
        // What was pushed below the frame moves back up.
        let mut highest = self.y(0.0) + LETTER_GAP;
        for &index in order.iter().rev() {
            places[index] = places[index].min(highest - LETTER_GAP);
            highest = places[index];
        }
        html! {
            @for (index, group) in groups.iter().enumerate() {
                text.letter.(colour(index)) x=(units(self.x(group.budget) + 8.0)) y=(units(places[index] + 4.5)) { (group.name) }
            }
        }
    }
}

/// Style class of the colour of a group.
pub(super) fn colour(index: usize) -> String {
    format!("g{}", index % 8)
}

/// Median best posterior over evaluations: the median over seeds, and their range as a band.
pub(super) fn best_posterior(groups: &[GroupReport], threshold: f64) -> Markup {
    let frame = Frame::new(1080.0, 420.0, groups);
    let log_odds = |posterior: f64| log_odds_from_posterior(posterior.clamp(1e-9, 1.0 - 1e-9));
    let curves = groups.iter().flat_map(|group| &group.curve);
    // What lies far below is cut: the first random candidates say little.
    let axis = LogOddsAxis::around(
        curves.flat_map(|at| [at.low, at.high]).map(|posterior| log_odds(posterior).max(-3.0)),
    );
    let y = |posterior: f64| frame.y(axis.position(log_odds(posterior)));
    let line = |group: &GroupReport| {
        let points = group.curve.iter().map(|at| (frame.x(at.evaluations), y(at.median)));
        path(points)
    };
    let band = |group: &GroupReport| {
        let upper = group.curve.iter().map(|at| (frame.x(at.evaluations), y(at.high)));
        let lower = group.curve.iter().rev().map(|at| (frame.x(at.evaluations), y(at.low)));
        path(upper.chain(lower)) + "Z"
    };
    let end = |group: &GroupReport| group.curve.last().map_or(frame.y(0.0), |at| y(at.median));
    let ends: Vec<f64> = groups.iter().map(end).collect();
    let mark = units(y(threshold));
    html! {
        svg.plot viewBox=(format!("0 0 {} {}", frame.width, frame.height)) role="img" aria-label="Median best posterior over evaluations, one line a group" {
            (frame.grid(axis.ticks()))
            line.threshold x1=(LEFT) x2=(frame.width - RIGHT) y1=(mark) y2=(mark) {}
            @for (index, group) in groups.iter().enumerate() {
                path.band.(colour(index)) d=(band(group)) {}
            }
            @for (index, group) in groups.iter().enumerate() {
                path.line.(colour(index)) d=(line(group)) {}
            }
            (frame.letters(groups, &ends))
        }
    }
}

/// Share of classes and seeds that have reached one threshold, over evaluations.
pub(super) fn reached(groups: &[GroupReport], level: usize) -> Markup {
    let frame = Frame::new(360.0, 240.0, groups);
    let steps = |group: &GroupReport| {
        let mut steps = format!("M{} {}", LEFT, units(frame.y(0.0)));
        for &(evaluation, share) in &group.levels[level].reached {
            // Writing to a string cannot fail.
            let _ = write!(steps, "H{}V{}", units(frame.x(evaluation)), units(frame.y(share)));
        }
        let _ = write!(steps, "H{}", units(frame.x(group.budget)));
        steps
    };
    let end = |group: &GroupReport| {
        frame.y(group.levels[level].reached.last().map_or(0.0, |step| step.1))
    };
    let ends: Vec<f64> = groups.iter().map(end).collect();
    let ticks = [(0.0, "0"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (1.0, "100 %")];
    html! {
        svg.plot viewBox=(format!("0 0 {} {}", frame.width, frame.height)) role="img" aria-label="Share of classes and seeds reached over evaluations" {
            (frame.grid(ticks))
            @for (index, group) in groups.iter().enumerate() {
                path.line.(colour(index)) d=(steps(group)) {}
            }
            (frame.letters(groups, &ends))
        }
    }
}

/// A broken line through points.
fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        let command = if path.is_empty() { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{} {}", units(x), units(y));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::comparison::tests::comparison;

    #[test]
    fn every_group_has_a_line_a_band_and_a_letter() {
        let groups = comparison().groups;
        let drawn = best_posterior(&groups, 0.999).into_string();
        for (index, group) in groups.iter().enumerate() {
            assert!(drawn.contains(&format!("class=\"line g{index}\"")), "{drawn}");
            assert!(drawn.contains(&format!("class=\"band g{index}\"")));
            assert!(drawn.contains(&format!(">{}</text>", group.name)));
        }
        let steps = reached(&groups, 1).into_string();
        assert_eq!(steps.matches("class=\"line").count(), groups.len());
        assert!(!drawn.contains("NaN") && !drawn.contains("inf") && !steps.contains("NaN"));
    }

    #[test]
    fn letters_never_touch() {
        let groups = comparison().groups;
        let frame = Frame::new(360.0, 240.0, &groups);
        let drawn = frame.letters(&groups, &[frame.y(0.0), frame.y(0.0)]).into_string();
        let places: Vec<f64> = drawn
            .split(" y=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next()?.parse().ok())
            .collect();
        assert!((places[0] - places[1]).abs() >= LETTER_GAP - 0.2, "{places:?}");
        assert!(places.iter().all(|&place| place <= frame.y(0.0) + 5.0), "{places:?}");
    }
}
