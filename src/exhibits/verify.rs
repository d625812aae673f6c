//! Verifying a fooling set: every delivered file is scored again, and must have the label and the
//! posteriors that the manifest says; no file may be in the set twice.

use std::path::Path;

use serde::{Deserialize, Serialize};
use trompe_corpora::Provenance;

use crate::error::{Error, Result};
use crate::log_odds::{log_odds_from_posterior, posterior_from_log_odds};
use crate::reference::{Criterion, FEWEST_GROUPS, Reference};

use super::load::{check_file, parse_manifest};
use super::manifest::{Exhibit, Manifest};

/// Largest accepted difference between a posterior in the manifest and the one computed
/// again (our choice: scores are reproducible to the bit on one machine, and this leaves
/// room for another).
pub const TOLERANCE: f64 = 1e-6;

/// How far below a level's threshold log-odds of such victims may lie, as a share of it (our choice).
const LEVEL_SLACK: f64 = 1e-3;

/// Room for the rounding of a level.
const ROUNDING: f64 = 1e-9;

/// The same for victims whose runtime does not give the same bits everywhere; also how far below
/// the threshold a posterior computed again may lie. The label must hold all the same.
pub const INEXACT_TOLERANCE: f64 = 1e-4;

/// What became of one exhibit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// File name inside the set.
    pub file: String,
    /// Name of its class.
    pub label: String,
    /// The classifier's label of the file now; `None` in a tie, or if it could not be scored.
    pub label_now: Option<String>,
    /// Whether the file is there and has its SHA-256.
    pub sha256_ok: bool,
    /// Posterior of its class according to the manifest.
    pub posterior_in_manifest: f64,
    /// The same, computed again from the file; `None` if it could not be.
    pub posterior_now: Option<f64>,
    /// Largest difference between the two over all classes.
    pub largest_difference: Option<f64>,
    /// Its log-odds computed again; empty if they could not be.
    #[serde(skip)]
    log_odds_now: Vec<f64>,
    /// Level of its class according to the manifest, if the set has a reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_in_manifest: Option<f64>,
    /// The same, computed again, if the model has the set's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_now: Option<f64>,
    /// Whether the score of its class computed again reaches what the set was searched for.
    pub reaches_threshold: bool,
    /// What is wrong, in words; empty if nothing is.
    pub problems: Vec<String>,
}

/// What became of a whole set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The least real material the set depends on.
    pub provenance: Provenance,
    /// The set's threshold.
    pub threshold: f64,
    /// The level that it was searched for, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<f64>,
    /// What exhibits had to reach besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub besides: Option<Criterion>,
    /// Whether the model has the genuine reference that the set's levels were counted among: if not,
    /// they are checked against the manifest's thresholds alone. `None` of a set without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_reference: Option<bool>,
    /// Name of what scored the files when the set was made, if not trompe itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// One entry per exhibit, in the manifest's order.
    pub exhibits: Vec<Checked>,
    /// Whether every exhibit passed.
    pub passed: bool,
}

impl Verification {
    /// What the set was searched for.
    pub fn asked(&self) -> Criterion {
        self.level.map_or(Criterion::Posterior(self.threshold), Criterion::Level)
    }

    /// The exhibits that did not pass.
    pub fn failures(&self) -> impl Iterator<Item = &Checked> {
        self.exhibits.iter().filter(|checked| !checked.problems.is_empty())
    }
}

/// What a set is verified by.
#[derive(Debug, Clone, Copy)]
pub struct Verifier<'a> {
    /// Fingerprint of the model.
    pub classifier_sha256: &'a str,
    /// Whether it gives the same bits on every machine.
    pub exact: bool,
    /// Its genuine reference.
    pub reference: Option<&'a Reference>,
    /// What every exhibit must reach besides what the set was searched for.
    pub besides: Option<Criterion>,
}

