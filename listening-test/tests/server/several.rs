//! Several studies on one server: paths, tokens, databases and health of their own, and no list of
//! them for strangers.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use trompe_listening_test::export::export;
use trompe_listening_test::study::Policy;

use super::sample::{Running, Sample, bearer, body_of, edit};

fn named(name: &str) -> Sample {
    let sample = Sample::new(5, Policy::Off);
    edit(&sample.study(), "name = \"study\"", &format!("name = \"{name}\""));
    sample
}

fn command(studies: &[&Sample], database: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trompe-listen"));
    command.args(["serve", "--json", "--address", "127.0.0.1:0", "--database"]).arg(database);
    command.args(studies.iter().map(|sample| sample.study()));
    command
}

/// A server of these studies, and what it printed.
fn serve(studies: &[&Sample], database: &Path) -> (Running, serde_json::Value) {
    let mut process = command(studies, database).stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = String::new();
    for line in BufReader::new(process.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        printed += &line;
        if line == "}" {
            break;
        }
    }
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let address = printed["studies"][0]["participants"].as_str().unwrap();
    let address = address.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let address = address.parse().unwrap();
    (Running { process, address, token: String::new() }, printed)
}

/// A server that does not start.
fn refused(studies: &[&Sample], database: &Path) -> String {
    let Output { status, stderr, .. } = command(studies, database).output().unwrap();
    let message = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{message}");
    message
}

fn enrol(server: &Running, study: &str) -> String {
    let version = server.json("GET", &format!("/{study}/api/study"), "", "");
    let body = serde_json::json!({
        "consent_version": version["consent_version"], "of_age": true, "language": "en",
    });
    let enrolled = server.json("POST", &format!("/{study}/api/sessions"), "", &body.to_string());
    enrolled["code"].as_str().unwrap().to_owned()
}

#[test]
fn each_study_has_its_path_its_people_and_its_database() {
    let (genres, moods) = (named("genres"), named("moods_2"));
    let answers = genres.folder.path().join("answers");
    let (server, printed) = serve(&[&genres, &moods], &answers);
    let base = format!("http://{}", server.address);
    for (number, name) in ["genres", "moods_2"].into_iter().enumerate() {
        let study = &printed["studies"][number];
        assert_eq!(study["name"], name);
        assert_eq!(study["participants"], format!("{base}/{name}/"));
        assert_eq!(study["experimenter"], format!("{base}/{name}/admin"));
        assert_eq!(server.json("GET", &format!("/{name}/api/study"), "", "")["name"], name);
        // the page and all that it asks for, which is relative to its folder
        let (status, page) = server.ask("GET", &format!("/{name}/"), "", "");
        assert!(status == 200 && page.contains("src=\"page/app.js\""), "{page}");
        assert_eq!(server.ask("GET", &format!("/{name}/page/app.js"), "", "").0, 200);
    }

    let code = enrol(&server, "genres");
    let ask = |study: &str, method: &str, path: &str, body: &str| {
        server.ask(method, &format!("/{study}{path}"), &bearer(&code), body)
    };
    let first = r#"{"step":0,"key":"answer-0","answers":{}}"#;
    assert_eq!(ask("genres", "POST", "/api/answers", first).0, 200);
    // the code of one study opens nothing in the other
    for (method, path) in [("GET", "/api/state"), ("GET", "/api/record"), ("POST", "/api/withdraw")]
    {
        assert_eq!(ask("moods_2", method, path, "").0, 404);
    }
    let state = ask("genres", "GET", "/api/state", "").1;
    let state: serde_json::Value = serde_json::from_str(body_of(&state)).unwrap();
    let stimulus = state["next"]["stimuli"][0].as_str().or(state["step"]["stimuli"][0].as_str());
    let path = format!("/api/stimuli/{}", stimulus.unwrap());
    assert_eq!(ask("genres", "GET", &path, "").0, 200);
    assert_eq!(ask("moods_2", "GET", &path, "").0, 404);

    let people = |sample: &Sample, name: &str| {
        let database = answers.join(format!("{name}.sqlite"));
        export(&sample.study(), &database).unwrap().participants.len()
    };
    assert_eq!((people(&genres, "genres"), people(&moods, "moods_2")), (1, 0));
    // a refused request is on record by its route, without the path of the study
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let refused = export(&moods.study(), &answers.join("moods_2.sqlite")).unwrap().refusals;
    let routes: Vec<&str> = refused.iter().map(|refused| refused.route.as_str()).collect();
    assert!(routes.contains(&"/api/withdraw"), "{routes:?}");
}

#[test]
fn each_study_has_a_token_of_its_own() {
    let (genres, moods) = (named("genres"), named("moods"));
    let (server, printed) = serve(&[&genres, &moods], &genres.folder.path().join("answers"));
    let tokens = [0, 1].map(|study| printed["studies"][study]["token"].as_str().unwrap());
    assert_ne!(tokens[0], tokens[1]);
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let headers = format!("origin: http://{}\r\n{form}", server.address);
    let enter = |study: &str, token: &str| {
        server.ask("POST", &format!("/{study}/admin/enter"), &headers, &format!("token={token}"))
    };
    assert_eq!((enter("genres", tokens[1]).0, enter("moods", tokens[0]).0), (403, 403));
    let (status, entered) = enter("genres", tokens[0]);
    assert_eq!(status, 303);
    let entered = entered.to_lowercase();
    assert!(entered.contains("location: ../admin"), "{entered}");
    // without a path, browsers send the cookie to the experimenter's pages of this study alone
    assert!(!entered.contains("path="), "{entered}");
    let cookie = entered.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap();
    let visit = format!("cookie: {cookie}\r\n");
    let (status, page) = server.ask("GET", "/genres/admin", &visit, "");
    assert_eq!(status, 200);
    assert!(page.contains("<h1>genres</h1>") && !page.contains("=\"/"), "{page}");
    assert_eq!(server.ask("GET", "/moods/admin", &visit, "").0, 401, "a login in the other study");
}

