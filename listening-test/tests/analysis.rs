//! The analysis from outside: rows in, report out.
use std::collections::BTreeMap;

use trompe_base::random::{index, uniform};
use trompe_listening_test::analysis::{
    AnalysisPlan, DontKnow, ItemRow, Outcome, Report, Rules, analyze,
};
use trompe_listening_test::answers::AnswerRow;
use trompe_statistics::stream::{Purpose, stream};

const GENRES: [&str; 10] =
    ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];

/// 30 listeners answer 20 real and 30 fooling clips; they know real clips with probability
/// `skill` and guess the rest, fooling clips always, with a taste for rock.
fn study(seed: u64, skill: f64, dont_know: f64) -> Vec<AnswerRow> {
    let mut stream = stream(seed, Purpose::Study, 0);
    let mut rows = Vec::new();
    for listener in 0..30 {
        for clip in 0..52 {
            let (condition, item) = match clip {
                0..20 => ("real", format!("real-{clip:02}")),
                20..50 => ("fooling:adabffs", format!("fool-{clip:02}")),
                _ => ("catch", format!("catch-{clip:02}")),
            };
            let truth = GENRES[clip % 10];
            let guess = GENRES[index(12, &mut stream).min(9)];
            let knows = uniform(&mut stream) < skill;
            let passes = condition == "catch" && listener != 7;
            let silent = condition == "fooling:adabffs" && uniform(&mut stream) < dont_know;
            let answer = if (condition == "real" && knows) || passes { truth } else { guess };
            rows.push(AnswerRow {
                participant: format!("sim-{listener:02}"),
                item,
                condition: condition.into(),
                medium: "audio".into(),
                truth: truth.into(),
                answer: (!silent).then(|| answer.to_owned()),
                rating: Some(if knows { 5.0 } else { 2.0 }),
                response_ms: 3000 + 10 * index(300, &mut stream) as u64,
                heard_ms: Some(10_000),
                stalls: Some(0),
                block: "main".into(),
                position: clip as u32,
                excluded: None,
                order: None,
                server_ms: None,
                strength: None,
            });
        }
    }
    rows
}

fn plan() -> AnalysisPlan {
    AnalysisPlan {
        classes: BTreeMap::from([("audio".into(), GENRES.map(String::from).to_vec())]),
        rules: Rules { max_failed_catch: Some(1), ..Rules::default() },
        resamples: 500,
        simulations: 99,
        ..AnalysisPlan::default()
    }
}

fn machine() -> Vec<ItemRow> {
    let real = (0..20).map(|clip| ItemRow {
        item: format!("real-{clip:02}"),
        posterior: Some(0.4 + 0.02 * f64::from(clip)),
        classifier_label: Some(GENRES[clip as usize % 9].into()),
    });
    let fooling = (20..50).map(|clip| ItemRow {
        item: format!("fool-{clip}"),
        posterior: Some(0.9999),
        classifier_label: None,
    });
    real.chain(fooling).collect()
}

fn report() -> Report {
    analyze(&study(1, 0.8, 0.0), &machine(), &plan()).unwrap()
}

#[test]
fn finds_what_was_put_in() {
    let report = report();
    let [real, fooling] = &report.conditions[..] else { panic!("two conditions") };
    assert_eq!((real.condition.as_str(), fooling.condition.as_str()), ("real", "fooling:adabffs"));
    let (known, guessed) = (real.model.done().unwrap(), fooling.model.done().unwrap());
    assert!(known.p_above < 1e-6 && known.interval.contains(0.82), "{known:?}");
    assert!(guessed.p_above > 0.05 && guessed.interval.contains(0.1), "{guessed:?}");
    assert!(fooling.equivalence.no_better_than_chance && !real.equivalence.no_better_than_chance);
    assert!(fooling.bayes.done().unwrap().factor_for_chance.unwrap() > 3.0);
    assert!(fooling.guessing.p.unwrap() > 0.01 && real.guessing.p.unwrap() < 0.01);
    assert!(real.agreement.krippendorff_alpha.unwrap() > 0.5);
    assert!(fooling.agreement.krippendorff_alpha.unwrap() < 0.05);
    assert!(real.by_class.iter().all(|class| class.p_permuted_holm.unwrap() < 0.05));
    assert!(fooling.by_class.iter().all(|class| class.p_permuted_holm.unwrap() > 0.05));
    let machine = fooling.model_comparison.as_ref().unwrap();
    assert!(machine.gap > 0.85 && machine.gap_interval.unwrap().low > 0.8);
    assert_eq!(machine.spearman, None);
    let majority = real.model_comparison.as_ref().unwrap().majority.as_ref().unwrap();
    assert_eq!((majority.items, majority.majority_right), (20, 20));
    assert_eq!(majority.classifier_right + majority.majority_only, 20);
    let comparison = &report.comparisons[0];
    assert!(comparison.difference > 0.6 && comparison.interval.unwrap().low > 0.5);
    assert!(comparison.p_holm.unwrap() < 1e-6 && comparison.df == Some(19.0), "{comparison:?}");
    assert_eq!((real.outcome, fooling.outcome), (Outcome::Better, Outcome::Within));
    let genuine = fooling.controls.found.as_ref().unwrap();
    assert_eq!((genuine.participants, genuine.items, genuine.answers), (29, 20, 580));
    assert!((genuine.accuracy - known.accuracy).abs() < 1e-9 && fooling.controls.suffice);
    let [chance, margin] = [fooling.against_chance.p_holm, fooling.equivalence.p_holm];
    assert!(
        chance.unwrap() >= fooling.against_chance.p && margin.unwrap() >= fooling.equivalence.p
    );
}

