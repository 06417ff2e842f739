//! What happens to a handler that panics.

use actix_web::{App, HttpResponse, HttpServer, middleware::from_fn, web};

async fn panics() -> HttpResponse {
    panic!("a bug, quoting somebody's birth date")
}

#[actix_web::test]
async fn a_panic_is_a_500_that_tells_the_correlation_id_alone() {
    let server = HttpServer::new(|| {
        App::new()
            .wrap(from_fn(muster::http::boundary))
            .route("/panics", web::get().to(panics))
            .route("/works", web::get().to(HttpResponse::NoContent))
    });
    let server = server
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
    let origin = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http
        .get(format!("{origin}/panics"))
        .header("x-correlation-id", "flow-7");
    let answer = super::app::send(request).await;
    let detail = answer.error(500, None);
    assert!(
        detail.contains("flow-7") && !detail.contains("birth"),
        "{detail}"
    );
    assert_eq!(answer.header("x-correlation-id"), "flow-7");
    let again = http.get(format!("{origin}/works")).send().await.unwrap();
    assert_eq!(again.status(), 204);
    handle.stop(false).await;
}
