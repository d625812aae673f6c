//! The analysis: from answer rows to a report that names every assumption.
//!
//! [`analyze`] applies the plan's exclusions, then reports in the order in which a reader
//! should believe: the outcome of each condition with the interval it is read from, counts,
//! the mixed model, then the tests that assume independent answers, and the details.
//!
//! ```
//! use trompe_listening_test::analysis::{AnalysisPlan, analyze};
//! use trompe_listening_test::answers::AnswerRow;
//!
//! let answer = |listener: usize, clip: usize| AnswerRow {
//!     participant: format!("sim-{listener}"),
//!     item: format!("clip-{clip}"),
//!     condition: "fooling:adabffs".into(),
//!     medium: "audio".into(),
//!     truth: ["blues", "metal"][clip % 2].into(),
//!     answer: Some(["blues", "metal"][(listener * clip + listener) % 2].into()),
//!     rating: None,
//!     response_ms: 4000,
//!     heard_ms: Some(10_000),
//!     stalls: Some(0),
//!     block: "main".into(),
//!     position: clip as u32,
//!     excluded: None,
//!     order: None,
//!     server_ms: None,
//!     strength: None,
//! };
//! let rows: Vec<_> = (0..8).flat_map(|l| (0..10).map(move |c| answer(l, c))).collect();
//! let report = analyze(&rows, &[], &AnalysisPlan { resamples: 200, ..AnalysisPlan::default() })?;
//! assert_eq!(report.conditions[0].chance, 0.5);
//! assert!(report.html().contains("simulated"));
//! # Ok::<(), trompe_listening_test::Error>(())
//! ```

mod bs1116;
mod bs1116_page;
mod bs1116_tables;
mod charts;
mod compare;
mod condition;
mod controls;
mod evidence;
mod exclusions;
mod flow_chart;
mod fooling_sets;
mod format;
mod group;
mod headphone_covariate;
mod judgements;
mod manuscript;
mod method;
mod model_comparison;
mod mushra;
mod mushra_page;
mod mushra_tables;
mod outcome;
mod page;
mod participants;
mod per_class;
mod plan;
mod power;
mod preference;
mod preregistration;
mod rating;
mod report;
mod result_folder;
mod rows;
mod staircase;
mod staircase_page;
mod staircase_tables;
mod study_facts;
mod study_plan;
mod study_results;
mod table;
mod tables;
mod text;

pub use bs1116::{Bs1116Condition, Bs1116Report, Expertise};
pub use compare::Comparison;
pub use condition::{ConditionReport, DPrime, Discrimination, Exact};
pub use controls::{Controls, Genuine, ToControls};
pub use evidence::{AgainstChance, Equivalence, Model};
pub use exclusions::{Counts, Exclusion};
pub use fooling_sets::{
    AGREEMENT_FILE, AGREEMENT_SCHEMA, ExhibitAgreement, HumanAgreement, SetAgreement,
};
pub use headphone_covariate::{HeadphoneCovariate, HeadphoneModel, Listeners};
pub use method::Method;
pub use model_comparison::{ItemRow, Majority, ModelComparison};
pub use mushra::{ListenerScores, MushraCondition, MushraDifference, MushraReport, Screening};
pub use outcome::Outcome;
pub use participants::{ItemReport, ParticipantReport, Score};
pub use per_class::{Agreement, ClassReport, Guessing};
pub use plan::{AnalysisPlan, DontKnow, Rules};
pub use power::{Design, Power, Share, power, simulate};
pub use preference::{PairReport, Preference, PreferenceReport};
pub use preregistration::{ConditionPower, Expectation, Preregistration, preregister};
pub use rating::{RatingDifference, RatingReport};
pub use report::{Report, analyze, analyze_with};
pub use result_folder::{ResultFolder, WRITTEN};
pub use staircase::{
    FunctionReport, LevelReport, MeanThreshold, StaircaseReport, TrackReport, TrackTrial,
};
pub use study_facts::{BlockFacts, HeadphoneFacts, QuestionFacts, Spread, StudyFacts};
pub use study_results::{StudyResults, Who, analyze_study};
