//! What a run is asked for: budget, threshold, emitter; every key optional in a file.

use serde::{Deserialize, Serialize};

use super::archive::Ranking;
use crate::error::{Error, Result};
use crate::reference::Criterion;
use crate::suggestion::did_you_mean;

/// Posterior to reach where none is given. Sturm (2012).
pub const THRESHOLD: f64 = 0.999;

/// SearchSettings of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchSettings {
    /// Seed of every random number of the run.
    pub seed: u64,
    /// Evaluations to spend at most.
    pub budget: u64,
    /// Posterior that a kept candidate must reach, in (0, 1). `None`: the classifier's default,
    /// or [`THRESHOLD`] where there is no classifier to ask.
    pub threshold: Option<f64>,
    /// Level among genuine items that a kept candidate must reach instead of a posterior, in (0, 1):
    /// the classifier must have a genuine reference.
    pub level: Option<f64>,
    /// Names of the classes that are searched for; none for all.
    pub targets: Vec<String>,
    /// Exhibits wanted per class; a class that has them is no longer searched for.
    pub exhibits: usize,
    /// Whether the whole budget is spent even when every class has its exhibits, as in runs
    /// of a fixed number of generations.
    pub whole_budget: bool,
    /// Least distance between two exhibits of a class, in [0, 1] (our choice).
    pub min_distance: f64,
    /// What a niche ranks by.
    pub ranking: Ranking,
    /// How candidates are proposed.
    pub emitter: EmitterSettings,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            budget: 20_000,
            threshold: None,
            level: None,
            targets: Vec::new(),
            exhibits: 3,
            whole_budget: false,
            min_distance: 0.6,
            ranking: Ranking::LogOdds,
            emitter: EmitterSettings::Climber(ClimberSettings::default()),
        }
    }
}

/// How candidates are proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum EmitterSettings {
    /// Independent random candidates, as Sturm (2012).
    Random(RandomSettings),
    /// MAP-Elites, as Nguyen, Yosinski & Clune (2015).
    MapElites(MapElitesSettings),
    /// One hill climber per class that starts from the shared archive (ours).
    Climber(ClimberSettings),
    /// Up the gradient of a problem that knows it, as Nguyen, Yosinski & Clune (2015).
    GradientAscent(GradientAscentSettings),
}

impl EmitterSettings {
    /// The emitter's name in files and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Random(_) => "random",
            Self::MapElites(_) => "map-elites",
            Self::Climber(_) => "climber",
            Self::GradientAscent(_) => "gradient-ascent",
        }
    }

    /// Random candidates of the first generation, from which a search of so many classes starts;
    /// `None` where all candidates are random.
    pub fn random_draws(&self, classes: usize) -> Option<u64> {
        match self {
            Self::Random(_) => None,
            Self::MapElites(map) => Some(map.initial as u64),
            Self::Climber(climber) => Some(climber.initial as u64),
            Self::GradientAscent(_) => Some(classes as u64),
        }
    }

    /// Evaluations after the first generation and `generations` more, for an emitter whose
    /// generations have a fixed size.
    pub fn evaluations_after(&self, generations: u64) -> Option<u64> {
        match self {
            Self::MapElites(map) => {
                (map.batch as u64).checked_mul(generations)?.checked_add(map.initial as u64)
            }
            Self::Random(_) | Self::Climber(_) | Self::GradientAscent(_) => None,
        }
    }

    /// Default settings of the emitter called `name`.
    ///
    /// # Errors
    /// [`Error::Request`] naming the emitters there are.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "random" => Ok(Self::Random(RandomSettings::default())),
            "map-elites" => Ok(Self::MapElites(MapElitesSettings::default())),
            "climber" => Ok(Self::Climber(ClimberSettings::default())),
            "gradient-ascent" => Ok(Self::GradientAscent(GradientAscentSettings::default())),
            _ => Err(Error::request(
                format!("unknown emitter '{name}'"),
                "choose random, map-elites, climber or gradient-ascent",
            )),
        }
    }
}

/// SearchSettings of the random emitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomSettings {
    /// Candidates per generation; changes nothing but how often progress is seen.
    pub batch: usize,
}

impl Default for RandomSettings {
    fn default() -> Self {
        Self { batch: 32 }
    }
}