/// Scores every file of the set in `folder` again. `score` decodes a file and gives its
/// log-odds by the model of `by`. Files that fail are reported, all of them; an empty set passes.
///
/// Levels are checked against the thresholds that the manifest keeps, and one by one where the
/// model has the reference that they were counted among.
///
/// # Errors
/// Those of [`read_manifest`](super::read_manifest), but exhibits of another label and files that
/// are in the set twice are reported as failing; [`Error::Request`] if the set was made on another model.
pub fn verify(
    folder: &Path,
    by: Verifier<'_>,
    mut score: impl FnMut(&Path) -> Result<Vec<f64>>,
) -> Result<Verification> {
    let Verifier { classifier_sha256, exact, reference, besides } = by;
    let manifest = parse_manifest(folder)?;
    let expected = &manifest.origin.classifier.sha256;
    if expected.is_empty() {
        return Err(Error::request(
            format!("{} was made on a model without a fingerprint", folder.display()),
            "nothing tells whether a model is that one: make the set with a fingerprint",
        ));
    }
    if classifier_sha256 != expected {
        return Err(Error::request(
            format!(
                "{} was made on the model with SHA-256 {expected}, not on {classifier_sha256}",
                folder.display()
            ),
            "give the model the set was made on",
        ));
    }
    let (threshold, level) = (manifest.origin.threshold, manifest.origin.level);
    let used = manifest.origin.reference.as_ref();
    let same = |own: &&Reference| used.is_some_and(|used| used.sha256 == own.sha256());
    let same_reference = used.map(|_| reference.is_some_and(|own| same(&own)));
    let reference = reference.filter(same);
    let limits = besides.map(|besides| limits(&manifest, besides, reference)).transpose()?;
    let faults = manifest.exhibits.iter().zip(manifest.faults());
    let exhibits: Vec<Checked> = faults
        .map(|(exhibit, faults)| {
            let checked = check_exhibit(folder, &manifest, exhibit, faults, exact, &mut score);
            let mut checked = check_level(&manifest, exhibit, reference, checked);
            if let (Some(besides), Some(limits)) = (besides, &limits) {
                check_besides(besides, limits, exhibit, exact, &mut checked);
            }
            checked
        })
        .collect();
    let passed = exhibits.iter().all(|checked| checked.problems.is_empty());
    let provenance = manifest.origin.provenance();
    let runtime = manifest.origin.classifier.runtime.map(|runtime| runtime.name);
    Ok(Verification {
        provenance,
        threshold,
        level,
        besides,
        same_reference,
        runtime,
        exhibits,
        passed,
    })
}

/// What log-odds of each class must exceed for `criterion`: a level's limits are those that the
/// manifest keeps, or those among the genuine items that its levels were counted among.
fn limits(
    manifest: &Manifest,
    criterion: Criterion,
    reference: Option<&Reference>,
) -> Result<Vec<Option<f64>>> {
    criterion.check()?;
    let level = match criterion {
        Criterion::Posterior(posterior) => {
            return Ok(vec![
                Some(log_odds_from_posterior(posterior));
                manifest.origin.classes.len()
            ]);
        }
        Criterion::Level(level) => level,
    };
    let kept = manifest.origin.reference.as_ref().and_then(|used| used.at(level));
    let counted = || reference.map(|own| own.levels().thresholds(level));
    kept.map(<[_]>::to_vec).or_else(counted).ok_or_else(|| {
        Error::request(
            format!("nothing tells the level {level} of these exhibits"),
            "ask for a level that their manifest keeps (0.1, 0.5, 0.9), or give the model with the \
             genuine reference that their levels were counted among",
        )
    })
}

/// Checks what exhibits must reach besides what the set was searched for.
fn check_besides(
    criterion: Criterion,
    limits: &[Option<f64>],
    exhibit: &Exhibit,
    exact: bool,
    checked: &mut Checked,
) {
    let Some(&now) = checked.log_odds_now.get(exhibit.class) else { return };
    let slack = if exact { 0.0 } else { INEXACT_TOLERANCE };
    let reached = match (criterion, limits[exhibit.class]) {
        (_, None) => false,
        (Criterion::Posterior(posterior), Some(limit)) => {
            now >= limit || posterior_from_log_odds(now) >= posterior - slack
        }
        (Criterion::Level(_), Some(limit)) => now > limit,
    };
    if !reached {
        let undefined = limits[exhibit.class].is_none();
        let why = if undefined { ", which is undefined in its class" } else { "" };
        checked.problems.push(format!("it does not reach the {}{why}", criterion.in_words()));
    }
}