#[test]
fn counts_add_up() {
    let report = report();
    // Listener 7 guesses both catch items; with this seed, both are wrong.
    assert_eq!(report.counts.exclusions[0].participants, 1);
    assert_eq!(report.counts.participants_analyzed, 29);
    assert_eq!(report.counts.answers_analyzed, 29 * 50);
    assert_eq!(report.counts.catch_answers, 29 * 2);
    let answers: u64 = report.conditions.iter().map(|c| c.answers).sum();
    assert_eq!(answers, 29 * 50);
    for condition in &report.conditions {
        let cells: u64 = condition.confusion.iter().flatten().sum();
        assert_eq!(cells, condition.answers);
        let hits: u64 = condition.by_class.iter().map(|class| class.hits).sum();
        assert_eq!(hits, condition.hits);
    }
    let excluded: Vec<_> =
        report.participants.iter().filter(|person| person.excluded.is_some()).collect();
    assert_eq!((excluded.len(), excluded[0].participant.as_str()), (1, "sim-07"));
    let scored: u64 =
        report.participants.iter().flat_map(|p| &p.scores).map(|score| score.answers).sum();
    assert_eq!(scored, 29 * 50);
    assert_eq!(report.items.iter().map(|item| item.answers).sum::<u64>(), 29 * 50);
}

#[test]
fn dont_know_counts_both_ways() {
    let rows = study(2, 0.8, 0.4);
    let guess = analyze(&rows, &[], &plan()).unwrap();
    let wrong =
        analyze(&rows, &[], &AnalysisPlan { dont_know: DontKnow::Wrong, ..plan() }).unwrap();
    let (guess, wrong) = (&guess.conditions[1], &wrong.conditions[1]);
    assert!(guess.dont_know > 300);
    let gap = guess.dont_know as f64 * 0.1 / guess.answers as f64;
    let apart = guess.accuracy_dont_know_as_guess - guess.accuracy_dont_know_as_wrong;
    assert!((apart - gap).abs() < 1e-12);
    assert_eq!(guess.accuracy, guess.accuracy_dont_know_as_guess);
    assert_eq!(wrong.accuracy, guess.accuracy_dont_know_as_wrong);
    assert_eq!(guess.model.done(), wrong.model_other_dont_know.done());
    assert_eq!(guess.equivalence.upper_bound, wrong.equivalence.upper_bound);
    let cells: u64 = guess.confusion.iter().map(|row| row[10]).sum();
    assert_eq!(cells, guess.dont_know);
}

#[test]
fn same_answers_same_bytes_whatever_the_order_and_the_threads() {
    let rows = study(3, 0.5, 0.1);
    let mut shuffled = rows.clone();
    shuffled.reverse();
    let text = |rows: &[AnswerRow], threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| analyze(rows, &machine(), &plan()).unwrap().json().unwrap())
    };
    assert_eq!(text(&rows, 1), text(&rows, 3));
    let (report, other) = (text(&rows, 2), text(&shuffled, 2));
    let model = |text: &str| {
        let report: Report = serde_json::from_str(text).unwrap();
        report.conditions[1].model.done().unwrap().interval
    };
    assert!((model(&report).low - model(&other).low).abs() < 1e-6);
    let parsed: Report = serde_json::from_str(&report).unwrap();
    assert_eq!(parsed.json().unwrap(), report);
}