#[test]
fn strangers_get_no_list_and_health_names_studies_to_a_token_alone() {
    let (genres, moods) = (named("genres"), named("moods"));
    let (server, printed) = serve(&[&genres, &moods], &genres.folder.path().join("answers"));
    for path in
        ["/", "/admin", "/api/study", "/api/sessions", "/page/app.js", "/other/", "//genres/"]
    {
        let (status, text) = server.ask("GET", path, "", "");
        assert_eq!(status, 404, "{path}");
        assert!(!text.contains("genres") && !text.contains("moods"), "{path}: {text}");
        assert!(text.contains("content-security-policy"), "{path}: {text}");
    }
    let (status, text) = server.ask("GET", "/api/health", "", "");
    assert_eq!((status, body_of(&text)), (200, "ok"));
    for study in ["genres", "moods"] {
        let (status, text) = server.ask("GET", &format!("/{study}/api/health"), "", "");
        assert_eq!((status, body_of(&text)), (200, "ok"));
    }
    let told = |token: &str| server.ask("GET", "/api/health", &bearer(token), "").1;
    assert_eq!(body_of(&told("wrong")), "ok");
    let token = printed["studies"][1]["token"].as_str().unwrap();
    let named: serde_json::Value = serde_json::from_str(body_of(&told(token))).unwrap();
    assert_eq!(named, serde_json::json!({ "genres": "ok", "moods": "ok" }));

    // the address without its last slash leads to the page, with what a platform added
    let (status, text) = server.ask("GET", "/genres?PROLIFIC_PID=5", "", "");
    assert_eq!(status, 307);
    assert!(text.to_lowercase().contains("location: genres/?prolific_pid=5"), "{text}");
}

#[test]
fn no_path_leads_out_of_a_study() {
    let (genres, moods) = (named("genres"), named("moods"));
    let (server, _) = serve(&[&genres, &moods], &genres.folder.path().join("answers"));
    let code = enrol(&server, "genres");
    for start in ["/genres/", "/genres/api/stimuli/", "/genres/page/", "/", "//", "/genres//"] {
        for up in ["../", "..%2f", "%2e%2e/", "..\\", "./../", "%2f..%2f"] {
            for target in ["key.json", "study.toml", "answers/genres.sqlite", "moods/api/state"] {
                let path = format!("{start}{up}{target}");
                let (status, text) = server.ask("GET", &path, &bearer(&code), "");
                assert!([400, 404].contains(&status), "{path}: {status}");
                assert!(!text.contains("posterior") && !text.contains("SQLite"), "{path}");
            }
        }
    }
}

#[test]
fn names_and_places_that_clash_are_refused() {
    let (genres, again, api) = (named("genres"), named("Genres"), named("api"));
    let folder = genres.folder.path();
    let clash = refused(&[&genres, &again], &folder.join("answers"));
    assert!(clash.contains("are both named \"Genres\"") && clash.contains("reseal"), "{clash}");
    let reserved = refused(&[&genres, &api], &folder.join("answers"));
    assert!(reserved.contains("\"api\" is a path of the server"), "{reserved}");
    assert!(!folder.join("answers").exists(), "something was made before the names were looked at");
    std::fs::write(folder.join("file"), "").unwrap();
    let moods = named("moods");
    let file = refused(&[&genres, &moods], &folder.join("file"));
    assert!(file.contains("is a file; name a folder"), "{file}");
    let alone = refused(&[&genres], folder);
    assert!(
        alone.contains("is a folder; name a file") && alone.contains("genres.sqlite"),
        "{alone}"
    );
}

/// The answers to the other study can be stored when those to one cannot.
#[test]
fn a_study_that_cannot_store_does_not_stop_the_other() {
    let (genres, moods) = (named("genres"), named("moods"));
    let answers = genres.folder.path().join("answers");
    let (server, printed) = serve(&[&genres, &moods], &answers);
    // another program keeps the database of one study for itself
    let holder = rusqlite::Connection::open(answers.join("genres.sqlite")).unwrap();
    holder.execute_batch("begin immediate").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let token = printed["studies"][0]["token"].as_str().unwrap();
    let _ = enrol(&server, "moods");
    let (status, text) = server.ask("GET", "/api/health", &bearer(token), "");
    assert_eq!(status, 503);
    let named: serde_json::Value = serde_json::from_str(body_of(&text)).unwrap();
    assert_eq!(named, serde_json::json!({ "genres": "storage", "moods": "ok" }));
    let (status, text) = server.ask("GET", "/api/health", "", "");
    assert!(status == 503 && !text.contains("genres"), "{text}");
    holder.execute_batch("rollback").unwrap();
}
