//! One condition, one outcome: the same on screen, on the page and in JSON, and read from the
//! interval; absence only where genuine controls show that a difference could have been seen.
use std::collections::BTreeMap;

use trompe_base::random::{index, uniform};
use trompe_listening_test::analysis::{AnalysisPlan, ConditionReport, Outcome, Report, analyze};
use trompe_listening_test::answers::AnswerRow;
use trompe_statistics::stream::{Purpose, stream};

const CLASSES: [&str; 4] = ["blues", "jazz", "pop", "rock"];

/// Answers of `listeners` to `items` of each condition: right with its probability, else any of
/// the other classes.
fn answers(
    seed: u64,
    listeners: usize,
    items: usize,
    conditions: &[(&str, &str, f64)],
) -> Vec<AnswerRow> {
    let mut stream = stream(seed, Purpose::Study, 0);
    let mut rows = Vec::new();
    for &(block, condition, accuracy) in conditions {
        let classes: &[&str] = if condition == "abx" { &["A", "B"] } else { &CLASSES };
        for listener in 0..listeners {
            for item in 0..items {
                let truth = item % classes.len();
                let right = uniform(&mut stream) < accuracy;
                let wrong = truth + 1 + index(classes.len() - 1, &mut stream);
                let answer = if right { truth } else { wrong % classes.len() };
                rows.push(AnswerRow {
                    participant: format!("p-{listener:02}"),
                    item: format!("{block}-{condition}-{item:02}"),
                    condition: condition.into(),
                    medium: "audio".into(),
                    truth: classes[truth].into(),
                    answer: Some(classes[answer].into()),
                    rating: None,
                    response_ms: 4000,
                    heard_ms: Some(10_000),
                    stalls: Some(0),
                    block: block.into(),
                    position: item as u32,
                    excluded: None,
                    order: None,
                    server_ms: None,
                    strength: None,
                });
            }
        }
    }
    rows
}

fn plan() -> AnalysisPlan {
    AnalysisPlan {
        classes: BTreeMap::from([("audio".into(), CLASSES.map(String::from).to_vec())]),
        margin_reason: "the accuracy of a <pilot>".into(),
        resamples: 200,
        simulations: 99,
        ..AnalysisPlan::default()
    }
}

/// Which outcomes a text names. "better than chance but within the margin" holds two others.
fn named(text: &str) -> Vec<Outcome> {
    let mut rest = text.to_lowercase();
    let order = [Outcome::BetterButWithin, Outcome::Better, Outcome::Within, Outcome::Undecided];
    let mut found = Vec::new();
    for outcome in order {
        if rest.contains(outcome.words()) {
            found.push(outcome);
        }
        rest = rest.replace(outcome.words(), "");
    }
    for other in ["no better than", "not better", "at chance", "no difference"] {
        assert!(!rest.contains(other), "{other:?} in {text}");
    }
    found
}

/// Checks that a condition's outcome is that of its numbers, and the only one said anywhere.
fn check(report: &Report, condition: &ConditionReport) {
    let (low, high) = (condition.against_chance.interval.low, condition.equivalence.upper_bound);
    let margin = condition.chance + 0.1 * (1.0 - condition.chance);
    assert!((condition.equivalence.margin - margin).abs() < 1e-12);
    let by_interval = match (low > condition.chance, high < margin) {
        (true, false) => Outcome::Better,
        (true, true) => Outcome::BetterButWithin,
        (false, true) => Outcome::Within,
        (false, false) => Outcome::Undecided,
    };
    let genuine = condition.controls.found.as_ref();
    let needed = condition.chance + 0.1 * (1.0 - condition.chance);
    let suffice = genuine.is_some_and(|found| found.interval.low > needed);
    let expected = match by_interval {
        Outcome::Within if !suffice => Outcome::Undecided,
        Outcome::BetterButWithin if !suffice => Outcome::Better,
        other => other,
    };
    assert_eq!(condition.outcome, expected, "{condition:?}");
    assert_eq!(condition.equivalence.no_better_than_chance, expected == Outcome::Within);
    // the tests belong to the interval and the bound
    let model = condition.model.done().unwrap();
    let above = condition.against_chance.p <= 0.05 && model.accuracy > condition.chance;
    assert_eq!(above, low > condition.chance, "{condition:?}");
    assert_eq!(condition.equivalence.p <= 0.05, high < margin, "{condition:?}");

    let of_condition =
        |line: &&str| line.starts_with(&format!("{} {}:", condition.block, condition.condition));
    let screen = report.text();
    let line = screen.lines().find(of_condition).unwrap();
    assert_eq!(named(line), [expected], "{line}");
    let page = report.html();
    let statements = page.split("<li>").skip(1).map(|rest| rest.split("</li>").next().unwrap());
    let place = report.conditions.iter().position(|other| other == condition).unwrap();
    let statement = statements.clone().nth(place).unwrap();
    assert_eq!(named(statement), [expected], "{statement}");
    let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(json["conditions"][place]["outcome"], expected.words());
    let could_not = "could not have shown a difference";
    assert_eq!(line.contains(could_not), statement.contains(could_not));
    let withheld = by_interval != expected;
    assert!(!withheld || line.contains(could_not), "{line}");

    // The rest of the page, but for the methods, names outcomes in one table alone.
    let (rest, _) = page.split_once("<h2>Preregistration</h2>").unwrap();
    let mut rest = rest.replace("The tests behind the outcomes", "");
    for statement in statements {
        rest = rest.replace(statement, "");
    }
    for other in &report.conditions {
        let cell = format!("<td class=\"word\">{}</td>", other.outcome);
        assert!(rest.contains(&cell), "{cell}");
        rest = rest.replacen(&cell, "", 1);
    }
    assert_eq!(named(&rest), [], "an outcome is said elsewhere on the page");
}

