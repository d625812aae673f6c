#![allow(clippy::unwrap_used)]

use tempfile::TempDir;

use super::tensors::Tensor;
use super::*;
use crate::classifiers::adaboost::WeakLearner;
use crate::classifiers::sparse::Solver;
use crate::dataset::generated::gaussians;

fn data() -> Dataset {
    gaussians(3, 8, 2, 5, 0.5, 1)
}

fn boosted(learner: WeakLearner) -> Model {
    let data = data();
    let params = AdaBoostParams { rounds: 30, learner, ..AdaBoostParams::default() };
    let fitted = Fitted::AdaBoost(params.fit(&data, &mut |_| {}).unwrap());
    Model::new(fitted, TrainedOn::new(&data)).unwrap()
}

fn logistic() -> Model {
    let data = data();
    let fitted = Fitted::Logistic(LogisticParams::default().fit(&data).unwrap());
    Model::new(fitted, TrainedOn::new(&data)).unwrap()
}

fn sparse() -> Model {
    let data = data();
    let solver = Solver::Spgl1 { iterations: 50 };
    let params = SparseParams { solver, epsilon: 0.3, ..SparseParams::default() };
    let fitted = Fitted::Sparse(params.fit(&data).unwrap());
    Model::new(fitted, TrainedOn::new(&data)).unwrap()
}

fn all() -> [Model; 4] {
    [boosted(WeakLearner::Stump), boosted(WeakLearner::TwoNodeTree), logistic(), sparse()]
}

#[test]
fn a_saved_model_is_read_back_bit_for_bit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.safetensors");
    for model in all() {
        model.save(&path).unwrap();
        let loaded = Model::load(&path).unwrap();
        assert_eq!(loaded, model);
        assert_eq!(loaded.to_bytes().unwrap(), std::fs::read(&path).unwrap());
        assert_eq!(loaded.fingerprint(), model.fingerprint());
        let (mut ours, mut theirs) = ([0.0; 3], [0.0; 3]);
        for row in data().vectors.outer_iter() {
            model.log_odds(&row.to_vec(), &mut ours);
            loaded.log_odds(&row.to_vec(), &mut theirs);
            assert_eq!(ours.map(f64::to_bits), theirs.map(f64::to_bits));
        }
    }
}

#[test]
fn the_header_says_where_a_model_comes_from() {
    let model = logistic();
    let json: serde_json::Value =
        serde_json::from_str(&read_header(&model.to_bytes().unwrap()).unwrap()).unwrap();
    assert_eq!(json["classifier"]["kind"], "logistic");
    assert_eq!(json["trained_on"]["source"]["provenance"], "synthetic");
    assert_eq!(json["trained_on"]["sha256"], data().fingerprint());
    assert_eq!(json["classes"][2], "class 2");
}

#[test]
fn every_model_has_its_own_fingerprint() {
    let all = all();
    for (number, model) in all.iter().enumerate() {
        assert!(all[..number].iter().all(|other| other.fingerprint() != model.fingerprint()));
    }
}

#[test]
fn damaged_files_are_refused_and_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.safetensors");
    let good = boosted(WeakLearner::TwoNodeTree).to_bytes().unwrap();
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let text = Model::load(&path).unwrap_err().to_string();
        assert!(text.contains("model.safetensors") && text.contains("train"), "{text}");
        text
    };
    refused(b"");
    refused(b"RIFF....WAVEfmt and so on");
    for length in [4, 8, 100, good.len() / 2, good.len() - 1] {
        refused(&good[..length]);
    }
    refused(&[&good[..], b"more"].concat());
    let mut later = good.clone();
    let number = b"\\\"version\\\":2";
    let position = good.windows(number.len()).position(|window| window == number).unwrap();
    later[position + number.len() - 1] = b'9';
    assert!(refused(&later).contains("format version 9"));
    assert!(Model::load(&folder.path().join("none")).unwrap_err().to_string().contains("none"));
}

#[test]
fn every_flipped_bit_and_every_cut_is_found() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.safetensors");
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Model::load(&path).is_err()
    };
    for model in [boosted(WeakLearner::TwoNodeTree), logistic()] {
        let mut bytes = model.to_bytes().unwrap();
        assert!(!refused(&bytes));
        for at in 0..bytes.len() {
            assert!(refused(&bytes[..at]), "cut at {at}");
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                assert!(refused(&bytes), "byte {at}, bit {bit}");
                bytes[at] ^= 1 << bit;
            }
        }
    }
}

