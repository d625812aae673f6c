//! Numbers against SciPy, statsmodels, krippendorff (to 1e-9) and lme4 (to 1e-3).

#![allow(clippy::unwrap_used)]

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use trompe_statistics::bayes::{Prior, estimate};
use trompe_statistics::discrimination::{Strategy, abx_d_prime, abx_share};
use trompe_statistics::intervals::{Interval, clopper_pearson, wilson};
use trompe_statistics::mixed_model::{self, AccuracyModel, Answers};
use trompe_statistics::{agreement, binomial, bootstrap, multiple, ranks, special};

fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let all: Value = serde_json::from_str(include_str!("fixtures/statistics.json")).unwrap();
    serde_json::from_value(all[name].clone()).unwrap()
}

/// Relative to the expected value, or absolute where that is above one.
#[track_caller]
fn close(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * want.abs().clamp(1e-3, 1.0), "{got} is not {want}");
}

#[test]
fn binomial_tests_match_scipy() {
    #[derive(Deserialize)]
    struct Case {
        k: u64,
        n: u64,
        p: f64,
        pmf: f64,
        cdf: f64,
        greater: f64,
        two_sided: f64,
    }
    for case in fixture::<Vec<Case>>("binomial") {
        let (k, n, p) = (case.k, case.n, case.p);
        close(binomial::pmf(k, n, p), case.pmf);
        close(binomial::cdf(k, n, p), case.cdf);
        close(binomial::at_least(k, n, p), case.greater);
        close(binomial::two_sided(k, n, p), case.two_sided);
    }
}

#[test]
fn intervals_match_scipy_and_statsmodels() {
    #[derive(Deserialize)]
    struct Case {
        k: u64,
        n: u64,
        level: f64,
        wilson: [f64; 2],
        exact: [f64; 2],
    }
    for case in fixture::<Vec<Case>>("intervals") {
        let score = wilson(case.k, case.n, case.level);
        let exact = clopper_pearson(case.k, case.n, case.level);
        close(score.low, case.wilson[0]);
        close(score.high, case.wilson[1]);
        close(exact.low, case.exact[0]);
        close(exact.high, case.exact[1]);
    }
}

#[test]
fn paired_and_multiple_tests_match_statsmodels() {
    #[derive(Deserialize)]
    struct Pair {
        first: u64,
        second: u64,
        p: f64,
    }
    for pair in fixture::<Vec<Pair>>("mcnemar") {
        close(binomial::mcnemar(pair.first, pair.second), pair.p);
    }
    #[derive(Deserialize)]
    struct Multiple {
        p: Vec<f64>,
        holm: Vec<f64>,
        benjamini_hochberg: Vec<f64>,
    }
    let case: Multiple = fixture("multiple");
    for (got, want) in multiple::holm(&case.p).iter().zip(&case.holm) {
        close(*got, *want);
    }
    for (got, want) in multiple::benjamini_hochberg(&case.p).iter().zip(&case.benjamini_hochberg) {
        close(*got, *want);
    }
}

#[test]
fn agreement_matches_krippendorff_and_statsmodels() {
    #[derive(Deserialize)]
    struct Case {
        counts: Vec<Vec<u64>>,
        alpha: f64,
        kappa: Option<f64>,
    }
    for case in fixture::<Vec<Case>>("agreement") {
        close(agreement::krippendorff_alpha(&case.counts).unwrap(), case.alpha);
        match case.kappa {
            Some(kappa) => close(agreement::fleiss_kappa(&case.counts).unwrap(), kappa),
            None => assert!(agreement::fleiss_kappa(&case.counts).is_err()),
        }
        let interval = agreement::krippendorff_interval(&case.counts, 0.95, 500, 1).unwrap();
        assert!(interval.contains(case.alpha) && interval.high - interval.low < 0.6);
    }
}

#[test]
fn rank_tests_match_scipy() {
    #[derive(Deserialize)]
    struct Case {
        first: Vec<f64>,
        second: Vec<f64>,
        u: f64,
        p: f64,
        rho: f64,
        rho_p: f64,
    }
    for case in fixture::<Vec<Case>>("ranks") {
        let test = ranks::mann_whitney(&case.first, &case.second).unwrap();
        close(test.u, case.u);
        close(test.p, case.p);
        let (rho, p) = ranks::spearman(&case.first, &case.second).unwrap();
        close(rho, case.rho);
        close(p, case.rho_p);
    }
}

