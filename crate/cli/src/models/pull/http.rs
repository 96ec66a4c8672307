//! Fetches an address into a part, resuming where it was cut off if the server can show that the file is unchanged.

use std::time::Duration;

use indicatif::ProgressBar;
use ureq::Agent;
use ureq::http::{HeaderMap, Response, StatusCode, header};

use super::part::{Origin, Part, Stopped};
use crate::models::registry::is_loopback;
use crate::report::Hint;

/// Timeout for connecting to the server, and for receiving any data from it.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum length of an ETag that is stored.
const MAX_ETAG: usize = 1000;

/// The requested file.
pub(super) struct Wanted<'w> {
    pub(super) address: &'w str,
    /// Its length, if it is known.
    pub(super) bytes: Option<u64>,
    /// Its maximum length.
    pub(super) limit: u64,
    /// True if a known hash will reveal a file joined from two versions.
    pub(super) is_hash_known: bool,
}

/// Fetches the missing rest of a part.
pub(super) fn fetch(
    wanted: &Wanted<'_>,
    part: &mut Part,
    progress: &ProgressBar,
) -> anyhow::Result<()> {
    let agent = agent(wanted.address);
    let mut here = resumable(wanted, part)?;
    let mut response = get(&agent, wanted, here.as_ref())?;
    if here.is_some() && response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        // The file is now no longer than the part on disk, so start over.
        here = None;
        response = get(&agent, wanted, None)?;
    }
    let n_here = here.map_or(0, |(n_here, _)| n_here);
    let total = match response.status() {
        StatusCode::OK => {
            let etag = strong_etag(response.headers());
            part.restart(Some(&Origin {
                address: wanted.address.to_owned(),
                etag,
            }))?;
            response.body().content_length()
        }
        StatusCode::PARTIAL_CONTENT if n_here > 0 => {
            let range = content_range(response.headers()).filter(|(start, _)| *start == n_here);
            let Some((_, total)) = range else {
                part.remove();
                return Err(Hint::error(
                    format!(
                        "`{}` sent another part than asked for, expected it to start at byte {n_here}",
                        wanted.address
                    ),
                    "nothing was kept; run the same command again",
                ));
            };
            eprintln!("going on at byte {n_here}");
            total
        }
        status => return Err(refused(wanted.address, status)),
    };
    if let Some(total) = total {
        check_length(wanted, total, part)?;
        progress.set_length(total);
    }
    let mut body = response.into_body().into_reader();
    let cut = match part.take(&mut body, wanted.limit, progress) {
        Ok(()) => "it ended".to_owned(),
        Err(Stopped::Read(cause)) => cause.to_string(),
        Err(stopped) => return Err(stopped.of(wanted.address)),
    };
    let found = part.len()?;
    match total.or(wanted.bytes) {
        Some(expected) if found < expected => Err(Hint::error(
            format!(
                "`{}` was cut after {found} of {expected} bytes: {cut}",
                wanted.address
            ),
            "run the same command again; it goes on where this one ended if the server lets it",
        )),
        None if cut != "it ended" => {
            Err(Stopped::Read(std::io::Error::other(cut)).of(wanted.address))
        }
        _ => Ok(()),
    }
}

fn agent(address: &str) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("anchorite/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(TIMEOUT))
        .timeout_recv_response(Some(TIMEOUT))
        .timeout_per_read(Some(TIMEOUT));
    // A server may redirect an encrypted address only to another encrypted one. Loopback addresses are for tests, and
    // may not redirect.
    let config = match is_loopback(address) {
        false => config.https_only(true).max_redirects(10),
        true => config.max_redirects(0).proxy(None),
    };
    config.build().new_agent()
}

/// The length and version of the part on disk, if its fetch may be resumed: its bytes came from the same address, and
/// the server's version or a known hash vouches for the whole.
fn resumable(wanted: &Wanted<'_>, part: &Part) -> anyhow::Result<Option<(u64, Option<String>)>> {
    let n_here = part.len()?;
    let origin = part
        .origin()
        .filter(|origin| n_here > 0 && origin.address == wanted.address);
    Ok(origin
        .filter(|origin| origin.etag.is_some() || wanted.is_hash_known)
        .map(|origin| (n_here, origin.etag)))
}

fn get(
    agent: &Agent,
    wanted: &Wanted<'_>,
    here: Option<&(u64, Option<String>)>,
) -> anyhow::Result<Response<ureq::Body>> {
    let mut request = agent
        .get(wanted.address)
        // The length of a compressed transfer says nothing about the file, and a compressed transfer can't be resumed.
        .header(header::ACCEPT_ENCODING, "identity");
    if let Some((n_here, etag)) = here {
        request = request.header(header::RANGE, format!("bytes={n_here}-"));
        if let Some(etag) = etag {
            request = request.header(header::IF_RANGE, etag);
        }
    }
    request.call().map_err(|cause| {
        Hint::error(
            format!("could not fetch `{}`: {cause}", wanted.address),
            "check the connection, and a proxy if there is one (HTTPS_PROXY); then run the same command again",
        )
    })
}

fn check_length(wanted: &Wanted<'_>, total: u64, part: &Part) -> anyhow::Result<()> {
    let is_wrong = wanted.bytes.is_some_and(|expected| expected != total);
    if !is_wrong && total <= wanted.limit {
        return Ok(());
    }
    part.remove();
    let expected = match wanted.bytes {
        Some(bytes) => format!("{bytes} bytes"),
        None => format!("at most {} bytes", wanted.limit),
    };
    Err(Hint::error(
        format!(
            "`{}` announces another length, expected {expected}: `{total}`",
            wanted.address
        ),
        "nothing was kept; the file is not the one that the registry knows",
    ))
}

fn refused(address: &str, status: StatusCode) -> anyhow::Error {
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "the host wants a name, or consent to a licence: fetch the file in a browser, and build with `--generator FILE`"
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            "the file has moved: name its new address in a registry of your own with --registry"
        }
        _ => "try again later",
    };
    Hint::error(
        format!("`{address}` could not be fetched, expected status 200: `{status}`"),
        hint,
    )
}

/// A strong ETag, which identifies exact bytes; a weak one identifies equivalent content, and If-Range does not accept
/// it.
fn strong_etag(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(header::ETAG)?.to_str().ok()?;
    let is_strong = etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2;
    (is_strong && etag.len() <= MAX_ETAG).then(|| etag.to_owned())
}

/// Start and total length: `bytes 100-199/200`, or `/*` in place of a total that the server does not know.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
    let total = match total {
        "*" => None,
        digits => Some(digits.parse().ok()?),
    };
    let is_whole_rest = total.is_none_or(|total: u64| end.checked_add(1) == Some(total));
    (start <= end && is_whole_rest).then_some((start, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        for (text, expected) in [
            ("bytes 100-199/200", Some((100, Some(200)))),
            ("bytes 100-199/*", Some((100, None))),
            ("bytes 100-150/200", None),
            ("bytes 199-100/200", None),
            ("bytes 1-18446744073709551615/0", None),
            ("bytes */200", None),
            ("lines 1-2/3", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_RANGE, text.parse().expect("a header"));
            assert_eq!(content_range(&headers), expected, "{text}");
        }
    }

    #[test]
    fn only_strong_versions_are_kept() {
        for (text, expected) in [
            ("\"abc\"", Some("\"abc\"")),
            ("W/\"abc\"", None),
            ("abc", None),
            ("\"\"", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ETAG, text.parse().expect("a header"));
            assert_eq!(strong_etag(&headers).as_deref(), expected, "{text}");
        }
    }
}
