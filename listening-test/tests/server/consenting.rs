//! What a study states of itself on the consent page: shown, part of the version, kept with the answers
//! and in the record of who agreed.

use sha2::{Digest, Sha256};
use trompe_listening_test::export::export;
use trompe_listening_test::static_export::export_static;
use trompe_listening_test::study::Policy;

use super::sample::{Sample, edit};

/// The three texts, in two languages.
const STATED: &str = "[consent.purpose]\nen = \"To learn how people hear.\"\nde = \"Um zu lernen, wie \
    Menschen hören.\"\n[consent.institution]\nen = \"Example University\"\n[consent.sharing]\n\
    en = \"An open archive\"\n\n[trial]";

fn stated() -> Sample {
    let sample = Sample::new(5, Policy::Off);
    edit(&sample.study(), "[trial]", STATED);
    sample
}

#[test]
fn purpose_institution_and_sharing_are_shown_versioned_and_kept() {
    let plain = Sample::new(5, Policy::Off);
    let before = plain.serve(0).json("GET", "/api/study", "", "");
    assert!(before["consent"].get("purpose").is_none(), "{before}");

    let sample = stated();
    let server = sample.serve(0);
    let study = server.json("GET", "/api/study", "", "");
    assert_eq!(study["consent"]["purpose"]["de"], "Um zu lernen, wie Menschen hören.");
    assert_eq!(study["consent"]["institution"]["en"], "Example University");
    assert_eq!(study["consent"]["sharing"]["en"], "An open archive");
    let version = study["consent_version"].as_str().unwrap();
    assert_ne!(before["consent_version"], version);

    let code = server.enrol();
    let record = server.json("GET", "/api/record", &code, "");
    let agreed = &record["consent"];
    assert_eq!(
        (agreed["version"].as_str(), agreed["language"].as_str()),
        (Some(version), Some("en"))
    );
    assert_eq!(agreed["consent"], study["consent"]);
    assert_eq!(agreed["title"], study["title"]);
    assert!(agreed["at"].as_str().unwrap().ends_with(" UTC"), "{agreed}");

    let exported = export(&sample.study(), &sample.database()).unwrap();
    let terms = &exported.consents[version];
    let hash: String = Sha256::digest(terms).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(&hash[..16], version);
    assert_eq!(exported.consents.len(), 1);
    assert_eq!(exported.participants[0].consent_version, version);

    // who agreed to other words is asked anew
    let old = serde_json::json!({
        "consent_version": before["consent_version"], "of_age": true, "language": "en",
    });
    assert_eq!(server.ask("POST", "/api/sessions", "", &old.to_string()).0, 409);
    // the same without a server
    let folder = sample.folder.path().join("static");
    export_static(&sample.study(), &folder).unwrap();
    let script = std::fs::read_to_string(folder.join("page/study.js")).unwrap();
    assert!(script.contains("Example University") && script.contains("\"consent.sharing\""));
}

/// A database of an earlier version has no terms; the record then says what there is.
#[test]
fn the_record_of_somebody_who_came_before_has_the_version_alone() {
    let sample = stated();
    let server = sample.serve(0);
    let code = server.enrol();
    let connection = rusqlite::Connection::open(sample.database()).unwrap();
    connection.execute("delete from consents", []).unwrap();
    let agreed = server.json("GET", "/api/record", &code, "")["consent"].clone();
    assert_eq!(agreed["version"], server.json("GET", "/api/study", "", "")["consent_version"]);
    assert!(agreed.get("consent").is_none(), "{agreed}");
}