#[test]
fn bayesian_estimate_matches_scipy() {
    #[derive(Deserialize)]
    struct Case {
        k: u64,
        n: u64,
        chance: f64,
        region: [f64; 2],
        mean: f64,
        interval: [f64; 2],
        above: f64,
        inside: f64,
        factor: f64,
    }
    for case in fixture::<Vec<Case>>("bayes") {
        let region = Interval { low: case.region[0], high: case.region[1] };
        let flat = Prior { a: 1.0, b: 1.0 };
        let got = estimate(case.k, case.n, flat, case.chance, region, 0.95);
        close(got.mean, case.mean);
        close(got.interval.low, case.interval[0]);
        close(got.interval.high, case.interval[1]);
        close(got.above_chance, case.above);
        close(got.in_region, case.inside);
        close(got.factor_for_chance.unwrap(), case.factor);
    }
}

#[test]
fn distributions_match_scipy() {
    let number = |case: &Value, key: &str| case[key].as_f64().unwrap();
    for case in fixture::<Vec<Value>>("normal") {
        close(special::normal_quantile(number(&case, "p")), number(&case, "z"));
    }
    for case in fixture::<Vec<Value>>("student") {
        let df = number(&case, "df");
        close(special::student_sf(number(&case, "t"), df), number(&case, "sf"));
        close(special::student_quantile(0.975, df), number(&case, "quantile"));
    }
    for case in fixture::<Vec<Value>>("chi_square") {
        let df = case["df"].as_u64().unwrap() as u32;
        close(special::chi_square_sf(number(&case, "x"), df), number(&case, "sf"));
    }
    for case in fixture::<Vec<Value>>("marginal") {
        let (intercept, sd) = (number(&case, "intercept"), number(&case, "sd"));
        close(mixed_model::marginal_accuracy(intercept, sd, 0.0), number(&case, "accuracy"));
    }
    #[derive(Deserialize)]
    struct Quantiles {
        values: Vec<f64>,
        p: Vec<f64>,
        quantiles: Vec<f64>,
    }
    let case: Quantiles = fixture("quantiles");
    for (p, want) in case.p.iter().zip(&case.quantiles) {
        close(bootstrap::quantile(&case.values, *p).unwrap(), *want);
    }
}

#[test]
fn signed_ranks_and_abx_match_scipy() {
    let number = |case: &Value, key: &str| case[key].as_f64().unwrap();
    for case in fixture::<Vec<Value>>("signed_ranks") {
        let differences: Vec<f64> = serde_json::from_value(case["differences"].clone()).unwrap();
        let test = ranks::wilcoxon(&differences).unwrap();
        assert_eq!(test.w, number(&case, "w"));
        close(test.p, number(&case, "p"));
    }
    for case in fixture::<Vec<Value>>("abx") {
        let d_prime = number(&case, "d_prime");
        for (strategy, key) in [
            (Strategy::Differencing, "differencing"),
            (Strategy::IndependentObservation, "independent"),
        ] {
            let share = number(&case, key);
            close(abx_share(d_prime, strategy), share);
            close(abx_d_prime(share, strategy).unwrap(), d_prime);
        }
    }
}

#[test]
fn mixed_models_match_lme4() {
    #[derive(Deserialize)]
    struct Fitted {
        beta: Vec<f64>,
        standard_error: Vec<f64>,
        participant_sd: f64,
        item_sd: f64,
        log_likelihood: f64,
    }
    #[derive(Deserialize)]
    struct Study {
        name: String,
        participant: Vec<usize>,
        item: Vec<usize>,
        real: Vec<f64>,
        hit: Vec<f64>,
        intercept: Fitted,
        effect: Fitted,
    }
    #[derive(Deserialize)]
    struct Fixture {
        studies: Vec<Study>,
    }
    let close = |got: f64, want: f64, what: &str, name: &str| {
        assert!((got - want).abs() < 1e-3, "{name}, {what}: {got} is not {want}");
    };
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/mixed_model.json")).unwrap();
    assert_eq!(fixture.studies.len(), 3);
    for Study { name, participant, item, real, hit, intercept, effect } in fixture.studies {
        let answers = Answers { participant, item, credit: hit };
        let one: Vec<Vec<f64>> = real.iter().map(|_| vec![1.0]).collect();
        let two: Vec<Vec<f64>> = real.iter().map(|&real| vec![1.0, real]).collect();
        for (design, want) in [(one, &intercept), (two, &effect)] {
            let fit = mixed_model::fit(&answers, &design, 0.95).unwrap();
            for (k, effect) in fit.effects.iter().enumerate() {
                close(effect.estimate, want.beta[k], "effect", &name);
                close(effect.standard_error, want.standard_error[k], "standard error", &name);
            }
            close(fit.participant_sd, want.participant_sd, "participant sd", &name);
            close(fit.item_sd, want.item_sd, "item sd", &name);
            close(fit.log_likelihood, want.log_likelihood, "log-likelihood", &name);
        }
        let model = AccuracyModel::fit(&answers).unwrap();
        close(model.intercept(), intercept.beta[0], "intercept", &name);
        close(model.log_likelihood(), intercept.log_likelihood, "log-likelihood", &name);
    }
}
