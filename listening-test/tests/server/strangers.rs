//! What people must not get: files, labels, other people's answers, the experimenter's page.

use trompe_listening_test::study::Policy;

use super::sample::{CLASSES, Sample, bearer, fitting};

/// 300 ways to name a file outside of what may be read.
fn traversals() -> Vec<String> {
    let targets = [
        "key.json",
        "study.toml",
        "manifest.sha256",
        "loudness.csv",
        "../key.json",
        "../answers.sqlite",
        "etc/passwd",
        "../../../../../../etc/passwd",
    ];
    let ups = [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%252f",
        "%252e%252e%252f",
        "..\\",
        "..%5c",
        "....//",
        "..;/",
        "%c0%ae%c0%ae/",
        "..%c0%af",
        "/",
        "%2f",
        "//",
        "file:///",
        "..%00/",
        "./",
        "%2e/",
        "stimuli/../",
        "\u{ff0e}\u{ff0e}/",
    ];
    let routes = ["/api/stimuli/", "/page/"];
    let mut all = Vec::new();
    for route in routes {
        for up in ups {
            for target in targets {
                all.push(format!("{route}{up}{target}"));
            }
        }
    }
    all
}

#[test]
fn no_path_leads_out_of_the_study() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let code = server.enrol();
    let paths = traversals();
    assert!(paths.len() >= 300);
    for path in &paths {
        let (status, text) = server.ask("GET", path, &bearer(&code), "");
        assert!([400, 404].contains(&status), "{path}: {status}");
        for secret in ["secretsystem", "posterior", "root:", "SQLite", "[[blocks]]"] {
            assert!(!text.contains(secret), "{path} gave {secret}");
        }
    }
}

/// Walks a whole study and searches everything received for what only the key knows.
#[test]
fn nothing_a_participant_receives_tells_a_label() {
    let sample = Sample::new(10, Policy::Off);
    let server = sample.serve(0);
    let code = server.enrol();
    let mut received =
        server.ask("GET", "/", "", "").1 + &server.ask("GET", "/api/study", "", "").1;
    let mut state = server.json("GET", "/api/state", &code, "");
    let mut sizes = std::collections::BTreeSet::new();
    while state["step"].is_object() {
        let view = state["step"].clone();
        if view["kind"] == "trial" && view["told"].is_null() {
            assert!(!CLASSES.iter().any(|class| view.to_string().contains(class)), "{view}");
        }
        received += &view.to_string();
        for stimulus in view["stimuli"].as_array().into_iter().flatten() {
            let path = format!("/api/stimuli/{}", stimulus.as_str().unwrap());
            let (status, text) = server.ask("GET", &path, &bearer(&code), "");
            assert_eq!(status, 200);
            let head = text.split("\r\n\r\n").next().unwrap().to_owned();
            let head_lower = head.to_lowercase();
            assert!(
                !head_lower.contains("last-modified") && !head_lower.contains("etag"),
                "{head}"
            );
            // nor does the server compare the time with a guess of the stranger's
            let guess = "if-modified-since: Fri, 31 Dec 2100 00:00:00 GMT\r\n";
            let headers = format!("{}{guess}", bearer(&code));
            assert_eq!(server.ask("GET", &path, &headers, "").0, 200);
            if view["kind"] == "trial" && view["told"].is_null() {
                sizes.insert(head.split("content-length: ").nth(1).unwrap()[..5].to_owned());
            }
            received += &head;
        }
        let answer = fitting(&view, &format!("answer-{}", view["index"]));
        state = server.json("POST", "/api/answers", &code, &answer.to_string())["state"].clone();
    }
    assert_eq!(state["end"]["outcome"], "complete");
    assert_eq!(sizes.len(), 1, "file sizes differ");
    for secret in
        ["secretsystem", "posterior", "0.999", "fooling", "\"real\"", "truth", ".wav.", "seed"]
    {
        assert!(!received.contains(secret), "{secret} was sent");
    }
}

