//! Serves a folder to a browser on this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use axum::Router;
use axum::http::{HeaderValue, header};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::report::Hint;

/// Only the permissions that search and the chat need; a site's own pages may need more.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
connect-src 'self'; worker-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder to serve.
    dir: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Send a strict content security policy: no inline scripts and styles, and no other hosts.
    #[arg(long)]
    strict_csp: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if !arguments.dir.is_dir() {
        return Err(Hint::error(
            format!("`{}` is not a folder", arguments.dir.display()),
            "give the folder that holds the page",
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("could not start the server")?;
    runtime.block_on(serve(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|cause| {
            Hint::error(
                format!("could not listen on {address}: {cause}"),
                "another program has that port; give another with --port",
            )
        })?;
    let address = listener
        .local_addr()
        .context("could not read the server's address")?;
    let header =
        |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    let mut router = Router::new().fallback_service(ServeDir::new(&arguments.dir));
    if arguments.strict_csp {
        let policy = header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        router = router.layer(policy);
    }
    let router = router
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::CACHE_CONTROL, "no-cache"));
    // The address is the command's result, and the only line on standard output.
    println!("http://{address}/");
    axum::serve(listener, router)
        .await
        .context("the server stopped")
}