/// SearchSettings of MAP-Elites; the defaults are those of Nguyen et al.'s MNIST runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MapElitesSettings {
    /// Random candidates of the first generation.
    pub initial: usize,
    /// Children per generation.
    pub batch: usize,
    /// Which elites are parents.
    pub parents: Parents,
    /// Generations after which mutation rates halve, again and again; 0 for never. The paper's
    /// text says 1,000, its published code never does.
    pub halve_every: u64,
}

impl Default for MapElitesSettings {
    fn default() -> Self {
        Self { initial: 200, batch: 200, parents: Parents::Champions, halve_every: 0 }
    }
}

/// Which elites MAP-Elites draws its parents from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parents {
    /// The best of every class, each class alike.
    Champions,
    /// All elites of all classes: for archives that keep many different ones of a class.
    Elites,
}

/// SearchSettings of the climber (all our choice).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClimberSettings {
    /// Random candidates of the first generation, which give every class a start.
    pub initial: usize,
    /// Children per class and generation.
    pub children: usize,
    /// Children without improvement after which a class restarts.
    pub patience: usize,
}

impl Default for ClimberSettings {
    fn default() -> Self {
        Self { initial: 32, children: 2, patience: 60 }
    }
}

/// SearchSettings of gradient ascent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientAscentSettings {
    /// Steps after which an ascent is given up and another one started.
    pub steps: usize,
}

impl Default for GradientAscentSettings {
    /// The fewest steps of the authors' published settings.
    fn default() -> Self {
        Self { steps: 250 }
    }
}

impl SearchSettings {
    /// What a candidate must reach in the class of its label: a level if one is set, or else a
    /// posterior.
    pub fn criterion(&self) -> Criterion {
        match self.level {
            Some(level) => Criterion::Level(level),
            None => Criterion::Posterior(self.threshold.unwrap_or(THRESHOLD)),
        }
    }

    /// Asks for `criterion` in place of what was asked for.
    pub fn ask_for(&mut self, criterion: Criterion) {
        (self.threshold, self.level) = match criterion {
            Criterion::Posterior(posterior) => (Some(posterior), None),
            Criterion::Level(level) => (None, Some(level)),
        };
    }

    /// For each of `classes`, whether it is searched for.
    ///
    /// # Errors
    /// [`Error::Request`] naming a target that is no class.
    pub fn targeted(&self, classes: &[String]) -> Result<Vec<bool>> {
        if let Some(unknown) = self.targets.iter().find(|target| !classes.contains(target)) {
            return Err(Error::request(
                format!(
                    "target '{unknown}' is no class of the model{}",
                    did_you_mean(unknown, classes.iter().map(String::as_str))
                ),
                format!("choose among {}", classes.join(", ")),
            ));
        }
        let all = self.targets.is_empty();
        Ok(classes.iter().map(|class| all || self.targets.contains(class)).collect())
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Request`] naming the first setting that is out of its range.
    pub fn validate(&self) -> Result<()> {
        let at_least_one = |name: &str, value: usize| match value {
            0 => Err(Error::request(format!("{name} = 0"), "give at least 1")),
            _ => Ok(()),
        };
        if self.budget == 0 {
            return Err(Error::request(
                "budget = 0: a search of no evaluations finds nothing",
                "give at least 1 evaluation",
            ));
        }
        if self.level.is_some() && self.threshold.is_some() {
            return Err(Error::request(
                "a threshold and a level are given",
                "give one of them: both are reported of every exhibit",
            ));
        }
        self.criterion().check()?;
        if !(0.0..=1.0).contains(&self.min_distance) {
            return Err(Error::request(
                format!("min_distance = {}", self.min_distance),
                "give a number between 0 and 1",
            ));
        }
        at_least_one("exhibits", self.exhibits)?;
        match &self.emitter {
            EmitterSettings::Random(random) => at_least_one("batch", random.batch),
            EmitterSettings::MapElites(map) => {
                at_least_one("initial", map.initial)?;
                at_least_one("batch", map.batch)
            }
            EmitterSettings::Climber(climber) => {
                at_least_one("initial", climber.initial)?;
                at_least_one("children", climber.children)?;
                at_least_one("patience", climber.patience)
            }
            EmitterSettings::GradientAscent(ascent) => at_least_one("steps", ascent.steps),
        }
    }
}