fn check_exhibit(
    folder: &Path,
    manifest: &Manifest,
    exhibit: &Exhibit,
    mut problems: Vec<String>,
    exact: bool,
    score: &mut impl FnMut(&Path) -> Result<Vec<f64>>,
) -> Checked {
    let path = folder.join(&exhibit.file);
    let threshold = manifest.origin.threshold;
    let (tolerance, slack) =
        if exact { (TOLERANCE, 0.0) } else { (INEXACT_TOLERANCE, INEXACT_TOLERANCE) };
    let intact = check_file(&path, &exhibit.sha256);
    let sha256_ok = intact.is_ok();
    problems.extend(intact.err());
    let mut checked = Checked {
        file: exhibit.file.clone(),
        label: exhibit.label.clone(),
        label_now: None,
        sha256_ok,
        posterior_in_manifest: exhibit.posterior,
        posterior_now: None,
        largest_difference: None,
        log_odds_now: Vec::new(),
        level_in_manifest: exhibit.level,
        level_now: None,
        reaches_threshold: false,
        problems,
    };
    // An altered file is scored too: how far its posterior moved tells what happened to it.
    // What is no ordinary file is not opened.
    if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
        return checked;
    }
    let log_odds = match score(&path) {
        Ok(log_odds) => log_odds,
        Err(error) => {
            checked.problems.push(format!("cannot be scored: {error}"));
            return checked;
        }
    };
    let posteriors: Vec<f64> =
        log_odds.iter().map(|&score| posterior_from_log_odds(score)).collect();
    if posteriors.len() != exhibit.posteriors.len() {
        checked.problems.push(format!(
            "the classifier has {} classes, the set {}",
            posteriors.len(),
            exhibit.posteriors.len()
        ));
        return checked;
    }
    let label = manifest.label_of(&log_odds, exhibit.class);
    // Where the manifest itself says another label, that is in `problems` already.
    if label != Some(&exhibit.label) && label != manifest.label_of(&exhibit.log_odds, exhibit.class)
    {
        let label = label.map_or("no label", String::as_str);
        checked.problems.push(format!("the classifier's label of the file is {label}"));
    }
    checked.label_now = label.cloned();
    let now = posteriors[exhibit.class];
    let pairs = posteriors.iter().zip(&exhibit.posteriors);
    // `f64::max` would hide a NaN.
    let difference = pairs.map(|(now, then)| (now - then).abs()).max_by(f64::total_cmp);
    checked.posterior_now = Some(now);
    checked.largest_difference = difference;
    let limit = manifest.origin.limits().of(exhibit.class);
    checked.reaches_threshold = log_odds[exhibit.class] >= limit;
    let granted = match manifest.origin.level {
        None => now >= posterior_from_log_odds(limit) - slack,
        // Posteriors near 1 hide how far a score fell.
        Some(_) => log_odds[exhibit.class] >= limit - LEVEL_SLACK * limit.abs().max(1.0),
    };
    if !checked.reaches_threshold && (slack == 0.0 || !granted) {
        checked.problems.push(match manifest.origin.level {
            None => format!("its posterior {now} is below the threshold {threshold}"),
            Some(level) => format!("its posterior {now} is below that of the level {level}"),
        });
    }
    checked.log_odds_now = log_odds;
    let agrees = difference.is_none_or(|difference| difference <= tolerance);
    if !agrees {
        checked.problems.push("its posteriors are not those of the manifest".into());
    }
    checked
}