#[test]
fn the_page_is_labelled_self_contained_and_escapes() {
    let mut rows = study(1, 0.8, 0.0);
    for row in &mut rows {
        if row.item == "real-03" {
            row.item = "<script>alert(1)</script>".into();
        }
    }
    let report = analyze(&rows, &machine(), &plan()).unwrap();
    let page = report.html();
    assert!(page.contains("30 of 30 participants are simulated"));
    for c in &report.conditions {
        let answers = format!("{} of {} answers equal the label", c.hits, c.answers);
        assert!(page.contains(&answers), "{answers}");
    }
    assert!(!page.contains("% of answers equal the label"), "an estimate is no share of answers");
    assert!(page.contains(&plan().sha256()[..16]));
    // Browsers do not fetch the SVG namespace.
    let page = page.replace("http://www.w3.org/2000/svg", "");
    for foreign in ["http://", "https://", "<script", "url(", "@import", "src="] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for row in &mut rows {
        row.participant = row.participant.replace("sim-", "p-");
    }
    let page = analyze(&rows, &machine(), &plan()).unwrap().html();
    assert!(!page.contains("are simulated") && !page.contains("simulated results"));
}

#[test]
fn tables_have_a_codebook_for_every_column() {
    let mut report = report();
    report.items[0].item = "=cmd|' /C calc'!A0".into();
    let tables = report.tables().unwrap();
    let mut explained = Vec::new();
    let book = &tables.iter().find(|(name, _)| name == "codebook.csv").unwrap().1;
    for record in csv::Reader::from_reader(book.as_bytes()).records() {
        let record = record.unwrap();
        assert!(!record[2].is_empty());
        explained.push((record[0].to_owned(), record[1].to_owned()));
    }
    for (name, content) in tables.iter().filter(|(name, _)| name != "codebook.csv") {
        let mut reader = csv::Reader::from_reader(content.as_bytes());
        for column in reader.headers().unwrap() {
            assert!(explained.contains(&(name.clone(), column.to_owned())), "{name} {column}");
        }
        for record in reader.records() {
            assert!(record.unwrap().iter().all(|cell| !cell.starts_with('=')));
        }
    }
    assert_eq!(tables.len(), 11);
    let rows = |name: &str| {
        let content = &tables.iter().find(|(other, _)| other == name).unwrap().1;
        csv::Reader::from_reader(content.as_bytes()).records().count()
    };
    assert_eq!((rows("items.csv"), rows("conditions.csv"), rows("confusion.csv")), (50, 2, 220));
    assert_eq!(rows("participants.csv"), 29 * 2 + 1);
}

#[test]
fn bad_input_is_named() {
    let complaint = |change: &dyn Fn(&mut Vec<AnswerRow>)| {
        let mut rows = study(1, 0.8, 0.0);
        change(&mut rows);
        analyze(&rows, &[], &plan()).unwrap_err().to_string()
    };
    assert!(complaint(&|rows| rows[0].answer = Some("polka".into())).contains("polka"));
    assert!(complaint(&|rows| rows[0].truth = "jazz".into()).contains("real-00"));
    assert!(complaint(&|rows| rows.push(rows[0].clone())).contains("twice"));
    assert!(complaint(&|rows| rows.clear()).contains("none of the 0 answers"));
    assert!(
        complaint(&|rows| rows.iter_mut().for_each(|row| row.excluded = Some("pilot".into())))
            .contains("none of the 1560 answers")
    );
    let scores =
        [ItemRow { item: "real-00".into(), posterior: Some(17.0), classifier_label: None }];
    let error = analyze(&study(1, 0.8, 0.0), &scores, &plan()).unwrap_err().to_string();
    assert!(error.contains("real-00") && error.contains("probabilities"));
}

#[test]
fn extreme_answers_get_a_bound_and_a_reason_instead_of_a_model() {
    let mut rows = study(1, 1.0, 0.0);
    for row in &mut rows {
        if row.condition.starts_with("fooling") {
            row.answer = Some(if row.truth == "rock" { "pop" } else { "rock" }.into());
        }
    }
    let report = analyze(&rows, &[], &plan()).unwrap();
    let [real, fooling] = &report.conditions[..] else { panic!("two conditions") };
    assert_eq!((real.accuracy, fooling.accuracy), (1.0, 0.0));
    assert!(real.model.done().is_none() && fooling.model.done().is_none());
    // 29 clusters, no hit: the one-sided 95 % bound is 1 - .05^(1/29) = .098.
    assert!((fooling.equivalence.upper_bound - 0.0981).abs() < 1e-3);
    assert_eq!((real.outcome, fooling.outcome), (Outcome::Better, Outcome::Within));
    assert!(fooling.equivalence.no_better_than_chance);
    assert!(!real.equivalence.no_better_than_chance);
    // 20 clusters, all hits: the lower end is .025^(1/20) = .832.
    assert!((real.against_chance.interval.low - 0.8316).abs() < 1e-3);
    assert!(report.html().contains("every answer was a hit"));
}

