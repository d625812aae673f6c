#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use ndarray::{Array1, Array2, Array3, ArrayView1};
use ndarray_npy::NpzReader;
use proptest::prelude::*;
use trompe_base::random::stream;

use super::*;
use crate::classifiers::{posterior_from_log_odds, top_class};
use crate::dataset::generated::{gaussians, normal};

fn unit(vector: Vec<f64>) -> Vec<f64> {
    let length = energy(&vector).sqrt();
    vector.into_iter().map(|value| value / length).collect()
}

/// `atoms` random unit vectors; a `shift` makes them point the same way.
fn dictionary(dimensions: usize, atoms: usize, shift: f64, seed: u64) -> Dictionary {
    let mut rng = stream(seed, 1, 0, 0);
    let atoms =
        (0..atoms).flat_map(|_| unit((0..dimensions).map(|_| shift + normal(&mut rng)).collect()));
    Dictionary::new(dimensions, atoms.collect()).unwrap()
}

fn signal(dimensions: usize, shift: f64, seed: u64) -> Vec<f64> {
    let mut rng = stream(seed, 2, 0, 0);
    unit((0..dimensions).map(|_| shift + normal(&mut rng)).collect())
}

fn residual(dictionary: &Dictionary, signal: &[f64], code: &Code) -> Vec<f64> {
    let mut residual = signal.to_vec();
    for &(atom, weight) in &code.entries {
        let atom = &dictionary.atoms()[atom * signal.len()..][..signal.len()];
        for (residual, value) in residual.iter_mut().zip(atom) {
            *residual -= weight * value;
        }
    }
    residual
}

fn l1(code: &Code) -> f64 {
    code.entries.iter().map(|(_, weight)| weight.abs()).sum()
}

fn by_homotopy(dictionary: &Dictionary, signal: &[f64], epsilon: f64) -> Code {
    homotopy(dictionary, &dictionary.correlations(signal), energy(signal), epsilon)
}