/// Checks what the manifest says of an exhibit's level.
fn check_level(
    manifest: &Manifest,
    exhibit: &Exhibit,
    reference: Option<&Reference>,
    mut checked: Checked,
) -> Checked {
    let Some(used) = &manifest.origin.reference else { return checked };
    let said = exhibit.log_odds[exhibit.class];
    for thresholds in &used.thresholds {
        let (level, limit) = (thresholds.level, thresholds.log_odds[exhibit.class]);
        let (Some(stated), Some(limit)) = (exhibit.level, limit) else { continue };
        if (stated + ROUNDING >= level) != (said > limit) {
            let what = format!("its level {stated} is not that of its score at {level}");
            checked.problems.push(what);
        }
    }
    let too_few = used.classes.get(exhibit.class).is_some_and(|of| of.groups < FEWEST_GROUPS);
    if exhibit.level.is_some() && too_few {
        checked.problems.push("it has a level in a class that has none".to_owned());
    }
    if let Some(reference) = reference
        && !checked.log_odds_now.is_empty()
    {
        checked.level_now = reference.level(&checked.log_odds_now, exhibit.class);
        if reference.level(&exhibit.log_odds, exhibit.class) != exhibit.level {
            checked.problems.push("its level is not the one among the genuine items".to_owned());
        }
    }
    checked
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::super::load::{MANIFEST_FILE, read_manifest};
    use super::super::toy::{self, Toy};
    use super::*;

    fn by(classifier_sha256: &str, exact: bool) -> Verifier<'_> {
        Verifier { classifier_sha256, exact, reference: None, besides: None }
    }

    fn verify_toy(folder: &Path) -> Result<Verification> {
        verify(folder, by(toy::MODEL, true), |path| Toy::default().score(path))
    }

    #[test]
    fn an_untouched_set_passes() {
        let (_home, folder) = toy::set();
        let verification = verify_toy(&folder).unwrap();
        assert!(verification.passed);
        assert_eq!(verification.exhibits.len(), 2);
        for checked in &verification.exhibits {
            assert!(checked.sha256_ok && checked.reaches_threshold);
            assert_eq!(checked.largest_difference, Some(0.0));
        }
    }

    #[test]
    fn one_altered_file_fails_the_set_and_is_named() {
        let (_home, folder) = toy::set();
        fs::write(folder.join("rock-1_0.9996.txt"), "0 5 0").unwrap();
        let verification = verify_toy(&folder).unwrap();
        assert!(!verification.passed);
        let failures: Vec<&Checked> = verification.failures().collect();
        let [failure] = failures.as_slice() else { panic!("one file was altered: {failures:?}") };
        assert_eq!(failure.file, "rock-1_0.9996.txt");
        assert!(!failure.sha256_ok && !failure.reaches_threshold);
        assert_eq!(failure.problems.len(), 3, "{:?}", failure.problems);
        assert_eq!(failure.label_now.as_deref(), Some("rock"));
        fs::write(folder.join("rock-1_0.9996.txt"), "9 8 0").unwrap();
        let verification = verify_toy(&folder).unwrap();
        let failure = verification.failures().next().unwrap();
        assert_eq!(failure.label_now.as_deref(), Some("blues"));
        assert!(failure.problems.iter().any(|what| what.contains("label of the file is blues")));
    }

    /// Both exhibits have a posterior of 0.9996, and the set keeps no levels.
    #[test]
    fn more_can_be_asked_of_exhibits_than_they_were_searched_for() {
        let (_home, folder) = toy::set();
        let asking = |besides| {
            let by = Verifier { besides: Some(besides), ..by(toy::MODEL, true) };
            verify(&folder, by, |path| Toy::default().score(path))
        };
        assert!(asking(Criterion::Posterior(0.9995)).unwrap().passed);
        let verification = asking(Criterion::Posterior(0.99999)).unwrap();
        assert_eq!(verification.failures().count(), 2);
        let said = &verification.exhibits[0].problems;
        assert_eq!(said, &["it does not reach the posterior 0.99999"]);
        assert!(asking(Criterion::Level(0.5)).unwrap_err().to_string().contains("level 0.5"));
        assert!(asking(Criterion::Posterior(1.5)).is_err());
    }

    /// Log-odds that are off by 0.01 change posteriors of 0.9996 by 3e-6.
    #[test]
    fn a_runtime_that_is_not_exact_is_granted_a_tolerance() {
        let (_home, folder) = toy::set();
        let off = |less: f64, exact: bool| {
            let scored = verify(&folder, by(toy::MODEL, exact), |path| {
                let mut log_odds = Toy::default().score(path)?;
                let top = crate::log_odds::label(&log_odds).unwrap();
                log_odds[top] -= less;
                Ok(log_odds)
            });
            scored.unwrap().passed
        };
        assert!(off(0.0, true) && !off(0.01, true));
        assert!(off(0.01, false) && !off(1.0, false));
    }

    #[test]
    fn a_set_edited_by_hand_fails_by_name() {
        // The file of `blues`, listed a second time as an exhibit of `rock`.
        let (_home, folder) = toy::set();
        let path = folder.join(MANIFEST_FILE);
        let mut manifest = read_manifest(&folder).unwrap();
        let mut copy = manifest.exhibits[0].clone();
        copy.file = "rock-2_0.9999.txt".into();
        (copy.class, copy.label, copy.posterior) = (1, "rock".into(), copy.posteriors[1]);
        fs::copy(folder.join(&manifest.exhibits[0].file), folder.join(&copy.file)).unwrap();
        manifest.exhibits.push(copy);
        fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
        let verification = verify_toy(&folder).unwrap();
        let failures: Vec<&Checked> = verification.failures().collect();
        let [failure] = failures.as_slice() else { panic!("{failures:?}") };
        assert_eq!(failure.file, "rock-2_0.9999.txt");
        assert!(failure.problems[0].contains("is \"blues\", not \"rock\""), "{failure:?}");
        assert!(failure.problems[1].contains("same as \"blues-1_0.9999.txt\""), "{failure:?}");
    }

    #[test]
    fn a_manifest_that_flatters_fails() {
        // The file reaches the threshold, but not the posteriors that the manifest claims.
        let (_home, folder) = toy::set();
        let path = folder.join(MANIFEST_FILE);
        let mut manifest = read_manifest(&folder).unwrap();
        let exhibit = &mut manifest.exhibits[1];
        exhibit.log_odds[0] += 1.0;
        exhibit.posteriors[0] = posterior_from_log_odds(exhibit.log_odds[0]);
        fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
        let verification = verify_toy(&folder).unwrap();
        assert!(!verification.passed);
        let failure = verification.failures().next().unwrap();
        assert!(failure.sha256_ok && failure.reaches_threshold);
        assert_eq!(failure.problems, ["its posteriors are not those of the manifest"]);
    }

    #[test]
    fn a_raised_threshold_fails() {
        let (_home, folder) = toy::set();
        let path = folder.join(MANIFEST_FILE);
        let mut manifest = read_manifest(&folder).unwrap();
        manifest.origin.threshold = 0.9998;
        fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
        let verification = verify_toy(&folder).unwrap();
        let failures: Vec<&str> = verification.failures().map(|f| f.file.as_str()).collect();
        assert_eq!(failures, ["rock-1_0.9996.txt"]);
    }

    #[test]
    fn missing_and_unreadable_files_are_all_reported() {
        let (_home, folder) = toy::set();
        fs::remove_file(folder.join("rock-1_0.9996.txt")).unwrap();
        fs::write(folder.join("blues-1_0.9999.txt"), "no numbers").unwrap();
        let verification = verify_toy(&folder).unwrap();
        assert_eq!(verification.failures().count(), 2);
        assert!(verification.exhibits[0].problems[1].contains("cannot be scored"));
        assert_eq!(verification.exhibits[1].problems, ["is missing"]);
        assert_eq!(verification.exhibits[1].posterior_now, None);
    }

    #[test]
    fn scores_that_are_not_numbers_fail() {
        let (_home, folder) = toy::set();
        let verification =
            verify(&folder, by(toy::MODEL, true), |_| Ok(vec![f64::NAN; 3])).unwrap();
        assert_eq!(verification.failures().count(), 2);
    }

    #[test]
    fn another_model_or_number_of_classes_is_refused() {
        let (_home, folder) = toy::set();
        let error = verify(&folder, by("beef", true), |_| Ok(vec![])).unwrap_err();
        assert!(matches!(error, Error::Request { .. }), "{error:?}");
        let verification = verify(&folder, by(toy::MODEL, true), |_| Ok(vec![9.0])).unwrap();
        assert!(!verification.passed);
    }
}