#[test]
fn media_are_compared_free_of_chance_and_guessed_classes_are_announced() {
    let mut rows = study(4, 0.8, 0.0);
    rows.retain(|row| row.condition.starts_with("fooling"));
    let images: Vec<AnswerRow> = rows
        .iter()
        .map(|row| AnswerRow {
            item: format!("image-{}", row.item),
            medium: "image".into(),
            truth: ["cat", "dog"][row.position as usize % 2].into(),
            answer: Some(["cat", "dog"][row.response_ms as usize / 10 % 2].into()),
            ..row.clone()
        })
        .collect();
    rows.extend(images);
    let report = analyze(&rows, &[], &plan()).unwrap();
    assert_eq!(report.conditions.len(), 2);
    assert_eq!(report.conditions[1].chance, 0.5);
    assert!(report.warnings.iter().any(|warning| warning.contains("image classes")));
    let comparison = &report.comparisons[0];
    assert!(comparison.chance_corrected && comparison.p.unwrap() > 0.05);
    assert!(comparison.interval.unwrap().contains(0.0));
}

/// 24 listeners prefer the new one of 20 pairs with probability `share`, whether it is A or
/// B; they rate 12 old and 12 new clips, the new ones `better` steps higher of 5.
fn judgements(share: f64, better: f64) -> Vec<AnswerRow> {
    let mut stream = stream(3, Purpose::Study, 1);
    let mut rows = Vec::new();
    for listener in 0..24 {
        let row = |item: String, condition: &str, truth: &str| AnswerRow {
            participant: format!("sim-{listener:02}"),
            item,
            condition: condition.into(),
            medium: "audio".into(),
            truth: truth.into(),
            answer: None,
            rating: None,
            response_ms: 4000,
            heard_ms: None,
            stalls: None,
            block: condition.split(':').next().unwrap().into(),
            position: 0,
            excluded: None,
            order: None,
            server_ms: None,
            strength: None,
        };
        for pair in 0..20 {
            let mut answer = row(format!("pair-{pair:02}"), "ab:new/old", ["A", "B"][pair % 2]);
            let chooses_new = uniform(&mut stream) < share;
            answer.answer = Some(["A", "B"][(pair + usize::from(!chooses_new)) % 2].into());
            rows.push(answer);
        }
        for clip in 0..24 {
            let condition = if clip < 12 { "likert:new" } else { "likert:old" };
            let mut answer = row(format!("clip-{clip:02}"), condition, "");
            let centre = if clip < 12 { 2.0 + better } else { 2.0 };
            answer.rating = Some((centre + 3.0 * uniform(&mut stream)).floor().clamp(1.0, 5.0));
            rows.push(answer);
        }
    }
    rows
}

#[test]
fn preferences_are_found_whichever_side_they_were_played_on() {
    let plan = AnalysisPlan { resamples: 500, simulations: 99, ..AnalysisPlan::default() };
    let report = analyze(&judgements(0.8, 0.0), &[], &plan).unwrap();
    assert!(report.conditions.is_empty() && report.counts.answers_analyzed == 24 * 44);
    let [found] = &report.preferences[..] else { panic!("one block of pairs") };
    assert_eq!((found.first.as_str(), found.second.as_str()), ("new", "old"));
    assert_eq!((found.participants, found.items, found.answers), (24, 20, 480));
    let model = found.model.done().unwrap();
    assert!(model.p < 1e-6 && model.interval.contains(0.8), "{model:?}");
    assert!(found.bootstrap.unwrap().contains(found.share) && found.exact.contains(found.share));
    assert!((found.share_of_a - 0.5).abs() < 0.1, "{}", found.share_of_a);
    let chosen: u64 = found.pairs.iter().map(|pair| pair.chosen).sum();
    assert_eq!((chosen, found.pairs.len()), (found.chosen, 20));
    let page = report.html();
    assert!(page.contains("new is preferred"));
    assert!(page.contains(&format!("{} of 480 answers are for new", found.chosen)));
    assert!(!page.contains("% of answers are for new"), "an estimate is no share of answers");

    let none = analyze(&judgements(0.5, 0.0), &[], &plan).unwrap();
    let model = none.preferences[0].model.done().unwrap();
    assert!(model.p > 0.05 && model.interval.contains(0.5), "{model:?}");
    assert!(none.html().contains("No preference is shown"));
}

