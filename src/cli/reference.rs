//! `trompe reference`: give a model genuine items to be held against; and what training says of them.

use std::path::PathBuf;

use super::common::{Common, Outcome, print, print_json};
use super::data::DataArguments;
use super::progress::Bars;
use crate::error::{Error, Result};
use crate::pipeline::open::unambiguous;
use crate::pipeline::reference::{ClassMap, ReferencePlan, reference_of};
use crate::reference::{CalibrationMap, CoverageAt, LEVELS, Reference};
use crate::victims::AnyModel;
use trompe_base::words::counted;

/// Heading of these options.
const REFERENCE: &str = "Options of the genuine reference";

/// Options of `train`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ReferenceArguments {
    /// Share of the groups of every class that is held out as the genuine reference
    ///
    /// Without it, the corpus' test part is held out where there is one; else the reference is
    /// cross-fitted. 0 asks for a cross-fit.
    #[arg(long, value_name = "SHARE", help_heading = REFERENCE)]
    hold_out: Option<f64>,
    /// Folds of the cross-fit of the genuine reference; 0 for no reference. Groups are kept apart
    /// where there are any; a group that holds a whole class cannot be held out [default: 5]
    #[arg(long, alias = "calibration-folds", value_name = "N",
        help_heading = REFERENCE, hide_short_help = true)]
    reference_folds: Option<usize>,
    /// Check the levels of a cross-fit of sound by nested folds: N (N - 1) / 2 more fits
    #[arg(long, help_heading = REFERENCE, hide_short_help = true)]
    check_levels: bool,
}

impl ReferenceArguments {
    /// What was asked for.
    ///
    /// # Errors
    /// [`Error::Request`] for options of a cross-fit beside a share that is held out.
    pub(super) fn plan(&self, seed: u64) -> Result<ReferencePlan> {
        let of_cross_fit = [
            (self.reference_folds.is_some(), "--reference-folds"),
            (self.check_levels, "--check-levels"),
        ];
        let given = of_cross_fit.iter().find(|(given, _)| *given);
        if let (Some((_, option)), Some(share)) = (given, self.hold_out)
            && share > 0.0
        {
            return Err(Error::request(
                format!("{option} is of a cross-fit, and --hold-out {share} asks for none"),
                "leave one of the two out",
            ));
        }
        Ok(ReferencePlan {
            hold_out: self.hold_out,
            folds: self.reference_folds.unwrap_or(ReferencePlan::FOLDS),
            check_levels: self.check_levels,
            seed,
        })
    }
}

/// Give a model a genuine reference: items it was not trained on, with its scores of them
///
/// Levels and calibrated posteriors are counted among these items. A model that `trompe train` made
/// has one already; this adds one to a foreign net, or replaces one. The items go into the model's
/// own file, or into `reference.npz` beside an ONNX file. The model's scores, and all runs and fooling
/// sets made with it, stay as they are.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  trompe reference lenet-5.safetensors --genuine synthetic-digits"
)]
pub(super) struct Arguments {
    /// The model: a file from `trompe train`, or an ONNX file with its description beside it; no name
    /// of a recipe, whose files are left as they are
    model: PathBuf,
    /// The genuine corpus: a name from `trompe corpus list`, or a path. Its test part is used where
    /// it has one
    #[arg(long = "genuine", value_name = "CORPUS")]
    genuine: String,
    /// A TOML file with lines `label = "class"`, for labels that are called otherwise than the
    /// model's classes; an empty class leaves the label out
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Leave out clips that cannot be read, and say which
    #[arg(long)]
    skip_bad: bool,
    /// Read frames of clips that are damaged or missing as silence, and say where
    #[arg(long)]
    conceal: bool,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    unambiguous(&arguments.genuine)?;
    let bars = Bars::new(common);
    let model = AnyModel::load(&arguments.model)?;
    let map = match &arguments.labels {
        Some(path) => ClassMap::read(path)?,
        None => ClassMap::default(),
    };
    let Arguments { genuine, skip_bad, conceal, .. } = arguments;
    let data = DataArguments::of_corpus(genuine, *skip_bad, *conceal).data();
    let reference = reference_of(&model, &data, &map, &bars)?;
    let replaced = model.reference().is_some();
    let model = model.with_reference(reference)?;
    let written = model.save_reference(&arguments.model)?;
    bars.clear();
    if common.json {
        print_json(&serde_json::json!({
            "model": arguments.model,
            "sha256": model.fingerprint(),
            "written": written,
            "replaced": replaced,
            "reference": model.reference().map(summary),
        }));
    } else {
        let verb = if replaced { "replaced the reference in" } else { "written to" };
        print(&in_words(model.reference()));
        for note in model.reference().iter().flat_map(|reference| &reference.source().notes) {
            print(&format!("note: {note}"));
        }
        print(&format!("{verb} {}", written.display()));
    }
    Ok(Outcome::Done)
}

/// A reference in a few lines.
pub(super) fn in_words(reference: Option<&Reference>) -> String {
    let Some(reference) = reference else {
        return "no genuine reference: no levels, no calibrated posterior".to_owned();
    };
    let source = reference.source();
    let folds =
        source.folds.map_or_else(String::new, |folds| format!(" in {}", counted(folds, "fold")));
    let mut lines = vec![format!(
        "genuine reference: {} of {} of {}, {}{folds}",
        counted(reference.items().len(), "item"),
        counted(reference.groups().count(), "group"),
        source.corpus,
        source.kind.name(),
    )];
    let undefined = reference.undefined();
    if !undefined.is_empty() {
        lines.push(format!(
            "no levels in {}: fewer than {} groups with an item that the model labels rightly, or that has the tag",
            undefined.join(", "),
            crate::reference::FEWEST_GROUPS
        ));
    }
    lines.push(match reference.calibration_map() {
        Some(map) => format!("calibrated posterior: {} ({map})", map.formula()),
        None => "no calibrated posterior: there is no map of residual confidences".to_owned(),
    });
    if let Some(coverage) = reference.coverage() {
        let at = |at: &CoverageAt| match at.reached {
            Some(share) => format!(
                "{:.1} % ({:.1} to {:.1} %) reach {}",
                100.0 * share.share,
                100.0 * share.low,
                100.0 * share.high,
                at.level
            ),
            None => format!("none is defined at {}", at.level),
        };
        let found: Vec<String> = coverage.levels.iter().map(at).collect();
        let verdict = if coverage.is_biased() { "BIASED" } else { "no bias found" };
        lines.push(format!(
            "nested folds, genuine items of new groups: {}: {verdict}",
            found.join(", ")
        ));
    }
    lines.join("\n")
}

/// A reference as JSON, without its items.
pub(super) fn summary(reference: &Reference) -> serde_json::Value {
    let levels = |level: f64| {
        let named = reference.classes().iter().zip(reference.levels().thresholds(level));
        let classes: serde_json::Map<String, serde_json::Value> =
            named.map(|(class, limit)| (class.clone(), limit.into())).collect();
        serde_json::json!({ "level": level, "log_odds": classes })
    };
    let map = reference.calibration_map();
    let mut summary = serde_json::json!({
        "sha256": reference.sha256(),
        "source": reference.source(),
        "items": reference.items().len(),
        "groups": reference.groups().count(),
        "undefined": reference.undefined(),
        "thresholds": LEVELS.map(levels),
        "temperature": map.and_then(CalibrationMap::temperature),
        "coverage": reference.coverage(),
        "biased": reference.is_biased(),
    });
    if let Some(map) = map.and_then(CalibrationMap::vector_scaling) {
        summary["vector_scaling"] = serde_json::json!(map);
    }
    summary
}