#[test]
fn foreign_forged_and_late_requests_are_refused() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let (mine, other) = (server.enrol(), server.enrol());
    let status = |method: &str, path: &str, code: &str, body: &str| {
        server.ask(method, path, &bearer(code), body).0
    };
    let answer = |step: u32, key: &str| {
        serde_json::json!({ "step": step, "key": key, "answers": {} }).to_string()
    };
    assert_eq!(status("GET", "/api/state", "0000-0000-0000-0000", ""), 404);
    assert_eq!(status("GET", "/api/state", "", ""), 404);
    assert_eq!(status("POST", "/api/answers", &mine, &answer(3, "forward-1")), 409);
    assert_eq!(status("POST", "/api/answers", &mine, &answer(99_999, "forward-2")), 422);
    assert_eq!(status("POST", "/api/answers", &mine, &answer(0, "first-one")), 200);
    // the same once more is the same; another under the same key or step is not
    assert_eq!(status("POST", "/api/answers", &mine, &answer(0, "first-one")), 200);
    assert_eq!(status("POST", "/api/answers", &mine, &answer(1, "first-one")), 409);
    assert_eq!(status("POST", "/api/answers", &mine, &answer(0, "second-one")), 409);
    // a plan cannot be chosen, a field cannot be added
    let forged = r#"{"step":1,"key":"forged-1","plan":3}"#;
    assert_eq!(status("POST", "/api/answers", &mine, forged), 422);
    // an item that is not due cannot be fetched, whoever asks
    let key = std::fs::read_to_string(sample.study().join("key.json")).unwrap();
    let key: serde_json::Value = serde_json::from_str(&key).unwrap();
    let mut open = 0;
    for item in key["items"].as_array().unwrap() {
        let path = format!("/api/stimuli/{}", item["stimuli"][0].as_str().unwrap());
        open += u32::from(status("GET", &path, &other, "") == 200);
    }
    assert!(open <= 2, "{open} items are open before their turn");
    assert_eq!(status("POST", "/api/withdraw", &other, ""), 200);
    assert_eq!(status("GET", "/api/state", &other, ""), 404);
}

#[test]
fn too_much_is_refused_by_its_size() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let code = server.enrol();
    let long = format!(r#"{{"step":0,"key":"too-long-1","text":"{}"}}"#, "x".repeat(70_000));
    assert_eq!(server.ask("POST", "/api/answers", &bearer(&code), &long).0, 413);
    let many: String = (0..1000).map(|number| format!("x-{number}: 1\r\n")).collect();
    assert_eq!(server.ask("GET", "/api/study", &many, "").0, 431);
    let (status, _) = server.ask("GET", &format!("/{}", "a".repeat(1 << 20)), "", "");
    assert!([0, 414, 431].contains(&status), "{status}");
    assert_eq!(server.ask("GET", "/api/health", "", "").0, 200);
}

#[test]
fn the_experimenters_page_is_closed() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let origin = format!("origin: http://{}\r\n", server.address);
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    assert_eq!(server.ask("GET", "/admin", "", "").0, 401);
    for path in ["/admin/look", "/admin/export"] {
        assert_eq!(server.ask("POST", path, &origin, "").0, 401);
        assert_eq!(server.ask("GET", path, "", "").0, 405);
        assert_eq!(server.ask("POST", path, "", "").0, 403); // no origin
    }
    let token = format!("token={}", server.token);
    let foreign = format!("origin: https://evil.example\r\n{form}");
    assert_eq!(server.ask("POST", "/admin/enter", &foreign, &token).0, 403);
    assert_eq!(server.ask("POST", "/admin/enter", &format!("{origin}{form}"), "token=x").0, 403);
    let (status, text) = server.ask("POST", "/admin/enter", &format!("{origin}{form}"), &token);
    assert_eq!(status, 303);
    let cookie = text.to_lowercase();
    let cookie = cookie.split("set-cookie: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert!(cookie.contains("httponly") && cookie.contains("samesite=strict"));
    assert!(!cookie.contains("secure"), "on this machine there is no TLS");
    // behind a proxy that speaks TLS
    let by_tls = format!("origin: https://{}\r\n{form}", server.address);
    let (_, text) = server.ask("POST", "/admin/enter", &by_tls, &token);
    assert!(text.to_lowercase().contains("; secure"), "{text}");
    let visit = format!("cookie: {}\r\n", cookie.split(';').next().unwrap());
    let (status, page) = server.ask("GET", "/admin", &visit, "");
    assert_eq!(status, 200);
    assert!(!page.contains("answers equal the label"), "results show without a look");
    // A web server may put the study under a path: nothing on the page starts at its root.
    assert!(text.to_lowercase().contains("location: ../admin"), "{text}");
    let (status, looked) = server.ask("POST", "/admin/look", &format!("{visit}{origin}"), "");
    assert_eq!(status, 200);
    for page in [&page, &looked] {
        assert!(!page.contains("=\"/"), "{page}");
    }
    assert!(page.contains("href=\"page/style.css\"") && page.contains("action=\"admin/look\""));
    assert!(looked.contains("href=\"../page/style.css\"") && looked.contains("../admin/export"));
    assert!(page.contains("data-live") && !looked.contains("data-live"));
    let (_, page) = server.ask("GET", "/admin", &visit, "");
    assert!(page.contains("results were looked at 1 times"), "the look was not counted");
}