/// The conditions that a code is a solution: |r| = epsilon, no atom correlates with r more
/// than those of the code, and those do so equally, with the sign of their weight.
fn assert_optimal(dictionary: &Dictionary, signal: &[f64], epsilon: f64, code: &Code) {
    assert_eq!(code.exit, Exit::Solved);
    let residual = residual(dictionary, signal, code);
    assert!((energy(&residual).sqrt() - epsilon).abs() < 1e-10, "{code:?}");
    let correlations = dictionary.correlations(&residual);
    let lambda = correlations.iter().fold(0.0f64, |most, c| most.max(c.abs()));
    for &(atom, weight) in &code.entries {
        assert!((correlations[atom] - lambda * weight.signum()).abs() < 1e-9, "{atom} {weight}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_code_meets_the_conditions_of_a_solution(
        seed in 0u64..1 << 40,
        dimensions in 2usize..30,
        atoms in 30usize..60,
        shift in 0.0f64..2.0,
        epsilon in 0.01f64..0.9,
    ) {
        let dictionary = dictionary(dimensions, atoms, shift, seed);
        let signal = signal(dimensions, shift, seed);
        let code = by_homotopy(&dictionary, &signal, epsilon);
        assert_optimal(&dictionary, &signal, epsilon, &code);
    }
}

#[test]
fn solutions_agree_with_an_interior_point_solver() {
    let file = include_bytes!("../../../tests/fixtures/bpdn.npz");
    let mut npz = NpzReader::new(Cursor::new(&file[..])).unwrap();
    let (atoms, signals): (Array3<f64>, Array3<f64>) =
        (npz.by_name("D").unwrap(), npz.by_name("X").unwrap());
    let (epsilon, objective): (Array2<f64>, Array2<f64>) =
        (npz.by_name("epsilon").unwrap(), npz.by_name("objective").unwrap());
    let mut problems = 0;
    for (number, atoms) in atoms.outer_iter().enumerate() {
        let dictionary = Dictionary::new(24, atoms.iter().copied().collect()).unwrap();
        for row in 0..10 {
            let signal: Vec<f64> =
                signals.outer_iter().nth(number).unwrap().row(row).iter().copied().collect();
            let (epsilon, objective) = (epsilon[[number, row]], objective[[number, row]]);
            let code = by_homotopy(&dictionary, &signal, epsilon);
            assert_optimal(&dictionary, &signal, epsilon, &code);
            // Asked for: within 0.1 %. The interior-point solver is good to about 1e-8.
            assert!((l1(&code) / objective - 1.0).abs() < 1e-6, "{} {objective}", l1(&code));

            let long = spgl1(&dictionary, &signal, epsilon, 20_000);
            assert_eq!(long.exit, Exit::Solved);
            let length = energy(&residual(&dictionary, &signal, &long)).sqrt();
            assert!(length <= epsilon + 1.1e-4, "{length} {epsilon}");
            // By its tolerances SPGL1 ends up to 4.7 % too long here; the authors' algorithm
            // as the Python package spgl1 0.0.3 has it, up to 9.9 %.
            assert!(l1(&long) < objective * 1.05, "{} {objective}", l1(&long));
            problems += 1;
        }
    }
    assert_eq!(problems, 50);
}

#[test]
fn solutions_on_real_vectors_agree_with_an_interior_point_solver() {
    let file = include_bytes!("../../../tests/fixtures/bpdn_real.npz");
    let mut npz = NpzReader::new(Cursor::new(&file[..])).unwrap();
    let (atoms, signals): (Array2<u16>, Array2<u16>) =
        (npz.by_name("D").unwrap(), npz.by_name("X").unwrap());
    let (epsilon, objective): (Array1<f64>, Array1<f64>) =
        (npz.by_name("epsilon").unwrap(), npz.by_name("objective").unwrap());
    let prepared = |row: ArrayView1<'_, u16>| unit(row.iter().map(|&x| f64::from(x)).collect());
    let atoms = atoms.outer_iter().flat_map(prepared).collect();
    let dictionary = Dictionary::new(signals.ncols(), atoms).unwrap();
    assert_eq!((dictionary.len(), signals.nrows()), (66, 50));
    for (number, signal) in signals.outer_iter().map(prepared).enumerate() {
        let code = by_homotopy(&dictionary, &signal, epsilon[number]);
        assert_optimal(&dictionary, &signal, epsilon[number], &code);
        // Asked for: within 0.1 %.
        let ratio = l1(&code) / objective[number];
        assert!((ratio - 1.0).abs() < 1e-5, "{number}: {ratio}");
    }
}

#[test]
fn long_paths_meet_the_conditions_of_a_solution() {
    // Large enough for single precision to drift, and ill-conditioned enough to be useless.
    for (shift, epsilon) in [(0.0, 0.05), (0.5, 0.02), (3.0, 0.01), (20.0, 0.001)] {
        let (dictionary, signal) = (dictionary(150, 300, shift, 5), signal(150, shift, 5));
        let code = by_homotopy(&dictionary, &signal, epsilon);
        assert_optimal(&dictionary, &signal, epsilon, &code);
    }
}

#[test]
fn atoms_leave_the_support_when_the_path_says_so() {
    // A path with drops takes more steps than its support has atoms.
    let dropped = (0..20).filter(|&seed| {
        let (dictionary, signal) = (dictionary(20, 60, 1.0, seed), signal(20, 1.0, seed));
        let code = by_homotopy(&dictionary, &signal, 0.02);
        assert_optimal(&dictionary, &signal, 0.02, &code);
        code.steps > code.entries.len() + 1
    });
    assert!(dropped.count() > 5);
}

#[test]
fn a_signal_out_of_reach_gets_the_nearest_code() {
    let dictionary = dictionary(20, 8, 0.0, 1);
    let signal = signal(20, 0.0, 1);
    let code = by_homotopy(&dictionary, &signal, 0.01);
    assert_eq!(code.exit, Exit::OutOfReach);
    // Least squares: the residual is orthogonal to every atom.
    let residual = residual(&dictionary, &signal, &code);
    assert!(dictionary.correlations(&residual).iter().all(|c| c.abs() < 1e-9));
    assert_eq!(by_homotopy(&dictionary, &[0.0; 20], 0.1).entries, []);
    assert_eq!(by_homotopy(&dictionary, &signal, 1.5).entries, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The distance from the span decides, and the exact solver comes to the same verdict: what
    /// it leaves of a signal out of reach is that distance.
    #[test]
    fn the_solver_ends_out_of_reach_exactly_where_the_span_is_too_far(
        seed in 0u64..1 << 40,
        atoms in 1usize..20,
        shift in 0.0f64..3.0,
        epsilon in 0.01f64..0.9,
    ) {
        let (dictionary, signal) = (dictionary(16, atoms, shift, seed), signal(16, shift, seed));
        let distance = Span::of(dictionary.atoms(), 16).distance(&signal);
        let code = by_homotopy(&dictionary, &signal, epsilon);
        prop_assert_eq!(code.exit == Exit::OutOfReach, distance > epsilon, "{} {}", distance, epsilon);
        if distance > epsilon {
            let left = energy(&residual(&dictionary, &signal, &code)).sqrt();
            prop_assert!((left - distance).abs() < 1e-9, "{} {}", left, distance);
        }
    }
}

/// Four atoms of five dimensions: three axes, and the sum of the last two, which nothing tells
/// apart.
fn axes() -> Dataset {
    let mut data = gaussians(2, 2, 1, 5, 1.0, 1);
    data.vectors.fill(0.0);
    for (row, columns) in [&[0][..], &[1], &[2], &[3, 4]].into_iter().enumerate() {
        columns.iter().for_each(|&column| data.vectors[[row, column]] = 1.0);
    }
    data
}

#[test]
fn inputs_out_of_reach_are_known() {
    // The fourth axis is half a right angle away from the atoms: 0.7071 of its length.
    for solver in [Solver::Homotopy, Solver::Spgl1 { iterations: 200 }] {
        let model = |epsilon| fit(&axes(), &SparseParams { epsilon, solver, ..Default::default() });
        let said = |epsilon, vector: [f32; 5]| model(epsilon).out_of_reach(&vector);
        assert_eq!(said(0.707, [0.0, 0.0, 0.0, 3.0, 0.0]), Some(true));
        assert_eq!(said(0.708, [0.0, 0.0, 0.0, 3.0, 0.0]), Some(false));
        assert_eq!(said(0.01, [2.0, -1.0, 4.0, 3.0, 3.0]), Some(false));
        // One bad vector of an input is enough.
        let both = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(model(0.1).out_of_reach(&both), Some(true));
        assert_eq!(model(0.1).out_of_reach(&both[..5]), Some(false));
    }
    let others = crate::classifiers::LogisticParams::default().fit(&axes()).unwrap();
    assert_eq!(others.out_of_reach(&[0.0, 0.0, 0.0, 3.0, 0.0]), None);
}

#[test]
fn training_excerpts_are_judged_by_the_others() {
    let params = |epsilon| SparseParams { epsilon, ..Default::default() };
    let mut data = gaussians(3, 4, 1, 60, 1.0, 4);
    let reach = params(0.05).held_out_reach(&data).unwrap();
    assert_eq!((reach.inputs, reach.out_of_reach), (12, 12));
    assert_eq!(reach.to_string(), "12 of 12 (100.0 %) out of reach of epsilon");
    // Where all are of one group, none is left to judge them by.
    data.excerpts.iter_mut().for_each(|excerpt| excerpt.group = Some("all".into()));
    assert_eq!(params(0.05).held_out_reach(&data), None);

    // Many more vectors than dimensions reach everything.
    let many = gaussians(3, 20, 1, 8, 1.0, 4);
    assert_eq!(params(0.05).held_out_reach(&many).unwrap().out_of_reach, 0);
}

#[test]
fn cross_validation_counts_what_is_out_of_reach() {
    let evaluated = |dimensions, epsilon| {
        let data = gaussians(3, 6, 1, dimensions, 1.0, 4);
        let folds: Vec<usize> = (0..18).map(|excerpt| excerpt / 6).collect();
        let params = SparseParams { epsilon, ..Default::default() };
        crate::evaluation::cross_validate(
            &data,
            &[folds.into_iter().map(Some).collect()],
            |part| params.fit(part),
            |_| {},
        )
        .unwrap()
    };
    let found = evaluated(60, 0.05);
    assert_eq!(found.reach, Some(Reach { inputs: 18, out_of_reach: 18 }));
    assert!(found.trials[0].predictions.iter().all(|p| p.out_of_reach == Some(true)));
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["reach"]["out_of_reach"], 18);
    assert_eq!(evaluated(6, 0.05).reach, Some(Reach { inputs: 18, out_of_reach: 0 }));
}

#[test]
fn spgl1_says_when_it_was_stopped() {
    let (dictionary, signal) = (dictionary(24, 40, 0.5, 3), signal(24, 0.5, 3));
    let code = spgl1(&dictionary, &signal, 0.02, 5);
    assert_eq!((code.exit, code.steps), (Exit::IterationLimit, 5));
    let code = spgl1(&dictionary, &signal, 2.0, 5);
    assert_eq!((code.exit, code.entries.len()), (Exit::Solved, 0));
}

#[test]
fn a_zero_or_repeated_atom_is_no_dictionary() {
    let fault = |atoms: &[f64]| Dictionary::new(2, atoms.to_vec()).unwrap_err();
    assert_eq!(fault(&[1.0, 0.0, 0.0, 0.0]), DictionaryFault::Zero(1));
    assert_eq!(fault(&[1.0, 0.0, 0.6, 0.8, 2.0, 0.0]), DictionaryFault::Parallel(0, 2));
    assert_eq!(fault(&[0.6, 0.8, -0.6, -0.8]), DictionaryFault::Parallel(0, 1));
}

#[test]
fn more_vectors_than_a_model_file_may_hold_are_refused() {
    let dataset = gaussians(2, 2, MAX_ATOMS / 4 + 1, 3, 1.0, 1);
    let error = SparseParams::default().fit(&dataset).unwrap_err().to_string();
    assert!(error.contains("20004 training vectors"), "{error}");
}

fn fit(dataset: &Dataset, params: &SparseParams) -> SparseRepresentation {
    params.fit(dataset).unwrap()
}

fn every_setting() -> Vec<SparseParams> {
    let mut all = Vec::new();
    for normalization in [Normalization::MinMax, Normalization::Standardize] {
        for unit_norm in [true, false] {
            for solver in [Solver::Homotopy, Solver::Spgl1 { iterations: 200 }] {
                let reduction = Reduction::None;
                all.push(SparseParams {
                    normalization,
                    reduction,
                    unit_norm,
                    epsilon: 0.6,
                    solver,
                });
            }
        }
    }
    for reduction in [
        Reduction::Pca { dimensions: 6 },
        Reduction::RandomProjection { dimensions: 8, seed: 1 },
        Reduction::Downsampling { factor: 2 },
    ] {
        all.push(SparseParams { reduction, epsilon: 0.3, ..SparseParams::default() });
    }
    all
}

#[test]
fn every_setting_tells_clouds_apart() {
    let all = gaussians(4, 20, 1, 30, 2.5, 1);
    let train = all.subset(&(0..40).collect::<Vec<_>>());
    for params in every_setting() {
        let model = fit(&train, &params);
        let right = (40..80).filter(|&excerpt| {
            let mut odds = [0.0; 4];
            model.log_odds(&all.vectors.row(excerpt).to_vec(), &mut odds);
            assert!(odds.iter().all(|odds| odds.is_finite()));
            let sum: f64 = odds.iter().map(|&odds| posterior_from_log_odds(odds)).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{odds:?}");
            top_class(&odds) == all.excerpts[excerpt].class
        });
        let right = right.count();
        assert!(right >= 32, "{right} of 40 by {params:?}");
    }
}

#[test]
fn residuals_are_those_of_the_class_parts() {
    let data = gaussians(3, 8, 1, 10, 0.8, 2);
    let model = fit(&data, &SparseParams { epsilon: 0.3, ..SparseParams::default() });
    let signal = signal(10, 0.5, 4);
    let correlations = model.dictionary.correlations(&signal);
    let code = model.codes(std::slice::from_ref(&signal)).remove(0);
    let fast = model.residuals(&code, &correlations, energy(&signal));
    for (class, fast) in fast.iter().enumerate() {
        let mut part = code.clone();
        part.entries.retain(|&(atom, _)| model.training.labels[atom] == class);
        let plain = energy(&residual(&model.dictionary, &signal, &part));
        assert!((fast - plain).abs() < 1e-12, "{fast} {plain}");
    }
    let mut confidences = vec![4.0, 1.0, 3.0];
    confidence(&mut confidences);
    assert_eq!(confidences, [0.0, 0.75, 0.25]);
}

#[test]
fn a_batch_gives_the_same_bits_as_one_input_at_a_time() {
    let data = gaussians(3, 12, 2, 9, 0.6, 3);
    for params in every_setting() {
        let model = fit(&data, &params);
        let inputs: Vec<Vec<f32>> = (0..7)
            .map(|i| {
                data.vectors.iter().skip(9 * i).take(9 * (1 + i % 3)).map(|v| v + 0.1).collect()
            })
            .collect();
        let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let mut together = vec![0.0; 21];
        model.log_odds_of_all(&slices, &mut together);
        for (input, together) in inputs.iter().zip(together.chunks(3)) {
            let mut alone = [0.0; 3];
            model.log_odds(input, &mut alone);
            assert_eq!(alone, together);
        }
    }
}

#[test]
fn what_says_nothing_gets_equal_confidence() {
    let data = gaussians(4, 5, 1, 6, 1.0, 3);
    let params = SparseParams::default();
    let model = fit(&data, &params);
    // The least value of every feature is zero by min-max: silence.
    let least: Vec<f32> = data
        .vectors
        .columns()
        .into_iter()
        .map(|c| c.iter().copied().fold(f32::MAX, f32::min))
        .collect();
    let mut odds = [0.0; 4];
    model.log_odds(&least, &mut odds);
    assert!(odds.iter().all(|&odds| (posterior_from_log_odds(odds) - 0.25).abs() < 1e-12));
}

#[test]
fn bad_settings_and_data_are_refused() {
    let data = gaussians(2, 4, 1, 3, 1.0, 1);
    let fails = |params: SparseParams, data: &Dataset| params.fit(data).unwrap_err().to_string();
    let good = SparseParams::default;
    for epsilon in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        assert!(fails(SparseParams { epsilon, ..good() }, &data).contains("above 0"));
    }
    assert!(fails(SparseParams { epsilon: 1.0, ..good() }, &data).contains("nothing would be"));
    let solver = Solver::Spgl1 { iterations: 0 };
    assert!(fails(SparseParams { solver, ..good() }, &data).contains("0 iterations"));

    let mut twice = data.clone();
    let row = twice.vectors.row(2).to_owned();
    twice.vectors.row_mut(5).assign(&row);
    let text = fails(good(), &twice);
    assert!(text.contains("excerpts excerpt 2 and excerpt 5"), "{text}");
    let mut silent = data.clone();
    silent.vectors.row_mut(3).fill(-100.0);
    let text = fails(good(), &silent);
    assert!(text.contains("excerpt excerpt 3, is zero"), "{text}");
    let mut nan = data;
    nan.vectors[[1, 1]] = f32::NAN;
    assert!(fails(good(), &nan).contains("finite"));
}

#[test]
fn settings_read_as_they_are_written() {
    for params in every_setting() {
        let json = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<SparseParams>(&json).unwrap(), params);
    }
}