#[test]
fn pairs_without_names_show_a_preference_for_a_position_only() {
    let mut rows = judgements(0.5, 0.0);
    rows.retain(|row| row.rating.is_none());
    for (n, row) in rows.iter_mut().enumerate() {
        (row.condition, row.truth) = ("ab".into(), String::new());
        row.answer = Some(if n % 4 == 3 { "B" } else { "A" }.into());
    }
    let report =
        analyze(&rows, &[], &AnalysisPlan { resamples: 200, ..AnalysisPlan::default() }).unwrap();
    let found = &report.preferences[0];
    assert_eq!((found.first.as_str(), found.share, found.share_of_a), ("A", 0.75, 0.75));
    rows[0].answer = Some("C".into());
    let error = analyze(&rows, &[], &AnalysisPlan::default()).unwrap_err().to_string();
    assert!(error.contains("not A or B"), "{error}");
}

#[test]
fn ratings_differ_where_they_were_made_to() {
    let plan = AnalysisPlan {
        resamples: 500,
        scales: BTreeMap::from([("likert".into(), 5)]),
        ..AnalysisPlan::default()
    };
    let report = analyze(&judgements(0.5, 1.0), &[], &plan).unwrap();
    let [new, old] = &report.ratings[..] else { panic!("two conditions of ratings") };
    assert_eq!((new.condition.as_str(), new.median, old.median), ("likert:new", 4.0, 3.0));
    assert_eq!((new.distribution.len(), new.distribution[0], new.distribution[1]), (5, 0, 0));
    assert_eq!(new.distribution.iter().sum::<u64>(), 24 * 12);
    assert!(new.bootstrap.unwrap().contains(new.mean));
    let [difference] = &report.rating_differences[..] else { panic!("one difference") };
    assert_eq!(difference.participants, 24);
    assert!((difference.difference - (new.mean - old.mean)).abs() < 1e-12);
    assert!(difference.p.unwrap() < 1e-6 && difference.p_holm == difference.p);
    assert!(difference.interval.unwrap().low > 0.5);
    for wrong in [0.0, 6.0, 2.5, 1e12, f64::NAN] {
        let mut rows = judgements(0.5, 0.0);
        rows.last_mut().unwrap().rating = Some(wrong);
        let error = analyze(&rows, &[], &plan).unwrap_err().to_string();
        assert!(error.contains("clip-23 is not 1 to 5"), "{error}");
    }
    let equal = analyze(&judgements(0.5, 0.0), &[], &plan).unwrap();
    assert!(equal.rating_differences[0].p.unwrap() > 0.05);
    let tables: BTreeMap<String, String> = report.tables().unwrap().into_iter().collect();
    assert_eq!(tables["ratings.csv"].lines().count(), 1 + 2 * 5);
    assert_eq!(tables["preferences.csv"].lines().count(), 2);
    assert_eq!(tables["rating_differences.csv"].lines().count(), 2);
    assert!(tables["codebook.csv"].contains("rating_differences.csv,p_holm"));
    let json: Report = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(json, report);
}

#[test]
fn abx_has_a_sensitivity_between_those_of_its_interval() {
    let mut rows = judgements(0.8, 0.0);
    rows.retain(|row| row.rating.is_none());
    rows.iter_mut().for_each(|row| row.condition = "abx".into());
    let report = analyze(
        &rows,
        &[],
        &AnalysisPlan { resamples: 200, simulations: 99, ..AnalysisPlan::default() },
    );
    let report = report.unwrap();
    let found = report.conditions[0].discrimination.as_ref().unwrap();
    for d in [found.differencing, found.independent_observation] {
        assert!(d.low.unwrap() > 0.5 && d.low < d.estimate && d.estimate < d.high, "{d:?}");
    }
    // 80 % right is a d' of about 2.1 by differencing
    assert!((found.differencing.estimate.unwrap() - 2.1).abs() < 0.5, "{found:?}");
    assert!(report.html().contains("by differencing"));
}
