//! Options of Sturm's second system: sparse representation classification of auditory
//! temporal modulations.

use clap::ValueEnum;

use crate::classifiers::SparseParams;
use crate::classifiers::sparse::{Normalization, Reduction, Solver};
use crate::error::{Error, Result};
use crate::features::Modulations;
use crate::features::modulations::{FrontEnd, Measure};
use crate::pipeline::train::Srcam;

/// Heading of these options.
const SRCAM: &str = "Options of srcam";

#[derive(Debug, clap::Args)]
pub(super) struct SrcamArguments {
    /// Filters that make the 96 channels
    #[arg(help_heading = SRCAM, hide_short_help = true, long, value_name = "FILTERS", default_value = "gammatone")]
    front_end: Front,
    /// Centre of the lowest channel in hertz; the highest is 15.5 times higher
    #[arg(help_heading = SRCAM, hide_short_help = true, long, value_name = "HZ", default_value_t = Modulations::default().lowest)]
    lowest: f64,
    /// Centre over bandwidth of the filters, for constant-q [default: 4]
    #[arg(help_heading = SRCAM, hide_short_help = true, long, value_name = "Q")]
    quality: Option<f64>,
    /// Take the root of the energy at every rate
    #[arg(help_heading = SRCAM, hide_short_help = true, long)]
    magnitude: bool,
    /// Take the logarithm of what is measured at every rate
    #[arg(help_heading = SRCAM, hide_short_help = true, long)]
    log: bool,
    /// How features are brought to one scale
    #[arg(help_heading = SRCAM, hide_short_help = true, long, value_name = "HOW", default_value = "min-max")]
    normalization: Scale,
    /// How many dimensions are left: none (all), pca:N, random:N, or downsample:FACTOR
    #[arg(help_heading = SRCAM, hide_short_help = true, long, value_name = "HOW", default_value = "none", value_parser = reduction)]
    reduce: Reduction,
    /// Do not scale vectors to length 1
    #[arg(help_heading = SRCAM, hide_short_help = true, long)]
    no_unit_norm: bool,
    /// How far the sparse code may miss the vector
    #[arg(help_heading = SRCAM, hide_short_help = true, long, value_name = "E", default_value_t = SparseParams::default().epsilon)]
    epsilon: f64,
    /// Solver: the exact LASSO path, or SPGL1 as Sturm used it
    #[arg(help_heading = SRCAM, hide_short_help = true, long, value_name = "NAME", default_value = "homotopy")]
    solver: SolverName,
    /// Most iterations, for spgl1 [default: 200]
    #[arg(help_heading = SRCAM, hide_short_help = true, long, value_name = "N")]
    iterations: Option<usize>,
}

impl SrcamArguments {
    /// The settings.
    ///
    /// # Errors
    /// [`Error::Request`] for an option that has no effect beside the others.
    pub(super) fn srcam(&self) -> Result<Srcam> {
        let of_another = |option: &str, of: &str| {
            Error::request(
                format!("{option} has an effect with {of} only"),
                "leave one out, or add the other",
            )
        };
        if self.quality.is_some() && matches!(self.front_end, Front::Gammatone) {
            return Err(of_another("--quality", "--front-end constant-q"));
        }
        if self.iterations.is_some() && matches!(self.solver, SolverName::Homotopy) {
            return Err(of_another("--iterations", "--solver spgl1"));
        }
        Ok(Srcam {
            features: Modulations {
                front_end: match self.front_end {
                    Front::Gammatone => FrontEnd::Gammatone,
                    Front::ConstantQ => FrontEnd::ConstantQ,
                },
                lowest: self.lowest,
                q: self.quality.unwrap_or(Modulations::default().q),
                measure: if self.magnitude { Measure::Magnitude } else { Measure::Energy },
                log: self.log,
                ..Modulations::default()
            },
            params: SparseParams {
                normalization: match self.normalization {
                    Scale::MinMax => Normalization::MinMax,
                    Scale::Standardize => Normalization::Standardize,
                },
                reduction: self.reduce,
                unit_norm: !self.no_unit_norm,
                epsilon: self.epsilon,
                solver: match self.solver {
                    SolverName::Homotopy => Solver::Homotopy,
                    SolverName::Spgl1 => {
                        Solver::Spgl1 { iterations: self.iterations.unwrap_or(SPGL1_ITERATIONS) }
                    }
                },
            },
        })
    }
}

/// Most iterations of SPGL1, where none are asked for.
const SPGL1_ITERATIONS: usize = 200;

/// Hides the options of srcam from a verb's help: that of `train` has them.
pub(super) fn shown_by_train(argument: clap::Arg) -> clap::Arg {
    let hidden = argument.get_help_heading() == Some(SRCAM);
    argument.hide(hidden)
}

/// Seed of random projections: the matrix is part of the method, not of an experiment.
const PROJECTION_SEED: u64 = 1;

fn reduction(text: &str) -> Result<Reduction, String> {
    let (name, number) = text.split_once(':').unwrap_or((text, ""));
    let number = || number.parse().map_err(|_| format!("'{text}': give a number, as in {name}:64"));
    match name {
        "none" => Ok(Reduction::None),
        "pca" => Ok(Reduction::Pca { dimensions: number()? }),
        "random" => {
            Ok(Reduction::RandomProjection { dimensions: number()?, seed: PROJECTION_SEED })
        }
        "downsample" => Ok(Reduction::Downsampling { factor: number()? }),
        _ => Err(format!("'{text}': choose none, pca:N, random:N or downsample:FACTOR")),
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Front {
    /// Gammatone filters, as wide as the ear's
    Gammatone,
    /// Gabor filters of constant Q
    ConstantQ,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scale {
    /// To [0, 1] over the training vectors
    MinMax,
    /// To mean 0 and variance 1
    Standardize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SolverName {
    Homotopy,
    Spgl1,
}
