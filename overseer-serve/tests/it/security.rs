//! Who is answered, and what a page of somebody else's cannot do.

use crate::errors::is_problem;
use crate::scene::{Got, Scene, posting};
use axum::body::Body;
use axum::http::Request;
use overseer_serve::{Settings, Token};

const SECRET: &str = "0123456789abcdef";

fn guarded() -> Settings {
    let mut settings = Settings::default();
    settings.token = Some(Token::new(SECRET).unwrap());
    settings
}

async fn with(scene: &Scene, path: &str, headers: &[(&str, &str)]) -> Got {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    scene.send(request, Body::empty()).await
}

#[tokio::test]
async fn only_names_of_this_host_are_answered() {
    let scene = Scene::new();
    for host in ["localhost:9280", "127.0.0.1", "[::1]:9280"] {
        assert_eq!(with(&scene, "/api/v1/status", &[("host", host)]).await.status, 200, "{host}");
    }
    let rebound = [
        vec![("host", "evil.example")],
        vec![],
        vec![("host", "localhost"), ("host", "evil.example")],
    ];
    for headers in rebound {
        for path in ["/", "/metrics", "/api/v1/status", "/nothing"] {
            let got = with(&scene, path, &headers).await;
            assert_eq!(got.status, 421, "{path} {headers:?}");
            is_problem(&got);
        }
    }
}

#[tokio::test]
async fn without_the_token_nothing_of_the_host_is_told() {
    let scene = Scene::with(&guarded());
    let bearer = format!("Bearer {SECRET}");
    for path in [
        "/api/v1/status",
        "/metrics",
        "/api/v1/events",
        "/api/v1/export?what=all",
        "/api/v1/nothing",
        "/api/v1/status/../openapi.json",
    ] {
        for wrong in ["", "Bearer", "Bearer 0123456789abcdeX", "Basic 0123456789abcdef", SECRET] {
            let got = with(&scene, path, &[("host", "localhost"), ("authorization", wrong)]).await;
            assert_eq!(
                (got.status.as_u16(), got.header("www-authenticate")),
                (401, "Bearer"),
                "{path} {wrong}"
            );
            is_problem(&got);
        }
    }
    let twice =
        [("host", "localhost"), ("authorization", bearer.as_str()), ("authorization", "Bearer x")];
    assert_eq!(with(&scene, "/metrics", &twice).await.status, 401);
    let right = [("host", "localhost"), ("authorization", bearer.as_str())];
    assert_eq!(with(&scene, "/api/v1/status", &right).await.status, 200);
    assert_eq!(with(&scene, "/metrics", &right).await.status, 200);
    // The pages are the same on every host, and must load to ask for the token.
    for open in ["/", "/assets/main.js", "/api/docs", "/api/v1/openapi.json"] {
        assert_eq!(scene.get(open).await.status, 200, "{open}");
    }
}

#[tokio::test]
async fn another_page_can_change_nothing() {
    let scene = Scene::new();
    // What a form can send.
    let form = Request::post("/api/v1/train")
        .header("host", "localhost")
        .header("content-type", "text/plain");
    let got = scene.send(form, Body::from("{}")).await;
    assert_eq!(got.status, 403);
    is_problem(&got);
    let foreign = posting("/api/v1/silence").header("origin", "https://evil.example");
    assert_eq!(scene.send(foreign, Body::from("{\"duration\":5}")).await.status, 403);
    let own = posting("/api/v1/silence").header("origin", "http://localhost");
    assert_eq!(scene.send(own, Body::from("{\"duration\":5}")).await.status, 201);
    // Nothing that only reads changes anything.
    let description: serde_json::Value =
        serde_json::from_str(&overseer_serve::api_description()).unwrap();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            assert!(["get", "post", "parameters"].contains(&method.as_str()), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn other_origins_read_only_where_they_are_allowed() {
    let page = [("host", "localhost"), ("origin", "https://status.example")];
    let closed = with(&Scene::new(), "/api/v1/status", &page).await;
    assert_eq!(closed.header("access-control-allow-origin"), "");
    let mut settings = guarded();
    settings.allowed_origins = vec!["https://status.example".to_owned()];
    let scene = Scene::with(&settings);
    let open = with(&scene, "/api/docs", &page).await;
    assert_eq!(open.header("access-control-allow-origin"), "https://status.example");
    let other = [("host", "localhost"), ("origin", "https://evil.example")];
    assert_eq!(with(&scene, "/api/docs", &other).await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn every_answer_keeps_browsers_from_foreign_content() {
    let scene = Scene::new();
    for path in ["/", "/api/docs", "/assets/app.css", "/api/v1/status", "/nothing", "/metrics"] {
        let got = scene.get(path).await;
        let policy = got.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "style-src 'self';",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert_eq!(got.header("x-content-type-options"), "nosniff", "{path}");
    }
    let page = scene.get("/").await.text();
    assert!(!page.contains("<script>") && !page.contains("<style") && !page.contains("style="));
}

#[tokio::test]
async fn under_a_prefix_everything_is_where_the_pages_look_for_it() {
    let mut scene = Scene::with(&guarded());
    scene.app = axum::Router::new().nest_service("/overseer", scene.app);
    let page = scene.get("/overseer/").await;
    assert!(page.status == 200 && page.text().contains("assets/main.js"));
    // Without the slash the page's relative addresses would lead elsewhere.
    let bare = scene.get("/overseer").await;
    assert_eq!((bare.status.as_u16(), bare.header("location")), (308, "/overseer/"));
    assert_eq!(scene.get("/overseer/assets/main.js").await.status, 200);
    assert_eq!(scene.get("/overseer/api/docs").await.status, 200);
    assert_eq!(scene.get("/overseer/api/v1/status").await.status, 401);
    assert_eq!(scene.get("/overseer/nothing").await.status, 401);
}