/// The header of `model` with other tensors.
fn with_tensors(model: &Model, tensors: &[Tensor]) -> Result<Model, String> {
    let json: serde_json::Value =
        serde_json::from_str(&read_header(&model.to_bytes().unwrap()).unwrap()).unwrap();
    Model::from_bytes(&write(&json, tensors).unwrap(), &json.to_string())
}

#[test]
fn impossible_numbers_and_shapes_are_refused() {
    let model = boosted(WeakLearner::Stump);
    let tensors = |alpha: f64, feature: u32, threshold: f32, vote: i8| {
        vec![
            Tensor::new("alpha", &[1], [alpha]),
            Tensor::new("feature", &[1], [feature]),
            Tensor::new("threshold", &[1], [threshold]),
            Tensor::new("votes", &[1, 3], [vote, 1, 1]),
        ]
    };
    let refused = |tensors: &[Tensor], why: &str| {
        let text = with_tensors(&model, tensors).unwrap_err();
        assert!(text.contains(why), "{text}");
    };
    with_tensors(&model, &tensors(1.0, 4, 0.5, -1)).unwrap();
    refused(&tensors(f64::NAN, 4, 0.5, -1), "alpha holds NaN");
    refused(&tensors(-1.0, 4, 0.5, -1), "alpha holds -1");
    refused(&tensors(1.0, 5, 0.5, -1), "feature holds 5, must be below 5");
    refused(&tensors(1.0, 4, f32::INFINITY, -1), "threshold holds inf");
    refused(&tensors(1.0, 4, 0.5, 0), "votes holds 0");
    refused(&tensors(1.0, 4, 0.5, i8::MIN), "votes holds -128");
    refused(&tensors(1.0, 4, 0.5, -1)[1..], "`alpha` not found");
    let mut wide = tensors(1.0, 4, 0.5, -1);
    wide[2] = Tensor::new("threshold", &[2], [0.0f32, 0.0]);
    refused(&wide, "tensor threshold is F32 [2]");
    refused(&[Tensor::new::<f64>("alpha", &[0], [])], "0 rounds");

    let weights = |value: f64| {
        [Tensor::new("weights", &[3, 5], [value; 15]), Tensor::new("intercepts", &[3], [0.0f64; 3])]
    };
    with_tensors(&logistic(), &weights(1.0)).unwrap();
    assert!(with_tensors(&logistic(), &weights(f64::INFINITY)).is_err());

    let atoms = |value: f32, label: u32| {
        let vectors: Vec<f32> = (0..10).map(|i| if i == 7 { value } else { i as f32 }).collect();
        let vectors = Tensor::new("vectors", &[2, 5], vectors);
        [vectors, Tensor::new("labels", &[2], [label, 1])]
    };
    let refused = |value: f32, label: u32, why: &str| {
        let text = with_tensors(&sparse(), &atoms(value, label)).unwrap_err();
        assert!(text.contains(why), "{text}");
    };
    refused(f32::NAN, 0, "vectors holds NaN");
    refused(1.0, 3, "labels holds 3, must be below 3");
    // The first row is the least of every column: zero by min-max.
    refused(7.0, 0, "atom 0 is zero");
}

#[test]
fn a_model_whose_parts_do_not_fit_is_refused() {
    let data = data();
    let fitted = Fitted::Logistic(LogisticParams::default().fit(&data).unwrap());
    let mut trained_on = TrainedOn::new(&data);
    trained_on.feature_names.pop();
    let text = Model::new(fitted.clone(), trained_on).unwrap_err().to_string();
    assert!(text.contains("4 feature names, 5 features"), "{text}");
    let calibration =
        Calibration { weights: vec![vec![1.0; 2]; 2], intercepts: vec![0.0; 2], excerpts: 4 };
    let mut model = Model::new(fitted, TrainedOn::new(&data)).unwrap();
    model.calibration = Some(calibration);
    assert!(model.check().unwrap_err().contains("calibration"));
}