#[test]
fn thirty_percent_of_four_with_controls_at_sixty_percent_and_at_chance() {
    let mut seen = Vec::new();
    for seed in 1..=4 {
        for controls in [0.6, 0.25] {
            let conditions = [("audio", "real", controls), ("audio", "fooling:toy", 0.3)];
            let report = analyze(&answers(seed, 60, 12, &conditions), &[], &plan()).unwrap();
            let [real, fooling] = &report.conditions[..] else { panic!("two conditions") };
            check(&report, real);
            check(&report, fooling);
            assert_eq!(fooling.controls.suffice, controls == 0.6, "{fooling:?}");
            if controls == 0.25 {
                for condition in [real, fooling] {
                    assert!(!condition.outcome.claims_absence(), "{condition:?}");
                }
            } else {
                assert_eq!(real.outcome, Outcome::Better);
                seen.push(fooling.outcome);
            }
        }
    }
    println!("30 %, controls at 60 %: {seen:?}");
}

#[test]
fn guesses_are_within_the_margin_only_if_the_controls_suffice() {
    for seed in 1..=2 {
        let with = |controls: Option<f64>| {
            let mut conditions = vec![("audio", "fooling:toy", 0.25)];
            conditions.extend(controls.map(|share| ("audio", "real", share)));
            let report = analyze(&answers(seed, 40, 24, &conditions), &[], &plan()).unwrap();
            let fooling = report.conditions.iter().find(|c| c.condition != "real").unwrap().clone();
            check(&report, &fooling);
            (report, fooling)
        };
        let (_, shown) = with(Some(0.6));
        assert_eq!(shown.outcome, Outcome::Within, "{shown:?}");
        let (report, at_chance) = with(Some(0.25));
        assert_eq!(at_chance.outcome, Outcome::Undecided);
        assert!(report.text().contains("not above the 32.5 % that the plan asks for"));
        let (report, none) = with(None);
        assert_eq!(none.outcome, Outcome::Undecided);
        assert!(report.text().contains("no genuine controls of these people"));
    }
}

#[test]
fn controls_are_those_of_the_same_people_and_block() {
    // Good controls of other people, or of another block, show nothing.
    let mut rows = answers(1, 40, 24, &[("audio", "fooling:toy", 0.25)]);
    let mut others = answers(2, 40, 24, &[("audio", "real", 0.8)]);
    others.iter_mut().for_each(|row| row.participant = row.participant.replace("p-", "q-"));
    rows.extend(others);
    rows.extend(answers(3, 40, 24, &[("audio-2", "real", 0.8)]));
    let report = analyze(&rows, &[], &plan()).unwrap();
    let fooling = report.conditions.iter().find(|c| c.condition != "real").unwrap();
    assert_eq!((fooling.controls.found.as_ref(), fooling.outcome), (None, Outcome::Undecided));
    // Half of the people: their answers to the controls alone count.
    rows.extend(answers(4, 20, 24, &[("audio", "real", 0.25)]).into_iter().map(|mut row| {
        row.item += "-more";
        row
    }));
    let report = analyze(&rows, &[], &plan()).unwrap();
    let fooling = report.conditions.iter().find(|c| c.condition != "real").unwrap();
    let genuine = fooling.controls.found.as_ref().unwrap();
    assert_eq!((genuine.participants, genuine.answers), (20, 480));
    assert!(!fooling.controls.suffice && !fooling.outcome.claims_absence());
}

#[test]
fn abx_at_65_percent_is_never_within() {
    for seed in 1..=6 {
        let report =
            analyze(&answers(seed, 30, 12, &[("abx", "abx", 0.65)]), &[], &plan()).unwrap();
        let [abx] = &report.conditions[..] else { panic!("one condition") };
        check(&report, abx);
        assert_eq!(abx.equivalence.margin, 0.55);
        assert_eq!(abx.outcome, Outcome::Better, "{abx:?}");
    }
}

#[test]
fn the_margin_is_printed_with_its_reason_or_that_there_is_none() {
    let rows = answers(1, 12, 12, &[("audio", "real", 0.6)]);
    let page = analyze(&rows, &[], &plan()).unwrap().html();
    assert!(page.contains("Reason, fixed before the data: the accuracy of a &lt;pilot&gt;."));
    let silent = AnalysisPlan { margin_reason: " ".into(), margin: Some(1.5), ..plan() };
    let report = analyze(&rows, &[], &silent).unwrap();
    assert!(report.html().contains("no reason was written"));
    assert!(
        report.warnings.iter().any(|w| w.contains("1.5 times chance") && w.contains("not used"))
    );
    let wide = AnalysisPlan { equivalence_margin: 0.3, ..plan() };
    let report = analyze(&rows, &[], &wide).unwrap();
    assert!((report.conditions[0].equivalence.margin - 0.475).abs() < 1e-12);
}
